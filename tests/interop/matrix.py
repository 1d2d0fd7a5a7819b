"""The interoperability matrix: structures and algorithms, written by julia and read by each peer, and the other way round.

A cell is one of these words. "unknown" is proven each time: the peer must fail with the same thing written by OpenSSL, too."""
import dataclasses
import email
import re

from outside import Delivered, fields, wrap
from peers import BouncyCastle, CalledProgramFailed, Gateway, Gpgsm, NotOffered, Nss, OpenSsl, canonical
from thunderbird import Thunderbird

PEERS = (OpenSsl, Gpgsm, Nss, BouncyCastle, Thunderbird)

OK, FAIL = "ok", "FAIL"
UNKNOWN = "unknown"              # the peer reads no such thing, not OpenSSL's either
CANNOT = "cannot"                # the peer tried to write it, and gave up
UNWRITTEN = "-"                  # the writing side has no way to ask for it
NOT_INSTALLED = "not installed"

BODY = "Good day,\nGr\u00fc\u00dfe\nFrom the start\n.\n" + "x" * 2000 + "\n"
SHORT = "Good morning.\n"

@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    kind: str = "rsa"          # of the signer's or recipient's key
    form: str = ""             # clear or opaque: signed
    sign: str = "rsa-pkcs1"    # or rsa-pss; EC keys go by themselves
    digest: str = "sha256"
    cipher: str = ""           # encrypted
    keytrans: str = "pkcs1"    # or oaep-DIGEST
    shape: str = ""            # what is special: compressed, triple, recipients, mixed, signers
    ours: bool = True          # julia writes it
    theirs: bool = True        # the peers are asked to write it
    builtin: str = ""          # one of julia's own profiles, which means just this

    @property
    def profile(self):
        words = [f"sign={self.sign}", f"digest={self.digest}", f"form={self.form or 'clear'}"]
        words += [f"cipher={self.cipher or 'aes-256-cbc'}", "keytrans=rsa-" + self.keytrans]
        return " ".join(words)


def rows():
    """The whole matrix."""
    kinds = {"rsa": "RSA v1.5", "p256": "ECDSA P-256", "p384": "ECDSA P-384", "p521": "ECDSA P-521", "bp256": "ECDSA brainpoolP256r1",
             "bp384": "ECDSA brainpoolP384r1", "bp512": "ECDSA brainpoolP512r1"}
    for form in ("clear", "opaque"):
        for kind, name in kinds.items():
            digest = {"p384": "sha384", "bp384": "sha384", "p521": "sha512", "bp512": "sha512"}.get(kind, "sha256")
            yield Row(f"signed {form}, {name}, {digest}", kind, form, digest=digest)
            if kind == "rsa":
                yield Row(f"signed {form}, RSA v1.5, sha512", form=form, digest="sha512")
                yield Row(f"signed {form}, RSA-PSS, sha256", form=form, sign="rsa-pss")
        yield Row(f"signed {form}, Ed25519", "ed25519", form, ours=False)
    for bits in (128, 192, 256):
        yield Row(f"enveloped, AES-{bits}-CBC, RSA v1.5", cipher=f"aes-{bits}-cbc")
    for digest in ("sha1", "sha256", "sha384", "sha512"):
        yield Row(f"enveloped, AES-256-CBC, OAEP {digest}", cipher="aes-256-cbc", keytrans=f"oaep-{digest}", ours=digest != "sha1")
    yield Row("enveloped, AES-128-CBC, ECDH P-256", "p256", cipher="aes-128-cbc")
    for kind in ("p256", "p384", "p521", "bp256", "bp384", "bp512"):
        yield Row(f"enveloped, AES-256-CBC, ECDH {kinds[kind].split()[1]}", kind, cipher="aes-256-cbc")
    for bits in (128, 192, 256):
        yield Row(f"auth-enveloped, AES-{bits}-GCM, RSA v1.5", cipher=f"aes-{bits}-gcm")
    yield Row("auth-enveloped, AES-256-GCM, OAEP sha256", cipher="aes-256-gcm", keytrans="oaep-sha256")
    yield Row("auth-enveloped, AES-256-GCM, ECDH P-256", "p256", cipher="aes-256-gcm")
    yield Row("compressed, then AES-256-CBC, RSA v1.5", cipher="aes-256-cbc", shape="compressed", ours=False)
    yield Row("signed clear, then AES-128-CBC, RSA v1.5", form="clear", cipher="aes-128-cbc")
    for kind, name in (("rsa", "RSA v1.5"), ("p256", "P-256")):
        yield Row(f"signed clear, then AES-256-CBC, {name}", kind, "clear", cipher="aes-256-cbc")
        yield Row(f"signed opaque, then AES-256-CBC, {name}", kind, "opaque", cipher="aes-256-cbc")
    yield Row("signed clear, RSA-PSS, then AES-256-GCM, OAEP sha256", form="clear", sign="rsa-pss", cipher="aes-256-gcm",
              keytrans="oaep-sha256")
    for kind, name in (("rsa", "RSA"), ("p256", "P-256")):
        yield Row(f"profile default, {name}", kind, "clear", cipher="aes-256-cbc", theirs=False, builtin="default")
        yield Row(f"profile modern, {name}", kind, "clear", "rsa-pss", cipher="aes-256-gcm", keytrans="oaep-sha256", theirs=False,
                  builtin="modern")
    yield Row("profile bdew, RSA", form="clear", sign="rsa-pss", cipher="aes-256-cbc", keytrans="oaep-sha256", theirs=False, builtin="bdew")
    yield Row("triple wrap: signed, AES-128-CBC, signed", form="clear", cipher="aes-128-cbc", shape="triple", ours=False)
    yield Row("several recipients, AES-128-CBC, RSA v1.5", cipher="aes-128-cbc", shape="recipients")
    yield Row("several recipients, AES-256-CBC, RSA and EC", cipher="aes-256-cbc", shape="mixed")
    yield Row("several signers, clear, RSA v1.5", form="clear", shape="signers", ours=False)


