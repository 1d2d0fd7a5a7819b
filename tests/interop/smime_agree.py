"""EnvelopedData by key agreement (RFC 5753, RFC 8418), made by hand, every detail open to change. X25519, X448, both key derivations and
the key wraps are smime_lab's own, from their RFCs."""
import os

import smime_lab as lab
from smime_lab import algorithm, integer, oid, tlv

HASHES = ("sha1", "sha224", "sha256", "sha384", "sha512")
STANDARD = dict(zip(HASHES, ("1.3.133.16.840.63.0.2", "1.3.132.1.11.0", "1.3.132.1.11.1", "1.3.132.1.11.2", "1.3.132.1.11.3")))
COFACTOR = dict(zip(HASHES, ("1.3.133.16.840.63.0.3", "1.3.132.1.14.0", "1.3.132.1.14.1", "1.3.132.1.14.2", "1.3.132.1.14.3")))
HKDF = {"sha256": "1.2.840.113549.1.9.16.3.19", "sha384": "1.2.840.113549.1.9.16.3.20", "sha512": "1.2.840.113549.1.9.16.3.21"}
WRAPS = {"aes128": ("2.16.840.1.101.3.4.1.5", 16), "aes192": ("2.16.840.1.101.3.4.1.25", 24), "aes256": ("2.16.840.1.101.3.4.1.45", 32),
         "des-ede3": ("1.2.840.113549.1.9.16.3.6", 24)}
EC, X25519, X448 = "1.2.840.10045.2.1", "1.3.101.110", "1.3.101.111"


def public_key(spki):
    """The octets of the BIT STRING."""
    return lab.take(lab.children(lab.take(spki)[1])[1])[1][1:]


class Writer:
    """Writes for keys of a Pki."""

    def __init__(self, pki, text):
        self.pki, self.text, self.key, self.nonce, self.agreed = pki, text, os.urandom(32), os.urandom(12), {}

    def ephemeral(self, name):
        """(public key, shared secret) of the originator's key for this recipient; one for all messages will do."""
        if name not in self.agreed:
            self.pki.need(name)
            self.pki.need("e-" + name, name.split("-")[0])
            theirs, ours = (lab.openssl("pkey", "-in", self.pki.key(n), "-pubout", "-outform", "DER") for n in (name, "e-" + name))
            secret = lab.KeyModule.secret(self.pki.key("e-" + name), public_key(theirs))
            self.agreed[name] = public_key(ours), secret
        return self.agreed[name]

    def issuer_serial(self, name):
        return tlv(0x30, *lab.issuer_and_serial(self.pki.der(name)))

    def agree(self, name, scheme=None, md="sha256", wrap="aes256", ukm=None, hkdf=False, parameters=b"", wrap_parameters=b"", rids=None,
              originator=None, version=3, point=None, kind=None, key=None, info_ukm=None, unused=0):
        own, secret = self.ephemeral(name)
        wrap_oid, size = WRAPS.get(wrap, (wrap, 32))
        wrap_algorithm = algorithm(wrap_oid, wrap_parameters)
        bound = info_ukm if info_ukm is not None else ukm
        info = tlv(0x30, wrap_algorithm, tlv(0xa0, tlv(4, bound)) if bound is not None else b"",
                   tlv(0xa2, tlv(4, (size * 8).to_bytes(4, "big"))))
        kek = lab.kdf_hkdf(md, secret, bound or b"", info, size) if hkdf else lab.kdf_x963(md, secret, info, size)
        wrapped = lab.des_wrap(kek, key or self.key) if wrap == "des-ede3" else lab.aes_wrap(kek, key or self.key)
        kind = kind or {"x25519": X25519, "x448": X448}.get(name, EC)
        originator = originator or tlv(0xa1, algorithm(kind, parameters), tlv(3, bytes([unused]), point or own))
        scheme = scheme or (HKDF if hkdf else STANDARD)[md]
        rids = rids or [self.issuer_serial(name)]
        return tlv(0xa1, integer(version), tlv(0xa0, originator), tlv(0xa1, tlv(4, ukm)) if ukm is not None else b"",
                   algorithm(scheme, wrap_algorithm), tlv(0x30, *(tlv(0x30, rid, tlv(4, wrapped)) for rid in rids)))

    def message(self, *recipients):
        body, tag = lab.gcm_encrypt(self.key, self.nonce, self.text)
        parameters = tlv(0x30, tlv(4, self.nonce), integer(16))
        content = tlv(0x30, oid(lab.DATA), algorithm("2.16.840.1.101.3.4.1.46", parameters), tlv(0x80, body))
        return tlv(0x30, oid(lab.AUTH_ENVELOPED), tlv(0xa0, tlv(0x30, integer(0), tlv(0x31, *recipients), content, tlv(4, tag))))


# ---- reading, with a private key of a Pki: BER of any form ------------------------------------------------------------------------
def octets(element):
    """Of an OCTET STRING in one piece or several."""
    tag, value = element
    return b"".join(map(octets, value)) if tag & 0x20 else value


def oid_of(element):
    return tlv(6, element[1][0][1])


def encode(element):
    tag, value = element
    return tlv(tag, value if isinstance(value, bytes) else b"".join(map(encode, value)))


def enveloped(ber):
    """The fields of an (Auth)EnvelopedData."""
    (_, (_, (_, (body,)))), _ = lab.parse(ber)
    return body[1]


def agreement(ber):
    """Of the one KeyAgreeRecipientInfo: (originator's key algorithm, public key, ukm, scheme, wrap, encrypted key)."""
    infos = next(element for element in enveloped(ber) if element[0] == 0x31)[1]
    fields = next(info for tag, info in infos if tag == 0xa1)
    originator = fields[1][1][0][1]
    ukm = octets(fields[2][1][0]) if fields[2][0] == 0xa1 else None
    scheme, wrap = fields[-2][1]
    return oid_of(originator[0]), originator[1][1][1:], ukm, tlv(6, scheme[1]), wrap, octets(fields[-1][1][0][1][1])


def originator(ber):
    return agreement(ber)[1]


def read(pki, kind, ber):
    """The content, by X25519 or X448 with HKDF."""
    key_oid, public, ukm, scheme, wrap, wrapped = agreement(ber)
    md = {"x25519": "sha256", "x448": "sha512"}[kind.split("@")[0]]
    assert key_oid == oid({"sha256": X25519, "sha512": X448}[md]) and scheme == oid(HKDF[md]) and ukm is None
    assert encode(wrap) == algorithm(WRAPS["aes256"][0])
    info = tlv(0x30, encode(wrap), tlv(0xa2, tlv(4, (256).to_bytes(4, "big"))))
    kek = lab.kdf_hkdf(md, lab.KeyModule.secret(pki.key(kind), public), b"", info, 32)
    return content(enveloped(ber), lab.aes_unwrap(kek, wrapped))


def content(fields, key):
    at, eci = next((at, element[1]) for at, element in enumerate(fields) if element[0] == 0x30)
    encrypted = b"".join(map(octets, eci[2][1])) if eci[2][0] & 0x20 else eci[2][1]
    parameters = eci[1][1][1]
    if parameters[0] == 4:
        plain = lab.openssl("enc", "-d", f"-aes-{len(key) * 8}-cbc", "-K", key.hex(), "-iv", parameters[1].hex(), data=encrypted)
        return plain
    plain, _ = lab.gcm_encrypt(key, parameters[1][0][1], encrypted)  # GCM is a stream: encrypting twice is decrypting
    _, tag = lab.gcm_encrypt(key, parameters[1][0][1], plain)
    assert octets(fields[at + 1]) == tag, "the tag"
    return plain
