#!/usr/bin/env python3
"""Hostile CMS against the whole gateway: each message has the one status that it deserves, is delivered as it came unless it was opened,
never waits, and never makes a process large. What the smime module makes of such things in detail is in tests/interop/smime-*.t."""
import base64
import os
import re
import sys
import time
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import bulk  # noqa: E402
import gateway  # noqa: E402
import handmade  # noqa: E402
from bulk import lab  # noqa: E402
from handmade import Sealed, Signed, attribute, certificate, compressed  # noqa: E402
from outside import EYE, Outside, der_of, fields, receive, text, wrap  # noqa: E402
from smime_lab import MGF1, NULL, OAEP, PSPECIFIED, RSA, SHA1, SHA256, algorithm, indefinite, integer, oid, tlv  # noqa: E402

ONE, FRIEND, STRANGER = "user_1@behoerde.de", "friend@partner-1.com", "stranger@partner-1.com"
ENTITY = b"Content-Type: text/plain; charset=us-ascii\r\n\r\nThe plan.\r\n"
OTHER = ENTITY.replace(b"plan", b"fake")
OPENED, SEALED, UNSUPPORTED = ("decrypted", "none"), ("undecryptable", "none"), ("unsupported", "none")
S1, S256, S512 = algorithm(SHA1, NULL), algorithm(SHA256, NULL), algorithm("2.16.840.1.101.3.4.2.3", NULL)


class Lab:
    def __init__(self, tap, g):
        self.tap, self.g, self.out = tap, g, Outside(g.pki)
        self.requests = g.base / "requests"
        self.count = 0
        keys = f"{gateway.BUILD}/lib/modules/keys-file"
        self.plain = g.base.joinpath("etc/julia.conf").read_text()
        self.overheard = self.plain.replace(keys, f"{sys.executable} {gateway.SOURCE}/tests/lib/overhear.py {self.requests} {keys}")
        g.serve()
        self.served = g.base.joinpath("etc/julia.conf").read_text()

    def overhear(self, on):
        """From here on what the key module is asked is known, which takes time."""
        self.g.base.joinpath("etc/julia.conf").write_text(self.overheard if on else self.served)

    def see(self, octets):
        """(what was delivered or None, exit status, output, what the key modules were asked)."""
        self.requests.write_text("")
        for state in (self.g.base / "var/run").glob("notice-*"):
            state.unlink()
        code, output, got, _ = receive(self.g, octets)
        asked = [line for line in self.requests.read_text().splitlines() if not line.startswith("hello")]
        return got[0] if code == 0 and len(got) == 1 else None, code, output, asked

    def octets(self, entity):
        self.count += 1
        return fields(more=f"X-Number: {self.count}\n") + entity

    def check(self, entity, status, name, opened=None, asked=None):
        """`opened`: octets that must be readable in what is delivered; otherwise it must be delivered as it came."""
        octets = self.octets(entity)
        start = time.monotonic()
        got, code, output, requests = self.see(octets)
        taken = time.monotonic() - start
        good = got is not None and got.status == status and (asked is None or len(requests) == asked)
        if good and opened is not None:
            good = opened in got.octets.replace(b"\r\n", b"\n")
        elif good:
            good = got.octets.endswith(octets[octets.index(b"MIME-Version"):])
        self.tap.ok(good and taken < 60, name, f"exit {code}, {taken:.1f} s, {got and got.status}, asked {requests}\n{output!r}\n"
                    f"{got and got.octets[:700]!r}")
        return got

    def sealed(self, der, status, name, **more):
        if status == OPENED:
            more.setdefault("opened", b"The plan.")
        return self.check(wrap(der), status, name, **more)

    def signed(self, der, word, name, encryption="none"):
        return self.check(wrap(der, "signed-data"), (encryption, word), name)


def clear(entity, der):
    """multipart/signed by hand."""
    return (b'MIME-Version: 1.0\nContent-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary=b\n\n--b\n'
            + entity.replace(b"\r\n", b"\n") + b"\n--b\nContent-Type: application/pkcs7-signature; name=smime.p7s\n"
            b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(der) + b"\n--b--\n")


