#!/usr/bin/env python3
"""REPORT: the part that tells readers in words what was found. Where it stands and where it must not, that nothing else of the message changes, what
it says for each status in both languages, and what hostile certificates can make of it. Authentication-Results beside it, by the grammar of RFC 8601."""
import email
import email.policy
import html.parser
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import gateway  # noqa: E402
from outside import EYE, LEAF, Delivered, Outside, fields, receive, text  # noqa: E402

ONE, TWO, GATE = "user_1@behoerde.de", "user_2@behoerde.de", "gate@behoerde.de"
WORDS = {}  # language -> kind-word -> what readers are told


def settings(g, **values):
    conf = g.base / "etc/julia.conf"
    lines = [line for line in conf.read_text().splitlines() if line.split(" ")[0] not in values]
    conf.write_text("\n".join(lines + [f"{name} = {value}" for name, value in values.items() if value is not None]) + "\n")


def one(g, octets, recipients=(ONE,)):
    """A message is delivered once: each has a field of its own in front."""
    one.count = getattr(one, "count", 0) + 1
    eol = b"\r\n" if octets.split(b"\n", 1)[0].endswith(b"\r") else b"\n"
    code, output, got, _ = receive(g, b"X-Run: %d" % one.count + eol + octets, recipients)
    return (got[0] if code == 0 and len(got) == 1 else None), f"{code} {output} {[d.octets[:3000] for d in got]}"


def read_words():
    for language in ("en", "de"):
        WORDS[language] = {}
        for path in (gateway.SOURCE / "etc/templates" / language).glob("*-*.txt"):
            lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
            WORDS[language][path.stem] = lines[0]


class Report:
    """The delivered message taken apart: the letter's octets, and the report's texts (None without a report)."""

    def __init__(self, got):
        self.message = email.message_from_bytes(got.octets, policy=email.policy.default)
        self.letter, self.part, self.text, self.html = None, None, None, None
        parts = list(self.message.iter_parts()) if self.message.get_content_type() == "multipart/mixed" else []
        if len(parts) != 2 or parts[1]["Content-Description"] != "S/MIME report":
            return
        boundary = ("--" + self.message.get_boundary()).encode()
        eol = b"\r\n" if b"\r\n" in got.octets.split(b"\n", 1)[0] + b"\n" else b"\n"
        self.letter = got.octets.split(eol + boundary)[1].removeprefix(eol)
        self.part = parts[1]
        for leaf in self.part.walk():
            if leaf.get_content_type() == "text/plain":
                self.text = leaf.get_content()
            if leaf.get_content_type() == "text/html":
                self.html = leaf.get_content()

    def defects(self):
        return [part.defects for part in self.message.walk() if part.defects]


class Tags(html.parser.HTMLParser):
    """Tags and attributes in their order, and the visible text."""

    def __init__(self, source):
        super().__init__(convert_charrefs=True)
        self.tags, self.shown = [], ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, tuple(attrs)))

    def handle_endtag(self, tag):
        self.tags.append(("/" + tag, ()))

    def handle_data(self, data):
        self.shown += data


# ---- Authentication-Results, by RFC 8601 section 2.2 ---------------------------------------------------------------------

CFWS = r"(?:[ \t]*(?:\r?\n[ \t]+)?(?:\((?:[^()\\]|\\.)*\))?)*"
TOKEN = r"[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+"
QUOTED = r'"(?:[\t !#-\[\]-~]|\\[\t -~])*"'
VALUE = f"(?:{TOKEN}|{QUOTED})"
KEYWORD = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
PROPERTY = f"{CFWS}({KEYWORD}){CFWS}\\.{CFWS}({KEYWORD}){CFWS}={CFWS}({VALUE})"
RESULT = re.compile(f"{CFWS}({VALUE}){CFWS};{CFWS}({KEYWORD}){CFWS}={CFWS}({KEYWORD})(?:{CFWS}reason{CFWS}={CFWS}({VALUE}))?((?:{PROPERTY})*){CFWS}")
RESULTS = {"none", "pass", "fail", "policy", "neutral", "temperror", "permerror"}  # RFC 7281 section 3.2


