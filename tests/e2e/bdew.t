#!/usr/bin/env python3
"""The profile of the German energy market in both directions: RSASSA-PSS and RSAES-OAEP with SHA-256 and nothing else. What goes out is
read by openssl; what comes in is made by openssl in the right form and in every wrong one. A wrong form is refused with a report, as far
as everybody could see it; nothing that only a key finds out changes what the sender hears."""
import email
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import gateway  # noqa: E402
from gateway import openssl  # noqa: E402
from outside import Delivered, Outside, der_of, fields, text, tlv, wrap  # noqa: E402

EDI, USER = "edi@behoerde.de", "user_1@behoerde.de"
PARTNER, ALIEN, VICTIM = "edi@power.example", "bounces@provider.example", "somebody@else.example"
BODY = "UNA:+.? 'UNB+UNOC:3'\n"
CONF = "INCOMING_PROFILE = power.example bdew; .grid.example bdew; old@grid.example legacy\nPROFILE_legacy = keytrans=rsa-pkcs1\n"


# The smime module as it was before it could inspect: answers pass through, the hello without that word, its request is unknown.
OLD_SMIME = """\
#!/usr/bin/env python3
import os, re, socket, subprocess
core = socket.socket(fileno=0)
ours, theirs = socket.socketpair()
child = subprocess.Popen(["{module}"], stdin=theirs)
theirs.close()
def frame(sock):
    data, fds = b"", []
    while b"\\n" not in data or len(data) < int(data.split(b"\\n")[0]) + len(data.split(b"\\n")[0]) + 1:
        part, more, _, _ = socket.recv_fds(sock, 65536, 16)
        if not part:
            os._exit(0)
        data, fds = data + part, fds + more
    return data.split(b"\\n", 1)[1], fds
while True:
    request, fds = frame(core)
    if b"<inspect" in request:
        request = b'<answer xmlns="urn:julia:module:1" id="' + re.search(rb'id="(.*?)"', request)[1] + \\
            b'" status="permanent" reason="unknown-operation"/>'
    else:
        socket.send_fds(ours, [b"%d\\n" % len(request) + request], fds)
        request = re.sub(rb'<operation name="inspect"/>', b"", frame(ours)[0])
    for fd in fds:
        os.close(fd)
    core.sendall(b"%d\\n" % len(request) + request)
"""


def keyopts(**options):
    return [word for name, value in options.items() for word in ("-keyopt", f"{name}:{value}")]


OAEP = keyopts(rsa_padding_mode="oaep", rsa_oaep_md="sha256", rsa_mgf1_md="sha256")
PSS = keyopts(rsa_padding_mode="pss", rsa_mgf1_md="sha256", rsa_pss_saltlen="32")


# ---- outgoing ---------------------------------------------------------------------------------------------------------
def tree(der):
    """What openssl prints of a CMS object."""
    return openssl("cms", "-cmsout", "-print", "-inform", "DER", input=der).decode(errors="replace")


def parts_between(printed, start, end):
    """[(the algorithm's name, its parameters as openssl asn1parse shows them)] of all AlgorithmIdentifiers between two words."""
    found = []
    for block in re.findall(rf"{start}: *\n(.*?)\n +{end}:", printed, re.S):
        name = re.search(r"algorithm: (\S+)", block)[1]
        found.append((name, re.findall(r"(cont \[ \d \]|OBJECT|INTEGER|NULL|OCTET STRING)\s*(?::(\S+))?", block.split("parameter:", 1)[1])))
    return found


MASK = [("cont [ 0 ]", ""), ("OBJECT", "sha256"), ("NULL", ""), ("cont [ 1 ]", ""), ("OBJECT", "mgf1"), ("OBJECT", "sha256"), ("NULL", "")]
OAEP_256 = ("rsaesOaep", MASK)                                                  # hash and mask said, no label
PSS_256 = ("rsassaPss", [*MASK, ("cont [ 2 ]", ""), ("INTEGER", "20")])         # salt 0x20, no trailer field: the default


def letter(sender, to, entity=None, number=[0]):
    number[0] += 1
    head = f"From: {sender}\nTo: {to}\nSubject: EDI\nMessage-ID: <{number[0]}@behoerde.de>\nDate: Sat, 21 Nov 2026 12:00:00 +0000\n"
    return head.encode() + (entity if entity is not None else b"\n" + BODY.encode())


def send(g, rules, to, sender=EDI, octets=None, conf=""):
    (g.base / "etc/julia.rules").write_text(rules)
    (g.base / "etc/julia.conf").write_text(g.conf + conf)
    status, output = g.outgoing(octets or letter(sender, to), sender, [to])
    got = [Delivered(entry) for entry in g.collect()]
    return status, output.decode(), [d for d in got if d.target == "external"], [d for d in got if d.target == "internal"]


