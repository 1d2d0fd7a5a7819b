#!/usr/bin/env python3
"""Keys of every kind in the whole gateway: mail for them is decrypted, by keys-file's own hand; they sign, or are refused by name; mail
to certificates of theirs is read by others. The other side is openssl where it knows the algorithm, BouncyCastle if it is installed, and
smime_agree."""
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import gateway  # noqa: E402
import smime_agree  # noqa: E402
import smime_lab as lab  # noqa: E402
from outside import Outside, fields, receive, text, wrap  # noqa: E402

CURVES = ("P-256", "P-384", "P-521", "brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1")
JARS = ":".join(f"/usr/share/java/{jar}.jar" for jar in ("bcprov", "bcpkix", "bcutil"))


def own(kind):
    return f"{kind.lower()}@behoerde.de"


class Names:
    """A gateway's PKI as smime_agree and smime_lab ask for it."""

    def __init__(self, pki):
        self.pki = pki

    def need(self, name, kind=None):
        if kind is not None and not self.key(name).exists():
            self.pki._key(name, {"x25519": "X25519", "x448": "X448"}.get(kind, kind))

    def key(self, name):
        return self.pki.path(self.pki_name(name) + ".key")

    def der(self, name):
        return lab.pem_to_der(self.pki.path(self.pki_name(name) + ".crt").read_bytes())

    @staticmethod
    def pki_name(name):
        return name if name.startswith("e-") or "@" in name else own(name)


def decrypted(tap, g, octets, address, name):
    status, output, got, _ = receive(g, octets, [address])
    good = status == 0 and len(got) == 1 and got[0].encryption in ("decrypted", "not-integrity-protected") and b"Good morning." in got[0].octets
    tap.ok(good, name, output.decode(errors="replace") + "".join(f"{d.status}" for d in got))


def incoming(tap, g, out):
    for kind in CURVES:
        g.own_key(own(kind), kind)
        for md in ("sha1", "sha256", "sha512"):
            octets = fields(to=own(kind)) + out.encrypt(text(), own(kind), cipher="aes-256-gcm", more=("-keyopt", f"ecdh_kdf_md:{md}"))
            decrypted(tap, g, octets, own(kind), f"{kind}, {md}: decrypted")
        octets = fields(to=own(kind)) + gateway.openssl("cms", "-encrypt", "-aes-256-gcm", "-keyid", "-recip", g.pki.path(own(kind) + ".crt"),
                                                       input=text())
        decrypted(tap, g, octets, own(kind), f"{kind}, named by key identifier: decrypted")
    for kind in ("X25519", "X448"):
        g.own_key(own(kind), kind)
        writer = smime_agree.Writer(Names(g.pki), lab.canonical(text()))
        for hkdf in (True, False):
            for ukm in (None, b"keying material"):
                recipient = writer.agree(kind.lower(), md="sha256", ukm=ukm, hkdf=hkdf)
                octets = fields(to=own(kind)) + wrap(writer.message(recipient), "authEnveloped-data")
                decrypted(tap, g, octets, own(kind), f"{kind}, {'HKDF' if hkdf else 'X9.63'}, {'with' if ukm else 'no'} ukm: decrypted")
    name = own("rsa")
    g.own_key(name)
    for md in ("sha1", "sha224", "sha256", "sha384", "sha512"):
        for mask in ("sha1", "sha256"):
            more = ("-keyopt", "rsa_padding_mode:oaep", "-keyopt", f"rsa_oaep_md:{md}", "-keyopt", f"rsa_mgf1_md:{mask}", "-keyopt",
                    "rsa_oaep_label:4c4142454c")
            decrypted(tap, g, fields(to=name) + out.encrypt(text(), name, cipher="aes-128-gcm", more=more), name,
                      f"OAEP {md}, mask by {mask}, a label: decrypted")
    weak = fields(to=own("P-256")) + gateway.openssl("cms", "-encrypt", "-des3", "-recip", g.pki.path(own("P-256") + ".crt"), input=text())
    _, _, got, _ = receive(g, weak, [own("P-256")])
    tap.ok(got and got[0].encryption == "unsupported" and got[0].all("X-JULIA-Weak") == [], "3DES and its key wrap: unsupported")
    with_weak(g, "yes")
    _, _, got, _ = receive(g, b"X-Again: yes\n" + weak, [own("P-256")])
    tap.ok(got and got[0].encryption == "not-integrity-protected" and sorted(got[0].one("X-JULIA-Weak").split()) ==
           ["des-ede3-cbc", "des-ede3-wrap"], "with ACCEPT_WEAK=yes read, and marked")
    with_weak(g, "no")


def with_weak(g, word):
    conf = g.base / "etc/julia.conf"
    lines = [line for line in conf.read_text().splitlines() if not line.startswith("ACCEPT_WEAK")]
    conf.write_text("\n".join([*lines, f"ACCEPT_WEAK = {word}"]) + "\n")


def letter(sender, to):
    return (f"From: {sender}\nTo: {to}\nSubject: Keys\nDate: Sat, 21 Nov 2026 12:00:00 +0000\nMessage-ID: <{sender}.{to}>\n"
            "MIME-Version: 1.0\nContent-Type: text/plain\n\nGood morning.\n").encode()


