#!/usr/bin/env python3
"""Nothing of what must be encrypted leaves by a side door: reports, header fields, a module that changes files behind julia's back."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import gateway  # noqa: E402

RULES = """\
.  (to) secret.example  (do) FE
.  (to) signed.example  (do) FS=mail@behoerde.de
.  (to) both.example    (do) FE, FS=mail@behoerde.de
"""
USER, PARTNER, BOTH, SIGNED = "mail@behoerde.de", "anna@secret.example", "bert@both.example", "x@signed.example"
SECRET, SUBJECT = b"GEHEIM-4711", b"Betreff-4712"
FAULTY = f"{sys.executable} {gateway.SOURCE}/tests/faults/faulty-module.py"
# Long enough for a process that comes back.
SLOW = "#!/bin/sh\nsleep 0.6\nexec {base}/target external \"$@\"\n"
tap = gateway.Tap()


def letter(to, more=b""):
    return (b"From: mail@behoerde.de\nTo: " + to.encode() + b"\nSubject: " + SUBJECT + b"\n" + more +
            b"Content-Type: text/plain\n\n" + SECRET + b" and more, so that there is something to replace by another message\n")


def openssl_reads(g, octets, *words):
    (g.base / "in.eml").write_bytes(octets)
    done = subprocess.run(["openssl", "cms", *map(str, words), "-in", g.base / "in.eml"], capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else b""


def opened(g, octets, name):
    return openssl_reads(g, octets, "-decrypt", "-recip", g.pki.path(name + ".crt"), "-inkey", g.pki.path(name + ".key"))


def verified(g, octets):
    return openssl_reads(g, octets, "-verify", "-CAfile", g.pki.path("ca.crt"))


def check_reports(g):
    g.outgoing(letter("nobody@secret.example"), USER, ["nobody@secret.example"])
    found = g.collect()
    tap.ok([f[0] for f in found] == ["internal"] and SUBJECT in found[0][2] and SECRET not in found[0][2],
           "a report inside quotes the header, never the body")
    g.outgoing(letter("nobody@secret.example", b"X-Reference: " + SECRET + b"\n"), "boss@elsewhere.example",
               ["nobody@secret.example"])
    found = g.collect()
    tap.ok([f[:2] for f in found] == [("external", ["boss@elsewhere.example"])] and b"5.7.5" in found[0][2] and
           SUBJECT not in found[0][2] and SECRET not in found[0][2], "a report that leaves quotes nothing", found)


def check_confidential(g, conf):
    conf.write_text(conf.read_text() + "HEADER_PROTECTION = hcp_baseline\n")
    fields = b"Thread-Topic: " + SUBJECT + b"\nKeywords: " + SECRET + b"\nComments: " + SECRET + b"\n"
    for to in (PARTNER, BOTH):
        status, said = g.outgoing(letter(to, fields), USER, [to])
        octets = g.collect()[0][2]
        inside = opened(g, octets, to)
        inside = verified(g, inside) if to == BOTH else inside
        tap.ok(status == 0 and SUBJECT not in octets and SECRET not in octets and b"Subject: [...]" in octets,
               f"confidential, {to}: what repeats the Subject or may be sensitive is not outside", octets[:600])
        tap.ok(b"Subject: " + SUBJECT in inside and b"Keywords: " + SECRET in inside and b"Comments: " + SECRET in inside,
               "... but inside", inside[:600])
    status, said = g.outgoing(letter(SIGNED, fields), USER, [SIGNED])
    tap.ok(status == 0 and b"Keywords: " + SECRET in g.collect()[0][2].split(b"Content-Type")[0], "signed mail keeps its fields", said)


def smime(g, plain, fault, operation):
    conf = g.base / "etc/julia.conf"
    conf.write_text(plain.replace(f"MODULE_SMIME = {gateway.BUILD}/lib/modules/smime", f"MODULE_SMIME = {FAULTY} --on {operation} "
                                  f"--do {fault} -- {gateway.BUILD}/lib/modules/smime")
                    .replace(f"{g.base}/target external", f"{g.base}/slow"))


def intact(g, found, to):
    """Exactly one message went outside, and is what it should be."""
    outside = [f[2] for f in found if f[0] == "external"]
    text = outside[0] if len(outside) == 1 else b""
    if to != SIGNED:
        text = opened(g, text, to) if SECRET not in text else b""
    return SECRET in (text if to == PARTNER else verified(g, text))


# In memory julia makes the kernel refuse later writing; of a file on disk it can only find out that it is possible.
def check_hostile(g, plain):
    slow = g.base / "slow"
    slow.write_text(SLOW.format(base=g.base))
    slow.chmod(0o755)
    for place in ("memory", "disk"):
        for operation, to in (("encrypt", PARTNER), ("sign", SIGNED), ("sign", BOTH)):
            for fault in ("write-later", "change-input"):
                smime(g, plain + ("SPOOL_MEMORY = 0\n" if place == "disk" else ""), fault, operation)
                status, said = g.outgoing(letter(to, f"X-Test: {place} {operation} {fault}\n".encode()), USER, [to])
                found = g.collect()
                stopped = status == 75 and not [f for f in found if f[0] == "external"]
                tap.ok((status == 0 and intact(g, found, to)) or (stopped and (place, fault) == ("disk", "write-later")),
                       f"{place}, {operation} for {to}: {fault} changes nothing that leaves", f"{status} {said} {found}")


with gateway.Gateway(RULES) as gate:
    for name in (PARTNER, BOTH):
        gate.partner(name)
    gate.own_key(USER)
    config = gate.base / "etc/julia.conf"
    text = config.read_text()
    check_reports(gate)
    check_hostile(gate, text)
    config.write_text(text)
    check_confidential(gate, config)
sys.exit(tap.end())