REDUCED = re.compile(r"signed (clear|opaque), RSA v1.5, sha256|signed clear, RSA-PSS, sha256|signed clear, ECDSA P-256|"
                     r"enveloped, AES-128-CBC|enveloped, AES-256-CBC, (RSA|OAEP sha256|ECDH P-256)|auth-enveloped, AES-256-GCM, (OAEP|ECDH)|"
                     r"compressed|signed opaque, then AES-256-CBC, RSA|profile|triple|several")
# What every program reads, whatever else it does not know.
PLAIN = re.compile(r"signed (clear|opaque), RSA v1.5|enveloped, AES-\d+-CBC, RSA|signed \w+, then AES-\d+-CBC, RSA|profile default, RSA|"
                   r"several recipients, AES-128")


def reduced():
    """What every test run tries."""
    return [row for row in rows() if REDUCED.match(row.name)]


# ---- MIME around the CMS -----------------------------------------------------------------------------------------------------
def take_apart(octets):
    """(CMS object, signed entity or None) of an S/MIME entity."""
    message = email.message_from_bytes(octets)
    if message.get_content_type() != "multipart/signed":
        return message.get_payload(decode=True), None
    boundary = b"--" + message.get_boundary().encode()
    content = re.split(rb"\r?\n?" + re.escape(boundary) + rb"\r?\n", octets)[1]
    return message.get_payload(1).get_payload(decode=True), canonical(content)


def around_signed(entity, der, opaque):
    if opaque:
        return wrap(der, "signed-data")
    signature = wrap(der, "", "application/pkcs7-signature", "smime.p7s").split(b"MIME-Version: 1.0\n", 1)[1]
    return (b'MIME-Version: 1.0\nContent-Type: multipart/signed; protocol="application/pkcs7-signature"; boundary="=_b"\n\n--=_b\n' +
            entity.replace(b"\r\n", b"\n") + b"\n--=_b\n" + signature + b"\n--=_b--\n")


def around_encrypted(der, cipher):
    return wrap(der, "authEnveloped-data" if cipher.endswith("gcm") else "enveloped-data")


def without_version(entity):
    return entity.replace(b"MIME-Version: 1.0\n", b"", 1)