def decrypt(g, octets, name):
    return openssl("cms", "-decrypt", "-inform", "DER", "-recip", g.pki.path(name + ".crt"), "-inkey", g.pki.path(name + ".key"),
                   input=der_of(octets))


def signature_of(g, inner):
    """The printed CMS object of a clear signature that openssl finds good."""
    openssl("cms", "-verify", "-CAfile", g.pki.path("ca.crt"), input=inner)
    part = email.message_from_bytes(inner).get_payload(1)
    return tree(part.get_payload(decode=True))


def check_written(tap, g, octets, names, label):
    printed = tree(der_of(octets))
    keys = parts_between(printed, "keyEncryptionAlgorithm", "encryptedKey")
    tap.ok(keys == [OAEP_256] * len(names) and "d.kari" not in printed, f"{label}: RSAES-OAEP, SHA-256 and MGF1 with SHA-256, no label", keys)
    tap.ok("contentType: pkcs7-envelopedData" in printed and "algorithm: aes-256-cbc" in printed, f"{label}: EnvelopedData, AES-256-CBC")
    for name in names:
        inner = decrypt(g, octets, name)
    printed = signature_of(g, inner)
    found = parts_between(printed[printed.index("signerInfos"):], "signatureAlgorithm", "signature")
    tap.ok(found == [PSS_256], f"{label}: RSASSA-PSS, SHA-256 and MGF1 with SHA-256, salt of 32", found)
    infos = printed[printed.index("signerInfos"):]
    digests = re.findall(r"digestAlgorithms?: *\n +algorithm: (\S+)", printed)
    tap.ok(digests == ["sha256", "sha256"], f"{label}: digestAlgorithm sha256", digests)
    tap.ok("rsaEncryption" not in infos and "RSAEncryption" not in infos, f"{label}: no PKCS #1 v1.5")
    return inner


def outgoing(tap, g, out):
    rules = ". (to) . (do) FE:bdew, FS:bdew\n"
    status, said, sent, _ = send(g, rules, PARTNER)
    if tap.ok(status == 0 and len(sent) == 1, "FE:bdew, FS:bdew goes out", said):
        check_written(tap, g, sent[0].octets, [PARTNER], "written")
    status, said, sent, told = send(g, rules, "ec@power.example")
    tap.ok(status == 0 and not sent and len(told) == 1 and b"RSA key" in email.message_from_bytes(told[0].octets).get_payload(0).get_payload(
        decode=True), "a partner who has an elliptic curve only: not sent, the sender is told", said)
    tap.ok(b"wrong-key ec" in told[0].octets, "... with the reason wrong-key")
    (g.base / "etc/julia.conf").write_text(g.conf)
    line = g.outgoing(letter(EDI, "ec@power.example"), EDI, ["ec@power.example"], "-explain")[1].decode()
    tap.ok("refuse=wrong-key: ec" in line and "key=ec: the profile is strict" in line, "... -explain says it", line)
    status, said, sent, told = send(g, ". (to) . (do) EIP:bdew, FS:bdew\n", "ec@power.example")
    tap.ok(status == 0 and not sent and len(told) == 1, "... and encrypting if possible does not become clear text", said)
    status, said, sent, _ = send(g, rules, "both@power.example")
    tap.ok(len(sent) == 1, "a partner who has both", said)
    check_written(tap, g, sent[0].octets, ["both-rsa"], "by the older RSA certificate")
    status, said, sent, told = send(g, rules, "pss@power.example")
    tap.ok(status == 0 and not sent and b"wrong-use" in told[0].octets, "an RSASSA-PSS certificate encrypts nothing: not sent", said)
    also = "ENCRYPT_ALSO_TO = %s\n"
    status, said, sent, told = send(g, rules, PARTNER, conf=also % "curves@behoerde.de")
    tap.ok(status == 75 and not sent and "curves@behoerde.de" in said, "ENCRYPT_ALSO_TO with an elliptic curve: it waits", said)
    status, said, sent, told = send(g, rules, PARTNER, conf=also % "archive@behoerde.de")
    if tap.ok(status == 0 and len(sent) == 1, "ENCRYPT_ALSO_TO with RSA", said):
        check_written(tap, g, sent[0].octets, [PARTNER, "archive@behoerde.de"], "with an archive")
    status, said, sent, _ = send(g, rules, "ec@power.example", conf="PROFILE_bdew = strict=no\n")
    tap.ok(len(sent) == 1 and "d.kari" in tree(der_of(sent[0].octets)), "PROFILE_bdew = strict=no: ECDH where the partner has a curve", said)


