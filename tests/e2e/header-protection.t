#!/usr/bin/env python3
"""Header protection (RFC 9788) as it is written and read again: what julia sends is opened by the openssl program and taken apart by Python's
email package, which says what must stand where by the RFC's own words; then another gateway gets the very same message."""
import email
import email.policy
import email.utils
import itertools
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import gateway  # noqa: E402
from outside import Outside, receive, split_header  # noqa: E402

ANNA = "anna@behoerde.de"
RULES = """\
. (to) enc.example    (do) FE
. (to) both.example   (do) FE, FS
. (to) sign.example   (do) FS
. (to) shy.example    (do) FE:shy
. (to) none.example   (do) FE:none, FS
. (to) opaque.example (do) FE:opaque, FS
. (to) user.example   (do) FE, SIP
"""
ENC, BOTH, SIGN, SHY, NONE, OPAQUE, USER = (f"bert@{d}.example" for d in ("enc", "both", "sign", "shy", "none", "opaque", "user"))
HIDING = ("hcp_baseline", "hcp_shy")
SUBJECT = "K\u00fcndigung Meier <1>"
PLAIN = "Sehr geehrte Frau M\u00fcller,\n\ndies ist der Text.\n"
HTML = "<html><body class=\"x\">\n<p>Sehr geehrte Frau M\u00fcller</p></body></html>\n"
# RFC 9787 1.1.1, and what belongs to the way
STRUCTURAL = re.compile(r"(?i)(content-.*|mime-version|received|bcc|x-julia-.*)$")
ADDRESSED = ("from", "sender", "reply-to", "to", "cc")


serial = itertools.count(4711)


def header(to, more=""):
    """Never the same twice: the journal holds back what went out already."""
    return (f"Received: from pc.behoerde.de by mail.behoerde.de; Sat, 21 Nov 2026 12:00:01 +0100\n"
            f"From: \"Anna, Amt\" <{ANNA}>\nTo: Bert <{to}>,\n Dora Dorn <dora@behoerde.de>\nCc: =?utf-8?q?M=C3=BCller?= <m@behoerde.de>\n"
            f"Bcc: secret@behoerde.de\nSubject: =?utf-8?q?K=C3=BCndigung_Meier_<1>?=\n"
            f"Thread-Topic: =?utf-8?q?K=C3=BCndigung_Meier_<1>?=\nX-Spam-Prev-Subject: =?iso-8859-1?q?K=FCndigung?=\n Meier <1>\n"
            f"Keywords: dismissal,\n staff\nComments: for Dora only\nDate: Sat, 21 Nov 2026 12:00:00 +0100\nMessage-ID: <{next(serial)}@behoerde.de>\n"
            f"In-Reply-To: <4710@other.example>\nReply-To: Personal <hr@behoerde.de>\nX-Priority: 1\nMIME-Version: 1.0\n{more}")


def text_letter(to):
    return (header(to, "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n") + "\n" + PLAIN).encode()


def parts_letter(to):
    return (header(to, "Content-Type: multipart/mixed; boundary=b\n") + "\n--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n"
            "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n" +
            PLAIN.replace("\u00fc", "=FC") + "\n--c\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n" + HTML +
            "\n--c--\n\n--b\nContent-Type: text/plain\nContent-Disposition: attachment\n\nAnlage\n--b--\n").encode()


# ---- the independent reader -------------------------------------------------------------------------------------------

def parsed(octets):
    return email.message_from_bytes(octets, policy=email.policy.default)


def fields_of(octets):
    """(name in lower case, value without folds) of all fields in the header section."""
    return [(name.decode().strip().lower(), re.sub(r"\s+", " ", value.decode("utf-8", "replace")).strip()) for name, value in split_header(octets)[0]]


def told(octets):
    """The fields that say something about the message."""
    return [field for field in fields_of(octets) if not STRUCTURAL.match(field[0]) and field[0] != "hp-outer"]


