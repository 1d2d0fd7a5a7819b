"""Programs that share no code with julia and read and write the same CMS: OpenSSL, gpgsm, NSS's cmsutil, BouncyCastle; thunderbird.py has
one more.

Each `Peer` says in `missing` why it cannot be asked (None: it can). `verify` and `decrypt` give (good, text or octets), `sign`, `encrypt`
and `compress` give DER, or raise NotOffered where the program has no way to ask for that, CalledProgramFailed where it refuses."""
import dataclasses
import os
import pathlib
import shutil
import subprocess

import gateway
import smime_lab as lab

JARS = ":".join(f"/usr/share/java/{jar}.jar" for jar in ("bcprov", "bcpkix", "bcutil"))
KINDS = {**lab.KEY_KINDS, "ec": lab.KEY_KINDS["p256"], "bp384": ("EC", "ec_paramgen_curve:brainpoolP384r1"),
         "bp512": ("EC", "ec_paramgen_curve:brainpoolP512r1")}


class NotOffered(Exception):
    """The program cannot be asked for that."""


class CalledProgramFailed(Exception):
    """It can be asked, and refuses."""


def run(words, **more):
    return subprocess.run([str(w) for w in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **more)


def output(words, **more):
    """(good, standard output)."""
    done = subprocess.run([str(w) for w in words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False, **more)
    return done.returncode == 0, done.stdout


def canonical(octets):
    return octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


@dataclasses.dataclass
class Person:
    """A key with a certificate for an address, as files."""
    address: str
    kind: str
    key: pathlib.Path
    certificate: pathlib.Path
    p12: pathlib.Path


class Pki(gateway.Pki):
    """With keys of every kind."""

    def _key(self, name, kind):
        algorithm, *options = KINDS[kind]
        words = [word for option in options for word in ("-pkeyopt", option)]
        gateway.openssl("genpkey", "-algorithm", algorithm, *words, "-out", self.path(name + ".key"))

    def make(self, address, kind):
        name = self.person(address, kind)
        p12 = self.path(name + ".p12")
        gateway.openssl("pkcs12", "-export", "-in", self.path(name + ".crt"), "-inkey", self.path(name + ".key"), "-certfile",
                        self.path("ca.crt"), "-passout", "pass:secret", "-out", p12, "-name", name, "-keypbe", "PBE-SHA1-3DES",
                        "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1")
        return Person(address, kind, self.path(name + ".key"), self.path(name + ".crt"), p12)


class Gateway(gateway.Gateway):
    def make_pki(self):
        return Pki(self.base / "pki")


class Peer:
    """`directory` is the peer's own, `pki` has the CA that it must trust."""
    name = version = ""
    missing = None

    def __init__(self, pki, directory):
        self.pki, self.directory = pki, pathlib.Path(directory)
        self.directory.mkdir(parents=True)
        self.count = 0
        self.find()
        if self.missing is None:
            self.start()

    def find(self):
        """Sets `missing` and `version`."""

    def start(self):
        """Makes what the program needs before the first question."""

    def owns(self, person):
        """The key of one who reads and writes with this program."""

    def knows(self, person):
        """The certificate of one who is written to."""

    def file(self, octets=None):
        self.count += 1
        path = self.directory / f"file{self.count}"
        if octets is not None:
            path.write_bytes(octets)
        return path

    def result(self, path, words, **more):
        """What a command that writes to `path` made."""
        done = run(words, **more)
        if done.returncode != 0 or not path.exists():
            raise CalledProgramFailed(done.stdout.decode(errors="replace"))
        return path.read_bytes()

    def compress(self, _entity):
        raise NotOffered

    def read(self, _message, _row, _body):
        """What goes wrong with a whole message ("" if nothing), for programs that read no less; None: it is taken apart for this one."""
        return None

    def make(self, _row, _entity, _signers, _recipients):
        """The row's whole MIME entity, for programs that write no less; None: it is put together for this one."""
        return None

    def close(self):
        """Ends what `start` began."""


class OpenSsl(Peer):
    name = "OpenSSL"

    def find(self):
        self.version = gateway.openssl("version").decode().split()[1]

    def decrypt(self, der, person):
        return output(["openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", der, "-recip", person.certificate, "-inkey",
                       person.key])

    def verify(self, der, content):
        done = run(["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", der, "-CAfile", self.pki.path("ca.crt"), "-out",
                    "/dev/null"] + (["-content", content] if content else []))
        return done.returncode == 0, done.stdout

    def sign(self, entity, people, opaque, digest, pss):
        path, words = self.file(), ["-nodetach"] if opaque else []
        for person in people:
            words += ["-signer", person.certificate, "-inkey", person.key]
            words += ["-keyopt", "rsa_padding_mode:pss"] if pss and person.kind == "rsa" else []
        return self.result(path, ["openssl", "cms", "-sign", "-binary", "-md", digest, "-in", self.file(entity), "-outform", "DER", "-out",
                                  path, *words])

    def encrypt(self, entity, people, cipher, keytrans):
        path, words = self.file(), []
        for person in people:
            words += ["-recip", person.certificate]
            if keytrans.startswith("oaep") and person.kind == "rsa":
                words += ["-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:" + keytrans.split("-")[1]]
        return self.result(path, ["openssl", "cms", "-encrypt", "-binary", f"-{cipher}", "-in", self.file(entity), "-outform", "DER", "-out",
                                  path, *words])

    def compress(self, entity):
        if b"zlib" not in gateway.openssl("list", "-disabled").lower():
            path = self.file()
            return self.result(path, ["openssl", "cms", "-compress", "-binary", "-in", self.file(entity), "-outform", "DER", "-out", path])
        raise NotOffered


class Gpgsm(Peer):
    name = "gpgsm"

    def find(self):
        if shutil.which("gpgsm") is None:
            self.missing = "not installed"
            return
        self.version = output(["gpgsm", "--version"])[1].decode().split("\n")[0].split()[-1]

    def start(self):
        home = self.directory / "gnupg"
        home.mkdir(mode=0o700)
        pinentry = self.directory / "pinentry"
        pinentry.write_text('#!/bin/sh\necho OK ready\nwhile read -r c rest; do case $c in GETPIN) echo "D secret"; echo OK;;'
                            " BYE) echo OK; exit;; *) echo OK;; esac; done\n")
        pinentry.chmod(0o755)
        (home / "gpg-agent.conf").write_text(f"pinentry-program {pinentry}\ns2k-count 1024\n")
        (home / "gpgsm.conf").write_text("disable-crl-checks\ndisable-dirmngr\n")
        self.environment = dict(os.environ, GNUPGHOME=str(home))
        self.call("--import", self.pki.path("ca.crt"))
        fingerprint = gateway.openssl("x509", "-in", self.pki.path("ca.crt"), "-noout", "-fingerprint", "-sha1").decode()
        (home / "trustlist.txt").write_text(fingerprint.strip().split("=")[1] + " S relax\n")

    def call(self, *words):
        return run(["gpgsm", "--batch", "--yes", *words], env=self.environment)

    def owns(self, person):
        self.call("--import", person.p12)

    def knows(self, person):
        self.call("--import", person.certificate)

    def decrypt(self, der, _person):
        return output(["gpgsm", "--batch", "--assume-binary", "--decrypt", der], env=self.environment)

    def verify(self, der, content):
        done = self.call("--assume-binary", "--verify", der, *([content] if content else []))
        return done.returncode == 0, done.stdout

    def sign(self, entity, people, opaque, digest, pss):
        if pss or len(people) > 1:
            raise NotOffered
        path = self.file()
        return self.result(path, ["gpgsm", "--batch", "--yes", "--digest-algo", digest, "--local-user", people[0].address, "--output", path,
                                  *([] if opaque else ["--detach-sign"]), *(["--sign"] if opaque else []), self.file(entity)],
                           env=self.environment)

    def encrypt(self, entity, people, cipher, keytrans):
        if cipher.endswith("gcm") or keytrans.startswith("oaep"):
            raise NotOffered
        path, words = self.file(), [word for person in people for word in ("--recipient", person.address)]
        return self.result(path, ["gpgsm", "--batch", "--yes", "--cipher-algo", cipher.replace("-cbc", "").replace("-", "").upper(),
                                  "--output", path, *words, "--encrypt", self.file(entity)], env=self.environment)

    def close(self):
        if self.missing is None:
            run(["gpgconf", "--kill", "all"], env=self.environment)


class Nss(Peer):
    name = "cmsutil"

    def find(self):
        if shutil.which("cmsutil") is None or shutil.which("certutil") is None:
            self.missing = "not installed"
            return
        found = output(["dpkg-query", "--show", "--showformat=${Version}", "libnss3-tools"]) if shutil.which("dpkg-query") else (False, b"")
        self.version = "NSS " + (found[1].decode().split(":")[-1].split("-")[0] or "?")

    def start(self):
        self.base = f"sql:{self.directory}"
        run(["certutil", "-N", "-d", self.base, "--empty-password"])
        run(["certutil", "-A", "-d", self.base, "-n", "ca", "-t", "CT,CT,CT", "-i", self.pki.path("ca.crt")])

    def owns(self, person):
        run(["pk12util", "-i", person.p12, "-d", self.base, "-W", "secret"])

    def knows(self, person):
        run(["certutil", "-A", "-d", self.base, "-n", person.address, "-t", ",,", "-i", person.certificate])

    def decrypt(self, der, _person):
        return output(["cmsutil", "-D", "-d", self.base, "-i", der])

    def verify(self, der, content):
        done = run(["cmsutil", "-D", "-h", "0", "-d", self.base, "-i", der] + (["-c", content] if content else []))
        return b"GoodSignature" in done.stdout, done.stdout

    def sign(self, entity, people, opaque, digest, pss):
        if pss or len(people) > 1:
            raise NotOffered
        path = self.file()
        return self.result(path, ["cmsutil", "-S", "-d", self.base, "-N", people[0].address, "-H", digest.upper(), "-G", "-i",
                                  self.file(entity), "-o", path, *([] if opaque else ["-T"])])

    def encrypt(self, entity, people, cipher, keytrans):
        if cipher != "aes-128-cbc" or keytrans.startswith("oaep"):  # its own choice for recipients whose capabilities it has not seen
            raise NotOffered
        path = self.file()
        return self.result(path, ["cmsutil", "-E", "-d", self.base, "-r", ",".join(p.address for p in people), "-i", self.file(entity), "-o",
                                  path])


class BouncyCastle(Peer):
    name = "BouncyCastle"
    hashes = {"sha1": "SHA-1", "sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"}

    def find(self):
        if shutil.which("javac") is None or not pathlib.Path("/usr/share/java/bcpkix.jar").exists():
            self.missing = "not installed"

    def start(self):
        sources = [gateway.SOURCE / f"tests/interop/{name}.java" for name in ("ReadCms", "WriteCms", "ServeCms")]
        done = run(["javac", "-cp", JARS, "-d", self.directory, *sources])
        if done.returncode != 0:
            raise RuntimeError(done.stdout)
        self.java = subprocess.Popen(["java", "-XX:TieredStopAtLevel=1", "-cp", f"{JARS}:{self.directory}", "ServeCms"],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.version = self.java.stdout.readline().strip()

    def ask(self, *words):
        """(good, what it says)."""
        self.java.stdin.write("\t".join(map(str, words)) + "\n")
        self.java.stdin.flush()
        word, _, said = self.java.stdout.readline().strip().partition(" ")
        return word == "ok", said

    def written(self, what, entity, *words):
        path = self.file()
        good, said = self.ask(what, self.file(entity), path, *words)
        if not good:
            raise CalledProgramFailed(said)
        return path.read_bytes()

    def decrypt(self, der, person):
        path = self.file()
        good, said = self.ask("decrypt", der, person.p12, path)
        return good, path.read_bytes() if good else said.encode()

    def verify(self, der, content):
        good, said = self.ask("verify", der, *([content] if content else []))
        return good and said == "1 good", said

    def sign(self, entity, people, opaque, digest, pss):
        hashed = digest.upper()
        algorithms = {"RSA": f"{hashed}withRSA" + ("andMGF1" if pss else ""), "EC": f"{hashed}withECDSA", "ED25519": "Ed25519"}
        signers = [f"{person.p12}={algorithms[KINDS[person.kind][0]]}" for person in people]
        return self.written("sign", entity, "opaque" if opaque else "detached", *signers)

    def encrypt(self, entity, people, cipher, keytrans):
        name = cipher.upper().replace("AES-", "AES").replace("-", "_")
        return self.written("encrypt", entity, name, self.hashes[keytrans.split("-")[1]] if keytrans.startswith("oaep") else "pkcs1",
                            *(person.certificate for person in people))

    def compress(self, entity):
        return self.written("compress", entity)

    def close(self):
        if self.missing is None:
            self.java.stdin.close()
            self.java.stdout.close()
            self.java.wait()
