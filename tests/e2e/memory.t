#!/usr/bin/env python3
"""Constant memory: every form of S/MIME, in and out, small and large. No process may need more than its limit, and none more for a large
message than for a small one. JULIA_MEMORY_SIZE: octets of the large one."""
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import bulk  # noqa: E402
import gateway  # noqa: E402
import handmade  # noqa: E402
from bulk import ONE  # noqa: E402
from outside import EYE, Delivered  # noqa: E402

SMALL, LARGE = 2_000, int(os.environ.get("JULIA_MEMORY_SIZE", "20_000_000"))
LIMITS = {"julia": 3 << 10, "keys-file": 8 << 10, "trust": 8 << 10, "smime": 8 << 10}  # KiB
GROWTH = 1.10
SCANNER = "198.51.100.2"
CONF = bulk.PROFILES + f"MAX_SIZE = 2G\nDEADLINE = 30m\nMODULE_TIMEOUT = 10m\nSCANNER_CLIENTS = {SCANNER}\nHOLD_DIR = var/hold\n"
SIGNED_OR_SEALED = ("smime", "trust", "keys-file")


class Lab:
    """Runs messages and remembers what was needed, by name of the form and size."""

    def __init__(self, g, tap):
        self.g, self.tap, self.peaks = g, tap, {}
        self.conf = (g.base / "etc/julia.conf").read_text()
        self.folder = g.base / "work"
        self.copy = g.base / "copy"  # what the target got last

    def fresh(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        return self.folder

    def configure(self, more=""):
        (self.g.base / "etc/julia.conf").write_text(self.conf + more)

    def send(self, name, size, client, sender, recipient, path):
        """One message, which must reach one target: (status, octets there, the last of them), or None."""
        code, self.peaks[name, size], output = bulk.run(self.g, client, sender, [recipient], path)
        found = list((self.g.base / "out").glob("*/message"))
        result = None
        if code == 0 and len(found) == 1:
            found[0].rename(self.copy)
            with open(self.copy, "rb") as source:
                status = Delivered(("", [], source.read(8_000), [])).status
                result = status, self.copy.stat().st_size, bulk.tail(self.copy, 200)
        if result is None:
            print(f"# exit {code}, {len(found)} messages", *output.decode(errors="replace").splitlines(), sep="\n# ")
        for directory in (self.g.base / "out").iterdir():
            shutil.rmtree(directory)
        return result

    def judge(self, name, modules):
        """The peaks of both sizes."""
        small, large = self.peaks[name, SMALL], self.peaks[name, LARGE]
        self.tap.ok(set(large) == set(small) == {"julia", *modules}, f"{name}: measured are {sorted(large)}", f"{small}, {large}")
        for program in sorted(set(small) & set(large)):
            limit, before, peak = LIMITS[program], small[program], large[program]
            self.tap.ok(max(peak, before) < limit and peak <= GROWTH * before,
                        f"{name}: {program} needs {peak} KiB, {before} for a small message, below {limit}")


def incoming(lab):
    names = [(name, modules) for name, modules, _ in bulk.Incoming(lab.g, lab.fresh(), SMALL).forms()]
    for name, modules in names:
        for size in (SMALL, LARGE):
            forms = bulk.Incoming(lab.g, lab.fresh(), size)
            path, status = next(make for form, _, make in forms.forms() if form == name)()
            got = lab.send(name, size, "203.0.113.5", EYE, ONE, path)
            lab.tap.ok(got and got[:1] == (status,) and got[1] > 0.9 * size, f"{name}, {size} octets: comes in as {status}", got)
            if status[1] == "none" and got:  # nothing is left around the text
                lab.tap.ok(bulk.tail(forms.entity, 60) in got[2].replace(b"\r", b""), "... to its last line", got)
        lab.judge(name, () if modules is None else ("smime", *modules))


def outgoing(lab):
    for size in (SMALL, LARGE):
        for name, recipient, path in bulk.letters(lab.fresh(), size):
            got = lab.send(f"out, {name}", size, "192.0.2.7", ONE, recipient, path)
            lab.tap.ok(got and got[1] > size, f"{name}, {size} octets: goes out", got)
    for name in {name: None for name, _ in lab.peaks if name.startswith("out, ")}:
        lab.judge(name, () if name == "out, plain" else SIGNED_OR_SEALED)


def delivery(lab):
    """Other ways than plain: encrypted anew, and the original after the scanner has seen the plain copy."""
    lab.configure("DELIVER = reencrypt\n")
    for size in (SMALL, LARGE):
        path, _ = bulk.Incoming(lab.g, lab.fresh(), size).enveloped("gcm")
        got = lab.send("reencrypt", size, "203.0.113.5", EYE, ONE, path)
        lab.tap.ok(got and got[0][0] == "decrypted" and got[1] > size, f"reencrypt, {size} octets", got)
    lab.judge("reencrypt", SIGNED_OR_SEALED)
    lab.configure("DELIVER = original\nMODE = gateway\n")
    for size in (SMALL, LARGE):
        path, _ = bulk.Incoming(lab.g, lab.fresh(), size).enveloped("gcm")
        got = lab.send("to the scanner", size, "203.0.113.5", EYE, ONE, path)
        lab.tap.ok(got and got[0][0] == "decrypted", f"a plain copy of {size} octets goes to the scanner", got)
        returned = lab.copy.rename(lab.folder / "returned")
        got = lab.send("back from the scanner", size, SCANNER, EYE, ONE, returned)
        lab.tap.ok(got and got[1] > size and got[2][-100:] == bulk.tail(path, 100), "... and the original to the recipient", got)
    lab.judge("to the scanner", ("smime", "keys-file"))
    lab.judge("back from the scanner", ())
    lab.configure()


def revocation(lab):
    """A list of 20,000 revoked certificates, which must be found in it. It has a megabyte, which is kept, and not much more."""
    _, serial = handmade.lab.issuer_and_serial(handmade.certificate(lab.g.pki, EYE))
    place = lab.g.base / "etc/ca/list.crl"
    for listed, word in (((), "valid"), ((handmade.lab.take(serial)[1],), "revoked")):
        place.write_bytes(handmade.crl(lab.g.pki, 20_000, listed))
        path, _ = bulk.Incoming(lab.g, lab.fresh(), SMALL).clear()
        for run in ("index made", "index used"):
            path.write_bytes(f"X-Run: {word} {run}\n".encode() + path.read_bytes())
            got = lab.send(f"CRL, {word}, {run}", SMALL, "203.0.113.5", EYE, ONE, path)
            peak = lab.peaks[f"CRL, {word}, {run}", SMALL]["trust"]
            lab.tap.ok(got and got[0] == ("none", word), f"CRL of 20,000: {word}, {run}", got)
            lab.tap.ok(peak < LIMITS["trust"] + 3 * place.stat().st_size // 1024, f"... trust needs {peak} KiB")
            del lab.peaks[f"CRL, {word}, {run}", SMALL]
    place.unlink()


def main():
    tap = gateway.Tap()
    with gateway.Gateway(bulk.RULES, CONF) as g:
        lab = Lab(g, tap)
        g.own_key(ONE)
        g.pki.person(EYE)
        for domain in bulk.DOMAINS:
            g.partner(f"anna@{domain}.example")
        for part in (incoming, outgoing, delivery, revocation):
            part(lab)
        for program in LIMITS:
            values = [(peaks[program], name) for (name, _), peaks in lab.peaks.items() if program in peaks]
            print(f"# {program}: {min(values)[0]} to {max(values)[0]} KiB, the most for: {max(values)[1]}")
    return tap.end()


sys.exit(main())
