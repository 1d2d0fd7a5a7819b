#!/usr/bin/env python3
"""Secrets stay in the key module. Every octet that julia, smime and trust read or write in a signing, an encrypting and several decrypting
runs is compared with the private numbers, the key files and the pass phrase; so is what keys-file sends. Then the memory of a
smime service after its work."""
import base64
import os
import re
import shutil
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import gateway  # noqa: E402

PHRASE = b"correct horse battery staple"
RULES = ". (to) partner.example (do) FE, FS\n"
LETTER = ("From: {sender}\nTo: {to}\nSubject: s\nMessage-ID: <{id}@behoerde.de>\nDate: Sat, 21 Nov 2026 12:00:00 +0000\n\nHello\n")
PEOPLE = {"rsa@behoerde.de": "rsa", "ec@behoerde.de": "ec", "p12@behoerde.de": "rsa"}  # plain, encrypted PEM, PKCS#12
SENT = ("write", "writev", "pwrite64", "sendmsg", "sendto")


def private_numbers(path):
    """All private integers of a key, from what openssl prints."""
    text = gateway.openssl("pkey", "-in", path, "-noout", "-text").decode()
    found = re.findall(r"^(priv|privateExponent|prime1|prime2|exponent1|exponent2|coefficient):\s*\n((?:\s+[0-9a-f:]+\n)+)", text, re.M)
    return [bytes.fromhex(re.sub(r"[^0-9a-f]", "", digits)).lstrip(b"\0") for _, digits in found]


def forms(secret):
    """Pieces by which a secret would be known: raw, reversed words (as numbers lie in memory), hexadecimal, base64 at any alignment."""
    middle = secret[4:28]
    yield middle
    yield secret[::-1][4:28]
    yield middle.hex().encode()
    yield middle.hex().upper().encode()
    for skip in range(3):
        yield base64.b64encode(middle[skip:skip + 21])[:28]


class Secrets:
    def __init__(self):
        self.needles = {}

    def add(self, name, *needles):
        for needle in needles:
            assert len(needle) >= 16, name
            self.needles[needle] = name

    def add_key(self, name, path):
        for number in private_numbers(path):
            self.add(name + ": private number", *forms(number))
        numbers = private_numbers(path)  # the other lines are of the public key
        self.add(name + ": PEM", *[line for line in path.read_bytes().splitlines()[1:-1]
                                   if any(base64.b64decode(line + b"==") in number for number in numbers)])

    def found_in(self, octets):
        return sorted({name for needle, name in self.needles.items() if needle in octets})


def strace(g, *words):
    """Runs julia (arguments of Gateway.run); returns {program: (all octets seen in its system calls, those sent)}, exit status."""
    prefix = g.base / "trace/t"
    shutil.rmtree(prefix.parent, ignore_errors=True)
    prefix.parent.mkdir()
    status, output = g.run(*words, wrapper=["strace", "-ff", "-xx", "-s", "5000000", "-o", prefix])
    seen = {}
    for file in prefix.parent.iterdir():
        program, every, sent = "?", [], []
        for line in file.read_text().splitlines():
            strings = b"".join(bytes.fromhex(s.replace("\\x", "")) for s in re.findall(r'"((?:\\x[0-9a-f]{2})+)"', line))
            if line.startswith("execve("):
                path = re.match(r'execve\("((?:\\x[0-9a-f]{2})+)"', line)[1]
                program = os.path.basename(bytes.fromhex(path.replace("\\x", "")).decode())
            every.append(strings)
            if line.split("(")[0] in SENT:
                sent.append(strings)
        before = seen.get(program, (b"", b""))
        seen[program] = (before[0] + b"".join(every), before[1] + b"".join(sent))
    return seen, status, output


def judge(tap, what, secrets, seen):
    bad = {program: secrets.found_in(octets) for program, (octets, _) in seen.items()
           if program != "keys-file" and secrets.found_in(octets)}
    tap.ok(not bad and {"julia", "smime", "keys-file"} <= set(seen), f"{what}: no secret passes julia, smime or trust",
           bad or sorted(seen))
    bad = secrets.found_in(seen.get("keys-file", (b"", b""))[1])
    tap.ok(not bad, f"{what}: keys-file sends none", bad)


