#!/usr/bin/env python3
"""julia's reading of MIME is that of mail programs; where these disagree, a message gets no good status. The structures are those of
tests/lib/structures.py, clear and, where it matters, opaque, encrypted, and with DELIVER=original."""
import base64
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import gateway  # noqa: E402
import structures  # noqa: E402
from outside import EYE, Outside, der_of, fields, receive, text, wrap  # noqa: E402

ONE = "user_1@behoerde.de"


def said(tap, g, octets, words, name):
    """One delivery with one of these pairs of words, and no other."""
    code, output, got, _ = receive(g, octets)
    tap.ok(code == 0 and len(got) == 1 and got[0].status in words, name,
           f"{code} {output!r} {[d.status for d in got]} {got and got[0].octets[:1500]!r}")
    return got[0] if len(got) == 1 else None


def numbered(messages):
    """julia delivers a message once: each of them is another one."""
    for number, (name, octets) in enumerate(messages):
        eol = b"\r\n" if b"\r\n" in octets[:200] else b"\n"
        at = octets.index(b"MIME-Version") if b"MIME-Version" in octets else octets.index(b"To: ")
        yield name, octets[:at] + b"X-Number: %d" % number + eol + octets[at:]


def clear(tap, g, out):
    letter = structures.Letter(fields(), out.sign(text(), EYE))
    for name, octets in numbered(structures.honest(letter)):
        got = said(tap, g, octets, (("none", "valid"),), f"alike: {name}")
        tap.ok(got is not None and got.octets.endswith(octets[octets.index(b"X-Number"):]), "... delivered octet for octet")
    for name, octets in numbered(structures.disputed(letter)):
        said(tap, g, octets, (("none", "none"), ("none", "invalid")), f"disputed: {name}")
    parts = b"Content-Type: multipart/mixed; boundary=inner\n\n--inner\nContent-Type: text/plain\n\none\n--inner\nContent-Type: text/plain\n\ntwo\n--inner--\n"
    letter = structures.Letter(fields(), out.sign(parts, EYE))
    said(tap, g, letter.put('boundary="outer"', "outer"), (("none", "valid"),), "a signed multipart")
    said(tap, g, letter.put('boundary="inner2"', "inner2"), (("none", "valid"),), "... with a longer boundary around it")
    for name, octets in numbered(structures.same_boundary(letter)):
        said(tap, g, octets, (("none", "none"),), name)


def contents(tap, g, out):
    """Whatever an honest signer signs is his."""
    for name, entity in (
            ("an attached message", b"Content-Type: message/rfc822\n\n" + fields(sender="boss@behoerde.de") + b"\nYou are fired.\n"),
            ("no header", b"\nHello\n"), ("two Content-Types", b"Content-Type: text/plain\nContent-Type: text/html\n\nHello\n"),
            ("message/partial", b"Content-Type: message/partial; id=x; number=1; total=1\n\nHello\n"), ("an unknown type", b"Content-Type: x/y\n\nHello\n"),
            ("a boundary by RFC 2231", b"Content-Type: multipart/mixed; boundary*=us-ascii''q\n\n--q\n\nHello\n--q--\n"), ("an unclosed multipart", b"Content-Type: multipart/mixed; boundary=q\n\n--q\n\nHello\n"),
            ("uuencoded text", text("begin 644 a.txt\n%15E)3 \n`\nend\n")), ("yEnc", text("=ybegin line=128 size=3 name=a\nxyz\n=yend size=3\n")), ("8-bit text", b"Content-Type: text/plain\n\nJ\xfcrgen\n"),
            ("trailing blanks", text("Hello \t\n \n\n\n")), ("From at the beginning of a line", text("From here\n.\n..\n")), ("bare CR", text("a\rb\n")), ("a line of 5000 octets", text("x" * 5000 + "\n")),
            ("an empty line only", text("\n")), ("nothing", text(""))):
        said(tap, g, fields() + out.sign(entity, EYE), (("none", "valid"),), f"signed: {name}")
    for name, entity in (("message/partial", b"Content-Type: message/partial; id=x; number=1; total=2\n\n"), ("message/external-body", b"Content-Type: message/external-body; access-type=URL; URL=\"http://evil.example/\"\n\n"),
                         ("message/rfc822", b"Content-Type: message/rfc822\n\n")):
        inner = out.sign(text(), EYE).split(b"\n", 1)[1]
        said(tap, g, fields() + b"MIME-Version: 1.0\n" + entity + inner, (("none", "none"),), f"a signed message inside {name}")
        inner = out.encrypt(text(), ONE).split(b"\n", 1)[1]
        said(tap, g, fields() + b"MIME-Version: 1.0\n" + entity + inner, (("none", "none"),), f"an encrypted message inside {name}")


