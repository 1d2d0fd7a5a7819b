#!/usr/bin/env python3
"""Incoming mail in all its layers: algorithms and forms, whose key opens what for whom, nesting up to MAX_DEPTH and beyond."""
import base64
import os
import re
import shutil
import sys
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import gateway  # noqa: E402
from outside import EYE, Outside, der_of, fields, receive, text, tlv, wrap  # noqa: E402

ONE, TWO, MAIL = "user_1@behoerde.de", "user_2@behoerde.de", "mail@behoerde.de"
EC = "ec@behoerde.de"


def check(tap, g, octets, recipients, status, name, body=b"Good morning.\n"):
    code, output, got, _ = receive(g, octets, recipients)
    good = code == 0 and len(got) == 1 and got[0].status == status and (body is None or body in got[0].octets)
    detail = output.decode(errors="replace") + "".join(f"{d.status}\n{d.octets[:1500]!r}\n" for d in got)
    tap.ok(good, name, f"exit {code}\n{detail}")
    return got


def forms(tap, g, out):
    """Every algorithm and form that the design names."""
    oaep = ("-keyopt", "rsa_padding_mode:oaep")
    for key, label, more in ((ONE, "RSA PKCS#1 v1.5", ()), (ONE, "RSA-OAEP SHA-1", oaep),
                             (ONE, "RSA-OAEP SHA-256", oaep + ("-keyopt", "rsa_oaep_md:sha256")), (EC, "ECDH", ())):
        for cipher, word in (("aes-256-cbc", "not-integrity-protected"), ("aes-128-gcm", "decrypted")):
            octets = fields(to=key) + out.encrypt(text(), key, cipher=cipher, more=more)
            check(tap, g, octets, [key], (word, "none"), f"{label}, {cipher}")
    for opaque in (False, True):
        for name, kind in ((EYE, "RSA"), ("ecdsa@partner-1.com", "ECDSA")):
            octets = fields(sender=name) + out.sign(text(), name, opaque=opaque)
            got = check(tap, g, octets, [ONE], ("none", "valid"), f"{kind}, {'opaque' if opaque else 'clear'}", body=None)
            tap.ok(got and got[0].octets.endswith(octets[octets.index(b"MIME-Version"):]), "... is delivered octet for octet")
    pss = ("-keyopt", "rsa_padding_mode:pss")
    check(tap, g, fields() + out.sign(text(), EYE, more=pss), [ONE], ("none", "valid"), "RSA-PSS, clear", body=None)
    for cipher, word in (("aes-256-cbc", "not-integrity-protected"), ("aes-256-gcm", "decrypted")):
        for opaque in (False, True):
            inner = out.sign(text(), EYE, opaque=opaque)
            check(tap, g, fields() + out.encrypt(inner, ONE, cipher=cipher), [ONE], (word, "valid"),
                  f"signed {'opaque' if opaque else 'clear'}, then {cipher}", body=None)
            triple = out.sign(out.encrypt(inner, ONE, cipher=cipher), EYE, opaque=opaque)
            check(tap, g, fields() + triple, [ONE], (word, "valid"), f"triple wrap, {cipher}, {'opaque' if opaque else 'clear'}",
                  body=None)
    crlf = (fields() + out.encrypt(out.sign(text(), EYE), ONE)).replace(b"\n", b"\r\n")
    got = check(tap, g, crlf, [ONE], ("not-integrity-protected", "valid"), "a message with CRLF", body=None)
    tap.ok(got and b"\n" not in got[0].octets.replace(b"\r\n", b""), "... has CRLF throughout")


