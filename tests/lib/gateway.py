"""A gateway in a temporary directory for tests in Python: a BASE with its own PKI, targets that store what they get, julia run as the
MTA runs it. Only the standard library and the openssl program."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

BUILD = pathlib.Path(os.environ.get("JULIA_BUILD", "build/release")).resolve()
SOURCE = pathlib.Path(os.environ.get("JULIA_SOURCE", ".")).resolve()

CONF = """\
BASE = {base}
MYHOSTNAME = gate.behoerde.de
ADMIN = admin@behoerde.de
INTERNAL_CLIENTS = 192.0.2.0/24
INTERNAL_DOMAINS = behoerde.de
RULES = {base}/etc/julia.rules
TARGET_EXTERNAL = {base}/target external
TARGET_INTERNAL = {base}/target internal
TARGET_SCANNER = {base}/target scanner
MODULES_KEYS = {build}/lib/modules/keys-file
MODULE_TRUST = {build}/lib/modules/trust
MODULE_SMIME = {build}/lib/modules/smime
LOG = {base}/logs/julia.log
"""

# Stores standard input and arguments under out/TARGET/, one directory a call.
TARGET = """\
#!/bin/sh
d=$(mktemp -d {base}/out/$1.XXXXXX)
shift
for a; do printf '%s\\n' "$a"; done >"$d/args"
cat >"$d/message.part" && mv "$d/message.part" "$d/message"
"""

EXTENSIONS = {
    "ca": "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n",
    "person": "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature,keyEncipherment,keyAgreement\n"
              "extendedKeyUsage=emailProtection\nsubjectAltName=email:{address}\nsubjectKeyIdentifier=hash\n"
              "authorityKeyIdentifier=keyid\n",
}


def openssl(*words, **more):
    return subprocess.run(["openssl", *map(str, words)], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          **more).stdout


class Pki:
    """A CA and people with keys, as PEM files in a directory."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True)
        self._key("ca", "rsa")
        self._extensions("ca", EXTENSIONS["ca"])
        openssl("req", "-new", "-x509", "-key", self.path("ca.key"), "-out", self.path("ca.crt"), "-days", 3650, "-subj",
                "/CN=Test CA", "-config", "/dev/null", "-extensions", "x", "-config", self._config("ca"))

    def path(self, name):
        return self.directory / name

    def _config(self, name):
        path = self.path(name + ".cnf")
        path.write_text("[req]\ndistinguished_name=d\n[d]\n[x]\n" + self.path(name + ".ext").read_text())
        return path

    def _extensions(self, name, text):
        self.path(name + ".ext").write_text(text)

    def _key(self, name, kind):
        words = {"rsa": ("RSA", "rsa_keygen_bits:2048"), "rsa-pss": ("RSA-PSS", "rsa_keygen_bits:2048"),
                 "rsa-pss-sha384": ("RSA-PSS", "rsa_keygen_bits:2048", "rsa_pss_keygen_md:sha384", "rsa_pss_keygen_mgf1_md:sha384",
                                    "rsa_pss_keygen_saltlen:48"),
                 "ec": ("EC", "ec_paramgen_curve:P-256")}.get(kind)
        if words is None:  # the name of a curve, or of an algorithm with one of its own
            words = ("EC", "ec_paramgen_curve:" + kind) if kind[0] in "Pbs" else (kind,)
        options = [word for option in words[1:] for word in ("-pkeyopt", option)]
        openssl("genpkey", "-algorithm", words[0], *options, "-out", self.path(name + ".key"))

    def _request(self, name, subject):
        """(a certificate request, words for openssl x509): keys that cannot sign one borrow the CA's signature."""
        public = openssl("pkey", "-in", self.path(name + ".key"), "-pubout")
        if b"MCowBQYDK2Vu" not in public and b"MEIwBQYDK2Vv" not in public:  # X25519, X448
            return openssl("req", "-new", "-key", self.path(name + ".key"), "-subj", subject), []
        self.path(name + ".pub").write_bytes(public)
        return openssl("req", "-new", "-key", self.path("ca.key"), "-subj", subject), ["-force_pubkey", self.path(name + ".pub")]

    def person(self, address, kind="rsa", days=365, name=None):
        """Makes NAME.key and NAME.crt (NAME is the address when not given). Kinds: rsa, rsa-pss, ec, the name of a curve, ED25519,
        X25519, ..."""
        name = name or address
        self._key(name, kind)
        self._extensions(name, EXTENSIONS["person"].format(address=address))
        request, forced = self._request(name, f"/CN={address}")
        openssl("x509", "-req", "-CA", self.path("ca.crt"), "-CAkey", self.path("ca.key"), "-CAcreateserial", "-days", days,
                "-extfile", self.path(name + ".ext"), "-out", self.path(name + ".crt"), *forced, input=request)
        return name