def outgoing_signers(tap, g, out):
    rules = ". (to) . (do) FE:bdew, FS:bdew\n"
    status, said, sent, told = send(g, rules, PARTNER, "curve@behoerde.de")
    tap.ok(status == 0 and not sent and b"no-key curve@behoerde.de (RSA)" in told[0].octets, "an own key on a curve does not sign", said)
    status, said, sent, _ = send(g, rules, PARTNER, "pss@behoerde.de")
    if tap.ok(len(sent) == 1, "an own RSASSA-PSS key signs", said):
        check_written(tap, g, sent[0].octets, [PARTNER], "RSASSA-PSS key")
    status, said, sent, _ = send(g, rules, PARTNER, "pss384@behoerde.de")
    tap.ok(status == 75 and not sent and "rsa-pss-sha384" in said, "one that insists on SHA-384 does not", said)
    for more, label, names in ((PSS, "in the profile's form stays", ["rsassaPss"]), ([], "by v1.5 is not enough: signed once more", None)):
        own = out.sign(text(BODY), EDI, more=more)
        octets = letter(EDI, PARTNER, own)
        status, said, sent, _ = send(g, rules, PARTNER, octets=octets)
        tap.ok(len(sent) == 1, f"a user's own signature {label}", said)
        inner = decrypt(g, sent[0].octets, PARTNER).replace(b"\r\n", b"\n")
        tap.ok((inner.count(b"multipart/signed") == 1) == (names is not None), "... inside", inner[:2000])
        printed = signature_of(g, inner)
        found = parts_between(printed[printed.index("signerInfos"):], "signatureAlgorithm", "signature")
        tap.ok(found == [PSS_256], "... outermost is RSASSA-PSS", found)


# ---- incoming ---------------------------------------------------------------------------------------------------------
class Result:
    """What one message came to."""

    def __init__(self, g, octets, sender, recipients, fresh=True):
        if fresh:
            for file in (g.base / "var/run").iterdir():
                file.unlink()
        log = g.base / "logs/julia.log"
        before = log.stat().st_size if log.exists() else 0
        self.status, output = g.incoming(octets, sender, list(recipients))
        self.said, self.log = output.decode(errors="replace"), ""
        if log.exists():
            with open(log, encoding="utf-8", errors="replace") as file:
                file.seek(before)
                self.log = file.read()
        got = [Delivered(entry) for entry in g.collect()]
        self.reports = [d for d in got if d.target == "external"]
        self.admin = [d for d in got if d.recipients == ["admin@behoerde.de"]]
        self.people = [d for d in got if d.target != "external" and d.recipients != ["admin@behoerde.de"]]

    def notices(self, kind):
        return re.findall(rf"event=notice kind={kind} result=sent", self.log)

    def __str__(self):
        return f"exit {self.status}: {self.said}\nreports {len(self.reports)}, ADMIN {[d.one('Subject') for d in self.admin]}, " \
               f"people {[(d.target, d.recipients, d.status) for d in self.people]}\n{self.log}"


def report_text(result):
    return email.message_from_bytes(result.reports[0].octets).get_payload(0).get_payload(decode=True).decode()


def reported(result):
    """The recipients named in the only report."""
    if len(result.reports) != 1:
        return None
    blocks = email.message_from_bytes(result.reports[0].octets).get_payload(1).get_payload()
    return [block["Final-Recipient"].removeprefix("rfc822; ") for block in blocks[1:]]


def refused(tap, result, found, label, sender=PARTNER, recipient=EDI, reason="form", dsn="5.7.6"):
    """Refused with a report that a person and a program can read, and nothing else happened."""
    good = result.status == 0 and len(result.reports) == 1 and not result.people and len(result.notices("form")) == 1
    if not tap.ok(good, f"{label}: refused with a report", result):
        return
    got = result.reports[0]
    report = email.message_from_bytes(got.octets)
    status = report.get_payload(1).get_payload()
    facts = {
        "envelope": got.recipients == [sender] and got.arguments[got.arguments.index("-f") + 1] in ("", "<>"),
        "automatic": report["Auto-Submitted"] == "auto-replied" and report["To"] == f"<{sender}>",
        "RFC 3464": report.get_content_type() == "multipart/report" and report.get_param("report-type") == "delivery-status",
        "recipient": len(status) == 2 and status[1]["Final-Recipient"] == f"rfc822; {recipient}" and status[1]["Action"] == "failed",
        "code": status[1]["Status"] == dsn and f"x-julia; {reason} " in status[1]["Diagnostic-Code"],
        "found": found in report_text(result) and (reason == "form-clear" or found in status[1]["Diagnostic-Code"]),
        "required": all(word in report_text(result) for word in ("RSAES-OAEP (SHA-256, MGF1-SHA-256)", "AES-128/192/256-CBC",
                                                                 "RSASSA-PSS (SHA-256, MGF1-SHA-256, saltLength 32)")),
        "discreet": len(report.get_payload()) == 2 and b"UNA" not in got.octets and b"Secret subject" not in got.octets,
        "log": "event=incoming" in result.log and "refuse=" in result.log,
    }
    wrong = [name for name, good in facts.items() if not good]
    tap.ok(not wrong, "... as it should be", f"{wrong}\n{got.octets.decode(errors='replace')}\n{result.log}")