def people(tap, g, out):
    """A personal key opens for its owner only; a gateway key for its domain; an old key still opens."""
    both = fields(to=f"{ONE}, {TWO}") + out.encrypt(text(), ONE, TWO, cipher="aes-256-gcm")
    code, output, got, admin = receive(g, both, [ONE, TWO])
    tap.ok(code == 0 and len(got) == 1 and sorted(got[0].recipients) == [ONE, TWO] and got[0].encryption == "decrypted" and not admin,
           "two recipients, each with his own key, one copy", output)
    used = [line.split(" ")[2] for line in (g.base / "logs/verify.log").read_text().splitlines()[-2:]]
    tap.ok(len(set(used)) == 2, "... both keys are in verify.log", used)
    first = fields(to=f"{ONE}, {TWO}") + out.encrypt(text(), ONE)
    code, output, got, admin = receive(g, first, [ONE, TWO, MAIL])
    words = {r: d.encryption for d in got for r in d.recipients}
    tap.ok(code == 0 and words == {ONE: "not-integrity-protected", TWO: "undecryptable", MAIL: "undecryptable"},
           "one recipient's key opens nothing for the others", f"{words} {output}")
    tap.ok(len(admin) == 1, "ADMIN is told once", len(admin))
    alone = [d for d in got if ONE in d.recipients]
    tap.ok(alone and alone[0].recipients == [ONE], "the plain copy goes to its owner alone")
    sealed = [d for d in got if TWO in d.recipients]
    tap.ok(sealed and b"Good morning" not in sealed[0].octets and sealed[0].body == first.split(b"\n\n", 1)[1],
           "the others' copy is untouched")
    tap.ok(alone and "-R" in alone[0].arguments and alone[0].arguments[alone[0].arguments.index("-R") + 1] == "hdrs",
           "decrypted mail asks for returns of headers only", alone and alone[0].arguments)
    check(tap, g, fields(to=TWO) + out.encrypt(text(), ONE), [TWO], ("undecryptable", "none"),
          "a key of somebody who is no recipient opens nothing", body=None)
    check(tap, g, fields() + out.encrypt(text(), "stranger@partner-1.com"), [ONE], ("undecryptable", "none"), "no key at all", body=None)
    check(tap, g, fields() + out.encrypt(text(), "gate@behoerde.de"), [ONE, TWO, "nobody@behoerde.de"],
          ("not-integrity-protected", "none"), "the gateway's key opens for its whole domain")
    keyid = fields() + gateway.openssl("cms", "-encrypt", "-aes-256-gcm", "-keyid", "-recip", g.pki.path(ONE + ".crt"), input=text())
    check(tap, g, keyid, [ONE], ("decrypted", "none"), "RecipientInfo with a subjectKeyIdentifier")
    check(tap, g, fields(to=ONE.upper()) + out.encrypt(text(), ONE), ["USER_1@Behoerde.DE"], ("not-integrity-protected", "none"),
          "letter case of the recipient")
    check(tap, g, fields(to="old@behoerde.de") + out.encrypt(text(), "old"), ["old@behoerde.de"], ("not-integrity-protected", "none"),
          "the key before the last rotation still opens")
    check(tap, g, fields(to="old@behoerde.de") + out.encrypt(text(), "new"), ["old@behoerde.de"], ("not-integrity-protected", "none"),
          "and so does the present one")
    check(tap, g, fields(to="old@behoerde.de") + out.encrypt(text(), "new", "old", "stranger@partner-1.com"), ["old@behoerde.de"],
          ("not-integrity-protected", "none"), "both at once, and a stranger's")


