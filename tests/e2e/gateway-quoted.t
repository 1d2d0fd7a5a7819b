#!/usr/bin/env python3
"""Reports that leave for outside and quote mail which julia delivered inside: what was encrypted, and what was found, stays here."""
import base64
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import gateway  # noqa: E402

TO = "anna@open.example"
ID = b"Message-ID: <original@open.example>\n"


def mail(encryption=b"decrypted", more=b"", top=b"Received: from inside by inside; now\n"):
    return (top + b"X-JULIA-Encryption: " + encryption + b"\nX-JULIA-Signature: valid\n"
            b"Authentication-Results: gate.behoerde.de; smime=pass\nAuthentication-Results: other.example; spf=pass\n" + ID +
            b"From: anna@open.example\nSubject: INNER\n" + more + b"\nINNER text\n")


def report(quoted, kind=b"message/rfc822", cte=b"", root=b"multipart/report; report-type=delivery-status; boundary=b"):
    return (b"From: postmaster@behoerde.de\nTo: anna@open.example\nSubject: undelivered\nMessage-ID: <report@behoerde.de>\n"
            b"Date: Sat, 21 Nov 2026 12:00:00 +0000\nMIME-Version: 1.0\nContent-Type: " + root + b"\n\n--b\n\nThe text.\n--b\n"
            b"Content-Type: message/delivery-status\n\nReporting-MTA: dns; in.behoerde.de\n\nFinal-Recipient: rfc822; "
            b"user_1@behoerde.de\nAction: failed\nStatus: 5.1.1\n\n--b\nContent-Type: " + kind + b"\n" + cte + b"\n" + quoted + b"\n--b--\n")


def soft(octets):
    """quoted-printable with every octet encoded."""
    return b"=\n".join(b"".join(b"=%02X" % c for c in octets[i:i + 20]) for i in range(0, len(octets), 20))


MANY = b"".join(b"X-Padding-%d: x\n" % i for i in range(12000))
NESTED = b"Content-Type: multipart/report; boundary=c\nX: y\n\n--c\nContent-Type: message/rfc822\n\n" + mail() + b"\n--c--\n"
MIXED = b"multipart/mixed; boundary=b"
PARTS = b"Content-Type: multipart/mixed; boundary=d\n\n" + b"--d\n\nx\n" * 1100 + b"--d--\n"
MAIL_OF_MAIL = b"X-JULIA-Signature: none\nContent-Type: message/rfc822\n\n" + mail()
BARE = b"From: postmaster@behoerde.de\nTo: anna@open.example\nMIME-Version: 1.0\nContent-Type: message/rfc822\n\n" + mail()

# name, sender, report, what must be left of the quoted mail
SECRET = [
    ("whole", "", report(mail())),
    ("its header", "", report(mail(), b"text/rfc822-headers")),
    ("not integrity-protected", "", report(mail(b"not-integrity-protected"))),
    ("undecryptable", "", report(mail(b"undecryptable"))),
    ("a forged none below", "", report(mail(more=b"X-JULIA-Encryption: none\n"))),
    ("in base64", "", report(base64.encodebytes(mail()), cte=b"Content-Transfer-Encoding: base64\n")),
    ("in quoted-printable", "", report(soft(mail()), cte=b"Content-Transfer-Encoding: quoted-printable\n")),
    ("SMTPUTF8", "", report(mail(), b"message/global")),
    ("a report in a report", "", report(NESTED)),
    ("a report in a report, in base64", "", report(base64.encodebytes(ID + NESTED), cte=b"Content-Transfer-Encoding: base64\n")),
    ("in a mail that is nothing else", "", report(MAIL_OF_MAIL)),
    ("behind more parts than anybody reads", "", report(ID + PARTS + b"\n--b\nContent-Type: message/rfc822\n\n" + mail())),
    ("by a sender with an address", "postmaster@behoerde.de", report(mail())),
    ("not as a report, by nobody", "", report(mail(), root=MIXED)),
    ("with more fields than anybody reads", "", report(mail(top=ID + MANY))),
    ("with CRLF", "", report(mail()).replace(b"\n", b"\r\n")),
]
CLEAR = [
    ("in clear", "", report(mail(b"none"))),
    ("its header, in clear", "", report(mail(b"none"), b"text/rfc822-headers")),
    ("in clear, in base64", "", report(base64.encodebytes(mail(b"none")), cte=b"Content-Transfer-Encoding: base64\n")),
]
UNTOUCHED = [
    ("no mail of ours", "", report(ID + b"Subject: INNER\n\nINNER text\n")),
    ("a colleague's letter, forwarded", "user_1@behoerde.de", report(mail(), root=MIXED)),
    ("a plain notice", "", b"From: postmaster@behoerde.de\nTo: anna@open.example\nSubject: x\n\nX-JULIA-Encryption: decrypted\n"),
]


def send(g, tap, name, sender, octets):
    status, output = g.outgoing(octets, sender, [TO])
    got = g.collect()
    if not tap.ok(status == 0 and len(got) == 1 and got[0][0] == "external", f"{name}: the report leaves", (status, output, got)):
        return b""
    return got[0][2]


def main():
    tap = gateway.Tap()
    with gateway.Gateway() as g:
        for name, sender, octets in SECRET:
            left = send(g, tap, name, sender, octets)
            tap.ok(b"INNER" not in left and b"JULIA" not in left.upper() and b"gate.behoerde.de; smime" not in left and
                   (b"original@open.example" in left), f"{name}: only its Message-ID is left", left[-900:].decode())
            tap.ok(b"The text." in left and b"Status: 5.1.1" in left and left.rstrip().endswith(b"--b--"),
                   f"{name}: the report is whole", left[-900:].decode())
        for name, sender, octets in CLEAR:
            left = send(g, tap, name, sender, octets)
            tap.ok(b"Subject: INNER" in left and b"INNER text" in left and b"other.example; spf" in left and
                   b"JULIA" not in left and b"gate.behoerde.de; smime" not in left, f"{name}: without what julia found",
                   left[-900:].decode())
        for name, sender, octets in UNTOUCHED:
            left = send(g, tap, name, sender, octets)
            tap.ok(left == octets, f"{name}: untouched", left[-900:].decode())
        left = send(g, tap, "as the whole of a notice", "", BARE)
        tap.ok(b"INNER" not in left and b"JULIA" not in left.upper() and b"original@open.example" in left,
               "as the whole of a notice: only its Message-ID is left", left.decode())
        status, output = g.outgoing(report(ID, root=MIXED).replace(b"--b\n\nThe text.\n", b"--b\n\nx\n" * 20100), "", [TO])
        tap.ok(status not in (0, 75) and b"5.6.0" in output and not g.collect(),
               "a report with more parts than anybody reads does not leave", (status, output))
        status, _ = g.outgoing(report(mail()), "", ["user_2@behoerde.de"])
        got = g.collect()
        tap.ok(status == 0 and len(got) == 1 and got[0][2] == report(mail()), "inside, a report is untouched")
    return tap.end()


sys.exit(main())
