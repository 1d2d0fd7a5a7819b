#!/usr/bin/env python3
"""Protected header fields of incoming mail (RFC 9788 and the forms before it): what is shown, what is told, and everything that somebody
who wants to be somebody else could try with them."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import gateway  # noqa: E402
from outside import EYE, Outside, receive, split_header  # noqa: E402

ONE, BOSS, FRIEND = "user_1@behoerde.de", "boss@behoerde.de", "friend@partner-1.com"
DATE, ID = "Sat, 21 Nov 2026 12:00:00 +0000", "<1@partner-1.com>"
number = 0


def outer(author=EYE, subject="Hello", more="", to=ONE, date=DATE, ident=ID):
    """The outer header; never the same octets twice."""
    global number
    number += 1
    return f"X-Number: {number}\nFrom: {author}\nTo: {to}\nSubject: {subject}\nDate: {date}\nMessage-ID: {ident}\n{more}".encode()


def inner(author=EYE, subject="Hello", more="", to=ONE, date=DATE, ident=ID):
    return f"From: {author}\nTo: {to}\nSubject: {subject}\nDate: {date}\nMessage-ID: {ident}\n{more}"


def payload(fields, hp="clear", body="I quit.\n", kind="text/plain; charset=us-ascii"):
    return f"{fields}Content-Type: {kind}; hp=\"{hp}\"\n\n{body}".encode()


def see(tap, g, octets, what):
    code, output, got, _ = receive(g, octets, [ONE])
    if tap.ok(code == 0 and len(got) == 1, f"{what}: is delivered", output):
        return got[0]
    sys.exit(tap.end() or 1)


def shown(tap, g, octets, what, **want):
    """`want`: fields with their values, None: there is none; told, signature, encryption."""
    got = see(tap, g, octets, what)
    names = {"told": "X-JULIA-Header", "signature": "X-JULIA-Signature", "encryption": "X-JULIA-Encryption", "author": "From"}
    for name, value in want.items():
        found = got.one(names.get(name, name.replace("_", "-")))
        tap.ok(found == value, f"... {name}: {value}", f"{found}\n{got.octets[:1500]}")
    return got


def after_header(octets):
    return octets.replace(b"\r\n", b"\n").partition(b"\n\n")[2]


def unchanged(tap, got, octets):
    """Apart from julia's own fields in front, octet for octet."""
    own = rb"(?i)^((X-JULIA-[A-Za-z-]+|Authentication-Results):[^\n]*\n(?:[ \t][^\n]*\n)*)+"
    tap.ok(re.sub(own, b"", got.octets) == octets, "... octet for octet", got.octets[:1500])


# ---- signed only ------------------------------------------------------------------------------------------------------