def bare(tap, g, out):
    """What scripts encrypt without making it a MIME entity: text is shown, anything else cannot be told from damage."""
    cbc, gcm = ("not-integrity-protected", "none"), ("decrypted", "none")
    refused = ("undecryptable", "none")
    for name, octets, word in (
            ("text", b"Backup failed on host 7.\nDisk is full.\n", cbc), ("no line end", b"done", cbc),
            ("UTF-8", "Gr\u00fc\u00dfe \u2013 \U0001f512\n".encode(), cbc), ("CRLF and paragraphs", b"One\r\n\r\nTwo: 2\r\n", cbc),
            ("over 64 KiB of text", b"Gr\xc3\xbc\xc3\x9fe " * 9000 + b"\n", cbc),
            ("ISO 8859-1", b"Gr\xfc\xdfe\n", refused), ("a cut-off character", b"Gr\xc3", refused), ("NUL", b"text\0\n", refused),
            ("control characters", b"\x1b[2Jtext\n", refused), ("nothing", b"", cbc),
            ("a MIME entity that lacks its empty line", b"Content-Type: text/html\n<b>text</b>\n", refused),
            ("a label in the first lines", b"text\nContent-Type: text/html\n\n<b>text</b>\n", refused),
            ("an unfinished multipart", b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n", refused)):
        der = gateway.openssl("cms", "-encrypt", "-binary", "-aes-256-cbc", "-outform", "DER", "-recip", g.pki.path(ONE + ".crt"),
                              input=octets)
        got = check(tap, g, fields() + wrap(der), [ONE], word, f"no MIME header: {name}", body=None)
        if word == cbc:
            shown = got and got[0].body.replace(b"\r\n", b"\n")
            tap.ok(shown == octets.replace(b"\r\n", b"\n"), "... is the body", shown and shown[:300])
    check(tap, g, fields() + out.encrypt(b"text\n", ONE, cipher="aes-256-gcm"), [ONE], gcm, "no MIME header, with a tag", body=b"\n\ntext")


def depth(tap, g, out):
    entity = text()
    for layers in range(1, 13):
        entity = out.sign(entity, EYE, opaque=True) if layers % 2 else out.encrypt(entity, ONE)
        if layers in (6, 10):
            check(tap, g, fields() + entity, [ONE], ("not-integrity-protected", "valid"), f"{layers} layers", body=None)
    octets = fields() + entity
    got = check(tap, g, octets, [ONE], ("unsupported", "unsupported"), "12 layers with MAX_DEPTH = 10", body=None)
    tap.ok(got and got[0].octets.endswith(octets[octets.index(b"MIME-Version"):]), "... delivered as it came")
    log = (g.base / "logs/julia.log").read_text()
    tap.ok("event=limit limit=MAX_DEPTH" in log and "kind=unsupported result=sent" in log, "... logged, and ADMIN is told", log[-1000:])


def compress(entity):
    """CompressedData (RFC 3274), which the openssl program of Debian cannot write."""
    data, compressed = bytes.fromhex("06092a864886f70d010701"), bytes.fromhex("060b2a864886f70d0109100109")
    zlib_oid = bytes.fromhex("060b2a864886f70d0109100308")
    canonical = entity.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    content = tlv(0x30, data, tlv(0xa0, tlv(4, zlib.compress(canonical))))
    return wrap(tlv(0x30, compressed, tlv(0xa0, tlv(0x30, tlv(2, b"\0"), tlv(0x30, zlib_oid), content))), "compressed-data", name="smime.p7z")


def wrappings(tap, g, out):
    """Every order of layers that RFC 8551 3.7 allows, and some that clients make all the same."""
    for opaque in (False, True):
        form = "opaque" if opaque else "clear"
        signed = out.sign(text(), EYE, opaque=opaque)
        for label, octets, status in (
                (f"compressed, signed {form}", out.sign(compress(text()), EYE, opaque=opaque), ("none", "valid")),
                (f"signed {form}, compressed", compress(signed), ("none", "valid")),
                (f"compressed, signed {form}, encrypted", out.encrypt(out.sign(compress(text()), EYE, opaque=opaque), ONE, cipher="aes-256-gcm"),
                 ("decrypted", "valid")),
                (f"signed {form}, compressed, encrypted", out.encrypt(compress(signed), ONE, cipher="aes-256-gcm"), ("decrypted", "valid")),
                (f"encrypted, signed {form}", out.sign(out.encrypt(text(), ONE, cipher="aes-256-gcm"), EYE, opaque=opaque), ("decrypted", "valid")),
                (f"encrypted, compressed, signed {form}", out.sign(compress(out.encrypt(text(), ONE)), EYE, opaque=opaque),
                 ("not-integrity-protected", "valid")),
                (f"encrypted twice, signed {form} between", out.encrypt(out.sign(out.encrypt(text(), ONE, cipher="aes-256-gcm"), EYE, opaque=opaque),
                                                                       ONE, cipher="aes-256-gcm"), ("decrypted", "valid")),
                (f"two signers, {form}", out.sign(text(), EYE, "second@partner-1.com", opaque=opaque), ("none", "valid"))):
            check(tap, g, fields() + octets, [ONE], status, label, body=None)
    for inner in (False, True):
        check(tap, g, fields() + out.sign(out.sign(text(), "second@partner-1.com", opaque=inner), EYE, opaque=not inner), [ONE],
              ("none", "valid"), "signed opaque inside clear, and the other way", body=None)
    check(tap, g, fields() + compress(text()), [ONE], ("none", "none"), "compressed only")
    check(tap, g, fields() + out.encrypt(compress(compress(text())), ONE), [ONE], ("not-integrity-protected", "none"), "compressed twice, encrypted")


def names(tap, g, out):
    """application/octet-stream goes by its file name, however that is written."""
    plain = ("not-integrity-protected", "none")
    body = base64.encodebytes(der_of(out.encrypt(text(), ONE)))
    for number, (kind, disposition, status) in enumerate((
            ("; name=SMIME.P7M", "", plain), ("; name*=utf-8''smime.p7m", "", plain), ("; name=\"=?utf-8?Q?smime.p7m?=\"", "", plain),
            ("", "attachment; filename=smime.p7m", plain), ("", "inline; filename=\"Gru\xdf.p7m\"", plain),
            ("", "attachment;\n filename*0*=utf-8''Gr%C3%BC%C3%9Fe;\n filename*1=\".p7m\"", plain),
            ("", "attachment; filename=\"=?iso-8859-1?B?/GJlci5wN20=?=\"", plain),
            ("; name=message.txt", "attachment; filename=smime.p7m", plain), ("; name=smime.p7", "", ("none", "none")),
            ("; name=\"smime.p7m.exe\"", "attachment; filename=x", ("none", "none")))):
        head = f"MIME-Version: 1.0\nContent-Type: application/octet-stream{kind}\nContent-Transfer-Encoding: base64\n"
        head += f"Content-Disposition: {disposition}\n" if disposition else ""
        check(tap, g, fields(more=f"X-Number: {number}\n") + head.encode("latin-1") + b"\n" + body, [ONE], status,
              f"octet-stream{kind} {disposition!r}", body=None)
    for what in ("", "enveloped-data", "authEnveloped-data", "signed-data", "compressed-data", "certs-only", "nonsense"):
        for octets, status in ((out.encrypt(text(), ONE, cipher="aes-256-gcm"), ("decrypted", "none")),
                               (out.sign(text(), EYE, opaque=True), ("none", "valid")), (compress(text()), ("none", "none"))):
            for mime in ("application/pkcs7-mime", "application/x-pkcs7-mime"):
                check(tap, g, fields() + wrap(der_of(octets), what, mime), [ONE], status, f"{mime}, smime-type {what!r}: {status}", body=None)


def armour(tap, g, out):
    """PEM where CMS in base64 should stand, and base64 without the field that says so."""
    plain = ("not-integrity-protected", "none")
    head = b"MIME-Version: 1.0\nContent-Type: application/pkcs7-mime; name=smime.p7m\n"
    for kind, der, status in (("enveloped", der_of(out.encrypt(text(), ONE)), plain),
                              ("signed", der_of(out.sign(text(), EYE, opaque=True)), ("none", "valid"))):
        lines = base64.encodebytes(der)
        for label in (b"PKCS7", b"CMS", b"PKCS #7 SIGNED DATA"):
            block = b"-----BEGIN %s-----\n%s-----END %s-----\n" % (label, lines, label)
            check(tap, g, fields() + head + b"\n" + block, [ONE], status, f"{kind} as PEM, {label.decode()}", body=None)
        check(tap, g, fields() + head + b"Content-Transfer-Encoding: 8bit\n\n\n \n" + block.replace(b"\n", b"\r\n") + b"\n", [ONE], status,
              f"{kind} as PEM, blank lines around it", body=None)
        check(tap, g, fields() + head + b"\n" + lines, [ONE], status, f"{kind} in base64 that nobody announced", body=None)
        check(tap, g, fields() + head + b"Content-Transfer-Encoding: base-64\n\n" + lines, [ONE], status, f"{kind} in base-64", body=None)
        unreadable = ("undecryptable", "none")
        check(tap, g, fields() + head + b"\n-----BEGIN CERTIFICATE-----\n" + lines + b"-----END CERTIFICATE-----\n", [ONE], unreadable,
              f"{kind}, but PEM of a certificate", body=None)
        check(tap, g, fields() + head + b"\n-----BEGIN PKCS7-----\n" + lines, [ONE], unreadable, f"{kind} as PEM without an end", body=None)
    clear = out.sign(text(), EYE)
    lines = re.search(rb'filename="smime.p7s"\n\n(.*?)\n\n--', clear, re.DOTALL).group(1)
    pem = b"-----BEGIN PKCS7-----\n" + lines + b"\n-----END PKCS7-----"
    for label, octets in (("PEM", clear.replace(b"Content-Transfer-Encoding: base64\n", b"").replace(lines, pem)),
                          ("base64 that nobody announced", clear.replace(b"Content-Transfer-Encoding: base64\n", b""))):
        check(tap, g, fields() + octets, [ONE], ("none", "valid"), f"a detached signature as {label}", body=None)
        check(tap, g, fields() + octets.replace(b"Good morning", b"Good evening"), [ONE], ("none", "invalid"), "... and another text", body=None)


def labels(tap, g, out):
    """What it is decides, not what it is called."""
    enveloped, signed = der_of(out.encrypt(text(), ONE)), der_of(out.sign(text(), EYE, opaque=True))
    plain = ("not-integrity-protected", "none")
    check(tap, g, fields() + wrap(enveloped, "signed-data"), [ONE], plain, "enveloped called signed-data")
    check(tap, g, fields() + wrap(signed, "enveloped-data"), [ONE], ("none", "valid"), "signed called enveloped-data", body=None)
    check(tap, g, fields() + wrap(enveloped, "certs-only", "application/x-pkcs7-mime"), [ONE], plain, "x-pkcs7-mime, certs-only")
    check(tap, g, fields() + wrap(enveloped, "", "application/octet-stream"), [ONE], plain, "octet-stream named smime.p7m")
    check(tap, g, fields() + wrap(enveloped, "", "application/octet-stream", "winmail.dat"), [ONE], ("none", "none"),
          "octet-stream named winmail.dat is left alone", body=None)
    junk = wrap(enveloped).replace(b"\n\n", b"\n\n*!", 1).replace(b"==", b"=?=")
    check(tap, g, fields() + junk, [ONE], plain, "base64 with junk in it")
    broken = b"".join(line + (b" \t\n" if i > 6 else b"\n") for i, line in enumerate(wrap(enveloped).split(b"\n")))
    check(tap, g, fields() + broken, [ONE], plain, "blanks at line ends")
    pem = gateway.openssl("cms", "-encrypt", "-aes-256-cbc", "-outform", "PEM", "-recip", g.pki.path(ONE + ".crt"), input=text())
    check(tap, g, fields(more="Content-Type: text/plain\n") + b"\n" + pem, [ONE], ("none", "none"), "PEM in a text is a text", body=pem)
    head = b"MIME-Version: 1.0\nContent-Type: application/pkcs7-mime; name=smime.p7m\n"
    check(tap, g, fields() + head + b"Content-Transfer-Encoding: x-uuencode\n\nbegin 644 smime.p7m\n#,#$P\n`\nend\n", [ONE],
          ("undecryptable", "none"), "uuencoded", body=b"begin 644 smime.p7m\n")
    binary = fields() + head + b"Content-Transfer-Encoding: binary\n\n" + enveloped
    check(tap, g, binary, [ONE], plain, "binary")
    certs = gateway.openssl("crl2pkcs7", "-nocrl", "-certfile", g.pki.path("ca.crt"), "-outform", "DER")
    check(tap, g, fields() + wrap(certs, "certs-only", name="smime.p7c"), [ONE], ("none", "none"), "certificates only", body=None)
    check(tap, g, fields() + wrap(b"no certificates", "certs-only", name="smime.p7c"), [ONE], ("none", "none"), "what is called certificates", body=None)
    check(tap, g, fields() + wrap(b"no signature", "signed-data"), [ONE], ("none", "invalid"), "what is called signed", body=None)
    pgp = (b"MIME-Version: 1.0\nContent-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\n\n--b\n"
           b"Content-Type: application/pgp-encrypted\n\nVersion: 1\n\n--b\nContent-Type: application/octet-stream; name=a.p7m\n\n"
           b"-----BEGIN PGP MESSAGE-----\n\n--b--\n")
    check(tap, g, fields() + pgp, [ONE], ("none", "none"), "PGP/MIME encrypted is untouched", body=pgp)
    pgp = (b"MIME-Version: 1.0\nContent-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=b\n\n--b\n\nx\n--b\n"
           b"Content-Type: application/pkcs7-signature\n\n-----BEGIN PGP SIGNATURE-----\n\n--b--\n")
    check(tap, g, fields() + pgp, [ONE], ("none", "none"), "PGP/MIME signed is untouched", body=pgp)


def main():
    tap = gateway.Tap()
    with gateway.Gateway(conf="MAX_DEPTH = 10\n") as g:
        out = Outside(g.pki)
        g.own_key(ONE)
        g.own_key(TWO)
        g.own_key(EC, "ec")
        g.own_key("gate@behoerde.de")
        (g.base / "etc/keys-file.conf").write_text("GATEWAY = gate@behoerde.de\n")
        for name in ("old", "new"):
            g.pki.person("old@behoerde.de", name=name, days=-1 if name == "old" else 300)
            pem = g.base / "etc/private" / (name + ".pem")
            pem.write_bytes(g.pki.path(name + ".key").read_bytes() + g.pki.path(name + ".crt").read_bytes())
            pem.chmod(0o600)
        g.pki.person(EYE)
        g.pki.person("ecdsa@partner-1.com", "ec")
        g.pki.person("stranger@partner-1.com")
        g.pki.person("second@partner-1.com")
        shutil.copy(g.pki.path("stranger@partner-1.com.crt"), g.base / "etc/public/stranger.pem")
        for part in (forms, wrappings, people, bare, depth, names, armour, labels):
            part(tap, g, out)
    return tap.end()


sys.exit(main())
