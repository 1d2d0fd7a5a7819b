"""Many messages through the MTA of tests/e2e/lib.sh and an account of every one of them: what tests/e2e/fault-queue.t and load.t share.

The world tells by environment variables where everything is: WORLD, WORLD_CONF, PKI. What is sent, who must get it where, and what
counts as seen in clear is the same as in faultlab."""
import collections
import concurrent.futures
import json
import os
import pathlib
import queue
import re
import smtplib
import subprocess
import time

import faultlab
import gateway
from faultlab import SECRET, Expected

INSIDE, OUTSIDE = "10.1.0.7", "203.0.113.9"
NUMBER = re.compile(rb"(?mi)^Message-ID: <p(\d+)\.")
RULES = """\
. (to) partner-1.com      (do) FE
. (to) bert@partner-1.com (do) FS=mail@behoerde.de
. (to) signed.example     (do) FS=mail@behoerde.de
. (to) nocert.example     (do) FE
"""
CONF = "GATEWAY_KEY = mail@behoerde.de\n"


class World:
    def __init__(self):
        self.path = pathlib.Path(os.environ["WORLD"])
        self.pki = pathlib.Path(os.environ["PKI"])
        self.conf = pathlib.Path(os.environ["WORLD_CONF"])
        self.base = self.path / "base"

    def flush(self):
        subprocess.run([self.base / "bin/deliver-all", "-c", self.conf, "-n"], check=False, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def waiting(self):
        """How many messages wait in all queues."""
        done = subprocess.run([self.base / "bin/mailq-all", "-c", self.conf, "-j"], check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
        return sum(1 for line in done.stdout.splitlines() if line.startswith(b"{"))

    def until_quiet(self, seconds, every=2):
        """Tries again and again until nothing waits, as deliver-all by cron does; False when something still waits then."""
        now = time.monotonic()
        until, flush_at = now + seconds, now + every
        while now < until:
            if self.waiting() == 0:
                return True
            if now >= flush_at:
                self.flush()
                flush_at = time.monotonic() + every
            time.sleep(0.2)
            now = time.monotonic()
        return False

    def stored(self, seen):
        """[(target, recipients, octets)] of what came to the sinks and is not in `seen`."""
        found = []
        for target in faultlab.TARGETS:
            for path in sorted((self.path / "sinks" / target).glob("*.eml")):
                if path not in seen:
                    seen.add(path)
                    found.append((target, json.loads(path.with_suffix(".json").read_text())["recipients"], path.read_bytes()))
        return found

    def openssl(self, *words, **more):
        return gateway.openssl(*(str(self.pki / word[1:]) if word.startswith("@") else word for word in words), **more)


# ---- what is sent -----------------------------------------------------------------------------------------------------------------

class Kind:
    """A kind of message: the client it comes from, its recipients, who must get it in the end, its body."""

    def __init__(self, name, client, recipients, expected, body):
        self.name, self.client, self.recipients, self.expected, self.body = name, client, recipients, expected, body

    def sender(self, number):
        return f"p{number}@" + ("behoerde.de" if self.client == INSIDE else "partner.example")

    def octets(self, number):
        return (f"From: {self.sender(number)}\r\nTo: {', '.join(self.recipients[:5])}\r\nSubject: point {number}\r\n"
                f"Message-ID: <p{number}.{self.name}@test.example>\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\n").encode() + self.body


def outgoing(name, *expected):
    recipients = [e.recipient.removeprefix("report ") for e in expected]
    return Kind(name, INSIDE, recipients, list(expected), b"\r\n" + SECRET + b"\r\n")


def incoming(name, body, clear, *recipients):
    return Kind(name, OUTSIDE, list(recipients), [Expected(r, "internal", clear) for r in recipients], body)


def crlf(octets):
    return re.sub(rb"\r?\n", b"\r\n", octets)


def kinds(world):
    """{name: Kind}; what comes encrypted is made once, by openssl."""
    inner = b"Content-Type: text/plain\r\n\r\n" + SECRET + b"\r\n"
    signed = world.openssl("cms", "-sign", "-signer", "@anna.crt", "-inkey", "@anna.key", input=inner)
    for_us = world.openssl("cms", "-encrypt", "-aes-256-cbc", "@user_1.crt", "@mail.crt", input=signed)
    for_others = world.openssl("cms", "-encrypt", "-aes-256-cbc", "@ec.crt", input=signed)
    sig, enc = Expected("sig@signed.example", "external", True), Expected("anna@partner-1.com", "external", False)
    both, plain = Expected("bert@partner-1.com", "external", False), Expected("carl@open.example", "external", True)
    report = Expected("report dora@nocert.example", "internal", False)
    crowd = [Expected(f"u{n}@signed.example", "external", True) for n in range(60)]
    found = [outgoing("plain", plain), outgoing("signed", sig), outgoing("encrypted", enc), outgoing("both", both),
             outgoing("groups", sig, enc, both, plain, report), outgoing("crowd", *crowd),
             incoming("in-encrypted", crlf(for_us), True, "user_1@behoerde.de", "user_2@behoerde.de"),
             incoming("in-foreign", crlf(for_others), False, "user_1@behoerde.de"),
             incoming("in-signed", crlf(signed), True, "user_1@behoerde.de", "user_2@behoerde.de"),
             incoming("in-plain", b"\r\n" + SECRET + b"\r\n", True, "user_2@behoerde.de")]
    return {kind.name: kind for kind in found}


class Senders:
    """Sends messages over a number of connections that stay open."""

    def __init__(self, count):
        self.count, self.work, self.failures = count, queue.Queue(), []

    def send(self, messages):
        """[(number, kind)]; all are accepted by the MTA in the end, or stand in `failures`."""
        for message in messages:
            self.work.put(message)
        with concurrent.futures.ThreadPoolExecutor(self.count) as pool:
            list(pool.map(lambda _: self._serve(), range(self.count)))
        return self.failures

    def _serve(self):
        connections = {}
        while True:
            try:
                number, kind = self.work.get_nowait()
            except queue.Empty:
                break
            for attempt in range(30):
                try:
                    self._one(connections, number, kind)
                    break
                except (OSError, smtplib.SMTPException) as error:
                    connections.pop(kind.client, None)
                    if attempt == 29:
                        self.failures.append((number, repr(error)))
                    time.sleep(1)
        for connection in connections.values():
            connection.close()

    @staticmethod
    def _one(connections, number, kind):
        smtp = connections.get(kind.client)
        if smtp is None:
            smtp = connections[kind.client] = smtplib.SMTP("127.0.0.1", 25, "client.example", timeout=300,
                                                           source_address=(kind.client, 0))
        refused = smtp.sendmail(kind.sender(number), kind.recipients, kind.octets(number))
        if refused:
            raise smtplib.SMTPRecipientsRefused(refused)


# ---- the account --------------------------------------------------------------------------------------------------------------------

class Account:
    """What was sent, and what of it arrived."""

    def __init__(self):
        self.sent, self.got, self.leaks, self.foreign = {}, collections.defaultdict(collections.Counter), [], collections.Counter()
        self.returned = collections.defaultdict(collections.Counter)

    def send(self, number, kind):
        self.sent[number] = kind

    def take(self, stored):
        for target, recipients, octets in stored:
            number = self._number(recipients, octets)
            if number is None:
                self.foreign[target, ",".join(recipients)] += 1
                if faultlab.shows_secret(octets):
                    self.leaks.append(f"clear text in a mail to {recipients} at {target}")
                continue
            self._take_one(number, target, recipients, octets)

    def _number(self, recipients, octets):
        """Whose it is: reports and notices go back to the sender, who has a number, too."""
        for recipient in recipients:
            found = re.match(r"p(\d+)@", recipient)
            if found and int(found[1]) in self.sent:
                return int(found[1])
        found = NUMBER.search(octets.partition(b"\r\n\r\n")[0])
        return int(found[1]) if found and int(found[1]) in self.sent and b"report-type=delivery-status" not in octets else None

    def _take_one(self, number, target, recipients, octets):
        kind = self.sent[number]
        wanted = {e.recipient: e for e in kind.expected}
        clear = faultlab.shows_secret(octets)
        for recipient in recipients:
            expected = wanted.get(recipient)
            if expected is not None and expected.target == target:
                self.got[number][recipient] += 1
            elif recipient == kind.sender(number):
                for name in re.findall(rb"(?mi)^Final-Recipient: rfc822; ?(\S+?)\r?$", octets):
                    self._returned(number, name.decode(), wanted)
                if kind.client == INSIDE and target == "internal":
                    continue  # what was returned is the sender's own text
            elif recipient != "admin@behoerde.de":
                self.leaks.append(f"p{number}: {recipient} at {target}")
            if clear and not (expected is not None and expected.clear and expected.target == target):
                self.leaks.append(f"p{number}: clear text for {recipient} at {target}")

    def _returned(self, number, name, wanted):
        if "report " + name in wanted:
            self.got[number]["report " + name] += 1
        else:
            self.returned[number][name] += 1

    def lost(self, number, returns=False):
        """Who got nothing; with `returns` a non-delivery report to the sender is an answer, too."""
        return [e.recipient for e in self.sent[number].expected
                if self.got[number][e.recipient] == 0 and not (returns and self.returned[number][e.recipient])]

    def twice(self, number):
        return {name: n - 1 for name, n in self.got[number].items() if n > 1}


def tap():
    return gateway.Tap()


def write_rows(name, rows):
    path = gateway.BUILD / "tests" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
