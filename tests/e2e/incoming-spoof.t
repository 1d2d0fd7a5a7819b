#!/usr/bin/env python3
"""Published attacks on what a reader believes about a signature: only `valid` for the one address in From may ever be said, and only of
the whole message. And fields that only this gateway may write, in every disguise."""
import base64
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "interop"))
import gateway  # noqa: E402
import smime_lab as lab  # noqa: E402
from outside import EYE, LEAF, Outside, der_of, fields, receive, text, tlv, wrap  # noqa: E402

ONE, BOSS = "user_1@behoerde.de", "boss@behoerde.de"


def see(g, octets, recipients=(ONE,)):
    code, output, got, _ = receive(g, octets, recipients)
    return (got[0] if code == 0 and len(got) == 1 else None), output


def said(tap, g, octets, words, name):
    """`words`: the signature words that may be said."""
    got, output = see(g, octets)
    tap.ok(got is not None and got.signature in words, name, f"{got and got.signature!r} {output!r}\n{got and got.octets[:1200]!r}")
    return got


def structure(tap, g, out):
    """Only the outermost layer speaks for the message."""
    signed = out.sign(text("I quit.\n"), EYE).split(b"MIME-Version: 1.0\n", 1)[1]
    opaque = out.sign(text("I quit.\n"), EYE, opaque=True).split(b"MIME-Version: 1.0\n", 1)[1]

    def around(kind, *parts):
        return f"MIME-Version: 1.0\nContent-Type: multipart/{kind}; boundary=zzz\n\n".encode() + b"".join(
            b"--zzz\n" + part + b"\n" for part in parts) + b"--zzz--\n"

    for what, part in (("clear", signed), ("opaque", opaque)):
        said(tap, g, fields() + around("mixed", part), ("none",), f"{what} signed part alone in multipart/mixed")
        said(tap, g, fields() + around("mixed", text("Pay!\n"), part), ("none",), f"text before a {what} signed part")
        said(tap, g, fields() + around("related", text("<img src=cid:x>\n"), part), ("none",), f"{what} signed part as related image")
        said(tap, g, fields() + around("alternative", text("Pay!\n"), part), ("none",), f"{what} signed part as alternative")
        said(tap, g, fields() + around("mixed", b"Content-Type: message/rfc822\n\n" + fields() + b"MIME-Version: 1.0\n" + part), ("none",),
             f"{what} signed message as attachment")
        said(tap, g, fields() + b"MIME-Version: 1.0\nContent-Type: message/rfc822\n\n" + fields() + b"MIME-Version: 1.0\n" + part,
             ("none",), f"a message that is a {what} signed message/rfc822")
    inner = out.encrypt(around("mixed", text("Pay!\n"), signed), ONE)
    said(tap, g, fields() + inner, ("none",), "signed part in multipart/mixed, encrypted")
    lines = signed.split(b"\n\n", 1)
    said(tap, g, fields() + b"MIME-Version: 1.0\n" + lines[0] + b"\n\nPay!\n" + lines[1], ("valid",), "a preamble is shown by nobody")
    boundary = signed.split(b'boundary="')[1].split(b'"')[0]
    third = signed.replace(b"--" + boundary + b"--", b"--" + boundary + b"\n" + text("Pay!\n") + b"\n--" + boundary + b"--")
    said(tap, g, fields() + b"MIME-Version: 1.0\n" + third, ("none", "invalid"), "multipart/signed with three parts")
    twice = signed.replace(b"Content-Type: multipart/signed", b"Content-Type: multipart/mixed; boundary=zzz\nContent-Type: multipart/signed", 1)
    said(tap, g, fields() + b"MIME-Version: 1.0\n" + twice, ("none",), "two Content-Type fields")
    for name in ("Content-Type: multipart/mixed; boundary=zzz", "Content-Transfer-Encoding: base64"):
        said(tap, g, fields(more=f"X-A: b\r{name}\n") + b"MIME-Version: 1.0\n" + signed, ("none",), f"{name} behind a bare CR")
    said(tap, g, fields() + b"MIME-Version: 1.0\nContent-Transfer-Encoding: base64\n" + signed, ("none",), "a multipart/signed in base64")
    said(tap, g, fields() + b"MIME-Version: 1.0\nContent-Transfer-Encoding: 7bit\n" + opaque, ("none",), "two transfer encodings")
    swapped = signed.replace(b"\n--" + boundary, b"\n--" + boundary + b"\n" + text("Pay!\n") + b"\n--" + boundary, 1)
    said(tap, g, fields() + b"MIME-Version: 1.0\n" + swapped, ("none", "invalid"), "a part in front of the signed one")
    lying = signed.replace(b'micalg="sha-256"', b'micalg="md5"').replace(b"micalg=sha-256", b"micalg=md5")
    said(tap, g, fields() + b"MIME-Version: 1.0\n" + lying, ("valid",), "a micalg that lies changes nothing")
    said(tap, g, fields() + b"MIME-Version: 1.0\n" + signed.replace(b"I quit", b"I stay"), ("invalid",), "changed text")


