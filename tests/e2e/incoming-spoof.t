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
from outside import EYE, LEAF, Outside, der_of, fields, receive, signed_data, signer_info, text, tlv, wrap  # noqa: E402

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


def signers(tap, g, out):
    """Several signers, and none: "Johnny, you are fired!", C1 to C3."""
    friend = "friend@partner-1.com"
    letter = out.sign(text(), EYE)
    head = letter.rsplit(b"\n\nMII", 1)[0]
    tail = b"\n--" + letter.split(b'boundary="')[1].split(b'"')[0] + b"--\n"

    def detached_info(entity, name):
        return signer_info(base64.b64decode(b"MII" + out.sign(entity, name).rsplit(b"\n\nMII", 1)[1].split(b"\n\n")[0]))

    own = {name: gateway.openssl("x509", "-in", g.pki.path(name + ".crt"), "-outform", "DER") for name in (EYE, friend)}
    good = {name: detached_info(text(), name) for name in own}
    other = {name: detached_info(text("I quit.\n"), name) for name in own}
    both, bad = list(own.values()), ("invalid",)
    for what, infos, words in (
            ("one good signer", [good[EYE]], ("valid",)), ("two good signers", [good[EYE], good[friend]], ("valid",)), ("... the other way round", [good[friend], good[EYE]], ("valid",)),
            ("another's signature of another text behind it", [good[EYE], other[friend]], bad), ("... in front", [other[friend], good[EYE]], bad),
            ("From's signature of another text behind another's", [good[friend], other[EYE]], bad), ("... in front", [other[EYE], good[friend]], bad),
            ("both signatures of From", [good[EYE], other[EYE]], bad), ("From's certificate, another's signature", [good[friend]], ("valid-other-address",)),
            ("no signer", [], ("unsupported",))):
        said(tap, g, fields() + head + b"\n\n" + base64.encodebytes(signed_data(both, infos)) + tail, words, f"signers: {what}")
        opaque = signed_data(both, infos, text().replace(b"\n", b"\r\n"))
        said(tap, g, fields() + wrap(opaque, "signed-data"), words, f"signers, opaque: {what}")
        said(tap, g, fields(more=f"X-N: {what}{len(infos)}\n") + wrap(signed_data(both, infos), "signed-data"), ("invalid",) if infos else ("none",), "... without content")
    said(tap, g, fields() + head + b"\n\n" + base64.encodebytes(signed_data([], [])) + tail, ("unsupported",), "no signer, no certificate")


