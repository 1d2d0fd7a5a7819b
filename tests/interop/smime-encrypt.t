#!/usr/bin/python3
"""What the smime module encrypts is read by openssl, gpgsm and NSS, by every recipient and by nobody else."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import smime_agree  # noqa: E402
import smime_lab as lab  # noqa: E402

CONTENT = b"Content-Type: text/plain\r\n\r\nHello\r\nsecond line\r\n"
LARGE = b"Content-Type: text/plain\r\n\r\n" + b"0123456789 abcdefghij\r\n" * 9000
CIPHERS = ["aes-128-cbc", "aes-192-cbc", "aes-256-cbc", "aes-128-gcm", "aes-192-gcm", "aes-256-gcm"]
KEYTRANS = ["rsa-pkcs1", "rsa-oaep-sha1", "rsa-oaep-sha256", "rsa-oaep-sha384", "rsa-oaep-sha512"]
CURVES = ["p256", "p384", "p521", "bp256", "bp384", "bp512"]
AES_256_GCM, AES_256_CBC = "2.16.840.1.101.3.4.1.46", "2.16.840.1.101.3.4.1.42"


def capabilities(*identifiers):
    return lab.tlv(0x30, *(lab.algorithm(identifier) for identifier in identifiers))


def openssl_reads(pki, entity, name):
    out = pki.path / "plain"
    run = lab.openssl("cms", "-decrypt", "-binary", "-inform", "SMIME", "-in", pki.file("m.eml", b"MIME-Version: 1.0\n" + entity),
                      "-recip", pki.certificate(name), "-inkey", pki.key(name), "-out", out, check=False)
    return out.read_bytes() if run.returncode == 0 else None


def check(tap, pki, keys, smime, names, cipher, keytrans, content=CONTENT):
    label = f"{'+'.join(names)} {cipher} {keytrans}"
    got = smime.encrypt([pki.der(name) for name in names], content, cipher=cipher, keytrans=keytrans)
    kind, smime_type = ("auth-enveloped", b"authEnveloped-data") if cipher.endswith("gcm") else ("enveloped", b"enveloped-data")
    if not tap.ok((got.status, got.get("type"), got.get("cipher")) == ("ok", kind, cipher), f"{label}: encrypted", got):
        return
    ber, header = lab.split_p7m(got.output)
    problems = [] if b"smime-type=" + smime_type in header and b'name="smime.p7m"' in header else ["header"]
    serials = sorted(lab.take(lab.issuer_and_serial(pki.der(name))[1])[1] for name in names)
    problems += [] if sorted(serial for _, serial, _ in lab.recipient_infos(ber)) == serials else ["recipients"]
    for name in names:
        problems += [] if openssl_reads(pki, got.output, name) == content else [f"openssl for {name}"]
        back = smime.unwrap(ber, keys, [name])
        authenticated = "yes" if cipher.endswith("gcm") else "no"
        problems += [] if (back.output, back.get("authenticated")) == (content, authenticated) else [f"here for {name}: {back}"]
    tap.ok(not problems, f"{label}: exactly these recipients, all of them read it", problems)


def matrix(tap, pki, keys, smime):
    for cipher in CIPHERS:
        check(tap, pki, keys, smime, ["rsa"], cipher, "rsa-pkcs1", LARGE)
        check(tap, pki, keys, smime, ["rsa", "rsa2"], cipher, "rsa-oaep-sha256")
        check(tap, pki, keys, smime, ["rsa", "p256", "rsa2"], cipher, "rsa-oaep-sha256")
    for keytrans in KEYTRANS:
        check(tap, pki, keys, smime, ["rsa"], "aes-256-gcm", keytrans)
    for curve in CURVES:
        check(tap, pki, keys, smime, [curve], "aes-256-gcm", "rsa-pkcs1")
        check(tap, pki, keys, smime, [curve], "aes-128-cbc", "rsa-pkcs1")
    check(tap, pki, keys, smime, CURVES[:3], "aes-256-cbc", "rsa-pkcs1")
    for size in ("rsa3072", "rsa4096", "rsa8192"):
        check(tap, pki, keys, smime, [size], "aes-256-gcm", "rsa-oaep-sha256")


def montgomery(tap, pki, keys, smime):
    """X25519 and X448 (RFC 8418), which OpenSSL's CMS does not know: read by smime_agree, from the RFCs."""
    for kind, cipher in (("x25519", "aes-256-gcm"), ("x25519", "aes-128-cbc"), ("x448", "aes-256-cbc")):
        got = smime.encrypt([pki.der("rsa"), pki.der(kind)], LARGE, cipher=cipher)
        if not tap.ok(got.status == "ok", f"{kind} {cipher}: encrypted", got):
            continue
        ber, _ = lab.split_p7m(got.output)
        tap.equal(smime_agree.read(pki, kind, ber), LARGE, f"{kind} {cipher}: read by its key")
        for name in ("rsa", kind):
            tap.equal(smime.unwrap(ber, keys, [name]).output, LARGE, f"{kind} {cipher}: read here by {name}")
    one, two = (smime_agree.originator(lab.split_p7m(smime.encrypt([pki.der("x25519")], CONTENT).output)[0]) for _ in range(2))
    tap.ok(len(one) == 32 and one != two, "every message has an ephemeral key of its own")