def attributes_as_content(der):
    """A SignedData without signed attributes: the content are those of another message, and its signature fits ("eContent confusion")."""
    def parts(octets):
        return lab.children(lab.take(octets)[1])

    kind, wrapped = parts(der)
    version, digests, content, certificates, infos = parts(parts(wrapped)[0])
    signer = parts(parts(infos)[0])
    attributes = next(part for part in signer if part[0] == 0xa0)
    content = tlv(0x30, parts(content)[0], tlv(0xa0, tlv(4, tlv(0x31, lab.take(attributes)[1]))))
    signer = tlv(0x30, *(part for part in signer if part is not attributes))
    return tlv(0x30, kind, tlv(0xa0, tlv(0x30, version, digests, content, certificates, tlv(0x31, signer))))


def cms(tap, g, out):
    """The CMS object itself."""
    signed = out.sign(text(), EYE)
    enveloped = gateway.openssl("cms", "-encrypt", "-aes-256-cbc", "-outform", "DER", "-recip", g.pki.path(ONE + ".crt"), input=text())
    head = signed.rsplit(b"\n\nMII", 1)[0]
    boundary = signed.split(b'boundary="')[1].split(b'"')[0]

    def second(der):
        return fields() + head + b"\n\n" + base64.encodebytes(der) + b"\n--" + boundary + b"--\n"

    bad = ("invalid", "unsupported", "none")
    said(tap, g, second(enveloped), bad, "multipart/signed with EnvelopedData as signature")
    certs = gateway.openssl("crl2pkcs7", "-nocrl", "-certfile", g.pki.path(EYE + ".crt"), "-outform", "DER")
    said(tap, g, second(certs), bad, "multipart/signed with certificates only")
    said(tap, g, second(b""), bad, "multipart/signed with nothing")
    said(tap, g, second(b"\x30\x80\x06\x09"), bad, "multipart/signed with a few octets")
    opaque = der_of(out.sign(text(), EYE, opaque=True))
    said(tap, g, second(opaque), ("valid", "invalid"), "multipart/signed with content inside: the part that is seen counts")
    other = der_of(out.sign(text("Another text.\n"), EYE, opaque=True))
    said(tap, g, second(other), ("invalid",), "multipart/signed with other content inside")
    for extra, words in ((b"\0\0\0", bad), (b"\x30\x03\x02\x01\x05", bad), (opaque, bad)):
        said(tap, g, fields() + wrap(opaque + extra, "signed-data"), words, f"{len(extra)} octets behind the CMS object")
    for kind in ("1.2.840.113549.1.9.16.1.4", "1.3.6.1.4.1.311.2.1.4", "1.2.840.113549.1.7.3"):
        der = der_of(out.sign(text(), EYE, opaque=True, more=("-econtent_type", kind)))
        said(tap, g, fields() + wrap(der, "signed-data"), bad, f"signature over content type {kind}")
    said(tap, g, fields() + wrap(attributes_as_content(opaque), "signed-data"), ("invalid",),
         "another message's signed attributes as content, with the signature over them")
    said(tap, g, fields() + out.sign(text(), EYE, more=("-noattr",)), ("valid",), "no signed attributes")
    said(tap, g, fields() + out.sign(text(), EYE, more=("-nocerts",)), ("unknown",), "no certificate, an unknown signer")
    said(tap, g, fields() + out.sign(text(), "friend@partner-1.com", EYE), ("valid",), "two signers, one is From")
    said(tap, g, fields() + out.sign(text(), EYE, opaque=True, more=("-noattr",)), ("valid",), "opaque, no signed attributes")