def opaque(tap, g, out):
    """A CMS object by its label: whoever does not take it for one must not see anything that is called signed."""
    octets = out.sign(text(), EYE, opaque=True)
    der = der_of(octets)
    lines = base64.encodebytes(der)
    flat = lines.replace(b"\n", b"")
    tail = b"Content-Transfer-Encoding: base64\n\n" + lines
    for name, label in (("plain", b'application/pkcs7-mime; smime-type=signed-data; name="smime.p7m"'), ("x-pkcs7", b"application/x-pkcs7-mime;name=smime.p7m;smime-type=signed-data"),
                        ("folded", b'application/pkcs7-mime;\n\tname="smime.p7m";\n\tsmime-type=signed-data'), ("no smime-type", b"application/pkcs7-mime"),
                        ("octet-stream by name", b"application/octet-stream; name=smime.p7m"), ("capitals", b"Application/PKCS7-MIME; Smime-Type=Signed-Data"),
                        ("parameters twice (Exchange 6.5)", b'application/x-pkcs7-mime;smime-type=signed-data;name=smime.p7m; smime-type=signed-data; name="smime.p7m"')):
        said(tap, g, fields() + b"MIME-Version: 1.0\nContent-Type: " + label + b"\n" + tail, (("none", "valid"),), f"opaque: {name}")
    label = b"Content-Type: application/pkcs7-mime; smime-type=signed-data\n"
    for name, disposition in (("attachment", b"Content-Disposition: attachment; filename=smime.p7m\n"), ("inline", b"Content-Disposition: inline\n")):
        said(tap, g, fields() + b"MIME-Version: 1.0\n" + label + disposition + tail, (("none", "valid"),), f"opaque: {name}")
    for name, content in (("no line ends", lines.replace(b"\n", b"")), ("CRLF in it", lines.replace(b"\n", b"\r\n")), ("blanks", lines.replace(b"\n", b" \n\n")), ("lines of 60", b"\n".join(flat[n:n + 60] for n in range(0, len(flat), 60)))):
        said(tap, g, fields(more=f"X-Name: {name}\n") + b"MIME-Version: 1.0\n" + label + b"Content-Transfer-Encoding: base64\n\n" + content,
             (("none", "valid"),), f"opaque: {name}")
    for name, head in (("two Content-Types", label + b"Content-Type: text/html\n"), ("HTML behind CR", b"X-A: b\rContent-Type: text/html\n" + label), ("a comment", b"Content-Type: (text/html) application/pkcs7-mime; smime-type=signed-data\n"),
                       ("a blank before the colon", label.replace(b":", b" :")), ("a line that is no field", b"Pay at once!\n" + label), ("two CRs", b"X-A: b\r\rPay at once!\n" + label), ("two encodings", label + b"Content-Transfer-Encoding: 7bit\n"),
                       ("an umlaut", label.replace(b"data", b"data; x=\xe4")), ("a parameter twice, differently", label.replace(b"data", b"data; smime-type=enveloped-data")), ("no quotes", label.replace(b"data", b"data; x=a/b"))):
        said(tap, g, fields() + b"MIME-Version: 1.0\n" + head + tail, (("none", "none"),), f"opaque, disputed: {name}")
    enveloped = out.encrypt(octets, ONE, cipher="aes-128-gcm")
    said(tap, g, fields() + enveloped, (("decrypted", "valid"),), "opaque, encrypted")
    for name, entity in (("a clear one", out.sign(text(), EYE)), ("an opaque one", octets)):
        bad = entity.replace(b"Content-Type: ", b"Pay at once!\nContent-Type: ", 1)
        said(tap, g, fields() + out.encrypt(bad, ONE, cipher="aes-128-gcm"), (("decrypted", "none"),), f"{name} with a line that is no field, encrypted")
        bad = entity.replace(b"Content-Type: ", b"Content-Type: text/html\nContent-Type: ", 1)
        said(tap, g, fields() + out.encrypt(bad, ONE, cipher="aes-128-gcm"), (("decrypted", "none"),), f"{name} with two Content-Types, encrypted")