def parameters(tap, pki, smime):
    """OAEP parameters explicit and right; an ephemeral key for every recipient."""
    def oaep(identifier):
        hash_null = lab.algorithm(identifier, lab.NULL)
        return lab.algorithm(lab.OAEP, lab.tlv(0x30, lab.tlv(0xa0, hash_null), lab.tlv(0xa1, lab.algorithm(lab.MGF1, hash_null))))
    for name, expected in (("rsa-oaep-sha256", oaep(lab.SHA256)), ("rsa-oaep-sha512", oaep("2.16.840.1.101.3.4.2.3")),
                           ("rsa-oaep-sha1", lab.algorithm(lab.OAEP, lab.tlv(0x30))), ("rsa-pkcs1", lab.algorithm(lab.RSA, lab.NULL))):
        ber, _ = lab.split_p7m(smime.encrypt([pki.der("rsa")], CONTENT, keytrans=name).output)
        tap.ok(expected in ber, f"{name}: the AlgorithmIdentifier is whole")
    ber, _ = lab.split_p7m(smime.encrypt([pki.der("p256"), pki.der("p256")], CONTENT).output)
    tap.equal(len(lab.recipient_infos(ber)), 2, "one RecipientInfo for each recipient asked for")
    one, two = (lab.split_p7m(smime.encrypt([pki.der("p256")], CONTENT, cipher="aes-256-gcm").output)[0] for _ in range(2))
    points = [ber[ber.index(b"\x03\x42\x00\x04"):][:68] for ber in (one, two)]
    tap.ok(points[0] != points[1], "every message has an ephemeral key of its own")
    tap.ok(one[-60:] != two[-60:], "and a content key and nonce of its own")


def automatic(tap, pki, smime):
    gcm, cbc = capabilities(AES_256_CBC, AES_256_GCM), capabilities(AES_256_CBC)
    pki.need("offers", "rsa", "1.2.840.113549.1.9.15=DER:" + ":".join(f"{octet:02X}" for octet in gcm))
    plain, offers = pki.der("rsa"), pki.der("offers")
    for recipients, expected, name in (
            ([plain], "aes-256-cbc", "nobody says anything"),
            ([(plain, gcm)], "aes-256-gcm", "learnt capabilities offer GCM"),
            ([(plain, cbc)], "aes-256-cbc", "learnt capabilities do not"),
            ([offers], "aes-256-gcm", "the certificate's extension offers GCM"),
            ([(offers, cbc)], "aes-256-cbc", "what was learnt stands above the certificate"),
            ([(plain, gcm), offers], "aes-256-gcm", "all offer GCM"),
            ([(plain, gcm), plain], "aes-256-cbc", "one of two does not"),
            ([(plain, gcm[:-1])], "aes-256-cbc", "damaged capabilities offer nothing"),
            ([(plain, gcm + b"\0")], "aes-256-cbc", "nor do those with trailing octets")):
        got = smime.encrypt(recipients, CONTENT)
        tap.equal((got.status, got.get("cipher")), ("ok", expected), f"auto: {name}")


