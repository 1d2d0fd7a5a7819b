#!/usr/bin/python3
"""The smime module verifies what openssl signs, in every form, and calls bad or unsupported what does not deserve better; certificates
only, compressed data, and types it does not know."""
import os
import sys
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import smime_lab as lab  # noqa: E402
from smime_lab import algorithm, indefinite, integer, oid, tlv, NULL, SHA256  # noqa: E402
from smime_signed import CONTENT_TYPE, DIGEST, ESS_V1, ESS_V2, GOOD, TEXT, TIME, Writer, attribute  # noqa: E402

LARGE = b"Content-Type: text/plain\r\n\r\n" + b"0123456789 abcdefghij\r\n" * 6000
DIGESTS = ("sha224", "sha256", "sha384", "sha512")
FULL = ("rsa sha384", "rsa sha512", "rsa sha224")  # in every variant although the digest is not the usual one
OTHER_TYPE = "1.2.840.113549.1.9.16.1.2"
SHA256_RSA, SHA512_RSA = "1.2.840.113549.1.1.11", "1.2.840.113549.1.1.13"


def flip(data, marker, offset):
    changed = bytearray(data)
    changed[data.rindex(marker) + offset] ^= 1
    return bytes(changed)


# ---- by openssl ---------------------------------------------------------------------------------------------------
def signers_of(pki, *names):
    return [word for name in names for word in ("-signer", pki.certificate(name), "-inkey", pki.key(name))]


def made_by_openssl(pki):
    pss = ["-keyopt", "rsa_padding_mode:pss"]
    yield "rsa", signers_of(pki, "rsa"), 1
    yield "rsa sha384", [*signers_of(pki, "rsa"), "-md", "sha384"], 1
    yield "rsa sha512", [*signers_of(pki, "rsa"), "-md", "sha512"], 1
    yield "rsa sha224", [*signers_of(pki, "rsa"), "-md", "sha224"], 1
    yield "pss, greatest salt", [*signers_of(pki, "rsa"), *pss], 1
    yield "pss sha384, salt 20", [*signers_of(pki, "rsa"), "-md", "sha384", *pss, "-keyopt", "rsa_pss_saltlen:20"], 1
    yield "pss, mgf1 sha1", [*signers_of(pki, "rsa"), *pss, "-keyopt", "rsa_mgf1_md:sha1"], 1
    yield "rsassa-pss key", [*signers_of(pki, "rsapss"), *pss], 1  # without the option openssl 3.0 names the wrong algorithm
    for size in ("rsa3072", "rsa4096", "rsa8192"):
        yield size, signers_of(pki, size), 1
    for curve in ("p256", "p384", "p521", "bp256", "bp384", "bp512"):
        yield curve, signers_of(pki, curve), 1
        for md in DIGESTS:  # shorter and longer than the curve
            yield f"{curve} {md}", [*signers_of(pki, curve), "-md", md], 1
    for at, md in enumerate(DIGESTS):
        for salt in ("0", "20", "digest", "max"):
            words = [*signers_of(pki, "rsa"), "-md", md, *pss, "-keyopt", f"rsa_pss_saltlen:{salt}", "-keyopt",
                     f"rsa_mgf1_md:{DIGESTS[(at + len(salt)) % 4]}"]
            yield f"pss {md}, salt {salt}, another mask", words, 1
    yield "rsassa-pss key bound to sha384", [*signers_of(pki, "rsapss384"), "-md", "sha384", *pss], 1
    yield "two signers", signers_of(pki, "rsa", "p256"), 2
    yield "cades", [*signers_of(pki, "rsa"), "-cades"], 1