def delivered(tap, result, status, label, notice=None):
    good = result.status == 0 and not result.reports and len(result.people) == 1 and result.people[0].status == status
    told = [k for k in ("form", "undecryptable", "forged", "not-answered") if result.notices(k)]
    tap.ok(good and told == ([notice] if notice else []), f"{label}: delivered, {' and '.join(status)}, "
           + (f"ADMIN is told ({notice})" if notice else "nobody is told"), result)


class Maker:
    """Messages of the partner."""

    def __init__(self, g, out):
        self.g, self.out, self.number = g, out, 0

    def sign(self, more=PSS, who=PARTNER, md="sha256", opaque=False, entity=None):
        options = [*(["-nodetach"] if opaque else []), *self.out.pair(who), *more]
        return openssl("cms", "-sign", "-md", md, *options, input=entity or text(BODY))

    def encrypt(self, entity, more=OAEP, cipher="aes-256-cbc", to=EDI):
        return self.out.encrypt(entity, to, cipher=cipher, more=more)

    def message(self, entity, author=PARTNER, to=EDI, more=""):
        self.number += 1
        return fields(sender=author, to=to, subject="Secret subject", more=f"X-Number: {self.number}\n" + more) + entity

    def both(self, sign=None, encrypt=None, **header):
        return self.message(self.encrypt(self.sign(**(sign or {})), **(encrypt or {})), **header)


def right_forms(tap, g, make):
    for cipher in ("aes-128-cbc", "aes-192-cbc", "aes-256-cbc"):
        for opaque in (False, True):
            result = Result(g, make.both({"opaque": opaque}, {"cipher": cipher}), PARTNER, [EDI])
            delivered(tap, result, ("not-integrity-protected", "valid"), f"right, {cipher}, {'opaque' if opaque else 'clear'}")
    triple = make.sign(entity=make.encrypt(make.sign()))
    delivered(tap, Result(g, make.message(triple), PARTNER, [EDI]), ("not-integrity-protected", "valid"), "right, signed once more outside")
    delivered(tap, Result(g, make.message(text(), author="friend@free.example"), "friend@free.example", [USER]), ("none", "none"),
              "somebody of whom nothing is demanded")


def wrong_outside(tap, g, make):
    """Key transport and content cipher."""
    def oaep(md, mgf1):
        return keyopts(rsa_padding_mode="oaep", rsa_oaep_md=md, rsa_mgf1_md=mgf1)
    rows = (("PKCS #1 v1.5", {"more": []}, "RSAES-PKCS1-v1_5"),
            ("OAEP with SHA-1", {"more": oaep("sha1", "sha1")}, "RSAES-OAEP (SHA-1, MGF1-SHA-1)"),
            ("OAEP with MGF1 by SHA-1", {"more": oaep("sha256", "sha1")}, "RSAES-OAEP (SHA-256, MGF1-SHA-1)"),
            ("OAEP with SHA-512", {"more": oaep("sha512", "sha512")}, "RSAES-OAEP (SHA-512, MGF1-SHA-512)"),
            ("OAEP with hashes that do not belong together", {"more": oaep("sha256", "sha512")}, "RSAES-OAEP (SHA-256, MGF1-SHA-512)"),
            ("AES-GCM", {"cipher": "aes-256-gcm"}, "AES-256-GCM"),
            ("3DES", {"cipher": "des3"}, "DES-EDE3-CBC"),
            ("Camellia", {"cipher": "camellia256"}, "CAMELLIA-256-CBC"),
            ("ECDH", {"more": [], "to": "curve@behoerde.de"}, "ECDH"),
            ("both wrong", {"more": [], "cipher": "aes-128-gcm"}, "RSAES-PKCS1-v1_5; AES-128-GCM"))
    for label, encrypt, found in rows:
        to = encrypt.get("to", EDI)
        refused(tap, Result(g, make.both({}, encrypt, to=to), PARTNER, [to]), found, label, recipient=to)
    two = openssl("cms", "-encrypt", "-aes-256-cbc", "-recip", g.pki.path(EDI + ".crt"), *OAEP, "-recip", g.pki.path(USER + ".crt"),
                  input=make.sign())
    refused(tap, Result(g, make.message(two), PARTNER, [EDI]), "RSAES-PKCS1-v1_5", "the content key lies there for somebody else by v1.5")
    outer = make.sign(entity=make.encrypt(make.sign(), more=[]))
    refused(tap, Result(g, make.message(outer), PARTNER, [EDI]), "RSAES-PKCS1-v1_5", "v1.5 inside of a signature that everybody can open")


