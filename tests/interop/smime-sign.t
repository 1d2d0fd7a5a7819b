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
]
NOT_GPGSM = {"p521", "rsapss384"}                   # gpgsm 2.2.40 refuses openssl's own messages of these kinds too
NOT_NSS = {"rsapss", "rsapss384", "bp256"}          # so does NSS 3.87


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
            tap.equal(verifiers.openssl(got.output), content, f"{label}: openssl verifies")
            if name not in NOT_GPGSM:
                tap.ok(verifiers.gpgsm(der, detached), f"{label}: gpgsm verifies")
            if name not in NOT_NSS:
                tap.ok(verifiers.cmsutil(der, detached), f"{label}: NSS verifies")


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
    for what in ("aes-256-gcm", "aes-128-gcm", "aes-256-cbc", "aes-128-cbc", "rsaesOaep"):
        tap.ok(f":{what}\n" in shown, f"capability {what}", shown)
    tap.ok(":rc2" not in shown and ":des" not in shown, "no capability of DES or RC2")
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
    other = lab.KeyModule(pki, lambda body: ("ok", None, lab.KeyModule.sign(pki.key("rsa2"), body.get("scheme"),
                                                                            bytes.fromhex(body.get("digest")))))
    tap.equal(smime.sign(other, CONTENT, "rsa").reason, "key-mismatch", "nor does another key's")
    other.close()
    keys = lab.KeyModule(pki)
    tap.equal(smime.sign(keys, CONTENT, "ed25519").status, "permanent", "an Ed25519 certificate cannot sign here")
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
        refusals(tap, pki, smime)
        tap.ok(all(what == "sign" for what, _ in keys.asked), "the key module was asked for signatures only")
    verifiers.close()
    tap.done()


main()