def openssl_messages(tap, pki, smime):
    for label, words, count in made_by_openssl(pki):
        problems, brief = [], "-md" in words and label not in FULL
        for content in (TEXT,) if brief else (TEXT, LARGE):
            path = pki.file("content", content)
            for variant in ([], ["-noattr"]) if brief else ([], ["-noattr"], ["-keyid"], ["-stream"]):
                if (label == "cades" and "-noattr" in variant) or ("-stream" in variant and "-keyopt" in words):
                    continue  # a contradiction; openssl 3.0 cannot stream PSS
                der = lab.openssl("cms", "-sign", "-binary", "-nodetach", "-in", path, "-outform", "DER", *variant, *words)
                got = smime.unwrap(der)
                if got.signers() != [GOOD] * count or got.output != content:
                    problems.append(f"opaque {variant}: {got}")
                got = smime.unwrap(flip(der, b"\r\n\r\n", 6))
                if any(result != "bad" for result, _ in got.signers()) or len(got.signers()) != count:
                    problems.append(f"opaque {variant}, content changed: {got}")
                if "-stream" in variant:
                    continue
                der = lab.openssl("cms", "-sign", "-binary", "-in", path, "-outform", "DER", *variant, *words)
                if smime.unwrap(der, signed=content).signers() != [GOOD] * count:
                    problems.append(f"detached {variant}: {got}")
                if smime.unwrap(der, signed=content.replace(b"\r\n", b"\n")).signers() != [GOOD] * count:
                    problems.append(f"detached {variant}, line ends LF: {got}")
                if any(result != "bad" for result, _ in smime.unwrap(der, signed=content + b"\r\n").signers()):
                    problems.append(f"detached {variant}, content longer: {got}")
                changed = bytearray(der)
                changed[-9] ^= 1
                results = smime.unwrap(bytes(changed), signed=content).signers()
                if count == 1 and [result for result, _ in results] != ["bad"]:
                    problems.append(f"detached {variant}, signature changed: {results}")
        tap.ok(not problems, f"by openssl: {label}", "\n".join(problems))