def signed_only(tap, g, out):
    for kind, opaque in (("clear", False), ("opaque", True)):
        entity = out.sign(payload(inner()), EYE, opaque=opaque)
        octets = outer() + entity
        got = shown(tap, g, octets, f"signed, {kind}, all alike", told="protected", signature="valid")
        unchanged(tap, got, octets)
        octets = outer(subject="[list] Hello", more="List-Id: <l.example>\nReply-To: l@l.example\n") + entity
        got = shown(tap, g, octets, f"signed, {kind}, changed by a list", told="protected; differs: Subject, Reply-To", signature="valid",
                    Subject="Hello", Reply_To=None, List_Id="<l.example>", To=ONE)
        tap.ok(after_header(got.octets) == after_header(octets), "... what is signed is not touched", got.octets)
        tap.ok([f for f in split_header(got.octets)[0] if f[0].startswith(b"Content-")] == [f for f in split_header(octets)[0] if f[0].startswith(b"Content-")],
               "... nor what says what it is", got.octets[:900])
        shown(tap, g, outer(subject="Pay", to=BOSS, date="Sun, 22 Nov 2026 12:00:00 +0000", more=f"Cc: {BOSS}\n") + entity, f"signed, {kind}, sent again to others",
              told="protected; differs: Subject, To, Cc, Date", signature="valid", Subject="Hello", To=ONE, Cc=None, Date=DATE)
        shown(tap, g, outer(author="list@l.example") + entity, f"signed, {kind}, another author outside", author=EYE, signature="valid",
              told="protected; differs: From", X_JULIA_Outer_From="list@l.example", X_JULIA_Inner_From=None)
        bad = out.sign(payload(inner()), EYE, opaque=True) if opaque else entity.replace(b"I quit", b"I stay")
        if not opaque:
            octets = outer(subject="Pay") + bad
            got = shown(tap, g, octets, "signed, broken", told=None, signature="invalid", Subject="Pay")
            unchanged(tap, got, octets)
    octets = outer(author=EYE, subject="Pay") + out.sign(payload(inner()), "stranger")
    unchanged(tap, shown(tap, g, octets, "signed by nobody we trust", told="protected; differs: Subject", signature="untrusted", Subject="Pay"), octets)
    octets = outer(author=BOSS) + out.sign(payload(inner(author=BOSS, subject="Pay")), EYE)
    unchanged(tap, shown(tap, g, octets, "signed with a certificate of somebody else", signature="valid-other-address", told="protected; differs: Subject",
                         Subject="Hello"), octets)
    octets = outer() + out.sign(payload(inner(author=BOSS, subject="Pay")), EYE)
    unchanged(tap, shown(tap, g, octets, "who signs as another one signs for nobody who is shown", signature="valid-other-address", author=EYE,
                         told="protected; differs: Subject, From", X_JULIA_Inner_From=BOSS, X_JULIA_Outer_From=None), octets)
    both = out.sign(payload(inner(author=FRIEND)), "two-names")
    shown(tap, g, outer(author=EYE) + both, "a certificate with both addresses: whom the signed From names", author=FRIEND, signature="valid",
          X_JULIA_Outer_From=EYE)
    for what, fields in (("two From", f"From: {EYE}\nFrom: {BOSS}\nDate: {DATE}\n"), ("two authors", f"From: {EYE}, {BOSS}\nDate: {DATE}\n"),
                         ("From behind CR", f"Subject: x\rFrom: {BOSS}\nFrom: {EYE}\nDate: {DATE}\n"), ("no author", f"From: Eva\nDate: {DATE}\n")):
        octets = outer() + out.sign(payload(fields), EYE)
        unchanged(tap, shown(tap, g, octets, f"signed, inside {what}", signature="valid-other-address", author=EYE, Subject="Hello"), octets)
    shown(tap, g, outer(subject="Pay") + out.sign(b"Content-Type: text/plain; protected-headers=\"v1\"\nSubject: Hello\n\nx\n", EYE),
          "signed, protected-headers=v1", told="protected; differs: Subject", Subject="Hello", To=ONE, signature="valid")
    octets = outer(subject="Pay") + out.sign(b"Content-Type: text/plain\nSubject: Hello\n\nx\n", EYE)
    unchanged(tap, shown(tap, g, octets, "signed, not protected", told=None, Subject="Pay"), octets)


def settings(g, **values):
    conf = g.base / "etc/julia.conf"
    lines = [line for line in conf.read_text().splitlines() if line.split(" ")[0] not in values]
    conf.write_text("\n".join(lines + [f"{name} = {value}" for name, value in values.items() if value is not None]) + "\n")


