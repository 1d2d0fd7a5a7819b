#!/usr/bin/env python3
"""Times whole runs of julia against other programs and prints ratios: every command of a table ran in turn with the others, and a
ratio is the median over the rounds. Only the ratios mean anything on another machine.
usage: measure.py pass | cms | memory"""
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tests", "lib"))
if os.access("/dev/shm", os.W_OK):
    tempfile.tempdir = "/dev/shm"  # the same storage for all, and none of its noise
import gateway  # noqa: E402

PAIRED = gateway.BUILD / "bench/paired"
FLOOR = str(gateway.BUILD / "bench/floor")
SIZES = {"2 KB": 2000, "50 KB": 50000, "1 MB": 1000000, "25 MB": 25000000}
SENDER, PARTNER = "user_1@behoerde.de", "anna@partner.example"
RULES = """\
. (to) sign.example (do) FS
. (to) cbc.example  (do) FE:cbc
. (to) gcm.example  (do) FE:gcm
"""
CONF = "PROFILE_cbc = cipher=aes-256-cbc\nPROFILE_gcm = cipher=aes-256-gcm\nTARGET_EXTERNAL = {floor} take\nTARGET_INTERNAL = {floor} take\n"


def letter(size, sender=SENDER, recipient="anna@sign.example"):
    line = b"0123456789abcdefghijklmnopqrstuvwxyz" * 2 + b"\n"
    head = (f"From: {sender}\nTo: {recipient}\nSubject: a letter\nMIME-Version: 1.0\nContent-Type: text/plain\n"
            "Message-ID: <letter@behoerde.de>\nDate: Sat, 21 Nov 2026 12:00:00 +0000\n\n").encode()
    return head + line * (max(size - len(head), 0) // len(line) + 1)


class World:
    """A gateway whose targets cost nothing, its modules as services too, and letters to go through it."""

    def __init__(self):
        self.gateway = gateway.Gateway(RULES)
        self.base = self.gateway.base
        self.services = []
        conf = self.base / "etc/julia.conf"
        text = "".join(line + "\n" for line in conf.read_text().splitlines() if not line.startswith("TARGET_"))
        conf.write_text(text + f"TARGET_SCANNER = {FLOOR} take\n" + CONF.format(floor=FLOOR))
        self.gateway.own_key(SENDER)
        for domain in ("sign", "cbc", "gcm"):
            self.gateway.partner(f"anna@{domain}.example")
        self.gateway.pki.person(PARTNER)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for service in self.services:
            service.terminate()
            service.wait()
        self.gateway.__exit__()

    def serve(self):
        """Starts the modules as services, one worker each; returns the configuration that uses them."""
        text = (self.base / "etc/julia.conf").read_text()
        for module in ("keys-file", "trust", "smime"):
            path = self.base / "var/run" / (module + ".sock")
            # pylint: disable-next=consider-using-with
            self.services.append(subprocess.Popen([gateway.BUILD / "bin/julia-moduled", "-b", self.base, "-n", "1", "-s", path,
                                                   gateway.BUILD / "lib/modules" / module]))
            self._wait(path)
            text = text.replace(str(gateway.BUILD / "lib/modules" / module), f"unix:{path}")
        conf = self.base / "etc/services.conf"
        conf.write_text(text)
        return conf

    @staticmethod
    def _wait(path):
        for _ in range(100):
            with socket.socket(socket.AF_UNIX) as client:
                try:
                    client.connect(str(path))
                    return
                except OSError:
                    time.sleep(0.05)
        raise SystemExit(f"measure.py: nobody serves {path}")

    def workers_peak(self):
        """The largest resident set any worker of a service has had, in KiB."""
        peaks = [0]
        for service in self.services:
            children = pathlib.Path(f"/proc/{service.pid}/task/{service.pid}/children").read_text()
            for child in children.split():
                status = pathlib.Path(f"/proc/{child}/status").read_text()
                peaks += [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")]
        return max(peaks)

    def file(self, name, octets):
        path = self.base / "out" / name
        path.write_bytes(octets)
        return path

    def julia(self, conf, client, sender, recipient):
        return [str(gateway.BUILD / "bin/julia"), "-c", str(conf), "-client", client, "-sender", sender, "-queue-id", "BENCH",
                "-readmail", recipient]

    def outgoing(self, conf, domain):
        return self.julia(conf, "192.0.2.7", SENDER, f"anna@{domain}.example")

    def incoming(self, conf):
        return self.julia(conf, "203.0.113.5", PARTNER, SENDER)

    def paired(self, rounds, seconds, cases):
        """cases: (name, standard input, command). Returns lists (ms, ratio, first and ninth decile, peak KiB, ratio of
        processor time) by name."""
        lines = ["\t".join([name, str(path), *map(str, command)]) for name, path, command in cases]
        done = subprocess.run([PAIRED, str(rounds), str(seconds), self.base / "var/journal"], check=True, text=True,
                              input="\n".join(lines) + "\n", stdout=subprocess.PIPE)
        return {fields[0]: list(map(float, fields[1:])) for fields in
                (line.split("\t") for line in done.stdout.splitlines())}


class Operations:
    """What julia does with a letter, and what the openssl program is asked to do with it."""

    NAMES = ("sign", "encrypt CBC", "encrypt GCM", "decrypt CBC", "decrypt GCM", "verify")

    def __init__(self, world, size):
        self.world, self.size = world, size
        self.plain = world.file("plain", letter(size))
        self.foreign = world.file("foreign", letter(size, PARTNER, SENDER))
        self.made = {name: self._prepare(name) for name in self.NAMES[3:]}

    def _pki(self, name):
        return self.world.gateway.pki.path(name)

    def _prepare(self, name):
        """A letter from outside, made by openssl."""
        path = self.world.base / "out" / name.replace(" ", "-")
        body = self.world.file("body", self.foreign.read_bytes().split(b"\n\n", 1)[1])
        body.write_bytes(b"Content-Type: text/plain\n\n" + body.read_bytes())
        if name == "verify":
            made = gateway.openssl("cms", "-sign", "-md", "sha256", "-signer", self._pki(PARTNER + ".crt"), "-inkey",
                                   self._pki(PARTNER + ".key"), "-in", body)
        else:
            made = gateway.openssl("cms", "-encrypt", "-stream", f"-aes-256-{name[-3:].lower()}", "-in", body,
                                   self._pki(SENDER + ".crt"))
        path.write_bytes(b"From: " + PARTNER.encode() + b"\nTo: " + SENDER.encode() + b"\nSubject: x\n"
                         b"Date: Sat, 21 Nov 2026 12:00:00 +0000\n" + made)
        return path

    def input(self, name):
        return self.made.get(name, self.plain)

    def openssl(self, name):
        base = ["openssl", "cms", "-in", self.input(name), "-out", self.world.base / "out/result"]
        if name == "sign":
            return [*base, "-sign", "-md", "sha256", "-signer", self._pki(SENDER + ".crt"), "-inkey", self._pki(SENDER + ".key")]
        if name == "verify":
            return [*base, "-verify", "-CAfile", self._pki("ca.crt"), "-no-CApath"]
        if name.startswith("decrypt"):
            return [*base, "-decrypt", "-recip", self._pki(SENDER + ".crt"), "-inkey", self._pki(SENDER + ".key")]
        return [*base, "-encrypt", "-stream", f"-aes-256-{name[-3:].lower()}", self._pki(f"anna@{name[-3:].lower()}.example.crt")]

    def julia(self, name, conf):
        if name in self.made:
            return self.world.incoming(conf)
        return self.world.outgoing(conf, name[-3:].lower() if name != "sign" else "sign")


def table(title, heads, rows):
    print(f"\n# {title}")
    cells = [heads, *rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(heads))]
    for row in cells:
        print("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))))
    sys.stdout.flush()


def compare_pass():
    with World() as world:
        path = world.file("letter", letter(50000, recipient="anna@clear.example"))
        conf = world.base / "etc/julia.conf"
        bare = world.base / "etc/bare.conf"
        bare.write_text(conf.read_text() + "JOURNAL = no\n")
        cases = [("empty dynamic program", path, [FLOOR]),
                 ("it, and reads the message", path, [FLOOR, "take"]),
                 ("it, and runs a target with it", path, [FLOOR, "filter", FLOOR, "take"]),
                 ("julia, rules only", path, world.outgoing(conf, "clear")),
                 ("julia, JOURNAL = no", path, world.outgoing(bare, "clear"))]
        found = world.paired(400, 8, cases)
        least = found["it, and runs a target with it"][1]
        table("a 50 KB message that rules let pass, wall time against an empty program",
              ["", "ratio", "to a filter that runs a target", "peak KiB"],
              [[name, f"{f[1]:.2f}", f"{f[1] / least:.2f}", f"{f[4]:.0f}"] for name, f in found.items()])


def compare_cms():
    with World() as world:
        served, spawned = world.serve(), world.base / "etc/julia.conf"
        rows = []
        for label, size in SIZES.items():
            operations = Operations(world, size)
            for name in Operations.NAMES:
                source = operations.input(name)
                found = world.paired(60, 2 if size < 10000000 else 4,
                                     [("openssl", source, operations.openssl(name)),
                                      ("services", source, operations.julia(name, served)),
                                      ("spawned", source, operations.julia(name, spawned))])
                rows.append([f"{name} {label}"] + [f"{found[who][1]:.2f} ({found[who][2]:.2f}-{found[who][3]:.2f})"
                                                    for who in ("services", "spawned")] + [f"{found['spawned'][5]:.2f}"])
        table("whole run of julia against openssl cms (median, first and ninth decile)",
              ["", "services, wall time", "spawned, wall time", "spawned, processor time"], rows)


def compare_memory():
    with World() as world:
        served, spawned = world.serve(), world.base / "etc/julia.conf"
        rows = []
        for label, size in list(SIZES.items())[::3]:
            operations = Operations(world, size)
            for name in Operations.NAMES:
                source = operations.input(name)
                found = world.paired(3, 0, [("openssl", source, operations.openssl(name)),
                                            ("services", source, operations.julia(name, served)),
                                            ("spawned", source, operations.julia(name, spawned))])
                rows.append([f"{name} {label}", *(f"{found[who][4]:.0f}" for who in ("openssl", "services", "spawned")),
                             f"{world.workers_peak()}"])
        table("peak resident KiB of the largest process", ["", "openssl cms", "julia alone", "julia and spawned modules",
                                                           "services so far"], rows)


def main():
    what = {"pass": compare_pass, "cms": compare_cms, "memory": compare_memory}
    if len(sys.argv) != 2 or sys.argv[1] not in what:
        raise SystemExit(__doc__)
    what[sys.argv[1]]()


main()