def wrong_inside(tap, g, make):
    """The signature: told to the partner himself, when it is proven to be his."""
    def pss(mgf1, salt):
        return keyopts(rsa_padding_mode="pss", rsa_mgf1_md=mgf1, rsa_pss_saltlen=salt)
    rows = (("signature by v1.5", {"more": []}, "RSASSA-PKCS1-v1_5 (SHA-256)"),
            ("opaque signature by v1.5", {"more": [], "opaque": True}, "RSASSA-PKCS1-v1_5 (SHA-256)"),
            ("MGF1 by SHA-1", {"more": pss("sha1", 32)}, "RSASSA-PSS (SHA-256, MGF1-SHA-1, saltLength 32)"),
            ("salt of 20", {"more": pss("sha256", 20)}, "RSASSA-PSS (SHA-256, MGF1-SHA-256, saltLength 20)"),
            ("salt of 222", {"more": pss("sha256", 222)}, "saltLength 222)"),
            ("SHA-512", {"more": pss("sha512", 64), "md": "sha512"}, "RSASSA-PSS (SHA-512, MGF1-SHA-512, saltLength 64)"),
            ("ECDSA", {"more": [], "who": "curve-edi@power.example"}, "ECDSA (SHA-256)"))
    for label, sign, found in rows:
        author = sign.get("who", PARTNER)
        result = Result(g, make.both(sign, author=author), author, [EDI])
        refused(tap, result, found, label, sender=author)
    pair = openssl("cms", "-sign", "-md", "sha256", *make.out.pair(PARTNER), *PSS, *make.out.pair("second"), input=text(BODY))
    refused(tap, Result(g, make.message(make.encrypt(pair)), PARTNER, [EDI]), "RSASSA-PKCS1-v1_5 (SHA-256)", "a second signature by v1.5")


def not_at_all(tap, g, make):
    refused(tap, Result(g, make.message(text(BODY)), PARTNER, [EDI]), "not encrypted", "plain text", reason="form-clear", dsn="5.7.1")
    refused(tap, Result(g, make.message(make.sign()), PARTNER, [EDI]), "not encrypted", "signed only", reason="form-clear", dsn="5.7.1")
    forged = make.sign().replace(b"UNA", b"UNB")
    refused(tap, Result(g, make.message(forged), PARTNER, [EDI]), "not encrypted", "signed only, and forged", reason="form-clear", dsn="5.7.1")


def who(tap, g, make):
    """Whom an entry means."""
    clear = {"reason": "form-clear", "dsn": "5.7.1"}
    plain = text(BODY)
    refused(tap, Result(g, make.message(plain, author="x@free.example"), PARTNER, [EDI]), "not encrypted", "by the envelope sender alone", **clear)
    refused(tap, Result(g, make.message(plain), ALIEN, [EDI]), "not encrypted", "by header From alone", sender=ALIEN, **clear)
    two = f"Friend <x@free.example>, Edi <{PARTNER}>"
    refused(tap, Result(g, make.message(plain, author=two), ALIEN, [EDI]), "not encrypted", "one of two authors", sender=ALIEN, **clear)
    below = "edi@south.grid.example"
    refused(tap, Result(g, make.message(plain, author=below), below.upper(), [EDI]), "not encrypted", "below .grid.example, in capitals",
            sender=below.upper(), **clear)
    result = Result(g, make.both({"who": "old@grid.example", "more": []}, {"more": []}, author="old@grid.example"), "old@grid.example", [EDI])
    delivered(tap, result, ("not-integrity-protected", "valid"), "an address with an entry of its own")
    for other in ("edi@notpower.example", "edi@power.example.evil.example", "edi@sub.power.example"):
        delivered(tap, Result(g, make.message(plain, author=other), other, [EDI]), ("none", "none"), f"{other} is nobody of power.example")
    delivered(tap, Result(g, make.message(plain), "", [EDI]), ("none", "none"), "the null sender")
    result = Result(g, make.message(plain, author="Postmaster@power.example"), "postmaster@power.example", [EDI])
    delivered(tap, result, ("none", "none"), "the partner's postmaster")
    result = Result(g, make.message(plain, author="postmaster@power.example"), PARTNER, [EDI])
    tap.ok(len(result.reports) == 1 and not result.people, "... as author only: the envelope counts, too", result)
    for field in ("List-Id: <edi.power.example>\n", "Auto-Submitted: auto-replied\n", "Precedence: bulk\n"):
        result = Result(g, make.message(plain, more=field), PARTNER, [EDI])
        tap.ok(result.status == 0 and not result.reports and not result.people and len(result.notices("not-answered")) == 1,
               f"refused, but never answered: {field.strip()}", result)
    result = Result(g, make.message(plain), USER, [EDI])
    tap.ok(result.status == 0 and not result.reports and not result.people and "its\\x20sender\\x20is\\x20inside" in result.log
           and len(result.notices("form")) == 1, "an envelope sender of ours from outside is not answered", result)


