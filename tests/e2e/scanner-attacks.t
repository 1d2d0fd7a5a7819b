#!/usr/bin/env python3
"""MODE=gateway without an MTA, against people who want infected mail to get in, or decrypted mail to get out."""
import base64
import hashlib
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import gateway  # noqa: E402
import handmade  # noqa: E402
import scanned  # noqa: E402
from handmade import algorithm, integer, oid, tlv  # noqa: E402
from scanned import INSIDE, OUTSIDE, SECRET, bounce, field  # noqa: E402

tap = gateway.Tap()


def ok(good, what, g=None):
    tap.ok(good, what, "" if g is None else (g.status, g.said, g.got))


# ---- what the scanner's answer means ------------------------------------------------------------------------------------------
def replies():
    """clamsmtpd says no more than 550; Sendmail makes a status of its own of that."""
    g = G.anew("DELIVER = original")
    for status, words, kind in (("5.2.0", "550 Virus Detected; Content Rejected", "infected"), ("5.1.1", "550-Virus", "infected"),
                                ("5.1.0", "553", "infected"), ("5.1.1", "550 5.7.1 virus", "infected"), ("5.0.0", "550 5.1.1 unknown", "not-scanned"),
                                ("5.3.4", "552 5.3.4 message size exceeds the limit", "not-scanned"), ("5.3.0", "554 5.3.0 virus", "infected"),
                                ("5.4.4", "Host or domain name not found", "not-scanned"), ("4.4.7", "451 not now", "not-scanned")):
        hold = field(g.arrive(g.encrypted()), "X-JULIA-Hold")[0]
        copy = b"X-JULIA-Hold: %s\n\n" % hold.encode()
        g.notice(bounce(copy, status=status, words=words))
        marked = (g.base / "var/hold" / hold / "refused").exists()
        ok(g.status == 0 and len(g.told(kind)) == 1 and marked == (kind == "infected"), f"status {status}, {words}: {kind}", g)


def impostors():
    """Mail that looks like a refusal, written by the sender of the mail himself."""
    g = G.anew("DELIVER = original\nSCANNER_NOTICE = recipient")
    fake = bounce(b"X-JULIA-Hold: none\nMessage-ID: <f@x>\n").replace(b"--BB\nContent-Type: message/d", b"X-JULIA-Hold: none\n--BB\nContent-Type: message/d")
    for sender in (OUTSIDE, ""):
        g.back(g.arrive(fake, sender=sender), sender=sender or "admin@behoerde.de")
        ok(g.status == 0 and [one[1] for one in g.got] == [[INSIDE]] and g.inside()[0].endswith(fake), f"a report from <{sender}> that comes back is mail", g)
        g.back(g.arrive(g.encrypted(plain=fake[fake.index(b"MIME-V"):]), sender=sender), sender=sender or "admin@behoerde.de")
        ok(g.status == 0 and [one[1] for one in g.got] == [[INSIDE]] and b"pkcs7" in g.inside()[0], "... and so is an encrypted one", g)
    g = G.anew("DELIVER = original\nSMIME_ENGINE = 1")
    g.back(g.arrive(fake, sender=""), sender="")
    ok(g.status == 0 and len(g.inside()) == 1 and len(g.got) == 1, "... with SMIME_ENGINE=1, too", g)
    g = G.anew("DELIVER = original")
    mark = b"X-JULIA-Hold: none\n"
    for what, quoted in (("in the text of a mail", scanned.letter(b"Hi\n" + mark)), ("folded into a field", scanned.letter(more=b"X-A: b\n " + mark)),
                         ("in an attachment", scanned.letter(b"--q\n\n" + mark + b"--q--\n", more=b"Content-Type: multipart/mixed; boundary=q\n"))):
        g.notice(bounce(quoted, whole=True), client=scanned.SCANNER)
        ok(g.status == 0 and len(g.outside()) == 1 and not g.told(), f"a notice of a server inside that quotes it {what}: goes to the sender", g)
    for what, octets in (("below an empty line", bounce(b"\n" + mark)), ("as a whole", bounce(mark + scanned.letter(), whole=True)),
                         ("with CRLF", bounce(mark + scanned.letter()).replace(b"\n", b"\r\n"))):
        g.notice(octets, client=scanned.SCANNER)
        ok(g.status == 0 and g.outside() == [] and len(g.told("infected")) == 1, f"a real one, {what}: to ADMIN", g)


