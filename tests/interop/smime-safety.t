#!/usr/bin/python3
"""The smime module as a process: what it may do, how much memory it needs, what it leaves in memory, how it behaves when asked badly."""
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import smime_lab as lab  # noqa: E402

LIMIT_KIB = 8 * 1024
SIZE = 50_000_000
LINE = b"0123456789abcdefghijklmnopqrstuvwxyz" * 2 + b"\r\n"


def status(process):
    lines = pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def memory(tap, pki):
    content = b"Content-Type: text/plain\r\n\r\n" + LINE * (SIZE // len(LINE))
    keys = lab.KeyModule(pki)
    for operation in ("clear", "opaque", "aes-256-cbc", "aes-256-gcm"):
        with lab.Smime() as smime:
            if operation in ("clear", "opaque"):
                got = smime.sign(keys, content, "rsa", form=operation)
            else:
                got = smime.encrypt([pki.der("rsa"), pki.der("p256")], content, cipher=operation)
            writing = int(status(smime.process)["VmHWM"].split()[0])
        tap.ok(got.status == "ok" and writing < LIMIT_KIB, f"{operation}: 50 MB written with {writing} KiB", got.status)
        entity, signed = (got.output, None)
        if operation == "clear":
            signed, entity, _ = lab.split_clear(got.output)
            encoding = "binary"
        else:
            entity = got.output.split(b"\n\n", 1)[1]
            encoding = "base64"
        with lab.Smime() as smime:
            back = smime.unwrap(entity, keys, ["rsa"], signed=signed, encoding=encoding)
            reading = int(status(smime.process)["VmHWM"].split()[0])
        fine = back.signers() == [("good", "fits")] if operation in ("clear", "opaque") else back.status == "ok"
        fine = fine and (operation == "clear" or back.output == content)
        tap.ok(fine and reading < LIMIT_KIB, f"{operation}: 50 MB read with {reading} KiB", back)


def hostile_memory(tap, pki):
    """Messages whose frame, not content, is large."""
    tiny = lab.tlv(0x30, lab.oid("1.2.3"))
    many = lab.tlv(0x31, *[tiny] * 200_000)
    data = lab.tlv(0x30, lab.oid(lab.DATA), lab.tlv(0xa0, lab.tlv(4, b"Hello")))
    attributes = lab.tlv(0xa0, *[lab.tlv(0x30, lab.oid("1.2.3"), lab.tlv(0x31, lab.NULL))] * 120_000)
    sid = lab.tlv(0x30, *lab.issuer_and_serial(pki.der("rsa")))
    signer = lab.tlv(0x30, lab.integer(1), sid, lab.algorithm(lab.SHA256), attributes, lab.algorithm(lab.RSA), lab.tlv(4, b"x"))
    digests = lab.tlv(0x31, lab.algorithm(lab.SHA256))

    def signed(*parts):
        return lab.tlv(0x30, lab.oid(lab.SIGNED), lab.tlv(0xa0, lab.tlv(0x30, lab.integer(1), *parts)))
    trans = lab.tlv(0x30, lab.integer(0), sid, lab.algorithm(lab.RSA, lab.NULL), lab.tlv(4, bytes(3_900_000)))
    eci = lab.tlv(0x30, lab.oid(lab.DATA), lab.algorithm("2.16.840.1.101.3.4.1.2", lab.tlv(4, bytes(16))), lab.tlv(0x80, bytes(16)))
    enveloped = lab.tlv(0x30, lab.oid(lab.ENVELOPED), lab.tlv(0xa0, lab.tlv(0x30, lab.integer(0), lab.tlv(0x31, *[trans] * 5), eci)))
    keys = lab.KeyModule(pki)
    for name, message in (("200,000 digest algorithms", signed(many, data, lab.tlv(0x31))),
                          ("120,000 signed attributes", signed(digests, data, lab.tlv(0x31, signer))),
                          ("certificates of 4 MB", signed(digests, data, lab.tlv(0xa0, *[lab.tlv(0x30, bytes(3_900_000))] * 4),
                                                          lab.tlv(0x31))),
                          ("20 MB of CRLs", signed(digests, data, lab.tlv(0xa1, *[lab.tlv(0x30, bytes(100_000))] * 200), lab.tlv(0x31))),
                          ("encrypted keys of 4 MB", enveloped)):
        with lab.Smime() as smime:
            got = smime.unwrap(message, keys, ["rsa"])
            peak = int(status(smime.process)["VmHWM"].split()[0])
        tap.ok(got.status in ("ok", "permanent") and peak < 16 * 1024, f"{name}: {peak} KiB", got)


def sandbox(tap, smime):
    probe = lab.BUILD / "tests/tools/smime-sandbox-probe"
    out = subprocess.run([probe], capture_output=True, check=False, text=True).stdout
    if out.startswith("unavailable"):
        tap.ok(True, "the sandbox # SKIP built without libseccomp")
        return
    for line in out.splitlines():
        name, result = line.split(": ")
        tap.equal(result, "works" if name.startswith("own ") else "EPERM", f"in the sandbox: {name}")
    tap.ok(len(out.splitlines()) > 8, "the probe ran to its end", out)
    smime.unwrap(b"")
    found = status(smime.process)
    tap.equal((found.get("Seccomp"), found.get("NoNewPrivs")), ("2", "1"), "the running module is filtered")
    limits = pathlib.Path(f"/proc/{smime.process.pid}/limits").read_text()
    core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    tap.equal(core.split()[4:6], ["0", "0"], "no core dumps")


def memory_of(process):
    """All writable memory of a process, if we may read it."""
    octets = b""
    with open(f"/proc/{process.pid}/maps", encoding="ascii") as maps, open(f"/proc/{process.pid}/mem", "rb") as mem:
        for line in maps:
            span, rights = line.split()[:2]
            if not rights.startswith("rw"):
                continue
            start, end = (int(part, 16) for part in span.split("-"))
            mem.seek(start)
            try:
                octets += mem.read(end - start)
            except OSError:
                pass
    return octets


def traces(tap, pki, smime):
    """Nothing of a content key stays behind."""
    seen = []

    def remember(body):
        result = keys.work(body)
        seen.append(result[2])
        return result
    keys = lab.KeyModule(pki, remember)
    text = b"Content-Type: text/plain\r\n\r\nHello\r\n"
    for cipher in ("aes-256-gcm", "aes-256-cbc", "aes-192-gcm", "aes-128-cbc", "aes-128-gcm") * 3:
        ber, _ = lab.split_p7m(smime.encrypt([pki.der("rsa")], text, cipher=cipher).output)
        smime.unwrap(ber, keys, ["rsa"])
    if os.geteuid() != 0:
        tap.ok(True, "content keys in memory # SKIP only root may look")
        return
    left = memory_of(smime.process)
    tap.ok(len(left) > 100_000, "the module's memory can be read")
    tap.equal(sum(key in left for key in seen), 0, f"none of {len(seen)} content keys stays in memory")
    tap.equal(sum(lab.b64(key)[:-4].encode() in left for key in seen), 0, "nor does its base64")


def bad_requests(tap, pki, smime):
    keys = lab.KeyModule(pki)
    with lab.make_file(b"Hello") as source, lab.make_file() as output:
        fds = [source.fileno(), output.fileno(), keys.theirs.fileno()]
        certificate = f"<certificate>{lab.b64(pki.der('rsa'))}</certificate>"
        sign = '<sign form="clear" rsa="pss" digest="sha256" key="test:rsa" channel="{}" output="{}" eol="lf">{}{}</sign>'
        for name, body in (
                ("a piece beyond the end", sign.format(2, 1, certificate, '<piece fd="0" offset="0" length="6"/>')),
                ("a piece from far away", sign.format(2, 1, certificate, '<piece fd="0" offset="9007199254740991" length="1"/>')),
                ("a piece of nothing at all", sign.format(2, 1, certificate, '<piece fd="7" offset="0" length="1"/>')),
                ("a piece of a socket", sign.format(2, 1, certificate, '<piece fd="2" offset="0" length="1"/>')),
                ("an output that is a socket", sign.format(2, 2, certificate, '<piece fd="0" offset="0" length="5"/>')),
                ("a channel that is a file", sign.format(0, 1, certificate, '<piece fd="0" offset="0" length="5"/>')),
                ("no certificate", sign.format(2, 1, "<certificate>AAAA</certificate>", '<piece fd="0" offset="0" length="5"/>')),
                ("a certificate with trailing octets", sign.format(
                    2, 1, f"<certificate>{lab.b64(pki.der('rsa') + b'x')}</certificate>", '<piece fd="0" offset="0" length="5"/>')),
                ("more than 10,000 pieces", sign.format(2, 1, certificate, '<piece fd="0" offset="0" length="0"/>' * 10001))):
            root = smime.raw(body, fds)
            tap.equal(root.get("status"), "permanent", f"refused: {name}")
        candidate = f'<candidate key="test:rsa">{certificate}</candidate>'
        unwrap = '<unwrap output="1" weak="no" limit="9"><content encoding="binary"><piece fd="0" offset="0" length="5"/></content>{}</unwrap>'
        tap.equal(smime.raw(unwrap.format(candidate * 65), fds).get("reason"), "damaged", "65 candidates for what is no CMS")
        enveloped, _ = lab.split_p7m(smime.encrypt([pki.der("rsa")], b"x").output)
        tap.equal(smime.unwrap(enveloped, keys, ["rsa"] * 65).reason, "invalid", "more than 64 candidates")


def read_only_output(tap, pki, smime):
    path = pki.file("read-only", b"")
    with open(path, "rb") as output, lab.make_file(b"Hello") as source:
        body = (f'<encrypt cipher="aes-128-gcm" keytrans="rsa-pkcs1" output="1" eol="lf"><recipient><certificate>'
                f'{lab.b64(pki.der("rsa"))}</certificate></recipient><piece fd="0" offset="0" length="5"/></encrypt>')
        root = smime.raw(body, [source.fileno(), output.fileno()])
        tap.equal((root.get("status"), root.get("reason")), ("temporary", "output"), "an output that cannot be written is temporary")


def deadlines(tap, pki, smime):
    silent = lab.KeyModule(pki, lambda body: time.sleep(30) or ("temporary", "late", None))
    with lab.make_file(b"Hello") as source, lab.make_file() as output:
        body = ('<sign form="clear" rsa="pss" digest="sha256" key="test:rsa" channel="2" output="1" eol="lf"><certificate>'
                f'{lab.b64(pki.der("rsa"))}</certificate><piece fd="0" offset="0" length="5"/></sign>')
        began = time.monotonic()
        root = smime.raw(body, [source.fileno(), output.fileno(), silent.theirs.fileno()], deadline=300)
        took = time.monotonic() - began
        tap.ok(root.get("status") == "temporary" and took < 15, f"a key module that is silent: temporary after {took:.2f} s")
        output.seek(0)
        tap.equal(output.read(), b"", "and nothing stays in the output")


def service(tap, pki):
    """Behind a listening socket: one connection after another, SIGTERM ends it."""
    listening = lab.socket.socket(lab.socket.AF_UNIX, lab.socket.SOCK_STREAM)
    listening.bind(str(pki.path / "smime.sock"))
    listening.listen()
    process = subprocess.Popen([lab.MODULE], stdin=listening, env={"PATH": "/usr/bin:/bin"})
    for number in (1, 2):
        smime = lab.Smime.__new__(lab.Smime)
        smime.process, smime.number = process, 0
        smime.socket = lab.socket.socket(lab.socket.AF_UNIX, lab.socket.SOCK_STREAM)
        smime.socket.connect(str(pki.path / "smime.sock"))
        got = smime.encrypt([pki.der("rsa")], b"Hello")
        tap.equal(got.status, "ok", f"as a service: connection {number}")
        smime.socket.close()
    process.terminate()
    tap.equal(process.wait(20), 0, "as a service: SIGTERM ends it in order")


def main():
    tap, pki = lab.Tap(), lab.Pki()
    with lab.Smime() as smime:
        sandbox(tap, smime)
        traces(tap, pki, smime)
        bad_requests(tap, pki, smime)
        read_only_output(tap, pki, smime)
        deadlines(tap, pki, smime)
    service(tap, pki)
    hostile_memory(tap, pki)
    run = subprocess.run([lab.MODULE], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    tap.ok(run.returncode == 2 and b"julia" in run.stderr, "started by hand: exit status 2 and a hint")
    memory(tap, pki)
    tap.done()


main()