def no_oracle(tap, g, make):
    """What only a key finds out is not told: deliveries go their usual way."""
    found = ("not-integrity-protected", "none")
    delivered(tap, Result(g, make.message(make.encrypt(text(BODY))), PARTNER, [EDI]), found, "right outside, nothing signed inside", "form")
    forged = make.sign(more=[]).replace(b"UNA", b"UNB")
    delivered(tap, Result(g, make.message(make.encrypt(forged)), PARTNER, [EDI]), (found[0], "invalid"), "a bad signature by v1.5", "forged")
    strange = {"more": [], "who": "stranger"}
    delivered(tap, Result(g, make.both(strange), PARTNER, [EDI]), (found[0], "untrusted"), "v1.5 by a certificate that nobody trusts", "form")
    other = {"more": [], "who": VICTIM}
    delivered(tap, Result(g, make.both(other), PARTNER, [EDI]), (found[0], "valid-other-address"), "v1.5 by somebody else", "form")
    wrong = {"more": []}
    delivered(tap, Result(g, make.both(wrong), ALIEN, [EDI]), (found[0], "valid"), "the partner's v1.5, the report would go elsewhere", "form")
    delivered(tap, Result(g, make.both(wrong), "edi@grid.example", [EDI]), (found[0], "valid"), "... or to another partner", "form")
    inner = make.encrypt(make.sign(), more=[])
    refused(tap, Result(g, make.message(make.encrypt(inner)), PARTNER, [EDI]), "RSAES-PKCS1-v1_5",
            "a second encryption by v1.5 inside, and a good signature")
    closed = make.encrypt(make.encrypt(make.sign(), more=[], to="stranger"))
    delivered(tap, Result(g, make.message(closed), PARTNER, [EDI]), ("undecryptable", "none"), "the same for a key that is not here", "undecryptable")
    unsigned = make.encrypt(make.encrypt(text(BODY), more=[]))
    delivered(tap, Result(g, make.message(unsigned), PARTNER, [EDI]), found, "the same without a signature", "form")


def damaged(make, options):
    """The same form, everything else different: (name, message)."""
    good = der_of(make.encrypt(make.sign(), more=options))
    key = good.index(tlv(4, bytes(256))[:4]) + 4
    yield "good", good
    yield "damaged key", good[:key + 100] + bytes([good[key + 100] ^ 1]) + good[key + 101:]
    yield "damaged last block", good[:-3] + bytes([good[-3] ^ 1]) + good[-2:]
    yield "damaged block before", good[:-19] + bytes([good[-19] ^ 1]) + good[-18:]
    yield "unsigned", der_of(make.encrypt(text(BODY), more=options))
    yield "no key here", der_of(make.encrypt(make.sign(), more=options, to="stranger"))


def same_answer(tap, g, make):
    """A wrong form is answered the same whatever a key would find; with the right form all failures are silent alike."""
    answers = {}
    for name, der in damaged(make, []):
        result = Result(g, make.message(wrap(der)), PARTNER, [EDI])
        refused(tap, result, "RSAES-PKCS1-v1_5", f"v1.5, {name}")
        answers[name] = re.sub(r"\bTEST\d+\b", "", report_text(result)) if result.reports else None
        tap.ok("keys-file" not in result.log.replace("modules/keys-file", ""), "... without asking for a key", result.log)
    tap.ok(len(set(answers.values())) == 1, "one report for all of them", answers)
    for name, der in damaged(make, OAEP):
        if name in ("good", "unsigned"):
            continue
        result = Result(g, make.message(wrap(der)), PARTNER, [EDI])
        tap.ok(result.status == 0 and not result.reports and len(result.people) == 1 and len(result.admin) == 1,
               f"OAEP, {name}: delivered, no report, ADMIN is told", result)


def once(tap, g, make):
    octets = make.both({}, {"more": []})
    flag = g.base / "down"
    flag.write_text("external\n")
    result = Result(g, octets, PARTNER, [EDI])
    tap.ok(result.status == 75 and not result.people and not result.reports, "the report cannot be sent: the message waits", result)
    flag.unlink()
    result = Result(g, octets, PARTNER, [EDI], fresh=False)
    tap.ok(result.status == 0 and len(result.reports) == 1 and not result.people and not result.admin,
           "a retry sends it, ADMIN is not told again", result)
    result = Result(g, octets, PARTNER, [EDI], fresh=False)
    tap.ok(result.status == 0 and not result.reports and not result.people and not result.admin, "another retry sends nothing", result)
    result = Result(g, octets, PARTNER, [EDI, USER], fresh=False)
    tap.ok(result.status == 0 and reported(result) == [USER] and not result.people,
           "a recipient who was not named before is reported, alone, though it is within the hour", result)
    result = Result(g, make.both({}, {"more": []}), PARTNER, [EDI], fresh=False)
    tap.ok(result.status == 0 and not result.reports and not result.people and "report=held-back" in result.log
           and len(result.notices("form")) == 1, "another message within the hour: refused, no report, ADMIN is told", result)
    result = Result(g, make.both({}, {"more": []}, author="sales@power.example"), "sales@power.example", [EDI], fresh=False)
    tap.ok(len(result.reports) == 1, "another sender has his own", result)
    state = g.base / "var/run/reports"
    lines = state.read_text().splitlines()
    state.write_text("".join(re.sub(r"^\d+", lambda m: str(int(m[0]) - 3601), line) + "\n" for line in lines))
    result = Result(g, make.both({}, {"more": []}), PARTNER, [EDI], fresh=False)
    tap.ok(len(lines) == 2 and len(result.reports) == 1, "an hour later there is a report again", result)
    now = state.read_text().split()[0]
    state.write_text("".join(f"{now} {n:064x} {n:064x}\n" for n in range(100)))
    result = Result(g, make.both({}, {"more": []}), PARTNER, [EDI], fresh=False)
    tap.ok(not result.reports and not result.people and "report=held-back" in result.log, "a hundred senders within an hour are enough", result)
    two = make.both({}, {"more": []})
    result = Result(g, two, PARTNER, [EDI, USER])
    tap.ok(reported(result) == [EDI, USER] and not result.people, "two recipients, one report", result)


