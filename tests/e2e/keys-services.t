#!/usr/bin/env python3
"""Modules as services behind julia-moduled: many runs at once, reloads and killed workers under load, clients that hang, sockets left
behind, an index that is deleted, keys that are replaced. JULIA_RUNS=200 JULIA_PARALLEL=20 for a longer run (tests/soak)."""
import concurrent.futures
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import gateway  # noqa: E402

RULES = ". (to) partner.example (do) FE, FS=mail@behoerde.de\n"
SENDER, PARTNER = "user_1@behoerde.de", "anna@partner.example"
NAMES = ("keys-file", "trust", "smime")
RUNS = int(os.environ.get("JULIA_RUNS", "30"))
PARALLEL = int(os.environ.get("JULIA_PARALLEL", "10"))


class Services:
    def __init__(self, base, workers=2):
        self.base, self.workers, self.running = base, workers, {}
        self.log = open(base / "logs/moduled.log", "ab")
        for name in NAMES:
            self.start(name)

    def socket(self, name):
        return str(self.base / "var/run" / name)

    def start(self, name):
        command = [gateway.BUILD / "bin/julia-moduled", "-b", self.base, "-n", str(self.workers), "-s", self.socket(name),
                   gateway.BUILD / "lib/modules" / name]
        self.running[name] = subprocess.Popen([str(word) for word in command], stderr=self.log)
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                self.connect(name).close()
                return
            except OSError:
                time.sleep(0.02)

    def connect(self, name):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(self.socket(name))
        except OSError:
            connection.close()
            raise
        return connection

    def worker_pids(self, name):
        pid = self.running[name].pid
        return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def end(self):
        for service in self.running.values():
            service.terminate()
        return [service.wait(20) for service in self.running.values()]