def detached(t):
    """A signature beside the text that brings a text of its own."""
    covered = ENTITY[:-2]  # the last line end belongs to the boundary
    s = Signed(t.g.pki, covered)
    other = Signed(t.g.pki, OTHER[:-2])
    t.check(clear(covered, s.message(s.signer(), content=False)), ("none", "valid"), "detached signature by hand")
    t.check(clear(covered, s.message(s.signer())), ("none", "valid"), "... with the same text inside once more")
    t.check(clear(covered, s.message(s.signer(), content=OTHER)), ("none", "valid"), "... with another text inside, that nobody sees or signed")
    t.check(clear(OTHER[:-2], s.message(s.signer())), ("none", "invalid"), "signed inside, another text beside")
    t.check(clear(covered, other.message(other.signer())), ("none", "invalid"), "a good signature over the text inside only")
    t.check(clear(covered, s.message(s.signer(), content=b"")), ("none", "valid"), "... with an empty text inside")
    t.check(wrap(s.message(s.signer(), content=False), "signed-data"), ("none", "invalid"), "opaque without any content")


def signers(t):
    """One bad signature makes the message bad, wherever it stands and whoever made it."""
    s = Signed(t.g.pki, ENTITY)
    both = [certificate(t.g.pki, EYE), certificate(t.g.pki, FRIEND)]
    good, friend = s.signer(), s.signer(FRIEND)
    broken = s.signer(FRIEND, signature=bytes(255) + b"\1")
    mine = s.signer(signature=bytes(255) + b"\1")
    wrong = s.signer(FRIEND, attributes=[s.attributes[0], attribute(handmade.DIGEST, tlv(4, bytes(32)))])
    unknown = s.signer(FRIEND).replace(oid(SHA256), oid("2.16.840.1.101.3.4.2.99"))
    for name, infos, word in (
            ("both good", [good, friend], "valid"), ("both good, From's second", [friend, good], "valid"),
            ("the other one broken", [good, broken], "invalid"), ("the other one broken, first", [broken, good], "invalid"),
            ("From's broken", [friend, mine], "invalid"), ("both broken", [mine, broken], "invalid"),
            ("the other one over another text", [good, wrong], "invalid"), ("the other one of an unknown kind", [good, unknown], "valid"),
            ("the other one of an unknown kind, first", [unknown, good], "valid"), ("an undecodable one", [tlv(0x30, NULL), good], "valid"),
            ("the same one twice", [good, good], "valid"), ("From's broken and good", [mine, good], "invalid"),
            ("fifteen good ones and a broken one", [good] * 15 + [mine], "invalid")):
        t.signed(s.message(*infos, certificates=both), word, f"two signers: {name}")
    t.signed(s.message(good, broken, certificates=both[:1]), "valid", "two signers: a broken one whose certificate nobody has")


def countersigned(t):
    """Signatures on signatures say nothing about the message."""
    s = Signed(t.g.pki, ENTITY)
    both = [certificate(t.g.pki, EYE), certificate(t.g.pki, FRIEND)]
    signature = s.raw(tlv(0x31, *s.attributes), EYE)
    right, wrong = s.counter(signature, FRIEND), s.counter(signature, FRIEND, broken=True)
    for name, unsigned, word in (("good", [right], "valid"), ("wrong", [wrong], "valid"), ("good and wrong", [right, wrong], "valid"),
                                 ("not decodable", [attribute(handmade.COUNTER, tlv(0x30, NULL))], "valid"),
                                 ("no value", [attribute(handmade.COUNTER)], "valid")):
        t.signed(s.message(s.signer(signature=signature, unsigned=unsigned), certificates=both), word, f"countersignature: {name}")
        broken = s.signer(signature=bytes(255) + b"\1", unsigned=unsigned)
        t.signed(s.message(broken, certificates=both), "invalid", f"... and {name} under a broken signature")