def modes(tap, g, make):
    base = g.conf + CONF
    conf = g.base / "etc/julia.conf"
    octets = make.both({}, {"more": []})
    conf.write_text(base + "SMIME_ENGINE = 1\n")
    result = Result(g, octets, PARTNER, [EDI])
    tap.ok(len(result.people) == 1 and result.people[0].octets == octets and not result.reports and not result.admin
           and "refuse=found" in result.log, "SMIME_ENGINE=1: only logged, the message goes as it came", result)
    code, output = g.incoming(octets, PARTNER, [EDI], "-explain")
    tap.ok(b"with 2 it would be" in output and b"refused, and the sender gets a report" in output, "... -explain says what would be", output)
    conf.write_text(base + "SMIME_ENGINE = 0\n")
    result = Result(g, octets + b"0", PARTNER, [EDI])
    tap.ok(len(result.people) == 1 and not result.reports, "SMIME_ENGINE=0: passed on", result)
    for more in ("MODE = gateway\nSCANNER_CLIENTS = 198.51.100.1\n", "DELIVER = original\n",
                 "DELIVER = reencrypt\nGATEWAY_KEY = edi@behoerde.de\n", "MODE = gateway\nSCANNER_CLIENTS = 198.51.100.1\nDELIVER = original\n"):
        conf.write_text(base + more)
        label = more.replace("SCANNER_CLIENTS = 198.51.100.1\n", "").strip().replace("\n", ", ")
        refused(tap, Result(g, make.both({}, {"more": []}), PARTNER, [EDI]), "RSAES-PKCS1-v1_5", label)
        refused(tap, Result(g, make.both({"more": []}), PARTNER, [EDI]), "RSASSA-PKCS1-v1_5", label + ", inside")
        tap.ok(not [f for f in (g.base / "var/hold").rglob("*") if f.is_file()], "... nothing is held")
        result = Result(g, make.both(), PARTNER, [EDI])
        tap.ok(result.status == 0 and len(result.people) == 1 and not result.reports and not result.admin, "... the right form goes on", result)
    conf.write_text(base + "LANGUAGE = de\n")
    result = Result(g, make.both({}, {"more": []}), PARTNER, [EDI])
    tap.ok("Gefunden: RSAES-PKCS1-v1_5" in report_text(result) and "Schlüsseltransport RSAES-OAEP" in report_text(result), "in German", result)
    result = Result(g, make.message(text(BODY)), PARTNER, [EDI])
    tap.ok("ist nicht verschlüsselt" in report_text(result), "... and for clear text", result)
    conf.write_text(base)


def explained(tap, g, make):
    for octets, words in ((make.both({}, {"more": []}), ("\trefuse=form: found: RSAES-PKCS1-v1_5; required: RSAES-OAEP", "power.example bdew: refused")),
                          (make.message(text()), ("\trefuse=form-clear: found: not encrypted",)),
                          (make.both({"more": []}), ("\trefuse=form: found: RSASSA-PKCS1-v1_5 (SHA-256)",)),
                          (make.both(), ("incoming\tinternal\t", "power.example bdew: the message has this form")),
                          (make.message(make.encrypt(text())), ("incoming\tinternal\t", "not refused, for a report", "found: not signed"))):
        code, output = g.incoming(octets, PARTNER, [EDI], "-explain")
        tap.ok(code == 0 and all(word in output.decode() for word in words) and not g.collect(), f"-explain: {words[0].strip()}", output)
    conf = g.base / "etc/julia.conf"
    lines = len((g.conf + CONF).splitlines())
    conf.write_text(g.conf + CONF.replace("bdew", "edi", 1))
    done = g.run(b"", "", "", [], "-check")[1].decode()
    old = g.base / "old-smime"
    old.write_text(OLD_SMIME.format(module=gateway.BUILD / "lib/modules/smime"))
    old.chmod(0o755)
    tap.ok(f'julia.conf:{lines - 1}: INCOMING_PROFILE: there is no profile "edi"' in done, "-check names file and line of an unknown profile", done)
    conf.write_text(re.sub(r"MODULE_SMIME = .*", f"MODULE_SMIME = {old}", g.conf) + CONF)
    done = g.run(b"", "", "", [], "-check")[1].decode()
    tap.ok("FAULT module" in done and "has no operation inspect" in done, "... and a smime module that cannot inspect", done)
    result = Result(g, make.both(), PARTNER, [EDI])
    tap.ok(result.status == 75 and not result.reports and not result.people, "... with which a partner's mail waits", result)
    result = Result(g, make.message(text(), author=VICTIM), VICTIM, [EDI])
    tap.ok(result.status == 0 and len(result.people) == 1, "... and other mail does not", result)
    conf.write_text(g.conf + CONF)