# ---- by hand: every detail of a SignerInfo open to change -----------------------------------------------------------
def attributes(tap, w, smime):
    ess = lambda der: attribute(ESS_V2, tlv(0x30, tlv(0x30, tlv(0x30, tlv(4, lab.hashlib.sha256(der).digest())))))  # noqa: E731
    two = tlv(0x30, tlv(0x30, tlv(0x30, tlv(4, lab.hashlib.sha256(w.pki.der("rsa")).digest())), tlv(0x30, tlv(4, b"x" * 32))))
    late = attribute(TIME, tlv(0x18, b"99991231235959Z"))
    for name, attrs, expected in (
            ("all three", w.standard, GOOD),
            ("without signingTime", w.standard[:2], GOOD),
            ("in another order", w.standard[::-1], GOOD),
            ("an attribute nobody knows", [*w.standard, attribute("1.2.3.4", NULL)], GOOD),
            ("signingTime in the year 9999", [*w.standard[:2], late], GOOD),
            ("signingCertificateV2 of this certificate", [*w.standard, ess(w.pki.der("rsa"))], GOOD),
            ("signingCertificateV2 of several, this one first", [*w.standard, attribute(ESS_V2, two)], GOOD),
            ("signingCertificateV2 of another certificate", [*w.standard, ess(w.pki.der("rsa2"))], ("bad", "other-certificate")),
            ("signingCertificateV2 damaged", [*w.standard, attribute(ESS_V2, tlv(0x30))], ("bad", "other-certificate")),
            ("signingCertificateV2 twice", [*w.standard, ess(w.pki.der("rsa")), ess(w.pki.der("rsa"))], ("bad", "attributes")),
            ("contentType differs", [attribute(CONTENT_TYPE, oid(OTHER_TYPE)), *w.standard[1:]], ("bad", "content-type")),
            ("contentType unknown", [attribute(CONTENT_TYPE, oid("1.2.3.4.5")), *w.standard[1:]], ("bad", "content-type")),
            ("no contentType", w.standard[1:], ("bad", "attributes")),
            ("contentType twice", [w.type_attribute, *w.standard], ("bad", "attributes")),
            ("two values of contentType", [attribute(CONTENT_TYPE, oid(lab.DATA), oid(lab.DATA)), *w.standard[1:]], ("bad", "attributes")),
            ("contentType of another kind", [attribute(CONTENT_TYPE, NULL), *w.standard[1:]], ("bad", "attributes")),
            ("no messageDigest", [w.type_attribute, w.time_attribute], ("bad", "attributes")),
            ("messageDigest twice", [*w.standard, w.digest_attribute], ("bad", "attributes")),
            ("messageDigest twice, one wrong", [*w.standard, attribute(DIGEST, tlv(4, b"x" * 32))], ("bad", "attributes")),
            ("no value of messageDigest", [w.type_attribute, attribute(DIGEST)], ("bad", "attributes")),
            ("messageDigest cut", [w.type_attribute, attribute(DIGEST, tlv(4, w.digest[:31]))], ("bad", "content")),
            ("messageDigest wrong", [w.type_attribute, attribute(DIGEST, tlv(4, b"x" * 32))], ("bad", "content")),
            ("signingTime twice", [*w.standard, w.time_attribute], ("bad", "attributes")),
            ("signingTime of another kind", [*w.standard[:2], attribute(TIME, tlv(4, b"261121120000Z"))], ("bad", "attributes")),
            ("signingTime with bad syntax", [*w.standard[:2], attribute(TIME, tlv(0x17, b"26112112"))], ("bad", "attributes")),
            ("an empty set", [], ("bad", "attributes")),
            ("no attributes", None, GOOD)):
        got = smime.unwrap(w.message(w.signer(attrs)))
        tap.ok(got.signers() == [expected] and got.output == TEXT, f"attributes: {name}: {expected[0]} {expected[1]}", got)
    ordered = tlv(0x31, *sorted(w.standard))
    for name, signature, expected in (("as they should be", ordered, GOOD), ("in a third order", tlv(0x31, w.standard[2], *w.standard[:2]),
                                                                            ("bad", "signature"))):
        got = smime.unwrap(w.message(w.signer(sorted(w.standard)[::-1], signature=w.sign(signature))))
        tap.equal(got.signers(), [expected], f"attributes: sent in another order than DER's, signed {name}: {expected[0]} {expected[1]}")
    counter = attribute("1.2.840.113549.1.9.6", tlv(0x30))
    for name, message, expected in (
            ("an unsigned countersignature", w.signer(w.standard, unsigned=[counter]), GOOD),
            ("a signed countersignature", w.signer([*w.standard, counter]), ("bad", "attributes")),
            ("signingTime unsigned", w.signer(w.standard[:2], unsigned=[w.time_attribute]), ("bad", "attributes")),
            ("signingTime unsigned, nothing signed", w.signer(None, unsigned=[w.time_attribute]), ("bad", "attributes")),
            ("messageDigest unsigned too", w.signer(w.standard, unsigned=[w.digest_attribute]), ("bad", "attributes")),
            ("contentType unsigned too", w.signer(w.standard, unsigned=[w.type_attribute]), ("bad", "attributes"))):
        tap.equal(smime.unwrap(w.message(message)).signers(), [expected], f"attributes: {name}: {expected[0]} {expected[1]}")
    capabilities = "1.2.840.113549.1.9.15"
    for count, told in ((3, 1), (5000, 0)):
        several = attribute(capabilities, tlv(0x30, *[algorithm("1.2.3")] * count))
        signer = smime.unwrap(w.message(w.signer([*w.standard, several]))).body.find(lab.N + "signer")
        tap.equal((signer.get("result"), len(signer.findall(lab.N + "capabilities"))), ("good", told),
                  f"{count} capabilities are {'told' if told else 'too much for an answer'}")
    later = smime.unwrap(w.message(w.signer([*w.standard[:2], late]))).body.find(lab.N + "signer").get("signing-time")
    tap.equal(later, "9999-12-31T23:59:59Z", "signingTime is told")