def forms(tap, g, out):
    """DELIVER and STRIP_SIGNATURES."""
    entity = out.sign(payload(inner(author=FRIEND)), "two-names")
    settings(g, DELIVER="original")
    octets = outer(subject="Pay") + entity
    unchanged(tap, shown(tap, g, octets, "DELIVER=original: nothing is replaced", author=EYE, Subject="Pay", signature="valid-other-address",
                         told="protected; differs: Subject, From", X_JULIA_Inner_From=FRIEND), octets)
    settings(g, MODE="gateway", SCANNER_CLIENTS="198.51.100.9")
    octets = outer(subject="Pay") + entity
    shown(tap, g, octets, "... nor in what the scanner gets, when there is no original to be exchanged", author=EYE, Subject="Pay", signature="valid-other-address")
    settings(g, MODE=None, SCANNER_CLIENTS=None, DELIVER=None, STRIP_SIGNATURES="yes")
    got = shown(tap, g, outer(subject="Pay") + entity, "STRIP_SIGNATURES", author=FRIEND, Subject="Hello", signature="valid")
    tap.ok(got.octets.endswith(b"\n\nI quit.\n"), "... the text alone", got.octets)
    settings(g, STRIP_SIGNATURES=None, SUBJECT_TAGS="yes")
    shown(tap, g, outer(subject="Pay") + out.sign(payload(inner()), EYE), "SUBJECT_TAGS: in front of the signed Subject", Subject="[signed] Hello")
    settings(g, SUBJECT_TAGS=None)


# ---- encrypted --------------------------------------------------------------------------------------------------------

def sealed(out, entity, signer=None):
    return out.encrypt(out.sign(entity, signer) if signer else entity, ONE, cipher="aes-128-gcm")


def lies(tap, g, out):
    """What HP-Outer says, and what stands outside."""
    said = f"HP-Outer: From: {EYE}\nHP-Outer: To: {ONE}\nHP-Outer: Subject: [...]\nHP-Outer: Date: {DATE}\nHP-Outer: Message-ID: {ID}\n"
    for signer in (None, EYE):
        entity = sealed(out, payload(inner(subject="Real", more=said), "cipher"), signer)
        shown(tap, g, outer(subject="[...]") + entity, f"signed by {signer}: hidden", told="protected; hidden: Subject", Subject="Real", HP_Outer=None)
        shown(tap, g, outer(subject="Hello") + entity, "... HP-Outer lies, or the outer one was changed", told="protected; differs: Subject", Subject="Real")
        shown(tap, g, outer(subject="[...]", more=f"Reply-To: {BOSS}\nCc: spy@evil.example\n") + entity, "... fields added on the way",
              told="protected; hidden: Subject; differs: Reply-To, Cc", Reply_To=None, Cc=None)
        entity = sealed(out, payload(inner(author=BOSS, subject="Real", more=said), "cipher"), signer)
        shown(tap, g, outer(subject="[...]") + entity, "... another author inside", author=EYE, X_JULIA_Inner_From=BOSS,
              told="protected; hidden: Subject, From", signature="valid-other-address" if signer else "none")
    entity = sealed(out, payload(inner(subject="Real"), "cipher", kind="text/plain"))
    got = shown(tap, g, outer(subject="...") + entity, "no HP-Outer at all", told="protected; hidden: Subject", Subject="Real")
    tap.ok(b"hp-outer" not in got.octets.lower(), "... none is made up", got.octets)
    shown(tap, g, outer(subject="x", more="HP-Outer: Subject: x\n") + sealed(out, b"Content-Type: text/plain\n\nx\n"), "HP-Outer of an outer header means nothing",
          told=None, Subject="x")


