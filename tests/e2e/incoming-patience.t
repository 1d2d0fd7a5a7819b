#!/usr/bin/env python3
"""A night in the queue: an encrypted letter that could not be opened for hours because of us waits, and is opened when we can again.
Only one that kills the smime module or julia run after run is delivered as it came."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import gateway  # noqa: E402

RECIPIENT = "user_1@behoerde.de"
SENDER = "anna@partner-1.com"
FAULTY = gateway.SOURCE / "tests/faults/faulty-module.py"


class Night:
    def __init__(self, g, tap):
        self.g, self.tap, self.number = g, tap, 0
        self.plain_conf = (g.base / "etc/julia.conf").read_text()

    def conf(self, role=None, *words, replace=None):
        text = self.plain_conf + "GIVE_UP = 60s\n"
        if role is not None:
            key, name = {"smime": ("MODULE_SMIME", "smime"), "keys": ("MODULES_KEYS", "keys-file")}[role]
            lines = [line for line in text.splitlines() if not line.startswith(key)]
            command = replace or f"{sys.executable} {FAULTY} {' '.join(words)} -- {gateway.BUILD}/lib/modules/{name}"
            text = "\n".join(lines + [f"{key} = {command}"]) + "\n"
        (self.g.base / "etc/julia.conf").write_text(text)

    def letter(self):
        self.number += 1
        head = f"From: {SENDER}\r\nTo: {RECIPIENT}\r\nMessage-ID: <{self.number}@partner-1.com>\r\nSubject: night\r\n".encode()
        plain = b"Content-Type: text/plain\r\n\r\nAfter a night.\r\n"
        return head + gateway.openssl("cms", "-encrypt", "-aes256", self.g.pki.path(RECIPIENT + ".crt"), input=plain)

    def send(self, octets):
        return self.g.incoming(octets, SENDER, [RECIPIENT])[0]

    def a_night_later(self):
        """The journal says that everything in it happened hours ago."""
        for path in (self.g.base / "var/journal").iterdir():
            lines = [line.split(" ") for line in path.read_text().rstrip("\0").splitlines()]
            for words in lines:
                if len(words) > 1 and words[1].isdigit():
                    words[1] = str(int(words[1]) - 40000)
            path.write_text("".join(" ".join(words) + "\n" for words in lines))

    def got(self):
        """(how often the inside got the letter opened, how often closed)"""
        letters = [octets for target, recipients, octets, _ in self.g.collect() if target == "internal" and RECIPIENT in recipients]
        opened = sum(b"After a night." in octets for octets in letters)
        return opened, len(letters) - opened

    def killed_runs(self, octets, count):
        for _ in range(count):
            self.g.incoming(octets, SENDER, [RECIPIENT], wrapper=["timeout", "-s", "KILL", "1"])


def services_down(night):
    for role in ("smime", "keys"):
        night.conf(role, replace="unix:/nonexistent/socket")
        octets = night.letter()
        night.tap.ok(night.send(octets) == 75, f"{role} is down: the letter waits")
        night.a_night_later()
        night.tap.ok(night.send(octets) == 75 and night.got() == (0, 0), "... all night, and is not given up")
        night.conf()
        night.tap.ok(night.send(octets) == 0 and night.got() == (1, 0), "... and is opened when it is up again")


def one_kill(night):
    octets = night.letter()
    night.conf("smime", "--on unwrap --do hang")
    night.killed_runs(octets, 1)
    night.a_night_later()
    night.conf()
    night.tap.ok(night.send(octets) == 0 and night.got() == (1, 0), "one run was killed, once: the next one opens the letter")


def always_kills(night):
    octets = night.letter()
    night.conf("smime", "--on unwrap --do hang")
    night.killed_runs(octets, 3)
    night.conf()
    night.a_night_later()
    night.tap.ok(night.send(octets) == 0 and night.got() == (0, 1), "three runs were killed, for hours: delivered as it came")
    octets = night.letter()
    night.conf("smime", "--on unwrap --do die")
    night.tap.ok(night.send(octets) == 75 and night.got() == (0, 0), "the module dies of the letter: it waits")
    night.a_night_later()
    night.tap.ok(night.send(octets) == 0 and night.got() == (0, 1), "... and after GIVE_UP is delivered as it came")
    octets = night.letter()
    night.conf("smime", "--on hello --do die")
    night.send(octets)
    night.a_night_later()
    night.tap.ok(night.send(octets) == 75 and night.got() == (0, 0), "a module that always dies is not the fault of the letter")


def main():
    tap = gateway.Tap()
    with gateway.Gateway() as g:
        g.own_key(RECIPIENT)
        night = Night(g, tap)
        services_down(night)
        one_kill(night)
        always_kills(night)
    return tap.end()


sys.exit(main())
