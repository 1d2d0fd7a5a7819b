"""One signed letter in many structures: those that honest programs write, and those that readers were seen to take apart in different ways
(fourteen of them: Python's two policies, GMime, libetpan, JavaMail, mime4j, Dovecot, mblaze, MIME-tools, Email::MIME, PHP's mailparse, and
mailparser, postal-mime and emailjs). In each, text that nobody signed (EVIL) stands where one of them shows it, or would show it if it read
the message as julia must not."""
EVIL = b"Content-Type: text/plain; charset=us-ascii\n\nPay at once!\n"
PROTOCOL = 'protocol="application/pkcs7-signature"; micalg=sha-256'
ONE_PART = b"--other\n" + EVIL + b"--other--\n"


def take_apart(signed):
    """(the signed entity, the signature part) of a multipart/signed that openssl wrote, with the line ends of a spool."""
    body = signed.replace(b"\r\n", b"\n").split(b"\n\n", 1)[1]
    boundary = signed.split(b'boundary="')[1].split(b'"')[0]
    _, entity, signature = body.split(b"--" + boundary)[:3]
    return entity[1:-1], signature[1:-1].strip(b"\n")


class Letter:
    """What somebody signed, ready to be put together again in some way."""

    def __init__(self, header, signed):
        self.header = header
        self.entity, self.signature = take_apart(signed)

    def put(self, parameters='boundary="b0und"', boundary="b0und", type_field=None, preamble=b"Nobody reads this.\n", epilogue=b"Nor this.\n",
            header=None, before=b"", after=b"", gap=b"\n", first=None, second=None, last=None, signature=None):
        """The message, with these pieces other than they would be."""
        delimiter = b"--" + boundary.encode()
        if type_field is None:
            type_field = f"Content-Type: multipart/signed; {PROTOCOL}; {parameters}\n"
        if isinstance(type_field, str):
            type_field = type_field.encode("latin-1")
        return ((self.header if header is None else header) + b"MIME-Version: 1.0\n" + before + type_field + after + gap + preamble +
                (delimiter + b"\n" if first is None else first) + self.entity + (b"\n" + delimiter + b"\n" if second is None else second) +
                (self.signature if signature is None else signature) + (b"\n" + delimiter + b"--\n" if last is None else last) + epilogue)