# ---- decrypted mail must not leave ------------------------------------------------------------------------------------------------
def expired():
    """A copy that lost its fields waits, and the MTA's patience ends."""
    for deliver in ("original", "plain"):
        g = G.anew("DELIVER = " + deliver)
        bare = re.sub(rb"(?m)^X-JULIA-.*\n", b"", g.arrive(g.encrypted()))
        top = b"Received: from clam ([%s])\n\tby gate.behoerde.de (8.17.1) with ESMTP id 1\n" % scanned.SCANNER.encode()
        g.notice(bounce(b"Received: by gate.behoerde.de (Postfix)\n" + top + bare, status="4.4.7", words="x-unix; julia", whole=True), client="")
        ok(g.status == 0 and len(g.outside()) == 1 and SECRET not in g.outside()[0][2] and b"a letter" not in g.outside()[0][2],
           f"{deliver}: the sender outside does not read what was in his mail", g)
        g.notice(bounce(b"Received: from a ([203.0.113.5])\n\tby gate.behoerde.de (8.17.1) id 1\n" + scanned.letter(), status="5.1.1", whole=True),
                 client="")
        ok(len(g.outside()) == 1 and SECRET in g.outside()[0][2], f"{deliver}: ... but what he wrote in clear", g)


def moved():
    """MODE is changed while mail is at the scanner."""
    g = G.anew("DELIVER = original")
    copies = [g.arrive(g.encrypted()) for _ in range(3)]
    conf = g.base / "etc/julia.conf"
    conf.write_text(conf.read_text().replace("MODE = gateway", "MODE = mailoffice"))
    g.back(copies[0])
    ok(len(g.inside()) == 1 and SECRET not in g.inside()[0] and SECRET in g.decrypt(g.inside()[0]), "MODE=mailoffice: what returns is exchanged", g)
    g.back(copies[1].replace(SECRET, b"removed"))
    ok(len(g.inside()) == 1 and b"removed" in g.inside()[0] and not field(g.inside()[0], "X-JULIA-Hold"), "... or not, if it was changed", g)
    g.notice(bounce(copies[2]))
    ok(g.outside() == [] and len(g.told("infected")) == 1, "... and a refusal goes to ADMIN", g)
    g.back(scanned.letter(sender=OUTSIDE))
    ok(g.status == 0 and len(g.inside()) == 1, "... other mail from there is mail as any other", g)


# ---- the store is away ------------------------------------------------------------------------------------------------------------
def unmounted():
    """HOLD_DIR is on shared storage that is not there: what it holds is not lost, and what is refused must be marked."""
    g = G.anew("DELIVER = original\nHOLD_LOST = plain")
    first, second = g.arrive(g.encrypted()), g.arrive(g.encrypted())
    store, away = g.base / "var/hold", g.base / "var/away"
    for make in (lambda: None, lambda: store.mkdir(mode=0o700)):
        store.rename(away)
        make()
        g.back(first)
        ok(g.status == 75 and g.got == [] and b"mounted" in g.said, "HOLD_DIR is not mounted: a return waits", g)
        g.notice(bounce(second))
        ok(g.status == 75 and g.got == [], "... a refusal, too", g)
        store.rmdir()
        away.rename(store)
    g.back(first)
    ok(len(g.inside()) == 1 and b"pkcs7" in g.inside()[0], "back again: exchanged", g)


# ---- the original must show what was scanned --------------------------------------------------------------------------------------
def sign(octets, *more):
    return gateway.openssl("cms", "-sign", *more, "-signer", G.pki.path(INSIDE + ".crt"), "-inkey", G.pki.path(INSIDE + ".key"), input=octets)


def alike():
    evil = b"\n\n--x\nContent-Type: application/x-evil\n\nEVIL\n--x--\n"
    second = b"\nContent-Type: multipart/mixed; boundary=x\n\n"
    uuencoded = b"Content-Type: text/plain\nbegin 644 evil.exe\n%1595)3\n\nINNER text\n"
    hidden = b"Content-Type: text/plain\nX-A: b\rContent-Type: text/x-evil\n\nINNER text\n"
    g = G.anew("DELIVER = original")
    entity = b"Content-Type: text/plain\n\nINNER text\n"
    encrypted = re.sub(rb"\A.*?\nMIME", b"MIME", g.encrypted(plain=entity), flags=re.S)
    cases = (("an honest letter", g.encrypted(), True),
             ("an honest one, signed, encrypted, signed, encrypted", g.encrypted(plain=sign(re.sub(rb"\A.*?\nMIME", b"MIME", g.encrypted(plain=sign(entity)), flags=re.S))), True),
             ("a text without MIME inside", g.encrypted(plain=b"INNER text\n"), True),
             ("two types outside, and a part behind the CMS object", g.encrypted().replace(b"\n\n", second, 1).rstrip() + evil, False),
             ("a part behind the CMS object", g.encrypted().rstrip() + evil, False),
             ("two types in the second layer", g.encrypted(plain=encrypted.replace(b"\n\n", second, 1).rstrip() + evil), False),
             ("lines that are no fields inside", g.encrypted(plain=uuencoded), False),
             ("a field behind a bare CR inside", g.encrypted(plain=hidden), False))
    for what, sent, exchanged in cases:
        copy = g.arrive(sent)
        _, said = g.incoming(sent, OUTSIDE, [INSIDE], "-explain")
        g.back(copy)
        ok(g.status == 0 and len(g.inside()) == 1 and (b"pkcs7" in g.inside()[0]) == exchanged and (SECRET in g.inside()[0]) != exchanged,
           f"{what}: {'exchanged' if exchanged else 'the copy that was scanned'}", g)
        ok(len(g.told("hold-changed")) == (not exchanged) and (b"HOLD_CHANGED decides" in said) != exchanged, "... ADMIN, and -explain", g)