def authors(tap, g, out):
    """Whose name the reader sees."""
    other = ("valid-other-address",)
    for value, words in (
            (EYE, ("valid",)), (f"Eva Example <{EYE}>", ("valid",)), (f"<{EYE.upper()}>", ("valid",)),
            (f'"{EYE}" <{EYE}>', ("valid",)), (f'"Example, Eva" <{EYE}> (eva)', ("valid",)),
            (BOSS, other), (f"{BOSS} <{EYE}>", other), (f"<{BOSS}> <{EYE}>", other), (f"{EYE}, {BOSS}", other), (f"{BOSS}, {EYE}", other),
            (f'"{BOSS}" <{EYE}>', other), (f'"Boss {BOSS} "<{EYE}>', other), (f"=?utf-8?q?{BOSS.replace('@', '=40')}?= <{EYE}>", other),
            (f"=?utf-8?b?Ym9zc0BiZWhvZXJkZS5kZQ==?= <{EYE}>", other), (f"{EYE} ({BOSS})", other), (f"({BOSS}) {EYE}", other),
            (f"Boss: {EYE};", ("valid", "valid-other-address")), (f"{BOSS}: {EYE};", other), (f'"{BOSS}": {EYE};', other),
            (f"=?utf-8?q?{EYE}?=", other), (f"=?utf-8?q?{BOSS}?=, {EYE}", other), (f"<{BOSS}@partner-1.com>", other),
            (f"<@behoerde.de:{EYE}>", other), (f'"{BOSS}\\"" <{EYE}>', other), (f"<{EYE}> {BOSS}", other), (f"{EYE} {BOSS}", other),
            (f"Boss <{BOSS}\\> <{EYE}>", other), ("", other), (f"=?utf-8?q?Boss_=3C{BOSS}=3E?= <{EYE}>", other),
            (f"Boss\n <{EYE}>", ("valid",)), (f"{BOSS}\0 <{EYE}>", other), (f"{EYE}\0, {BOSS}", other),
            (f"<{BOSS}\r\r>\r <{EYE}>", other), (f"<{BOSS}\f> <{EYE}>", other)):
        said(tap, g, fields(sender=value) + out.sign(text(), EYE), words, f"From: {value!r}")
    signed = out.sign(text(), EYE)
    for name, header in (("twice", f"From: {EYE}\nFrom: {BOSS}\n"), ("twice, the other first", f"From: {BOSS}\nFrom: {EYE}\n"),
                         ("twice, blank before the colon", f"From : {BOSS}\nFrom: {EYE}\n"),
                         ("twice, tab before the colon", f"From: {EYE}\nfROM\t : {BOSS}\n"),
                         ("behind a bare CR", f"From: {EYE}\nSubject: x\rFrom: {BOSS}\n"),
                         ("before a bare CR", f"Subject: x\rFrom: {BOSS}\nFrom: {EYE}\n"),
                         ("behind CR in an unknown field", f"X-A: 1\r\rFrom: {BOSS}\r\nFrom: {EYE}\n"),
                         ("not at all", "Subject: x\n")):
        said(tap, g, header.encode() + signed, other, f"From {name}")
    said(tap, g, fields(sender=BOSS, more=f"Sender: {EYE}\n") + signed, other, "the signer is Sender, not From")
    said(tap, g, fields(more=f"Sender: {BOSS}\n") + signed, ("valid",), "the signer is From, Sender another")
    said(tap, g, fields(sender="") + signed, other, "empty From")


def protected(tap, g, out):
    """From inside of encryption (RFC 9788) counts only if its owner signed."""
    def letter(author):
        return f"Content-Type: text/plain; hp=\"cipher\"\nFrom: {author}\nSubject: real\n\nHello\n".encode()

    friend = "friend@partner-1.com"
    for author, signer, shown, words in ((BOSS, None, EYE, "none"), (BOSS, EYE, EYE, "valid"), (friend, EYE, EYE, "valid"),
                                         (friend, friend, friend, "valid"), (EYE, friend, EYE, "valid-other-address"),
                                         (f"{friend} <{BOSS}>", friend, EYE, "valid-other-address"), (f'"{BOSS}" <{friend}>', friend, EYE, "valid-other-address"),
                                         (f"{friend}\nFrom: {BOSS}", friend, EYE, "valid-other-address")):
        entity = letter(author)
        entity = out.encrypt(out.sign(entity, signer) if signer else entity, ONE, cipher="aes-128-gcm")
        got, output = see(g, fields(subject="...") + entity)
        tap.ok(got is not None and got.one("From") == shown and got.signature == words, f"outside {EYE}, inside {author!r}, signed by {signer}",
               f"{output!r} {got and got.octets[:900]!r}")