def baggage(t):
    """Certificates and revocation information of kinds that nobody here reads."""
    s = Signed(t.g.pki, ENTITY)
    own = certificate(t.g.pki, EYE)
    extended = tlv(0xa0, own[4:])
    old, attributes, other = tlv(0xa1, tlv(0x30, NULL)), tlv(0xa2, tlv(0x30, NULL)), tlv(0xa3, oid("1.2.3.4"), tlv(0x30))
    for name, certificates in (("extended", [extended, own]), ("attribute, version 1", [old, own]), ("attribute, version 2", [own, attributes]),
                               ("other format", [other, own]), ("all of them", [extended, old, attributes, other, own]),
                               ("not decodable", [tlv(0x30, b"\2\1\1"), own]), ("unknown kind", [tlv(0xa7, b"\1"), own]),
                               ("hundred of another kind", [other] * 100 + [own])):
        t.signed(s.message(s.signer(), certificates=certificates), "valid", f"certificates: {name}")
    t.signed(s.message(s.signer(), certificates=[extended]), "unknown", "certificates: extended only")
    number = int.from_bytes(lab.take(lab.issuer_and_serial(own)[1])[1], "big")
    for name, key in handmade.odd_keys(t.g.pki):
        odd = handmade.odd_certificate(t.g.pki, EYE, key, number)
        t.signed(s.message(s.signer(), certificates=[odd]), "invalid" if name == "infinity" else "unsupported",
                 f"certificates: a key that cannot be used ({name})")
    ocsp = tlv(0xa1, oid("1.3.6.1.5.5.7.16.2"), tlv(0x30, tlv(0x0a, b"\0"), tlv(0xa0, tlv(0x30, oid("1.3.6.1.5.5.7.48.1.1"), tlv(4, b"x")))))
    scvp = tlv(0xa1, oid("1.3.6.1.5.5.7.16.4"), tlv(0x30, tlv(0x30), tlv(0x30)))
    for name, infos in (("an OCSP response", [ocsp]), ("SCVP", [scvp]), ("an unknown one", [tlv(0xa1, oid("1.2.3"), NULL)]),
                        ("a CRL that is none", [tlv(0x30, NULL)]), ("everything", [tlv(0x30, NULL), ocsp, scvp, tlv(0xa5, b"\1")]),
                        ("thousand", [ocsp] * 1000)):
        t.signed(s.message(s.signer(), crls=tlv(0xa1, *infos)), "valid", f"revocation information: {name}")


def content_types(t):
    """What is signed, encrypted or compressed must be mail: CMS in CMS without MIME between is not looked into."""
    x, s = Sealed(t.g.pki, ONE), Signed(t.g.pki, ENTITY)
    inner = s.message(s.signer())
    body = lab.children(lab.take(inner)[1])[1]
    for name, kind, what in (("signedData", lab.SIGNED, lab.take(body)[1]), ("a whole signedData", lab.SIGNED, inner),
                             ("envelopedData", lab.ENVELOPED, x.cbc(ENTITY)), ("compressedData", lab.COMPRESSED, compressed(zlib.compress(ENTITY))),
                             ("signedData that is mail", lab.SIGNED, ENTITY), ("an unknown type", "1.2.3.4", ENTITY)):
        t.sealed(x.message(what, inner=kind), UNSUPPORTED, f"encrypted is {name}")
        t.sealed(x.cbc(what, inner=kind), UNSUPPORTED, f"encrypted is {name}, CBC")
        t.check(wrap(compressed(zlib.compress(what), inner=kind), "compressed-data"), UNSUPPORTED, f"compressed is {name}")
        kinds = [attribute(handmade.CONTENT_TYPE, oid(kind)), attribute(handmade.DIGEST, tlv(4, lab.hashlib.sha256(what).digest()))]
        signed = s.message(s.signer(attributes=kinds), inner=kind, content=what)
        t.signed(signed, "unsupported", f"signed is {name}")
        t.signed(s.message(s.signer(), inner=kind), "unsupported", f"signed is {name}, the attribute says data")
    t.sealed(x.message(wrap(inner, "signed-data").replace(b"\n", b"\r\n")), ("decrypted", "valid"), "with MIME between it is read", opened=b"signed-data")


def oaep_of(*parts):
    return algorithm(OAEP, tlv(0x30, *parts))