def honest(letter):
    """(name, message): all readers show the signed text and nothing else."""
    put = letter.put
    yield "plain", put()
    yield "no preamble, no epilogue", put(preamble=b"", epilogue=b"")
    yield "no line end at the end", put(last=b"\n--b0und--", epilogue=b"")
    yield "no closing delimiter", put(last=b"\n", epilogue=b"")
    yield "a list's footer behind it", put(epilogue=b"_______________\nlist mailing list\nhttps://list.example/\n")
    yield "-- and a footer behind it", put(epilogue=b"-- \nfooter\n")
    yield "more line ends behind it", put(epilogue=b"\n\n\n")
    for name, boundary in (("openssl", "----ABCDEF0123456789ABCDEF0123456789"), ("JavaMail", "----=_Part_0_12.34"), ("Outlook", "----=_NextPart_000_0001_01D"),
                           ("Apple Mail", "Apple-Mail=_D2C0"), ("Exchange", "_0A_"), ("iMS", "Boundary_(ID_yVtZ)"), ("RFC 2046", "gc0pJq0M:08jU534c0p"),
                           ("a blank inside", "a b"), ("every mark", "'()+_,-./:?= b"), ("70 characters", "x" * 70), ("two dashes at its end", "b--")):
        yield f"boundary: {name}", put(f'boundary="{boundary}"', boundary)
    for name, field in (
            ("all on one line", f'Content-Type: multipart/signed; {PROTOCOL}; boundary="b0und"'), ("no blanks", 'Content-Type:multipart/signed;protocol="application/pkcs7-signature";boundary="b0und"'),
            ("capitals", 'CONTENT-TYPE: MULTIPART/Signed; PROTOCOL="APPLICATION/PKCS7-SIGNATURE"; BOUNDARY="b0und"'),
            ("a tab", 'Content-Type:\tmultipart/signed;\tprotocol="application/pkcs7-signature";\tboundary="b0und"'),
            ("folded", 'Content-Type: multipart/signed;\n\tprotocol="application/x-pkcs7-signature";\n\tmicalg=SHA1;\n\tboundary="b0und"'),
            ("folded in front", 'Content-Type:\n multipart/signed; protocol="application/pkcs7-signature"; boundary="b0und"'),
            ("a semicolon at its end", f'Content-Type: multipart/signed; {PROTOCOL}; boundary="b0und";'),
            ("unquoted", f'Content-Type: multipart/signed; {PROTOCOL}; boundary=b0und'), ("other parameters", f'Content-Type: multipart/signed; {PROTOCOL}; charset="utf-8"; boundary="b0und"; type="text/plain"'),
            ("unquoted protocol", "Content-Type: multipart/signed; protocol=application/pkcs7-signature; boundary=b0und"),
            ("no protocol", 'Content-Type: multipart/signed; micalg="sha-256,sha-1"; boundary="b0und"')):
        yield f"Content-Type: {name}", put(type_field=field + "\n")
    for name, field in (("8bit", b"Content-Transfer-Encoding: 8bit\n"), ("binary", b"Content-Transfer-Encoding: BINARY\n"), ("a disposition", b"Content-Disposition: inline\n"),
                        ("a field of blank lines", b"X-A: b\n \n\t\n c\n"), ("a field of 3000 octets", b"X-A: " + b"x" * 3000 + b"\n"), ("1200 fields", b"X-A: b\n" * 1200),
                        ("8-bit text", "X-A: J\u00fcrgen\n".encode() + b"X-B: J\xfcrgen\n"), ("the boundary in a field", b"X-A: b\n --b0und\n")):
        yield f"header: {name}", put(before=field)
    yield "no MIME-Version", put().replace(b"MIME-Version: 1.0\n", b"")
    head, base64 = letter.signature.split(b"\n\n", 1)
    for name, field in (("x-pkcs7", b"Content-Type: application/x-pkcs7-signature; name=smime.p7s"), ("no name", b"Content-Type: application/pkcs7-signature"),
                        ("octet-stream by name", b"Content-Type: application/octet-stream; name=smime.p7s"),
                        ("more fields", b"Content-Type: application/pkcs7-signature;\n\tname=\"smime.p7s\"\nContent-Disposition: attachment;\n\tfilename=\"smime.p7s\"\nContent-Description: S/MIME")):
        yield f"signature part: {name}", put(signature=field + b"\nContent-Transfer-Encoding: base64\n\n" + base64)
    yield "signature part: long lines", put(signature=head + b"\n\n" + base64.replace(b"\n", b"") + b"\n")
    yield "signature part: short lines", put(signature=head + b"\n\n" + b"\n".join(base64.replace(b"\n", b"")[n:n + 60] for n in range(0, len(base64), 60)))
    yield "signature part: blank lines", put(signature=head + b"\n\n\n" + base64 + b"\n\n")
    yield "signature part: blanks at line ends", put(signature=head + b"\n\n" + base64.replace(b"\n", b" \n"))
    yield "CRLF everywhere", put().replace(b"\n", b"\r\n")


TYPES = ("multipart(x)/signed", "multipart/(x)signed", "multipart /signed", "multipart/ signed", "multipart/signed (x)", "(x) multipart/signed",
         '"multipart/signed"', "multipart signed", "multipart/signed/x", "multipart/signed,", "multipart/signed.", "multipart/sign\xe9d", "multipart/signed\x0c", "multipart/signed\0",
         "=?us-ascii?q?multipart/signed?=", "'multipart/signed'", "; multipart/signed", "multipart/signed (", "multipart/signed=x", "multipart/signed;")

