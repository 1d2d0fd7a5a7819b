"""Large mail in every form that S/MIME has, written to files without ever being whole in memory, and what each process of a run of julia
needed for it. The forms come from openssl and from an own BER writer. Only the standard library, openssl and smime_lab.py."""
import base64
import ctypes
import mmap
import os
import random
import subprocess
import sys
import zlib

import gateway
from outside import EYE, fields

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "interop"))
import smime_lab as lab  # noqa: E402
from smime_lab import algorithm, integer, oid, tlv  # noqa: E402

ONE = "user_1@behoerde.de"
MAXRSS = gateway.BUILD / "tests/tools/maxrss"
CHUNK = 57 * 1024
END = b"\0\0"


# ---- what julia needs -------------------------------------------------------------------------------------------------
def run(g, client, sender, recipients, path):
    """julia with the file as standard input: (exit status, {program: peak in KiB}, output)."""
    with open(path, "rb") as source:
        done = subprocess.run([str(MAXRSS), *g.arguments(client, sender, recipients)], stdin=source, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
    peaks = {}
    for line in done.stdout.decode(errors="replace").splitlines():
        if line.startswith("maxrss-kib "):
            _, kib, name = line.split(" ", 2)
            peaks[name] = max(int(kib), peaks.get(name, 0))
    return done.returncode, {name: peaks[name] for name in ("julia", "keys-file", "trust", "smime") if name in peaks}, done.stdout


# ---- files ------------------------------------------------------------------------------------------------------------
def entity(path, size, headers="Content-Type: text/plain; charset=us-ascii", noise=None):
    """A MIME entity of about that size. Text that deflate cannot make much of, or `noise`: lines to repeat."""
    noise = noise or base64.encodebytes(random.Random(5).randbytes(750_000))
    head = headers.encode() + b"\n\n"
    left = max(size - len(head), 1000)
    with open(path, "wb") as out:
        out.write(head)
        while left > 0:
            out.write(noise[:left] if left >= len(noise) else noise[:left].rsplit(b"\n", 1)[0] + b"\n")
            left -= len(noise)
    return path


def copy_into(out, data, begin=0, end=None):
    end = len(data) if end is None else end
    for at in range(begin, end, CHUNK):
        out.write(data[at:min(at + CHUNK, end)])


def tail(path, octets):
    with open(path, "rb") as source:
        source.seek(-min(octets, os.path.getsize(path)), os.SEEK_END)
        return source.read()


def message(path, cms, what, encoding="base64", header=None):
    """The CMS object in file `cms` as a message (or with another `header`, an entity) in file `path`."""
    head = (f"MIME-Version: 1.0\nContent-Type: application/pkcs7-mime; smime-type={what}; name=smime.p7m\n"
            f"Content-Transfer-Encoding: {encoding}\n\n").encode()
    with open(cms, "rb") as source, open(path, "wb") as out:
        out.write((fields() if header is None else header) + head)
        while chunk := source.read(CHUNK):
            if encoding == "base64":
                chunk = base64.encodebytes(chunk)
            elif encoding == "quoted-printable":
                lines = (chunk[at:at + 24] for at in range(0, len(chunk), 24))
                chunk = b"".join(b"=" + line.hex("=").upper().encode() + b"=\n" for line in lines)
            out.write(chunk)
        out.write(b"\n")
    return path


def headed(path, s_mime):
    """What openssl wrote as S/MIME, with the fields of a message."""
    with open(s_mime, "rb") as source, open(path, "wb") as out:
        out.write(fields())
        while chunk := source.read(CHUNK):
            out.write(chunk)
    return path


# ---- BER of the form that nobody expects --------------------------------------------------------------------------------
def element(data, at):
    """(contents begin, end) of the definite element at an offset."""
    size, start = data[at + 1], at + 2
    if size & 0x80:
        start += size & 0x7f
        size = int.from_bytes(data[at + 2:start], "big")
    return start, start + size


def to_largest(data):
    """The elements around the largest one without any inside, outermost first: [(offset, contents begin, end)]; the last is that one."""
    found, at = [], 0
    while True:
        begin, end = element(data, at)
        found.append((at, begin, end))
        if not data[at] & 0x20:
            return found
        inside = []
        while begin < end:
            behind = element(data, begin)[1]
            inside.append((behind - begin, begin))
            begin = behind
        at = max(inside)[1]


def nested(out, data, begin, end):
    """An octet string in pieces of many sizes, four levels deep, empty ones between them. Returns nothing; its tag is written already."""
    sizes = random.Random(7)
    while begin < end:
        pieces = []
        for _ in range(12):
            size = min(sizes.choice((0, 1, 16, 1000, 5000)), end - begin)
            pieces.append(tlv(4, data[begin:begin + size]))
            begin += size
        out.write(b"\x24\x80" + tlv(0x24, *pieces[:4], tlv(0x24, *pieces[4:8])) + b"".join(pieces[8:]) + END)


def strange(path, der):
    """The same object with indefinite lengths all around, and its content as nested()."""
    with open(der, "rb") as source, mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as data, open(path, "wb") as out:
        around = to_largest(data)
        for (at, begin, _), (child, _, _) in zip(around, around[1:]):
            out.write(bytes([data[at], 0x80]) + data[begin:child])
        at, begin, end = around[-1]
        out.write(bytes([data[at] | 0x20, 0x80]))
        nested(out, data, begin, end)
        out.write(END)
        for (_, _, outer_end), (_, _, inner_end) in reversed(list(zip(around, around[1:]))):
            copy_into(out, data, inner_end, outer_end)
            out.write(END)
    return path


# ---- what the openssl program does not write ----------------------------------------------------------------------------
def gcm(source, out, key, nonce, aad):
    """Encrypts a file into another; returns the tag."""
    crypto, n = lab.crypto, ctypes.c_int()
    ctx = ctypes.c_void_p(crypto.EVP_CIPHER_CTX_new())
    cipher = ctypes.c_void_p(crypto.EVP_CIPHER_fetch(None, b"AES-%d-GCM" % (len(key) * 8), None))
    block, tag = ctypes.create_string_buffer(CHUNK), ctypes.create_string_buffer(16)
    assert crypto.EVP_EncryptInit_ex(ctx, cipher, None, key, nonce) == 1
    assert crypto.EVP_EncryptUpdate(ctx, None, ctypes.byref(n), aad, len(aad)) == 1
    while chunk := source.read(CHUNK):
        assert crypto.EVP_EncryptUpdate(ctx, block, ctypes.byref(n), chunk, len(chunk)) == 1
        out.write(block.raw[:n.value])
    assert crypto.EVP_EncryptFinal_ex(ctx, block, ctypes.byref(n)) == 1
    assert crypto.EVP_CIPHER_CTX_ctrl(ctx, 0x10, 16, tag) == 1
    crypto.EVP_CIPHER_CTX_free(ctx)
    crypto.EVP_CIPHER_free(cipher)
    return tag.raw


def around(size, *levels):
    """What stands before and behind `size` octets inside definite elements. Levels, outermost first: (tag, what is inside before it,
    what is inside behind it)."""
    before = behind = b""
    for tag, more_before, more_behind in reversed(levels):
        before = more_before + before
        behind += more_behind
        octets = len(before) + size + len(behind)
        before = bytes([tag]) + length(octets) + before
    return before, behind


def length(octets):
    """The length octets of DER."""
    if octets < 128:
        return bytes([octets])
    size = octets.to_bytes((octets.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(size)]) + size


def auth_attributes(g, source, path, name=ONE):
    """AuthEnvelopedData with authenticated attributes, which stand behind the content and go into GCM before it."""
    der = lab.pem_to_der(g.pki.path(name + ".crt").read_bytes())
    key, nonce = random.Random(9).randbytes(32), random.Random(11).randbytes(12)
    encrypted = gateway.openssl("pkeyutl", "-encrypt", "-certin", "-inkey", g.pki.path(name + ".crt"), input=key)
    recipient = tlv(0x30, integer(0), tlv(0x30, *lab.issuer_and_serial(der)), algorithm(lab.RSA, lab.NULL), tlv(4, encrypted))
    attribute = tlv(0x30, oid("1.2.840.113549.1.9.3"), tlv(0x31, oid(lab.DATA)))
    cipher = algorithm("2.16.840.1.101.3.4.1.46", tlv(0x30, tlv(4, nonce), integer(16)))

    def levels(tag):
        return ((0x30, oid(lab.AUTH_ENVELOPED), b""), (0xa0, b"", b""),
                (0x30, integer(0) + tlv(0x31, recipient), tlv(0xa1, attribute) + tlv(4, tag)),
                (0x30, oid(lab.DATA) + cipher, b""), (0x80, b"", b""))
    size = os.path.getsize(source)
    with open(source, "rb") as content, open(path, "wb") as out:
        out.write(around(size, *levels(bytes(16)))[0])
        tag = gcm(content, out, key, nonce, tlv(0x31, attribute))
        out.write(around(size, *levels(tag))[1])
    return path


def compressed(source, path):
    packer, packed = zlib.compressobj(1), str(path) + ".z"
    with open(source, "rb") as content, open(packed, "wb") as out:
        while chunk := content.read(CHUNK):
            out.write(packer.compress(chunk))
        out.write(packer.flush())
    before, behind = around(os.path.getsize(packed), (0x30, oid(lab.COMPRESSED), b""), (0xa0, b"", b""),
                            (0x30, integer(0) + algorithm("1.2.840.113549.1.9.16.3.8"), b""), (0x30, oid(lab.DATA), b""),
                            (0xa0, b"", b""), (4, b"", b""))
    with open(packed, "rb") as content, open(path, "wb") as out:
        out.write(before)
        while chunk := content.read(CHUNK):
            out.write(chunk)
        out.write(behind)
    return path


# ---- the forms ----------------------------------------------------------------------------------------------------------
PLAIN, CBC, GCM = ("none", "none"), ("not-integrity-protected", "none"), ("decrypted", "none")
SIGNED = ("none", "valid")


class Incoming:
    """Messages from EYE to ONE around one entity of some size. Files are made in `folder`, and it is the caller's to empty it."""

    def __init__(self, g, folder, size):
        self.g, self.folder = g, folder
        self.entity = entity(folder / "entity", size)
        self.canonical = folder / "canonical"
        with open(self.entity, "rb") as source, open(self.canonical, "wb") as out:
            for line in source:
                out.write(line[:-1] + b"\r\n")

    def path(self, name):
        return self.folder / name

    def cms(self, name, source, *words):
        gateway.openssl("cms", *words, "-in", source, "-out", self.path(name))
        return self.path(name)

    def encrypted(self, name, source, cipher, *more):
        return self.cms(name, source, "-encrypt", "-binary", f"-aes-256-{cipher}", *more, "-recip", self.g.pki.path(ONE + ".crt"))

    def signed(self, name, source, *more):
        return self.cms(name, source, "-sign", "-md", "sha256", "-signer", self.g.pki.path(EYE + ".crt"), "-inkey",
                        self.g.pki.path(EYE + ".key"), *more)

    def plain(self):
        return headed(self.path("plain.eml"), self.entity), PLAIN

    def clear(self):
        return headed(self.path("clear.eml"), self.signed("clear", self.entity)), SIGNED

    def opaque(self, encoding="base64", stream=False):
        made = self.signed("opaque", self.entity, "-nodetach", "-outform", "DER", *(["-stream"] if stream else []))
        return message(self.path("opaque.eml"), made, "signed-data", encoding), SIGNED

    def opaque_strange(self):
        made = self.signed("opaque", self.entity, "-nodetach", "-outform", "DER")
        return message(self.path("opaque.eml"), strange(self.path("opaque.ber"), made), "signed-data", "binary"), SIGNED

    def enveloped(self, cipher, encoding="base64", stream=False):
        made = self.encrypted("sealed", self.canonical, cipher, "-outform", "DER", *(["-stream"] if stream else []))
        return message(self.path("sealed.eml"), made, "enveloped-data", encoding), {"cbc": CBC, "gcm": GCM}[cipher]

    def enveloped_strange(self, cipher, encoding):
        made = self.encrypted("sealed", self.canonical, cipher, "-outform", "DER")
        made = strange(self.path("sealed.ber"), made)
        return message(self.path("sealed.eml"), made, "enveloped-data", encoding), {"cbc": CBC, "gcm": GCM}[cipher]

    def auth_attributes(self, nest=False):
        made = auth_attributes(self.g, self.canonical, self.path("attributes"))
        if nest:
            made = strange(self.path("attributes.ber"), made)
        return message(self.path("attributes.eml"), made, "authEnveloped-data"), GCM

    def compressed(self, nest=False):
        made = compressed(self.canonical, self.path("packed"))
        if nest:
            made = strange(self.path("packed.ber"), made)
        return message(self.path("packed.eml"), made, "compressed-data"), PLAIN

    def triple(self, opaque):
        detach = ["-nodetach"] if opaque else []
        inner = self.signed("triple.1", self.entity, *detach)
        sealed = self.encrypted("triple.2", inner, "cbc")
        return headed(self.path("triple.eml"), self.signed("triple.3", sealed, *detach)), (CBC[0], "valid")

    def packed_signed_sealed(self):
        made = message(self.path("inner"), compressed(self.canonical, self.path("packed")), "compressed-data", header=b"")
        inner = self.signed("psz.1", made)
        return headed(self.path("psz.eml"), self.encrypted("psz.2", inner, "gcm")), (GCM[0], "valid")

    def forms(self):
        """(name, the modules it needs besides the S/MIME module, makes (file, status of encryption and signature))."""
        keys, trust = ("keys-file",), ("trust", "keys-file")
        yield "plain text", None, self.plain
        yield "clear signature", trust, self.clear
        yield "opaque signature, DER", trust, self.opaque
        yield "opaque signature, BER, binary", trust, lambda: self.opaque("binary", stream=True)
        yield "opaque signature, nested octet strings", trust, self.opaque_strange
        for cipher in ("cbc", "gcm"):
            yield f"{cipher}, DER, base64", keys, lambda c=cipher: self.enveloped(c)
            yield f"{cipher}, BER, base64", keys, lambda c=cipher: self.enveloped(c, stream=True)
            yield f"{cipher}, DER, quoted-printable", keys, lambda c=cipher: self.enveloped(c, "quoted-printable")
            yield f"{cipher}, BER, binary", keys, lambda c=cipher: self.enveloped(c, "binary", stream=True)
            yield f"{cipher}, nested octet strings, base64", keys, lambda c=cipher: self.enveloped_strange(c, "base64")
            yield f"{cipher}, nested octet strings, binary", keys, lambda c=cipher: self.enveloped_strange(c, "binary")
        yield "authenticated attributes, DER", keys, self.auth_attributes
        yield "authenticated attributes, nested octet strings", keys, lambda: self.auth_attributes(nest=True)
        yield "compressed, DER", (), self.compressed
        yield "compressed, nested octet strings", (), lambda: self.compressed(nest=True)
        yield "triple wrapped, clear", trust, lambda: self.triple(False)
        yield "triple wrapped, opaque", trust, lambda: self.triple(True)
        yield "compressed, signed, encrypted", trust, self.packed_signed_sealed


RULES = """\
.  (to) gcm.example    (do) FE:gcm
.  (to) cbc.example    (do) FE:cbc
.  (to) clear.example  (do) FS
.  (to) opaque.example (do) FS:opaque
.  (to) both.example   (do) FE:gcm, FS
.  (to) hidden.example (do) FE:hidden, FS
.  (to) inside.example (do) FE:cbc, FS:opaque
"""
PROFILES = """\
PROFILE_gcm = cipher=aes-256-gcm
PROFILE_cbc = cipher=aes-256-cbc
PROFILE_opaque = form=opaque
PROFILE_hidden = cipher=aes-256-gcm headers=hcp_baseline
"""
DOMAINS = ("plain", "gcm", "cbc", "clear", "opaque", "both", "hidden", "inside")


def letters(folder, size):
    """(name, recipient, file) of what goes out: in each form, and some that must be made fit for signing first."""
    text = entity(folder / "letter", size)
    eight = entity(folder / "eight", size, "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit",
                   "äöüß grüßt aus Köln und hofft, dass dies alles gut ankommt\n".encode() * 20_000)
    for domain in DOMAINS:
        yield domain, f"anna@{domain}.example", letter(folder, text, f"anna@{domain}.example")
    yield "8-bit text, clear", "anna@clear.example", letter(folder, eight, "anna@clear.example")
    yield "8-bit text, encrypted", "anna@both.example", letter(folder, eight, "anna@both.example")


def letter(folder, source, recipient):
    path = folder / "letter.eml"
    with open(source, "rb") as content, open(path, "wb") as out:
        out.write(fields(sender=ONE, to=recipient, subject="=?utf-8?q?gro=C3=9F?="))  # hidden, it is written into the text
        while chunk := content.read(CHUNK):
            out.write(chunk)
    return path