def padding(t):
    """OAEP: only parameters that are wholly understood ever reach a key. OpenSSL 3.0 takes damaged ones for PKCS #1 v1.5."""
    t.overhear(True)
    x = Sealed(t.g.pki, ONE)
    old = x.rsa()
    hashes = (tlv(0xa0, S256), tlv(0xa1, algorithm(MGF1, S256)))
    label = tlv(0xa2, algorithm(PSPECIFIED, tlv(4, b"L")))
    for name, how, encrypted in (
            ("SHA-256", oaep_of(*hashes), x.oaep("sha256", "sha256")), ("SHA-1 by default", oaep_of(), x.oaep("sha1", "sha1")),
            ("SHA-256 with MGF1 SHA-1", oaep_of(hashes[0]), x.oaep("sha256", "sha1")),
            ("SHA-512 with MGF1 SHA-1", oaep_of(tlv(0xa0, S512)), x.oaep("sha512", "sha1")),
            ("SHA-1 with MGF1 SHA-256", oaep_of(tlv(0xa1, algorithm(MGF1, S256))), x.oaep("sha1", "sha256")),
            ("SHA-256 with MGF1 SHA-512", oaep_of(hashes[0], tlv(0xa1, algorithm(MGF1, S512))), x.oaep("sha256", "sha512")),
            ("a label", oaep_of(*hashes, label), x.oaep("sha256", "sha256", b"L")),
            ("an empty label", oaep_of(*hashes, tlv(0xa2, algorithm(PSPECIFIED, tlv(4)))), x.oaep("sha256", "sha256"))):
        t.sealed(x.message(ENTITY, [x.recipient(how, encrypted)]), OPENED, f"OAEP: {name}", asked=3)
    t.sealed(x.message(ENTITY, [x.recipient(oaep_of(*hashes, label), old)]), SEALED, "OAEP: a label, v1.5 inside")
    for name, how, encrypted in (
            ("absent parameters", algorithm(OAEP), old), ("NULL", algorithm(OAEP, NULL), old),
            ("an OCTET STRING", algorithm(OAEP, tlv(4, b"\0")), old), ("cut parameters", algorithm(OAEP, tlv(0x30, b"\xa0\x0d\x30")), old),
            ("an unknown hash", oaep_of(tlv(0xa0, algorithm("1.2.3.4")), hashes[1]), old),
            ("no MGF1", oaep_of(hashes[0], tlv(0xa1, algorithm("1.2.3"))), old), ("something behind", oaep_of(*hashes, NULL), old),
            ("MD5", oaep_of(tlv(0xa0, algorithm("1.2.840.113549.2.5", NULL)), hashes[1]), old)):
        got = t.sealed(x.message(ENTITY, [x.recipient(how, encrypted)]), UNSUPPORTED, f"OAEP: {name}: unsupported")
        opens = [line for line in t.requests.read_text().splitlines() if line.startswith("open")]
        t.tap.ok(got and not opens, "... and no key is asked", opens)