def signature_forms(tap, w, smime):
    signed = tlv(0x31, *w.standard)
    for name, message, expected in (
            ("sha256WithRSAEncryption", w.message(w.signer(w.standard, signature_algorithm=algorithm(SHA256_RSA, NULL))), GOOD),
            ("another digest in the signature algorithm", w.message(w.signer(
                w.standard, signature_algorithm=algorithm(SHA512_RSA, NULL), signature=w.sign(signed, "sha512"))), ("bad", "algorithm-mismatch")),
            ("an unknown signature algorithm", w.message(w.signer(w.standard, signature_algorithm=algorithm("1.2.3.4"))),
             ("unsupported", "unknown-algorithm")),
            ("an EC algorithm for an RSA key", w.message(w.signer(w.standard, signature_algorithm=algorithm("1.2.840.10045.4.3.2"))),
             ("bad", "signature")),
            ("PSS without parameters", w.message(w.signer(w.standard, signature_algorithm=algorithm("1.2.840.113549.1.1.10"))),
             ("bad", "algorithm-mismatch")),
            ("an unknown digest", w.message(w.signer(w.standard, digest="1.2.3.4"), digests=("1.2.3.4",)), ("unsupported", "unknown-digest")),
            ("MD4", w.message(w.signer(w.standard, digest="1.2.840.113549.2.4"), digests=("1.2.840.113549.2.4",)),
             ("unsupported", "unknown-digest")),
            ("a digest that was not announced", w.message(w.signer(w.standard), digests=(lab.SHA1,)), ("unsupported", "digest-not-announced")),
            ("no octets of signature", w.message(w.signer(w.standard, signature=b"\0")), ("bad", "signature")),
            ("no certificate", w.message(w.signer(w.standard), certificates=[]), ("unsupported", "no-certificate")),
            ("another certificate", w.message(w.signer(w.standard), certificates=[w.pki.der("rsa2")]), ("unsupported", "no-certificate")),
            ("an undecodable SignerInfo", w.message(tlv(0x30, NULL)), ("unsupported", "unreadable")),
            ("a SignerInfo of version 7", w.message(w.signer(w.standard, version=7)), ("unsupported", "unreadable")),
            ("another content type, attributes agree", w.message(w.signer([attribute(CONTENT_TYPE, oid(OTHER_TYPE)), *w.standard[1:]]),
                                                                econtent_type=OTHER_TYPE), ("unsupported", "content-type")),
            ("another content type, no attributes", w.message(w.signer(None), econtent_type=OTHER_TYPE), ("unsupported", "content-type")),
            ("two content types nobody knows", w.message(w.signer([attribute(CONTENT_TYPE, oid("1.2.3.4")), *w.standard[1:]]),
                                                         econtent_type="1.2.3.5"), ("unsupported", "content-type"))):
        got = smime.unwrap(message)
        tap.ok(got.signers() == [expected] and got.output == TEXT, f"signature: {name}: {expected[0]} {expected[1]}", got)
    got = smime.unwrap(w.message(tlv(0x30, NULL), w.signer(w.standard)))
    tap.equal(got.signers(), [("unsupported", "unreadable"), GOOD], "one undecodable SignerInfo does not hide another")
    got = smime.unwrap(w.message(w.signer(w.standard), certificates=[]), certificates=[w.pki.der("rsa2"), w.pki.der("rsa")])
    tap.equal(got.signers(), [GOOD], "a certificate that is missing inside may come with the request")
    got = smime.unwrap(w.message(w.signer(w.standard), certificates=[]))
    issuer, serial = lab.issuer_and_serial(w.pki.der("rsa"))
    identifier = got.body.find(lab.N + "signer").find(lab.N + "identifier")
    tap.equal((identifier.get("issuer"), identifier.get("serial")), (lab.b64(issuer), lab.take(serial)[1].hex()),
              "without certificate the signer's identifier is told")
    renewed = renew(w.pki)
    named = attribute(ESS_V2, tlv(0x30, tlv(0x30, tlv(0x30, tlv(4, lab.hashlib.sha256(renewed).digest())))))
    got = smime.unwrap(w.message(w.signer([*w.standard, named]), certificates=[w.pki.der("rsa"), renewed]))
    tap.ok(got.signers() == [GOOD] and got.body.find(lab.N + "signer").get("fingerprint") == lab.hashlib.sha256(renewed).hexdigest(),
           "of two certificates with one issuer, serial and key, the one that the signature names", got)
    got = smime.unwrap(w.message(w.signer([*w.standard, named]), certificates=[w.pki.der("rsa")]), certificates=[renewed])
    tap.equal(got.signers(), [GOOD], "also when that one comes with the request")
    ski = lab.openssl("x509", "-in", w.pki.certificate("rsa"), "-noout", "-ext", "subjectKeyIdentifier").split()[-1].replace(b":", b"").lower()
    by_key = tlv(0x80, bytes.fromhex(ski.decode()))
    tap.equal(smime.unwrap(w.message(w.signer(w.standard, version=3, sid=by_key))).signers(), [GOOD], "signer by key identifier")
    got = smime.unwrap(w.message(w.signer(w.standard, version=3, sid=by_key), certificates=[]))
    tap.equal(got.body.find(lab.N + "signer").find(lab.N + "identifier").get("ski"), ski.decode(), "whose identifier is told too")