def authors(tap, g, out):
    """Whose name the reader sees."""
    other = ("valid-other-address",)
    for value, words in (
            (EYE, ("valid",)), (f"Eva Example <{EYE}>", ("valid",)), (f"<{EYE.upper()}>", ("valid",)),
            (f'"{EYE}" <{EYE}>', ("valid",)), (f'"Example, Eva" <{EYE}> (eva)', ("valid",)),
            (BOSS, other), (f"{BOSS} <{EYE}>", other), (f"<{BOSS}> <{EYE}>", other), (f"{EYE}, {BOSS}", other), (f"{BOSS}, {EYE}", other),
            (f'"{BOSS}" <{EYE}>', other), (f'"Boss {BOSS} "<{EYE}>', other), (f"=?utf-8?q?{BOSS.replace('@', '=40')}?= <{EYE}>", other),
            (f"=?utf-8?b?Ym9zc0BiZWhvZXJkZS5kZQ==?= <{EYE}>", other), (f"{EYE} ({BOSS})", other), (f"({BOSS}) {EYE}", other),
            (f"Boss: {EYE};", other), (f"{BOSS}: {EYE};", other), (f'"{BOSS}": {EYE};', other),
            (f"=?utf-8?q?{EYE}?=", other), (f"=?utf-8?q?{BOSS}?=, {EYE}", other), (f"<{BOSS}@partner-1.com>", other),
            (f"<@behoerde.de:{EYE}>", other), (f'"{BOSS}\\"" <{EYE}>', other), (f"<{EYE}> {BOSS}", other), (f"{EYE} {BOSS}", other),
            (f"Boss <{BOSS}\\> <{EYE}>", other), ("", other), (f"=?utf-8?q?Boss_=3C{BOSS}=3E?= <{EYE}>", other),
            (f"Boss\n <{EYE}>", ("valid",)), (f"{BOSS}\0 <{EYE}>", ("none",)), (f"{EYE}\0, {BOSS}", ("none",)),
            (f"<{BOSS}\r\r>\r <{EYE}>", ("none",)), (f"<{BOSS}\f> <{EYE}>", other)):
        said(tap, g, fields(sender=value) + out.sign(text(), EYE), words, f"From: {value!r}")
    for value, words in (
            # the own address as part of another one
            (f'"{EYE}m" <{EYE}>', other), (f'"x.{EYE}" <{EYE}>', other), (f'"boss-{EYE}" <{EYE}>', other), (f'"{EYE}.behoerde.de" <{EYE}>', other),
            (f'"{EYE}@behoerde.de" <{EYE}>', other), (f'"{EYE}\u00e4" <{EYE}>', other), (f'"\'{EYE}\'" <{EYE}>', ("valid",)),
            (f'"[{EYE}]" <{EYE}>', ("valid",)), (f'"My address is {EYE}." <{EYE}>', ("valid",)), (f'"Eva @ Partner" <{EYE}>', ("valid",)),
            # characters that look like others, are not shown, or turn the text round
            (f'"boss\uff20behoerde.de" <{EYE}>', other), (f'"boss\ufe6bbehoerde.de" <{EYE}>', other), (f'"boss@behoerde\uff0ede" <{EYE}>', other),
            (f'"boss@behoerde\u2024de" <{EYE}>', other), (f'"boss@behoerde\u3002de" <{EYE}>', other), (f'"boss\u200b@\u200bbehoerde.de" <{EYE}>', other),
            (f'"boss@\u2060behoerde\u00ad.de" <{EYE}>', other), (f'"\u202eed.edreoheb@ssob" <{EYE}>', other),
            (f'"behoerde.de\u200f@\u200fboss" <{EYE}>', other), (f'"\u202eed.edreoheb\uff20ssob" <{EYE}>', other), (f'"\u200eEva\u200e" <{EYE}>', ("valid",)),
            # encoded words that are decoded in another way, or only elsewhere
            (f"=?utf-7?q?boss+AEA-behoerde.de?= <{EYE}>", other), (f"=?x-unknown?q?boss=40behoerde.de?= <{EYE}>", other),
            (f"=?utf-8?q?boss=40behoerde.de=FF?= <{EYE}>", other), (f"=?utf-8?q?bo?=\n =?utf-8?q?ss=40beh?= =?utf-8?q?oerde.de?= <{EYE}>", other),
            (f'"=?utf-8?q?boss=40behoerde.de?=" <{EYE}>', other), (f"{EYE} (=?utf-8?q?boss=40behoerde.de?=)", other),
            (f"=?utf-8*de?q?boss=40behoerde.de?= <{EYE}>", other), (f"=?utf-8?b?Ym9zc0BiZWhvZXJkZS5kZQ?= <{EYE}>", other),
            (f"=?iso-8859-1?q?J=FCrgen?= <{EYE}>", ("valid",)), (f"J\xfcrgen <{EYE}>", ("valid",)),
            (f"eva@=?utf-8?q?partner-1.com?=", other), (f"=?utf-8?q?=3C{BOSS}=3E?=", other), (f"<=?utf-8?q?{EYE}?=>", other),
            # groups and lists
            (f"undisclosed: ;, {EYE}", other), (f"Eva: {EYE}, {BOSS};", other), (f"Eva:; <{BOSS}>", other),
            (f"{EYE};{BOSS}", other), (f"<{EYE}>,", other), (f"<{EYE}><{BOSS}>", other), (f"<{EYE},{BOSS}>", other),
            (f"{EYE}\n \n ,{BOSS}", other), (f"\n {BOSS} <{EYE}>", other), (f"<{EYE}\n >", ("valid", "valid-other-address")),
            (f'<"eva"@partner-1.com>', ("valid",)), (f'<"boss@behoerde.de"@partner-1.com>', other), (f"<eva(x)@partner-1.com>", other),
            (f"<EVA@PARTNER-1.COM.>", ("valid", "valid-other-address")), (f"<eva@partner-1.com@behoerde.de>", other), (f"<eva%partner-1.com@behoerde.de>", other)):
        said(tap, g, fields(sender=value) + out.sign(text(), EYE), words, f"From: {value!r}")
    for value, words in (
            # what RFC 5322 allows, and only some read
            (f"<{EYE} >", ("valid", "valid-other-address")), (f"<eva @partner-1.com>", other), (f"<eva@partner-1 .com>", other), (f"eva @ partner-1 . com", other), (f"<eva@(x)partner-1.com>", other),
            (f"Eva: {EYE};", other), (f"Eva:{EYE}", other), (f"<@a.example,@b.example:{EYE}>", other), (f"Eva ((x)) <{EYE}>", other), (f"Eva ) <{EYE}>", other), (f"Eva ] <{EYE}>", other),
            (f'"boss"@behoerde.de <{EYE}>', other), (f'"Eva"@partner-1.com <{EYE}>', other), (f'"Eva" eva@partner-1.com <{EYE}>', other), (f'"boss@behoe\\rde.de" <{EYE}>', other), (f'{EYE} (boss@beho"erde".de)', other),
            (f'"boss@be"hoerde".de" <{EYE}>', other), (f'=?utf-8?q?"?= <{BOSS}> " <{EYE}>', other), (f"Eva\x0b <{EYE}>", other), (f"[EXT] Eva <{EYE}>", ("valid",)), (f"Dr. Eva O'Neil-Example <{EYE}>", ("valid",)), (f"Eva (Partner) <{EYE}>", ("valid",)),
            (f'Eva "E." Example <{EYE}>', ("valid",)), (f"{EYE} (Eva Example)", ("valid",)), (f"(Eva) {EYE}", ("valid",))):
        said(tap, g, fields(sender=value) + out.sign(text(), EYE), words, f"From: {value!r}")
    joined = out.certificate("joined", "email:boss@behoerde.de.partner-1.com")
    for value in ("<boss@behoerde.de .partner-1.com>", "<boss@behoerde.de\n .partner-1.com>", "boss@behoerde.de .partner-1.com", "<boss@behoerde.de(x).partner-1.com>", "boss@behoerde.de(x).partner-1.com",
                  "<boss@behoerde.de\t.partner-1.com>", "<boss@behoerde.de.\n partner-1.com>"):
        said(tap, g, fields(sender=value) + out.sign(text(), joined), other, f"an address in two pieces, From: {value!r}")
    said(tap, g, fields(sender="<boss@behoerde.de.partner-1.com>") + out.sign(text(), joined), ("valid",), "... and in one")
    signed = out.sign(text(), EYE)
    for name, header in (("twice", f"From: {EYE}\nFrom: {BOSS}\n"), ("twice, the other first", f"From: {BOSS}\nFrom: {EYE}\n"),
                         ("twice, blank before the colon", f"From : {BOSS}\nFrom: {EYE}\n"),
                         ("twice, tab before the colon", f"From: {EYE}\nfROM\t : {BOSS}\n"),
                         ("behind a bare CR", f"From: {EYE}\nSubject: x\rFrom: {BOSS}\n"),
                         ("before a bare CR", f"Subject: x\rFrom: {BOSS}\nFrom: {EYE}\n"),
                         ("behind CR in an unknown field", f"X-A: 1\r\rFrom: {BOSS}\r\nFrom: {EYE}\n"),
                         ("not at all", "Subject: x\n")):
        said(tap, g, header.encode() + signed, ("none",) if "\r" in header else other, f"From {name}")
    said(tap, g, fields(sender=BOSS, more=f"Sender: {EYE}\n") + signed, other, "the signer is Sender, not From")
    said(tap, g, fields(more=f"Sender: {BOSS}\n") + signed, ("valid",), "the signer is From, Sender another")
    others = "".join(f"{name}: Boss <{EYE}>\n" for name in ("Return-Path", "Sender", "Reply-To", "Originator-Return-Address", "Apparently-To", "X-From", "Resent-From"))
    said(tap, g, fields(sender=BOSS, more=others) + signed, other, "the signer is everything but From")
    for value in ("Boss", "Boss <>", "<>", "Boss <boss>", f"Boss ({EYE})", f"<{BOSS}> ({EYE})", f"Boss <{BOSS}>, Eva <{EYE}>"):
        said(tap, g, fields(sender=value) + signed, other, f"From: {value!r}")
    look = ("<html><div style='background:green'>X-JULIA-Signature: valid<br>[signed] Signature: valid, boss@behoerde.de</div></html>\n"
            "X-JULIA-Signature: valid\nAuthentication-Results: gate.behoerde.de; smime=pass\n")
    got = said(tap, g, fields(sender=BOSS) + b"MIME-Version: 1.0\n" + text(look).replace(b"plain", b"html"), ("none",), "a text that looks like a status is text")
    tap.ok(got is not None and not got.all("Authentication-Results") and got.body.endswith(look.encode()), "... and stays")
    said(tap, g, fields(sender="") + signed, other, "empty From")


