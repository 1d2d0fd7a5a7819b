#!/usr/bin/env python3
"""MODE=gateway without an MTA: what goes to the virus scanner, what its returns and refusals lead to."""
import base64
import os
import re
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import gateway  # noqa: E402
import scanned  # noqa: E402
from scanned import INSIDE, OUTSIDE, SECRET, bounce, field  # noqa: E402

OTHER = "user_2@behoerde.de"
MARKS = ("X-JULIA-Hold", "X-JULIA-Sender", "X-JULIA-Reencrypt")
tap = gateway.Tap()


def ok(good, what, g=None):
    tap.ok(good, what, "" if g is None else (g.status, g.said, g.got))


def unmarked(octets):
    return not any(field(octets, name) for name in MARKS)


def is_original(octets, sent):
    """Octet for octet what was sent, behind status fields."""
    top = octets[:octets.index(b"Received: from x by")]
    return octets.endswith(sent) and re.fullmatch(rb"((X-JULIA-|Authentication-Results)[^\n]*\n( [^\n]*\n)*)+", top) is not None


# ---- what goes to the scanner, and what returns -----------------------------------------------------------------------------
def handover():
    for deliver in ("plain", "original"):
        g = G.anew("DELIVER = " + deliver)
        sent = g.encrypted(more=b"X-JULIA-Hold: %s\n" % (b"ab" * 16))
        copy = g.arrive(sent)
        ok(g.status == 0 and SECRET in copy and field(copy, "X-JULIA-Encryption") == ["decrypted"],
           f"{deliver}: the scanner gets the decrypted mail, and nobody else gets any", g)
        hold = field(copy, "X-JULIA-Hold")
        ok(len(hold) == 1 and (hold == ["none"]) == (deliver == "plain") and hold != ["ab" * 16],
           f"{deliver}: X-JULIA-Hold stands there once, and is ours", g)
        words = [one for one in g.got if one[0] == "scanner"][0][3]
        ok(" ".join(words).startswith("-i -f anna@open.example -N FAILURE -R hdrs --"), f"{deliver}: refusals come without content", g)
        ok(len(g.told("hold-forged")) == 1, f"{deliver}: a forged id from outside: ADMIN hears of it", g)
        g.back(copy)
        ok(g.status == 0 and len(g.got) == 1 and len(g.inside()) == 1 and unmarked(g.inside()[0]), f"{deliver}: delivered, without the mark", g)
        if deliver == "plain":
            ok(SECRET in g.inside()[0], "plain: decrypted", g)
        else:
            ok(g.decrypt(g.inside()[0]).endswith(SECRET + b"\r\n") and SECRET not in g.inside()[0], "original: openssl decrypts what arrives", g)
            ok(g.holds() == hold and g.kept(hold[0]) is None, "original: afterwards nothing but a tombstone is left")
        clear = scanned.letter()
        copy = g.arrive(clear)
        ok(field(copy, "X-JULIA-Hold") == ["none"] and copy.endswith(clear), f"{deliver}: clear mail needs no hold", g)
        g.back(copy)
        ok(g.inside()[0].endswith(clear) and unmarked(g.inside()[0]), f"{deliver}: clear mail returns as it was", g)
        other = g.encrypted(to=("stranger@open.example",))
        copy = g.arrive(other)
        ok(field(copy, "X-JULIA-Hold") == ["none"] and field(copy, "X-JULIA-Encryption") == ["undecryptable"] and copy.endswith(other),
           f"{deliver}: what cannot be opened passes through the scanner as it came", g)


