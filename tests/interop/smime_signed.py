"""SignedData by hand, every detail of a SignerInfo open to change."""
import smime_lab as lab
from smime_lab import NULL, SHA256, algorithm, integer, oid, tlv

TEXT = b"Content-Type: text/plain\r\n\r\nHello\r\nsecond line\r\n"
GOOD = ("good", "fits")
CONTENT_TYPE, DIGEST, TIME = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4", "1.2.840.113549.1.9.5"
ESS_V1, ESS_V2 = "1.2.840.113549.1.9.16.2.12", "1.2.840.113549.1.9.16.2.47"


def attribute(identifier, *values):
    return tlv(0x30, oid(identifier), tlv(0x31, *values))


class Writer:
    def __init__(self, pki):
        self.pki, self.name = pki, "rsa"
        self.digest = lab.hashlib.sha256(TEXT).digest()
        self.type_attribute = attribute(CONTENT_TYPE, oid(lab.DATA))
        self.digest_attribute = attribute(DIGEST, tlv(4, self.digest))
        self.time_attribute = attribute(TIME, tlv(0x17, b"261121120000Z"))
        self.standard = [self.type_attribute, self.digest_attribute, self.time_attribute]

    def sign(self, octets, md="sha256"):
        return lab.openssl("dgst", f"-{md}", "-sign", self.pki.key("rsa"), data=octets)

    def signer(self, attributes, version=1, digest=SHA256, signature_algorithm=None, signature=None, sid=None, unsigned=()):
        if attributes is None:
            raw, signed = b"", TEXT
        else:
            raw, signed = tlv(0xa0, *attributes), tlv(0x31, *attributes)
        sid = sid or tlv(0x30, *lab.issuer_and_serial(self.pki.der("rsa")))
        return tlv(0x30, integer(version), sid, algorithm(digest, NULL), raw, signature_algorithm or algorithm(lab.RSA, NULL),
                   tlv(4, signature or self.sign(signed)), tlv(0xa1, *unsigned) if unsigned else b"")

    def message(self, *signers, seq=tlv, content=TEXT, econtent_type=lab.DATA, digests=(SHA256,), version=1, certificates=None, crls=b"",
                tail=b"", extra=b""):
        encap = seq(0x30, oid(econtent_type), seq(0xa0, tlv(4, content)) if content is not None else b"")
        if certificates is None:
            certificates = [self.pki.der("rsa")]
        body = seq(0x30, integer(version), tlv(0x31, *(algorithm(digest, NULL) for digest in digests)), encap,
                   seq(0xa0, *certificates) if certificates else b"", crls, seq(0x31, *signers), extra)
        return seq(0x30, oid(lab.SIGNED), seq(0xa0, body)) + tail