def letter(number, size=0):
    return (f"From: {SENDER}\nTo: {PARTNER}\nSubject: {number}\nMessage-ID: <{number}.{time.monotonic_ns()}@behoerde.de>\n"
            "Date: Sat, 21 Nov 2026 12:00:00 +0000\n\n" + "A line of the letter.\n" * (1 + size // 22)).encode()


def send(g, number=0, size=0):
    return g.outgoing(letter(number, size), SENDER, [PARTNER])


def many(g, runs=RUNS, parallel=PARALLEL):
    """The runs that did not end with 0, and how many recipients were served."""
    with concurrent.futures.ThreadPoolExecutor(parallel) as pool:
        results = list(pool.map(lambda n: send(g, n), range(runs)))
    return [result for result in results if result[0] != 0], sum(len(r) for _, r, _, _ in g.collect())


def while_busy(g, disturb, runs=RUNS):
    """Like many(), while disturb() is called again and again."""
    ended = threading.Event()

    def go():
        while not ended.wait(0.15):
            disturb()
    thread = threading.Thread(target=go)
    thread.start()
    try:
        return many(g, runs)
    finally:
        ended.set()
        thread.join()


def retry(g, octets):
    for _ in range(5):
        status, output = g.outgoing(octets, SENDER, [PARTNER])
        if status == 0:
            return status, output
        if status != 75:
            break
    return status, output


def signer_of(g, octets):
    """The certificate that signed, in PEM."""
    plain = g.base / "plain.eml"
    plain.write_bytes(octets)
    inner = subprocess.run(["openssl", "cms", "-decrypt", "-in", plain, "-recip", g.pki.path(PARTNER + ".crt"), "-inkey",
                            g.pki.path(PARTNER + ".key")], stdout=subprocess.PIPE, check=True).stdout
    certificate = g.base / "signer.pem"
    subprocess.run(["openssl", "cms", "-verify", "-CAfile", g.pki.path("ca.crt"), "-signer", certificate, "-out", "/dev/null"],
                   input=inner, stderr=subprocess.DEVNULL, check=True)
    return certificate.read_text().strip()


def load(tap, g, services):
    failed, served = many(g)
    tap.ok(not failed and served == RUNS, f"{RUNS} runs, {PARALLEL} at once, two workers a module: all served",
           failed or served)
    failed, served = while_busy(g, lambda: [s.send_signal(signal.SIGHUP) for s in services.running.values()])
    tap.ok(not failed and served == RUNS, "none fails while all services are reloaded again and again", failed or served)


def killed_workers(tap, g, services):
    victims = iter(range(10 ** 9))

    def kill():
        pids = services.worker_pids(NAMES[next(victims) % 3])
        if pids:
            os.kill(pids[0], signal.SIGKILL)
    failed, served = while_busy(g, kill)
    tap.ok(all(f[0] == 75 for f in failed), f"workers killed under load: {len(failed)} of {RUNS} wait, none is lost",
           [f for f in failed if f[0] != 75])
    tap.ok(served == RUNS - len(failed), "the others were served once", served)
    time.sleep(0.5)
    status, output = retry(g, letter("after"))
    tap.ok(status == 0 and len(g.collect()) == 1, "and then it goes on", output)


def hung_clients(tap, g, services):
    request = ('<request xmlns="urn:julia:module:1" id="1" deadline="3600000"><hello version="1"/></request>').encode()
    hung = []
    for name in NAMES:
        silent, asked = services.connect(name), services.connect(name)
        asked.sendall(b"%d\n%s" % (len(request), request))
        hung += [silent, asked]
    half = services.connect("smime")
    half.sendall(b"100\n<requ")
    hung.append(half)
    time.sleep(0.2)
    begun = time.monotonic()
    status, output = send(g)
    waited = time.monotonic() - begun
    tap.ok(status == 0 and waited < 40, f"clients that hang on every worker: a run waits {waited:.0f} s, not for ever", output)
    for connection in hung:
        connection.close()
    g.collect()


def left_behind(tap, g, services):
    old = services.running["smime"]
    workers = services.worker_pids("smime")
    old.kill()
    old.wait()
    until = time.monotonic() + 20
    while any(os.path.exists(f"/proc/{pid}") for pid in workers) and time.monotonic() < until:
        time.sleep(0.02)
    status, output = send(g)
    tap.ok(status == 75 and b"4." in output, "no service: the mail waits", output)
    services.start("smime")
    status, output = send(g)
    tap.ok(status == 0, "a service killed outright leaves no worker, and starts again over its old socket", output)
    second = subprocess.run([gateway.BUILD / "bin/julia-moduled", "-b", g.base, "-s", services.socket("smime"), "smime"],
                            stderr=subprocess.PIPE, check=False)
    tap.ok(second.returncode == 75 and b"already serves" in second.stderr, "a second one leaves the first alone", second)
    g.collect()


def index_deleted(tap, g):
    for pattern in ("keys-file", "trust"):
        for file in (g.base / "var/index").glob(pattern + ".sqlite*"):
            file.unlink()
    status, output = send(g)
    tap.ok(status == 0 and len(list((g.base / "var/index").glob("*.sqlite"))) == 2, "an index deleted while it is open is made anew",
           output)
    for file in (g.base / "var/index").glob("*.sqlite"):
        file.write_bytes(b"rubbish" * 1000)
    status, output = send(g)
    tap.ok(status == 0, "and one that was overwritten, too", output)
    g.collect()


def keys_replaced(tap, g):
    own = g.base / "etc/private/mail@behoerde.de.pem"
    send(g)
    before = signer_of(g, g.collect()[0][2])
    for how in ("renamed over it", "written into it"):
        name = g.pki.person("mail@behoerde.de", name="fresh")
        octets = g.pki.path(name + ".key").read_bytes() + g.pki.path(name + ".crt").read_bytes()
        if how == "renamed over it":
            fresh = own.with_name(".fresh")
            fresh.write_bytes(octets)
            fresh.chmod(0o600)
            fresh.rename(own)
        else:
            own.write_bytes(octets)
        status, output = send(g)
        after = signer_of(g, g.collect()[0][2]) if status == 0 else ""
        tap.ok(after not in ("", before) and after in octets.decode(), f"a new key, {how}, signs the next letter", output)
        before = after
    own.chmod(0o644)
    status, output = send(g)
    tap.ok(status == 75 and b"refused" in output, "a key in use that others may read now is not used any more", output)
    own.chmod(0o600)
    status, output = send(g)
    tap.ok(status == 0, "until it is closed to them again", output)
    own.rename(own.with_suffix(".bak"))
    status, output = send(g)
    tap.ok(status == 0 and not [r for _, r, _, _ in g.collect() if PARTNER in r and status != 0],
           "a key taken away is gone at once", output)


def main():
    tap = gateway.Tap()
    with gateway.Gateway(RULES) as g:
        g.own_key("mail@behoerde.de")
        g.partner(PARTNER)
        conf = g.base / "etc/julia.conf"
        text = conf.read_text()
        for name, parameter in zip(NAMES, ("MODULES_KEYS", "MODULE_TRUST", "MODULE_SMIME")):
            text = text.replace(f"{parameter} = {gateway.BUILD}/lib/modules/{name}", f"{parameter} = unix:{g.base}/var/run/{name}")
        conf.write_text(text)
        services = Services(g.base)
        try:
            load(tap, g, services)
            killed_workers(tap, g, services)
            left_behind(tap, g, services)
            index_deleted(tap, g)
            keys_replaced(tap, g)
            g.own_key("mail@behoerde.de")
            hung_clients(tap, g, services)
        finally:
            ends = services.end()
        tap.ok(ends == [0, 0, 0], "services end when they are told to", ends)
        if tap.failed:
            print("# " + (g.base / "logs/moduled.log").read_text().replace("\n", "\n# "))
    return tap.end()


sys.exit(main())