def opaque():
    """The octets of an opaque signature come in pieces: no scanner finds anything in them as they are."""
    entity = b"Content-Type: text/plain\n\n" + b"a long text\n" * 2000 + SECRET + b"\n"
    for layers, what in ((1, "an opaque signature"), (2, "one in a clear one")):
        signed = sign(entity, "-nodetach", "-stream")
        signed = sign(signed) if layers == 2 else signed
        for sent, how in ((b"From: a@open.example\nTo: b@open.example\nMessage-ID: <%d@x>\n" % layers + signed, "in clear"),
                          (G.encrypted(plain=signed), "encrypted")):
            g = G.anew("DELIVER = original")
            copy = g.arrive(sent)
            ok(SECRET in copy and field(copy, "X-JULIA-Signature") == ["valid-other-address"], f"{what}, {how}: the scanner can look into it", g)
            g.back(copy)
            ok(len(g.inside()) == 1 and g.inside()[0].endswith(sent[sent.index(b"MIME-Version"):]) and not g.told(), "... and the recipient gets it as it came", g)
    G.anew("DELIVER = original\nSTRIP_SIGNATURES = yes")
    copy = G.arrive(G.encrypted(plain=sign(entity).replace(b"This is an S/MIME", b"PREAMBLE")))
    ok(SECRET in copy and b"PREAMBLE" in copy, "STRIP_SIGNATURES=yes: the scanner sees a clear signature that the original has", G)


