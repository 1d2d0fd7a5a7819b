#!/usr/bin/env python3
"""What an administrator may switch for incoming mail: HARVEST, SUBJECT_TAGS, STRIP_SIGNATURES, ACCEPT_WEAK, GATEWAY_KEY,
SMIME_ENGINE, REVOCATION; and what of it an outside sender could turn against the reader."""
import base64
import email
import email.header
import email.policy
import os
import re
import sys
import unicodedata

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import gateway  # noqa: E402
from outside import EYE, Outside, der_of, fields, receive, text, wrap  # noqa: E402

ONE = "user_1@behoerde.de"
RULES = ".  (to) partner-1.com  (do) FE\n"


def settings(g, **values):
    """Sets parameters in julia.conf, whatever stood there."""
    conf = g.base / "etc/julia.conf"
    lines = [line for line in conf.read_text().splitlines() if line.split(" ")[0] not in values]
    conf.write_text("\n".join(lines + [f"{name} = {value}" for name, value in values.items() if value is not None]) + "\n")


def one(g, octets, recipients=(ONE,)):
    code, output, got, admin = receive(g, octets, recipients)
    g.told = [notice.one("Subject") for notice in admin]
    return (got[0] if code == 0 and len(got) == 1 else None), f"{code} {output} {[d.octets[:1500] for d in got]}"


def can_write_to(g, address):
    letter = f"From: {ONE}\nTo: {address}\nSubject: x\nMessage-ID: <{address}@b>\n\nHello\n".encode()
    code, output = g.outgoing(letter, ONE, [address])
    got = g.collect()
    return code == 0 and any(target == "external" and b"enveloped-data" in octets for target, _, octets, _ in got), output


def harvest(tap, g, out):
    public, review = g.base / "etc/public", g.base / "var/review"
    for n, (value, where) in enumerate((("no", None), ("review", review), ("public", public))):
        name = g.pki.person(f"harvest{n}@partner-1.com", "ec")
        settings(g, HARVEST=value)
        before = {path.name for area in (public, review) for path in area.rglob("*")}
        got, detail = one(g, fields(sender=name) + out.sign(text(), name))
        after = {path.name for area in (public, review) for path in area.rglob("*")}
        tap.ok(got and got.signature == "valid", f"HARVEST={value}: valid", detail)
        tap.ok((len(after) > len(before)) == (where is not None), f"HARVEST={value}: stored where it should be", after)
        usable, output = can_write_to(g, name)
        tap.ok(usable == (value == "public"), f"HARVEST={value}: mail can{'' if value == 'public' else 'not'} be encrypted to him at once", output)
    files = len(list(public.iterdir()))
    got, detail = one(g, fields(sender=name, subject="again") + out.sign(text(), name))
    tap.ok(len(list(public.iterdir())) == files, "the same certificate is not stored twice")
    stranger = g.pki.person("unsigned@partner-1.com", "ec")
    broken = out.sign(text("old\n"), stranger).replace(b"old", b"new")
    got, detail = one(g, fields(sender=stranger) + broken)
    usable, output = can_write_to(g, stranger)
    tap.ok(got and got.signature == "invalid" and not usable, "nothing is learned from an invalid signature", output)
    gateway.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", g.pki.path("self.key"), "-out", g.pki.path("self.crt"),
                    "-subj", "/CN=x", "-addext", "subjectAltName=email:self@partner-1.com")
    got, detail = one(g, fields(sender="self@partner-1.com") + out.sign(text(), "self"))
    usable, output = can_write_to(g, "self@partner-1.com")
    tap.ok(got and got.signature == "untrusted" and not usable, "nor from an untrusted one", detail)
    later = g.pki.person("later@partner-1.com", "ec")
    wrapped = out.encrypt(out.sign(text(), later), ONE)
    got, detail = one(g, fields(sender=later) + wrapped)
    usable, output = can_write_to(g, later)
    tap.ok(got and got.signature == "valid" and usable, "a signature inside of encryption is learned from too", output)
    settings(g, HARVEST=None)


def shown_subject(got):
    """What a mail program shows: encoded words read, nothing invisible."""
    fields = email.message_from_bytes(got.octets, policy=email.policy.compat32).get_all("Subject", [])
    found = ""
    for value in fields:
        for part, charset in email.header.decode_header(re.sub(r"\r?\n[ \t]", " ", str(value))):
            try:
                found += part if isinstance(part, str) else part.decode(charset or "latin-1", "replace")
            except LookupError:  # as many programs do with a charset that they do not know
                found += part.decode("latin-1")
    return "".join(c for c in found if c.isprintable())