# Some take the one boundary, some the other, some none.
PARAMETERS = (
    "boundary*=us-ascii''b0und", "boundary*=us-ascii''b0%75nd", "boundary*=b0und", 'boundary*0="b0"; boundary*1="und"', 'boundary*1="und"; boundary*0="b0"',
    "boundary*0*=us-ascii''b0; boundary*1*=u%6ed", "boundary*0=b0und; boundary*2=x", "boundary*00=b0und", "boundary=b0und; boundary*=us-ascii''other",
    "boundary=other; boundary*=us-ascii''b0und", "boundary*=us-ascii''other; boundary=b0und", "boundary=b0und; boundary*0=other", "boundary*0=b0und; boundary=other",
    "boundary=other; boundary*0=b0und", "boundary*0=b0und; boundary*0=other", "boundary*=us-ascii''b0und; boundary*=us-ascii''other", "boundary=b0und; boundary=other",
    "boundary=other; boundary=b0und", "boundary=b0und; Boundary=other", "boundary=b0und; boundary =other", "boundary=b0und (x)", "boundary=(x)b0und", "boundary(x)=b0und",
    "boundary=b0(x)und", "boundary=b0und (; boundary=other)", "(; boundary=other;) boundary=b0und", 'boundary="b0und" (boundary=other)', 'boundary ="b0und"', 'boundary= "b0und"',
    'boundary=\n "b0und"', 'boundary\n ="b0und"', "boundary=\n other; boundary=b0und", 'boundary="b0und', 'boundary="b0und"x', "boundary=b0und x", 'boundary="b0\\und"',
    'boundary=b0und; x="; boundary=other', 'x="a;boundary=other"; boundary=b0und', 'x="\\"; boundary=other; y="; boundary=b0und', 'x="\\"; boundary=b0und; y="; boundary=other"',
    "x='; boundary=other; y='; boundary=b0und", 'x="(" boundary=other; y=")"; boundary=b0und', 'boundary="b0und"; x="(" boundary=other; y=")"', "boundary=b0und, boundary=other",
    'x="y" boundary=b0und', ";;; boundary=b0und", '="x"; boundary=b0und', '"boundary"=b0und', "x; boundary=b0und", "x=; boundary=b0und", "bound\xe4ry=x; boundary=b0und",
    "boundary=b0und;\0boundary=other", "boundary=b0und;\rboundary=other", "boundary=b0und;\x0cboundary=other", 'boundary="b0und\0"', 'boundary="b0und\r"', "boundary=b0und\x0b",
    "boundary=b0und\x85", 'boundary="b0\n und"', 'boundary="b0\tund"', 'boundary="b0und "', 'boundary=" b0und"', 'boundary="=?us-ascii?q?b0und?="',
    "boundary==?us-ascii?q?b0und?=; boundary=other", "boundary='b0und'", 'boundary="b0und";\n \n x=y')

# Of a field in front of or behind Content-Type.
FIELDS = {
    "another Content-Type": b"Content-Type: multipart/mixed; boundary=other\n", "Content-Type, blank before the colon": b"Content-Type : multipart/mixed; boundary=other\n",
    "CONTENT-TYPE": b"CONTENT-TYPE: multipart/mixed; boundary=other\n", "an empty Content-Type": b"Content-Type:\n", "Content-Type with NUL": b"Content-Type\0: multipart/mixed; boundary=other\n",
    "Content-Type with an umlaut": b"Content-Type\xe4: multipart/mixed; boundary=other\n", "base64": b"Content-Transfer-Encoding: base64\n", "quoted-printable": b"Content-Transfer-Encoding: quoted-printable\n",
    "an unknown encoding": b"Content-Transfer-Encoding: x-foo\n", "no encoding": b"Content-Transfer-Encoding:\n", "a quoted encoding": b'Content-Transfer-Encoding: "base64"\n',
    "two encodings": b"Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64\n", "a line that is no field": b"Pay at once!\n", ">From": b">From x\n",
    "text behind a blank line": b"X-A: b\n \nPay at once!\n", "a line of CR": b"X-A: b\r\r\nX-B: Pay\n", "two CRs": b"X-A: b\r\rPay at once!\n", "CRLF and CR": b"X-A: b\r\n\rPay\n", "a line of NUL": b"X-A: b\n\0\nX-B: Pay\n",
    "a line of FF": b"X-A: b\n\x0c\nX-B: Pay\n", "no name": b": Pay\n", "a name of two words": b"Pay now: x\n", "Content-Type behind CR": b"X-A: b\rContent-Type: multipart/mixed; boundary=other\n",
    "the delimiter": b"--b0und\n", "another delimiter": b"X-A: b\n--other\n", "a byte order mark": b"\xef\xbb\xbfX-A: b\n", "a line that ends otherwise": b"X-A: b\r\n"}