def renew(pki):
    """Another certificate for the same key, with the same serial number."""
    serial = lab.openssl("x509", "-in", pki.certificate("rsa"), "-noout", "-serial").decode().strip().split("=")[1]
    lab.openssl("x509", "-req", "-in", pki.path / "rsa.csr", "-CA", pki.path / "ca.pem", "-CAkey", pki.path / "ca.key", "-set_serial",
                f"0x{serial}", "-days", "10", "-out", pki.path / "renewed.pem")
    return lab.pem_to_der((pki.path / "renewed.pem").read_bytes())


SHA512, SHAKE256, SHAKE256_LEN = "2.16.840.1.101.3.4.2.3", "2.16.840.1.101.3.4.2.12", "2.16.840.1.101.3.4.2.18"


def edwards_message(w, name, identifier, digest, octets, change=0, attributes=True):
    """Signed by an Ed25519 or Ed448 key: the attributes themselves, or without them the content."""
    pki = w.pki
    attrs = [w.type_attribute, attribute(DIGEST, tlv(4, octets))] if attributes else None
    path = pki.file("attributes", tlv(0x31, *attrs) if attributes else TEXT)
    signature = bytearray(lab.openssl("pkeyutl", "-sign", "-rawin", "-inkey", pki.key(name), "-in", path))
    signature[5] ^= change
    sid = tlv(0x30, *lab.issuer_and_serial(pki.der(name)))
    signer = tlv(0x30, integer(1), sid, digest, tlv(0xa0, *attrs) if attributes else b"", algorithm(identifier), tlv(4, bytes(signature)))
    encap = tlv(0x30, oid(lab.DATA), tlv(0xa0, tlv(4, TEXT)))
    body = tlv(0x30, integer(1), tlv(0x31, digest), encap, tlv(0xa0, pki.der(name)), tlv(0x31, signer))
    return tlv(0x30, oid(lab.SIGNED), tlv(0xa0, body))


def edwards(tap, w, smime):
    sha512, shake256 = lab.hashlib.sha512(TEXT).digest(), lab.hashlib.shake_256(TEXT).digest(64)
    rows = (("ed25519", "1.3.101.112", "Ed25519 with SHA-512", algorithm(SHA512), sha512),
            ("ed448", "1.3.101.113", "Ed448 with SHAKE256", algorithm(SHAKE256), shake256),
            ("ed448", "1.3.101.113", "Ed448 with SHAKE256 of 512 bits (RFC 8419)", algorithm(SHAKE256_LEN, integer(512)), shake256))
    for name, identifier, label, digest, octets in rows:
        got = smime.unwrap(edwards_message(w, name, identifier, digest, octets))
        tap.ok(got.signers() == [GOOD] and got.body.find(lab.N + "signer").get("scheme") == name, label, got)
        got = smime.unwrap(edwards_message(w, name, identifier, digest, octets, change=1))
        tap.equal(got.signers(), [("bad", "signature")], f"{label}, signature changed: bad")
        got = smime.unwrap(edwards_message(w, name, identifier, digest, octets[:-1] + b"x"))
        tap.equal(got.signers(), [("bad", "content")], f"{label}, another digest: bad")
        got = smime.unwrap(edwards_message(w, name, identifier, digest, octets, attributes=False))
        tap.equal(got.signers(), [("unsupported", "unknown-algorithm")], f"{label}, no attributes: unsupported")
        got = smime.unwrap(edwards_message(w, name, "1.3.101.113" if name == "ed25519" else "1.3.101.112", digest, octets))
        tap.equal(got.signers(), [("bad", "signature")], f"{label}, called by the other one's name: bad")
    for label, digest in (("SHAKE256 of 256 bits", algorithm(SHAKE256_LEN, integer(256))), ("SHAKE256-LEN without length",
                                                                                         algorithm(SHAKE256_LEN))):
        got = smime.unwrap(edwards_message(w, "ed448", "1.3.101.113", digest, shake256))
        tap.equal(got.signers(), [("unsupported", "unknown-digest")], f"{label}: unsupported")


