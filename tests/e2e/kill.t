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
import time

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
    """A killed run and its retry. What they handed off is looked at in the end: a target may outlive the killed julia."""
    octets = letter(number)
    lines = trace(g, octets, "-e", f"inject={place[0]}:signal=SIGKILL:when={place[1]}")
    if not any("killed by SIGKILL" in line for line in lines):
        return False
    status, output = g.outgoing(octets, "user_1@behoerde.de", RECIPIENTS)
    if status != 0:
        tap.ok(False, f"the retry after a kill at {place[0]} {place[1]} ends well", output.decode(errors="replace"))
    return True


def letter(number):
    return LETTER.replace(b"<kill@", b"<kill%d@" % number)


def targets_end(g, seconds=20):
    """Waits until every target that was started has stored its message."""
    until = time.monotonic() + seconds
    while any(not (d / "message").exists() for d in (g.base / "out").iterdir()) and time.monotonic() < until:
        time.sleep(0.05)


def judge(g, killed, tap):
    """{number: place} of the runs that were killed."""
    got = collections.defaultdict(collections.Counter)
    targets_end(g)
    for _, recipients, octets, _ in g.collect():
        number = int(re.search(rb"<kill(\d+)@", octets)[1])
        got[number].update(recipients)
        if b"TOP-SECRET-WORD" in octets and "anna@secret.example" in recipients:
            tap.ok(False, f"nothing in clear after a kill at {killed[number]}")
    lost = [f"{place}: {dict(got[n])}" for n, place in killed.items() if any(got[n][r] < 1 for r in RECIPIENTS)]
    often = [f"{place}: {dict(got[n])}" for n, place in killed.items() if sum(got[n].values()) > len(RECIPIENTS) + 1]
    twice = [place for n, place in killed.items() if sum(got[n].values()) > len(RECIPIENTS)]
    tap.ok(not lost, "nothing is lost", "\n".join(lost))
    tap.ok(not often, "never more than one recipient got it twice", "\n".join(often))
    tap.ok(len(twice) <= max(3, len(killed) // 10), f"{len(twice)} kills fell between acceptance and journal", twice)


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
        wanted = range(0, len(calls), every)
        killed = {number: calls[number] for number in wanted if one_kill(g, number, calls[number], tap)}
        tap.ok(len(killed) > 0.8 * len(wanted), f"{len(killed)} of {len(wanted)} kills happened")
        judge(g, killed, tap)
    return tap.end()


sys.exit(main())
