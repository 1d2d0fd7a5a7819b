#!/usr/bin/python3
"""What the smime module signs is verified by openssl, gpgsm and NSS, and by itself; its SignedData says what design section 10 wants."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import smime_lab as lab  # noqa: E402

# Canonical line ends throughout, so that gpgsm and NSS, which take octets as they are, hash the same.
CONTENT = b"Content-Type: text/plain\r\n\r\nHello\r\nFrom here\r\n.\r\nsecond line\r\n"
LF_CONTENT = lab.canonical(CONTENT).replace(b"\r\n", b"\n")
LARGE = b"Content-Type: text/plain\r\n\r\n" + b"0123456789 abcdefghij\r\n" * 9000

# certificate, wish, digest, the scheme that must come of it
MATRIX = [
    ("rsa", "pkcs1", "sha256", "rsa-pkcs1-sha256"),
    ("rsa", "pkcs1", "sha384", "rsa-pkcs1-sha384"),
    ("rsa", "pkcs1", "sha512", "rsa-pkcs1-sha512"),
    ("rsa", "pss", "sha256", "rsa-pss-sha256"),
    ("rsa", "pss", "sha384", "rsa-pss-sha384"),
    ("rsa", "pss", "sha512", "rsa-pss-sha512"),
    ("rsapss", "pkcs1", "sha256", "rsa-pss-sha256"),
    ("rsapss384", "pkcs1", "sha256", "rsa-pss-sha384"),
    ("p256", "pkcs1", "sha256", "ecdsa-sha256"),
    ("p384", "pss", "sha384", "ecdsa-sha384"),
    ("p521", "pss", "sha512", "ecdsa-sha512"),
    ("bp256", "pkcs1", "sha256", "ecdsa-sha256"),
    ("bp384", "pkcs1", "sha256", "ecdsa-sha256"),
    ("bp512", "pkcs1", "sha512", "ecdsa-sha512"),
    ("ed25519", "pss", "sha256", "ed25519"),
    ("rsa3072", "pss", "sha256", "rsa-pss-sha256"),
    ("rsa4096", "pkcs1", "sha256", "rsa-pkcs1-sha256"),
    ("rsa8192", "pkcs1", "sha256", "rsa-pkcs1-sha256"),
]
NOT_OPENSSL = {"ed25519"}                                      # not in OpenSSL 3.0's CMS
NOT_GPGSM = {"p521", "rsapss384", "ed25519"}                   # gpgsm 2.2.40 refuses openssl's own messages of these kinds too
NOT_NSS = {"rsapss", "rsapss384", "bp256", "bp384", "bp512", "ed25519"}  # so does NSS 3.87


class Verifiers:
    def __init__(self, pki):
        self.pki = pki
        self.gpg, self.nss = pki.path / "gpg", pki.path / "nss"
        self.gpg.mkdir(mode=0o700)
        (self.gpg / "gpgsm.conf").write_text("disable-crl-checks\n")
        fingerprint = lab.openssl("x509", "-in", pki.path / "ca.pem", "-noout", "-fingerprint", "-sha1").decode().strip().split("=")[1]
        (self.gpg / "trustlist.txt").write_text(f"{fingerprint} S relax\n")
        self.run("gpgsm", "--homedir", self.gpg, "-q", "--import", pki.path / "ca.pem")
        self.nss.mkdir()
        self.run("certutil", "-N", "-d", f"sql:{self.nss}", "--empty-password")
        self.run("certutil", "-A", "-d", f"sql:{self.nss}", "-n", "ca", "-t", "CT,C,C", "-i", pki.path / "ca.pem")

    @staticmethod
    def run(*words):
        return subprocess.run([*map(str, words)], capture_output=True, check=False, stdin=subprocess.DEVNULL)

    def openssl(self, entity):
        """Verifies the whole MIME entity; returns the content or None."""
        out = self.pki.path / "openssl.out"
        run = self.run("openssl", "cms", "-verify", "-inform", "SMIME", "-in", self.pki.file("m.eml", b"MIME-Version: 1.0\n" + entity),
                       "-CAfile", self.pki.path / "ca.pem", "-purpose", "smimesign", "-out", out)
        return out.read_bytes() if run.returncode == 0 else None

    def gpgsm(self, signature, content=None):
        words = [self.pki.file("m.p7s", signature)] + ([self.pki.file("m.txt", content)] if content is not None else [])
        out = self.run("gpgsm", "--homedir", self.gpg, "--status-fd", "1", "--verify", *words).stdout
        return b"GOODSIG" in out and b"VALIDSIG" in out

    def cmsutil(self, signature, content=None):
        words = ["-c", self.pki.file("m.txt", content)] if content is not None else []
        run = self.run("cmsutil", "-D", "-d", f"sql:{self.nss}", "-i", self.pki.file("m.p7s", signature), "-n", *words)
        return run.returncode == 0 and b"Mismatch" not in run.stdout + run.stderr

    def close(self):
        self.run("gpgconf", "--homedir", self.gpg, "--kill", "all")


def matrix(tap, pki, keys, smime, verifiers):
    for name, wish, digest, scheme in MATRIX:
        for form in ("clear", "opaque"):
            content = LARGE if (name, digest) == ("rsa", "sha256") else CONTENT
            eol = "crlf" if name == "p256" else "lf"
            label = f"{name} {wish} {digest} {form}"
            got = smime.sign(keys, content, name, form=form, rsa=wish, digest=digest, eol=eol)
            if not tap.ok(got.status == "ok" and got.get("scheme") == scheme, f"{label}: signed with {scheme}", got):
                continue
            if form == "clear":
                entity, der, _ = lab.split_clear(got.output)
                tap.equal(entity, content, f"{label}: the entity stands as it was")
                checked = smime.unwrap(der, signed=entity)
                detached = content
            else:
                der, _ = lab.split_p7m(got.output)
                checked = smime.unwrap(der)
                tap.equal(checked.output, content, f"{label}: the content comes back")
                detached = None
            tap.equal(checked.signers(), [("good", "fits")], f"{label}: verifies here")
            if name not in NOT_OPENSSL:
                tap.equal(verifiers.openssl(got.output), content, f"{label}: openssl verifies")
            if name not in NOT_GPGSM:
                tap.ok(verifiers.gpgsm(der, detached), f"{label}: gpgsm verifies")
            if name not in NOT_NSS:
                tap.ok(verifiers.cmsutil(der, detached), f"{label}: NSS verifies")


def parts_of(der):
    """A SignedData in order: its certificates, and of the first SignerInfo digest algorithm, attributes (as SET), signature algorithm and
    signature."""
    fields = lab.children(lab.take(lab.take(lab.children(lab.take(der)[1])[1])[1])[1])
    certificates = next(lab.children(lab.take(field)[1]) for field in fields if field[0] == 0xa0)
    _, _, digest, attributes, algorithm, signature = lab.children(lab.take(lab.children(lab.take(fields[-1])[1])[0])[1])
    return certificates, digest, b"\x31" + attributes[1:], algorithm, lab.take(signature)[1]


def values_of(attributes):
    """{OID as DER: value} of attributes with one value each."""
    found = {}
    for element in lab.children(lab.take(attributes)[1]):
        identifier, values = lab.children(lab.take(element)[1])
        found[identifier], = lab.children(lab.take(values)[1])
    return found


def ed25519(tap, pki, keys, smime):
    """RFC 8419, taken apart by hand."""
    got = smime.sign(keys, CONTENT, "ed25519", digest="sha256")
    entity, der, header = lab.split_clear(got.output)
    _, digest, attributes, algorithm, signature = parts_of(der)
    tap.ok(b"micalg=sha-512;" in header and digest == lab.algorithm("2.16.840.1.101.3.4.2.3") and algorithm == lab.algorithm("1.3.101.112"),
           "Ed25519 goes with SHA-512, whatever was wished for", header)
    tap.equal(values_of(attributes)[lab.oid("1.2.840.113549.1.9.4")], lab.tlv(4, lab.hashlib.sha512(lab.canonical(entity)).digest()),
              "so the content's digest is SHA-512")
    run = lab.openssl("pkeyutl", "-verify", "-rawin", "-certin", "-inkey", pki.certificate("ed25519"), "-in", pki.file("a", attributes),
                      "-sigfile", pki.file("s", signature), check=False)
    tap.ok(run.returncode == 0, "openssl verifies the signature over the attributes themselves", run.stderr)


def signed_along(tap, pki, keys, smime):
    """What stands in the signature, by independent reading."""
    chain = [pki.der(name) for name in ("rsa2", "p256", "p384", "bp256")]
    for order in (chain, chain[::-1]):
        for form in ("clear", "opaque"):
            got = smime.sign(keys, CONTENT, "rsa", form=form, chain=order)
            if form == "clear":
                certificates = parts_of(lab.split_clear(got.output)[1])[0]
            else:
                certificates = opaque_certificates(lab.split_p7m(got.output)[0])
            tap.equal(certificates, [pki.der("rsa"), *order], f"{form}: the signer's certificate first, then the others as they were given")
    attributes = parts_of(lab.split_clear(smime.sign(keys, CONTENT, "rsa").output)[1])[2]
    values = values_of(attributes)
    elements = lab.children(lab.take(attributes)[1])
    tap.equal(elements, sorted(elements), "the attributes stand in DER order")
    time = values[lab.oid("1.2.840.113549.1.9.5")]
    tap.ok(time[0] == 0x17 and len(time) == 15 and time.endswith(b"Z"), "signingTime is a UTCTime", time)
    named = lab.take(values[lab.oid("1.2.840.113549.1.9.16.2.47")])[1]
    identifier = lab.children(lab.take(lab.children(lab.take(named)[1])[0])[1])
    issuer, serial = lab.issuer_and_serial(pki.der("rsa"))
    tap.equal(identifier, [lab.tlv(4, lab.hashlib.sha256(pki.der("rsa")).digest()), lab.tlv(0x30, lab.tlv(0x30, lab.tlv(0xa4, issuer)), serial)],
              "signingCertificateV2 names the certificate by SHA-256, issuer and serial number")
    capabilities(tap, values[lab.oid("1.2.840.113549.1.9.15")])


def capabilities(tap, value):
    """All that is read, the strongest first; each is tried in the tests of what is read."""
    aes, kdf, wraps = "2.16.840.1.101.3.4.1.", "1.3.132.1.11.", ("2.16.840.1.101.3.4.1.45", "2.16.840.1.101.3.4.1.5")
    expected = [lab.algorithm(aes + "46"), lab.algorithm("1.2.840.113549.1.9.16.3.18")]
    expected += [lab.algorithm(aes + number) for number in ("26", "6", "47", "7", "42", "22", "2")]
    expected += [lab.algorithm(scheme, lab.algorithm(wrap)) for scheme in (kdf + "3", kdf + "2", kdf + "1", "1.2.840.113549.1.9.16.3.19")
                 for wrap in wraps]
    for number in ("3", "2", "1"):
        md = lab.algorithm("2.16.840.1.101.3.4.2." + number, lab.NULL)
        expected.append(lab.algorithm(lab.OAEP, lab.tlv(0x30, lab.tlv(0xa0, md), lab.tlv(0xa1, lab.algorithm(lab.MGF1, md)))))
    expected.append(lab.algorithm(lab.OAEP, lab.tlv(0x30)))
    tap.equal(lab.children(lab.take(value)[1]), expected, "SMIMECapabilities: all that is read, the strongest first")


def opaque_certificates(ber):
    """Of a SignedData in indefinite-length BER: what stands behind the content is definite again."""
    at = ber.rindex(b"\0\0\0\0\0\0\xa0", 0, -6) + 6
    return lab.children(lab.take(ber, at)[1])


def controls(tap, keys, smime, verifiers):
    """The verifiers above do refuse what is wrong."""
    got = smime.sign(keys, CONTENT, "rsa")
    entity, der, _ = lab.split_clear(got.output)
    other = entity.replace(b"Hello", b"Jello")
    tap.equal(smime.unwrap(der, signed=other).signers(), [("bad", "content")], "changed content: bad here")
    tap.ok(verifiers.openssl(got.output.replace(b"Hello", b"Jello")) is None, "changed content: refused by openssl")
    tap.ok(not verifiers.gpgsm(der, other), "changed content: refused by gpgsm")
    tap.ok(not verifiers.cmsutil(der, other), "changed content: refused by NSS")


def line_ends(tap, keys, smime, verifiers):
    got = smime.sign(keys, LF_CONTENT, "rsa")
    entity, der, header = lab.split_clear(got.output)
    tap.equal(entity, LF_CONTENT, "LF content stands as it was")
    tap.ok(b"\r" not in got.output, "eol=lf writes no CR")
    tap.equal(smime.unwrap(der, signed=lab.canonical(entity)).signers(), [("good", "fits")], "it is hashed in canonical form")
    tap.ok(verifiers.openssl(got.output.replace(b"\n", b"\r\n")) is not None, "it still verifies after a relay made CRLF of it")
    mixed = b"Content-Type: text/plain\n\nA\r\nB\nC\rD\n"
    for cut in range(1, len(mixed)):
        got = smime.sign(keys, mixed, "p256", pieces=[cut])
        entity, der, _ = lab.split_clear(got.output)
        if entity != mixed or smime.unwrap(der, signed=mixed).signers() != [("good", "fits")]:
            tap.ok(False, f"two pieces, cut at {cut}")
            break
    else:
        tap.ok(True, "any cut into two pieces gives the same signature, also between CR and LF")
    got = smime.sign(keys, mixed, "rsa", form="opaque", pieces=[5, 5, 30])
    tap.equal(smime.unwrap(lab.split_p7m(got.output)[0]).output, b"Content-Type: text/plain\r\n\r\nA\r\nB\r\nC\rD\r\n",
              "opaque: content in canonical form, bare CR left alone")
    got = smime.sign(keys, b"", "rsa")
    tap.ok(got.status == "permanent" or lab.split_clear(got.output)[0] == b"", "no content: no crash")
    got = smime.sign(keys, CONTENT, "rsa", eol="crlf", before=b"X-First: 1\r\n")
    tap.ok(got.output.startswith(b"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n"),
           "output is appended to; eol=crlf in the header")
    tap.ok(b"\n" not in got.output.replace(b"\r\n", b""), "eol=crlf: every line ends in CRLF")


def structure(tap, pki, keys, smime):
    got = smime.sign(keys, CONTENT, "rsa", rsa="pss", chain=[lab.pem_to_der((pki.path / "ca.pem").read_bytes())])
    _, der, header = lab.split_clear(got.output)
    tap.ok(b"micalg=sha-256" in header and b'protocol="application/pkcs7-signature"' in header, "micalg and protocol as RFC 8551")
    tap.ok(b'name="smime.p7s"' in got.output and b'filename="smime.p7s"' in got.output, "smime.p7s")
    shown = lab.openssl("asn1parse", "-inform", "DER", data=der).decode()
    for what in ("contentType", "messageDigest", "signingTime", "S/MIME Capabilities", "id-smime-aa-signingCertificateV2"):
        tap.equal(shown.count(f":{what}"), 1, f"signed attribute {what} once")
    hash_null, salt = lab.algorithm(lab.SHA256, lab.NULL), lab.tlv(0xa2, lab.integer(32))
    pss = lab.tlv(0x30, lab.tlv(0xa0, hash_null), lab.tlv(0xa1, lab.algorithm(lab.MGF1, hash_null)), salt)
    tap.ok(lab.algorithm("1.2.840.113549.1.1.10", pss) in der, "PSS parameters explicit: NULL in the hashes, salt as long as the digest")
    tap.equal(smime.unwrap(der, signed=CONTENT).body.findall(lab.N + "certificate").__len__(), 2, "signer's certificate and chain inside")
    again = smime.sign(keys, CONTENT, "rsa", chain=[pki.der("rsa"), pki.der("rsa2"), pki.der("rsa2")])
    tap.ok(again.status == "ok", "a chain that holds the signer's certificate, or one twice, does no harm", again)
    boundaries = {smime.sign(keys, CONTENT, "p256").output.split(b'boundary="')[1].split(b'"')[0] for _ in range(3)}
    tap.equal(len(boundaries), 3, "every boundary is another one")


def refusals(tap, pki, smime):
    def expect(override, name, status, reason, certificate="rsa"):
        keys = lab.KeyModule(pki, override)
        got = smime.sign(keys, CONTENT, certificate)
        tap.ok((got.status, got.reason) == (status, reason), name, got)
        keys.close()
    expect(lambda _: ("temporary", "hsm-down", None), "the key module's temporary is passed on", "temporary", "hsm-down")
    expect(lambda _: ("interaction", "pass-phrase", None), "so is interaction", "interaction", "pass-phrase")
    expect(lambda _: ("permanent", "not-granted", None), "so is permanent", "permanent", "not-granted")
    expect(lambda _: ("ok", None, b"x" * 256), "a signature that does not fit never leaves", "temporary", "key-mismatch")
    other = lab.KeyModule(pki, lambda body: ("ok", None, lab.KeyModule.sign(pki.key("rsa2"), body)))
    tap.equal(smime.sign(other, CONTENT, "rsa").reason, "key-mismatch", "nor does another key's")
    other.close()
    keys = lab.KeyModule(pki)
    for name in ("ed448", "x25519"):
        tap.equal(smime.sign(keys, CONTENT, name).status, "permanent", f"{name}: such a certificate cannot sign here")
    keys.ours.shutdown(lab.socket.SHUT_RDWR)
    got = smime.sign(keys, CONTENT, "rsa")
    tap.ok((got.status, got.reason) == ("temporary", "key-channel"), "a key module that is gone is temporary", got)
    keys.close()


def main():
    tap, pki = lab.Tap(), lab.Pki()
    keys, verifiers = lab.KeyModule(pki), Verifiers(pki)
    with lab.Smime() as smime:
        matrix(tap, pki, keys, smime, verifiers)
        controls(tap, keys, smime, verifiers)
        line_ends(tap, keys, smime, verifiers)
        structure(tap, pki, keys, smime)
        signed_along(tap, pki, keys, smime)
        ed25519(tap, pki, keys, smime)
        refusals(tap, pki, smime)
        tap.ok(all(what == "sign" for what, _ in keys.asked), "the key module was asked for signatures only")
    verifiers.close()
    tap.done()


main()