def hostile(tap, g, out):
    """Fields that nobody may bring in from inside."""
    evil = ("X-JULIA-Signature: valid\nX-JULIA-Header: protected\nAuthentication-Results: gate.behoerde.de; smime=pass\nBcc: spy@evil.example\n"
            "Resent-Bcc: spy@evil.example\nReceived: from nowhere\nReturn-Path: <x@evil.example>\nDKIM-Signature: x\nX-Spam-Flag: NO\nList-Post: <mailto:x@evil.example>\n")
    pattern = rb"(?i)(bcc|resent-|received|return-path|dkim|x-spam|list-)"
    for signer in (None, EYE):
        for form in ("hp", "v1", "rfc822"):
            fields = inner(subject="Real", more=evil)
            entity = {"hp": payload(fields, "cipher"), "v1": f"{fields}Content-Type: text/plain; protected-headers=\"v1\"\n\nI quit.\n".encode(),
                      "rfc822": f"Content-Type: message/rfc822; forwarded=no\n\n{fields}MIME-Version: 1.0\nContent-Type: text/plain\n\nI quit.\n".encode()}[form]
            got = shown(tap, g, outer(subject="...") + sealed(out, entity, signer), f"{form}, signed by {signer}: forbidden fields inside",
                        Subject="Real", signature="valid" if signer else "none")
            own = got.all("X-JULIA-Header") + got.all("X-JULIA-Signature") + got.all("Authentication-Results")
            tap.ok(not got.lines_like(pattern) and len(own) == (3 if signer else 2), "... none comes out", got.octets[:1500])
    for fields, want in ((f"Subject: Real\rBcc: spy@evil.example\nFrom: {EYE}\n", "Real Bcc: spy@evil.example"),
                         (f"Subject: Real\r\rX: y\nFrom: {EYE}\n", "Real  X: y"), (f"Subject: Real\0\nFrom: {EYE}\n", "Real")):
        got = shown(tap, g, outer(subject="...") + out.encrypt(payload(fields, "cipher"), ONE, cipher="aes-128-gcm", more=("-binary",)), f"{fields[:30]!r}", Subject=want)
        tap.ok(not got.lines_like(rb"(?i)bcc|x:") and b"\0" not in got.octets, "... makes no field", got.octets[:900])
    encoded = "=?utf-8?q?Real=0D=0ABcc:_spy@evil.example?="
    got = shown(tap, g, outer(subject="...") + sealed(out, payload(f"Subject: {encoded}\n", "cipher")), "encoded line ends", Subject=encoded)


def misplaced(tap, g, out):
    """Only the root of the payload counts."""
    hidden = payload(inner(author=BOSS, subject="Real"), "cipher").decode()
    v1 = f"{inner(author=BOSS, subject='Real')}Content-Type: text/plain; protected-headers=\"v1\"\n\nx\n"
    fields = "Content-Type: text/rfc822-headers; protected-headers=\"v1\"\n\nSubject: Real\n"

    def mixed(*parts, kind="mixed"):
        return f"Content-Type: multipart/{kind}; boundary=b\n\n".encode() + "".join(f"--b\n{part}\n" for part in parts).encode() + b"--b--\n"

    for what, entity in (("in the first part", mixed(hidden, "\nx\n")), ("in an attachment", mixed("\nx\n", hidden)), ("in all parts of an alternative", mixed(hidden, hidden, kind="alternative")),
                         ("v1 in the first part", mixed(v1)), ("fields in the second part", mixed("\nx\n", fields)), ("fields in an alternative", mixed(fields, "\nx\n", kind="alternative")),
                         ("in a message that is forwarded", b"Content-Type: message/rfc822\n\n" + hidden.encode()),
                         ("in the text", ("Content-Type: text/plain\n\n" + hidden).encode()), ("hp of another value", hidden.replace('"cipher"', '"yes"').encode()),
                         ("two types", ("Content-Type: text/plain\n" + hidden).encode())):
        for signer in (None, EYE):
            shown(tap, g, outer(subject="...") + sealed(out, entity, signer), f"{what}, signed by {signer}", told=None, author=EYE, Subject="...",
                  signature="valid" if signer else "none")
    shown(tap, g, outer(subject="...") + hidden.split("Content-Type")[1].join(("Content-Type", "")).encode(), "not encrypted and not signed", told=None, Subject="...")
    signed = out.sign(payload(inner(subject="Real")), EYE).split(b"MIME-Version: 1.0\n", 1)[1].decode()
    shown(tap, g, outer(subject="...") + sealed(out, mixed(signed, "\nx\n")), "signed and protected, among other parts", told=None, Subject="...", signature="none")


