"""Incoming mail on its round trip through a virus scanner, without an MTA (MODE=gateway): what julia hands to the target "scanner"
is given back to it, changed or not, as a scanner would."""
import os
import re
import shutil
import subprocess

import gateway

SCANNER = "198.51.100.2"
INSIDE = "user_1@behoerde.de"
OUTSIDE = "anna@open.example"
CONF = "MODE = gateway\nSCANNER_CLIENTS = 198.51.100.2\nHOLD_DIR = var/hold\n"
SECRET = b"INNER text"


def letter(body=SECRET, more=b"", sender=OUTSIDE, to=INSIDE):
    return (b"From: %s\nTo: %s\nSubject: a letter\nMessage-ID: <1@open.example>\nDate: Sat, 21 Nov 2026 12:00:00 +0000\n%s\n%s\n"
            % (sender.encode(), to.encode(), more, body))


class Scanned(gateway.Gateway):
    """user_1 and user_2 of behoerde.de have keys; stranger@open.example has one that is not here."""

    def __init__(self):
        super().__init__(conf=CONF)
        self.plain_conf = (self.base / "etc/julia.conf").read_text()
        self.calls = 0
        for name in (INSIDE, "user_2@behoerde.de"):
            self.own_key(name)
        self.pki.person("stranger@open.example")

    def anew(self, conf=""):
        """Another configuration, and nothing remembered. Returns self."""
        (self.base / "etc/julia.conf").write_text(self.plain_conf + conf + "\n")
        for name in ("hold", "journal", "run"):
            shutil.rmtree(self.base / "var" / name, ignore_errors=True)
        (self.base / "var/journal").mkdir()
        (self.base / "var/run").mkdir()
        return self

    def encrypted(self, body=SECRET, to=(INSIDE,), more=b"", plain=None):
        """A letter that is encrypted to these people; each one is different."""
        self.calls += 1
        entity = plain or b"Content-Type: text/plain\n\n" + body + b"\n"
        inner = gateway.openssl("cms", "-encrypt", "-aes-256-gcm", *(self.pki.path(one + ".crt") for one in to), input=entity)
        return (b"Received: from x by gate.behoerde.de; call %d\nFrom: %s\nTo: %s\nSubject: a letter\nMessage-ID: <%d@open.example>\n"
                b"Date: Sat, 21 Nov 2026 12:00:00 +0000\n%s"
                % (self.calls, OUTSIDE.encode(), ", ".join(to).encode(), self.calls, more)) + inner

    def decrypt(self, octets, name=INSIDE):
        return subprocess.run(["openssl", "cms", "-decrypt", "-inkey", self.pki.path(name + ".key"), "-recip",
                               self.pki.path(name + ".crt")], input=octets, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              check=False).stdout

    def arrive(self, octets, to=(INSIDE,), sender=OUTSIDE):
        """Incoming mail; returns the copy for the scanner (or None)."""
        self.status, self.said = self.incoming(octets, sender, to)
        self.got = self.collect()
        copies = [one for one in self.got if one[0] == "scanner"]
        return copies[0][2] if len(copies) == 1 else None

    def back(self, copy, to=(INSIDE,), sender=OUTSIDE, client=SCANNER, retry=False):
        """What the scanner gives back; each time with another Received field, as an MTA writes it, or the last one again."""
        self.calls += not retry
        octets = b"Received: from scanner by gate.behoerde.de; call %d\n" % self.calls + copy
        self.status, self.said = self.run(octets, client, sender, to)
        self.got = self.collect()
        return self.got

    def age(self):
        """Every message in the journal becomes older than GIVE_UP."""
        for path in (self.base / "var/journal").rglob("*"):
            if path.is_file():
                path.write_text(re.sub(r"(?m)^begin \d+", "begin 1000000000", path.read_text()))

    def notice(self, octets, to=(OUTSIDE,), sender="", client="127.0.0.1"):
        self.calls += 1
        self.status, self.said = self.run(b"Received: by gate.behoerde.de; call %d\n" % self.calls + octets, client, sender, to)
        self.got = self.collect()
        return self.got

    def inside(self, to=INSIDE):
        """What the internal relay got for somebody by the last call."""
        return [one[2] for one in self.got if one[0] == "internal" and to in one[1]]

    def told(self, kind=""):
        """Notices to ADMIN (of this kind) by the last call."""
        return [one[2] for one in self.got if one[1] == ["admin@behoerde.de"] and b"Message-ID: <julia." + kind.encode() in one[2]]

    def outside(self):
        return [one for one in self.got if one[0] == "external"]

    def holds(self):
        path = self.base / "var/hold"
        names = os.listdir(path) if path.exists() else []
        return sorted(name for name in names if re.fullmatch("[0-9a-f]{32}", name))

    def kept(self, name):
        """The message that a hold keeps; None when nothing is left of it."""
        path = self.base / "var/hold" / name / "message"
        return path.read_bytes() if path.exists() else None

    def log(self):
        return (self.base / "logs/julia.log").read_text()


def field(octets, name):
    """The values of a header field."""
    head = re.split(rb"\r?\n\r?\n", octets, maxsplit=1)[0]
    return [value.strip().decode() for value in re.findall(rb"(?mi)^%s:(.*)" % name.encode(), head)]


def bounce(copy, status="5.7.1", words="550 5.7.1 Virus Detected; Content Rejected", to=INSIDE, action="failed", whole=False):
    """What a queue says when the scanner refused."""
    head = copy if whole else re.split(rb"\n\n", copy, maxsplit=1)[0] + b"\n"
    kind = b"message/rfc822" if whole else b"text/rfc822-headers"
    return (b"From: MAILER-DAEMON@gate.behoerde.de (Mail Delivery System)\nSubject: Undelivered Mail Returned to Sender\n"
            b"Auto-Submitted: auto-replied\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; "
            b"boundary=\"BB\"\n\n--BB\nContent-Type: text/plain\n\nThe mail system\n\n--BB\nContent-Type: message/delivery-status\n\n"
            b"Reporting-MTA: dns; gate.behoerde.de\nArrival-Date: now\n\nFinal-Recipient: rfc822; %s\nAction: %s\nStatus: %s\n"
            b"Diagnostic-Code: smtp; %s\n\n--BB\nContent-Type: %s\n\n%s\n--BB--\n"
            % (to.encode(), action.encode(), status.encode(), words.encode(), kind, head))