def tags(tap, g, out):
    settings(g, SUBJECT_TAGS="yes")
    signed = out.sign(text(), EYE)
    for subject, want in (("Hello", "[signed] Hello"), ("[signed] Hello", "[signed] Hello"), ("", "[signed]"),
                          ("=?utf-8?b?W3NpZ25lZF0=?= x", "[signed] x"), ("[encrypted] [encr[encrypted] ypted] x", "[signed] x")):
        got, detail = one(g, fields(subject=subject) + signed)
        tap.ok(got and " ".join(got.all("Subject")).strip() == want, f"Subject {subject!r}: {want!r}", detail)
    full = base64.b64encode("\uff3b\uff33\uff29\uff27\uff2e\uff25\uff24\uff3d Pay".encode()).decode()
    for subject in ("[signed] Pay", "=?utf-8?q?=5Bsigned=5D?= Pay", "[sig[signed]ned] Pay", "[SIGNED]Pay", "[si\n gned] Pay",
                    "=?utf-8?q?=5Bsig?= =?utf-8?q?ned=5D?= Pay", "=?utf-8?q?=5Bsig=C2=ADned=5D?= Pay", "=?utf-8?q?=5Bsig=E2=80=8Bned=5D?= Pay",
                    "=?UTF-8?B?W3Np?=\n =?UTF-8?B?Z25lZF0=?= Pay", "=?utf-8?b?W3NpZw==?= =?us-ascii?Q?ned]?= Pay", "=?iso-8859-15*en?q?[signed]?= Pay",
                    f"=?utf-8?b?{full}?=", "=?utf-8?q?[=D1=95igned]?= Pay", "[ signed ] Pay", "=?utf-8?q?=E3=80=90signed=E3=80=91?= Pay",
                    "=?utf-16be?b?AFsAcwBpAGcAbgBlAGQAXQ==?= Pay", "=?utf-7?q?+AFs-signed+AF0-?= Pay",
                    "=?no-such?q?=5Bsigned=5D?= Pay", "=?utf-8?q?=FF=5Bsigned=5D?= Pay", "=?no-such?b?W3NpZ25lZF0=?= Pay"):
        got, detail = one(g, fields(subject=subject) + b"\nPay!\n")
        plain = got and unicodedata.normalize("NFKC", shown_subject(got)).lower()
        tap.ok(got and "pay" in plain and not re.search("[s\u0455] ?igned", plain), f"a tag from outside is removed: {subject!r}", f"{plain} {detail}")
    for subject in ("[verschl\u00fcsselt] Zahl", "=?iso-8859-1?q?[verschl=FCsselt]?= Zahl", "=?windows-1252?b?W1ZFUlNDSEzcU1NFTFRd?= Zahl",
                    "=?utf-8?q?[verschlu=CC=88sselt]?= Zahl"):
        got, detail = one(g, fields(subject=subject) + b"\nPay!\n")
        tap.ok(got and shown_subject(got) == "Zahl", f"a German one: {subject!r}", detail)
    got, detail = one(g, b"Subject: [signed] one\nSubject: [signed] two\n" + fields() + b"\nx\n")
    tap.ok(got and b"[signed]" not in got.octets, "from every Subject field", detail)
    got, detail = one(g, fields(subject="x") + out.encrypt(text(), ONE, cipher="aes-128-gcm"))
    tap.ok(got and got.one("Subject") == "[encrypted] x", "[encrypted]", detail)
    for name, subject in (("long", "word " * 900 + "end"), ("long, without blanks", "x" * 5000), ("UTF-8", "Gr\u00fc\u00dfe aus \u4eac\u90fd \U0001f600 " * 60 + "end")):
        encoded = "=?utf-8?b?" + base64.b64encode(subject.encode()).decode() + "?="
        for how, value in (("encoded", encoded), ("raw", subject)):
            got, detail = one(g, fields(subject=value) + signed)
            tap.ok(got and shown_subject(got) == "[signed] " + subject, f"{name}, {how}: nothing else changes", detail)
            lines = got.octets.split(b"\n\n")[0].split(b"\n")
            tap.ok(max(map(len, lines)) <= 998 and got.octets.split(b"\n\n")[0].isascii(), "... and stays within lines", max(map(len, lines)))
    settings(g, LANGUAGE="de")
    got, detail = one(g, fields(subject="=?utf-8?q?=C3=84pfel?=") + signed)
    tap.ok(got and shown_subject(got) == "[signiert] \u00c4pfel", "in German", detail)
    got, detail = one(g, fields(subject="\u00c4pfel") + out.encrypt(text(), ONE))
    tap.ok(got and shown_subject(got) == "[verschl\u00fcsselt, nicht gegen \u00c4nderung gesch\u00fctzt] \u00c4pfel", "... with umlauts", detail)
    settings(g, SUBJECT_TAGS=None, LANGUAGE=None)