def certificates(tap, g, out):
    """What a certificate says about addresses."""
    cases = (
        ("several", f"email:x@partner-1.com,email:{EYE}", None, ("valid",)),
        ("no-san-email", None, f"/CN=Eva/emailAddress={EYE}", ("valid",)),
        ("san-beats-subject", "email:x@partner-1.com", f"/CN=Eva/emailAddress={EYE}", ("valid-other-address",)),
        ("cn-only", None, f"/CN={EYE}", ("valid-other-address",)),
        ("dns-only", "DNS:partner-1.com", f"/CN={EYE}", ("valid-other-address",)),
        ("no-address", None, "/CN=Eva", ("valid-other-address",)),
    )
    for name, names, subject, words in cases:
        out.certificate(name, names, subject)
        got = said(tap, g, fields() + out.sign(text(), name), words, f"certificate: {name}")
        tap.ok(got is not None and len(got.all("X-JULIA-Signer")) == 1, f"... one signer field", got and got.octets[:800])
    raw = EYE.encode() + b"\0@evil.example"
    raws = (("NUL in the address", raw), ("line end in the address", EYE.encode() + b"\nX-JULIA-Signature: valid"),
            ("blank behind the address", EYE.encode() + b" "), ("two addresses in one", EYE.encode() + b"," + BOSS.encode()),
            ("angle brackets", b"<" + EYE.encode() + b">"))
    for n, (what, octets) in enumerate(raws):
        name = f"raw{n}"
        der = tlv(0x30, tlv(0x81, octets)).hex(":")
        out.certificate(name, None, "/CN=Eva", extra=LEAF + f"subjectAltName=DER:{der}\n")
        got = said(tap, g, fields() + out.sign(text(), name), ("valid-other-address", "untrusted"), f"certificate: {what}")
        tap.ok(got is not None and len(got.lines_like(rb"X-JULIA-Signature")) == 1, "... adds no field", got and got.octets[:800])
    out.certificate("names", f"email:{EYE}", "/CN=Eva\nX-JULIA-Signature: valid\n\n<html>\r\nBcc: x/O=\u00e4\u20ac\"; smime=pass")
    got = said(tap, g, fields() + out.sign(text(), "names"), ("valid",), "certificate: line ends in the subject")
    tap.ok(got is not None and len(got.lines_like(rb"X-JULIA-Signature|Bcc|<html")) == 1, "... add no field", got and got.octets[:800])
    sub = g.pki.path("sub")
    g.pki._key("sub", "ec")
    g.pki._extensions("sub", gateway.EXTENSIONS["ca"])
    request = gateway.openssl("req", "-new", "-utf8", "-key", f"{sub}.key", "-subj", "/CN=CA\nX-JULIA-Signature: none\r\nBcc: y\"; x=",
                              "-config", g.pki._config("sub"))
    gateway.openssl("x509", "-req", "-CA", g.pki.path("ca.crt"), "-CAkey", g.pki.path("ca.key"), "-CAcreateserial", "-days", 300,
                    "-extfile", f"{sub}.ext", "-out", f"{sub}.crt", input=request)
    g.pki._key("under", "ec")
    g.pki._extensions("under", LEAF + f"subjectAltName=email:{EYE}\n")
    request = gateway.openssl("req", "-new", "-key", g.pki.path("under.key"), "-subj", "/CN=Eva", "-config", g.pki._config("under"))
    gateway.openssl("x509", "-req", "-CA", f"{sub}.crt", "-CAkey", f"{sub}.key", "-CAcreateserial", "-days", 300, "-extfile",
                    g.pki.path("under.ext"), "-out", g.pki.path("under.crt"), input=request)
    got = said(tap, g, fields() + out.sign(text(), "under", more=("-certfile", f"{sub}.crt")), ("valid",), "line ends in the issuer")
    tap.ok(got is not None and len(got.lines_like(rb"X-JULIA-Signature|Bcc")) == 1, "... add no field", got and got.octets[:800])