def lists(t):
    """RecipientInfos: very many, very odd, several for one."""
    t.overhear(False)
    conf = t.g.base / "etc/julia.conf"
    conf.write_text(t.plain)  # to see what each process needs
    x = Sealed(t.g.pki, ONE)
    ours, others = x.recipient(), [x.stranger(n + 1) for n in range(9999)]
    for name, infos, status in (
            ("10,000, ours first", [ours, *others], OPENED), ("10,000, ours last", [*others, ours], OPENED),
            ("10,000, none ours", [*others, x.stranger(10_001)], SEALED), ("10,001, ours first", [ours, *others, x.stranger(10_001)], UNSUPPORTED),
            ("10,001, ours last", [*others, x.stranger(10_001), ours], UNSUPPORTED), ("none at all", [], SEALED),
            ("one, for somebody else", [x.stranger(1)], SEALED)):
        octets = t.octets(wrap(x.message(ENTITY, infos)))
        path = t.g.base / "list.eml"
        path.write_bytes(octets)
        start = time.monotonic()
        code, peaks, output = bulk.run(t.g, "203.0.113.5", EYE, [ONE], path)
        taken = time.monotonic() - start
        got = [bulk_delivered for bulk_delivered in t.g.collect() if bulk_delivered[1] == [ONE]]
        seen = handmade_status(got)
        t.tap.ok(code == 0 and seen == status, f"recipients: {name}: {status[0]}", f"exit {code}, {seen}, {output!r}")
        t.tap.ok(max(peaks.values()) < 16 << 10 and peaks["julia"] < 8 << 10 and taken < 60, f"... in {taken:.1f} s, {peaks}")
    t.overhear(False)
    long_serial = x.recipient(encrypted=b"x", serial=tlv(2, b"\1" * 10_000))
    kem = tlv(0xa4, oid("1.2.840.113549.1.9.16.13.3"), tlv(0x30, integer(0), tlv(0x80, b"kid"), S256, tlv(4, b"ct"), S256))
    password = tlv(0xa3, integer(0), tlv(0xa0, oid("1.2.840.113549.1.5.12"), tlv(0x30, tlv(4, b"salt"), integer(1000))), S256, tlv(4, b"x"))
    kek = tlv(0xa2, integer(4), tlv(0x30, tlv(4, b"kek")), algorithm("2.16.840.1.101.3.4.1.45"), tlv(4, bytes(40)))
    cut = tlv(0x30, integer(0), tlv(0x30, x.issuer[:-3]), b"\x30\x7f")
    for name, info in (("a serial number of 10 kB", long_serial), ("KEM", kem), ("a password", password), ("a key encryption key", kek),
                       ("a kind nobody knows", tlv(0xa9, b"\1")), ("an empty one", tlv(0x30)), ("a damaged one", cut), ("NULL", NULL)):
        t.sealed(x.message(ENTITY, [info, ours]), OPENED, f"recipients: {name} in front of ours")
        t.sealed(x.message(ENTITY, [info]), SEALED, f"recipients: {name} alone")

    t.overhear(True)

    def garbage():
        return x.recipient(oaep_of(tlv(0xa0, S256), tlv(0xa1, algorithm(MGF1, S256))), b"\1" + os.urandom(255))
    wrong = x.recipient(encrypted=x.rsa(key=os.urandom(32)))
    for name, infos, status, asked in (
            ("garbage first", [garbage(), ours], OPENED, 4), ("another content key first", [wrong, ours], OPENED, 4),
            ("three of garbage first", [garbage(), garbage(), garbage(), ours], OPENED, 6), ("twice the same", [ours, ours], OPENED, 3),
            ("four of garbage first", [garbage(), garbage(), garbage(), garbage(), ours], SEALED, 6),
            ("hundred times the same garbage first", [wrong] * 100 + [ours], OPENED, 4)):
        t.sealed(x.message(ENTITY, infos), status, f"several entries for us: {name}", asked=asked)


def handmade_status(entries):
    """(encryption, signature) of the one message, or how many there are."""
    if len(entries) != 1:
        return len(entries)
    head = entries[0][2].split(b"\n\n", 1)[0].decode("latin-1")
    return tuple(re.search(rf"(?m)^X-JULIA-{name}: (\S+)", head)[1] for name in ("Encryption", "Signature"))


def bombs(t):
    """Little that becomes much, and layers without end."""
    t.overhear(False)
    x = Sealed(t.g.pki, ONE)
    bomb = zlib.compress(b"Content-Type: text/plain\r\n\r\n" + b"0" * 500_000_000, 9)
    t.check(wrap(compressed(bomb), "compressed-data"), UNSUPPORTED, f"{len(bomb)} octets that become 500 MB")
    inside = wrap(compressed(bomb), "compressed-data").replace(b"\n", b"\r\n")
    t.sealed(x.message(inside), UNSUPPORTED, "the same in encryption", opened=b"compressed-data")
    s = Signed(t.g.pki, inside)
    t.signed(s.message(s.signer()), "valid", "the same in a signature", encryption="unsupported")
    entity = b"Content-Type: text/plain\r\n\r\nThe plan.\r\n"
    for _ in range(60):
        entity = wrap(compressed(zlib.compress(entity, 9)), "compressed-data").replace(b"\n", b"\r\n")
    t.check(entity.replace(b"\r\n", b"\n"), ("unsupported", "unsupported"), "compressed sixty times")
    entity, made = ENTITY, {}
    for layer in range(100):
        if layer % 3 == 0:
            der, what = x.message(entity), "enveloped-data"
        elif layer % 3 == 1:
            s = Signed(t.g.pki, entity)
            der, what = s.message(s.signer()), "signed-data"
        else:
            der, what = compressed(zlib.compress(entity)), "compressed-data"
        made[layer + 1] = wrap(der, what)
        entity = (f"Content-Type: application/pkcs7-mime; smime-type={what}; name=smime.p7m\r\n"
                  "Content-Transfer-Encoding: binary\r\n\r\n").encode() + der
    t.check(made[9], ("decrypted", "valid"), "nine layers of all kinds", opened=b"The plan.")
    t.check(made[100], ("unsupported", "unsupported"), "a hundred layers of all kinds")


