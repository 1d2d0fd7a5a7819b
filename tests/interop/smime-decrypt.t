#!/usr/bin/python3
"""The smime module opens what openssl encrypts, in every form, and hand-made messages that openssl does not write; what is wrong it
refuses, before anything is decrypted where the ASN.1 tells, and with one answer for everything else."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import smime_lab as lab  # noqa: E402
from smime_lab import algorithm, indefinite, integer, oid, tlv, NULL, SHA1, SHA256, MGF1, OAEP, RSA, PSPECIFIED  # noqa: E402

TEXT = b"Content-Type: text/plain\r\n\r\nHello\r\nsecond line\r\n"
LARGE = b"Content-Type: text/plain\r\n\r\n" + b"0123456789 abcdefghij\r\n" * 6000
UNDECRYPTABLE = ("permanent", "undecryptable", "the message cannot be decrypted")


# ---- messages by hand -----------------------------------------------------------------------------------------------
class Writer:
    """AuthEnvelopedData for the RSA key of a Pki, every detail open to change."""

    def __init__(self, pki):
        self.pki, self.key, self.nonce = pki, os.urandom(32), os.urandom(12)
        self.issuer, self.serial = lab.issuer_and_serial(pki.der("rsa"))

    def rsa_encrypt(self, *options, key=None):
        words = [word for option in options for word in ("-pkeyopt", option)]
        return lab.openssl("pkeyutl", "-encrypt", "-certin", "-inkey", self.pki.certificate("rsa"), *words, data=key or self.key)

    def oaep_encrypt(self, md="sha256", mgf1=None, label=None):
        options = ["rsa_padding_mode:oaep", f"rsa_oaep_md:{md}", f"rsa_mgf1_md:{mgf1 or md}"]
        return self.rsa_encrypt(*options, *([f"rsa_oaep_label:{label.hex()}"] if label else []))

    def recipient(self, key_algorithm, encrypted, serial=None, version=0):
        return tlv(0x30, integer(version), tlv(0x30, self.issuer, serial or self.serial), key_algorithm, tlv(4, encrypted))

    def standard(self):
        return self.recipient(OAEP_256, self.oaep_encrypt())

    def message(self, recipients, attributes=None, seq=tlv, content=None, flip=False, tag_len=16, icv=None, tail=b"", version=0,
                nonce=None, inner="1.2.840.113549.1.7.1", unauthenticated=b"", originator=b""):
        nonce = nonce or self.nonce
        aad = tlv(0x31, *attributes) if attributes else None
        body, tag = lab.gcm_encrypt(self.key, nonce, TEXT, aad)
        tag = bytearray(tag[:tag_len])
        tag[0] ^= flip
        parameters = tlv(0x30, tlv(4, nonce), icv if icv is not None else integer(tag_len))
        eci = seq(0x30, oid(inner), algorithm("2.16.840.1.101.3.4.1.46", parameters), content(body) if content else tlv(0x80, body))
        parts = [integer(version), originator, seq(0x31, *recipients), eci]
        parts += [seq(0xa1, *attributes)] if attributes else []
        return seq(0x30, oid(lab.AUTH_ENVELOPED), seq(0xa0, seq(0x30, *parts, tlv(4, bytes(tag)), unauthenticated))) + tail


def oaep(hash_algorithm=None, mgf=None, source=None, extra=b""):
    return algorithm(OAEP, tlv(0x30, *(tlv(tag, value) for tag, value in ((0xa0, hash_algorithm), (0xa1, mgf), (0xa2, source)) if value),
                               extra))


S256, S1, S512 = algorithm(SHA256, NULL), algorithm(SHA1, NULL), algorithm("2.16.840.1.101.3.4.2.3", NULL)
OAEP_256 = oaep(S256, algorithm(MGF1, S256))
ATTRIBUTE = tlv(0x30, oid("1.2.840.113549.1.9.3"), tlv(0x31, oid(lab.DATA)))
TIME_ATTRIBUTE = tlv(0x30, oid("1.2.840.113549.1.9.5"), tlv(0x31, tlv(0x17, b"261121120000Z")))


def good_by_hand(w):
    key_encryption_key = tlv(0xa2, integer(4), tlv(0x30), algorithm(SHA1), tlv(4))
    yield "OAEP SHA-256", w.message([w.standard()])
    yield "OAEP SHA-256 with MGF1 SHA-1", w.message([w.recipient(oaep(S256), w.oaep_encrypt("sha256", "sha1"))])
    yield "OAEP hashes without NULL", w.message([w.recipient(oaep(algorithm(SHA256), algorithm(MGF1, algorithm(SHA256))), w.oaep_encrypt())])
    yield "OAEP empty SEQUENCE is SHA-1", w.message([w.recipient(oaep(), w.oaep_encrypt("sha1"))])
    yield "OAEP explicit defaults", w.message([w.recipient(oaep(S1, algorithm(MGF1, S1), algorithm(PSPECIFIED, tlv(4))),
                                                            w.oaep_encrypt("sha1"))])
    yield "OAEP with a label", w.message([w.recipient(oaep(S256, algorithm(MGF1, S256), algorithm(PSPECIFIED, tlv(4, b"L"))),
                                                      w.oaep_encrypt(label=b"L"))])
    yield "OAEP of another label before a good one", w.message([
        w.recipient(oaep(S256, algorithm(MGF1, S256), algorithm(PSPECIFIED, NULL)), w.oaep_encrypt()), w.standard()])
    yield "PKCS #1 v1.5", w.message([w.recipient(algorithm(RSA, NULL), w.rsa_encrypt("rsa_padding_mode:pkcs1"))])
    yield "authAttrs", w.message([w.standard()], [ATTRIBUTE])
    yield "authAttrs, indefinite lengths", w.message([w.standard()], [ATTRIBUTE], indefinite)
    yield "authAttrs, several", w.message([w.standard()], sorted([ATTRIBUTE, TIME_ATTRIBUTE]))
    yield "nested octet strings", w.message([w.standard()], seq=indefinite, content=lambda b: indefinite(
        0xa0, tlv(4, b[:5]), tlv(4), indefinite(0x24, tlv(4, b[5:9]), tlv(0x24, tlv(4, b[9:])))))
    yield "other recipients before", w.message([w.recipient(algorithm(RSA, NULL), os.urandom(256), integer(1)), key_encryption_key,
                                                tlv(0xa4, oid(SHA1), tlv(0x30)), w.standard()])
    yield "an undecodable RecipientInfo before", w.message([tlv(0x30, b"\x02\x01\x00\x31"), tlv(0xa1, b"\x01\x02"), tlv(5), w.standard()])
    yield "a damaged RecipientInfo of ours before a good one", w.message([w.recipient(oaep(algorithm("1.2.3.4")), b"x"), w.standard()])
    yield "unauthenticated attributes", w.message([w.standard()], unauthenticated=tlv(0xa2, ATTRIBUTE))
    yield "originatorInfo", w.message([w.standard()], originator=tlv(0xa0, tlv(0xa0)))
    yield "tag of 12 octets by default", w.message([w.standard()], tag_len=12, icv=b"")
    hashes = {"sha1": SHA1, "sha224": "2.16.840.1.101.3.4.2.4", "sha256": SHA256, "sha384": "2.16.840.1.101.3.4.2.2",
              "sha512": "2.16.840.1.101.3.4.2.3"}
    for md, md_oid in hashes.items():
        for mgf1, mgf1_oid in hashes.items():
            parameters = oaep(algorithm(md_oid, NULL), algorithm(MGF1, algorithm(mgf1_oid, NULL)))
            yield f"OAEP {md}, mask by {mgf1}", w.message([w.recipient(parameters, w.oaep_encrypt(md, mgf1))])
    for length in (12, 13, 14, 15, 16):
        yield f"tag of {length} octets", w.message([w.standard()], tag_len=length)


def bad_by_hand(w):
    yield "tag changed", "undecryptable", w.message([w.standard()], flip=True)
    yield "tag changed, authAttrs", "undecryptable", w.message([w.standard()], [ATTRIBUTE], flip=True)
    yield "authAttrs not in DER order", "undecryptable", w.message([w.standard()], sorted([ATTRIBUTE, TIME_ATTRIBUTE], reverse=True))
    yield "tag longer than ICVlen", "damaged", w.message([w.standard()], icv=integer(12))
    yield "tag shorter than ICVlen", "undecryptable", w.message([w.standard()], tag_len=12, icv=integer(16))
    yield "tag longer than the default", "damaged", w.message([w.standard()], icv=b"")
    for length in (4, 8, 11):
        yield f"tag of {length} octets", "unsupported", w.message([w.standard()], tag_len=length)
    yield "ICVlen 17", "unsupported", w.message([w.standard()], icv=integer(17))
    yield "ICVlen of 2 to the 64", "unsupported", w.message([w.standard()], icv=integer(1 << 64))
    yield "truncated", "damaged", w.message([w.standard()])[:-1]
    yield "truncated end of contents", "damaged", w.message([w.standard()], seq=indefinite)[:-2]
    yield "trailing octets", "damaged", w.message([w.standard()], tail=b"x")
    yield "trailing zero octets", "damaged", w.message([w.standard()], seq=indefinite, tail=b"\0\0")
    yield "version 1", "damaged", w.message([w.standard()], version=1)
    yield "RecipientInfo of version 9", "unsupported", w.message([w.recipient(OAEP_256, w.oaep_encrypt(), version=9)])
    yield "inner type signedData", "unsupported", w.message([w.standard()], inner=lab.SIGNED)
    yield "nobody we know", "undecryptable", w.message([w.recipient(OAEP_256, w.oaep_encrypt(), integer(99))])
    yield "no recipient at all", "undecryptable", w.message([])
    for name, key_algorithm, encrypted in (
            ("parameters absent", algorithm(OAEP), w.oaep_encrypt("sha1")),
            ("parameters NULL", algorithm(OAEP, NULL), w.oaep_encrypt("sha1")),
            ("trailing octets in the parameters", oaep(S256, algorithm(MGF1, S256), extra=NULL), w.oaep_encrypt()),
            ("unknown hash", oaep(algorithm("2.16.840.1.101.3.4.2.99"), algorithm(MGF1, S256)), w.oaep_encrypt()),
            ("unknown hash, v1.5 inside", oaep(algorithm("2.16.840.1.101.3.4.2.99"), algorithm("1.2.3")),
             w.rsa_encrypt("rsa_padding_mode:pkcs1")),
            ("unknown mask function", oaep(S256, algorithm("1.2.840.113549.1.1.88", S256)), w.oaep_encrypt()),
            ("mgf1 without hash", oaep(S256, algorithm(MGF1)), w.oaep_encrypt("sha256", "sha1")),
            ("mgf1 with trailing octets", oaep(S256, algorithm(MGF1, tlv(0x30, oid(SHA256), NULL, NULL))), w.oaep_encrypt()),
            ("hash with parameters", oaep(algorithm(SHA256, tlv(4, b"x")), algorithm(MGF1, S256)), w.oaep_encrypt()),
            ("label of another type", oaep(S256, algorithm(MGF1, S256), algorithm(PSPECIFIED, NULL)), w.oaep_encrypt()),
            ("md5", oaep(algorithm("1.2.840.113549.2.5", NULL), algorithm(MGF1, S256)), w.oaep_encrypt()),
            ("SHA-256 with MGF1 left out, v1.5 inside", oaep(S256, NULL), w.rsa_encrypt("rsa_padding_mode:pkcs1")),
            ("parameters of another type, v1.5 inside", algorithm(OAEP, tlv(4, b"x")), w.rsa_encrypt("rsa_padding_mode:pkcs1")),
            ("parameters cut, v1.5 inside", algorithm(OAEP, tlv(0x30, b"\xa0\x0f\x30")), w.rsa_encrypt("rsa_padding_mode:pkcs1")),
            ("parameters absent, v1.5 inside", algorithm(OAEP), w.rsa_encrypt("rsa_padding_mode:pkcs1")),
            ("v1.5 with odd parameters", algorithm(RSA, tlv(4, b"x")), w.rsa_encrypt("rsa_padding_mode:pkcs1"))):
        yield f"OAEP {name}", "unsupported", w.message([w.recipient(key_algorithm, encrypted)])
    for name, key_algorithm, encrypted in (
            ("OAEP with another label than it says", oaep(S256, algorithm(MGF1, S256), algorithm(PSPECIFIED, tlv(4, b"L"))),
             w.oaep_encrypt(label=b"M")),
            ("OAEP with a label that it does not name", OAEP_256, w.oaep_encrypt(label=b"L")),
            ("OAEP with another hash than it says", oaep(S1, algorithm(MGF1, S1)), w.oaep_encrypt()),
            ("v1.5 wrong padding", algorithm(RSA, NULL), b"\1" + os.urandom(255)),
            ("v1.5 key of another length", algorithm(RSA, NULL), w.rsa_encrypt("rsa_padding_mode:pkcs1", key=w.key[:16])),
            ("v1.5 larger than the modulus", algorithm(RSA, NULL), b"\xff" * 256),
            ("v1.5 of no octets", algorithm(RSA, NULL), b""),
            ("OAEP of random octets", OAEP_256, b"\1" + os.urandom(255))):
        yield name, "undecryptable", w.message([w.recipient(key_algorithm, encrypted)])


def asked_for(keys, ask):
    """What ask() returns, and how often the key module was asked meanwhile."""
    before = len(keys.asked)
    return ask(), len(keys.asked) - before


def long_lists(tap, w, keys, smime):
    """Time and memory are bounded; what is beyond is unsupported, not damaged."""
    others = [w.recipient(algorithm(RSA, NULL), os.urandom(256), integer(n + 1)) for n in range(9999)]
    ours = w.standard()
    for name, infos, expected in (("first", [ours, *others], TEXT), ("last", [*others, ours], TEXT),
                                  ("in the middle", [*others[:5000], ours, *others[5000:]], TEXT)):
        got = smime.unwrap(w.message(infos), keys, ["rsa"])
        tap.ok((got.status, got.output) == ("ok", expected), f"10,000 RecipientInfos, ours {name}", got)
    got, asked = asked_for(keys, lambda: smime.unwrap(w.message([*others, others[0]]), keys, ["rsa"]))
    tap.equal(((got.status, got.reason, got.text), asked), (UNDECRYPTABLE, 0), "10,000 RecipientInfos, none of them ours")
    for name, infos in (("first", [ours, *others, others[0]]), ("last", [*others, others[0], ours])):
        got, asked = asked_for(keys, lambda i=infos: smime.unwrap(w.message(i), keys, ["rsa"]))
        tap.equal((got.status, got.reason, asked), ("permanent", "unsupported", 0), f"10,001 RecipientInfos, ours {name}: unsupported")


def several_for_us(tap, pki, w, keys, smime):
    """Entries that name one certificate: each is tried, up to four."""
    def garbage():
        return w.recipient(OAEP_256, b"\1" + os.urandom(255))
    wrong = w.recipient(algorithm(RSA, NULL), w.rsa_encrypt("rsa_padding_mode:pkcs1", key=os.urandom(32)))
    same = garbage()
    for name, infos, opens in (
            ("garbage, then the right one", [garbage(), w.standard()], 2), ("another content key first", [wrong, w.standard()], 2),
            ("three times garbage first", [garbage(), garbage(), garbage(), w.standard()], 4),
            ("the same garbage often", [same] * 20 + [w.standard()], 2), ("the right one twice", [w.standard()] * 2, 1),
            ("unsupported ones first", [w.recipient(oaep(algorithm("1.2.3.4")), b"x")] * 9 + [w.standard()], 1)):
        got, asked = asked_for(keys, lambda i=infos: smime.unwrap(w.message(i), keys, ["rsa"]))
        tap.equal((got.status, got.output, asked), ("ok", TEXT, opens), f"several entries for us: {name}")
    got, asked = asked_for(keys, lambda: smime.unwrap(w.message([garbage(), garbage(), garbage(), garbage(), w.standard()]), keys, ["rsa"]))
    tap.equal(((got.status, got.reason, got.text), asked), (UNDECRYPTABLE, 4), "several entries for us: no more than four are tried")
    der = lab.openssl("cms", "-encrypt", "-binary", "-in", pki.file("content", TEXT), "-outform", "DER", "-aes-128-cbc", pki.certificate("p256"))
    got, asked = asked_for(keys, lambda: smime.unwrap(doubled_agreement(der), keys, ["p256"]))
    tap.equal((got.status, got.output, asked), ("ok", TEXT, 2), "two keys for us in one KeyAgreeRecipientInfo, the first garbage")


def doubled_agreement(der):
    """The same message, with a damaged copy of its RecipientEncryptedKey in front of it."""
    body = lab.children(lab.take(lab.children(lab.take(der)[1])[1])[1])[0]
    version, infos, *rest = lab.children(lab.take(body)[1])
    *before, keys = lab.children(lab.take(lab.take(infos)[1])[1])
    good = lab.take(keys)[1]
    bad = good[:-1] + bytes([good[-1] ^ 1])
    infos = tlv(0x31, tlv(0xa1, *before, tlv(0x30, bad, good)))
    return tlv(0x30, oid(lab.ENVELOPED), tlv(0xa0, tlv(0x30, version, infos, *rest)))


def odd_identifiers(tap, w, keys, smime):
    """Others in the list whose part is strange must not keep us from reading."""
    long_serial = w.recipient(OAEP_256, b"x", tlv(2, b"\1" * 10_000))
    key_id = tlv(0x30, integer(2), tlv(0x80, b"k" * 10_000), OAEP_256, tlv(4, b"x"))
    no_serial = tlv(0x30, integer(0), tlv(0x30, w.issuer), OAEP_256, tlv(4, b"x"))
    kem = tlv(0xa4, oid("1.2.840.113549.1.9.16.13.3"), tlv(0x30, integer(0), tlv(0x80, b"kid"), OAEP_256, tlv(4, b"ct"), OAEP_256))
    password = tlv(0xa3, integer(0), tlv(0xa0, oid("1.2.840.113549.1.5.12"), tlv(0x30, tlv(4, b"salt"), integer(1000))), OAEP_256, tlv(4, b"x"))
    kek = tlv(0xa2, integer(4), tlv(0x30, tlv(4, b"kek")), algorithm("2.16.840.1.101.3.4.1.45"), tlv(4, bytes(40)))
    for name, info in (("a serial number of 10 kB", long_serial), ("a key identifier of 10 kB", key_id), ("no serial number", no_serial),
                       ("KEM", kem), ("a password", password), ("a key encryption key", kek), ("a kind nobody knows", tlv(0xa5, b"\1\2\3")),
                       ("an empty one", tlv(0x30)), ("one of 3 MB", w.recipient(OAEP_256, bytes(3_000_000)))):
        for order, infos in (("before", [info, w.standard()]), ("behind", [w.standard(), info])):
            got = smime.unwrap(w.message(infos), keys, ["rsa"])
            tap.ok((got.status, got.output) == ("ok", TEXT), f"{name} {order} ours", got)


# ---- messages by openssl ----------------------------------------------------------------------------------------------
def made_by_openssl(pki, content, path):
    def make(*words):
        return lab.openssl("cms", "-encrypt", "-binary", "-in", path, "-outform", "DER", *words)

    def oaep_options(md):
        return ["-keyopt", "rsa_padding_mode:oaep", "-keyopt", f"rsa_oaep_md:{md}", "-keyopt", f"rsa_mgf1_md:{md}"]
    rsa, rsa2 = pki.certificate("rsa"), pki.certificate("rsa2")
    for cipher in ("aes-128-cbc", "aes-192-cbc", "aes-256-cbc", "aes-128-gcm", "aes-192-gcm", "aes-256-gcm"):
        for form in ([], ["-stream"]):
            ident = ["-keyid"] if form else []
            yield f"{cipher} v1.5 {form}", ["rsa"], make(f"-{cipher}", *form, *ident, rsa)
            yield f"{cipher} OAEP {form}", ["rsa"], make(f"-{cipher}", *form, *ident, "-recip", rsa, *oaep_options("sha256"))
            yield f"{cipher} ECDH {form}", ["p256"], make(f"-{cipher}", *form, *ident, "-recip", pki.certificate("p256"))
            yield f"{cipher} three {form}", ["rsa", "rsa2", "p384"], make(f"-{cipher}", *form, rsa2, rsa, pki.certificate("p384"))
    for md in ("sha1", "sha384", "sha512"):
        yield f"OAEP {md}", ["rsa"], make("-aes-256-gcm", "-recip", rsa, *oaep_options(md))
    for curve, md in (("p256", "sha256"), ("p384", "sha384"), ("bp256", "sha256"), ("p521", "sha512")):
        yield f"ECDH {curve} {md}", [curve], make("-aes-256-cbc", "-recip", pki.certificate(curve), "-keyopt", f"ecdh_kdf_md:{md}")
    yield "a password and a key encryption key beside", ["rsa"], make(
        "-aes-256-cbc", "-secretkey", "00" * 16, "-secretkeyid", "01", "-pwri_password", "x", "-recip", rsa)


def openssl_messages(tap, pki, keys, smime):
    for content in (TEXT, LARGE):
        problems, count = [], 0
        for name, readers, der in made_by_openssl(pki, content, pki.file("content", content)):
            for reader in readers:
                got = smime.unwrap(der, keys, [reader])
                count += 1
                problems += [] if (got.status, got.output) == ("ok", content) else [f"{name} for {reader}: {got}"]
                got = smime.unwrap(der, keys, ["bp256" if reader != "bp256" else "p384"])
                problems += [] if (got.status, got.reason, got.text) == UNDECRYPTABLE else [f"{name}, another key: {got}"]
        tap.ok(not problems, f"{count} messages by openssl, {len(content)} octets: opened by their keys and no other", "\n".join(problems))


def weak_ciphers(tap, pki, keys, smime):
    rsa = pki.certificate("rsa")
    der = lab.openssl("cms", "-encrypt", "-binary", "-in", pki.file("c", TEXT), "-outform", "DER", "-des3", rsa)
    got = smime.unwrap(der, keys, ["rsa"])
    tap.equal((got.status, got.reason), ("permanent", "unsupported"), "3DES is refused")
    asked = len(keys.asked)
    smime.unwrap(der, keys, ["rsa"])
    tap.equal(len(keys.asked), asked, "without asking the key module")
    got = smime.unwrap(der, keys, ["rsa"], weak=True)
    tap.equal((got.output, got.get("weak")), (TEXT, "des-ede3-cbc"), "with weak=yes it is read, and named")
    for cipher, bits in (("rc2-40", 40), ("rc2-64", 64), ("rc2-128", 128)):
        der = lab.openssl("cms", "-encrypt", "-binary", "-in", pki.file("c", TEXT), "-outform", "DER", f"-{cipher}", "-provider", "legacy",
                          "-provider", "default", rsa)
        got = smime.unwrap(der, keys, ["rsa"], weak=True)
        tap.ok((got.status == "ok" and got.output == TEXT and got.get("weak") == "rc2-cbc")
               or (got.status, got.reason) == ("permanent", "unsupported"), f"RC2 with {bits} bits is read, or unsupported", got)
        tap.equal(smime.unwrap(der, keys, ["rsa"]).reason, "unsupported", f"RC2 with {bits} bits is refused without weak=yes")


def candidates(tap, pki, keys, smime):
    ber, _ = lab.split_p7m(smime.encrypt([pki.der("rsa2"), pki.der("p256")], TEXT, cipher="aes-256-gcm").output)
    got = smime.unwrap(ber, keys, ["rsa", "p384", "p256", "rsa2"])
    tap.equal((got.output, got.get("key"), got.get("keytrans")), (TEXT, "test:p256", "ecdh-sha256-aes256"),
              "the first candidate that a RecipientInfo names is taken")
    tap.equal(smime.unwrap(ber, keys, [("missing", pki.der("rsa2")), "p256"], limit=10).reason, "too-large", "limit: too-large")

    def outcome(override, names):
        own = lab.KeyModule(pki, override)
        answer = smime.unwrap(ber, own, names)
        own.close()
        return answer

    def only(name, result):
        return lambda body: result if body.get("key") == f"test:{name}" else None
    got = outcome(only("rsa2", ("permanent", "wrong-key", None)), ["rsa2", "p256"])
    tap.equal((got.output, got.get("key")), (TEXT, "test:p256"), "a key that is refused does not stop the next one")
    got = outcome(only("rsa2", ("ok", None, b"\0" * 32)), ["rsa2", "p256"])
    tap.equal((got.output, got.get("key")), (TEXT, "test:p256"), "nor does a wrong content key")
    got = outcome(only("rsa2", ("temporary", "hsm-down", None)), ["rsa2"])
    tap.equal((got.status, got.reason), ("temporary", "hsm-down"), "the key module's temporary is passed on")
    got = outcome(only("rsa2", ("temporary", "hsm-down", None)), ["rsa2", "p256"])
    tap.equal((got.status, got.output), ("ok", TEXT), "unless another key opens the message")
    got = outcome(only("rsa2", ("interaction", "pin", None)), ["rsa2"])
    tap.equal(got.status, "interaction", "interaction is passed on")
    for name, result in (("refused", ("permanent", "not-granted", None)), ("none", ("none", "no-key", None)),
                         ("wrong key", ("ok", None, b"\1" * 32))):
        got = outcome(only("rsa2", result), ["rsa2"])
        tap.equal((got.status, got.reason, got.text), UNDECRYPTABLE, f"{name}: the one answer for all failures")
    cbc, _ = lab.split_p7m(smime.encrypt([pki.der("rsa2")], TEXT, cipher="aes-128-cbc").output)
    own = lab.KeyModule(pki, lambda body: ("permanent", "not-granted", None))
    answers = {(got.status, got.reason, got.text) for got in (smime.unwrap(cbc, own, ["rsa2"]) for _ in range(1500))}
    own.close()
    tap.equal(answers, {UNDECRYPTABLE}, "a refused key stays refused, also where a random one gives CBC text with good padding")
    got = outcome(only("rsa2", ("ok", None, b"\1" * 31)), ["rsa2"])
    tap.equal(got.status, "temporary", "a content key of the wrong length is the key module's fault, not the message's")


def main():
    tap, pki = lab.Tap(), lab.Pki()
    keys, writer = lab.KeyModule(pki), None
    with lab.Smime() as smime:
        openssl_messages(tap, pki, keys, smime)
        writer = Writer(pki)
        for name, message in good_by_hand(writer):
            got = smime.unwrap(message, keys, ["rsa"], before=b"before")
            tap.ok((got.status, got.output) == ("ok", TEXT), f"read: {name}", got)
        for name, reason, message in bad_by_hand(writer):
            got, asked = asked_for(keys, lambda m=message: smime.unwrap(m, keys, ["rsa"], before=b"before"))
            expected = UNDECRYPTABLE if reason == "undecryptable" else ("permanent", reason, got.text)
            tap.equal((got.status, got.reason, got.text), expected, f"{reason}: {name}")
            if reason == "unsupported":
                tap.equal(asked, 0, "... before the key module is asked")
        long_lists(tap, writer, keys, smime)
        several_for_us(tap, pki, writer, keys, smime)
        odd_identifiers(tap, writer, keys, smime)
        weak_ciphers(tap, pki, keys, smime)
        candidates(tap, pki, keys, smime)
    tap.done()


main()