def newer(tap, w, smime):
    """SHA-3 and SHAKE (RFC 8702) are not known here: unsupported, never invalid."""
    for md in ("sha3-256", "sha3-512"):
        der = lab.openssl("cms", "-sign", "-binary", "-nodetach", "-in", w.pki.file("c", TEXT), "-outform", "DER", *signers_of(w.pki, "rsa"),
                          "-md", md)
        tap.equal(smime.unwrap(der).signers(), [("unsupported", "unknown-digest")], f"{md}: unsupported")
    shake = [w.type_attribute, attribute(DIGEST, tlv(4, lab.hashlib.shake_256(TEXT).digest(64)))]
    for label, identifier in (("RSA over SHAKE256, rsaEncryption", lab.RSA), ("RSASSA-PSS-SHAKE256", "1.3.6.1.5.5.7.6.31"),
                              ("ecdsa-with-shake256", "1.3.6.1.5.5.7.6.33")):
        got = smime.unwrap(w.message(w.signer(shake, digest=SHAKE256, signature_algorithm=algorithm(identifier), signature=b"s" * 256),
                                     digests=(SHAKE256,)))
        tap.equal(got.signers(), [("unsupported", "unknown-algorithm")], f"{label}: unsupported")


def named_certificates(tap, w, smime):
    """ESS signingCertificate (RFC 2634) binds as signingCertificateV2 (RFC 5035) does."""
    own, other = w.pki.der("rsa"), w.pki.der("rsa2")

    def first(der):
        return attribute(ESS_V1, tlv(0x30, tlv(0x30, tlv(0x30, tlv(4, lab.hashlib.sha1(der).digest())))))

    def second(der):
        return attribute(ESS_V2, tlv(0x30, tlv(0x30, tlv(0x30, tlv(4, lab.hashlib.sha256(der).digest())))))
    for label, attributes, expected in (
            ("signingCertificate", [first(own)], GOOD), ("both", [first(own), second(own)], GOOD),
            ("signingCertificate of another", [first(other)], ("bad", "other-certificate")),
            ("both, the older of another", [first(other), second(own)], ("bad", "other-certificate")),
            ("both, the newer of another", [first(own), second(other)], ("bad", "other-certificate")),
            ("signingCertificate twice", [first(own), first(own)], ("bad", "attributes")),
            ("signingCertificate of another type", [attribute(ESS_V1, NULL)], ("bad", "attributes"))):
        got = smime.unwrap(w.message(w.signer(sorted([*w.standard, *attributes]))))
        tap.equal(got.signers(), [expected], f"{label}: {expected[0]} {expected[1]}")


def weak_digests(tap, pki, smime):
    for md in ("sha1", "md5"):
        der = lab.openssl("cms", "-sign", "-binary", "-nodetach", "-in", pki.file("c", TEXT), "-outform", "DER", *signers_of(pki, "rsa"),
                          "-md", md)
        got = smime.unwrap(der)
        tap.ok(got.signers() == [("unsupported", "weak-digest")] and got.get("weak") is None, f"{md}: unsupported, weak-digest", got)
        got = smime.unwrap(der, weak=True)
        tap.ok(got.signers() == [GOOD] and got.get("weak") == md, f"{md} with weak=yes: good, and named", got)
        got = smime.unwrap(flip(der, b"\r\n\r\n", 6), weak=True)
        tap.equal(got.signers(), [("bad", "content")], f"{md} with weak=yes: still bad when it does not fit")