def set_up(g, secrets):
    """Keys in three forms; returns what must be seen where keys-file reads."""
    for address, kind in PEOPLE.items():
        g.pki.person(address, kind)
        secrets.add_key(address, g.pki.path(address + ".key"))
    own = g.base / "etc/private"
    phrase = g.base / "etc/phrase"
    phrase.write_bytes(PHRASE + b"\n")
    phrase.chmod(0o600)
    (g.base / "etc/keys-file.conf").write_text("PASS_PHRASE_FILE = etc/phrase\n")
    secrets.add("pass phrase", PHRASE, PHRASE.decode().encode("utf-16-be"), base64.b64encode(PHRASE)[:32], PHRASE.hex().encode())
    for address in PEOPLE:
        path, key, certificate = own / (address + ".pem"), g.pki.path(address + ".key"), g.pki.path(address + ".crt")
        if address.startswith("p12"):
            path = own / (address + ".p12")
            gateway.openssl("pkcs12", "-export", "-inkey", key, "-in", certificate, "-passout", f"file:{phrase}", "-out", path)
        elif address.startswith("ec"):
            path.write_bytes(gateway.openssl("pkcs8", "-topk8", "-in", key, "-passout", f"file:{phrase}") + certificate.read_bytes())
        else:
            path.write_bytes(key.read_bytes() + certificate.read_bytes())
        path.chmod(0o600)
    g.partner("anna@partner.example")


def encrypted_for(g, address):
    body = subprocess.run(["openssl", "cms", "-encrypt", "-aes256", "-from", "anna@partner.example", "-to", address, "-subject", "s",
                           g.pki.path(address + ".crt")], input=b"Content-Type: text/plain\n\nSecret words\n", stdout=subprocess.PIPE,
                          check=True).stdout
    return b"Message-ID: <%d@partner.example>\n" % time.monotonic_ns() + body


def content_keys(octets):
    return [base64.b64decode(k) for k in re.findall(rb"<content-key>([A-Za-z0-9+/=]+)</content-key>", octets)]


def runs(tap, g, secrets):
    for address in PEOPLE:
        letter = LETTER.format(sender=address, to="anna@partner.example", id=time.monotonic_ns()).encode()
        seen, status, output = strace(g, letter, "192.0.2.7", address, ["anna@partner.example"])
        tap.ok(status == 0 and len(g.collect()) == 1, f"{address} signs and encrypts", output)
        judge(tap, f"{address} signs", secrets, seen)
        read = secrets.found_in(seen["keys-file"][0])
        tap.ok(bool(read), f"the search finds what keys-file reads: {', '.join(read)}")
        seen, status, output = strace(g, encrypted_for(g, address), "203.0.113.5", "anna@partner.example", [address])
        got = g.collect()
        tap.ok(status == 0 and len(got) == 1 and b"Secret words" in got[0][2], f"mail for {address} is decrypted", output)
        judge(tap, f"{address} decrypts", secrets, seen)
        keys = content_keys(seen["keys-file"][1])
        elsewhere = [p for p in seen if p not in ("keys-file", "smime") for k in keys if any(f in seen[p][0] for f in (k, base64.b64encode(k), k.hex().encode()))]
        tap.ok(len(keys) == 1 and not elsewhere, f"{address}: the content key goes to smime alone", (keys, elsewhere))


