#!/usr/bin/env python3
"""What must be encrypted stays inside whatever the header looks like, and who may be signed for is what every reader sees."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import gateway  # noqa: E402

RULES = """\
.             (to) secret.example  (do) FE
.             (to) both.example    (do) FE, FS=mail@behoerde.de
.             (to) own.example     (do) FS
.             (to) signed.example  (do) FS=mail@behoerde.de
hr@behoerde.de (to) open.example   (do) FE
"""
USER, PARTNER = "user@behoerde.de", "anna@secret.example"
SECRET = b"GEHEIM-4711"
HEAD = b"From: user@behoerde.de\nTo: anna@secret.example\nSubject: s\n"
tap = gateway.Tap()


def targets(found):
    return sorted(target for target, *_ in found)


def open_entity(g, octets, name):
    """What the recipient decrypts, or None."""
    (g.base / "in.eml").write_bytes(octets)
    done = subprocess.run(["openssl", "cms", "-decrypt", "-in", g.base / "in.eml", "-recip", g.pki.path(name + ".crt"), "-inkey",
                           g.pki.path(name + ".key")], capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None


def signer(g, octets):
    (g.base / "in.eml").write_bytes(octets)
    done = subprocess.run(["openssl", "cms", "-verify", "-in", g.base / "in.eml", "-CAfile", g.pki.path("ca.crt"), "-signer",
                           g.base / "signer.pem", "-out", "/dev/null"], capture_output=True, check=False)
    if done.returncode != 0:
        return None
    return gateway.openssl("x509", "-in", g.base / "signer.pem", "-noout", "-subject").decode().split("=")[-1].strip()


# Lines in the header that are no fields: many readers begin the body there.
STRAY = {
    "text without an empty line": HEAD + b"text " + SECRET + b"\nwith: colon " + SECRET + b"\n\nmore\n",
    "text and nothing else": b"text " + SECRET + b"\nmore\n\nmore\n",
    "a continuation first": b" text " + SECRET + b"\n" + HEAD + b"\nmore\n",
    "a line with CR CR LF": HEAD + b"\r\r\n\r\r\n" + SECRET + b"\n\nmore\n",
    "a line with NUL": HEAD + b"\0\n" + SECRET + b"\n\nmore\n",
    "a line with a blank": HEAD + b" \n" + SECRET + b"\n\nmore\n",
    "a colon without a name": b": " + SECRET + b"\n" + HEAD + b"\nmore\n",
}
INSIDE = {
    "no header at all": b"\n" + SECRET + b"\n",
    "no final line end": HEAD + b"\n" + SECRET,
    "CRLF": HEAD.replace(b"\n", b"\r\n") + b"\r\n" + SECRET + b"\r\n",
    "CRLF header, LF body": HEAD.replace(b"\n", b"\r\n") + b"\n" + SECRET + b"\n",
    "Content-* fields": HEAD + b"Content-Description: " + SECRET + b"\nContent-X : " + SECRET + b"\n\n" + SECRET + b"\n",
    "S/MIME label, plain text": HEAD + b"Content-Type: application/pkcs7-mime; name=smime.p7m\n\n" + SECRET + b"\n",
    "a second Content-Type": HEAD + b"Content-Type: text/plain\nContent-Type: text/html; x=" + SECRET + b"\n\n" + SECRET + b"\n",
    "broken multipart": HEAD + b"Content-Type: multipart/mixed; boundary=b\n\npre " + SECRET + b"\n--b\n\n" + SECRET + b"\n",
    "message/external-body": HEAD + b'Content-Type: message/external-body; url="http://' + SECRET + b'"\n\n' + SECRET + b"\n",
    "From in the body": HEAD + b"\nFrom " + SECRET + b"\n",
}


def check_leaks(g):
    for what, octets in STRAY.items():
        status, said = g.outgoing(octets, USER, [PARTNER])
        found = g.collect()
        tap.ok(status == 0 and targets(found) == ["internal"] and SECRET not in found[0][2], f"{what}: refused, not quoted", said)
    for what, octets in INSIDE.items():
        status, said = g.outgoing(octets, USER, [PARTNER])
        found = g.collect()
        tap.ok(status == 0 and targets(found) == ["external"] and SECRET not in found[0][2] and
               SECRET in (open_entity(g, found[0][2], PARTNER) or b""), f"{what}: inside", said)


def check_encrypted_already(g):
    _, _ = g.outgoing(HEAD + b"\n" + SECRET + b"\n", USER, [PARTNER])
    sealed = g.collect()[0][2]
    g.outgoing(sealed, USER, [PARTNER])
    tap.ok([f[2] for f in g.collect()] == [sealed], "what is encrypted already passes unchanged")
    for what, front in (("a line of text", b"text " + SECRET + b"\n"), ("text behind bare CRs", b"X: y\r\r" + SECRET + b"\n")):
        g.outgoing(front + sealed, USER, [PARTNER])
        tap.ok(all(target == "internal" or octets.count(b"MII") == 1 and octets != front + sealed and b"\r\r" not in octets
                   for target, _, octets, _ in g.collect()), f"... but not with {what} in front")


# From fields, and who signs for own.example and signed.example (None: refused).
AUTHORS = [
    (b"From: user@behoerde.de", USER, "mail@behoerde.de"),
    (b"From: user@behoerde.de <user@behoerde.de>", USER, "mail@behoerde.de"),
    (b"From: U (ser) <USER@Behoerde.DE.>", USER, "mail@behoerde.de"),
    (b'From: "user"@behoerde.de', USER, "mail@behoerde.de"),
    (b"From: ceo@behoerde.de", None, "mail@behoerde.de"),
    (b"From: ceo@behoerde.de\nSender: user@behoerde.de\nResent-From: user@behoerde.de", None, "mail@behoerde.de"),
    (b"From: user@behoerde.de, ceo@behoerde.de", None, "mail@behoerde.de"),
    (b"From: user@behoerde.de\nFrom : ceo@behoerde.de", None, "mail@behoerde.de"),
    (b"From: ceo@behoerde.de <user@behoerde.de>", None, None),
    (b"From: <ceo@behoerde.de> <user@behoerde.de>", None, None),
    (b"From: <user@behoerde.de> ceo@behoerde.de", None, None),
    (b"From: user@behoerde.de\rFrom: ceo@behoerde.de", None, None),
    (b"X-A: b\rFrom: ceo@behoerde.de\nFrom: user@behoerde.de", None, None),
    (b"From: <@evil.example:user@behoerde.de>", None, None),
    ("From: user@behoerde.d\u0435".encode(), None, None),
    (b"From: user@behoerde.de@evil.example", None, None),
    (b"From: =?utf-8?q?user=40behoerde.de?=", None, None),
    (b"From: evil@evil.example", None, None),
    (b"Subject: nobody", None, None),
]


def check_authors(g):
    for field, own, order in AUTHORS:
        for to, wanted in (("x@own.example", own), ("x@signed.example", order)):
            status, said = g.outgoing(field + b"\nTo: x@x.example\n\ntext\n", USER, [to])
            found = g.collect()
            outside = [octets for target, _, octets, _ in found if target == "external"]
            seen = signer(g, outside[0]) if outside else None
            tap.ok(status == 0 and len(found) == 1 and seen == wanted and bool(outside) == (wanted is not None),
                   f"{field!r} to {to}: {wanted}", f"{seen} {said}")


def check_second_author(g):
    for field in (b"From: hr@behoerde.de", b"From: user@behoerde.de, hr@behoerde.de",
                  b"From: user@behoerde.de\nFrom: hr@behoerde.de", b"From: G: user@behoerde.de, hr@behoerde.de;"):
        g.outgoing(field + b"\nTo: x@open.example\n\n" + SECRET + b"\n", USER, ["x@open.example"])
        tap.ok(targets(g.collect()) == ["internal"], f"{field!r}: the rule about hr counts")


with gateway.Gateway(RULES) as gate:
    for own_key in ("mail@behoerde.de", USER, "ceo@behoerde.de"):
        gate.own_key(own_key)
    gate.partner(PARTNER)
    check_leaks(gate)
    check_encrypted_already(gate)
    check_authors(gate)
    check_second_author(gate)
sys.exit(tap.end())