class Gateway:
    """with Gateway(rules) as g: ..."""

    def __init__(self, rules="", conf=""):
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="julia-test."))
        for name in ("etc/public", "etc/trusted", "etc/untrusted", "etc/private", "etc/ca", "var/spool", "var/journal",
                     "var/index", "var/run", "var/review", "logs", "out"):
            (self.base / name).mkdir(parents=True)
        (self.base / "etc/private").chmod(0o700)
        shutil.copytree(SOURCE / "etc/templates", self.base / "etc/templates")
        (self.base / "etc/julia.rules").write_text(rules)
        (self.base / "etc/julia.conf").write_text(CONF.format(base=self.base, build=BUILD) + conf)
        target = self.base / "target"
        target.write_text(TARGET.format(base=self.base))
        target.chmod(0o755)
        self.services = []
        self.pki = self.make_pki()
        shutil.copy(self.pki.path("ca.crt"), self.base / "etc/ca/ca.pem")

    def make_pki(self):
        return Pki(self.base / "pki")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for service in self.services:
            service.terminate()
            service.wait()
        shutil.rmtree(self.base, ignore_errors=True)

    def serve(self):
        """The modules become services, one worker each, for as long as the gateway lives: a message then takes a tenth of the time."""
        path = self.base / "etc/julia.conf"
        text = path.read_text()
        for module in ("keys-file", "trust", "smime"):
            program, sock = BUILD / "lib/modules" / module, self.base / "var/run" / (module + ".sock")
            # pylint: disable-next=consider-using-with
            self.services.append(subprocess.Popen([BUILD / "bin/julia-moduled", "-b", self.base, "-n", "1", "-s", sock, program]))
            while not sock.exists() and self.services[-1].poll() is None:
                time.sleep(0.01)
            text = text.replace(str(program), f"unix:{sock}")
        path.write_text(text)

    def own_key(self, address, kind="rsa"):
        name = self.pki.person(address, kind)
        path = self.base / "etc/private" / (name + ".pem")
        path.write_bytes(self.pki.path(name + ".key").read_bytes() + self.pki.path(name + ".crt").read_bytes())
        path.chmod(0o600)

    def partner(self, address, kind="rsa", days=365):
        name = self.pki.person(address, kind, days)
        shutil.copy(self.pki.path(name + ".crt"), self.base / "etc/public" / (name + ".pem"))

    def arguments(self, client, sender, recipients, *more):
        return [str(BUILD / "bin/julia"), "-c", str(self.base / "etc/julia.conf"), *more, "-client", client, "-sender", sender,
                "-queue-id", "TEST1", "-readmail", *recipients]

    def run(self, octets, client, sender, recipients, *more, wrapper=()):
        """Returns (exit status, standard output and error)."""
        done = subprocess.run([*map(str, wrapper), *self.arguments(client, sender, recipients, *more)], input=octets,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return done.returncode, done.stdout

    def outgoing(self, octets, sender, recipients, *more, **words):
        return self.run(octets, "192.0.2.7", sender, recipients, *more, **words)

    def incoming(self, octets, sender, recipients, *more, **words):
        return self.run(octets, "203.0.113.5", sender, recipients, *more, **words)

    def collect(self):
        """What the targets got since the last call: a list of (target, recipients, octets, arguments)."""
        found = []
        for directory in sorted((self.base / "out").iterdir()):
            if (directory / "message").exists():
                words = (directory / "args").read_text().splitlines()
                found.append((directory.name.split(".")[0], words[words.index("--") + 1:],
                              (directory / "message").read_bytes(), words))
            shutil.rmtree(directory)
        return found


class Tap:
    """Counts and prints; exit(tap.end())."""

    def __init__(self):
        self.count = self.failed = 0

    def ok(self, good, what, detail=""):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {what}", flush=True)
        if not good and detail:
            for line in str(detail).splitlines()[:20]:
                print("# " + line, flush=True)
        return good

    def end(self):
        print(f"1..{self.count}", flush=True)
        return 1 if self.failed else 0
