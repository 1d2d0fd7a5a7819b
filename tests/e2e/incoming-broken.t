#!/usr/bin/env python3
"""Damaged, tampered and oversized mail: never text that nobody vouches for, never a difference that an outsider could use, never a message
that comes back for ever; ADMIN hears of it once."""
import os
import re
import sys
import time
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import gateway  # noqa: E402
from outside import EYE, Outside, der_of, fields, receive, signed_data, signer_info, text, tlv, wrap  # noqa: E402

ONE = "user_1@behoerde.de"
SECRET = "The secret plan, " + "word by word, " * 20 + "end.\n"


def failures(g, out):
    """Ways not to be decryptable: (name, octets)."""
    good = der_of(out.encrypt(text(SECRET), ONE))
    gcm = der_of(out.encrypt(text(SECRET), ONE, cipher="aes-256-gcm"))
    garbage = gateway.openssl("cms", "-encrypt", "-binary", "-aes-256-cbc", "-outform", "DER", "-recip", g.pki.path(ONE + ".crt"),
                              input=b"neither an entity nor text\0\n" * 20)
    other = der_of(out.encrypt(text(SECRET), "stranger@partner-1.com"))

    def flipped(der, at):
        octets = bytearray(der)
        octets[at] ^= 1
        return bytes(octets)

    key = good.index(bytes.fromhex("2a864886f70d010101")) + 20  # inside of the encrypted content key
    return {
        "wrong padding": flipped(good, len(good) - 17), "wrong last block": flipped(good, len(good) - 1), "no entity, no text": garbage,
        "another content key": flipped(good, key), "key block of zeroes": good[:key] + bytes(200) + good[key + 200:],
        "bad tag": flipped(gcm, len(gcm) - 1), "bad GCM text": flipped(gcm, len(gcm) - 40), "not for us": other,
        "octets missing": good[:-20],
    }


def indistinguishable(tap, g, out):
    seen, times = {}, {}
    for name, der in failures(g, out).items():
        taken = []
        for n in range(3):
            for state in (g.base / "var/run").glob("notice-*"):
                state.unlink()
            octets = fields(more=f"X-Run: {n}\n") + wrap(der)
            start = time.monotonic()
            code, output, got, admin = receive(g, octets)
            taken.append(time.monotonic() - start)
        notice = re.sub(rb"\d{4}-|Message-ID.*|Date: .*|boundary.*|[0-9a-f]{16,}|<[^>]*>|--+[^\n]*", b"", admin[0].octets) if len(admin) == 1 else len(admin)
        seen[name] = (code, output, len(got), got and got[0].status, notice)
        times[name] = min(taken)
        tap.ok(got and got[0].octets.endswith(octets[octets.index(b"MIME-Version"):]), f"{name}: delivered as it came", output)
    values = set(seen.values())
    tap.ok(len(values) == 1, "all have the same answer, status and notice", "\n".join(f"{k}: {str(v)[:300]}" for k, v in seen.items()))
    expected = (0, b"2.0.0 ok\n", 1, ("undecryptable", "none"))
    tap.ok(next(iter(values))[:4] == expected, "undecryptable, exit 0", values)
    print("# seconds:", {name: round(value, 3) for name, value in times.items()})  # to look at: a test must not depend on speed