def oracle(t):
    """Why a message cannot be decrypted is for nobody outside to learn: not from the answer, nor from what keys were asked."""
    t.overhear(True)
    x = Sealed(t.g.pki, ONE)
    gcm, cbc = x.message(ENTITY), x.cbc(ENTITY)
    v15, oaep = algorithm(RSA, NULL), oaep_of(tlv(0xa0, S256), tlv(0xa1, algorithm(MGF1, S256)))

    def changed(der, at):
        octets = bytearray(der)
        octets[at] ^= 1
        return bytes(octets)

    def key(how, encrypted):
        return x.message(ENTITY, [x.recipient(how, encrypted)])
    ways = {
        "v1.5, wrong padding": key(v15, b"\1" + os.urandom(255)), "v1.5, another key": key(v15, x.rsa(key=os.urandom(32))),
        "v1.5, key of 16 octets": key(v15, x.rsa(key=os.urandom(16))), "v1.5, key of 200 octets": key(v15, x.rsa(key=os.urandom(200))),
        "v1.5, no key": key(v15, x.rsa(key=b"")), "v1.5, larger than the modulus": key(v15, b"\xff" * 256),
        "v1.5, of 255 octets": key(v15, b"\1" * 255), "v1.5, of no octets": key(v15, b""), "OAEP, wrong padding": key(oaep, b"\1" + os.urandom(255)),
        "OAEP, another hash": key(oaep, x.oaep("sha1", "sha1")), "OAEP, of no octets": key(oaep, b""), "GCM, tag changed": changed(gcm, len(gcm) - 1),
        "GCM, text changed": changed(gcm, len(gcm) - 25), "CBC, last block changed": changed(cbc, len(cbc) - 1),
        "CBC, length no multiple": x.cbc(ENTITY, content=tlv(0x30, oid(lab.DATA), algorithm(handmade.AES_CBC, tlv(4, bytes(16))), tlv(0x80, bytes(50)))),
        "CBC, another key": x.cbc(ENTITY, key=os.urandom(32)), "CBC, no MIME": x.cbc(b"no entity and no text\0\n" * 9),
        "CBC, empty": x.cbc(ENTITY, content=tlv(0x30, oid(lab.DATA), algorithm(handmade.AES_CBC, tlv(4, bytes(16))), tlv(0x80))),
    }
    not_ours = {"another recipient": der_of(t.out.encrypt(text(), STRANGER)), "nobody": x.message(ENTITY, [])}
    answers, requests, times = {}, {}, {}
    for name, der in {**ways, **not_ours}.items():
        octets = t.octets(wrap(der))
        start = time.monotonic()
        got, code, output, asked = t.see(octets)
        taken = time.monotonic() - start
        delivered = got and (got.status, got.octets.endswith(octets[octets.index(b"MIME-Version"):]), len(got.fields))
        answers[name], requests[name], times[name] = (code, output, delivered), asked, taken
    t.tap.ok(len(set(answers.values())) == 1 and answers["nobody"][:2] == (0, b"2.0.0 ok\n") and answers["nobody"][2][:2] == (SEALED, True),
             f"{len(answers)} ways to fail have one answer", "\n".join(f"{name}: {value}" for name, value in answers.items()))
    kinds = {name: [re.sub(r"scheme=\S+", "scheme", line) for line in asked] for name, asked in requests.items()}
    wanted = ["find query:decrypt1", "grant allow:open", "open scheme length=32"]
    odd = {name: kinds[name] for name in ways if kinds[name] != wanted}
    t.tap.ok(not odd, "all that are addressed to us ask the key module for the same", odd)
    t.tap.ok(kinds["another recipient"] == ["find query:decrypt1"] and kinds["nobody"] == [], "others ask for no key",
             {name: kinds[name] for name in not_ours})
    print("# seconds:", {name: round(value, 3) for name, value in times.items()})  # to look at: a test must not depend on speed