def strip(tap, g, out):
    settings(g, STRIP_SIGNATURES="yes")
    inner = b"Content-Type: multipart/alternative; boundary=b\n\n--b\n\nx\n--b\nContent-Type: text/html\n\n<p>x\n--b--\n"
    for name, entity in (("clear", out.sign(inner, EYE)), ("opaque", out.sign(inner, EYE, opaque=True)),
                         ("encrypted", out.encrypt(out.sign(inner, EYE), ONE)),
                         ("triple", out.sign(out.encrypt(out.sign(inner, EYE, opaque=True), ONE), EYE))):
        got, detail = one(g, fields() + entity)
        parsed = got and email.message_from_bytes(got.octets)
        tap.ok(parsed and parsed.get_content_type() == "multipart/alternative" and got.signature == "valid" and len(got.all("Content-Type")) == 1,
               f"STRIP_SIGNATURES, {name}", detail)
    forged = out.sign(inner, EYE).replace(b"<p>x", b"<p>y")
    got, detail = one(g, fields() + forged)
    tap.ok(got and got.signature == "invalid", "a broken signature is stripped or not, but told", detail)
    settings(g, STRIP_SIGNATURES=None)


def weak(tap, g, out):
    sha1 = gateway.openssl("cms", "-sign", "-md", "sha1", *out.pair(EYE), input=text())
    triple = out.encrypt(text(), ONE, cipher="des3")
    for value, signature, encryption in (("no", "unsupported", "unsupported"), ("yes", "valid", "not-integrity-protected")):
        settings(g, ACCEPT_WEAK=value)
        got, detail = one(g, fields(more=f"X-A: {value}\n") + sha1)
        tap.ok(got and got.signature == signature, f"ACCEPT_WEAK={value}: SHA-1 is {signature}", detail)
        tap.ok(got and (got.all("X-JULIA-Weak") != []) == (value == "yes"), "... and marked", detail)
        got, detail = one(g, fields(more=f"X-A: {value}\n") + triple)
        tap.ok(got and got.encryption == encryption, f"ACCEPT_WEAK={value}: 3DES is {encryption}", detail)
        tap.ok(g.told == (["julia on gate.behoerde.de: message cannot be read"] if value == "no" else []), "... and ADMIN is told", g.told)
        tap.ok(got and (got.all("X-JULIA-Weak") != []) == (value == "yes"), "... and marked", detail)
    settings(g, ACCEPT_WEAK=None)


def engines(tap, g, out):
    octets = fields(more="X-JULIA-Signature: valid\n") + out.encrypt(text(), ONE)
    for engine in ("0", "1"):
        settings(g, SMIME_ENGINE=engine)
        got, detail = one(g, octets + b"\n" * int(engine))
        tap.ok(got and got.octets == octets + b"\n" * int(engine), f"SMIME_ENGINE={engine}: unchanged", detail)
    log = (g.base / "logs/verify.log").read_text()
    tap.ok("not-integrity-protected" in log.splitlines()[-1], "the rehearsal is in verify.log", log[-500:])
    settings(g, SMIME_ENGINE=None)