def protected(tap, g, out):
    """From inside of encryption (RFC 9788) counts only if its owner signed; who signs another From than the outer one signs nothing."""
    def letter(author):
        return f"Content-Type: text/plain; hp=\"cipher\"\nFrom: {author}\nSubject: real\n\nHello\n".encode()

    friend = "friend@partner-1.com"
    for author, signer, shown, words in ((BOSS, None, EYE, "none"), (BOSS, EYE, EYE, "valid-other-address"), (friend, EYE, EYE, "valid-other-address"),
                                         (EYE, EYE, EYE, "valid"), (f"Eva <{EYE}>", EYE, f"Eva <{EYE}>", "valid"),
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
    alternative_names(tap, g, out)
    other_persons(tap, g, out)
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


def alternative_names(tap, g, out):
    """Every kind of subjectAltName: only mail addresses are addresses."""
    def oid(hexed, value):
        return tlv(0xa0, bytes.fromhex(hexed), tlv(0xa0, value))

    def utf8_mailbox(address, tag=0x0c):
        return oid("06082b06010505070809", tlv(tag, address if isinstance(address, bytes) else address.encode()))

    def directory(address):
        return tlv(0xa4, tlv(0x30, tlv(0x31, tlv(0x30, bytes.fromhex("06092a864886f70d010901"), tlv(0x16, address.encode())))))

    def mail(address):
        return tlv(0x81, address if isinstance(address, bytes) else address.encode())

    good, other, never = ("valid",), ("valid-other-address",), ("valid-other-address", "untrusted")
    juergen = "j\u00fcrgen@partner-1.com"
    cases = (
        ("the last of fifty", EYE, [mail(f"x{n}@partner-1.com") for n in range(49)] + [mail(EYE)], good),
        ("written in capitals", EYE, [mail(EYE.upper())], good),
        ("a directory name with the address", EYE, [directory(EYE)], other),
        ("a directory name beside another address", EYE, [directory(EYE), mail("x@partner-1.com")], other),
        ("a URI", EYE, [tlv(0x86, b"mailto:" + EYE.encode())], other),
        ("a user principal name", EYE, [oid("060a2b060104018237140203", tlv(0x0c, EYE.encode()))], other),
        ("an unknown kind of name", EYE, [oid("06032a0304", tlv(0x16, EYE.encode()))], other),
        ("a whole domain", EYE, [mail("partner-1.com")], other),
        ("a domain with @", EYE, [mail("@partner-1.com")], other),
        ("a wildcard", EYE, [mail("*@partner-1.com")], other),
        ("a wildcard of domains", EYE, [mail("eva@*.com")], other),
        ("a name and an address", EYE, [mail(f"Eva <{EYE}>")], other),
        ("another address that ends alike", EYE, [mail(f"x{EYE}")], other),
        ("another address that begins alike", EYE, [mail(f"{EYE}.x")], other),
        ("octets beyond ASCII in an address", EYE, [mail("\u0435va@partner-1.com")], other),
        ("SmtpUTF8Mailbox", juergen, [utf8_mailbox(juergen)], good),
        ("SmtpUTF8Mailbox, From in capitals", "J\u00dcRGEN@Partner-1.Com", [utf8_mailbox(juergen)], good),
        ("SmtpUTF8Mailbox, From with A-label", "j\u00fcrgen@xn--bcher-kva.example", [utf8_mailbox("j\u00fcrgen@b\u00fccher.example")], good),
        ("SmtpUTF8Mailbox, From with U-label", "j\u00fcrgen@b\u00fccher.example", [utf8_mailbox("j\u00fcrgen@xn--bcher-kva.example")], good),
        ("SmtpUTF8Mailbox, From with capital U-label", "j\u00fcrgen@B\u00dcCHER.example", [utf8_mailbox("j\u00fcrgen@b\u00fccher.example")], good),
        ("an A-label, From with U-label", "eva@b\u00fccher.example", [mail("eva@xn--bcher-kva.example")], good),
        ("SmtpUTF8Mailbox with an ASCII local part", EYE, [utf8_mailbox(EYE)], never),
        ("SmtpUTF8Mailbox with NUL", juergen, [utf8_mailbox(juergen + "\0.example")], never),
        ("SmtpUTF8Mailbox with NUL in front", juergen, [utf8_mailbox("\0" + juergen)], never),
        ("SmtpUTF8Mailbox that is no UTF-8", juergen, [utf8_mailbox(juergen.encode("latin-1"))], never),
        ("SmtpUTF8Mailbox as IA5String", EYE, [utf8_mailbox(EYE, 0x16)], never),
        ("SmtpUTF8Mailbox as BMPString", EYE, [utf8_mailbox(EYE.encode("utf-16-be"), 0x1e)], never),
        ("a KELVIN SIGN for K", "kurt@partner-1.com", [utf8_mailbox("\u212aurt@partner-1.com")], never),
        ("a LONG S for S", "sepp@partner-1.com", [utf8_mailbox("\u017fepp@partner-1.com")], never),
        ("a dotless I for I", "ida@partner-1.com", [utf8_mailbox("\u0131da@partner-1.com")], never),
        ("a fullwidth letter", EYE, [utf8_mailbox("\uff45va@partner-1.com")], never),
        ("a letter with combining accent", juergen, [utf8_mailbox("ju\u0308rgen@partner-1.com")], never),
        ("a Cyrillic letter in the domain", "eva@p\u0430rtner-1.com", [mail(EYE)], other),
        ("a zero-width space in the domain", "eva@part\u200bner-1.com", [mail(EYE)], other),
        ("a zero-width space in the local part", "e\u200bva@partner-1.com", [mail(EYE)], other),
    )
    for n, (what, sender, list_of_names, words) in enumerate(cases):
        der = tlv(0x30, *list_of_names).hex(":")
        out.certificate(f"san{n}", None, "/CN=Eva", extra=LEAF + f"subjectAltName=DER:{der}\n")
        said(tap, g, fields(sender=sender) + out.sign(text(), f"san{n}"), words, f"certificate with {what}")
    for what, names_given, subject, words in (
            ("address in the subject, only a DNS name beside", "DNS:partner-1.com", f"/CN=Eva/emailAddress={EYE}", good),
            ("two addresses in the subject", None, f"/CN=Eva/emailAddress=x@partner-1.com/emailAddress={EYE}", good),
            ("another address in the subject", f"email:{EYE}", f"/CN=Boss/emailAddress={BOSS}", good),
            ("the address as organisation", None, f"/O={EYE}/CN=Eva", other),
            ("the address as user id", None, f"/UID={EYE}/CN=Eva", other),
            ("the address inside a longer one in the subject", None, f"/CN=Eva/emailAddress=Eva <{EYE}>", other)):
        name = "dn" + str(abs(hash(what)))
        out.certificate(name, names_given, subject)
        said(tap, g, fields() + out.sign(text(), name), words, f"certificate: {what}")
    said(tap, g, fields(sender=BOSS) + out.sign(text(), f"dn{abs(hash('another address in the subject'))}"), other,
         "... and that one is nobody's as long as there are addresses in subjectAltName")


def other_persons(tap, g, out):
    """Certificates that look like another one."""
    never = ("untrusted", "invalid", "unknown")
    out.certificate("namesake", "email:eva.2@partner-1.com", f"/CN={EYE}")
    said(tap, g, fields(sender=f'"Eva" <{EYE}>') + out.sign(text(), "namesake"), ("valid-other-address",), "another person of the same name")
    fake = gateway.Pki(g.base / "fake")  # its CA has the same name
    fake.person(EYE, "ec")
    forger = Outside(fake)
    for what, more in (("", ()), (", CA in the message", ("-certfile", fake.path("ca.crt"))), (", the real CA in the message", ("-certfile", g.pki.path("ca.crt")))):
        said(tap, g, fields() + forger.sign(text(), EYE, more=more), never, "a CA of the same name" + what)
    ski = gateway.openssl("x509", "-in", g.pki.path("ca.crt"), "-noout", "-ext", "subjectKeyIdentifier").decode().split("\n")[1].strip()
    fake._extensions("ca", gateway.EXTENSIONS["ca"].replace("=hash", "=" + ski.replace(":", "")))
    gateway.openssl("req", "-new", "-x509", "-key", fake.path("ca.key"), "-out", fake.path("ca.crt"), "-days", "3650", "-subj", "/CN=Test CA",
                    "-config", fake._config("ca"), "-extensions", "x")
    fake.person(EYE, "ec", name="same-ski")
    said(tap, g, fields() + forger.sign(text(), "same-ski", more=("-certfile", fake.path("ca.crt"))), never, "a CA of the same name and key identifier")
    serial = gateway.openssl("x509", "-in", g.pki.path(EYE + ".crt"), "-noout", "-serial").decode().strip().split("=")[1]
    request = gateway.openssl("req", "-new", "-key", fake.path(EYE + ".key"), "-subj", f"/CN={EYE}")
    gateway.openssl("x509", "-req", "-CA", fake.path("ca.crt"), "-CAkey", fake.path("ca.key"), "-set_serial", "0x" + serial, "-days", "300",
                    "-extfile", fake.path(EYE + ".ext"), "-out", fake.path("twin.crt"), input=request)
    (fake.directory / "twin.key").write_bytes(fake.path(EYE + ".key").read_bytes())
    real, twin = g.pki.path(EYE + ".crt").read_bytes(), fake.path("twin.crt").read_bytes()
    for what, bundle in (("the real one first", real + twin), ("the real one last", twin + real), ("the real one alone", real)):
        (fake.directory / "bundle").write_bytes(bundle)
        said(tap, g, fields() + forger.sign(text(), "twin", more=("-nocerts",)), never, f"issuer and serial number of another certificate")
        said(tap, g, fields() + forger.sign(text(), "twin", more=("-nocerts", "-certfile", fake.directory / "bundle")), never, f"... {what}")
    gateway.openssl("req", "-new", "-x509", "-key", fake.path(EYE + ".key"), "-out", fake.path("self.crt"), "-days", "300", "-subj", f"/CN={EYE}",
                    "-addext", f"subjectAltName=email:{EYE}")
    (fake.directory / "self.key").write_bytes(fake.path(EYE + ".key").read_bytes())
    said(tap, g, fields() + forger.sign(text(), "self"), never, "a self-signed certificate")
    said(tap, g, fields() + forger.sign(text(), "self", more=("-certfile", g.pki.path(EYE + ".crt"))), never, "... beside the real one")


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
    "Authentication-Results:\x0bgate.behoerde.de; smime=pass", "X-JULIA-Signature\n : valid", "X-JULIA\n -Signature: valid",
    "X-\n \n JULIA-Signature: valid", "X-JULIA -Signature: valid", "X-Any: x\n \nX-JULIA-Signature: valid", "X-Any: x\n\t \t\nX-JULIA-Signature:\n \n valid",
    "no field\nX-JULIA-Signature: valid", "X-Any: x\r\rX-JULIA-Signature: valid", "\x7fX-JULIA-Signature: valid", "X-JULIA-Signature: =?utf-8?q?valid?=",
    "X-JULIA-Signature: " + "valid " * 10000, "X-JULIA-" + "x" * 20000 + ": valid", "X-JULIA-Signature:" + " \n" * 3 + " valid",
    "Authentication-Results: gate.behoerde.de.; smime=pass", "Authentication-Results: \"gate.behoerde.de\" 1; smime=pass",
    "Authentication-\n Results: gate.behoerde.de; smime=pass", "Authentication-Results: " + "(x)" * 3000 + "gate.behoerde.de; smime=pass",
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
    attached = (b"Content-Type: message/rfc822\n\nX-JULIA-Signature: valid\nAuthentication-Results: gate.behoerde.de; smime=pass\n" + fields() +
                b"\nHello\n")
    part = b"X-JULIA-Signature: valid\nContent-Type: text/plain\n\nHello\n"
    mixed = b"Content-Type: multipart/mixed; boundary=q\n\n--q\n" + part + b"\n--q\n" + attached + b"\n--q--\n"
    for what, octets, status in (("", fields() + b"MIME-Version: 1.0\n" + mixed, ("none", "none")),
                                 (", signed", fields() + out.sign(mixed, EYE), ("none", "valid")),
                                 (", encrypted", fields() + out.encrypt(mixed, ONE, cipher="aes-128-gcm"), ("decrypted", "none"))):
        got, output = see(g, octets)
        inside = got and got.body.replace(b"\r\n", b"\n")
        tap.ok(got is not None and got.status == status and part in inside and attached in inside and len(got.all("X-JULIA-Signature")) == 1,
               f"fields of parts and attached messages are not the message's, and stay{what}", f"{output!r} {got and got.octets[:700]!r}")
    got, output = see(g, b"From: eva@partner-1.com\n\nX-JULIA-Signature: valid\n\nHello\n")
    tap.ok(got is not None and got.all("X-JULIA-Signature") == ["none"] and b"\n\nX-JULIA-Signature: valid\n" in got.octets, "behind the empty line it is text", output)
    got, output = see(g, b"\nX-JULIA-Signature: valid\n" + fields() + b"\nHello\n")
    tap.ok(got is not None and got.all("X-JULIA-Signature") == ["none"], "a message that begins with the empty line", got and got.octets[:300])
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
        for part in (structure, cms, signers, authors, protected, certificates, forged):
            part(tap, g, out)
    return tap.end()


sys.exit(main())