def flipped(tap, g, out):
    signed = out.sign(text(SECRET), EYE)
    cut = der_of(out.encrypt(signed, ONE))
    other = bytearray(cut)
    other[len(cut) // 2] ^= 1
    code, output, got, _ = receive(g, fields() + wrap(bytes(other)))
    tap.ok(code == 0 and got and got[0].signature != "valid", "a flipped bit in a signed and encrypted message never stays valid", output)


def limits(tap, g, out):
    """Too much of everything: delivered as it came, at once, not after days of retries."""
    opaque = der_of(out.sign(text(), EYE, opaque=True))
    certificate = gateway.openssl("x509", "-in", g.pki.path(EYE + ".crt"), "-outform", "DER")

    info = signer_info(opaque)
    content = text().replace(b"\n", b"\r\n")
    cases = (
        ("the rebuilt message", signed_data([certificate], [info], content), ("none", "valid")),
        ("1000 certificates", signed_data([certificate] * 1000, [info], content), ("none", None)),
        ("1000 signers", signed_data([certificate], [info] * 1000, content), ("none", "unsupported")),
        ("16 signers", signed_data([certificate], [info] * 16, content), ("none", "valid")),
        ("17 signers", signed_data([certificate], [info] * 17, content), ("none", "unsupported")),
        ("a certificate of 2 MB", signed_data([certificate, tlv(0x30, bytes(2000000))], [info], content), ("none", None)),
        ("signers without certificate", signed_data([], [info] * 16, content), ("none", "unknown")),
        ("an empty set of signers", signed_data([certificate], [], content), ("none", "unsupported")),
    )
    for name, der, status in cases:
        start = time.monotonic()
        code, output, got, _ = receive(g, fields() + wrap(der, "signed-data"))
        taken = time.monotonic() - start
        good = code == 0 and len(got) == 1 and got[0].encryption == status[0] and (status[1] is None or got[0].signature == status[1])
        tap.ok(good, name, f"{code} {output} {[d.status for d in got]}")
        tap.ok(taken < 60, f"... in {taken:.2f} s, well before any deadline")
    enveloped = der_of(out.encrypt(text(), ONE))
    for count in (1999, 5000):
        der = with_recipients(enveloped, count)
        start = time.monotonic()
        code, output, got, _ = receive(g, fields() + wrap(der))
        tap.ok(code == 0 and got and got[0].encryption == "not-integrity-protected", f"{count + 1} RecipientInfos", f"{code} {output} {[d.status for d in got]}")
        tap.ok(time.monotonic() - start < 60, f"... in {time.monotonic() - start:.2f} s, well before any deadline")
    for size, words in ((1000, ("none",)), (5000000, ("unsupported",))):
        der = compressed(b"Content-Type: text/plain\r\n\r\n" + b"bomb " * (size // 5))
        code, output, got, _ = receive(g, fields() + wrap(der, "compressed-data", name="smime.p7z"))
        tap.ok(code == 0 and got and got[0].encryption in words, f"compressed {size} octets", f"{code} {output} {[d.status for d in got]}")
    bomb = b"Content-Type: text/plain\r\n\r\n" + b"x" * 3500000
    for n in range(4):
        bomb = wrap(compressed(bomb), "compressed-data", name="smime.p7z").split(b"\n", 1)[1] + b"\n" * 3500000
    code, output, got, _ = receive(g, fields() + bomb)
    tap.ok(code == 0 and got and got[0].encryption == "unsupported", "compressed again and again", f"{code} {output} {[d.status for d in got]}")


def element(der, at):
    """(contents begin, end) of the definite element at `at`."""
    size, start = der[at + 1], at + 2
    if size & 0x80:
        start += size & 0x7f
        size = int.from_bytes(der[at + 2:start], "big")
    return start, start + size


def with_recipients(der, count):
    """The EnvelopedData with so many more RecipientInfos, of other serial numbers, in front of the only one."""
    inner, _ = element(der, 0)
    _, oid_end = element(der, inner)
    explicit, _ = element(der, oid_end)
    body, _ = element(der, explicit)
    _, version_end = element(der, body)
    first, set_end = element(der, version_end)
    info = der[first:set_end]
    fields_at, _ = element(info, 0)
    issuer, _ = element(info, element(info, fields_at)[1])
    begin, end = element(info, element(info, issuer)[1])
    more = b"".join(info[:begin] + (n + 1).to_bytes(end - begin, "big") + info[end:] for n in range(count))
    enveloped = der[body:version_end] + tlv(0x31, more, info) + der[set_end:]
    return tlv(0x30, der[inner:oid_end], tlv(0xa0, tlv(0x30, enveloped)))


def compressed(octets):
    algorithm = tlv(0x30, bytes.fromhex("060b2a864886f70d0109100308"))
    data = tlv(0x30, bytes.fromhex("06092a864886f70d010701"), tlv(0xa0, tlv(4, zlib.compress(octets, 9))))
    return tlv(0x30, bytes.fromhex("060b2a864886f70d0109100109"), tlv(0xa0, tlv(0x30, tlv(2, b"\0"), algorithm, data)))


def once(tap, g, out):
    """Notices and verify.log: one, however often the message comes."""
    target = g.base / "target"
    script = target.read_text()
    log = g.base / "logs/verify.log"
    signed = fields(more="X-Try: 1\n") + out.encrypt(out.sign(text("old\n"), EYE).replace(b"old", b"new"), ONE)
    sealed = fields(more="X-Try: 2\n") + out.encrypt(text(), "stranger@partner-1.com")
    for name, octets, lines in (("invalid", signed, 2), ("undecryptable", sealed, 1)):
        log.write_text("")
        notices = 0
        target.write_text(script.replace("d=$(mktemp", '[ "$1" = internal ] && case "$*" in *admin*) ;; *) exit 75 ;; esac\nd=$(mktemp', 1))
        for _ in range(3):
            code, output, got, admin = receive(g, octets)
            notices += len(admin)
            for state in (g.base / "var/run").glob("notice-*"):
                state.unlink()
            tap.ok(code == 75 and not got, f"{name}: the target fails, exit 75", f"{code} {output}")
        target.write_text(script)
        for n in range(2):
            code, output, got, admin = receive(g, octets)
            notices += len(admin)
            tap.ok(code == 0 and len(got) == 1 - n, f"{name}: delivered {'once' if n == 0 else 'and not again'}", f"{code} {output}")
        tap.ok(notices == 1, f"{name}: one notice to ADMIN", notices)
        text_of_log = log.read_text()
        tap.ok(len(text_of_log.splitlines()) == lines, f"{name}: {lines} line(s) in verify.log", text_of_log)


def main():
    tap = gateway.Tap()
    with gateway.Gateway(conf="MAX_SIZE = 4M\n") as g:
        out = Outside(g.pki)
        g.own_key(ONE)
        g.pki.person(EYE)
        g.pki.person("stranger@partner-1.com")
        for part in (indistinguishable, flipped, limits, once):
            part(tap, g, out)
    return tap.end()


sys.exit(main())
