#!/usr/bin/env python3
"""What scanner-kills.t needs: scanner-kills.py letters WORLD COUNT SEED | kill WORLD SEED | account WORLD COUNT"""
import collections
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import time

VICTIMS = {"julia", "keys-file", "trust", "smime"}
SECRET = b"SECRET of letter"


def infected(number):
    return number % 8 == 7


def letters(world, count, seed):
    """COUNT encrypted letters of several sizes; each eighth has a virus."""
    draw = random.Random(seed)
    (world / "letters").mkdir()
    for number in range(count):
        body = b"Content-Type: text/plain\n\n" + SECRET + b" %d\n" % number + (b"y" * 70 + b"\n") * draw.choice((1, 30, 300, 900))
        if infected(number):
            body += b"JULIA-TEST-VIRUS\n"
        sealed = subprocess.run(["openssl", "cms", "-encrypt", "-aes-256-gcm", world / "pki/user_1.crt"], input=body,
                                stdout=subprocess.PIPE, check=True).stdout
        (world / f"letters/{number:04}").write_bytes(b"From: anna@partner-1.com\nTo: user_1@behoerde.de\nSubject: %d\n"
                                                     b"Message-ID: <letter.%d@partner-1.com>\n" % (number, number) + sealed)


def victims():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if pathlib.Path("/proc", pid, "comm").read_text().strip() in VICTIMS:
                yield int(pid)
        except OSError:
            pass


def kill(world, seed):
    """As long as WORLD/killing is there: now and then a process that is at work; WORLD/killed names them."""
    draw = random.Random(seed)
    with open(world / "killed", "a", encoding="ascii", buffering=1) as log:
        while (world / "killing").exists():
            for pid in victims():
                if draw.random() < 0.25:
                    time.sleep(draw.random() * 0.02)
                    try:
                        name = pathlib.Path("/proc", str(pid), "comm").read_text().strip()
                        if name in VICTIMS:
                            os.kill(pid, signal.SIGKILL)
                            log.write(name + "\n")
                    except OSError:
                        pass
            time.sleep(draw.random() * 0.03)


def account(world, count):
    """Prints a line for everything that is not as it must be, and one with "#" in front about the rest."""
    copies, told = collections.Counter(), 0
    for path in (world / "sinks/internal").glob("*.eml"):
        octets = path.read_bytes()
        if SECRET in octets:
            print("in clear:", path)
        for recipient in json.loads(path.with_suffix(".json").read_text())["recipients"]:
            letter = re.search(rb"(?m)^Message-ID: <letter\.(\d+)@", octets)
            if recipient == "user_1@behoerde.de" and letter:
                copies[int(letter.group(1))] += 1
            elif re.search(rb"(?m)^Message-ID: <julia\.infected", octets):
                told += 1
    for number in range(count):
        if infected(number) and copies[number]:
            print("infected and delivered:", number)
        elif not infected(number) and not copies[number]:
            print("lost:", number)
    for path in (world / "sinks/external").glob("*.eml"):
        print("outside:", path)
    viruses = sum(infected(number) for number in range(count))
    # Ten notices an hour; one that was killed on its way counts, too.
    held_back = (world / "base/logs/julia.log").read_text().count("event=notice kind=infected result=held-back")
    if told == 0 or told + held_back < viruses:
        print(f"ADMIN was told of {told} of {viruses} infected letters, {held_back} notices were held back")
    print(f"# {count} letters, {sum(copies.values()) - len(+copies)} duplicates, {told} notices about {viruses} infected ones")


def main(action, world, *numbers):
    {"letters": letters, "kill": kill, "account": account}[action](pathlib.Path(world), *map(int, numbers))


if __name__ == "__main__":
    main(*sys.argv[1:])
