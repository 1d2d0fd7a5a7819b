"""CMS by hand for the people of a Pki (gateway.py), every detail open to change: what no program writes, or only one that means harm."""
import os
import random
import sys

from gateway import openssl
from outside import EYE

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "interop"))
import path_lab  # noqa: E402
import smime_lab as lab  # noqa: E402
from smime_lab import NULL, RSA, SHA256, algorithm, integer, oid, tlv  # noqa: E402

AES_GCM, AES_CBC = "2.16.840.1.101.3.4.1.46", "2.16.840.1.101.3.4.1.42"
CONTENT_TYPE, DIGEST, COUNTER = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4", "1.2.840.113549.1.9.6"
ZLIB = "1.2.840.113549.1.9.16.3.8"


def certificate(pki, name):
    return lab.pem_to_der(pki.path(name + ".crt").read_bytes())


def odd_certificate(pki, address, spki, serial=1000):
    """By the CA, newer than what people have, for everything in mail, with these octets for a key."""
    authority = path_lab.Key(pki.directory, "ca", "rsa2048")
    issuer = lab.children(lab.take(lab.take(certificate(pki, "ca"))[1])[1])[5]
    usage = path_lab.usage(path_lab.DIGITAL_SIGNATURE, path_lab.KEY_ENCIPHERMENT, path_lab.KEY_AGREEMENT)
    more = [usage, path_lab.purposes(path_lab.MAIL), path_lab.alternative(path_lab.mail(address))]
    return path_lab.certificate(path_lab.name("CN=odd"), authority, issuer, authority, more, start=path_lab.utc("260101000000Z"), serial=serial,
                                spki=spki)


def odd_keys(pki):
    """(name, octets) of public keys that nobody can use."""
    point = path_lab.Key(pki.directory, "point")
    return (("unknown kind", tlv(0x30, algorithm("1.2.3.4"), tlv(3, b"\0key"))), ("no point", point.with_point(b"\4" + bytes(63) + b"\1")),
            ("infinity", point.with_point(b"\0")))


def attribute(identifier, *values):
    return tlv(0x30, oid(identifier), tlv(0x31, *values))


class Sealed:
    """Messages encrypted to one person; one content key for all of them."""

    def __init__(self, pki, name):
        self.pki, self.name = pki, name
        self.key, self.nonce = os.urandom(32), os.urandom(12)
        self.issuer, self.serial = lab.issuer_and_serial(certificate(pki, name))

    def rsa(self, *options, key=None):
        words = [word for option in options for word in ("-pkeyopt", option)]
        return openssl("pkeyutl", "-encrypt", "-certin", "-inkey", self.pki.path(self.name + ".crt"), *words,
                       input=self.key if key is None else key)

    def oaep(self, md, mgf1, label=b""):
        options = ["rsa_padding_mode:oaep", f"rsa_oaep_md:{md}", f"rsa_mgf1_md:{mgf1}"]
        return self.rsa(*options, *([f"rsa_oaep_label:{label.hex()}"] if label else []))

    def recipient(self, key_algorithm=None, encrypted=None, serial=None, version=0):
        return tlv(0x30, integer(version), tlv(0x30, self.issuer, serial or self.serial), key_algorithm or algorithm(RSA, NULL),
                   tlv(4, self.rsa() if encrypted is None else encrypted))

    def stranger(self, number):
        return self.recipient(encrypted=b"\1" * 256, serial=integer(number))

    def message(self, text, recipients=None, inner=lab.DATA, seq=tlv, content=None, tail=b"", version=0, behind=b""):
        """AuthEnvelopedData. `content` makes the encrypted octets of the cipher text."""
        recipients = [self.recipient()] if recipients is None else recipients
        body, tag = lab.gcm_encrypt(self.key, self.nonce, text)
        cipher = algorithm(AES_GCM, tlv(0x30, tlv(4, self.nonce), integer(16)))
        eci = seq(0x30, oid(inner), cipher, tlv(0x80, body) if content is None else content(body))
        inside = seq(0x30, integer(version), seq(0x31, *recipients), eci, tlv(4, tag), behind)
        return seq(0x30, oid(lab.AUTH_ENVELOPED), seq(0xa0, inside)) + tail

    def cbc(self, text, inner=lab.DATA, key=None, content=None):
        """EnvelopedData, by the openssl program's cipher."""
        nonce = self.nonce + b"\0" * 4
        body = openssl("enc", "-aes-256-cbc", "-K", (key or self.key).hex(), "-iv", nonce.hex(), input=text)
        eci = tlv(0x30, oid(inner), algorithm(AES_CBC, tlv(4, nonce)), tlv(0x80, body) if content is None else content)
        inside = tlv(0x30, integer(0), tlv(0x31, self.recipient()), eci)
        return tlv(0x30, oid(lab.ENVELOPED), tlv(0xa0, inside))