def decoded(value):
    return str(email.header.make_header(email.header.decode_header(value)))


def hcp(policy, name, value):
    """RFC 9788 3.2, and what julia hides besides (docs/decisions/header-protection.md)."""
    if policy in HIDING and name == "subject":
        return "[...]"
    if policy in HIDING and (name in ("comments", "keywords", "thread-topic") or (name.startswith("x-") and "Meier <1>" in decoded(value))):
        return None
    if policy == "hcp_shy" and name in ADDRESSED:
        return ", ".join(address for _, address in email.utils.getaddresses([value]))
    if policy == "hcp_shy" and name == "date":
        return email.utils.format_datetime(email.utils.parsedate_to_datetime(value).astimezone(email.utils.datetime.timezone.utc))
    return value


def outside_of(policy, original):
    shown = [(name, hcp(policy, name, value)) for name, value in told(original)]
    return [(name, value) for name, value in shown if value is not None]


def run_openssl(octets, *words):
    done = subprocess.run(["openssl", "cms", *map(str, words)], input=octets, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return done.stdout if done.returncode == 0 else b""


def opened(g, octets, name):
    return run_openssl(octets, "-decrypt", "-recip", g.pki.path(name + ".crt"), "-inkey", g.pki.path(name + ".key")).replace(b"\r\n", b"\n")


def verified(g, octets):
    return run_openssl(octets, "-verify", "-CAfile", g.pki.path("ca.crt")).replace(b"\r\n", b"\n")


def hp_of(payload):
    return parsed(payload)["Content-Type"].params.get("hp")


def settings(g, **values):
    conf = g.base / "etc/julia.conf"
    lines = [line for line in conf.read_text().splitlines() if line.split(" ")[0] not in values]
    conf.write_text("\n".join(lines + [f"{name} = {value}" for name, value in values.items() if value is not None]) + "\n")


def send(tap, g, octets, to, name):
    status, output = g.outgoing(octets, ANNA, [to])
    found = [f[2] for f in g.collect() if f[0] == "external"]
    if tap.ok(status == 0 and len(found) == 1, name, output):
        return found[0]
    return b"\n\n"


# ---- composition ------------------------------------------------------------------------------------------------------

def check_legacy(tap, policy, payload, what):
    """The element, and that nothing else of the text is changed (RFC 9788 5.2, 4.5.3)."""
    lines = [f"Subject: {SUBJECT}"]
    if policy == "hcp_shy":
        lines += ["From: \"Anna, Amt\" <anna@behoerde.de>"]
    for part in parsed(payload).walk():
        if part.is_multipart():
            continue
        text, main = part.get_content().replace("\r\n", "\n"), part.get_content_disposition() != "attachment"
        marked = part["Content-Type"].params.get("hp-legacy-display")
        if policy not in HIDING or not main:
            tap.ok(marked is None and "Subject" not in text, f"{what}: no element in {part.get_content_type()}", part)
            continue
        if part.get_content_type() == "text/html":
            element = re.search(r'\n<div class="header-protection-legacy-display">\n<pre>(.*?)</pre>\n</div>\n', text, re.S)
            rest = text.replace(element[0], "", 1) if element else ""
            good = element and "K&#252;ndigung Meier &#60;1&#62;" in element[1] and text.index("<div") > text.index("<body") and rest.rstrip() == HTML.rstrip()
        else:
            element, _, rest = text.partition("\n\n")
            good = element.split("\n")[:len(lines)] == lines and rest.rstrip() == PLAIN.rstrip()
        tap.ok(marked == "1" and good, f"{what}: an element in {part.get_content_type()}, and nothing else changed", part)


def check_payload(tap, policy, payload, original, sent, what):
    tap.ok(hp_of(payload) == "cipher" and payload.count(b'hp="cipher"') == 1, f"{what}: hp=cipher at the root", payload[:900])
    tap.ok(told(payload) == told(original), f"{what}: inside all fields as they were, in their order", f"{told(payload)}\n{told(original)}")
    said = [tuple(part.strip() for part in value.split(":", 1)) for name, value in fields_of(payload) if name == "hp-outer"]
    said = [(name.lower(), value) for name, value in said]
    tap.ok(said == told(sent), f"{what}: HP-Outer is what stands outside", f"{said}\n{told(sent)}")
    want = outside_of(policy, original)
    tap.ok(told(sent) == want, f"{what}: outside is what {policy} leaves", f"{told(sent)}\n{want}")
    tap.ok(b"HP-Outer" not in sent.split(b"\n\n")[0] and b"Bcc" not in payload.split(b"\n\n")[0] and b"Received" not in payload.split(b"\n\n")[0],
           f"{what}: no HP-Outer outside, no Bcc or Received inside", sent[:900])


def check_signed(tap, g, octets, original, what):
    inside = verified(g, octets)
    tap.ok(hp_of(inside) == "clear" and b"HP-Outer" not in inside and told(inside) == told(original) and told(octets) == told(original),
           f"{what}: signed only is hp=clear, with everything outside too", f"{inside[:900]}\n{octets[:900]}")
    tap.ok(b"legacy-display" not in inside, f"{what}: ... and without an element")


def compose(tap, g, policy):
    settings(g, HEADER_PROTECTION=policy)
    for kind, letter in (("text", text_letter), ("parts", parts_letter)):
        for to in (ENC, BOTH, OPAQUE):
            what, original = f"{policy}, {kind}, {to}", letter(to)
            octets = send(tap, g, original, to, f"{what}: leaves")
            payload = opened(g, octets, to)
            payload = payload if to == ENC else verified(g, payload)
            if policy == "no":
                tap.ok(hp_of(payload) is None and "subject" not in dict(fields_of(payload)) and dict(fields_of(octets))["thread-topic"], f"{what}: nothing is protected",
                       payload[:500])
            else:
                check_payload(tap, policy, payload, original, octets, what)
            check_legacy(tap, policy, payload, what)
            if policy in HIDING:
                tap.ok(not re.search(rb"(?i)ndigung|Meier|dismissal|Dora only", octets.split(b"\n\n")[0]), f"{what}: no word of it outside", octets[:900])
            yield to, original, octets
        original = letter(SIGN)
        octets = send(tap, g, original, SIGN, f"{policy}, {kind}, signed only: leaves")
        if policy != "no":
            check_signed(tap, g, octets, original, f"{policy}, {kind}")
            yield SIGN, original, octets


def profiles(tap, g):
    """headers= of the rule's profile counts, whatever HEADER_PROTECTION says."""
    for policy in ("no", "hcp_baseline"):
        settings(g, HEADER_PROTECTION=policy)
        original = text_letter(SHY)
        octets = send(tap, g, original, SHY, f"FE:shy with HEADER_PROTECTION={policy}")
        tap.ok(told(octets) == outside_of("hcp_shy", original), "... is shy", octets[:900])
        original = text_letter(NONE)
        octets = send(tap, g, original, NONE, f"FE:none with HEADER_PROTECTION={policy}")
        payload = verified(g, opened(g, octets, NONE))
        tap.ok(hp_of(payload) is None and told(octets) == told(original), "... is not protected", f"{octets[:900]} {payload[:300]}")
    status, output = g.outgoing(text_letter(SHY), ANNA, [SHY], "-explain")
    tap.ok(status == 0 and b"# header protection: hcp_shy\n" in output, "-explain says it", output)
    several = text_letter(ENC).replace(b"Cc:", b"Cc: " + f"{SHY}, ".encode())
    g.outgoing(several, ANNA, [ENC, SHY])
    found = {f[1][0]: f[2] for f in g.collect()}
    tap.ok(set(found) == {ENC, SHY} and dict(told(found[ENC]))["from"] != ANNA and dict(told(found[SHY]))["from"] == ANNA,
           "recipients with different policies get different messages", found)


def too_long(tap, g):
    """A header that is there twice, and once more as HP-Outer, must still be readable: else it is refused, not tried for ever."""
    for policy, goes in (("no", True), ("clear", False)):
        settings(g, HEADER_PROTECTION=policy)
        octets = text_letter(BOTH).replace(b"X-Priority", b"X-Long: " + b"x y\n " * 240000 + b"\nX-Priority")
        status, output = g.outgoing(octets, ANNA, [BOTH])
        found = g.collect()
        tap.ok(status == 0 and [f[0] for f in found] == ["external" if goes else "internal"] and (goes or b"5.6.0" in found[0][2]),
               f"a header of 1.2 MB with HEADER_PROTECTION={policy}: {'goes' if goes else 'is refused'}", output)


def words(tap, g):
    for value in ("yes", "confidential", "shy"):
        settings(g, HEADER_PROTECTION=value)
        done = subprocess.run([gateway.BUILD / "bin/julia", "-c", g.base / "etc/julia.conf", "-check"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        tap.ok(done.returncode != 0 and b"no|clear|hcp_baseline|hcp_shy" in done.stdout, f"HEADER_PROTECTION={value} is refused, and the words are named", done.stdout)
    settings(g, HEADER_PROTECTION="no")


# ---- and back ---------------------------------------------------------------------------------------------------------

def arrives(tap, there, octets, to, what):
    status, output, got, _ = receive(there, octets, [to], sender=f"n{next(serial)}@behoerde.de")
    if tap.ok(status == 0 and len(got) == 1, f"{what}: arrives", output):
        return got[0]
    return None


def shows(got, original):
    """The reader sees the fields that the sender wrote."""
    names = ("subject", "from", "to", "cc", "date", "keywords", "comments", "reply-to", "in-reply-to", "thread-topic", "message-id")
    sent, here = dict(told(original)), dict(told(got.octets))
    return all(here.get(name) == sent.get(name) for name in names)


def back(tap, there, policy, to, original, octets):
    what = f"{policy}, {to}, back"
    got = arrives(tap, there, octets, to, what)
    if got is None:
        return
    hidden = {"clear": "", "hcp_baseline": "; hidden: Subject, Comments, Keywords, Thread-Topic",
              "hcp_shy": "; hidden: Subject, From, Reply-To, To, Cc, Date, Comments, Keywords, Thread-Topic"}
    said = None if policy == "no" else "protected" + (hidden[policy] if to != SIGN else "")
    line = got.one("X-JULIA-Header")
    tap.ok(sorted(re.split("[;,:] ", line or "-")) == sorted(re.split("[;,:] ", said or "-")), f"{what}: {said}", line)
    tap.ok(shows(got, original), f"{what}: the reader sees what was written", got.octets[:1200])
    tap.ok(not got.all("HP-Outer") and not got.all("Bcc"), f"{what}: HP-Outer stays inside", got.octets[:1200])
    tap.ok(got.signature == ("none" if to == ENC else "valid"), f"{what}: signature", got.signature)


def own_signature(tap, g, there, out):
    """A message that the user has signed himself keeps his signature; its Subject is hidden, and found again."""
    settings(g, HEADER_PROTECTION="hcp_baseline")
    body = b"Content-Type: text/plain; charset=us-ascii\n\nsigned by myself\n"
    protected = b"Content-Type: text/plain; charset=us-ascii; hp=\"clear\"\nSubject: =?utf-8?q?K=C3=BCndigung_Meier_<1>?=\nFrom: \"Anna, Amt\" <" + ANNA.encode() + b">\n\nsigned by myself\n"
    for kind, entity in (("clear", out.sign(body, ANNA)), ("opaque", out.sign(body, ANNA, opaque=True)), ("with hp of its own", out.sign(protected, ANNA))):
        entity = entity.split(b"MIME-Version: 1.0\n", 1)[1]
        original = header(USER).encode() + entity
        octets = send(tap, g, original, USER, f"user-signed, {kind}")
        payload = opened(g, octets, USER)
        tap.ok(dict(told(octets))["subject"] == "[...]" and not re.search(rb"(?i)ndigung|Meier", octets.split(b"\n\n")[0]), "... the Subject is hidden", octets[:900])
        tap.ok(verified(g, payload).endswith(b"signed by myself\n") and dict(told(payload))["subject"] == dict(told(original))["subject"],
               "... inside is his signature, and the fields around it", payload[:1200])
        for deliver in ("plain", "reencrypt"):
            settings(there, DELIVER=deliver)
            got = arrives(tap, there, octets, USER, f"user-signed, {kind}, {deliver}")
            tap.ok(got is not None and got.signature == "valid" and str(got.one("X-JULIA-Header")).startswith("protected; hidden: Subject"), "... valid, and told",
                   got and got.octets[:900])
            if deliver == "plain":
                tap.ok(got is not None and shows(got, original) and verified(there, got.octets).endswith(b"signed by myself\n"), "... the Subject is there again",
                       got and got.octets[:1500])
            elif got is not None:
                inside = opened(there, got.octets, USER)
                tap.ok(got.one("Subject") == "[...]" and "K=C3=BCndigung" in str(dict(told(inside)).get("subject", dict(told(verified(there, inside))).get("subject"))),
                       "... hidden again outside, and inside still", f"{got.octets[:700]}\n{inside[:900]}")
    settings(there, DELIVER=None)


def anew(tap, there, octets, original):
    """DELIVER=reencrypt: what came hidden is hidden again, names and time zone too."""
    settings(there, DELIVER="reencrypt")
    got = arrives(tap, there, octets, ENC, "reencrypt")
    if got is not None:
        payload = opened(there, got.octets, ENC)
        want = outside_of("hcp_shy", original)
        tap.ok([f for f in told(got.octets) if f in want] and not [f for f in want if f not in told(got.octets)] and "Anna" not in str(told(got.octets)),
               "... outside as it came", f"{told(got.octets)}\n{want}")
        tap.ok(hp_of(payload) == "cipher" and dict(told(payload))["from"] == dict(told(original))["from"] and payload.count(b"legacy-display") == 1, "... and inside what was hidden", payload[:900])
    settings(there, DELIVER=None)


class There(gateway.Gateway):
    """The partner's gateway, in the same PKI."""
    def __init__(self, pki):
        self.shared = pki
        super().__init__()
        conf = self.base / "etc/julia.conf"
        conf.write_text(conf.read_text().replace("INTERNAL_DOMAINS = behoerde.de", "INTERNAL_DOMAINS = .example"))

    def make_pki(self):
        return self.shared

    def take_key(self, name):
        path = self.base / "etc/private" / (name + ".pem")
        path.write_bytes(self.pki.path(name + ".key").read_bytes() + self.pki.path(name + ".crt").read_bytes())
        path.chmod(0o600)


def main():
    tap = gateway.Tap()
    with gateway.Gateway(RULES, "PROFILE_shy = headers=hcp_shy\nPROFILE_none = headers=no\nPROFILE_opaque = form=opaque\n") as g, There(g.pki) as there:
        out = Outside(g.pki)
        g.own_key(ANNA)
        for name in (ENC, BOTH, SHY, NONE, OPAQUE, USER):
            g.partner(name)
            there.take_key(name)
        words(tap, g)
        for policy in ("no", "clear", "hcp_baseline", "hcp_shy"):
            for number, (to, original, octets) in enumerate(compose(tap, g, policy)):
                if policy != "no" or number == 0:
                    back(tap, there, policy, to, original, octets)
                if policy == "hcp_shy" and to == ENC and number == 0:
                    kept = octets, original
        anew(tap, there, *kept)
        profiles(tap, g)
        own_signature(tap, g, there, out)
        too_long(tap, g)
    return tap.end()


sys.exit(main())