def original(tap, g, out):
    """DELIVER=original: what was found inside is told only of what everybody finds there."""
    entity = out.encrypt(out.sign(text(), EYE), ONE, cipher="aes-128-gcm").split(b"\n", 1)[1]
    der = der_of(entity)

    def whole(head, tail=b""):
        return fields() + b"MIME-Version: 1.0\n" + head + b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(der) + tail

    label = b"Content-Type: application/pkcs7-mime; smime-type=authEnveloped-data; name=smime.p7m\n"
    good, never = (("decrypted", "valid"),), (("unsupported", "none"),)
    got = said(tap, g, whole(label), good, "original: encrypted and signed")
    tap.ok(got is not None and got.octets.endswith(whole(label)), "... as it came")
    for name, octets in (("two Content-Types", whole(label + b"Content-Type: text/html\n")), ("HTML behind CR", whole(b"X-A: b\rContent-Type: text/html\n" + label)), ("a line that is no field", whole(b"Pay at once!\n" + label)),
                         ("text behind the object", whole(label, b"\nPay at once!\n")), ("text behind CR", whole(b"X-A: b\r\rPay at once!\n" + label))):
        got = said(tap, g, octets, never, f"original, disputed: {name}")
        tap.ok(got is not None and got.octets.endswith(octets), "... as it came")


def clients(tap, g, out):
    """What honest relays and list servers do to signed mail."""
    signed = fields() + out.sign(text("Hello \nworld\n"), EYE).replace(b"\r\n", b"\n")
    head, body = signed.split(b"\n\n", 1)
    good = (("none", "valid"),)
    said(tap, g, signed.replace(b"\n", b"\r\n"), good, "CRLF")
    said(tap, g, signed + b"\n\n", good, "a line end more")
    said(tap, g, signed.rstrip(b"\n"), good, "no line end at the end")
    said(tap, g, b"Received: from x\n\tby y; Sat, 21 Nov 2026 12:00:00 +0000\nX-Spam: no\nARC-Seal: i=1; a=rsa-sha256\n" + signed, good, "trace fields on top")
    said(tap, g, signed.replace(b"Subject: Hello", b"Subject: [list] Hello\nList-Id: <list.example>\nReply-To: list@list.example"), good, "a list's fields")
    said(tap, g, b"\n".join((head.replace(b"Content-Type:", b"Content-type:"), b"", body)), good, "Content-type")
    wrapped = b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=list\n\n--list\n" + signed[signed.index(b"Content-Type"):] + b"\n--list\nContent-Type: text/plain\n\nfooter\n--list--\n"
    said(tap, g, fields() + wrapped, (("none", "none"),), "a list's footer as part: nobody signed that")
    said(tap, g, signed.replace(b"world", b"world\n_____\nfooter"), (("none", "invalid"),), "a list's footer in the text")
    said(tap, g, signed.replace(b"Hello \n", b"Hello\n"), (("none", "invalid"),), "trailing blanks lost")
    crlf = gateway.openssl("cms", "-sign", "-binary", "-md", "sha256", *out.pair(EYE), input=text().replace(b"\n", b"\r\n"))
    said(tap, g, fields() + crlf.replace(b"\r\n", b"\n"), good, "signed with CRLF, spooled with LF")


def main():
    tap = gateway.Tap()
    with gateway.Gateway() as g:
        out = Outside(g.pki)
        g.own_key(ONE, "ec")
        g.pki.person(EYE, "ec")
        for part in (clear, contents, opaque, clients):
            part(tap, g, out)
        with open(g.base / "etc/julia.conf", "a", encoding="ascii") as conf:
            conf.write("DELIVER = original\n")
        original(tap, g, out)
    return tap.end()


sys.exit(main())