def quoted_printable(octets):
    return b"".join(b"=%02X" % octet + (b"=\r\n" if i % 20 == 19 else b"") for i, octet in enumerate(octets))


def shapes(tap, w, smime):
    signer = w.signer(w.standard)
    got = smime.unwrap(w.message(signer, seq=indefinite))
    tap.ok(got.signers() == [GOOD] and got.output == TEXT, "indefinite lengths", got)
    encap = indefinite(0x30, oid(lab.DATA), indefinite(0xa0, indefinite(0x24, tlv(4, TEXT[:7]), indefinite(0x24, tlv(4), tlv(4, TEXT[7:])))))
    body = tlv(0x30, integer(1), tlv(0x31, algorithm(SHA256, NULL)), encap, tlv(0xa0, w.pki.der("rsa")), tlv(0x31, signer))
    got = smime.unwrap(tlv(0x30, oid(lab.SIGNED), tlv(0xa0, body)))
    tap.ok(got.signers() == [GOOD] and got.output == TEXT, "nested octet strings", got)
    got = smime.unwrap(w.message(signer), signed=TEXT)
    tap.ok(got.signers() == [GOOD] and got.output == b"", "detached, content inside too: the entity outside counts", got)
    got = smime.unwrap(w.message(signer), signed=b"Content-Type: text/plain\r\n\r\nforged\r\n")
    tap.ok(got.signers() == [("bad", "content")], "and another entity outside is not signed by what is inside", got)
    got = smime.unwrap(w.message(signer, content=None))
    tap.equal((got.status, got.reason), ("permanent", "damaged"), "a signature without any content")
    got = smime.unwrap(w.message(content=None))
    tap.ok(got.get("type") == "certs-only" and len(got.body.findall(lab.N + "certificate")) == 1, "certificates only", got)
    got = smime.unwrap(w.message())
    tap.ok((got.get("type"), got.signers(), got.output) == ("signed", [], TEXT), "content without signers: signed by nobody", got)
    got = smime.unwrap(w.message(signer, certificates=[tlv(0xa1, NULL), w.pki.der("rsa"), tlv(0xa3, oid("1.2.3"))], crls=tlv(0xa1, tlv(
        0x30, NULL), tlv(0xa1, oid("1.2.3")))))
    tap.ok(got.signers() == [GOOD] and len(got.body.findall(lab.N + "certificate")) == 1 and len(got.body.findall(lab.N + "crl")) == 1,
           "other certificates and revocation information are passed over", got)
    for name, message, reason in (
            ("trailing octets", w.message(signer, tail=b"\0"), "damaged"),
            ("an element too many", w.message(signer, extra=NULL), "damaged"),
            ("version 0", w.message(signer, version=0), "damaged"),
            ("version 6", w.message(signer, version=6), "damaged"),
            ("cut", w.message(signer)[:-1], "damaged"),
            ("17 signers", w.message(*[signer] * 17), "unsupported"),
            ("101 certificates", w.message(signer, certificates=[w.pki.der("rsa")] * 101), "unsupported"),
            ("no CMS at all", b"Hello", "damaged"),
            ("nothing", b"", "damaged"),
            ("data", tlv(0x30, oid(lab.DATA), tlv(0xa0, tlv(4, TEXT))), "unsupported"),
            ("digestedData", tlv(0x30, oid("1.2.840.113549.1.7.5"), tlv(0xa0, tlv(0x30, integer(0)))), "unsupported"),
            ("encryptedData", tlv(0x30, oid("1.2.840.113549.1.7.6"), tlv(0xa0, tlv(0x30, integer(0)))), "unsupported"),
            ("an unknown type", tlv(0x30, oid("1.2.3.4"), tlv(0xa0, tlv(0x30, integer(0)))), "unsupported")):
        got = smime.unwrap(message)
        tap.equal((got.status, got.reason), ("permanent", reason), f"{name}: {reason}")
    tap.equal(smime.unwrap(w.message(signer), limit=len(TEXT) - 1).reason, "too-large", "content larger than limit")
    tap.equal(smime.unwrap(w.message(*[signer] * 16)).signers(), [GOOD] * 16, "16 signers are still judged")
    for tail, octets in (("LF", b"\n"), ("CRLF", b"\r\n")):
        got = smime.unwrap(w.message(signer, tail=octets))
        tap.ok(got.signers() == [GOOD], f"{tail} behind it in binary transfer encoding is a line end")
        got = smime.unwrap(lab.base64.encodebytes(w.message(signer, tail=octets)), encoding="base64")
        tap.equal(got.reason, "damaged", f"{tail} inside base64 is not")
        got = smime.unwrap(quoted_printable(w.message(signer, tail=octets)), encoding="quoted-printable")
        tap.ok(got.signers() == [GOOD], f"{tail} behind it in quoted-printable: its last line has no soft break")
    for octets in (b"\r", b"\n\n", b"\r\n\n", b"\0", b"\n\0"):
        tap.equal(smime.unwrap(w.message(signer, tail=octets)).reason, "damaged", f"{octets!r} behind it: damaged")
        got = smime.unwrap(quoted_printable(w.message(signer, tail=octets)), encoding="quoted-printable")
        tap.equal(got.reason, "damaged", f"{octets!r} behind it in quoted-printable: damaged")
    for encoding, encoded in (("base64", lab.base64.encodebytes(w.message(signer))),
                              ("base64", lab.base64.encodebytes(w.message(signer)).replace(b"\n", b"\r\n")),
                              ("quoted-printable", quoted_printable(w.message(signer)))):
        tap.equal(smime.unwrap(encoded, encoding=encoding).signers(), [GOOD], f"transfer encoding {encoding}")