LIES = (
    ("2^31 octets", b"\x84\x80\0\0\0"), ("2^63 octets", b"\x88\x80" + bytes(7)), ("2^64 - 1 octets", b"\x88" + b"\xff" * 8),
    ("a length of nine octets", b"\x89\1" + bytes(8)), ("a length of 127 octets", b"\xff" + bytes(127)), ("one octet too many", None),
    ("half of it", 2),
)


def lie(der, at, how):
    """The element there with another length."""
    tag, contents, behind = lab.take(der, at)
    size = len(contents) + 1 if how is None else len(contents) // how if isinstance(how, int) else how
    head = bytes([tag]) + (bulk.length(size) if isinstance(size, int) else size)
    return der[:at] + head + contents + der[behind:]


def lengths(t):
    """Lengths that lie, from the outermost element to the innermost. Nothing of it may be opened, or count as signed."""
    t.overhear(False)
    x, s = Sealed(t.g.pki, ONE), Signed(t.g.pki, ENTITY)
    gcm, signed = x.message(ENTITY), s.message(s.signer())
    content = gcm.index(lab.gcm_encrypt(x.key, x.nonce, ENTITY)[0]) - 2
    assert gcm[content] == 0x80
    recipients = recipients_of(gcm)
    info = recipients + 4  # the only one, behind a length of three octets
    assert gcm[recipients] == 0x31 and gcm[info] == 0x30
    for what, how in LIES:
        for place, at in (("ContentInfo", 0), ("encrypted content", content), ("recipients", recipients)):
            got = t.check(wrap(lie(gcm, at, how)), SEALED, f"{place} of {what}")
            t.tap.ok(got is None or b"The plan" not in got.octets, "... and nothing comes out")
        for place, at in (("ContentInfo", 0), ("eContent", signed.index(ENTITY) - 2 - (len(ENTITY) > 127))):
            t.signed(lie(signed, at, how), "invalid", f"signed: {place} of {what}")
    for what, how in LIES[:5]:
        t.check(wrap(lie(gcm, info, how)), SEALED, f"RecipientInfo of {what}")


def recipients_of(der):
    """Where the RecipientInfos of this (Auth)EnvelopedData begin."""
    at = lab.take(der)[2] - len(lab.take(der)[1])  # ContentInfo's contents
    at = lab.take(der, at)[2]                      # behind the type
    for _ in range(2):                             # [0], SEQUENCE
        _, contents, behind = lab.take(der, at)
        at = behind - len(contents)
    return lab.take(der, at)[2]                    # behind the version


