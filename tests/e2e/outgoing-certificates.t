#!/usr/bin/env python3
"""Which of several certificates of one address is taken while they come, expire, move between areas and go."""
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import gateway  # noqa: E402
import handmade  # noqa: E402

USER, PARTNER = "user@behoerde.de", "anna@secret.example"
RULES = ".  (to) secret.example  (do) FE\n"
tap = gateway.Tap()


class World:
    def __init__(self, gate):
        self.gate, self.count, self.prints = gate, 0, {}
        database = gate.base / "ca"
        database.mkdir()
        (database / "index.txt").write_text("")
        (database / "serial").write_text("1000\n")
        (database / "cnf").write_text(
            f"[ca]\ndefault_ca=c\n[c]\ndatabase={database}/index.txt\nserial={database}/serial\nnew_certs_dir={database}\n"
            "default_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n")
        self.database = database

    def issue(self, name, start, end, usage="keyEncipherment", address=PARTNER):
        path = self.gate.pki.path
        path(name + ".ext").write_text(f"[x]\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,{usage}\n"
                                       f"extendedKeyUsage=emailProtection\nsubjectAltName=email:{address}\n")
        gateway.openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", path(name + ".key"), "-subj", f"/CN={name}", "-out",
                        path(name + ".csr"))
        gateway.openssl("ca", "-batch", "-config", self.database / "cnf", "-cert", path("ca.crt"), "-keyfile", path("ca.key"), "-in",
                        path(name + ".csr"), "-out", path(name + ".crt"), "-notext", "-extfile", path(name + ".ext"), "-extensions",
                        "x", "-startdate", f"{start}0101000000Z", "-enddate", f"{end}0101000000Z")
        text = gateway.openssl("x509", "-in", path(name + ".crt"), "-noout", "-fingerprint", "-sha256").decode()
        self.prints[text.split("=")[1].strip().replace(":", "").lower()] = name

    def put(self, name, area):
        shutil.copy(self.gate.pki.path(name + ".crt"), self.gate.base / "etc" / area / (name + ".pem"))

    def remove(self, name, area):
        (self.gate.base / "etc" / area / (name + ".pem")).unlink()

    def expect(self, wanted, what):
        """The name of the certificate taken, or refuse=REASON..., wait=...; and -explain says the same as the hand-off."""
        self.count += 1
        letter = f"From: {USER}\nTo: {PARTNER}\nX-Number: {self.count}\n\nSECRET\n".encode()
        _, said = self.gate.outgoing(letter, USER, [PARTNER], "-explain")
        line = said.decode().splitlines()[0].split("\t")
        found = self.prints.get(line[4].removeprefix("encrypt="), line[-1])
        status, _ = self.gate.outgoing(letter, USER, [PARTNER])
        handed = [target for target, _, octets, _ in self.gate.collect() if b"SECRET" not in octets]
        then = (75, []) if found.startswith("wait=") else (0, ["internal" if found.startswith("refuse=") else "external"])
        tap.ok(found.startswith(wanted) and (status, handed) == then, f"{what}: {wanted}", f"{found} {status} {handed}")


def certificates(w):
    w.issue("expired", 2020, 2021)
    w.issue("signs", 2025, 2035, usage="digitalSignature")
    w.issue("other", 2025, 2035, address="bert@secret.example")
    w.issue("old", 2024, 2035)
    w.issue("new", 2025, 2036)
    w.expect("refuse=no-certificate", "nothing")
    w.put("signs", "public")
    w.put("other", "trusted")
    w.expect("refuse=wrong-use", "for signatures only; a trusted one of somebody else")
    w.put("expired", "public")
    w.expect("refuse=expired: 2021-01-01", "an expired one, too")
    w.put("expired", "trusted")
    w.expect("expired", "expired and trusted, and there is no other")
    w.put("old", "public")
    w.expect("old", "a valid one is not blocked by the expired one, trusted or not")
    w.put("new", "public")
    w.expect("new", "of two valid ones the newer")
    for name, key in handmade.odd_keys(w.gate.pki):
        w.gate.pki.path(name + ".crt").write_bytes(handmade.odd_certificate(w.gate.pki, PARTNER, key))
        w.put(name, "public")
        w.expect("new", f"the newest has a key that cannot be used ({name})")
        w.remove(name, "public")
    w.put("old", "trusted")
    w.expect("old", "of two valid ones the trusted")
    w.put("old", "untrusted")
    w.expect("new", "distrust beats trust")
    w.remove("old", "untrusted")
    w.remove("new", "public")
    w.expect("old", "areas move")
    config = w.gate.base / "etc/julia.conf"
    config.write_text(config.read_text() + "REVOCATION = require\n")
    w.remove("old", "trusted")
    w.remove("expired", "trusted")
    w.expect("wait=", "no CRL, and one is required")
    w.expect(f"wait=the certificate of {PARTNER} cannot be judged: no CRL", "... which is what is said, not that another expired")


with gateway.Gateway(RULES) as g:
    certificates(World(g))
    config = g.base / "etc/julia.conf"
    config.write_text(config.read_text() + f"SENDER_LOGIN = {g.base}\n")
    code, text = g.outgoing(b"From: a@behoerde.de\n\nx\n", USER, ["x@open.example"])
    tap.ok(code == 75 and b"SENDER_LOGIN" in text, "a directory as SENDER_LOGIN: the mail waits", text)
sys.exit(tap.end())
