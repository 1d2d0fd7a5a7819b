#!/usr/bin/env python3
"""DELIVER=original and DELIVER=reencrypt: what reaches the internal relay is opened by the openssl program with the keys of exactly those who
may read it; originals are compared octet for octet; whatever fails, nobody gets in clear what came encrypted."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import gateway  # noqa: E402
from outside import EYE, Delivered, Outside, fields, receive, text  # noqa: E402

ONE, TWO, THREE = "user_1@behoerde.de", "user_2@behoerde.de", "user_3@behoerde.de"  # have keys
FOUR, FIVE = "user_4@behoerde.de", "user_5@behoerde.de"  # have none
GATE = "gateway@behoerde.de"
BOSS = "boss@behoerde.de"
SECRET = "TOP-SECRET-WORD"


def settings(g, **values):
    """Sets parameters in julia.conf, whatever stood there."""
    conf = g.base / "etc/julia.conf"
    lines = [line for line in conf.read_text().splitlines() if line.split(" ")[0] not in values]
    conf.write_text("\n".join(lines + [f"{name} = {value}" for name, value in values.items() if value is not None]) + "\n")


def serials(octets):
    """Serial numbers of the RecipientInfos, as openssl prints them."""
    printed = gateway.openssl("cms", "-cmsout", "-print", "-inform", "SMIME", input=octets).decode()
    return sorted(int(n, 0) for n in re.findall(r"serialNumber: *(0x[0-9A-Fa-f]+|\d+)", printed))


def serial_of(g, name):
    return int(gateway.openssl("x509", "-in", g.pki.path(name + ".crt"), "-noout", "-serial").decode().strip().split("=")[1], 16)


def is_for(g, octets, *names):
    return serials(octets) == sorted(serial_of(g, name) for name in names)


def opened(g, octets, name):
    """What the openssl program decrypts for NAME; None if it cannot."""
    done = subprocess.run(["openssl", "cms", "-decrypt", "-inform", "SMIME", "-recip", g.pki.path(name + ".crt"), "-inkey", g.pki.path(name + ".key")],
                          input=octets, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return done.stdout.replace(b"\r\n", b"\n") if done.returncode == 0 else None


def letter(to=f"{ONE}, {TWO}, {FOUR}", **more):
    return fields(to=to, **more)


def age(g):
    """Makes every message in the journal older than GIVE_UP."""
    for path in (g.base / "var/journal").rglob("*"):
        if path.is_file():
            path.write_text(re.sub(r"(?m)^begin \d+", "begin 1000000000", path.read_text()))


# ---- original ---------------------------------------------------------------------------------------------------------

def only_added(got, octets):
    """Nothing but julia's own fields stands in front of the original."""
    added = got.octets[:-len(octets)]
    return got.octets.endswith(octets) and not re.search(rb"(?m)^(?!X-JULIA-|Authentication-Results:|[ \t]|\Z)", added)


def original(tap, g, out):
    settings(g, DELIVER="original")
    inner = text(SECRET + "\n")
    for name, entity, status in (
            ("encrypted", out.encrypt(inner, ONE), ("not-integrity-protected", "none")),
            ("encrypted by GCM", out.encrypt(inner, ONE, cipher="aes-256-gcm"), ("decrypted", "none")),
            ("signed and encrypted", out.encrypt(out.sign(inner, EYE), ONE), ("not-integrity-protected", "valid")),
            ("clear signed", out.sign(inner, EYE), ("none", "valid")),
            ("neither", b"\nHello\n", ("none", "none")),
            ("not for us", out.encrypt(inner, "stranger@partner-1.com"), ("undecryptable", "none"))):
        for eol in (b"\n", b"\r\n"):
            octets = (fields(to=ONE, more="X-Odd  : \ttabs\n") + entity).replace(b"\r\n", b"\n").replace(b"\n", eol)
            code, output, got, _ = receive(g, octets)
            tap.ok(code == 0 and len(got) == 1 and only_added(got[0], octets), f"{name}: octet for octet", f"{output}\n{got and got[0].octets}")
            tap.ok(got and got[0].status == status, f"... and {status}", got and got[0].status)
    octets = fields(to=ONE) + out.encrypt(inner, ONE)
    _, _, got, _ = receive(g, b"X-JULIA-Encryption: none\nX-JULIA-Reencrypt: yes\n" + octets)
    tap.ok(got and only_added(got[0], octets) and got[0].all("X-JULIA-Reencrypt") == [], "forged fields are gone, everything else stays", got and got[0].octets)

    entity = f"Content-Type: text/plain; hp=\"cipher\"\nFrom: {EYE}\nSubject: HIDDEN-SUBJECT\n\nx\n".encode()
    settings(g, SUBJECT_TAGS="yes")
    octets = fields(sender=BOSS, subject="[...]") + out.encrypt(out.sign(entity, EYE), ONE)
    _, _, got, _ = receive(g, octets)
    tap.ok(got and got[0].one("From") == BOSS and got[0].signature == "valid-other-address", "judged by the From that readers see", got and got[0].octets)
    tap.ok(got and b"HIDDEN-SUBJECT" not in got[0].octets and "[...]" in str(got[0].one("Subject")), "nothing from inside is shown", got and got[0].octets)
    settings(g, SUBJECT_TAGS=None)