# ---- whole messages inside --------------------------------------------------------------------------------------------

def wrapped(tap, g, out):
    """RFC 8551 3.1, recognised by RFC 9788 4.10.1 and by being this message."""
    def wrap(fields, kind="", body="MIME-Version: 1.0\nContent-Type: text/plain\n\nI quit.\n"):
        return f"Content-Type: message/rfc822{kind}\n\n{fields}{body}".encode()

    same, other = inner(subject="Real"), inner(subject="Real", ident="<2@partner-1.com>")
    for kind, fields, known in (("; forwarded=no", other, True), ("", same, True), ("; forwarded=\"No\"", same, True), ("", other, False),
                                ("; forwarded=yes", same, False), ("", inner(subject="Real", author=BOSS), False),
                                ("", inner(subject="Real").replace("Message-ID", "X-ID"), False)):
        for signer in (None, EYE):
            what = f"message/rfc822{kind}, {'this' if fields == same else 'another'} message, signed by {signer}"
            got = shown(tap, g, outer(subject="...") + sealed(out, wrap(fields, kind), signer), what, Subject="Real" if known else "...",
                        signature="valid" if signer else "none", author=EYE)
            told = str(got.one("X-JULIA-Header"))
            tap.ok(("hidden: Subject" in told) if known else told == "None", "... told", told)
            if signer is None:
                inside = b"\n\nI quit.\n" if known else b"Content-Type: message/rfc822" + kind.encode() + b"\n\n" + fields.encode()
                tap.ok(inside in got.octets and (b"message/rfc822" in got.octets) != known, "... delivered as what it is", got.octets)
            else:
                tap.ok(got.one("Content-Type").startswith("multipart/signed") and wrap(fields, kind).strip() in got.octets.replace(b"\r\n", b"\n"), "... signed octets stay", got.octets)
    body = "\nNo MIME at all.\n"
    got = shown(tap, g, outer(subject="...") + sealed(out, wrap(same, "; forwarded=no", body)), "wrapped, without MIME fields", Subject="Real")
    tap.ok(got.octets.endswith(b"\n\nNo MIME at all.\n") and got.octets.count(b"Subject:") == 1, "... the text, and not its header", got.octets)
    octets = outer(subject="Pay") + out.sign(wrap(same, "; forwarded=no"), EYE)
    got = shown(tap, g, octets, "signed only, wrapped", Subject="Real", signature="valid", told="protected; differs: Subject")
    tap.ok(after_header(got.octets) == after_header(octets), "... octets stay", got.octets)
    # a signature is worth what its signer is
    octets = outer(author=BOSS, subject="Pay") + out.sign(wrap(inner(author=EYE, subject="I quit", ident="<3@x>")), EYE)
    unchanged(tap, shown(tap, g, octets, "somebody else forwards a message, and the author signs", signature="valid-other-address", author=BOSS, told=None), octets)
    octets = outer(author=BOSS, subject="Pay") + out.sign(wrap(inner(author=BOSS, subject="I quit"), "; forwarded=no"), EYE)
    shown(tap, g, octets, "wrapped as the boss, signed by another one", signature="valid-other-address", author=BOSS, Subject="Pay")
    octets = outer(author=EYE, subject="Pay") + out.sign(wrap(inner(author=BOSS, subject="I quit"), "; forwarded=no"), EYE)
    shown(tap, g, octets, "the signer wraps another author's message", signature="valid-other-address", author=EYE, Subject="Pay", X_JULIA_Inner_From=BOSS)
    own = payload(inner(author=FRIEND))
    for kind, signed in ((kind, out.sign(own, FRIEND, opaque=opaque).decode()) for kind in ("", "; forwarded=no") for opaque in (False, True)):
        shown(tap, g, outer(author=FRIEND, subject="...") + sealed(out, wrap(inner(author=FRIEND), kind, signed)), f"a signed message/rfc822{kind} inside: not of this message",
              signature="none", told=None, Subject="...")
        shown(tap, g, outer(author=EYE, subject="...") + sealed(out, wrap(inner(author=EYE), kind, signed), EYE), "... nor with a signature around it",
              signature="valid", told=None, Subject="...", author=EYE)
    hidden = payload(inner(author=BOSS, subject="Real"), "cipher").decode()
    shown(tap, g, outer(subject="...") + sealed(out, wrap("", "; forwarded=no", hidden)), "hp inside of what is wrapped", told=None, Subject="...")
    got = shown(tap, g, outer(subject="...") + sealed(out, wrap(same, "; forwarded=no", "no field\nContent-Type: text/plain\n\nx\n")), "wrapped, with a line that is no field",
                told=None, Subject="...")