def unquote(value):
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value and value[0] == '"' else value


def authentication_results(value):
    """(authserv-id, method, result, reason, properties), or None when it does not fit the grammar."""
    found = RESULT.fullmatch(value)
    if not found or found[3] not in RESULTS:
        return None
    properties = {f"{kind}.{name}": unquote(content) for kind, name, content in re.findall(PROPERTY, found[5])}
    return unquote(found[1]), found[2], found[3], unquote(found[4]), properties


def raw_field(got, name):
    """The value of the only field of that name with its folding; every line of it within RFC 5322's limit."""
    found = re.findall(rb"(?im)^" + name.encode() + rb":((?:.*\r?\n)(?:[ \t].*\r?\n)*)", got.octets.replace(b"\r\n", b"\n").split(b"\n\n")[0] + b"\n")
    assert len(found) == 1 and all(len(line) < 998 for line in found[0].split(b"\n")), found
    return found[0].decode("ascii").rstrip("\n")


def results(tap, got, result, what, **properties):
    parsed = authentication_results(raw_field(got, "Authentication-Results"))
    tap.ok(parsed and parsed[:3] == ("gate.behoerde.de", "smime", result), f"{what}: smime={result} by RFC 8601's grammar", got.octets[:1500])
    tap.ok(parsed and parsed[3] == (None if result == "pass" else got.signature), f"{what}: the reason is the status", parsed)
    for name, value in properties.items():
        name = "body.smime-" + name
        tap.ok(parsed and parsed[4].get(name) == value, f"{what}: {name} is {value!r}", parsed)


# ---- the parts ------------------------------------------------------------------------------------------------------------