# ---- reencrypt --------------------------------------------------------------------------------------------------------

def groups(tap, g, out):
    """Who shares a message, and who can open it."""
    entity = text(SECRET + "\n")
    everybody = [ONE, TWO, THREE, FOUR, FIVE]
    octets = letter() + out.encrypt(entity, GATE)
    code, output, got, admin = receive(g, octets, everybody)
    want = {(ONE, TWO): (ONE, TWO), (THREE,): (THREE,), (FOUR, FIVE): (GATE,)}
    tap.ok(code == 0 and not admin and sorted(tuple(d.recipients) for d in got) == sorted(want), "named ones together, hidden ones alone, GATEWAY_KEY's share",
           f"{output} {[d.recipients for d in got]}")
    for d in got:
        keys = want.get(tuple(d.recipients), ())
        tap.ok(is_for(g, d.octets, *keys), f"{d.recipients}: for {keys} and nobody else", serials(d.octets))
        for key in keys:
            tap.ok(opened(g, d.octets, key) == entity, f"... {key} opens it: what the sender encrypted", opened(g, d.octets, key))
        tap.ok(SECRET.encode() not in d.octets, "... nothing of it stands outside")
        tap.ok(d.status == ("not-integrity-protected", "none") and d.all("X-JULIA-Reencrypt") == [], "... the status does, the mark does not", d.fields)
        tap.ok(len(d.all("Content-Type")) == 1 and len(d.all("MIME-Version")) == 1, "... one MIME header", d.fields)
        tap.ok("hdrs" in d.arguments, "... and notices return headers only", d.arguments)
    signed = out.sign(entity, EYE)
    _, output, got, _ = receive(g, fields(to=ONE, more="X-Keep: 1\n") + out.encrypt(signed, ONE, cipher="aes-256-gcm"))
    inner = got and opened(g, got[0].octets, ONE)
    done = subprocess.run(["openssl", "cms", "-verify", "-CAfile", g.pki.path("ca.crt")], input=inner or b"", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    tap.ok(got and got[0].status == ("decrypted", "valid") and got[0].one("X-Keep") == "1" and done.returncode == 0,
           "a signature inside still verifies when openssl has decrypted", f"{output} {got and got[0].octets}")
    crlf = (fields(to=ONE) + out.encrypt(entity, ONE)).replace(b"\n", b"\r\n")
    _, output, got, _ = receive(g, crlf)
    tap.ok(got and opened(g, got[0].octets, ONE) == entity and b"\n" not in got[0].octets.replace(b"\r\n", b""), "CRLF", output)


def passing(tap, g, out):
    """What did not come encrypted, or cannot be decrypted, passes as with DELIVER=plain."""
    entity = text(SECRET + "\n")
    for name, octets, status in (("clear", fields(to=FOUR) + b"\nHello\n", ("none", "none")),
                                 ("signed", fields(to=FOUR) + out.sign(entity, EYE), ("none", "valid")),
                                 ("not for us", fields(to=FOUR) + out.encrypt(entity, "stranger@partner-1.com"), ("undecryptable", "none"))):
        code, output, got, _ = receive(g, octets, [FOUR])
        tap.ok(code == 0 and len(got) == 1 and only_added(got[0], octets) and got[0].status == status, f"{name}: passes", f"{output} {got and got[0].octets}")
    inner = b"Content-Type: application/pkcs7-mime; smime-type=authenticated-data\nContent-Transfer-Encoding: base64\n\nMA8GCyqGSIb3DQEJEAECoAA=\n"
    code, output, got, _ = receive(g, fields(to=ONE) + out.encrypt(inner, ONE))
    tap.ok(code == 0 and got and got[0].encryption == "unsupported" and is_for(g, got[0].octets, ONE) and b"MA8GCyqGSIb3" not in got[0].octets,
           "decrypted, and inside something unsupported: encrypted anew all the same", f"{output} {got and got[0].octets}")


def hidden(tap, g, out):
    """A Subject that came inside only does not stand outside afterwards."""
    entity = f"Content-Type: text/plain; charset=us-ascii; hp=\"cipher\"\nSubject: HIDDEN-SUBJECT\nComments: HIDDEN-COMMENT\nTo: {ONE}\nFrom: {EYE}\n\nx\n".encode()
    for name, inside in (("unsigned", entity), ("signed", out.sign(entity, EYE))):
        settings(g, SUBJECT_TAGS="yes")
        _, output, got, _ = receive(g, fields(to=ONE, subject="[...]") + out.encrypt(inside, ONE))
        settings(g, SUBJECT_TAGS=None)
        again = got and opened(g, got[0].octets, ONE) or b""
        tap.ok(got and got[0].one("Subject") == "[...]" and b"HIDDEN" not in got[0].octets, f"{name}: hidden again", f"{output} {got and got[0].octets}")
        tap.ok(b"HIDDEN-SUBJECT" in again and b"HIDDEN-COMMENT" in again and again.count(b"hp=\"cipher\"") == 1, "... and inside once", again)
    shown = entity.replace(b"HIDDEN-SUBJECT", b"Hello").replace(b"Comments: HIDDEN-COMMENT\n", b"")
    _, output, got, _ = receive(g, fields(to=ONE, subject="Hello") + out.encrypt(shown, ONE))
    tap.ok(got and got[0].one("Subject") == "Hello", "what stood outside stays there", got and got[0].octets)
    settings(g, GATEWAY_KEY=None)
    code, output, got, admin = receive(g, fields(to=FOUR, subject="[...]") + out.encrypt(entity, "any"), [FOUR])
    tap.ok(code == 75 and not got and len(admin) == 1 and b"HIDDEN" not in admin[0].octets, "no notice quotes it", f"{output} {[a.octets for a in admin]}")
    settings(g, GATEWAY_KEY=GATE)


def waiting(tap, g, out):
    """No certificate: it waits, ADMIN hears of it once, and after GIVE_UP it goes as it came."""
    settings(g, GATEWAY_KEY=None)
    octets = letter(subject="waits") + out.encrypt(text(SECRET + "\n"), "any")
    code, output, got, admin = receive(g, octets, [ONE, FOUR])
    tap.ok(code == 75 and [d.recipients for d in got] == [[ONE]] and is_for(g, got[0].octets, ONE), "who has a certificate gets it, the other one waits", output)
    tap.ok(FOUR.encode() in output and [a.one("Subject") for a in admin] == ["julia on gate.behoerde.de: message waits for a certificate"], "ADMIN is told", output)
    code, output, got, admin = receive(g, octets, [ONE, FOUR])
    tap.ok(code == 75 and not got and not admin, "... once, and nobody gets it twice", output)
    age(g)
    code, output, got, admin = receive(g, octets, [ONE, FOUR])
    tap.ok(code == 0 and len(got) == 1 and got[0].recipients == [FOUR] and only_added(got[0], octets), "after GIVE_UP: as it came", f"{output} {got and got[0].octets}")
    tap.ok(got and got[0].status == ("not-integrity-protected", "none"), "... with what was found in it", got and got[0].status)
    tap.ok(len(admin) == 1 and FOUR.encode() in admin[0].octets, "... and ADMIN knows", admin and admin[0].octets)
    code, output, got, admin = receive(g, octets, [ONE, FOUR])
    tap.ok(code == 0 and not got and not admin, "... and that is that", output)
    settings(g, GATEWAY_KEY=GATE)
    (g.base / "etc/untrusted" / "gate.pem").write_bytes(g.pki.path(GATE + ".crt").read_bytes())
    code, output, got, _ = receive(g, letter(subject="distrusted") + out.encrypt(text(SECRET + "\n"), "any"), [FOUR])
    (g.base / "etc/untrusted" / "gate.pem").unlink()
    tap.ok(code == 75 and not got, "a distrusted certificate of GATEWAY_KEY is none", output)


def choosing(tap, g, out):
    """The certificate of an own key comes before others; ENCRYPT_ALSO_TO is added, and not optional."""
    newer = out.certificate("newer", f"email:{ONE}", kind="rsa")
    (g.base / "etc/public/newer.pem").write_bytes(g.pki.path(newer + ".crt").read_bytes())
    octets = letter(to=f"{ONE}, {FOUR}", subject="choose") + out.encrypt(text(SECRET + "\n"), "any")
    _, output, got, _ = receive(g, octets, [ONE])
    tap.ok(got and is_for(g, got[0].octets, ONE), "an own key's certificate before a newer one without key", output)
    (g.base / "etc/public/newer.pem").unlink()
    (g.base / "etc/public/four.pem").write_bytes(g.pki.path("four.crt").read_bytes())
    _, output, got, _ = receive(g, letter(subject="four") + out.encrypt(text(SECRET + "\n"), "any"), [FOUR])
    tap.ok(got and is_for(g, got[0].octets, "four"), "a certificate without key before GATEWAY_KEY's", output)
    (g.base / "etc/public/four.pem").unlink()
    settings(g, ENCRYPT_ALSO_TO="archive@behoerde.de")
    _, output, got, _ = receive(g, letter(subject="also") + out.encrypt(text(SECRET + "\n"), "any"), [ONE])
    tap.ok(got and is_for(g, got[0].octets, ONE, "archive@behoerde.de"), "ENCRYPT_ALSO_TO", output)
    settings(g, ENCRYPT_ALSO_TO="nobody@behoerde.de")
    code, output, got, _ = receive(g, letter(subject="also none") + out.encrypt(text(SECRET + "\n"), "any"), [ONE])
    tap.ok(code == 75 and not got, "ENCRYPT_ALSO_TO without certificate: waits", output)
    settings(g, ENCRYPT_ALSO_TO=None)


def explained(tap, g, out):
    octets = letter(subject="explain") + out.encrypt(text(SECRET + "\n"), "any")
    code, output = g.incoming(octets, EYE, [ONE, FOUR], "-explain")
    lines = output.decode().splitlines()
    heads = [line.split("\t") for line in lines if not line.startswith("#")]
    prints = {name: gateway.openssl("x509", "-in", g.pki.path(name + ".crt"), "-noout", "-fingerprint", "-sha256").decode().split("=")[1].strip().replace(":", "").lower()
              for name in (ONE, GATE)}
    want = [["incoming", "internal", ONE, "sign=no", f"encrypt={prints[ONE]}", "profile=default", "lines=-"],
            ["incoming", "internal", FOUR, "sign=no", f"encrypt={prints[GATE]}", "profile=default", "lines=-"]]
    tap.ok(code == 0 and heads == want, "-explain names the certificates", output.decode())
    tap.ok(not g.collect() and any("no-certificate" in line and FOUR in line for line in lines), "... says why, and sends nothing", output.decode())
    settings(g, GATEWAY_KEY=None)
    code, output = g.incoming(octets, EYE, [FOUR], "-explain")
    tap.ok(code == 0 and b"wait=no usable certificate for " + FOUR.encode() in output, "-explain says who waits", output)
    done = subprocess.run([*g.arguments("", "", ["x"])[:3], "-check"], stdout=subprocess.PIPE, check=False)
    tap.ok(b"note  DELIVER" in done.stdout, "-check mentions that GATEWAY_KEY is empty", done.stdout)
    settings(g, GATEWAY_KEY=f"{GATE} nobody@behoerde.de")
    done = subprocess.run([*g.arguments("", "", ["x"])[:3], "-check"], stdout=subprocess.PIPE, check=False)
    tap.ok(done.returncode == 75 and b"FAULT GATEWAY_KEY: nobody@behoerde.de" in done.stdout and b"ok    GATEWAY_KEY: " + GATE.encode() in done.stdout,
           "-check asks for each certificate of GATEWAY_KEY", done.stdout)
    settings(g, GATEWAY_KEY=GATE)


# ---- faults -----------------------------------------------------------------------------------------------------------

def modules(tap, g, out):
    """Whatever the smime module does wrong, the last check keeps the text inside; the retry delivers."""
    plain = (g.base / "etc/julia.conf").read_text()
    for fault in ("temporary", "die", "plain", "leak-after", "extra-recipient", "missing-recipient", "extra-header"):
        settings(g, MODULE_SMIME=f"{sys.executable} {gateway.SOURCE}/tests/faults/faulty-module.py --on encrypt --do {fault} -- {gateway.BUILD}/lib/modules/smime")
        octets = letter(subject=fault) + out.encrypt(text(SECRET + "\n"), "any")
        code, output, got, admin = receive(g, octets, [ONE, FOUR])
        tap.ok(code == 75 and not got and not any(SECRET.encode() in a.octets for a in admin), f"encrypt {fault}: waits, nothing in clear", output)
        (g.base / "etc/julia.conf").write_text(plain)
        code, output, got, _ = receive(g, octets, [ONE, FOUR])
        tap.ok(code == 0 and len(got) == 2 and all(SECRET.encode() not in d.octets for d in got), "... and then each gets it", output)
    settings(g, MODULES_KEYS=f"{sys.executable} {gateway.SOURCE}/tests/faults/faulty-module.py --on find --do results-temporary -- {gateway.BUILD}/lib/modules/keys-file")
    code, output, got, admin = receive(g, letter(subject="keys down") + out.encrypt(text(SECRET + "\n"), "any"), [ONE])
    tap.ok(code == 75 and not got and not admin, "keys that cannot be looked up are not missing keys", f"{output} {[a.octets for a in admin]}")
    (g.base / "etc/julia.conf").write_text(plain)


def kills(tap, g, out):
    """kill -9 on the way, then the MTA's retry: everybody gets it, twice only where the journal was too late."""
    everybody = [ONE, THREE, FOUR]
    words, places = {}, []
    octets = letter(subject="kill") + out.encrypt(text(SECRET + "\n"), "any")
    trace = g.base / "trace"

    def run(letters, *inject):
        g.incoming(letters, EYE, everybody, wrapper=["strace", "-o", trace, *inject])
        return trace.read_text(errors="replace").splitlines()

    for line in run(octets):
        call = re.match(r"(write|writev|fsync|fdatasync|sendmsg|recvmsg|clone3?|vfork|wait4|waitid|ftruncate|rename)\(", line)
        if call:
            words[call[1]] = words.get(call[1], 0) + 1
            places.append((call[1], words[call[1]]))
    g.collect()
    step = max(1, len(places) // 10)
    for number, (call, n) in enumerate(places[::step]):
        octets = letter(subject=f"kill {number}") + out.encrypt(text(SECRET + "\n"), "any")
        run(octets, "-e", f"inject={call}:signal=SIGKILL:when={n}")
        code, output = g.incoming(octets, EYE, everybody)
        got = [Delivered(entry) for entry in g.collect() if entry[1] != ["admin@behoerde.de"]]
        counts = [sum(name in d.recipients for d in got) for name in everybody]
        tap.ok(code == 0 and min(counts) == 1 and sum(counts) <= 4 and all(SECRET.encode() not in d.octets and d.all("X-JULIA-Reencrypt") == [] for d in got),
               f"killed at {call} {n}: each gets it, encrypted", f"{output} {counts}")


def main():
    tap = gateway.Tap()
    with gateway.Gateway(conf=f"GATEWAY_KEY = {GATE}\nGIVE_UP = 60s\n") as g:
        out = Outside(g.pki)
        for name in (ONE, TWO, THREE, GATE):
            g.own_key(name)
        for name in (EYE, "stranger@partner-1.com", "archive@behoerde.de"):
            g.pki.person(name, "ec")
        out.certificate("four", f"email:{FOUR}", kind="ec")
        (g.base / "etc/public/archive.pem").write_bytes(g.pki.path("archive@behoerde.de.crt").read_bytes())
        out.certificate("any", None, kind="rsa")  # a gateway key without address opens for everybody, and nobody is encrypted to it
        private = g.base / "etc/private/any.pem"
        private.write_bytes(g.pki.path("any.key").read_bytes() + g.pki.path("any.crt").read_bytes())
        private.chmod(0o600)
        print_of_any = gateway.openssl("x509", "-in", g.pki.path("any.crt"), "-noout", "-fingerprint", "-sha256").decode().split("=")[1]
        (g.base / "etc/keys-file.conf").write_text("GATEWAY = " + print_of_any.replace(":", ""))
        original(tap, g, out)
        settings(g, DELIVER="reencrypt")
        for part in (groups, passing, hidden, waiting, choosing, explained, modules, kills):
            part(tap, g, out)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
