#!/usr/bin/env python3
"""What julia sends is read by programs that share no code with it: OpenSSL, gpgsm, NSS, BouncyCastle. Each profile, clear and opaque,
RSA and EC. Readers that are not installed are skipped and named; so are the algorithms a reader does not know."""
import email
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import gateway  # noqa: E402

JARS = ":".join(f"/usr/share/java/{jar}.jar" for jar in ("bcprov", "bcpkix", "bcutil"))
PROFILES = {
    "default": "", "modern": "", "bdew": "",
    "cbc": "cipher=aes-256-cbc keytrans=rsa-pkcs1 sign=rsa-pkcs1 digest=sha256",
    "cbc128": "cipher=aes-128-cbc keytrans=rsa-pkcs1 sign=rsa-pkcs1 digest=sha512",
    "gcm128": "cipher=aes-128-gcm keytrans=rsa-oaep-sha256 sign=rsa-pss digest=sha384",
    "opaque": "cipher=aes-256-cbc keytrans=rsa-pkcs1 form=opaque",
}
GCM = {"modern", "gcm128"}
OAEP = {"modern", "bdew", "gcm128"}
STRICT = {"bdew"}  # RSA only
KINDS = ("rsa", "ec")
BODY = "Gr\u00fc\u00dfe\nFrom the start\n.\n" + "x" * 2000 + "\n"


