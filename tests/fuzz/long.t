#!/usr/bin/env python3
"""Time grows with the input, not with its square: what a sender may choose, repeated to a megabyte, in the fuzz targets under
ASan. One that grows faster takes minutes of processor time and is ended by the target's own limit (DRIVER_SECONDS)."""
import os
import pathlib
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(os.environ.get("JULIA_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
TARGETS = SOURCE / "build" / "asan" / "tests" / "fuzz"
DRIVER_SECONDS = 30
LIMITED_SECONDS = 3  # where a limit keeps the input short: 0.1 s, or 7 s by the square
SIZE = 1 << 20
FOLDED = b"A: x\n"
MIXED = b"Content-Type: multipart/mixed; boundary=b\n\n"
BAD_WORDS = b"=?x-none?q?a?= "
FIELDS = 9980  # HEADER_FIELDS_MAX is 10000
PROTECTED = b"To: a\n" * FIELDS + b"\n\0" + b'Content-Type: text/plain; hp="cipher"\n'


def nested(size):
    """Triggers in triggers."""
    halves = ((b"[si", b"gn]"), (b"[encr", b"ypt]"))
    depth = size // 18
    return b"".join(halves[i % 2][0] for i in range(depth)) + b"".join(halves[i % 2][1] for i in reversed(range(depth)))


def filled(unit, size=SIZE):
    return unit * (size // len(unit))


# target, what, input, seconds if not DRIVER_SECONDS
ROWS = [
    ("address", "open comments", filled(b"(")),
    ("address", "quotes", filled(b'"')),
    ("address", "addresses", filled(b"a@b,")),
    ("address", "route of at signs", filled(b"@")),
    ("address", "wide at signs in a display name", b'"' + filled("a\uff20b".encode(), 8 * SIZE) + b'" <a@x.example>'),
    ("address", "words of an unknown charset in a display name", filled(BAD_WORDS) + b"<a@x.example>"),
    ("words", "beginnings of words", filled(b"=?")),
    ("words", "words of an unknown charset", filled(BAD_WORDS)),
    ("words", "words with octets that are none of their charset", filled(b"=?utf-8?q?=FF?= ")),
    ("words", "words of two charsets in turn", filled(b"=?gb18030?q?a?= =?big5?q?b?= ", SIZE // 4)),
    ("words", "blanks behind a word", b"=?utf-8?q?a?=" + filled(b" ")),
    ("typed", "parameters", b"a/b" + filled(b"; a=b")),
    ("typed", "segments", b"a/b" + b"".join(b"; n*%d*=a" % i for i in range(SIZE // 12))),
    ("typed", "open comments", b"a/b;" + filled(b"(")),
    ("header", "short lines", filled(b"a\n")),
    ("header", "carriage returns in front of a name", FOLDED[:-1] + filled(b"\rContent-Type   ")),
    ("headercopy", "fields of ours", b"\0" + filled(b"X-JULIA-A: x\n")),
    ("headercopy", "folded lines", b"\0" + FOLDED + filled(b" x\n")),
    ("protected", "fields of one name", PROTECTED + b"To: b\n" * FIELDS + b"\nx", LIMITED_SECONDS),
    ("protected", "HP-Outer fields", PROTECTED + b"HP-Outer: To: b\n" * FIELDS + b"\nx", LIMITED_SECONDS),
    ("mime", "lines like a boundary", MIXED + filled(b"--bx\n")),
    ("mime", "boundaries", MIXED + filled(b"--b\n")),
    ("mime", "mails in mails", filled(b"Content-Type: message/rfc822\n\n")),
    ("look", "multiparts in multiparts of one boundary", MIXED + filled(b"--b\n" + MIXED)),
    ("quoted", "mails in mails", filled(b"Content-Type: message/rfc822\n\n")),
    ("copydigest", "boundaries", MIXED + filled(b"--b\n\n")),
    ("prepare", "lines with 8-bit octets", b"A: x\n\n" + filled(b"\xe4\n")),
    ("subject", "triggers", b"\1" + filled(b"[sign]") + b"\n"),
    ("subject", "triggers in triggers", b"\1" + nested(SIZE) + b"\n"),
    ("subject", "tags in tags", b"\1" + filled(b"[signed", SIZE // 2) + filled(b"] ", SIZE // 2) + b"\n"),
    ("entity", "hp parameters", b"\1Content-Type: a/b" + filled(b";hp=a") + b"\n\nx"),
    ("entity", "names of a DKIM signature", b"\0DKIM-Signature: d=x.example; h=" + filled(b"a:") + b"\n\nx"),
    ("entity", "Subject fields", b"\0" + filled(b"Subject: [sign]\n") + b"\n"),
    ("notice", "lines that name a hold", b"\n" + filled(b"X-JULIA-Hold: none\n")),
    ("cms", "octet strings of one octet", b"\1\x30\x80\6\t\x2a\x86\x48\x86\xf7\r\1\7\2\xa0\x80\x30\x80\2\1\1\x31\0\x30\x80\6\t\x2a\x86\x48\x86"
     b"\xf7\r\1\7\1\xa0\x80\x24\x80" + filled(b"\4\1a")),
    ("cms", "elements without an end", b"\1" + filled(b"\x30\x80")),
]


def main():
    failed = 0
    print(f"1..{len(ROWS)}")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "input")
        for number, (target, what, octets, *seconds) in enumerate(ROWS, 1):
            pathlib.Path(path).write_bytes(octets)
            limit = seconds[0] if seconds else DRIVER_SECONDS
            ran = subprocess.run([TARGETS / f"fuzz-{target}", f"-timeout={limit}", f"-artifact={path}.failed", path],
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            good = ran.returncode == 0
            failed += not good
            print(f"{'' if good else 'not '}ok {number} - {target}: {what}, {len(octets) >> 10} KB", flush=True)
            for line in ran.stdout.decode(errors="replace").splitlines()[:20] if not good else ():
                print("#", line)
    return failed != 0


sys.exit(main())