# ---- one gateway, and all who write to each other -----------------------------------------------------------------------------
class Lab:
    """julia with keys of every kind for its own people, and the peers with those of theirs."""

    def __init__(self, wanted):
        self.rows = list(wanted)
        self.profiles = {row.profile: f"m{i}" for i, row in enumerate(self.rows) if row.ours and not row.builtin}
        self.g = Gateway(conf="".join(f"PROFILE_{name} = {words}\n" for words, name in self.profiles.items()))
        pki, kinds = self.g.pki, sorted({row.kind for row in self.rows} | {"p256"})
        self.inside = {kind: pki.make(f"in-{kind}@behoerde.de", kind) for kind in kinds}
        self.outside = {kind: pki.make(f"out-{kind}@partner.example", kind) for kind in kinds}
        self.second = {"in": pki.make("second@behoerde.de", "rsa"), "out": pki.make("second@partner.example", "rsa")}
        for person in (*self.inside.values(), self.second["in"]):
            path = self.g.base / "etc/private" / (person.address + ".pem")
            path.write_bytes(person.key.read_bytes() + person.certificate.read_bytes())
            path.chmod(0o600)
        for person in (*self.outside.values(), self.second["out"]):
            (self.g.base / "etc/public" / (person.address + ".pem")).write_bytes(person.certificate.read_bytes())
        self.peers = [self._peer(kind) for kind in PEERS]
        self.written = {}

    def _peer(self, kind):
        peer = kind(self.g.pki, self.g.base / "peers" / kind.name)
        if peer.missing is None:
            for person in (*self.outside.values(), self.second["out"]):
                peer.owns(person)
            for person in (*self.inside.values(), self.second["in"]):
                peer.knows(person)
        return peer

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for peer in self.peers:
            peer.close()
        self.g.__exit__()

    # -- julia writes
    def recipients(self, row):
        if row.shape == "recipients":
            return [self.outside["rsa"], self.second["out"]]
        return [self.outside["rsa"], self.outside["p256"]] if row.shape == "mixed" else [self.outside[row.kind]]

    def letter(self, row):
        """What julia makes of a letter by the row's profile: the message, once for all peers."""
        if row in self.written:
            return self.written[row]
        name = row.builtin or self.profiles[row.profile]
        actions = ([f"FS:{name}"] if row.form else ["NS"]) + ([f"FE:{name}"] if row.cipher else ["NE"])
        (self.g.base / "etc/julia.rules").write_text(f". (to) . (do) {', '.join(actions)}\n")
        sender, to = self.inside[row.kind].address, [person.address for person in self.recipients(row)]
        octets = (f"From: {sender}\nTo: {', '.join(to)}\nSubject: {row.name}\nMessage-ID: <{abs(hash(row))}@behoerde.de>\n"
                  "Date: Sat, 21 Nov 2026 12:00:00 +0000\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
                  f"Content-Transfer-Encoding: 8bit\n\n{BODY}").encode()
        status, said = self.g.outgoing(octets, sender, to)
        got = self.g.collect()
        if status != 0 or len(got) != 1:
            raise RuntimeError(f"julia: exit {status}, {said.decode(errors='replace')}")
        self.written[row] = got[0][2]
        return got[0][2]

    def read_by(self, peer, row, entity, body=BODY):
        """What goes wrong when the peer reads the row's message; "" if nothing does."""
        fault = peer.read(entity, row, body.splitlines()[0])
        if fault is not None:
            return fault
        if row.cipher:
            der, _ = take_apart(entity)
            found = [peer.decrypt(peer.file(der), person) for person in self.recipients(row)]
            if not all(good and octets for good, octets in found) or len({octets for _, octets in found}) != 1:
                return f"does not decrypt: {found[0][1][:200]!r}"
            entity = found[0][1].replace(b"\r\n", b"\n")
        if row.form:
            der, content = take_apart(entity)
            good, said = peer.verify(peer.file(der), peer.file(content) if content is not None else None)
            return "" if good else f"does not verify: {said[-400:]!r}"
        text = email.message_from_bytes(entity).get_payload(decode=True).replace(b"\r\n", b"\n").decode()
        return "" if text == body else f"another text: {text[:200]!r}"

    def reads_openssl(self, peer, row):
        """Can the peer read the same row when OpenSSL has written it?"""
        signer, recipients = self.inside[row.kind], self.recipients(row)
        header = fields(signer.address, ", ".join(person.address for person in recipients))
        return self.read_by(peer, row, header + self.compose(self.peers[0], row, [signer], recipients), SHORT) == ""

    # -- a peer writes
    def compose(self, peer, row, signers, recipients):
        """The message that a peer makes of the row."""
        entity = canonical(f"Content-Type: text/plain; charset=us-ascii\n\n{SHORT}".encode())
        made = peer.make(row, entity, signers, recipients)
        if made is not None:
            return b"MIME-Version: 1.0\n" + made

        def sign(what, opaque):
            return without_version(around_signed(what, peer.sign(what, signers, opaque, row.digest, row.sign == "rsa-pss"), opaque))

        if row.shape == "compressed":
            entity = without_version(wrap(peer.compress(entity), "compressed-data", name="smime.p7z"))
        if row.form:
            entity = canonical(sign(entity, row.form == "opaque"))
        if row.cipher:
            der = peer.encrypt(entity, recipients, row.cipher, row.keytrans)
            entity = canonical(without_version(around_encrypted(der, row.cipher)))
        if row.shape == "triple":
            entity = sign(entity, False)
        return b"MIME-Version: 1.0\n" + entity.replace(b"\r\n", b"\n")

    def written_by(self, peer, row):
        """What goes wrong when julia reads what the peer has written."""
        signers = [self.outside[row.kind]] + ([self.second["out"]] if row.shape == "signers" else [])
        people = {"recipients": [self.inside["rsa"], self.second["in"]], "mixed": [self.inside["rsa"], self.inside["p256"]]}.get(
            row.shape, [self.inside[row.kind]])
        sender, to = signers[0].address, [person.address for person in people]
        octets = fields(sender, ", ".join(to), subject=row.name) + self.compose(peer, row, signers, people)
        status, said = self.g.incoming(octets, sender, to)
        got = [Delivered(entry) for entry in self.g.collect() if entry[0] == "internal"]
        encryption = ("decrypted" if row.cipher.endswith("gcm") else "not-integrity-protected") if row.cipher else "none"
        wanted = (encryption, "valid" if row.form else "none")
        if status != 0 or len(got) != 1 or got[0].status != wanted or sorted(got[0].recipients) != sorted(to):
            log = (self.g.base / "logs/julia.log").read_text().splitlines()[-4:]
            return f"exit {status} {said!r} {[m.status for m in got]} not {wanted}\n" + "\n".join(log)
        return "" if row.form == "opaque" or SHORT.encode() in got[0].octets else f"another text: {got[0].octets[:600]!r}"