class Signed:
    """SignedData over one text."""

    def __init__(self, pki, text, name=EYE):
        self.pki, self.text, self.name = pki, text, name
        digest = lab.hashlib.sha256(text).digest()
        self.attributes = [attribute(CONTENT_TYPE, oid(lab.DATA)), attribute(DIGEST, tlv(4, digest))]

    def raw(self, octets, name):
        return openssl("dgst", "-sha256", "-sign", self.pki.path(name + ".key"), input=octets)

    def signer(self, name=None, attributes=None, signature=None, unsigned=()):
        name, attributes = name or self.name, self.attributes if attributes is None else attributes
        sid = tlv(0x30, *lab.issuer_and_serial(certificate(self.pki, name)))
        signature = signature or self.raw(tlv(0x31, *attributes), name)
        return tlv(0x30, integer(1), sid, algorithm(SHA256, NULL), tlv(0xa0, *attributes) if attributes else b"", algorithm(RSA, NULL),
                   tlv(4, signature), tlv(0xa1, *unsigned) if unsigned else b"")

    def counter(self, signature, name, broken=False):
        """A countersignature attribute over a signature (RFC 5652 11.4): no content type."""
        digest = lab.hashlib.sha256(signature + (b"?" if broken else b"")).digest()
        return attribute(COUNTER, self.signer(name, [attribute(DIGEST, tlv(4, digest))]))

    def message(self, *signers, inner=lab.DATA, content=True, certificates=None, crls=b"", seq=tlv, tail=b"", version=1, octets=None):
        """`content`: True the text, False none, else the octets."""
        text = self.text if content is True else content
        holds = b"" if text is False else seq(0xa0, tlv(4, text) if octets is None else octets)
        certificates = [certificate(self.pki, self.name)] if certificates is None else certificates
        body = seq(0x30, integer(version), tlv(0x31, algorithm(SHA256, NULL)), seq(0x30, oid(inner), holds),
                   tlv(0xa0, *certificates) if certificates else b"", crls, tlv(0x31, *signers))
        return seq(0x30, oid(lab.SIGNED), seq(0xa0, body)) + tail


def compressed(octets, inner=lab.DATA, seq=tlv, tail=b""):
    """CompressedData around what deflate made."""
    encap = seq(0x30, oid(inner), seq(0xa0, tlv(4, octets)))
    return seq(0x30, oid(lab.COMPRESSED), seq(0xa0, seq(0x30, integer(0), algorithm(ZLIB), encap))) + tail


def crl(pki, count, serials=()):
    """A CRL of the Pki's CA: `count` entries for nobody, and behind them these serial numbers (contents octets)."""
    subject = lab.children(lab.take(lab.take(certificate(pki, "ca"))[1])[1])[5]
    reason = tlv(0x30, tlv(0x30, oid("2.5.29.21"), tlv(4, tlv(0x0a, b"\1"))))
    numbers = random.Random(3)
    entries = [tlv(0x30, tlv(2, octets), tlv(0x17, b"250101000000Z"), reason)
               for octets in (*(b"\x7f" + numbers.randbytes(15) for _ in range(count)), *serials)]
    signature = algorithm("1.2.840.113549.1.1.11", NULL)
    signed = tlv(0x30, integer(1), signature, subject, tlv(0x17, b"260101000000Z"), tlv(0x17, b"480101000000Z"), tlv(0x30, *entries))
    return tlv(0x30, signed, signature, tlv(3, b"\0" + openssl("dgst", "-sha256", "-sign", pki.path("ca.key"), input=signed)))


def boundaries(data, at=0, end=None):
    """Every offset where an element of this DER begins, where its contents begin, and where it ends."""
    found, end = set(), len(data) if end is None else end
    while at < end:
        tag, contents, behind = lab.take(data, at)
        begin = behind - len(contents)
        found |= {at, at + 1, begin, behind}
        if tag & 0x20:
            found |= boundaries(data, begin, behind)
        at = behind
    return found
