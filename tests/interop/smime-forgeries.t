#!/usr/bin/python3
"""Signatures that a careless reader takes for good: paddings of RSA with room for something else, parameters of PSS that lie, numbers of
ECDSA in other ranges and encodings. And forms of CMS that are odd, but no reason to call a signature bad."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import smime_lab as lab  # noqa: E402
from smime_lab import MGF1, NULL, SHA1, SHA256, algorithm, children, indefinite, integer, oid, take, tlv  # noqa: E402
from smime_signed import DIGEST, GOOD, TEXT, Writer, attribute  # noqa: E402

PSS, SHA512 = "1.2.840.113549.1.1.10", "2.16.840.1.101.3.4.2.3"
ECDSA, EC_KEY, ECDSA_PLAIN = "1.2.840.10045.4.3.2", "1.2.840.10045.2.1", "0.4.0.127.0.7.1.1.4.1.3"
ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551  # of P-256
BAD, MISMATCH, UNREADABLE = ("bad", "signature"), ("bad", "algorithm-mismatch"), ("unsupported", "unreadable")


def long_length(octets):
    """Elements with a length of so many octets."""
    def element(tag, *parts):
        body = b"".join(parts)
        return bytes([tag, 0x80 | octets]) + len(body).to_bytes(octets, "big") + body
    return element


def pkcs1(tap, w, smime):
    """RFC 8017 8.2.2: the whole padded digest is compared."""
    signed = tlv(0x31, *w.standard)
    digest = lab.hashlib.sha256(signed).digest()
    info = tlv(0x30, algorithm(SHA256, NULL), tlv(4, digest))
    size = 256

    def padded(what, kind=b"\1", padding=None):
        return b"\0" + kind + (b"\xff" * (size - 3 - len(what)) if padding is None else padding) + b"\0" + what

    def raw(octets):  # decryption is the same power; pkeyutl signs nothing that is longer than a digest
        return lab.openssl("pkeyutl", "-decrypt", "-inkey", w.pki.key("rsa"), "-pkeyopt", "rsa_padding_mode:none", data=octets.ljust(size, b"\0"))
    good = raw(padded(info))
    for name, signature, expected in (
            ("as it should be", good, GOOD), ("short padding, octets behind", raw(padded(info, padding=b"\xff" * 8)), BAD),
            ("octets inside behind the digest", raw(padded(tlv(0x30, algorithm(SHA256, NULL), tlv(4, digest), NULL))), BAD),
            ("octets in the parameters", raw(padded(tlv(0x30, algorithm(SHA256, tlv(4, bytes(40))), tlv(4, digest)))), BAD),
            ("another name of the digest", raw(padded(tlv(0x30, algorithm(SHA1, NULL), tlv(4, digest)))), BAD),
            ("a length longer than need be", raw(padded(long_length(2)(0x30, algorithm(SHA256, NULL), tlv(4, digest)))), BAD),
            ("the digest alone", raw(padded(digest)), BAD), ("padding for encryption", raw(padded(info, b"\2")), BAD),
            ("padding with another octet", raw(padded(info, padding=b"\xff" * 8 + b"\xfe" + b"\xff" * (size - 12 - len(info)))), BAD),
            ("a zero octet in front", b"\0" + good, BAD), ("a zero octet behind", good + b"\0", BAD), ("cut", good[:-1], BAD), ("zeros", bytes(size), BAD),
            ("one", bytes(size - 1) + b"\1", BAD)):
        tap.equal(smime.unwrap(w.message(w.signer(w.standard, signature=signature))).signers(), [expected], f"PKCS #1 v1.5: {name}: {expected[0]}")


def pss(tap, w, smime):
    """RFC 4055 3.1: what the parameters say is what must fit."""
    path = w.pki.file("digest", lab.hashlib.sha256(tlv(0x31, *w.standard)).digest())

    def made(salt, mgf1="sha256"):
        return lab.openssl("pkeyutl", "-sign", "-inkey", w.pki.key("rsa"), "-in", path, "-pkeyopt", "digest:sha256", "-pkeyopt", "rsa_padding_mode:pss",
                           "-pkeyopt", f"rsa_pss_saltlen:{salt}", "-pkeyopt", f"rsa_mgf1_md:{mgf1}")
    hashed, masked = tlv(0xa0, algorithm(SHA256, NULL)), tlv(0xa1, algorithm(MGF1, algorithm(SHA256, NULL)))
    good, length = made(32), tlv(0xa2, integer(32))
    for name, parts, signature, expected in (
            ("as it should be", [hashed, masked, length], good, GOOD), ("hashes without NULL", [
                tlv(0xa0, algorithm(SHA256)), tlv(0xa1, algorithm(MGF1, algorithm(SHA256))), length], good, GOOD),
            ("the only trailer, written", [hashed, masked, length, tlv(0xa3, integer(1))], good, GOOD),
            ("no salt", [hashed, masked, tlv(0xa2, integer(0))], made(0), GOOD), ("another trailer", [hashed, masked, length, tlv(0xa3, integer(2))], good, MISMATCH),
            ("a salt shorter than it says", [hashed, masked, length], made(20), BAD), ("a salt longer than it says", [hashed, masked, tlv(0xa2, integer(20))], good, BAD),
            ("a salt below zero", [hashed, masked, tlv(0xa2, tlv(2, b"\xff"))], good, MISMATCH),
            ("a salt beyond all numbers", [hashed, masked, tlv(0xa2, tlv(2, b"\x7f" * 9))], good, MISMATCH),
            ("another mask than it says", [hashed, masked, length], made(32, "sha1"), BAD),
            ("SHA-512 in the parameters", [tlv(0xa0, algorithm(SHA512, NULL)), masked, length], good, MISMATCH),
            ("a mask nobody knows", [hashed, tlv(0xa1, algorithm("1.2.3.4", algorithm(SHA256, NULL))), length], good, MISMATCH),
            ("nothing in the parameters: SHA-1", [], good, MISMATCH), ("something behind them", [hashed, masked, length, NULL], good, MISMATCH),
            ("in another order", [masked, hashed, length], good, MISMATCH)):
        got = smime.unwrap(w.message(w.signer(w.standard, signature_algorithm=algorithm(PSS, tlv(0x30, *parts)), signature=signature)))
        tap.equal(got.signers(), [expected], f"PSS: {name}: {expected[0]}")


def ecdsa(tap, w, smime):
    """Two numbers from 1 to the order less one, in DER."""
    sid = tlv(0x30, *lab.issuer_and_serial(w.pki.der("p256")))
    good = lab.openssl("dgst", "-sha256", "-sign", w.pki.key("p256"), data=tlv(0x31, *w.standard))
    first, second = children(take(good)[1])
    r, s = (int.from_bytes(take(element)[1], "big") for element in (first, second))
    plain = r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def pair(*numbers):
        return tlv(0x30, *map(integer, numbers))
    for name, signature, how, expected in (
            ("as it should be", good, algorithm(ECDSA), GOOD), ("the key's algorithm instead", good, algorithm(EC_KEY), GOOD),
            ("parameters NULL", good, algorithm(ECDSA, NULL), GOOD), ("r too large by the order", pair(r + ORDER, s), None, BAD),
            ("s too large by the order", pair(r, s + ORDER), None, BAD), ("r is 0", pair(0, s), None, BAD), ("s is 0", pair(r, 0), None, BAD),
            ("both are 0", pair(0, 0), None, BAD), ("both are 1", pair(1, 1), None, BAD), ("r is the order", pair(ORDER, s), None, BAD),
            ("s is the order", pair(r, ORDER), None, BAD), ("r is one below zero", tlv(0x30, tlv(2, b"\xff"), second), None, BAD),
            ("a length longer than need be", long_length(2)(0x30, first, second), None, BAD), ("an indefinite length", indefinite(0x30, first, second), None, BAD),
            ("a third number", pair(r, s, 1), None, BAD), ("an octet behind", good + b"\0", None, BAD), ("only one number", pair(r), None, BAD),
            ("a number longer than need be", tlv(0x30, tlv(2, b"\0\0", take(first)[1]), second), None, BAD), ("nothing", b"", None, BAD),
            ("the plain numbers", plain, None, BAD), ("the plain numbers, by their own name", plain, algorithm(ECDSA_PLAIN), ("unsupported", "unknown-algorithm"))):
        fields = [integer(1), sid, algorithm(SHA256, NULL), tlv(0xa0, *w.standard), how or algorithm(ECDSA), tlv(4, signature)]
        got = smime.unwrap(w.message(tlv(0x30, *fields), certificates=[w.pki.der("p256")]))
        tap.equal(got.signers(), [expected], f"ECDSA: {name}: {expected[0]}")


def forms(tap, w, smime):
    """Parts of a SignerInfo in forms that BER allows."""
    version, sid, digest, attributes, method, signature = children(take(w.signer(w.standard))[1])
    octets = take(signature)[1]
    deep = NULL
    for _ in range(3000):
        deep = tlv(0x30, deep)

    def of(*fields, seq=tlv):
        return w.message(seq(0x30, *fields))
    first, *others = sorted(w.standard)
    ordered = tlv(0x31, first, *others)
    signed = tlv(4, w.sign(ordered))
    long_first = long_length(2)(0x30, *children(take(first)[1]))
    numbered = {f"lengths of {n} octets": (w.message(w.signer(w.standard), seq=long_length(n)), GOOD) for n in (2, 4, 5, 8)}
    for name, (message, expected) in {
            **numbered, "the SignerInfo of indefinite length": (of(version, sid, digest, attributes, method, signature, seq=indefinite), GOOD),
            "attributes of indefinite length": (of(version, sid, digest, indefinite(0xa0, *w.standard), method, signature), GOOD),
            "an attribute with a long length, signed its DER": (of(version, sid, digest, tlv(0xa0, long_first, *others), method, signed), GOOD),
            "an attribute with a long length, signed as sent": (
                of(version, sid, digest, tlv(0xa0, long_first, *others), method, tlv(4, w.sign(tlv(0x31, long_first, *others)))), BAD),
            "the signature in two pieces": (of(version, sid, digest, attributes, method, tlv(0x24, tlv(4, octets[:9]), tlv(4, octets[9:]))), GOOD),
            "no parameters of the digest": (of(version, sid, algorithm(SHA256), attributes, method, signature), GOOD),
            "odd parameters of the digest": (of(version, sid, algorithm(SHA256, tlv(4, b"x")), attributes, method, signature), ("unsupported", "unknown-digest")),
            "no parameters of RSA": (of(version, sid, digest, attributes, algorithm(lab.RSA), signature), GOOD),
            "an empty set of unsigned attributes": (of(version, sid, digest, attributes, method, signature, tlv(0xa1)), GOOD),
            "version 3 for issuer and serial number": (of(integer(3), sid, digest, attributes, method, signature), GOOD),
            "version 2": (of(integer(2), sid, digest, attributes, method, signature), UNREADABLE),
            "an attribute without values": (w.message(w.signer([*w.standard, attribute("1.2.3")])), GOOD),
            "an object identifier of 5000 octets": (w.message(w.signer([*w.standard, tlv(0x30, tlv(6, b"\x2a" + b"\xff" * 5000 + b"\1"), tlv(0x31, NULL))])), GOOD),
            "an object identifier of no octets": (w.message(w.signer([*w.standard, tlv(0x30, tlv(6), tlv(0x31, NULL))])), UNREADABLE),
            "an attribute 3000 deep": (w.message(w.signer([*w.standard, attribute("1.2.3", deep)])), GOOD),
            "an unsigned attribute 3000 deep": (w.message(w.signer(w.standard, unsigned=[attribute("1.2.3", deep)])), GOOD),
            "an unsigned attribute 100,000 deep, without end": (
                w.message(w.signer(w.standard, unsigned=[attribute("1.2.3", b"\x30\x80" * 100_000)])), UNREADABLE),
            "a certificate 3000 deep beside the right one": (w.message(w.signer(w.standard), certificates=[w.pki.der("rsa"), deep]), GOOD),
            "two digests announced, one used": (w.message(w.signer(w.standard), digests=(SHA512, SHA256)), GOOD),
            "one digest announced twice": (w.message(w.signer(w.standard), digests=(SHA256, SHA256)), GOOD),
            "no digest announced": (w.message(w.signer(w.standard), digests=()), ("unsupported", "digest-not-announced"))}.items():
        got = smime.unwrap(message)
        tap.ok(got.status == "ok" and got.signers() == [expected] and got.output == TEXT, f"form: {name}: {expected[0]}", got)
    pieces = attribute(DIGEST, tlv(0x24, tlv(4, w.digest[:9]), tlv(4, w.digest[9:])))
    got = smime.unwrap(w.message(w.signer([w.type_attribute, pieces])))
    tap.ok(got.signers()[0][0] == "bad", "form: the digest in two pieces, signed as sent: bad, since signed is the DER", got)
    got = smime.unwrap(w.message(w.signer(w.standard), digests=(), content=None), signed=TEXT)
    tap.equal(got.signers(), [GOOD], "form: no digest announced, detached: good")
    whole = w.message(w.signer(w.standard))
    frame = children(take(whole)[1])
    odd = {"an element behind the content": tlv(0x30, *frame, NULL), "a primitive [0]": tlv(0x30, frame[0], b"\x80" + frame[1][1:]),
           "another tag for the content": tlv(0x30, frame[0], b"\xa1" + frame[1][1:]), "nothing but [": b"\x30\x80" * 100_000,
           "a version below zero": whole.replace(integer(1) + tlv(0x31, algorithm(SHA256, NULL)), tlv(2, b"\xff") + tlv(0x31, algorithm(SHA256, NULL)))}
    for name, message in odd.items():
        got = smime.unwrap(message)
        tap.equal((got.status, got.reason), ("permanent", "damaged"), f"form: {name}: damaged")
    tap.equal(smime.unwrap(tlv(0x30, oid(lab.SIGNED))).reason, "damaged", "form: a type without content: damaged")


def main():
    tap, pki = lab.Tap(), lab.Pki()
    with lab.Smime() as smime:
        w = Writer(pki)
        for part in (pkcs1, pss, ecdsa, forms):
            part(tap, w, smime)
    tap.done()


main()