# ---- the cells ------------------------------------------------------------------------------------------------------------------
def last_line(text):
    """Without OpenSSL's process number."""
    return re.sub(r"^[0-9A-F]{8,}:", "", (str(text).strip().splitlines() or [""])[-1])[:160]


def reading(lab, peer, row):
    """(word, detail): the peer reads what julia wrote."""
    if not row.ours:
        return UNWRITTEN, "julia does not write it"
    if peer.missing is not None:
        return peer.missing, ""
    fault = lab.read_by(peer, row, lab.letter(row))
    if not fault:
        return OK, ""
    return (FAIL, fault) if lab.reads_openssl(peer, row) else (UNKNOWN, "")


def writing(lab, peer, row):
    """(word, detail): julia reads what the peer wrote."""
    if not row.theirs:
        return "", ""
    if peer.missing is not None:
        return peer.missing, ""
    try:
        fault = lab.written_by(peer, row)
    except NotOffered:
        return UNWRITTEN, ""
    except CalledProgramFailed as error:
        return CANNOT, last_line(error)
    return (FAIL, fault) if fault else (OK, "")


def cells(lab):
    """Yields (row, peer, what julia wrote and the peer read, what the peer wrote and julia read)."""
    for row in lab.rows:
        for peer in lab.peers:
            yield row, peer, reading(lab, peer, row), writing(lab, peer, row)