def configuration(tap, g):
    for value, good in (("no", True), ("text", True), ("html", True), ("yes", False), ("HTML", False)):
        settings(g, REPORT=value)
        done = subprocess.run([gateway.BUILD / "bin/julia", "-c", g.base / "etc/julia.conf", "-check"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        code, output = done.returncode, done.stdout
        told = f'REPORT: "{value}" is not one of no|text|html'.encode() in output
        tap.ok(told != good and (code == 0) == good, f"REPORT={value}: {'accepted' if good else 'refused, naming the words'}", output)
    settings(g, REPORT=None)


def structure(tap, g, out):
    octets = fields() + out.encrypt(text(), ONE, cipher="aes-256-gcm")
    for language in ("en", "de"):
        for value, want in (("text", ["text/plain"]), ("html", ["multipart/alternative", "text/plain", "text/html"])):
            settings(g, REPORT=value, LANGUAGE=language)
            got, detail = one(g, octets)
            report = Report(got)
            what = f"{value}, {language}"
            tap.ok(not report.defects() and [part.get_content_type() for part in report.message.walk()] == ["multipart/mixed", "text/plain", *want],
                   f"{what}: the parts", detail)
            tap.ok(report.part["Content-Description"] == "S/MIME report", f"{what}: described", detail)
            for leaf in [part for part in report.part.walk() if not part.is_multipart()]:
                kind = {"plain": "txt", "html": "html"}[leaf.get_content_subtype()]
                tap.ok(leaf.get_content_disposition() == "inline" and leaf.get_filename() == f"smime-report.{kind}" and leaf["Content-Language"] == language and
                       leaf.get_content_charset() == "utf-8" and leaf["Content-Transfer-Encoding"] == "quoted-printable", f"{what}: the {kind} part's header",
                       leaf.items())
            tap.ok(got.octets.isascii() and max(map(len, got.octets.split(b"\n"))) < 200, f"{what}: fit for every relay", detail)
            tap.ok(bool(re.search(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\n", report.text)), f"{what}: when it was checked, with the zone", report.text)
            tap.ok(re.search(r"(?m)^\s*$\n^\s*$\n^\s*$", report.text) is None, f"{what}: no holes", report.text)
    settings(g, REPORT=None, LANGUAGE=None)


# What senders encrypt, in one form or another. The letter is the same octets afterwards.
LETTERS = {
    "plain": b"Content-Type: text/plain; charset=us-ascii\n\nGood morning.\n",
    "no line end": b"Content-Type: text/plain\n\nGood morning.",
    "empty": b"Content-Type: text/plain\n\n",
    "empty lines at the end": b"Content-Type: text/plain\n\nx\n\n\n",
    "8bit": b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nGr\xc3\xbc\xc3\x9fe \xff\n",
    "folded header": b"Content-Type: text/plain;\n\tcharset=\"utf-8\"\nContent-Disposition  : inline\nCONTENT-ID: <a@b>\n\n-- \nEva\n",
    "alternative": b"Content-Type: multipart/alternative; boundary=b\n\npreamble\n--b\n\nx\n--b\nContent-Type: text/html\n\n<p>x\n--b--\nepilogue\n",
    "forwarded": b"Content-Type: message/rfc822\n\nFrom: a@b\nX-JULIA-Signature: valid\n\ninner\n",
    "attachment": b"Content-Type: multipart/mixed; boundary=\"=_julia_report\"\n\n--=_julia_report\n\nx\n--=_julia_report\n"
                  b"Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\nJVBERi0xLjQK\n--=_julia_report--\n",
}


def letters(tap, g, out):
    settings(g, REPORT="html", STRIP_SIGNATURES="yes")
    for name, letter in LETTERS.items():
        for eol in (b"\n", b"\r\n"):
            want = letter.replace(b"\n", eol)
            for how, octets in (("encrypted", fields() + out.encrypt(letter, ONE, cipher="aes-128-gcm")),
                                ("signature removed", fields() + out.sign(letter, EYE, more=("-binary",)))):
                if how == "signature removed" and name == "empty":
                    continue  # openssl's -binary signs no such thing
                got, detail = one(g, octets.replace(b"\r\n", b"\n").replace(b"\n", eol))
                report = got and Report(got)
                tap.ok(got and report.letter == want, f"{name}, {how}, {'CRLF' if eol == bytes([13, 10]) else 'LF'}: the letter is octet for octet what came",
                       f"{report and report.letter} {detail}")
    settings(g, REPORT=None, STRIP_SIGNATURES=None)


def only_added(got, octets):
    """Nothing but julia's own fields stands in front of the original."""
    return got.octets.endswith(octets) and not re.search(rb"(?m)^(?!X-JULIA-|Authentication-Results:|X-Run:|[ \t]|\Z)", got.octets[:-len(octets)])


def without(tap, g, out):
    """Where a further part would break something, there is none."""
    settings(g, REPORT="html")
    g.pki.person("stranger@partner-1.com")
    signed = out.sign(text(), EYE)
    for name, entity in (("neither signed nor encrypted", b"\nHello\n"), ("signed, clear", signed), ("signed, opaque", out.sign(text(), EYE, opaque=True)),
                         ("signature broken", signed.replace(b"morning", b"mourning")), ("not for us", out.encrypt(text(), "stranger@partner-1.com")),
                         ("3DES", out.encrypt(text(), ONE, cipher="des3"))):
        octets = fields() + entity
        got, detail = one(g, octets)
        tap.ok(got and only_added(got, octets), f"{name}: as it came, fields only", detail)
    pgp = b"Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\n\n--b\n\nVersion: 1\n--b\n\nx\n--b--\n"
    for name, inner in (("clear signature inside", signed), ("opaque signature inside", out.sign(text(), EYE, opaque=True)), ("OpenPGP inside", pgp),
                        ("OpenPGP signature inside", pgp.replace(b"/encrypted", b"/signed").replace(b"pgp-encrypted", b"pgp-signature")),
                        ("inside encrypted for another", out.encrypt(text(), "stranger@partner-1.com"))):
        got, detail = one(g, fields() + out.encrypt(inner, ONE))
        body = inner[inner.index(b"\n\n"):].replace(b"\r\n", b"\n")
        tap.ok(got and got.octets.endswith(body) and b"S/MIME report" not in got.octets, f"{name}: no report, the inside stays", detail)
    settings(g, DELIVER="original")
    octets = fields() + out.encrypt(text(), ONE)
    got, detail = one(g, octets)
    tap.ok(got and only_added(got, octets), "DELIVER=original: none", detail)
    settings(g, DELIVER="reencrypt", GATEWAY_KEY=GATE)
    shutil.copy(g.pki.path(ONE + ".crt"), g.base / "etc/public/one.pem")
    got, detail = one(g, octets)
    tap.ok(got and b"report" not in got.octets, "DELIVER=reencrypt: nothing of it outside", detail)
    opened = got and gateway.openssl("cms", "-decrypt", "-inkey", g.pki.path(ONE + ".key"), input=got.octets)
    report = opened and Report(Delivered(("internal", [], opened, [])))
    tap.ok(opened and report.text and WORDS["en"]["encryption-not-integrity-protected"] in report.text, "... it is inside of what was encrypted anew", opened)
    (g.base / "etc/public/one.pem").unlink()
    settings(g, REPORT=None, DELIVER=None, GATEWAY_KEY=None)


def crl(g, *revoked):
    """The CRL of the test CA, with these certificates on it."""
    folder = g.pki.path("crl")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "index").write_text("")
    (folder / "number").write_text("01\n")
    (folder / "conf").write_text(f"[ca]\ndefault_ca=x\n[x]\ndatabase={folder}/index\ncrlnumber={folder}/number\ndefault_md=sha256\n"
                                 f"default_crl_days=30\ncertificate={g.pki.path('ca.crt')}\nprivate_key={g.pki.path('ca.key')}\n")
    for name in revoked:
        gateway.openssl("ca", "-config", folder / "conf", "-revoke", g.pki.path(name + ".crt"))
    gateway.openssl("ca", "-config", folder / "conf", "-gencrl", "-out", folder / "crl.pem")
    shutil.copy(folder / "crl.pem", g.base / "etc/ca/crl.pem")


def said(tap, g, octets, signature, encryption, what):
    """One message, told in both languages. Returns the English report and what was delivered."""
    reports = {}
    for language in ("de", "en"):
        settings(g, LANGUAGE=language)
        got, detail = one(g, octets)
        report = got and Report(got)
        words = [WORDS[language][f"signature-{signature}"], WORDS[language][f"encryption-{encryption}"]]
        tap.ok(got and got.status == (encryption, signature), f"{what}: {encryption}, {signature}", detail)
        tap.ok(report and report.text and all(re.search(rf"(?m)^. {re.escape(word)}$", report.text) for word in words), f"{what}: told in words, {language}",
               report and report.text)
        shown = Tags(report.html).shown if report and report.html else ""
        tap.ok(all(word in shown for word in words) and "${" not in shown, f"{what}: in HTML, too, {language}", shown)
        others = [other for name, other in WORDS[language].items() if re.match("signature|encryption", name) and other not in words]
        tap.ok(not [other for other in others if re.search(rf"(?m)^. {re.escape(other)}$", report.text)], f"{what}: and nothing else, {language}", report.text)
        reports[language] = report
    return reports["en"], got


def statuses(tap, g, out):
    """Every status that a message with a report can have."""
    settings(g, REPORT="html", STRIP_SIGNATURES="yes")
    gcm = {"cipher": "aes-256-gcm"}
    report, _ = said(tap, g, fields() + out.encrypt(text(), ONE, EYE, **gcm), "none", "decrypted", "GCM")
    for line in ("Cipher: AES-256 (GCM), which protects from change, too", "Encrypted to: 2 key(s), often including one of the sender",
                 f"Opened with: the recipient's own key ({ONE})", f"Sender shown (From): {EYE}"):
        tap.ok(f"- {line}\n" in report.text, f"... {line}", report.text)
    report, _ = said(tap, g, fields() + out.encrypt(text(), ONE), "none", "not-integrity-protected", "CBC")
    tap.ok("- Cipher: AES-256 (CBC), which does not protect from change\n" in report.text, "... the cipher", report.text)
    settings(g, GATEWAY_KEY=GATE)
    report, _ = said(tap, g, fields() + out.encrypt(text(), GATE, **gcm), "none", "decrypted", "gateway key")
    tap.ok(f"- Opened with: a key of the gateway for the whole organisation ({GATE})\n" in report.text, "... whose key", report.text)
    settings(g, GATEWAY_KEY=None)

    signed = out.sign(text(), EYE)
    report, got = said(tap, g, fields() + out.encrypt(signed, ONE, **gcm), "valid", "decrypted", "signed and encrypted")
    fingerprint = gateway.openssl("x509", "-in", g.pki.path(EYE + ".crt"), "-noout", "-fingerprint", "-sha256").decode().split("=")[1].replace(":", "").strip().lower()
    serial = gateway.openssl("x509", "-in", g.pki.path(EYE + ".crt"), "-noout", "-serial").decode().split("=")[1].strip().lower()
    for line in (f"Signed by: {EYE}", "Issued by: \u201cTest CA\u201d", f"Fingerprint (SHA-256): {fingerprint}", f"Certification path: \u201c{EYE} \u2190 Test CA\u201d",
                 "Revocation: could not be found out: there was no current revocation list"):
        tap.ok(f"- {line}\n" in report.text, f"... {line}", report.text)
    results(tap, got, "pass", "valid", identifier=EYE, serial=serial, issuer="CN=Test CA")
    _, got = said(tap, g, fields(sender="boss@partner-1.com") + signed, "valid-other-address", "none", "another address")
    results(tap, got, "policy", "another address", identifier=EYE)
    report, got = said(tap, g, fields() + signed.replace(b"morning", b"mourning"), "invalid", "none", "changed")
    results(tap, got, "fail", "changed", identifier=None, serial=None)
    tap.ok("Signed by" not in report.text and "Fingerprint" not in report.text, "... nobody is named as the signer of an invalid signature", report.text)
    gateway.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", g.pki.path("self.key"), "-out", g.pki.path("self.crt"),
                    "-subj", "/CN=x", "-addext", f"subjectAltName=email:{EYE}")
    report, got = said(tap, g, fields() + out.sign(text(), "self"), "untrusted", "none", "untrusted")
    results(tap, got, "policy", "untrusted")
    tap.ok("- Verdict: " in report.text and "- Reason: \u201c" in report.text, "... and why", report.text)
    g.pki.person("past@partner-1.com", "ec", days=-1)
    _, got = said(tap, g, fields(sender="past@partner-1.com") + out.sign(text(), "past@partner-1.com"), "expired", "none", "expired")
    results(tap, got, "policy", "expired")
    report, got = said(tap, g, fields() + out.sign(text(), EYE, more=("-nocerts",)), "unknown", "none", "certificate missing")
    results(tap, got, "permerror", "certificate missing", identifier=None)
    _, got = said(tap, g, fields() + gateway.openssl("cms", "-sign", "-md", "sha1", *out.pair(EYE), input=text()), "unsupported", "none", "SHA-1")
    results(tap, got, "neutral", "SHA-1")
    settings(g, ACCEPT_WEAK="yes")
    report, _ = said(tap, g, fields() + gateway.openssl("cms", "-sign", "-md", "sha1", *out.pair(EYE), input=text()), "valid", "none", "ACCEPT_WEAK")
    tap.ok("- Weak methods were used: sha1\n" in report.text, "... is told", report.text)
    settings(g, ACCEPT_WEAK=None)

    settings(g, REVOCATION="off")
    report, _ = said(tap, g, fields() + signed, "valid", "none", "REVOCATION=off")
    tap.ok("- Revocation: is not asked for at this gateway\n" in report.text, "... is told", report.text)
    settings(g, REVOCATION="require")
    _, got = said(tap, g, fields() + signed, "unknown", "none", "REVOCATION=require, no CRL")
    results(tap, got, "temperror", "REVOCATION=require, no CRL", identifier=EYE)
    crl(g)
    report, _ = said(tap, g, fields() + signed, "valid", "none", "a CRL")
    tap.ok(re.search(r"- Revocation: none of the certificates has been revoked \(oldest answer of 20[\d-]+ [\d:]+ UTC\)\n", report.text), "... of when", report.text)
    tap.ok(re.search("- Evidence: \u201ccrl 20.*not listed by the CRL of CN=Test CA", report.text), "... and which", report.text)
    crl(g, EYE)
    report, got = said(tap, g, fields() + signed, "revoked", "none", "revoked")
    results(tap, got, "fail", "revoked", identifier=EYE)
    tap.ok("- Revocation: the certificate, or one above it, has been revoked\n" in report.text, "... is told", report.text)
    (g.base / "etc/ca/crl.pem").unlink()
    shutil.copy(g.pki.path(EYE + ".crt"), g.base / "etc/untrusted/eva.pem")
    report, _ = said(tap, g, fields() + signed, "untrusted", "none", "distrusted")
    tap.ok("- Decided by a local list: untrusted\n" in report.text and "- Revocation:" not in report.text, "... by which list", report.text)
    (g.base / "etc/untrusted/eva.pem").unlink()
    settings(g, REPORT=None, STRIP_SIGNATURES=None, LANGUAGE=None, REVOCATION=None)


def protected(tap, g, out):
    """From inside and outside of the encryption differ: the report tells which one is shown, and the other."""
    settings(g, REPORT="text", STRIP_SIGNATURES="yes")
    entity = f"Content-Type: text/plain; hp=\"cipher\"\nFrom: {EYE}\nSubject: x\n\nx\n".encode()
    got, detail = one(g, fields(sender="list@partner-2.com") + out.encrypt(out.sign(entity, EYE), ONE))
    report = got and Report(got)
    tap.ok(report and f"(From): {EYE}\n" in report.text and "list@partner-2.com. The signed one is shown.\n" in report.text, "the signed one inside", detail)
    got, detail = one(g, fields(sender="list@partner-2.com") + out.encrypt(entity, ONE))
    report = got and Report(got)
    tap.ok(report and "(From): list@partner-2.com\n" in report.text and f"{EYE}. It is not proven and not shown.\n" in report.text, "not proven inside", detail)
    settings(g, REPORT=None, STRIP_SIGNATURES=None)


def others(tap, g, out):
    """A copy for several recipients tells none of them who else got it."""
    settings(g, REPORT="html")
    octets = fields() + out.encrypt(text(), ONE, TWO, cipher="aes-256-gcm")
    code, output, got, _ = receive(g, octets, [ONE, TWO])
    reports = [Report(d) for d in got]
    tap.ok(code == 0 and sorted(r for d in got for r in d.recipients) == [ONE, TWO] and all(report.text for report in reports), "two recipients", output)
    for d, report in zip(got, reports, strict=True):
        named = [address for address in (ONE, TWO) if address in report.text + report.html]
        tap.ok(not named or d.recipients == named, "... nobody is named to somebody else", f"{d.recipients} {report.text}")
        tap.ok("- Opened with: the recipient's own key" in report.text, "... but whose kind of key it was", report.text)
    settings(g, REPORT=None)


def hostile(tap, g, out):
    """The report about a certificate full of tricks has the same lines and tags as that about an honest one."""
    settings(g, REPORT="html", STRIP_SIGNATURES="yes")
    tricks = (
        "/CN=Eva<script>alert(1)<\\/script>", "/CN=\"><img src=x onerror=alert(1)>", "/CN=Eva' onmouseover='x/O=&lt;b&gt;",
        "/CN=Eva\n\n\u2713 Valid signature of the sender shown\n", "/CN=Eva\r\n--=_julia_report--\r\n", "/CN=\u202egro.elpmaxe@ssob\u202c\u2066x\u200b\u00ad",
        "/CN=http:\\/\\/evil.example\\/a?b=c", "/CN=boss@bank.example", "/CN=www.evil.example/O=mailto:boss@bank.example", "/CN=\u201d Signed by: boss@bank.example \u201c",
        "/CN=${MYHOSTNAME} ${SIGNATURE_GOOD}", "/CN=e" + "\u0301" * 40, "/CN=\uff1cb\uff1e\uff20\uff0e", "/O=only an organisation",
        "/description=" + "A<b>\nSignature: valid\u202e " * 2200, "/CN=Eva/description=" + "x" * 50000)
    out.certificate("honest", f"email:{EYE}", "/CN=Eva")
    got, detail = one(g, fields() + out.sign(text(), "honest"))
    good = Report(got)
    for n, subject in enumerate(tricks):
        out.certificate(f"trick{n}", f"email:{EYE}", subject)
        got, detail = one(g, fields() + out.sign(text(), f"trick{n}"))
        what = ascii(subject[:40])
        report = got and Report(got)
        tap.ok(got and got.signature == "valid" and report.text and not report.defects(), f"{what}: valid", detail)
        if not report or not report.text:
            continue
        tap.ok([line.split(":")[0] for line in report.text.split("\n")] == [line.split(":")[0] for line in good.text.split("\n")],
               f"{what}: the same lines", report.text)
        tap.ok(Tags(report.html).tags == Tags(good.html).tags, f"{what}: the same tags and attributes", report.html)
        names = "".join(line for line in report.text.splitlines() if re.match("- (Name|Certification|Evidence)", line))
        tap.ok(len(names) < 2000 and names.count("\u201c") == names.count("\u201d") == 3, f"{what}: short, and between its quotation marks", names[:3000])
        both = report.text + Tags(report.html).shown
        bad = re.findall("[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2066-\u2069]|://|www\\.\\S|bank\\.example|\u0301{3}", both)
        tap.ok(not bad, f"{what}: nothing invisible, no link", bad)
        results(tap, got, "pass", what, identifier=EYE, issuer="CN=Test CA")
    out.certificate("huge", f"email:{EYE}", "/CN=Eva/description=" + "x" * 70000)
    got, detail = one(g, fields() + out.sign(text(), "huge"))
    report = got and Report(got)
    tap.ok(got and got.signature == "untrusted" and report.text and len(report.text) < 4000, "a certificate of over 64 KB: untrusted, and the report is short", detail)
    issuers(tap, g, out)
    settings(g, REPORT=None, STRIP_SIGNATURES=None)


def issuers(tap, g, out):
    """Names of a CA, as they stand in Authentication-Results, too."""
    names = {"utf8": ("/CN=B\u00fcro \"x\"", "CN=B\\C3\\BCro \\\"x\\\""), "no-blanks": ("/CN=x/description=" + "y" * 700, None),
             "words": ("/CN==?utf-8?q?x?= =?utf-8?q?y?=", "CN==?utf-8?q?x?= =?utf-8?q?y?="), "blanks": ("/CN=a   b; smime=fail", "CN=a \\20\\20b\\; smime=fail")}
    for name, (subject, told) in names.items():
        ca = g.pki.path(f"ca-{name}")
        g.pki._key(f"ca-{name}", "ec")
        g.pki._extensions(f"ca-{name}", gateway.EXTENSIONS["ca"])
        gateway.openssl("req", "-new", "-x509", "-utf8", "-key", f"{ca}.key", "-out", f"{ca}.crt", "-days", 300, "-subj", subject,
                        "-config", g.pki._config(f"ca-{name}"), "-extensions", "x")
        shutil.copy(f"{ca}.crt", g.base / f"etc/ca/{name}.pem")
        g.pki._key(f"by-{name}", "ec")
        g.pki._extensions(f"by-{name}", LEAF + f"subjectAltName=email:{EYE}\n")
        request = gateway.openssl("req", "-new", "-key", g.pki.path(f"by-{name}.key"), "-subj", "/CN=Eva", "-config", g.pki._config(f"by-{name}"))
        gateway.openssl("x509", "-req", "-CA", f"{ca}.crt", "-CAkey", f"{ca}.key", "-CAcreateserial", "-days", 300, "-extfile", g.pki.path(f"by-{name}.ext"),
                        "-out", g.pki.path(f"by-{name}.crt"), input=request)
        got, detail = one(g, fields() + out.sign(text(), f"by-{name}"))
        tap.ok(got and got.signature == "valid" and Report(got).text, f"issuer {name}: valid", detail)
        if got:
            results(tap, got, "pass", f"issuer {name}", identifier=EYE, issuer=told)
        (g.base / f"etc/ca/{name}.pem").unlink()


def templates(tap, g, out):
    """Edited, missing and damaged templates: mail arrives with a report in any case."""
    folder = g.base / "etc/templates/en"
    octets = fields() + out.encrypt(text(), ONE, cipher="aes-256-gcm")
    settings(g, REPORT="html")
    (folder / "encryption-decrypted.txt").write_text("# ours\nSEALED\n\nIt was ${CIPHER_SEALED}.\nNever ${WEAK}.\n\nBye <b>.\n")
    got, detail = one(g, octets)
    report = got and Report(got)
    tap.ok(report and "\u2713 SEALED\n\nIt was AES-256 (GCM).\n\nBye <b>.\n" in report.text, "an edited template counts at once", detail)
    tap.ok(report and "It was AES-256 (GCM).<br><br>\nBye &lt;b&gt;." in report.html, "... in HTML, too", report and report.html)
    (folder / "encryption-decrypted.txt").write_bytes(b"\xff\xfe")
    (folder / "incoming-report.html").unlink()
    got, detail = one(g, octets)
    report = got and Report(got)
    tap.ok(report and "\u2713 Encryption: decrypted\n" in report.text and "<pre" in report.html and "Encryption: decrypted" in report.html, "damaged and missing ones", detail)
    tap.ok("encryption-decrypted.txt" in (g.base / "logs/julia.log").read_text(), "... are logged")
    (folder / "encryption-decrypted.txt").write_text("")
    got, detail = one(g, octets)
    tap.ok(got and "\u2713 decrypted\n" in Report(got).text, "an empty one: the word itself", detail)
    shutil.rmtree(folder)
    got, detail = one(g, octets)
    report = got and Report(got)
    tap.ok(report and "Encryption: decrypted\n" in report.text and "${" not in report.text + report.html, "no templates at all", detail)
    shutil.copytree(gateway.SOURCE / "etc/templates/en", folder)
    settings(g, REPORT=None)


def explained(tap, g, out):
    """-explain says it in words, also for messages that cannot have a report."""
    for octets, words, part in ((fields() + out.encrypt(text(), ONE), ("none", "not-integrity-protected"), True),
                                (fields() + out.sign(text(), EYE), ("valid", "none"), False),
                                (fields() + out.encrypt(text(), "stranger@partner-1.com"), ("none", "undecryptable"), False)):
        for value in ("no", "text"):
            settings(g, REPORT=value)
            _, output = g.incoming(octets, EYE, [ONE], "-explain")
            told = f"# in words: {WORDS['en']['signature-' + words[0]]}; {WORDS['en']['encryption-' + words[1]]}\n".encode() in output
            tap.ok(told == (value == "text"), f"-explain, REPORT={value}: {words}", output)
            tap.ok((b"# no report part" in output) == (value == "text" and not part), "... and whether there is a report part", output)
    settings(g, REPORT=None)


def main():
    tap = gateway.Tap()
    read_words()
    with gateway.Gateway() as g:
        out = Outside(g.pki)
        for name in (ONE, TWO, GATE):
            g.own_key(name)
        g.pki.person(EYE)
        configuration(tap, g)
        for part in (structure, letters, without, statuses, protected, others, hostile, templates, explained):
            part(tap, g, out)
    return tap.end()


sys.exit(main())