def exact():
    g = G.anew("DELIVER = original")
    sent = g.encrypted()
    copy = g.arrive(sent)
    hold = field(copy, "X-JULIA-Hold")[0]
    ok(is_original(g.kept(hold), sent), "what is held is the message as it came, with status fields")
    g.arrive(sent)
    ok(g.status == 0 and g.got == [] and g.holds() == [hold], "the same call again: nothing twice, one hold", g)
    crlf = copy.replace(b"\n", b"\r\n").replace(b"\r\n\r\n", b"\r\nX-Virus-Scanned: yes\r\n\r\n", 1)
    g.back(crlf)
    ok(len(g.inside()) == 1 and is_original(g.inside()[0], sent), "CRLF and a field of the scanner: exchanged, octet for octet", g)
    g.back(crlf)
    ok(g.status == 0 and g.got == [], "a second return: discarded, exit 0", g)
    ok("result=repeated" in g.log(), "... and logged")
    sent = g.encrypted()
    copy = g.arrive(sent, sender="")
    words = [one for one in g.got if one[0] == "scanner"][0][3]
    ok(words[2] == "admin@behoerde.de" and field(copy, "X-JULIA-Sender") == ["<>"], "the null sender travels as ADMIN: a refusal needs somebody to go to", g)
    g.back(copy, sender="admin@behoerde.de")
    ok(len(g.inside()) == 1 and g.got[0][3][:3] == ["-i", "-f", "<>"] and unmarked(g.inside()[0]), "... and is the null sender again inside", g)
    copy = g.arrive(scanned.letter(), sender="")
    g.back(copy, sender="admin@behoerde.de")
    ok(g.got[0][3][:3] == ["-i", "-f", "<>"] and unmarked(g.inside()[0]), "... also without a hold", g)