def trust(tap, g, out):
    signed = out.sign(text(), EYE)
    settings(g, REVOCATION="require")
    got, detail = one(g, fields() + signed)
    tap.ok(got and got.signature == "unknown", "REVOCATION=require without any answer: unknown", detail)
    settings(g, REVOCATION=None)
    certificate = g.pki.path(EYE + ".crt").read_bytes()
    (g.base / "etc/untrusted/eve.pem").write_bytes(certificate)
    got, detail = one(g, fields(subject="now") + signed)
    tap.ok(got and got.signature == "untrusted", "a certificate copied into untrusted counts at once", detail)
    (g.base / "etc/untrusted/eve.pem").unlink()
    got, detail = one(g, fields(subject="then") + signed)
    tap.ok(got and got.signature == "valid", "and no longer when it is gone", detail)
    g.pki.person("past@partner-1.com", "ec", days=-1)
    got, detail = one(g, fields(sender="past@partner-1.com") + out.sign(text(), "past@partner-1.com"))
    tap.ok(got and got.signature == "expired", "expired", detail)
    (g.base / "etc/trusted/past.pem").write_bytes(g.pki.path("past@partner-1.com.crt").read_bytes())
    got, detail = one(g, fields(sender="past@partner-1.com", subject="b") + out.sign(text(), "past@partner-1.com"))
    tap.ok(got and got.signature == "valid", "expired, but trusted", detail)
    got, detail = one(g, fields(sender=EYE, subject="c") + out.sign(text(), "past@partner-1.com"))
    tap.ok(got and got.signature == "valid-other-address", "trusted, but with another address", detail)
    ca = g.base / "etc/ca/ca.pem"
    kept = ca.read_bytes()
    ca.unlink()
    got, detail = one(g, fields(subject="no ca") + signed)
    tap.ok(got and got.signature == "untrusted", "no CA at all", detail)
    ca.write_bytes(b"-----BEGIN CERTIFICATE-----\nbroken\n")
    got, detail = one(g, fields(subject="broken ca") + signed)
    tap.ok(got and got.signature in ("untrusted", "unknown"), "a broken CA file", detail)
    ca.write_bytes(kept)
    name = g.pki.person("missing@partner-1.com", "ec")
    bare = out.sign(text(), name, more=("-nocerts",))
    got, detail = one(g, fields(sender=name) + bare)
    tap.ok(got and got.signature == "unknown", "a signer whose certificate is nowhere", detail)
    (g.base / "etc/public/missing.pem").write_bytes(g.pki.path(name + ".crt").read_bytes())
    got, detail = one(g, fields(sender=name, subject="b") + bare)
    tap.ok(got and got.signature == "valid", "and once it lies in public", detail)


def keys(tap, g, out):
    enveloped = out.encrypt(text(), "gate@behoerde.de")
    got, detail = one(g, fields() + enveloped)
    tap.ok(got and got.encryption == "undecryptable", "a colleague's key opens nothing", detail)
    settings(g, GATEWAY_KEY="gate@behoerde.de")
    got, detail = one(g, fields(subject="b") + enveloped)
    tap.ok(got and got.encryption == "not-integrity-protected", "as GATEWAY_KEY it does", detail)
    settings(g, GATEWAY_KEY=None)
    path = g.base / "etc/private/user_1@behoerde.de.pem"
    octets = out.encrypt(text(), ONE)
    path.chmod(0o644)
    code, output, got, _ = receive(g, fields(subject="c") + octets)
    tap.ok(code == 75 and not got or (got and got[0].encryption == "undecryptable"), "a key that others may read is not used", f"{code} {output}")
    path.chmod(0o600)
    kept = path.read_bytes()
    path.write_bytes(g.pki.path(ONE + ".crt").read_bytes())
    got, detail = one(g, fields(subject="d") + octets)
    tap.ok(got and got.encryption == "undecryptable", "a certificate without its key", detail)
    path.write_bytes(kept.replace(b"MII", b"MIJ", 1))
    code, output, got, _ = receive(g, fields(subject="e") + octets)
    tap.ok(code == 75 or (got and got[0].encryption == "undecryptable"), "a damaged key file", f"{code} {output}")
    path.write_bytes(kept)
    got, detail = one(g, fields(subject="f") + octets)
    tap.ok(got and got.encryption == "not-integrity-protected", "repaired: opens again", detail)
    got, detail = one(g, fields(subject="g") + wrap(der_of(octets), ""))
    tap.ok(got and got.encryption == "not-integrity-protected", "without smime-type", detail)


def main():
    tap = gateway.Tap()
    with gateway.Gateway(RULES) as g:
        out = Outside(g.pki)
        g.own_key(ONE)
        g.own_key("gate@behoerde.de")
        g.pki.person(EYE)
        for part in (harvest, tags, strip, weak, engines, trust, keys):
            part(tap, g, out)
    return tap.end()


sys.exit(main())