def disputed():
    """Whoever makes an opaque signature one that counts for nobody, by a line in its header that is no field, must not close it to the scanner."""
    entity = b"Content-Type: text/plain; hp=clear\nSubject: signed\nFrom: %s\n\n" % OUTSIDE.encode() + b"a long text\n" * 2000 + SECRET + b"\n"
    stray, g = b"this is no field\n", G

    def learnt():
        return sorted(path.name for area in ("public", "review") for path in (g.base / "etc" / area).rglob("*"))

    def sealed(octets):
        return g.encrypted(plain=octets).split(b"\nMIME-Version: 1.0\n", 1)[1]

    def spoil(octets):
        return stray + octets.split(b"MIME-Version: 1.0\n", 1)[1]

    opaque_one = sign(entity, "-nodetach", "-stream")
    twice = b"Content-Type: text/plain\n" + opaque_one.split(b"MIME-Version: 1.0\n", 1)[1]
    broken = bytearray(opaque_one)
    broken[-120] ^= 1
    whole = sign(spoil(opaque_one), "-nodetach")
    der = base64.b64decode(opaque_one.split(b"\n\n", 1)[1])
    called = b"Content-Type: application/pkcs7-mime; name=smime.p7m\nContent-Transfer-Encoding: %s\nContent-Transfer-Encoding: %s\n\n"
    quoted = re.sub(rb"[^0-9A-Za-z]", lambda octet: b"=%02X" % octet[0][0], der)
    printable = b"".join(line + b"=\n" for line in re.findall(rb"(?s)(?:=..|.){1,20}", quoted))
    cases = (("opaque", spoil(opaque_one), "none"), ("opaque, in base64 or binary", called % (b"base64", b"binary") + der, "none"),
             ("opaque, in 7bit or quoted-printable", called % (b"7bit", b"quoted-printable") + printable, "none"),
             ("opaque, called a clear signed one first", twice.replace(b"text/plain", b"multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b", 1)
              + b"\n--b\n\nHello\n--b\nContent-Type: application/pkcs7-signature; name=smime.p7s\n\n--b--\n", "none"), ("opaque, in a valid opaque one", whole, "valid-other-address"),
             ("an opaque one with an opaque one inside", spoil(sign(opaque_one, "-nodetach")), "none"),
             ("a clear one with an opaque one inside", spoil(sign(opaque_one)), "none"),
             ("opaque, around an encrypted one", spoil(sign(sealed(entity), "-nodetach")), "none"),
             ("an opaque one that does not fit", spoil(bytes(broken)), "none"), ("opaque, called text first", twice, "none"),
             ("opaque, called HTML behind a CR", b"X-A: b\rContent-Type: text/html\n" + twice, "none"), ("opaque, in two transfer encodings", b"Content-Transfer-Encoding: 7bit\n" + twice[25:], "none"),
             ("opaque, called a multipart first", twice.replace(b"text/plain", b"multipart/mixed; boundary=b", 1) + b"\n--b\n\nHello\n--b--\n", "none"))
    for what, octets, word in cases:
        for how, more in (("in clear", octets), *((("encrypted", None),) if b"\0" not in octets else ())):  # openssl would change line ends
            for conf in ("DELIVER = original\nHARVEST = public", "DELIVER = plain\nSTRIP_SIGNATURES = yes\nHARVEST = public"):
                G.anew(conf)
                kept = learnt()
                sent = G.encrypted(plain=octets) if more is None else scanned.letter(b"")[:-2] + more
                copy = G.arrive(sent)
                ok(copy is not None and SECRET in copy and field(copy, "X-JULIA-Signature") == [word] and b"\nSubject: a letter\n" in copy,
                   f"disputed: {what}, {how}, {conf.split()[2]}: the scanner can look into it, {word}", G)
                ok(not G.told() and (word != "none" or learnt() == kept), "... nobody is told of a forgery, and no certificate is kept", G)
                G.back(copy)
                ok(G.status == 0 and len(G.inside()) == 1 and SECRET in G.inside()[0] and field(G.inside()[0], "X-JULIA-Signature") == [word],
                   "... what was scanned is delivered", G)
    for conf in ("DELIVER = plain", "DELIVER = reencrypt"):
        G.anew(conf)
        sent = scanned.letter(b"")[:-2] + spoil(opaque_one)
        copy = G.arrive(sent)
        ok(copy.endswith(sent[sent.index(stray):]) and field(copy, "X-JULIA-Signature") == ["none"], f"{conf}: it stays as it came", G)
    for conf, opened in (("DELIVER = original", True), ("DELIVER = plain", False), ("DELIVER = plain\nSTRIP_SIGNATURES = yes", False)):
        G.anew(conf)
        sent = scanned.letter(b"", b"Content-Type: text/plain\n")[:-2] + sealed(entity)
        copy = G.arrive(sent)
        ok((SECRET in copy) == opened and field(copy, "X-JULIA-Encryption") == ["decrypted" if opened else "none"],
           f"{conf.replace(chr(10), ', ')}: an encrypted one, called text first, is {'open to' if opened else 'for'} the scanner as it is for those who get it", G)
        G.back(copy)
        ok(len(G.inside()) == 1 and (SECRET in G.inside()[0]) == opened, "... what was scanned is delivered", G)


