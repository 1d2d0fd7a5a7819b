#!/usr/bin/python3
"""What the smime module tells of encrypted objects without any key: content cipher and key transports, supported or not, made by
openssl and by hand; and the parameters of RSASSA-PSS that unwrap tells."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import smime_lab as lab  # noqa: E402
from smime_lab import algorithm, integer, oid, tlv, NULL, SHA256, MGF1, OAEP, RSA, PSPECIFIED  # noqa: E402

TEXT = b"Content-Type: text/plain\r\n\r\nHello\r\n"
S256 = algorithm(SHA256, NULL)
OAEP_256 = tlv(0x30, tlv(0xa0, S256), tlv(0xa1, algorithm(MGF1, S256)))


def by_openssl(tap, pki, smime):
    def make(cipher, *words):
        return lab.openssl("cms", "-encrypt", "-binary", "-in", pki.file("c", TEXT), "-outform", "DER", f"-{cipher}", *words)

    def oaep(name, md, mgf1):
        return ["-recip", pki.certificate(name), "-keyopt", "rsa_padding_mode:oaep", "-keyopt", f"rsa_oaep_md:{md}", "-keyopt",
                f"rsa_mgf1_md:{mgf1}"]
    rsa = pki.certificate("rsa")
    rows = (
        ("aes-256-cbc", oaep("rsa", "sha256", "sha256"), "enveloped", ["rsa-oaep-sha256"]),
        ("aes-128-cbc", oaep("rsa", "sha1", "sha1"), "enveloped", ["rsa-oaep-sha1"]),
        ("aes-192-cbc", oaep("rsa", "sha256", "sha1"), "enveloped", ["rsa-oaep-sha256-mgf1-sha1"]),
        ("aes-256-gcm", oaep("rsa", "sha512", "sha512"), "auth-enveloped", ["rsa-oaep-sha512"]),
        ("aes-256-cbc", oaep("rsa", "sha256", "sha384"), "enveloped", ["rsa-oaep-sha256-mgf1-sha384"]),
        ("aes-256-cbc", oaep("rsa", "sha224", "sha224"), "enveloped", ["rsa-oaep-sha224"]),
        ("aes-256-cbc", [rsa], "enveloped", ["rsa-pkcs1"]),
        ("des-ede3-cbc", [rsa], "enveloped", ["rsa-pkcs1"]),
        ("aes-256-cbc", [pki.certificate("p256")], "enveloped", ["ecdh-sha1-aes256"]),
        ("aes-256-cbc", [*oaep("rsa2", "sha256", "sha256"), "-recip", rsa], "enveloped", ["rsa-oaep-sha256", "rsa-pkcs1"]),
        ("aes-256-cbc", [rsa, pki.certificate("rsa2")], "enveloped", ["rsa-pkcs1"]),
        ("aes-256-cbc", ["-secretkey", "00" * 16, "-secretkeyid", "01", "-pwri_password", "x", rsa], "enveloped",
         ["kek", "password", "rsa-pkcs1"]),
    )
    for cipher, words, kind, transports in rows:
        got = smime.inspect(make("des3" if cipher.startswith("des") else cipher, *words))
        found = (got.status, got.get("type"), got.get("cipher"), sorted(got.transports()))
        tap.equal(found, ("ok", kind, cipher, sorted(transports)), f"{cipher}, {' and '.join(transports)}")
    got = smime.inspect(lab.openssl("cms", "-encrypt", "-binary", "-in", pki.file("c", TEXT), "-outform", "DER", "-camellia256", rsa))
    tap.equal((got.status, got.get("cipher")), ("ok", "camellia-256-cbc"), "a cipher that is not supported has its usual name")


def by_hand(tap, smime):
    def message(*recipients, cipher="2.16.840.1.101.3.4.1.42", tail=b""):
        eci = tlv(0x30, oid("1.2.840.113549.1.7.1"), algorithm(cipher, tlv(4, bytes(16))), tlv(0x80, bytes(32)))
        body = tlv(0x30, integer(0), tlv(0x31, *recipients), eci)
        return tlv(0x30, oid("1.2.840.113549.1.7.3"), tlv(0xa0, body)) + tail

    def transport(key_algorithm):
        return tlv(0x30, integer(0), tlv(0x30, tlv(0x30), integer(1)), key_algorithm, tlv(4, bytes(256)))
    label = tlv(0x30, tlv(0xa0, S256), tlv(0xa1, algorithm(MGF1, S256)), tlv(0xa2, algorithm(PSPECIFIED, tlv(4, b"L"))))
    for name, key_algorithm, expected in (
            ("OAEP with explicit parameters", algorithm(OAEP, OAEP_256), "rsa-oaep-sha256"),
            ("OAEP without parameters", algorithm(OAEP), "rsa-oaep-other"),
            ("OAEP with a label", algorithm(OAEP, label), "rsa-oaep-other"),
            ("OAEP, octets behind its parameters", algorithm(OAEP, tlv(0x30, OAEP_256[2:], NULL)), "rsa-oaep-other"),
            ("v1.5", algorithm(RSA, NULL), "rsa-pkcs1"),
            ("v1.5 with odd parameters", algorithm(RSA, tlv(4, b"x")), "rsaEncryption"),
            ("an unknown algorithm", algorithm("1.2.3.4"), "1.2.3.4")):
        tap.equal(smime.inspect(message(transport(key_algorithm))).transports(), [expected], name)
    got = smime.inspect(message(tlv(0x30, b"\x02\x01\x00\x31"), tlv(0xa4, oid("1.2.3"), tlv(0x30))))
    tap.equal(got.transports(), ["damaged", "other"], "damaged, and by other means")
    tap.equal(smime.inspect(message()).transports(), [], "no recipient at all")
    many = [transport(algorithm(f"1.2.3.{n}")) for n in range(1000)]
    got = smime.inspect(message(*many))
    tap.ok(got.status == "ok" and len(got.transports()) == 64, "of a thousand different ones 64 are told", got)
    tap.equal(smime.inspect(message(*(many * 11))).reason, "unsupported", "more than 10,000 recipients")
    tap.equal(smime.inspect(message(cipher="1.2.3.99")).get("cipher"), "1.2.3.99", "an unknown cipher")
    tap.equal(smime.inspect(message(cipher="1.2.840.113549.1.9.16.3.18")).get("cipher"), "chacha20-poly1305",
              "a cipher that is read, but has no name in OpenSSL 3.0")
    tap.equal(smime.inspect(message()[:60]).status, "permanent", "cut off")
    tap.equal(smime.inspect(b"rubbish").reason, "damaged", "no CMS")


def pss(tap, pki, smime):
    rows = (("sha256", "sha256", "digest", ("rsa-pss-sha256", "sha256", "32")), ("sha256", "sha1", "32", ("rsa-pss-sha256", "sha1", "32")),
            ("sha512", "sha512", "20", ("rsa-pss-sha512", "sha512", "20")), ("sha256", None, None, ("rsa-pkcs1-sha256", None, None)))
    for md, mgf1, salt, expected in rows:
        words = ["-keyopt", "rsa_padding_mode:pss", "-keyopt", f"rsa_mgf1_md:{mgf1}", "-keyopt", f"rsa_pss_saltlen:{salt}"] if mgf1 else []
        der = lab.openssl("cms", "-sign", "-binary", "-nodetach", "-in", pki.file("c", TEXT), "-outform", "DER", "-md", md, "-signer",
                          pki.certificate("rsa"), "-inkey", pki.key("rsa"), *words)
        signer = smime.unwrap(der).body.find(lab.N + "signer")
        tap.equal((signer.get("scheme"), signer.get("mgf1"), signer.get("salt")), expected, f"unwrap tells {expected}")


def main():
    tap, pki = lab.Tap(), lab.Pki()
    with lab.Smime() as smime:
        by_openssl(tap, pki, smime)
        by_hand(tap, smime)
        pss(tap, pki, smime)
        der = lab.openssl("cms", "-sign", "-binary", "-nodetach", "-in", pki.file("c", TEXT), "-outform", "DER", "-signer",
                          pki.certificate("rsa"), "-inkey", pki.key("rsa"))
        tap.equal(smime.inspect(der).reason, "unsupported", "a signature is nothing to inspect")
    tap.done()


main()