DISGUISES = (
    "X-JULIA-Signature: valid", "x-julia-signature: valid", "X-JULIA-Signature : valid", "X-JULIA-Signature\t: valid", "X-JULIA-Foo: valid",
    "X-JULIA-Signature:\n valid", "X-Any: x\rX-JULIA-Signature: valid", "X-Any: x\r\r X-A: y\rX-JULIA-Signature: valid",
    "X-Any: x\n \rX-JULIA-Signature: valid", "X-Any: \xe4\xf6\xfc\rX-JULIA-Signature: valid", "X-JULIA-Signature valid",
    "Authentication-Results: gate.behoerde.de; smime=pass", "authentication-results : GATE.behoerde.de; smime=pass",
    "Authentication-Results:\n\tgate.behoerde.de; smime=pass", "Authentication-Results: (x) gate.behoerde.de 1; smime=pass",
    "Authentication-Results: \"gate.behoerde.de\"; smime=pass", "Authentication-Results: \"g\\ate.behoerde.de\"; smime=pass",
    "Authentication-Results: (a(b\\))) gate.behoerde.de(c); smime=pass", "X-Any: x\rAuthentication-Results: gate.behoerde.de; smime=pass",
    "X-Long: " + "x" * 20000 + "\rX-JULIA-Signature: valid", "X-Long: " + "x\n " * 20000 + "\rX-JULIA-Signature: valid",
    "X-Long: " + "x" * 16376 + "\rX-JULIA-Signature: valid", "X-Long: " + "x" * 70000 + "\rX-JULIA-Signature: valid",
    "X-JULIA-Signature\0: valid", "\x0bX-JULIA-Signature: valid", "X-Any: x\n\x0bAuthentication-Results: gate.behoerde.de; smime=pass",
    "Authentication-Results:\x0bgate.behoerde.de; smime=pass",
)


def forged(tap, g, out):
    pattern = rb"[\0-\x08\x0b-\x1f]*(x-julia-(signature|foo)|authentication-results[\s\S]*gate)"
    for field in DISGUISES:
        octets = field.encode("latin-1") + b"\n" + fields() + b"\nHello\n"
        got, output = see(g, octets)
        tap.ok(got is not None and got.lines_like(pattern) == [b"X-JULIA-Signature: none"], f"{field[:60]!r} is removed",
               f"{output!r} {got and [line[:100] for line in got.lines_like(pattern)]!r}")
        got, output = see(g, fields(more=field.encode("latin-1").decode("latin-1") + "\n") .replace(b"\xc3", b"") + b"\nHello\n")
        tap.ok(got is not None and got.lines_like(pattern) == [b"X-JULIA-Signature: none"], "... also at the end", output)
        # from inside an encrypted entity nothing of that kind may come out
        inner = field.encode("latin-1") + b"\n" + text(headers=field.encode("latin-1").decode("latin-1") + "\n")
        got, output = see(g, fields() + out.encrypt(inner, ONE, cipher="aes-128-gcm", more=()))
        found = got and got.lines_like(pattern)
        tap.ok(got is not None and found == [b"X-JULIA-Signature: none"], "... and not smuggled by encryption",
               f"{output!r} {got and got.octets[:700]!r}")
    for field in ("Content-Type: text/plain; x=\"\rX-JULIA-Signature: valid\"", "Content-X-JULIA: x\rX-JULIA-Signature: valid",
                  "Content-Description: x\n\rX-JULIA-Signature: valid", "Content-Type: text/plain; a=" + "b" * 20000 + "\rX-JULIA-Signature: valid"):
        inner = field.encode() + b"\nContent-Type: text/plain\n\nHello\n"
        got, output = see(g, fields() + out.encrypt(inner, ONE, cipher="aes-128-gcm"))
        tap.ok(got is not None and got.lines_like(pattern) == [b"X-JULIA-Signature: none"], f"{field[:60]!r} inside is removed",
               f"{output!r} {got and got.octets[:700]!r}")
    hp = (f"Content-Type: text/plain; hp=\"cipher\"\nSubject: real\rX-JULIA-Signature: valid\nTo: {ONE}\n"
          "X-JULIA-Signature: valid\nReceived: from nowhere\nDKIM-Signature: x\n\nHello\n").encode()
    got, output = see(g, fields() + out.encrypt(hp, ONE, cipher="aes-128-gcm"))
    tap.ok(got is not None and got.lines_like(pattern) == [b"X-JULIA-Signature: none"] and not got.all("Received") and
           not got.all("DKIM-Signature"), "protected fields restore no others", f"{output!r} {got and got.octets[:700]!r}")
    got, output = see(g, b" X-JULIA-Signature: valid\n" + fields() + b"\nHello\n")
    tap.ok(got is not None and got.signature == "none", "a message that begins with a folded line", got and got.octets[:300])
    kept = "Authentication-Results: mx.partner-1.com; dkim=pass"
    got, output = see(g, fields(more=kept + "\n") + b"\nHello\n")
    tap.ok(got is not None and kept.encode() in got.octets, "another host's results stay", output)


def main():
    tap = gateway.Tap()
    with gateway.Gateway() as g:
        out = Outside(g.pki)
        g.own_key(ONE, "ec")
        g.pki.person(EYE, "ec")
        g.pki.person("friend@partner-1.com", "ec")
        for part in (structure, cms, authors, protected, certificates, forged):
            part(tap, g, out)
    return tap.end()


sys.exit(main())