# Behind "--b0und".
BEHIND = {"a blank": b" ", "a tab": b"\t", "100 blanks": b" " * 100, "CR": b"\r\r", "text": b" x", "a comment": b" (x)", "a letter": b"x", "a dash": b"-", "FF": b"\x0c", "NUL": b"\0", "VT": b"\x0b", "NBSP": b"\xa0"}

# Text that one sees a part begin in.
OUTSIDE = {
    "CR before the delimiter": b"x\r--b0und\r" + EVIL.replace(b"\n", b"\r"), "CR before, LF behind it": b"x\r--b0und\n" + EVIL, "a longer delimiter, CRLF": b"x\r\n--b0undx\r\n" + EVIL.replace(b"\n", b"\r\n"),
    "the delimiter in a line": b"x --b0und\n" + EVIL, "FF before it": b"x\x0c--b0und\n" + EVIL, "NUL before it": b"\0--b0und\n" + EVIL, "a blank before it": b" --b0und\n" + EVIL, "three dashes": b"---b0und\n" + EVIL,
    "other case": b"--B0UND\n" + EVIL, "a line separator before it": b"x\xe2\x80\xa8--b0und\n" + EVIL, "a line of 990 octets": b"x" * 990 + b"--b0und\n" + EVIL,
    "a line of 2048 octets": b"x" * 2048 + b"--b0und\n" + EVIL, "a line of 64 kB": b"x" * 65536 + b"--b0und\n" + EVIL, "a line of 128 kB": b"x" * 131070 + b"--b0und\n" + EVIL, "the delimiter": b"--b0und\n" + EVIL}