def several():
    g = G.anew("DELIVER = original")
    both = (INSIDE, OTHER)
    sent = g.encrypted(to=both)
    copy = g.arrive(sent, to=both)
    ok(copy is not None and len(g.holds()) == 1, "two recipients, one copy, one hold", g)
    g.back(copy, to=(INSIDE,))
    ok(len(g.inside()) == 1 and not g.inside(OTHER), "split: the first one's return serves him only", g)
    g.back(copy, to=both)
    ok(len(g.got) == 1 and g.got[0][1] == [OTHER] and is_original(g.got[0][2], sent), "... then the other one, and the first not again", g)
    ok(g.kept(g.holds()[0]) is None, "... and nothing is held any more")
    copy = g.arrive(g.encrypted())
    g.back(copy, to=(INSIDE, OTHER))
    ok(len(g.inside()) == 1 and not g.inside(OTHER) and len(g.told("hold-lost")) == 1,
       "a recipient whom the hold does not name gets nothing, ADMIN hears of him", g)
    ok(len(g.holds()) == 3, "... and his copy is kept")
    sent = g.encrypted()
    copy = g.arrive(sent)
    threads = [threading.Thread(target=g.run, args=(b"Received: %d\n" % i + copy, scanned.SCANNER, OUTSIDE, [INSIDE])) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    g.got = g.collect()
    ok(len(g.got) == 1 and is_original(g.got[0][2], sent), "six returns at once: one delivery", g)


# ---- changed, lost, forged ------------------------------------------------------------------------------------------------------
TWO = (b"Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain\n\nINNER text\n--x\n"
       b"Content-Type: application/octet-stream\n\nEVIL\n--x--\n")


def changed():
    for how in ("deliver", "keep"):
        g = G.anew("DELIVER = original\nHOLD_CHANGED = " + how)
        copy = g.arrive(g.encrypted(plain=TWO))
        hold = field(copy, "X-JULIA-Hold")[0]
        clean = copy.replace(b"EVIL", b"removed by the scanner")
        g.back(clean)
        ok(g.status == 0 and len(g.told("hold-changed")) == 1, f"changed, {how}: ADMIN is told", g)
        ok(not any(b"pkcs7" in one[2] for one in g.got) and g.kept(hold) is None, f"changed, {how}: the original is gone, and went to nobody", g)
        if how == "deliver":
            ok(len(g.inside()) == 1 and b"removed by" in g.inside()[0] and unmarked(g.inside()[0]) and
               [one for one in g.got if one[1] == [INSIDE]][0][3][3:5] == ["-R", "hdrs"], "changed, deliver: as it returned", g)
        else:
            kept = [name for name in g.holds() if name != hold]
            ok(not g.inside() and len(kept) == 1 and b"removed by" in g.kept(kept[0]) and unmarked(g.kept(kept[0])), "changed, keep: kept", g)
        g.back(copy)
        ok(g.status == 0 and g.got == [], f"changed, {how}: the untouched copy, later: discarded", g)


def lost():
    unknown = "0123456789abcdef" * 2
    for how in ("keep", "plain"):
        g = G.anew("DELIVER = original\nHOLD_LOST = " + how)
        copy = g.arrive(g.encrypted())
        hold = field(copy, "X-JULIA-Hold")[0].encode()
        cases = [("an unknown id", copy.replace(hold, unknown.encode())), ("no id at all", copy.replace(hold, b"../../etc")),
                 ("two different ids", b"X-JULIA-Hold: none\n" + copy)]
        for what, octets in cases:
            before = g.holds()
            g.back(octets)
            new = set(g.holds()) - set(before)
            ok(g.status == 0 and len(g.told("hold-lost")) == 1 and not any(b"pkcs7" in one[2] for one in g.got),
               f"{how}: {what}: no exchange, ADMIN is told", g)
            if how == "keep":
                ok(not g.inside() and len(new) == 1 and SECRET in g.kept(new.pop()), f"keep: {what}: the copy is kept", g)
                g.back(octets)
            else:
                ok(len(g.inside()) == 1 and SECRET in g.inside()[0] and unmarked(g.inside()[0]) and not new, f"plain: {what}: delivered as it returned", g)
        ok(g.kept(hold.decode()) is not None, f"{how}: the hold itself is untouched")


def forged():
    g = G.anew("DELIVER = original")
    copy = g.arrive(g.encrypted())
    hold = field(copy, "X-JULIA-Hold")[0]
    g.back(copy, client="203.0.113.5")
    ok(len(g.told("hold-forged")) == 1 and not g.inside() and
       [field(one[2], "X-JULIA-Hold") for one in g.got if one[0] == "scanner"] == [["none"]], "a known id from outside: new mail, to the scanner", g)
    ok(g.kept(hold) is not None, "... and the hold is untouched")
    g.back(copy, client="192.0.2.7", sender=INSIDE, to=(OTHER,))
    ok(len(g.told("hold-forged")) == 1 and g.kept(hold) is not None and SECRET in g.inside(OTHER)[0],
       "from an internal client: internal mail, no exchange, ADMIN is told", g)
    for body in (b"X-JULIA-Hold: %s\n" % hold.encode(), b"see X-JULIA-Hold: none"):
        g.arrive(scanned.letter(body))
        ok(not g.told("hold-forged"), "a body that speaks of it is nothing", g)
    g.back(copy, to=(OUTSIDE,))
    ok(g.status == 75 and g.outside() == [] and len(g.told("astray")) == 1, "the scanner sends incoming mail outside: it waits", g)
    g.back(copy)
    ok(len(g.inside()) == 1, "... and inside all the same it is exchanged", g)


def stripped():
    for deliver in ("plain", "original", "reencrypt"):
        g = G.anew("DELIVER = " + deliver)
        copy = g.arrive(g.encrypted())
        bare = re.sub(rb"(?m)^X-JULIA-.*\n", b"", copy)
        g.back(bare)
        if deliver == "plain":
            ok(g.status == 0 and len(g.inside()) == 1, "plain: fields lost on the way do not matter", g)
        else:
            ok(g.status == 75 and not g.inside() and len(g.told("fields-missing")) == 1, f"{deliver}: all fields lost: waits, ADMIN is told", g)
            g.back(re.sub(rb"(?m)^X-JULIA-Hold.*\n", b"", copy), sender="")
            ok(g.status == 75 and not g.inside(), f"{deliver}: only X-JULIA-Hold lost: waits", g)
        for sender in ("", OTHER):
            g.back(scanned.letter(sender=OTHER), sender=sender)
            ok(g.status == 0 and len(g.inside()) == 1, f"{deliver}: internal mail from <{sender}> passes", g)
        g.back(scanned.letter(sender=INSIDE, to=OUTSIDE), sender=INSIDE, to=(OUTSIDE,))
        ok(g.status == 0 and len(g.outside()) == 1, f"{deliver}: mail that leaves through the scanner leaves", g)


# ---- refusals ---------------------------------------------------------------------------------------------------------------------
def refused():
    for who in ("admin", "recipient"):
        g = G.anew("DELIVER = original\nHOLD_LOST = plain\nSCANNER_NOTICE = " + who)
        copy = g.arrive(g.encrypted())
        hold = field(copy, "X-JULIA-Hold")[0]
        g.notice(bounce(copy, whole=True).replace(b"Subject: Undelivered Mail", b"Subject: VIRUS in: a letter"))
        told = g.told("infected")
        ok(g.status == 0 and g.outside() == [] and len(told) == 1, f"{who}: the sender outside hears nothing, ADMIN does", g)
        text = told[0].decode()
        ok(all(word in text for word in (OUTSIDE, INSIDE, hold, "Virus Detected", "@open.example>")) and SECRET.decode() not in text and
           "a letter" not in text,
           f"{who}: sender, recipient, Message-ID, the scanner's words; nothing of the content", g)
        notes = [one for one in g.inside() if b"withheld" in one]
        ok(len(notes) == (who == "recipient") and len(g.got) == 1 + (who == "recipient") and not any(SECRET in one for one in notes), f"{who}: the recipient", g)
        for note in notes:
            ok(field(note, "Auto-Submitted") == ["auto-generated"] and OUTSIDE.encode() in note, "the note is automatic mail and names the sender", g)
        g.back(copy)
        ok(not g.inside() and len(g.told("hold-lost")) == 1, f"{who}: a copy that comes back of refused mail is not delivered, whatever HOLD_LOST says", g)


def notices():
    g = G.anew("DELIVER = original")
    def fresh():
        return g.arrive(g.encrypted())
    quoted = b"The message was refused.\n\n> X-JULIA-Hold: %s\n> Message-ID: <q@x>\n"
    copy = fresh()
    hold = field(copy, "X-JULIA-Hold")[0].encode()
    for what, octets, sender, client in (
            ("the scanner's own words", b"Subject: virus\n\n" + quoted % hold, "", scanned.SCANNER),
            ("in base64", b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(quoted % hold), "", scanned.SCANNER),
            ("a report with a sender", bounce(copy), "virusalert@behoerde.de", scanned.SCANNER),
            ("about mail that is not held", bounce(scanned.letter(more=b"X-JULIA-Hold: none\n")), "", "127.0.0.1"),
            ("about an unknown hold", bounce(scanned.letter(more=b"X-JULIA-Hold: %s\n" % (b"ab" * 16))), "", "::1")):
        for to in (OUTSIDE, INSIDE):
            g.notice(octets, to=(to,), sender=sender, client=client)
            ok(g.status == 0 and len(g.got) == len(g.told("infected")) <= 1, f"{what}, to {to}: only ADMIN gets anything", g)
    for what, more, kind in (("expired in the queue", {"status": "4.4.1", "words": "connect: refused"}, "not-scanned"),
                             ("no such recipient", {"status": "5.1.1", "words": "550 5.1.1 unknown"}, "not-scanned"),
                             ("late", {"status": "4.4.1", "action": "delayed"}, "not-scanned")):
        copy = fresh()
        g.notice(bounce(copy, **more))
        ok(g.status == 0 and g.outside() == [] and len(g.told(kind)) == 1 and len(g.got) == 1, f"{what}: ADMIN hears that it was not scanned", g)
        g.back(copy)
        ok(len(g.inside()) == 1, f"{what}: the hold stays, and a copy that comes after all is exchanged", g)
    copy = fresh()
    g.notice(bounce(copy, status="2.0.0", action="relayed"))
    ok(g.status == 0 and len(g.outside()) == 1 and not g.told() and b"X-JULIA" not in g.outside()[0][2], "a notice of success is none", g)
    for what, octets, to, where in (("about outgoing mail", bounce(scanned.letter(sender=INSIDE, to=OUTSIDE)), INSIDE, "internal"),
                                    ("that leaves", bounce(scanned.letter()), OUTSIDE, "external")):
        g.notice(octets, to=(to,))
        ok(g.status == 0 and [one[0] for one in g.got] == [where] and not g.told(), f"a notice {what} goes where it should", g)
    g.notice(bounce(fresh()), sender=OUTSIDE, client="203.0.113.5", to=(INSIDE,))
    ok(not g.told("infected") and [one[0] for one in g.got] == ["scanner"], "a stranger's letter that looks like one is a letter", g)


def reencrypted():
    g = G.anew("DELIVER = reencrypt")
    copy = g.arrive(g.encrypted())
    ok(field(copy, "X-JULIA-Hold") == ["none"] and SECRET in copy and g.holds() == [], "reencrypt: nothing is held", g)
    g.back(copy)
    ok(g.status == 0 and len(g.inside()) == 1 and SECRET not in g.inside()[0] and SECRET in g.decrypt(g.inside()[0]) and unmarked(g.inside()[0]),
       "reencrypt: encrypted anew, and openssl decrypts it", g)
    g.back(copy.replace(SECRET, b"changed"))
    ok(b"changed" in g.decrypt(g.inside()[0]), "reencrypt: what the scanner changed as well", g)
    g.back(re.sub(rb"(?m)^X-JULIA-Encryption.*\n", b"", copy))
    ok(g.status == 75 and not g.inside(), "reencrypt: without X-JULIA-Encryption it waits", g)
    (g.base / "etc/private").rename(g.base / "etc/away")
    (g.base / "etc/private").mkdir(mode=0o700)
    g.back(copy)
    ok(g.status == 75 and not g.inside(), "reencrypt: no certificate any more: it waits", g)
    g.age()
    g.back(copy, retry=True)
    ok(g.status == 0 and not g.inside() and len(g.told("hold-lost")) == 1 and len(g.holds()) == 1 and SECRET in g.kept(g.holds()[0]),
       "reencrypt: after GIVE_UP it is kept for a person, and ADMIN told", g)
    (g.base / "etc/private").rmdir()
    (g.base / "etc/away").rename(g.base / "etc/private")
    clear = scanned.letter()
    g.back(g.arrive(clear))
    ok(g.inside()[0].endswith(clear), "reencrypt: clear mail stays clear", g)


# ---- explain, check, engine -------------------------------------------------------------------------------------------------------
def check(g):
    done = subprocess.run([gateway.BUILD / "bin/julia", "-c", g.base / "etc/julia.conf", "-check"], stdout=subprocess.PIPE, check=False)
    return done.returncode, done.stdout.decode()


def explained():
    g = G.anew("DELIVER = original")
    sent = g.encrypted()
    _, said = g.incoming(sent, OUTSIDE, [INSIDE], "-explain")
    ok(said.startswith(b"incoming\tscanner\t" + INSIDE.encode()) and b"# DELIVER=original: the original is held" in said and g.holds() == [], "-explain: to the scanner; holds nothing")
    copy = g.arrive(sent)
    cases = [("exchanged", copy), ("changed", copy.replace(SECRET, b"x")), ("lost-kept", copy.replace(b"X-JULIA-Hold: ", b"X-JULIA-Hold: 0"))]
    for what, octets in cases:
        _, said = g.run(octets, scanned.SCANNER, OUTSIDE, [INSIDE], "-explain")
        ok(said.startswith(b"return\tinternal\t" + INSIDE.encode()) and b"# %s: %s" % (what.encode(), INSIDE.encode()) in said, f"-explain: {what}", g)
    _, said = g.run(bounce(copy), "127.0.0.1", "", [OUTSIDE], "-explain")
    ok(said.startswith(b"refusal\tadmin\t"), "-explain: a refusal")
    ok(g.collect() == [] and len(g.holds()) == 1 and g.kept(g.holds()[0]) is not None, "... and none of that did anything")
    status, said = check(g)
    ok("ok    target scanner" in said and "ok    HOLD_DIR" in said and status == 0, "-check names scanner and hold", g)
    (g.base / "var/hold").chmod(0o777)
    status, said = check(g)
    ok("FAULT HOLD_DIR" in said and status != 0, "-check: a hold that others may write to is a fault", g)
    g.arrive(g.encrypted())
    ok(g.status == 75 and g.got == [], "... and nothing goes to the scanner without a hold", g)


def engines():
    for engine in ("0", "1"):
        g = G.anew("DELIVER = original\nSMIME_ENGINE = " + engine)
        sent = g.encrypted()
        copy = g.arrive(sent)
        ok(copy == sent, f"SMIME_ENGINE={engine}: to the scanner, untouched", g)
        g.back(copy)
        ok(len(g.inside()) == 1 and g.inside()[0].endswith(sent), f"SMIME_ENGINE={engine}: and on to the internal relay", g)


G = scanned.Scanned()
for part in (handover, exact, several, changed, lost, forged, stripped, refused, notices, reencrypted, explained, engines):
    part()
G.__exit__()
sys.exit(tap.end())