def memory_hole(tap, g, out):
    """The fields in a first part of their own."""
    fields = f"Content-Type: text/rfc822-headers; protected-headers=\"v1\"\nContent-Disposition: inline\n\nSubject: Real\nFrom: {BOSS}\nBcc: x@evil.example\n"
    for root in ("; protected-headers=\"v1\"", ""):
        entity = f"Content-Type: multipart/mixed; boundary=b{root}\nTo: {ONE}\n\n--b\n{fields}\n--b\nContent-Type: text/plain\n\nI quit.\n--b--\n".encode()
        for signer in (None, EYE):
            got = shown(tap, g, outer(subject="...", more="Reply-To: r@partner-1.com\n") + sealed(out, entity, signer), f"text/rfc822-headers, root{root}, signed by {signer}",
                        Subject="Real", author=EYE, Bcc=None, Reply_To="r@partner-1.com", told="protected; hidden: Subject; differs: From", X_JULIA_Inner_From=BOSS)
            tap.ok(entity.split(b"--b\n")[-1] in got.octets.replace(b"\r\n", b"\n"), "... the text is there", got.octets)


def bad_signatures(tap, g, out):
    """A signature inside of encryption that is broken, or of a kind that nobody can check, hides no Subject."""
    entity = out.sign(payload(inner(subject="Real"), "cipher"), EYE)
    broken = entity.replace(b"I quit", b"I stay")
    shown(tap, g, outer(subject="[...]") + sealed(out, broken), "broken signature inside", signature="invalid", Subject="Real", told="protected; hidden: Subject")
    head, _, tail = entity.rpartition(b"\n\nMII")
    noise = head + b"\n\nMIIB\n" + tail[tail.rindex(b"\n--"):] if b"\n--" in tail else entity
    shown(tap, g, outer(subject="[...]") + sealed(out, noise), "a signature that is none", signature="invalid", Subject="Real")
    other = out.sign(payload(inner(author=BOSS, subject="Real"), "cipher"), EYE).replace(b"I quit", b"I stay")
    shown(tap, g, outer(subject="[...]") + sealed(out, other), "... with another author", signature="invalid", Subject="Real", author=EYE, X_JULIA_Inner_From=BOSS)


def main():
    tap = gateway.Tap()
    with gateway.Gateway() as g:
        out = Outside(g.pki)
        g.own_key(ONE, "ec")
        for name in (EYE, FRIEND):
            g.pki.person(name, "ec")
        out.certificate("two-names", f"email:{EYE},email:{FRIEND}")
        strange = gateway.Pki(g.base / "strange")
        strange.person(EYE, "ec", name="stranger")
        for kind in ("key", "crt"):
            g.pki.path(f"stranger.{kind}").write_bytes(strange.path(f"stranger.{kind}").read_bytes())
        for part in (signed_only, forms, lies, hostile, misplaced, wrapped, memory_hole, bad_signatures):
            part(tap, g, out)
    return tap.end()


sys.exit(main())