def disputed(letter):
    """(name, message): some reader shows the raw message, other parts, or text that nobody signed."""
    put = letter.put
    for words in TYPES:
        yield f"type: {words!r}", put(type_field=f"Content-Type: {words}; {PROTOCOL}; boundary=\"b0und\"\n")
    for words in PARAMETERS:
        yield f"parameters: {words!r}", put(words, preamble=ONE_PART)
    for mark in "(),/:;<=>?@[]'*":
        yield f"unquoted {mark!r} in the boundary", put(f"boundary=a{mark}b", f"a{mark}b")
    yield "unquoted: micalg=sha-256,sha-1", put(type_field=f"Content-Type: multipart/signed; {PROTOCOL}; micalg=sha-256,sha-1; boundary=b0und\n")
    yield "no boundary", put("x=y")
    yield "an empty boundary", put('boundary=""', "")
    yield "71 characters", put(f'boundary="{"x" * 71}"', "x" * 71)
    for count in (70, 100, 255, 1000):
        yield f"a boundary that others cut after {count}", put(f'boundary="{"x" * count}yy"', "x" * count + "yy", preamble=b"--" + b"x" * count + b"zz\n" + EVIL)
    for name, field in FIELDS.items():
        yield f"header: {name}, before", put(before=field, preamble=ONE_PART)
        yield f"header: {name}, behind", put(after=field, preamble=ONE_PART)
    yield "header: a blank before the only colon", put(type_field=f"Content-Type : multipart/signed; {PROTOCOL}; boundary=b0und\n")
    yield "header: a folded line first", put(header=b" Pay at once!\n" + letter.header)
    yield "header: >From first", put(header=b">From x@y Sat Nov 21\n" + letter.header)
    yield "header: From twice", put(header=b"From x@y Sat Nov 21\nFrom x@y Sat Nov 21\n" + letter.header)
    for name, gap in (("a blank", b" \n"), ("a tab", b"\t\n"), ("CRLF", b"\r\n"), ("CR and CRLF", b"\r\r\n"), ("nothing", b""), ("a blank, text, and an empty line", b" \nPay at once!\n\n")):
        yield f"behind the header: {name}", put(gap=gap)
    for name, behind in BEHIND.items():
        yield f"{name} behind the first delimiter", put(first=b"--b0und" + behind + b"\n")
        yield f"{name} behind a delimiter before it", put(preamble=b"--b0und" + behind + b"\n" + EVIL + b"\n")
        yield f"{name} behind the last delimiter", put(last=b"\n--b0und--" + behind + b"\n", epilogue=b"")
        yield f"{name} behind a delimiter at the end", put(epilogue=b"--b0und" + behind + b"\n" + EVIL + b"\n--b0und--\n")
        yield f"{name} behind a delimiter in the signature", put(signature=letter.signature + b"\n--b0und" + behind + b"\n" + EVIL)
    for name, text in OUTSIDE.items():
        yield f"in front: {name}", put(preamble=text)
        yield f"at the end: {name}", put(preamble=b"", epilogue=text)
    yield "in front: something like a part", put(preamble=b"Content-Type: text/plain\n\nPay at once!\n")
    yield "closed twice", put(epilogue=b"--b0und--\n")
    yield "closed first", put(preamble=b"--b0und--\n")
    yield "a third part", put(last=b"\n--b0und\n" + EVIL + b"\n--b0und--\n")
    yield "an empty third part", put(last=b"\n--b0und\n\n--b0und--\n")
    yield "a first part", put(preamble=b"--b0und\n" + EVIL + b"\n")
    head, base64 = letter.signature.split(b"\n\n", 1)
    coded = b"\nContent-Transfer-Encoding: base64\n\n" + base64
    for name, field in (("text/html", b"Content-Type: text/html"), ("text/plain", b"Content-Type: text/plain"), ("no type", b"X-A: b"), ("octet-stream", b"Content-Type: application/octet-stream"),
                        ("octet-stream called bill.pdf", b"Content-Type: application/octet-stream; name=bill.pdf"), ("called bill.pdf", b"Content-Type: application/pkcs7-signature; name=bill.pdf"),
                        ("called a.html, inline", b"Content-Type: application/pkcs7-signature\nContent-Disposition: inline; filename=a.html"), ("two types", b"Content-Type: application/pkcs7-signature\nContent-Type: text/html"),
                        ("two types, HTML first", b"Content-Type: text/html\nContent-Type: application/pkcs7-signature"), ("a line that is no field", b"Pay at once!\nContent-Type: application/pkcs7-signature"),
                        ("a message", b"Content-Type: message/rfc822"), ("OpenPGP", b"Content-Type: application/pgp-signature"), ("a type behind CR", b"X-A: b\rContent-Type: text/html\nContent-Type: application/pkcs7-signature"),
                        ("a comment", b"Content-Type: (text/html) application/pkcs7-signature")):
        yield f"signature part: {name}", put(signature=field + coded)
    yield "signature part: a multipart", put(signature=b"Content-Type: multipart/mixed; boundary=q\n\n--q\n" + letter.signature + b"\n--q\n" + EVIL + b"\n--q--")
    yield "signature part: no empty line", put(signature=letter.signature.replace(b"\n\n", b"\n", 1))
    yield "signature part: a blank line instead", put(signature=letter.signature.replace(b"\n\n", b"\n \n", 1))


def same_boundary(letter):
    """The signed entity is a multipart whose boundary is "inner"; a boundary around it that begins like that, or is the same."""
    for boundary in ("inner", "inn", "i", "INNER", "inner--"):
        yield f"{boundary!r} around 'inner'", letter.put(f'boundary="{boundary}"', boundary, preamble=b"", epilogue=b"")