def damaged():
    """A signature that nobody can check, by a limit or by damage: mail programs show what is in the object, so the scanner must see it."""
    entity = b"Content-Type: text/plain\n\n" + b"a long text\n" * 2000 + SECRET + b"\n"
    der = base64.b64decode(sign(entity, "-nodetach", "-stream").split(b"\n\n", 1)[1])
    inner = b"Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\nContent-Transfer-Encoding: base64\n\n"
    good = inner + base64.encodebytes(der)
    clear = (b'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; boundary=b\n\n--b\n' + good +
             b"\n--b\nContent-Type: application/pkcs7-signature\nContent-Transfer-Encoding: base64\n\nMIIB\n--b--\n")
    made = handmade.Signed(G.pki, entity, INSIDE)
    many = made.message(*[made.signer()] * 30)
    chopped = tlv(0x24, *(tlv(4, entity[at:at + 3]) for at in range(0, len(entity), 3)))
    data, hashing = oid("1.2.840.113549.1.7.1"), algorithm(handmade.SHA256)
    mere = tlv(0x30, data, tlv(0xa0, chopped))
    digested = tlv(0x30, oid("1.2.840.113549.1.7.5"), tlv(0xa0, tlv(0x30, integer(0), hashing, tlv(0x30, data, tlv(0xa0, chopped)),
                                                                   tlv(4, hashlib.sha256(entity).digest()))))
    for what, octets, word, notices in (
            ("octets behind it", inner + base64.encodebytes(der + b"\0\0"), "invalid", 1), ("its end missing", inner + base64.encodebytes(der[:-200]), "invalid", 1),
            ("too many signers", inner + base64.encodebytes(many), "unsupported", 0),
            ("mere data instead", inner + base64.encodebytes(mere), "none", 0), ("mere data and its digest instead", inner + base64.encodebytes(digested), "none", 0), ("in a clear one that is none", clear, "invalid", 1),
            ("another one inside", inner + base64.encodebytes(base64.b64decode(sign(good, "-nodetach").split(b"\n\n", 1)[1]) + b"\0"), "invalid", 1)):
        for how in ("in clear", "encrypted"):
            for conf in ("DELIVER = original", "DELIVER = plain\nSTRIP_SIGNATURES = yes"):
                G.anew(conf)
                sent = G.encrypted(plain=octets) if how == "encrypted" else scanned.letter(b"", b"MIME-Version: 1.0\n")[:-2] + octets
                copy = G.arrive(sent)
                ok(copy is not None and SECRET in copy and field(copy, "X-JULIA-Signature") == [word], f"an opaque signature, {what}, {how}: the scanner can look into it, {word}", G)
                ok(len(G.told("forged")) == notices, f"... {notices} notice to ADMIN", G)
                G.back(copy)
                ok(G.status == 0 and len(G.inside()) == 1 and SECRET in G.inside()[0] and field(G.inside()[0], "X-JULIA-Signature") == [word],
                   "... what was scanned is delivered", G)
        G.anew("DELIVER = plain")
        sent = scanned.letter(b"", b"MIME-Version: 1.0\n")[:-2] + octets
        copy = G.arrive(sent)
        ok(copy.endswith(octets) and field(copy, "X-JULIA-Signature") == [word], "... and stays as it came where signatures do", G)
    sealed = sign(G.encrypted(plain=entity).split(b"\nMIME-Version: 1.0\n", 1)[1], "-nodetach").split(b"\n\n", 1)[1]
    for conf in ("DELIVER = original", "DELIVER = plain"):
        for what, octets in (("what is cut off", der[:-200]), ("what is around another form", base64.b64decode(sealed) + b"\0")):
            G.anew(conf + "\nINCOMING_PROFILE = open.example bdew")
            copy = G.arrive(scanned.letter(b"", b"MIME-Version: 1.0\n")[:-2] + inner + base64.encodebytes(octets))
            ok(G.status == 0 and copy is not None and not G.outside() and len(G.told()) > 0,
               f"{conf}, INCOMING_PROFILE: {what} and cannot be read is doubted, not refused", G)


def crowd():
    """A thousand recipients come back fifty at a time, as Postfix sends them: none of these calls may take minutes."""
    g = G.anew("DELIVER = original\nGATEWAY_KEY = user_1@behoerde.de")
    many = [f"r{number}@behoerde.de" for number in range(1000)]
    copy = b"Received: from scanner by gate.behoerde.de; crowd\n" + g.arrive(g.encrypted(), to=many)
    g.status, g.said = g.run(copy, scanned.SCANNER, OUTSIDE, [name.upper() for name in many[-50:]], wrapper=("prlimit", "--cpu=10"))
    g.got = g.collect()
    ok(g.status == 0 and [len(one[1]) for one in g.got] == [50] and b"pkcs7" in g.got[0][2], "50 of 1000 recipients come back, written in capitals", g)


def pieces():
    """The content of an opaque signature that nobody can check, in millions of pieces: none of them may cost a call of the system."""
    entity, count = b"Content-Type: text/plain\n\n" + SECRET, 10_000_000
    octets = b"".join(b"\4\1%c" % octet for octet in entity) + b"\4\1 " * count
    content = tlv(0x30, oid("1.2.840.113549.1.7.1"), tlv(0xa0, tlv(0x24, octets)))
    der = tlv(0x30, oid("1.2.840.113549.1.7.2"), tlv(0xa0, tlv(0x30, integer(1), tlv(0x31), content, tlv(0x31)))) + b"\0"
    sent = (scanned.letter(b"", b"MIME-Version: 1.0\n")[:-2] + b"Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\n"
            b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(der))
    g = G.anew("DELIVER = original")
    g.status, g.said = g.incoming(sent, OUTSIDE, [INSIDE], wrapper=("prlimit", "--cpu=6"))
    g.got = g.collect()
    ok(g.status == 0 and [SECRET in one[2] for one in g.got if one[0] == "scanner"] == [True], "ten million pieces: open to the scanner, in seconds", g)


G = scanned.Scanned()
for part in (replies, impostors, expired, moved, unmounted, alike, opaque, disputed, damaged, pieces, crowd):
    part()
G.__exit__()
sys.exit(tap.end())