def own_capabilities(tap, pki, keys, smime):
    """What this gateway says of itself is what it makes the most of."""
    _, der, _ = lab.split_clear(smime.sign(keys, CONTENT, "rsa").output)
    own = smime.unwrap(der, signed=CONTENT).body.find(f"{lab.N}signer/{lab.N}capabilities").text
    got = smime.encrypt([(pki.der("rsa"), lab.base64.b64decode(own))], CONTENT, cipher="auto", keytrans="auto")
    back = smime.unwrap(lab.split_p7m(got.output)[0], keys, ["rsa"])
    tap.equal((back.output, back.get("cipher"), back.get("keytrans")), (CONTENT, "aes-256-gcm", "rsa-oaep-sha512"),
              "from one gateway to another: AES-256-GCM and OAEP")


def oaep_capability(hash_oid, mask_oid=None, source=b""):
    if hash_oid is None:
        return lab.algorithm(lab.OAEP, lab.tlv(0x30, source))
    md, mask = (lab.algorithm(identifier, lab.NULL) for identifier in (hash_oid, mask_oid or hash_oid))
    return lab.algorithm(lab.OAEP, lab.tlv(0x30, lab.tlv(0xa0, md), lab.tlv(0xa1, lab.algorithm(lab.MGF1, mask)), source))


def transport(tap, pki, keys, smime):
    """keytrans=auto: for each recipient what he says to read."""
    sha512, label = "2.16.840.1.101.3.4.2.3", lab.tlv(0xa2, lab.algorithm(lab.PSPECIFIED, lab.tlv(4, b"L")))
    one, two, small = pki.der("rsa"), pki.der("rsa2"), pki.der("rsa1024")
    for offered, reader, expected, name in (
            (None, "rsa", "rsa-pkcs1", "nothing known"),
            ([lab.algorithm(AES_256_GCM)], "rsa", "rsa-pkcs1", "no OAEP offered"),
            ([lab.algorithm(AES_256_GCM), oaep_capability(lab.SHA256)], "rsa", "rsa-oaep-sha256", "SHA-256"),
            ([oaep_capability(sha512), oaep_capability(lab.SHA256)], "rsa", "rsa-oaep-sha512", "the first of two"),
            ([oaep_capability(None)], "rsa", "rsa-oaep-sha1", "SHA-1 by default"),
            ([lab.algorithm(lab.OAEP)], "rsa", "rsa-pkcs1", "OAEP without parameters offers nothing"),
            ([oaep_capability("1.2.3.4"), oaep_capability(lab.SHA256)], "rsa", "rsa-oaep-sha256", "an unknown hash is passed over"),
            ([oaep_capability(lab.SHA256, lab.SHA1)], "rsa", "rsa-pkcs1", "nor are two hashes written"),
            ([oaep_capability(lab.SHA256, source=label)], "rsa", "rsa-pkcs1", "nor a label"),
            ([oaep_capability(sha512), oaep_capability(lab.SHA256)], "rsa1024", "rsa-oaep-sha256", "the first that a short key has room for")):
        der = {"rsa": one, "rsa1024": small}[reader]
        got = smime.encrypt([(der, lab.tlv(0x30, *offered)) if offered else der], CONTENT, keytrans="auto")
        back = smime.unwrap(lab.split_p7m(got.output)[0], keys, [reader])
        tap.equal((back.output, back.get("keytrans")), (CONTENT, expected), f"keytrans auto: {name}: {expected}")
    got = smime.encrypt([(one, lab.tlv(0x30, oaep_capability(lab.SHA256))), two, pki.der("p256")], CONTENT, keytrans="auto")
    ber, _ = lab.split_p7m(got.output)
    tap.equal([smime.unwrap(ber, keys, [name]).get("keytrans") for name in ("rsa", "rsa2", "p256")],
              ["rsa-oaep-sha256", "rsa-pkcs1", "ecdh-sha256-aes256"], "keytrans auto: to each his own")
    pki.need("offers-oaep", "rsa", "1.2.840.113549.1.9.15=DER:" + ":".join(f"{octet:02X}" for octet in
                                                                      lab.tlv(0x30, oaep_capability(lab.SHA256))))
    got = smime.encrypt([pki.der("offers-oaep")], CONTENT, keytrans="auto")
    tap.equal(smime.unwrap(lab.split_p7m(got.output)[0], keys, ["offers-oaep"]).get("keytrans"), "rsa-oaep-sha256",
              "keytrans auto: also from the certificate's extension")
    got = smime.encrypt([(one, lab.tlv(0x30, oaep_capability(lab.SHA256)))], CONTENT, keytrans="rsa-pkcs1")
    tap.equal(smime.unwrap(lab.split_p7m(got.output)[0], keys, ["rsa"]).get("keytrans"), "rsa-pkcs1", "what is asked for by name is taken")