def memory(pid):
    octets = []
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            span, rights = line.split()[:2]
            start, end = (int(x, 16) for x in span.split("-"))
            if "w" in rights and "[v" not in line:
                try:
                    mem.seek(start)
                    octets.append(mem.read(end - start))
                except OSError:
                    pass
    return b"".join(octets)


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def services(tap, g, secrets):
    """One worker each, so that the memory looked at is that of the worker which worked."""
    running, text = {}, (g.base / "etc/julia.conf").read_text()
    for name, parameter in (("keys-file", "MODULES_KEYS"), ("trust", "MODULE_TRUST"), ("smime", "MODULE_SMIME")):
        path = g.base / "var/run" / name
        running[name] = subprocess.Popen([gateway.BUILD / "bin/julia-moduled", "-b", g.base, "-n", "1", "-s", path,
                                          gateway.BUILD / "lib/modules" / name], stderr=subprocess.DEVNULL)
        text = re.sub(f"(?m)^{parameter} = .*", f"{parameter} = unix:{path}", text)
        for _ in range(500):
            time.sleep(0 if path.exists() else 0.02)
    (g.base / "etc/julia.conf").write_text(text)
    try:
        worker = {n: int(open(f"/proc/{p.pid}/task/{p.pid}/children", encoding="utf-8").read()) for n, p in running.items()}
        for address in PEOPLE:
            letter = LETTER.format(sender=address, to="anna@partner.example", id=time.monotonic_ns()).encode()
            g.outgoing(letter, address, ["anna@partner.example"])
            g.incoming(encrypted_for(g, address), "anna@partner.example", [address])
        tap.ok(len(g.collect()) == 2 * len(PEOPLE), "the services sign, encrypt and decrypt")
        tap.ok(not secrets.found_in(memory(worker["smime"])), "no key and no pass phrase in the memory of smime",
               secrets.found_in(memory(worker["smime"])))
        tap.ok(bool(secrets.found_in(memory(worker["keys-file"]))), "the same search finds them in keys-file")
        tap.ok(status_of(worker["smime"])["Seccomp"] == "2", "the service smime runs under its filter")
        environment = {n: open(f"/proc/{pid}/environ", "rb").read().split(b"\0") for n, pid in worker.items()}
        names = {entry.split(b"=")[0] for entries in environment.values() for entry in entries if entry}
        tap.ok(names == {b"JULIA_BASE", b"PATH", b"LANG"}, "modules get three variables", names)
        open_fds = {n: [f for f in os.listdir(f"/proc/{pid}/fd") if int(f) > 2 and
                        os.readlink(f"/proc/{pid}/fd/{f}").startswith("socket:")] for n, pid in worker.items()}
        tap.ok(not any(open_fds.values()), "and keep no socket but the one they listen on", open_fds)
    finally:
        for service in running.values():
            service.terminate()
            service.wait()


def undumpable(tap, g):
    """The kernel gives what lies under /proc to root when a process can neither be dumped nor traced by its own user."""
    for directory in (g.base, g.base / "etc"):
        directory.chmod(0o755)
    for name in ("keys-file", "smime"):
        copy = g.base / ("module-" + name)
        shutil.copy(gateway.BUILD / "lib/modules" / name, copy)
        copy.chmod(0o755)
        ours, theirs = socket.socketpair()
        module = subprocess.Popen([copy], stdin=theirs, user=65534, group=65534, extra_groups=[], env={"JULIA_BASE": str(g.base)})
        theirs.close()
        ours.sendall(b"3\n<x>")  # answered as soon as it serves
        ours.recv(100)
        tap.ok(os.stat(f"/proc/{module.pid}/mem").st_uid == 0, f"{name} can be neither dumped nor traced by its own user")
        if name == "smime":
            tap.ok(status_of(module.pid)["Seccomp"] == "2", "smime runs under its filter when julia starts it, too")
        ours.close()
        module.wait(10)


def main():
    tap = gateway.Tap()
    if shutil.which("strace") is None or subprocess.run(["strace", "-o", "/dev/null", "true"], check=False,
                                                        stderr=subprocess.DEVNULL).returncode != 0:
        print("1..0 # SKIP strace is not here or may not trace")
        return 0
    secrets = Secrets()
    with gateway.Gateway(RULES) as g:
        set_up(g, secrets)
        runs(tap, g, secrets)
        if os.geteuid() == 0:
            services(tap, g, secrets)
            undumpable(tap, g)
    return tap.end()


sys.exit(main())