def compressed(tap, smime):
    def message(octets, seq=tlv, level="1.2.840.113549.1.9.16.3.8", inner=lab.DATA, version=0, tail=b"", cut=lambda o: tlv(4, o)):
        encap = seq(0x30, oid(inner), seq(0xa0, cut(octets)))
        return seq(0x30, oid(lab.COMPRESSED), seq(0xa0, seq(0x30, integer(version), algorithm(level), encap))) + tail
    packed = zlib.compress(LARGE)
    for name, data in (("definite", message(packed)), ("indefinite", message(packed, indefinite)),
                       ("in segments", message(packed, cut=lambda o: indefinite(0x24, *(tlv(4, o[i:i + 3]) for i in range(0, len(o), 3)))))):
        got = smime.unwrap(data)
        tap.ok((got.get("type"), got.output) == ("compressed", LARGE), f"compressed, {name}", got)
    bomb = zlib.compress(bytes(50_000_000))
    for name, data, reason in (
            ("a bomb", message(bomb), "too-large"),
            ("octets behind the stream", message(packed + b"x"), "damaged"),
            ("a second stream behind it, in a segment of its own", message(packed, cut=lambda o: indefinite(0x24, tlv(4, o), tlv(4, o))), "damaged"),
            ("a stream that ends early", message(packed[:-1]), "damaged"),
            ("a wrong checksum", message(packed[:-1] + bytes([packed[-1] ^ 1])), "damaged"),
            ("no stream", message(b""), "damaged"),
            ("another compression", message(packed, level="1.2.3.4"), "unsupported"),
            ("another inner type", message(packed, inner=lab.SIGNED), "unsupported"),
            ("version 1", message(packed, version=1), "damaged"),
            ("trailing octets", message(packed, tail=b"\0"), "damaged")):
        got = smime.unwrap(data, limit=1_000_000)
        tap.equal((got.status, got.reason), ("permanent", reason), f"compressed: {name}: {reason}")


def main():
    tap, pki = lab.Tap(), lab.Pki()
    with lab.Smime() as smime:
        openssl_messages(tap, pki, smime)
        w = Writer(pki)
        attributes(tap, w, smime)
        signature_forms(tap, w, smime)
        edwards(tap, w, smime)
        newer(tap, w, smime)
        named_certificates(tap, w, smime)
        weak_digests(tap, pki, smime)
        shapes(tap, w, smime)
        compressed(tap, smime)
    tap.done()


main()