def shapes(t):
    """BER that is allowed is read, BER that is not is refused."""
    x, s = Sealed(t.g.pki, ONE), Signed(t.g.pki, ENTITY)

    def minimal_not(tag, *parts):
        body = b"".join(parts)
        return bytes([tag, 0x84]) + len(body).to_bytes(4, "big") + body

    def unclosed(tag, *parts):
        return tlv(tag, bytes([0x30, 0x80]), *parts)
    t.sealed(x.message(ENTITY, seq=minimal_not), OPENED, "lengths longer than need be")
    t.sealed(x.message(ENTITY, seq=minimal_not, content=lambda b: minimal_not(0x80, b)), OPENED, "... of the content too")
    t.signed(s.message(s.signer(), seq=minimal_not), "valid", "signed, lengths longer than need be")
    t.sealed(x.message(ENTITY, seq=indefinite), OPENED, "indefinite lengths")
    t.sealed(x.message(ENTITY, seq=indefinite)[:-2], SEALED, "... without the last end")
    t.sealed(x.message(ENTITY, content=lambda b: indefinite(0xa0, tlv(4, b))), OPENED, "an indefinite length inside definite ones")
    t.sealed(x.message(ENTITY, content=lambda b: bytes([0xa0, 0x80]) + tlv(4, b)), SEALED, "... without its end")
    t.sealed(x.message(ENTITY, content=lambda b: bytes([0x80, 0x80]) + b + b"\0\0"), SEALED, "a primitive element of indefinite length")
    t.sealed(x.message(ENTITY, content=lambda b: tlv(0xa0, tlv(0x0c, b))), SEALED, "a text in pieces that are no octet strings")
    t.sealed(x.message(ENTITY, content=lambda b: tlv(0xa0, tlv(4), tlv(4, b), tlv(0x24))), OPENED, "empty pieces")
    deep = lambda b: b"\xa0\x80" + b"\x24\x80" * 100 + tlv(4, b) + b"\0\0" * 101  # noqa: E731
    t.sealed(x.message(ENTITY, content=deep), SEALED, "octet strings in octet strings, a hundred times")
    t.sealed(x.message(ENTITY, version=1), SEALED, "an unknown version")
    for name, tail in (("a zero octet", b"\0"), ("two zero octets", b"\0\0"), ("an element", NULL), ("the message once more", x.message(ENTITY))):
        t.sealed(x.message(ENTITY, tail=tail), SEALED, f"{name} behind it")
        t.sealed(x.message(ENTITY, seq=indefinite, tail=tail), SEALED, f"{name} behind it, indefinite lengths")
        t.signed(s.message(s.signer(), tail=tail), "invalid", f"{name} behind a signature")
    t.sealed(x.message(ENTITY, behind=NULL), SEALED, "an element too many inside")
    high = b"\x7f\x81\x23\x02\5\0"  # [163] { NULL }
    t.sealed(x.message(ENTITY, [high, x.recipient()]), SEALED, "a high tag number among the recipients")
    t.sealed(x.message(ENTITY, behind=tlv(0xa2, attribute("1.2.3.4", high))), OPENED, "a high tag number in an attribute")
    t.signed(s.message(s.signer(unsigned=[attribute("1.2.3.4", high)])), "valid", "a high tag number in an unsigned attribute")
    t.signed(s.message(s.signer(), crls=tlv(0xa1, high)), "invalid", "a high tag number among the CRLs")
    t.sealed(b"\x3f\x81\x23" + x.message(ENTITY)[1:], SEALED, "a high tag number outermost")
    t.sealed(x.message(b""), OPENED, "an empty text", opened=b"")
    t.sealed(x.message(ENTITY, content=lambda b: b""), SEALED, "no encrypted content at all")
    t.signed(s.message(s.signer(), octets=tlv(0x24)), "invalid", "a signed text of no pieces, signed was another")
    empty = Signed(t.g.pki, b"")
    t.signed(empty.message(empty.signer()), "valid", "an empty signed text")
    t.check(wrap(compressed(b""), "compressed-data"), UNSUPPORTED, "no stream in compressed data")


def cut(t):
    """Ended at every place where an element begins, where its contents do, or where it ends."""
    x, s = Sealed(t.g.pki, ONE), Signed(t.g.pki, ENTITY)
    for name, der, what, status in (("encrypted", x.message(ENTITY), "enveloped-data", SEALED),
                                    ("signed", s.message(s.signer()), "signed-data", ("none", "invalid"))):
        wrong, places = [], sorted(place for place in handmade.boundaries(der) if 4 < place < len(der))
        places = places[::max(1, len(places) // 24)] + places[-3:]
        for place in places:
            got, code, output, _ = t.see(t.octets(wrap(der[:place], what)))
            if got is None or got.status != status or b"The plan" in got.octets:
                wrong.append(f"{place}: {code} {output} {got and got.status}")
        t.tap.ok(not wrong, f"{name}: cut at {len(places)} places", "\n".join(wrong))


PARTS = (detached, signers, countersigned, baggage, content_types, padding, lists, bombs, oracle, lengths, shapes, cut)


def main():
    tap = gateway.Tap()
    with gateway.Gateway(conf="MAX_SIZE = 20M\nMAX_DEPTH = 10\n") as g:
        g.own_key(ONE)
        for name in (EYE, FRIEND, STRANGER):
            g.pki.person(name)
        t = Lab(tap, g)
        for part in PARTS:
            part(t)
    return tap.end()


sys.exit(main())