def refusals(tap, pki, smime):
    for name in ("rsapss", "ed25519", "ed448"):
        got = smime.encrypt([pki.der("rsa"), pki.der(name)], CONTENT)
        tap.ok((got.status, got.reason) == ("permanent", "unsupported") and f"CN={name}" in got.text,
               f"a certificate that only signs ({name}) is refused by name", got)


def line_ends(tap, pki, keys, smime):
    for text in (b"Subject: x\n\nA\nB\r\nC\n", b"", b"\n"):
        got = smime.encrypt([pki.der("rsa")], text, cipher="aes-256-gcm", pieces=[min(9, len(text))])
        back = smime.unwrap(lab.split_p7m(got.output)[0], keys, ["rsa"])
        tap.equal(back.output, lab.canonical(text), f"{text!r} arrives in canonical form")
    got = smime.encrypt([pki.der("rsa")], CONTENT, eol="crlf", before=b"X: y\r\n")
    tap.ok(b"\n" not in got.output.replace(b"\r\n", b""), "eol=crlf: every line ends in CRLF")
    tap.ok(max(map(len, got.output.split(b"\r\n"))) <= 78, "no line is longer than 78 characters")


def other_readers(tap, pki, smime):
    pki.need("rsa")
    p12, nss, gpg = pki.path / "rsa.p12", f"sql:{pki.path}/nss", pki.path / "gpg"
    lab.openssl("pkcs12", "-export", "-in", pki.certificate("rsa"), "-inkey", pki.key("rsa"), "-certfile", pki.path / "ca.pem", "-out",
                p12, "-passout", "pass:x", "-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1")
    (pki.path / "nss").mkdir()
    gpg.mkdir(mode=0o700)
    (gpg / "gpgsm.conf").write_text("disable-crl-checks\n")
    (gpg / "gpg-agent.conf").write_text("allow-loopback-pinentry\n")

    def run(*words, data=None):
        return subprocess.run([*map(str, words)], input=data, capture_output=True, check=False)
    run("certutil", "-N", "-d", nss, "--empty-password")
    run("pk12util", "-i", p12, "-d", nss, "-W", "x", "-K", "")
    loopback = ["gpgsm", "--homedir", gpg, "--batch", "--pinentry-mode", "loopback", "--passphrase-fd", "0"]
    run(*loopback, "--import", p12, data=b"x\n")
    for cipher in ("aes-128-cbc", "aes-256-cbc"):
        for content in (CONTENT, LARGE):
            ber, _ = lab.split_p7m(smime.encrypt([pki.der("rsa2"), pki.der("rsa")], content, cipher=cipher).output)
            path = pki.file("m.p7m", ber)
            tap.equal(run(*loopback, "--decrypt", path, data=b"x\n").stdout, content, f"gpgsm reads {cipher}, {len(content)} octets")
            tap.equal(run("cmsutil", "-D", "-d", nss, "-i", path).stdout, content, f"NSS reads {cipher}, {len(content)} octets")
    run("gpgconf", "--homedir", gpg, "--kill", "all")


def main():
    tap, pki = lab.Tap(), lab.Pki()
    keys = lab.KeyModule(pki)
    with lab.Smime() as smime:
        matrix(tap, pki, keys, smime)
        montgomery(tap, pki, keys, smime)
        parameters(tap, pki, smime)
        automatic(tap, pki, smime)
        transport(tap, pki, keys, smime)
        own_capabilities(tap, pki, keys, smime)
        refusals(tap, pki, smime)
        line_ends(tap, pki, keys, smime)
        other_readers(tap, pki, smime)
    tap.done()


main()
