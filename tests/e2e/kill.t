#!/usr/bin/env python3
"""kill -9 of the core at system calls all over its run (every one with JULIA_KILL_EVERY=1, as the soak does), then the MTA's retry:
each recipient gets the message; twice only when the kill fell between the target's acceptance and the journal's sync; nothing
that must be encrypted is ever seen in clear."""
import collections
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import gateway  # noqa: E402

RULES = ". (to) secret.example (do) FE, FS=mail@behoerde.de\n. (to) open.example (do) FS=mail@behoerde.de\n"
LETTER = (b"From: user_1@behoerde.de\nTo: anna@secret.example, bert@open.example\nSubject: kill\nMessage-ID: <kill@behoerde.de>\n"
          b"Date: Sat, 21 Nov 2026 12:00:00 +0000\n\nTOP-SECRET-WORD\n")
RECIPIENTS = ["anna@secret.example", "bert@open.example"]


def trace(g, octets, *inject):
    out = g.base / "trace"
    g.outgoing(octets, "user_1@behoerde.de", RECIPIENTS, wrapper=["strace", "-o", out, *inject])
    return out.read_text(errors="replace").splitlines()


def places(lines):
    """(system call, how many of its kind came before) for each line; strace counts each kind by itself."""
    seen, found = collections.Counter(), []
    for line in lines:
        call = re.match(r"([a-z0-9_]+)\(", line)
        if call and call[1] not in ("execve", "exit_group"):
            seen[call[1]] += 1
            found.append((call[1], seen[call[1]]))
    return found


def one_kill(g, number, place, tap):
    octets = LETTER.replace(b"<kill@", b"<kill%d@" % number)
    lines = trace(g, octets, "-e", f"inject={place[0]}:signal=SIGKILL:when={place[1]}")
    if not any("killed by SIGKILL" in line for line in lines):
        return False
    first = g.collect()
    status, output = g.outgoing(octets, "user_1@behoerde.de", RECIPIENTS)
    second = g.collect()
    got = [r for _, recipients, _, _ in first + second for r in recipients]
    leaked = any(b"TOP-SECRET-WORD" in octets and "anna@secret.example" in recipients
                 for _, recipients, octets, _ in first + second)
    good = status == 0 and not leaked and all(1 <= got.count(r) <= 2 for r in RECIPIENTS) and len(got) <= 3
    if not good:
        tap.ok(False, f"killed at system call {number}, {place[0]} {place[1]}", f"exit {status} got {got} leaked {leaked}\n" +
               output.decode(errors="replace"))
    one_kill.twice += len(got) > len(RECIPIENTS)
    return True


one_kill.twice = 0


def main():
    tap = gateway.Tap()
    if shutil.which("strace") is None or subprocess.run(["strace", "-o", "/dev/null", "true"], check=False,
                                                        stderr=subprocess.DEVNULL).returncode != 0:
        print("1..0 # SKIP strace is not here or may not trace")
        return 0
    every = int(os.environ.get("JULIA_KILL_EVERY", "23"))
    with gateway.Gateway(RULES) as g:
        g.own_key("mail@behoerde.de")
        g.partner("anna@secret.example")
        calls = places(trace(g, LETTER))
        tap.ok(len(calls) > 100 and len(g.collect()) == 2,
               f"an undisturbed run makes {len(calls)} system calls and two hand-offs")
        tried = wanted = 0
        for number in range(0, len(calls), every):
            wanted += 1
            tried += one_kill(g, number, calls[number], tap)
        tap.ok(tried > 0.8 * wanted, f"{tried} of {wanted} kills happened")
        tap.ok(tap.failed == 0, "after each, the retry delivered to everyone")
        tap.ok(one_kill.twice <= max(2, tried // 10), f"{one_kill.twice} of {tried} kills fell between acceptance and journal")
    return tap.end()


sys.exit(main())