def run(words, **more):
    return subprocess.run([str(w) for w in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **more)


class Readers:
    def __init__(self, g, directory):
        self.g, self.directory = g, pathlib.Path(directory)
        self.missing = set()
        self._java()
        self._gpgsm()
        self._nss()

    def _java(self):
        if shutil.which("javac") is None or not pathlib.Path("/usr/share/java/bcpkix.jar").exists():
            self.missing.add("BouncyCastle")
            return
        done = run(["javac", "-cp", JARS, "-d", self.directory, gateway.SOURCE / "tests/interop/ReadCms.java"])
        if done.returncode != 0:
            raise RuntimeError(done.stdout)

    def _p12(self, name, path):
        words = ["pkcs12", "-export", "-in", self.g.pki.path(name + ".crt"), "-inkey", self.g.pki.path(name + ".key"), "-certfile",
                 self.g.pki.path("ca.crt"), "-passout", "pass:secret", "-out", path, "-name", name, "-keypbe", "PBE-SHA1-3DES",
                 "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"]
        gateway.openssl(*words)
        return path

    def _gpgsm(self):
        if shutil.which("gpgsm") is None:
            self.missing.add("gpgsm")
            return
        self.home = self.directory / "gnupg"
        self.home.mkdir(mode=0o700)
        pinentry = self.directory / "pinentry"
        pinentry.write_text('#!/bin/sh\necho OK ready\nwhile read -r c rest; do case $c in GETPIN) echo "D secret"; echo OK;;'
                            " BYE) echo OK; exit;; *) echo OK;; esac; done\n")
        pinentry.chmod(0o755)
        (self.home / "gpg-agent.conf").write_text(f"pinentry-program {pinentry}\ns2k-count 1024\n")
        (self.home / "gpgsm.conf").write_text("disable-crl-checks\ndisable-dirmngr\n")
        self.gpg = dict(os.environ, GNUPGHOME=str(self.home))
        run(["gpgsm", "--batch", "--import", self.g.pki.path("ca.crt")], env=self.gpg)
        fingerprint = gateway.openssl("x509", "-in", self.g.pki.path("ca.crt"), "-noout", "-fingerprint", "-sha1").decode()
        (self.home / "trustlist.txt").write_text(fingerprint.strip().split("=")[1] + " S relax\n")
        for kind in KINDS:
            name = f"anna@{kind}.example"
            run(["gpgsm", "--batch", "--import", self._p12(name, self.directory / (name + ".p12"))], env=self.gpg)

    def _nss(self):
        if shutil.which("cmsutil") is None:
            self.missing.add("NSS")
            return
        self.nss = self.directory / "nss"
        self.nss.mkdir()
        run(["certutil", "-N", "-d", f"sql:{self.nss}", "--empty-password"])
        run(["certutil", "-A", "-d", f"sql:{self.nss}", "-n", "ca", "-t", "CT,CT,CT", "-i", self.g.pki.path("ca.crt")])
        for kind in KINDS:
            name = f"anna@{kind}.example"
            run(["pk12util", "-i", self._p12(name, self.directory / (name + ".p12")), "-d", f"sql:{self.nss}", "-W", "secret"])

    def close(self):
        if "gpgsm" not in self.missing:
            run(["gpgconf", "--kill", "all"], env=self.gpg)

    # decrypt(DER file, name) and verify(DER file, content file or None) give (good, octets or text)
    def decrypt_openssl(self, der, name):
        done = subprocess.run(["openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", der, "-recip",
                               self.g.pki.path(name + ".crt"), "-inkey", self.g.pki.path(name + ".key")],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        return done.returncode == 0, done.stdout

    def decrypt_gpgsm(self, der, _name):
        done = subprocess.run(["gpgsm", "--batch", "--assume-binary", "--decrypt", der], env=self.gpg, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False)
        return done.returncode == 0, done.stdout

    def decrypt_nss(self, der, _name):
        done = subprocess.run(["cmsutil", "-D", "-d", f"sql:{self.nss}", "-i", der], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False)
        return done.returncode == 0, done.stdout

    def decrypt_bouncycastle(self, der, name):
        done = subprocess.run(["java", "-cp", f"{JARS}:{self.directory}", "ReadCms", "decrypt", der,
                               self.directory / (name + ".p12")], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        return done.returncode == 0, done.stdout

    def verify_openssl(self, der, content):
        done = run(["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", der, "-CAfile", self.g.pki.path("ca.crt"),
                    "-out", "/dev/null"] + (["-content", content] if content else []))
        return done.returncode == 0, done.stdout

    def verify_gpgsm(self, der, content):
        done = run(["gpgsm", "--batch", "--assume-binary", "--verify", der] + ([content] if content else []), env=self.gpg)
        return done.returncode == 0, done.stdout

    def verify_nss(self, der, content):
        done = run(["cmsutil", "-D", "-h", "0", "-d", f"sql:{self.nss}", "-i", der] + (["-c", content] if content else []))
        return b"GoodSignature" in done.stdout, done.stdout

    def verify_bouncycastle(self, der, content):
        done = run(["java", "-cp", f"{JARS}:{self.directory}", "ReadCms", "verify", der] + ([content] if content else []))
        return done.stdout.startswith(b"good 1"), done.stdout


def canonical(octets):
    return octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def split(octets, directory):
    """Writes the CMS object (and the signed content) of an S/MIME entity to files: (DER, content or None)."""
    message = email.message_from_bytes(octets)
    der, content = directory / "object.der", None
    if message.get_content_type() == "multipart/signed":
        boundary = b"--" + message.get_boundary().encode()
        content = directory / "content"
        content.write_bytes(canonical(octets.split(boundary + b"\n")[1][:-1]))
        message = message.get_payload(1)
    der.write_bytes(message.get_payload(decode=True))
    return der, content


def knows(reader, profile, kind, verifying):
    """The gaps of these readers' versions, as measured with other makers' messages too."""
    if reader in ("openssl", "bouncycastle"):
        return True
    if verifying:
        return True
    return kind == "rsa" and profile not in GCM | OAEP  # neither opens ECDH that openssl made


def check(tap, readers, reader, profile, kind, octets):
    name = f"anna@{kind}.example"
    where = readers.directory / "work"
    where.mkdir(exist_ok=True)
    der, _ = split(octets, where)
    label = f"{reader} reads {profile} {kind}"
    inner = None
    if knows(reader, profile, kind, False):
        good, inner = getattr(readers, "decrypt_" + reader)(der, name)
        tap.ok(good and inner, label + ": decrypts")
    if not inner:
        inner = readers.decrypt_openssl(der, name)[1]
    der, content = split(inner.replace(b"\r\n", b"\n"), where)
    good, text = getattr(readers, "verify_" + reader)(der, content)
    tap.ok(good, label + ": signature is good", text.decode(errors="replace") if isinstance(text, bytes) else text)


def main():
    tap = gateway.Tap()
    conf = "".join(f"PROFILE_{name} = {words}\n" for name, words in PROFILES.items() if words)
    with gateway.Gateway(conf=conf) as g:
        senders = {kind: f"sender-{kind}@behoerde.de" for kind in KINDS}
        for kind in KINDS:
            g.own_key(senders[kind], kind)
            g.partner(f"anna@{kind}.example", kind)
        readers = Readers(g, g.base / "pki")
        for reader in sorted(readers.missing):
            print(f"# {reader} is not installed: not asked")
        asked = [r for r in ("openssl", "gpgsm", "nss", "bouncycastle") if r not in {m.lower() for m in readers.missing}]
        for profile in PROFILES:
            g.base.joinpath("etc/julia.rules").write_text(f". (to) . (do) FE:{profile}, FS:{profile}\n")
            for kind in KINDS if profile not in STRICT else ("rsa",):
                to = f"anna@{kind}.example"
                letter = (f"From: {senders[kind]}\nTo: {to}\nSubject: {profile}\nMessage-ID: <{profile}.{kind}@behoerde.de>\n"
                          "Date: Sat, 21 Nov 2026 12:00:00 +0000\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
                          f"Content-Transfer-Encoding: 8bit\n\n{BODY}").encode()
                status, output = g.outgoing(letter, senders[kind], [to])
                got = g.collect()
                if not tap.ok(status == 0 and len(got) == 1, f"{profile} {kind}: goes out", output.decode(errors="replace")):
                    continue
                for reader in asked:
                    check(tap, readers, reader, profile, kind, got[0][2])
        readers.close()
    return tap.end()


sys.exit(main())
