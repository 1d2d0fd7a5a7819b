"""The outside sender of tests: makes S/MIME with the openssl program, whatever form is asked for, and takes apart what julia delivered.
Only the standard library, the openssl program and gateway.py."""
import base64
import re

from gateway import openssl

EYE = "eva@partner-1.com"
LEAF = """\
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature,keyEncipherment,keyAgreement
extendedKeyUsage=emailProtection
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
"""


def text(body="Good morning.\n", headers=""):
    """A MIME entity."""
    return f"Content-Type: text/plain; charset=us-ascii\n{headers}\n{body}".encode()


def fields(sender=EYE, to="user_1@behoerde.de", more="", subject="Hello"):
    """The header of a message, without the empty line."""
    return (f"From: {sender}\nTo: {to}\nSubject: {subject}\nDate: Sat, 21 Nov 2026 12:00:00 +0000\n"
            f"Message-ID: <{abs(hash((sender, to, more, subject)))}@partner-1.com>\n{more}").encode()


def der_of(entity):
    """The DER in an application/pkcs7-mime entity that the functions below made."""
    return base64.b64decode(entity.split(b"\n\n", 1)[1])


def wrap(der, what="enveloped-data", mime="application/pkcs7-mime", name="smime.p7m"):
    """DER as an S/MIME entity."""
    kind = f"; smime-type={what}" if what else ""
    return (f"MIME-Version: 1.0\nContent-Type: {mime}{kind}; name=\"{name}\"\nContent-Transfer-Encoding: base64\n"
            f"Content-Disposition: attachment; filename=\"{name}\"\n\n").encode() + base64.encodebytes(der)


def tlv(tag, *parts):
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + body


def signer_info(der):
    """The only SignerInfo of a SignedData that openssl wrote (DER or indefinite)."""
    parsed = openssl("asn1parse", "-inform", "DER", "-in", "/dev/stdin", input=der).decode()
    lines = [line for line in parsed.splitlines() if re.match(r" *\d+:d=", line)]
    at = int([line for line in lines if re.search(r"d=3 .*cons: SET", line)][-1].split(":")[0])
    info = next(line for line in lines if int(line.split(":")[0]) > at and "SEQUENCE" in line)
    offset = int(info.split(":")[0])
    head, size = (int(re.search(rf"\b{word}= *(\d+)", info)[1]) for word in ("hl", "l"))
    return der[offset:offset + head + size]


def signed_data(certificates, infos, content=None):
    """SignedData with these SignerInfos, whatever they sign; `content` None: detached."""
    data = bytes.fromhex("06092a864886f70d010701")
    inner = (tlv(2, b"\x01") + tlv(0x31, tlv(0x30, bytes.fromhex("0609608648016503040201"))) +
             tlv(0x30, data, tlv(0xa0, tlv(4, content)) if content is not None else b"") + tlv(0xa0, *certificates) + tlv(0x31, *infos))
    return tlv(0x30, bytes.fromhex("06092a864886f70d010702"), tlv(0xa0, tlv(0x30, inner)))


class Outside:
    """Signs and encrypts with the keys of a Pki."""

    def __init__(self, pki):
        self.pki = pki

    def certificate(self, name, names, subject=None, extra=LEAF, kind="ec"):
        """NAME.key and NAME.crt of any content. `names`: the value of subjectAltName, or None."""
        self.pki._key(name, kind)
        self.pki._extensions(name, extra + (f"subjectAltName={names}\n" if names else ""))
        request = openssl("req", "-new", "-utf8", "-key", self.pki.path(name + ".key"), "-subj", subject or f"/CN={name}",
                          "-config", self.pki._config(name))
        openssl("x509", "-req", "-CA", self.pki.path("ca.crt"), "-CAkey", self.pki.path("ca.key"), "-CAcreateserial", "-days", 300,
                "-extfile", self.pki.path(name + ".ext"), "-out", self.pki.path(name + ".crt"), input=request)
        return name

    def pair(self, name):
        return ("-signer", self.pki.path(name + ".crt"), "-inkey", self.pki.path(name + ".key"))

    def sign(self, entity, *names, opaque=False, more=()):
        words = [word for name in names for word in self.pair(name)]
        return openssl("cms", "-sign", "-md", "sha256", *(["-nodetach"] if opaque else []), *words, *more, input=entity)

    def encrypt(self, entity, *names, cipher="aes-256-cbc", more=()):
        words = []
        for name in names:
            words += ["-recip", self.pki.path(name + ".crt"), *more]
        return openssl("cms", "-encrypt", f"-{cipher}", *words, input=entity)


def split_header(octets):
    """(fields as (name, unfolded value), body) of a message as a strict reader sees it."""
    eol = b"\r\n" if b"\r\n" in octets.split(b"\n", 1)[0] + b"\n" else b"\n"
    head, _, body = octets.partition(eol + eol)
    found = []
    for line in head.split(eol):
        if line[:1] in (b" ", b"\t") and found:
            found[-1][1] += line
        else:
            name, _, value = line.partition(b":")
            found.append([name, value.strip()])
    return [(name, value) for name, value in found], body


class Delivered:
    """One message as a target got it."""

    def __init__(self, entry):
        self.target, self.recipients, self.octets, self.arguments = entry
        self.fields, self.body = split_header(self.octets)

    def all(self, name):
        return [value.decode("latin-1") for field, value in self.fields if field.strip().lower() == name.lower().encode()]

    def one(self, name):
        found = self.all(name)
        return found[0] if len(found) == 1 else found or None

    @property
    def encryption(self):
        return self.one("X-JULIA-Encryption")

    @property
    def signature(self):
        return self.one("X-JULIA-Signature")

    @property
    def status(self):
        return (self.encryption, self.signature)

    def lines_like(self, pattern):
        """Lines of the header that a reader who takes CR, LF and CRLF for line ends would see."""
        head = self.octets.partition(b"\r\n\r\n" if b"\r\n\r\n" in self.octets else b"\n\n")[0]
        return [line for line in re.split(rb"\r\n|\r|\n", head) if re.match(pattern, line, re.IGNORECASE)]


def receive(gateway, octets, recipients=("user_1@behoerde.de",), sender=EYE):
    """Gives a message to julia from outside. (exit status, output, what was delivered to people, what ADMIN got)."""
    status, output = gateway.incoming(octets, sender, list(recipients))
    people, admin = [], []
    for entry in gateway.collect():
        (admin if entry[1] == ["admin@behoerde.de"] else people).append(Delivered(entry))
    return status, output, people, admin