def recipe(tap, g, make):
    """docs/bdew.md: its configuration, its rule and its commands do what it says."""
    page = (gateway.SOURCE / "docs/bdew.md").read_text(encoding="utf-8")
    blocks = [line[4:] for line in page.splitlines() if line.startswith("    ")]
    conf = [line for line in blocks if re.match(r"(INCOMING_PROFILE|PROFILE_\w+) = ", line)]
    rule = next(line for line in blocks if "(do)" in line).replace("netz.example", "behoerde.de")
    status, said, sent, _ = send(g, rule + "\n", PARTNER, conf=conf[0] + "\n")
    tap.ok(status == 0 and len(sent) == 1, "docs/bdew.md: the rule", said)
    check_written(tap, g, sent[0].octets, [PARTNER], "docs/bdew.md")
    room = g.base / "partner"
    room.mkdir()
    for name, path in (("edi.crt", PARTNER + ".crt"), ("edi.key", PARTNER + ".key"), ("netz.crt", EDI + ".crt")):
        shutil.copy(g.pki.path(path), room / name)
    (room / "invoic.eml").write_bytes(text(BODY))
    for command in re.findall(r"^    openssl .*(?:\n        .*)*", page, re.M):
        subprocess.run(["sh", "-ec", command], cwd=room, check=True)
    octets = make.message((room / "message.eml").read_bytes())
    delivered(tap, Result(g, octets, PARTNER, [EDI]), ("not-integrity-protected", "valid"), "docs/bdew.md: what a partner must send")
    (g.base / "etc/julia.conf").write_text(g.conf + "\n".join(conf[1:]) + "\n")
    done = g.run(b"", "", "", [], "-check")[1].decode()
    tap.ok(len(conf) == 3 and "PROFILE" not in done, "docs/bdew.md: the other profile", done)
    result = Result(g, make.both({}, {"more": []}), PARTNER, [EDI])
    report = " ".join(report_text(result).split())
    sample = [line.strip() for line in blocks[blocks.index("edi@netz.example"):] if line.startswith("    ")][:8]
    tap.ok(len(sample) == 7 and all(" ".join(line.split()) in report for line in sample), "docs/bdew.md: what a partner sees", f"{sample} {report}")
    (g.base / "etc/julia.conf").write_text(g.conf + CONF)


def main():
    tap = gateway.Tap()
    with gateway.Gateway() as g:
        out, pki = Outside(g.pki), g.pki
        target = g.base / "target"
        target.write_text(target.read_text().replace("\nd=", f"\n! grep -qsx \"$1\" {g.base}/down || exit 75\nd=", 1))
        g.conf = (g.base / "etc/julia.conf").read_text()
        for name in (EDI, USER):
            g.own_key(name)
        g.own_key("curve@behoerde.de", "ec")
        g.own_key("pss@behoerde.de", "rsa-pss")
        g.own_key("pss384@behoerde.de", "rsa-pss-sha384")
        g.partner(PARTNER)
        g.partner("ec@power.example", "ec")
        g.partner("pss@power.example", "rsa-pss")
        g.partner("archive@behoerde.de")
        g.partner("curves@behoerde.de", "ec")
        for name, kind in (("both-rsa", "rsa"), ("both-ec", "ec")):
            pki.person("both@power.example", kind, name=name)
            shutil.copy(pki.path(name + ".crt"), g.base / "etc/public" / (name + ".pem"))
        outgoing(tap, g, out)
        outgoing_signers(tap, g, out)
        for name in (VICTIM, "old@grid.example"):
            pki.person(name)
        pki.person("curve-edi@power.example", "ec")
        pki.person(PARTNER, name="second")
        strangers = gateway.Pki(g.base / "strangers")
        strangers.person(PARTNER, name="stranger")
        for end in ("key", "crt"):
            shutil.copy(strangers.path("stranger." + end), pki.path("stranger." + end))
        (g.base / "etc/julia.conf").write_text(g.conf + CONF)
        make = Maker(g, out)
        for part in (right_forms, wrong_outside, wrong_inside, not_at_all, who, no_oracle, same_answer, once, explained, recipe, modes):
            part(tap, g, make)
    return tap.end()


sys.exit(main())