class BouncyCastle:
    def __init__(self, g):
        self.directory = g.base
        self.there = shutil.which("javac") is not None and pathlib.Path("/usr/share/java/bcpkix.jar").exists()
        if not self.there:
            print("# BouncyCastle is not installed: not asked")
            return
        sources = [lab.SOURCE / f"tests/interop/{name}.java" for name in ("ReadCms", "WriteCms", "ServeCms")]
        subprocess.run(["javac", "-nowarn", "-Xlint:none", "-cp", JARS, "-d", g.base, *sources], check=True, capture_output=True)

    def verifies(self, der, content):
        (self.directory / "der").write_bytes(der)
        (self.directory / "content").write_bytes(content)
        run = subprocess.run(["java", "-cp", f"{JARS}:{self.directory}", "ServeCms"], check=False, text=True,
                             input=f"verify\t{self.directory}/der\t{self.directory}/content\n", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return "ok 1 good" in run.stdout.splitlines(), run.stdout


def signing(tap, g):
    bouncy = BouncyCastle(g)
    g.base.joinpath("etc/julia.rules").write_text(". (to) . (do) FS\n")
    for kind in (*CURVES, "ED25519", "rsa-pss"):
        if kind not in CURVES:
            g.own_key(own(kind), kind)
        status, output = g.outgoing(letter(own(kind), "anna@partner-1.com"), own(kind), ["anna@partner-1.com"])
        got = g.collect()
        if not tap.ok(status == 0 and len(got) == 1 and b"multipart/signed" in got[0][2], f"{kind} signs", output.decode(errors="replace")):
            continue
        message = got[0][2]
        if kind != "ED25519":  # which OpenSSL 3.0's CMS does not know
            run = subprocess.run(["openssl", "cms", "-verify", "-CAfile", g.pki.path("ca.crt"), "-out", "/dev/null"], input=message,
                                 capture_output=True, check=False)
            tap.ok(run.returncode == 0, f"{kind}: openssl verifies", run.stderr.decode())
        if bouncy.there:
            content, der, _ = lab.split_clear(message)
            good, said = bouncy.verifies(der, lab.canonical(content))
            tap.ok(good, f"{kind}: BouncyCastle verifies", said)
        status, output, got, _ = receive(g, message, [own("rsa")], sender=own(kind))
        tap.ok(status == 0 and got and got[0].signature == "valid", f"{kind}: valid when it comes in", f"{output} {got and got[0].status}")
    for kind in ("ED448", "X25519"):
        if kind == "ED448":
            g.own_key(own(kind), kind)
        status, output = g.outgoing(letter(own(kind), "anna@partner-1.com"), own(kind), ["anna@partner-1.com"], "-explain")
        tap.ok(b"refuse=no-key" in output and b"its key (%s) cannot sign" % kind.lower().encode() in output,
               f"{kind}: -explain says that it cannot sign", output)
        status, output = g.outgoing(letter(own(kind), "anna@partner-1.com"), own(kind), ["anna@partner-1.com"])
        got = g.collect()
        tap.ok(status == 0 and [entry[0] for entry in got] == ["internal"] and b"no-key" in got[0][2],
               f"{kind}: the sender is told, nothing goes out unsigned", f"{status} {output} {got}")


def outgoing(tap, g):
    g.base.joinpath("etc/julia.rules").write_text(". (to) . (do) FE\n")
    for kind in ("X25519", "X448"):
        to = f"{kind.lower()}@partner-1.com"
        g.partner(to, kind)
        status, output = g.outgoing(letter(own("rsa"), to), own("rsa"), [to])
        got = g.collect()
        if not tap.ok(status == 0 and len(got) == 1 and b"pkcs7-mime" in got[0][2], f"{kind}: mail is encrypted to it", output):
            continue
        plain = smime_agree.read(Names(g.pki), to, lab.split_p7m(got[0][2])[0])
        tap.ok(b"Good morning." in plain, f"{kind}: and read by its key", plain)
    for kind in CURVES:
        to = f"{kind.lower()}@partner-1.com"
        g.partner(to, kind)
        status, output = g.outgoing(letter(own("rsa"), to), own("rsa"), [to])
        got = g.collect()
        run = subprocess.run(["openssl", "cms", "-decrypt", "-recip", g.pki.path(to + ".crt"), "-inkey", g.pki.path(to + ".key")],
                             input=got[0][2] if got else b"", capture_output=True, check=False)
        tap.ok(status == 0 and b"Good morning." in run.stdout, f"{kind}: mail is encrypted to it, openssl reads it", f"{output} {run.stderr}")
    for kind in ("ED25519", "rsa-pss"):
        to = f"{kind.lower()}@partner-1.com"
        g.partner(to, kind)
        status, output = g.outgoing(letter(own("rsa"), to), own("rsa"), [to], "-explain")
        tap.ok(b"refuse=wrong-use" in output and b"cannot encrypt" in output, f"{kind}: -explain says that nothing can be encrypted to it", output)


def main():
    tap = gateway.Tap()
    with gateway.Gateway() as g:
        incoming(tap, g, Outside(g.pki))
        signing(tap, g)
        outgoing(tap, g)
    return tap.end()


sys.exit(main())
