#!/usr/bin/python3
"""The smime module opens what is encrypted by key agreement: every curve, hash and key wrap, with and without user keying material,
whatever way the recipient is named. The messages are made by smime_agree."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import smime_lab as lab  # noqa: E402
from smime_agree import COFACTOR, EC, HASHES, HKDF, STANDARD, Writer, X25519, X448, public_key  # noqa: E402
from smime_lab import integer, oid, tlv, NULL  # noqa: E402

TEXT = b"Content-Type: text/plain\r\n\r\nHello\r\nsecond line\r\n"
UNDECRYPTABLE = ("permanent", "undecryptable")
UNSUPPORTED = ("permanent", "unsupported")
CURVES = ("p256", "p384", "p521", "bp256", "bp384", "bp512")
OLD = ("1.3.133.16.840.63.0.16", "1.2.3.4")  # MQV, and nothing at all


def opened(smime, keys, w, name, recipient, keytrans=None, weak=False):
    got = smime.unwrap(w.message(recipient), keys, [name], weak=weak)
    return "" if got.output == TEXT and keytrans in (None, got.get("keytrans")) else f"{got}"


def matrix(tap, w, keys, smime):
    for at, name in enumerate(CURVES):
        problems = []
        for md in HASHES:
            wrap = ("aes128", "aes192", "aes256")[(HASHES.index(md) + at) % 3]
            problems += [opened(smime, keys, w, name, w.agree(name, md=md, wrap=wrap), f"ecdh-{md}-{wrap}")]
            problems += [opened(smime, keys, w, name, w.agree(name, md=md, wrap=wrap, ukm=b"u" * 64, scheme=COFACTOR[md]))]
        tap.ok(not any(problems), f"{name}: every hash, standard and cofactor, with and without ukm", "\n".join(problems))
    for name in ("x25519", "x448", "p256"):
        problems = []
        for md in HKDF:
            for wrap in ("aes128", "aes192", "aes256"):
                for ukm in (None, b"", b"u" * 64):
                    recipient = w.agree(name, md=md, wrap=wrap, ukm=ukm, hkdf=True)
                    problems += [opened(smime, keys, w, name, recipient, f"ecdh-hkdf-{md}-{wrap}")]
            problems += [opened(smime, keys, w, name, w.agree(name, md=md, ukm=b"u"), f"ecdh-{md}-aes256")]
        tap.ok(not any(problems), f"{name}: HKDF and X9.63 (RFC 8418), every hash and key wrap, with and without ukm", "\n".join(problems))


def forms(tap, w, keys, smime):
    other = tlv(0x30, *lab.issuer_and_serial(w.pki.der("p384")))
    ski = lab.openssl("x509", "-in", w.pki.certificate("p256"), "-noout", "-ext", "subjectKeyIdentifier").split()[-1]
    ski = bytes.fromhex(ski.replace(b":", b"").decode())
    date, more = tlv(0x18, b"20261121120000Z"), tlv(0x30, oid("1.2.3"), tlv(4, b"x"))
    for name, recipient in (
            ("the originator's curve named", w.agree("p256", parameters=oid("1.2.840.10045.3.1.7"))),
            ("parameters NULL", w.agree("p256", parameters=NULL)),
            ("key wrap with parameters NULL", w.agree("p256", wrap_parameters=NULL)),
            ("X25519 with parameters NULL", w.agree("x25519", parameters=NULL, hkdf=True)),
            ("by key identifier", w.agree("p256", rids=[tlv(0xa0, tlv(4, ski))])),
            ("by key identifier with date and more", w.agree("p256", rids=[tlv(0xa0, tlv(4, ski), date, more)])),
            ("several encrypted keys, ours the last", w.agree("p256", rids=[other, tlv(0xa0, tlv(4, b"x" * 20)),
                                                                           w.issuer_serial("p256")]))):
        tap.equal(opened(smime, keys, w, "x25519" if "X25519" in name else "p256", recipient), "", name)
    bare = bare_certificate(w.pki)
    by_hash = tlv(0xa0, tlv(4, lab.hashlib.sha1(public_key(lab.openssl("pkey", "-in", w.pki.key("p256"), "-pubout", "-outform",
                                                                       "DER"))).digest()))
    got = smime.unwrap(w.message(w.agree("p256", rids=[by_hash])), keys, [("p256", bare)])
    tap.equal(got.output, TEXT, "by the key's SHA-1 where the certificate has no identifier")


def bare_certificate(pki):
    lab.openssl("x509", "-req", "-in", pki.path / "p256.csr", "-CA", pki.path / "ca.pem", "-CAkey", pki.path / "ca.key", "-days", "10",
                "-set_serial", "77", "-out", pki.path / "bare.pem")
    return lab.pem_to_der((pki.path / "bare.pem").read_bytes())


def weak_wrap(tap, w, keys, smime):
    recipient = w.agree("p256", md="sha1", wrap="des-ede3", wrap_parameters=NULL)
    asked = len(keys.asked)
    got = smime.unwrap(w.message(recipient), keys, ["p256"])
    tap.ok((got.status, got.reason) == UNSUPPORTED and len(keys.asked) == asked, "3DES key wrap is refused without asking the key module", got)
    got = smime.unwrap(w.message(recipient), keys, ["p256"], weak=True)
    tap.ok(got.output == TEXT and got.get("weak") == "des-ede3-wrap", "with weak=yes it is read, and named", got)
    der = lab.openssl("cms", "-encrypt", "-binary", "-in", w.pki.file("c", TEXT), "-outform", "DER", "-des3", w.pki.certificate("p256"))
    got = smime.unwrap(der, keys, ["p256"], weak=True)
    tap.ok(got.output == TEXT and sorted(got.get("weak").split()) == ["des-ede3-cbc", "des-ede3-wrap"], "so is what openssl makes", got)
    got = smime.unwrap(w.message(recipient, w.agree("p256")), keys, ["p256"])
    tap.ok(got.output == TEXT and got.get("weak") is None, "a second entry with a better wrap is taken instead", got)


def bad_points(w):
    yield "a point beside the curve", "p256", w.agree("p256", point=b"\4" + b"\1" * 64)
    yield "a point at infinity", "p256", w.agree("p256", point=b"\0")
    yield "a point of another curve", "p256", w.agree("p256", point=w.ephemeral("p384")[0])
    yield "no point", "p256", w.agree("p256", point=b"\4")
    yield "a secret of zeros", "x25519", w.agree("x25519", hkdf=True, point=bytes(32))
    yield "a key of the wrong length", "x25519", w.agree("x25519", hkdf=True, point=bytes(31))
    yield "another ukm than it says", "p256", w.agree("p256", ukm=b"one", info_ukm=b"two")
    yield "another ukm, HKDF", "x25519", w.agree("x25519", ukm=b"one", info_ukm=b"two", hkdf=True)
    yield "another hash than it says", "p256", w.agree("p256", scheme=STANDARD["sha384"])
    yield "HKDF called X9.63", "x25519", w.agree("x25519", hkdf=True, scheme=STANDARD["sha256"])
    yield "a content key of 16 octets", "p256", w.agree("p256", key=b"k" * 16)
    yield "3DES key wrap of a short key", "p256", w.agree("p256", wrap="des-ede3", key=b"k" * 24)


def unknown(w):
    yield "a static originator, by serial number", "p256", w.agree("p256", originator=w.issuer_serial("p384"))
    yield "a static originator, by key identifier", "p256", w.agree("p256", originator=tlv(0x80, b"x" * 20))
    yield "an X25519 key for an EC recipient", "p256", w.agree("p256", kind=X25519)
    yield "an EC key for an X25519 recipient", "x25519", w.agree("x25519", kind=EC, hkdf=True)
    yield "an X448 key for an X25519 recipient", "x25519", w.agree("x25519", kind=X448, hkdf=True)
    yield "unused bits in the key", "p256", w.agree("p256", unused=1)
    yield "version 2", "p256", w.agree("p256", version=2)
    yield "a key wrap nobody knows", "p256", w.agree("p256", wrap="1.2.3.4")
    yield "a key wrap with odd parameters", "p256", w.agree("p256", wrap_parameters=integer(1))
    yield "ECMQV", "p256", w.agree("p256", scheme="1.3.133.16.840.63.0.16")
    yield "a scheme nobody knows", "p256", w.agree("p256", scheme="1.2.3.4")
    yield "the cofactor scheme where the cofactor is 4", "cofactor4", w.agree("cofactor4", scheme=COFACTOR["sha256"])


def refusals(tap, w, keys, smime):
    for rows, expected in ((bad_points, UNDECRYPTABLE), (unknown, UNSUPPORTED)):
        for name, reader, recipient in rows(w):
            got = smime.unwrap(w.message(recipient), keys, [reader], weak=True)
            tap.equal((got.status, got.reason), expected, f"{expected[1]}: {name}")
    tap.equal(opened(smime, keys, w, "cofactor4", w.agree("cofactor4")), "", "the standard scheme works there")
    got = smime.unwrap(w.message(w.agree("p256")), keys, [("p256", w.pki.der("p384"))])
    tap.equal((got.status, got.reason), UNDECRYPTABLE, "undecryptable: nobody we know")


def montgomery(tap, pki):
    """lab's own X25519 and X448 are openssl's."""
    for kind in ("x25519", "x448"):
        pki.need("one-" + kind, kind)
        pki.need("two-" + kind, kind)
        own, peer = pki.key("one-" + kind), pki.path / f"two-{kind}.pub"
        public = public_key(lab.openssl("pkey", "-pubin", "-in", peer, "-pubout", "-outform", "DER"))
        tap.equal(lab.KeyModule.secret(own, public), lab.openssl("pkeyutl", "-derive", "-inkey", own, "-peerkey", peer),
                  f"{kind} by the RFC's own steps is openssl's")


def main():
    tap, pki = lab.Tap(), lab.Pki()
    keys, w = lab.KeyModule(pki), Writer(pki, TEXT)
    montgomery(tap, pki)
    with lab.Smime() as smime:
        matrix(tap, w, keys, smime)
        forms(tap, w, keys, smime)
        weak_wrap(tap, w, keys, smime)
        refusals(tap, w, keys, smime)
    tap.done()


main()
