"""What the tests of the trust module share: the module, asked as julia asks it, and certificates and CRLs by hand, every octet of them
open to change. Only the standard library and the openssl program, for keys and signatures."""
import hashlib
import os
import pathlib
import socket
import subprocess
import tempfile
import time
import xml.etree.ElementTree as ElementTree

from smime_lab import BUILD, N, NAMESPACE, NULL, algorithm, b64, children, integer, oid, openssl, read_frame, take, tlv, validate

AREAS = ("ca", "trusted", "untrusted")


# ---- the module -------------------------------------------------------------------------------------------------------------
class Module:
    """Started as julia starts it, with a BASE of its own. areas: {"ca": [octets of a file, ...]}."""

    def __init__(self, areas, settings=None):
        self.base = tempfile.TemporaryDirectory(prefix="julia-path.")
        base = pathlib.Path(self.base.name)
        (base / "var/index").mkdir(parents=True)
        for area in AREAS:
            (base / "etc" / area).mkdir(parents=True)
            for number, octets in enumerate(areas.get(area, ())):
                (base / "etc" / area / f"{number}").write_bytes(octets)
        (base / "etc/trust.conf").write_text("".join(f"{name} = {value}\n" for name, value in (settings or {}).items()))
        self.socket, theirs = socket.socketpair()
        environment = {"JULIA_BASE": str(base), "PATH": "/usr/bin:/bin", "LANG": "C"}
        with open(base / "log", "wb") as log:
            self.process = subprocess.Popen([BUILD / "lib/modules/trust"], stdin=theirs, stdout=log, stderr=log, env=environment)
        theirs.close()

    def judge(self, leaf, **terms):
        """(verdict, reason) of one certificate; (status/reason, text) where there is no verdict."""
        return self.judge_all([leaf], **terms)[0]

    def judge_all(self, leaves, use="sign", extras=(), crls=(), revocation="off", weak=False, at=None, address=None):
        """The same of several in one request; one for all where there are no verdicts. `at`: seconds, or None for now."""
        root = ElementTree.Element("request", xmlns=NAMESPACE, id="1", deadline="60000")
        terms = ElementTree.SubElement(root, "validate", revocation=revocation, weak="yes" if weak else "no")
        if at is not None:
            terms.set("time", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)))
        for number, leaf in enumerate(leaves):
            certificate = ElementTree.SubElement(terms, "certificate", n=str(number), use=use)
            if address is not None:
                certificate.set("address", address)
            certificate.text = b64(leaf)
        for name, ders in (("extra", extras), ("crl", crls)):
            for der in ders:
                ElementTree.SubElement(terms, name).text = b64(der)
        frame = ElementTree.tostring(root)
        validate(frame)
        self.socket.sendall(b"%d\n%s" % (len(frame), frame))
        answer = read_frame(self.socket)
        if answer is None:
            raise RuntimeError("the module ended without an answer")
        validate(answer)
        root = ElementTree.fromstring(answer)
        verdicts = root.findall(f"{N}validate/{N}verdict")
        if not verdicts:
            return [(f"{root.get('status')}/{root.get('reason')}", str(root.get("text")))]
        return [(verdict.get("verdict"), verdict.get("reason", "")) for verdict in verdicts]

    def close(self):
        self.socket.close()
        self.process.wait(20)
        self.base.cleanup()


# ---- keys ---------------------------------------------------------------------------------------------------------------------
KINDS = {
    "p256": ("EC", "ec_paramgen_curve:P-256"), "p192": ("EC", "ec_paramgen_curve:prime192v1"), "k256": ("EC", "ec_paramgen_curve:secp256k1"),
    "rsa2048": ("RSA", "rsa_keygen_bits:2048"), "rsa1024": ("RSA", "rsa_keygen_bits:1024"), "ed25519": ("ED25519",)}
ECDSA_SHA256, ECDSA_SHA384, ECDSA_SHA1 = "1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3", "1.2.840.10045.4.1"
RSA_SHA256, ED25519 = "1.2.840.113549.1.1.11", "1.3.101.112"


class Key:
    """A key pair in a file of `directory`, made anew unless it is there."""

    def __init__(self, directory, name, kind="p256"):
        self.kind, self.path = kind, os.path.join(directory, f"{name}.key")
        algorithm_name, *options = KINDS[kind]
        words = [word for option in options for word in ("-pkeyopt", option)]
        if not os.path.exists(self.path):
            openssl("genpkey", "-algorithm", algorithm_name, *words, "-out", self.path)
        self.spki = openssl("pkey", "-in", self.path, "-pubout", "-outform", "DER")
        self.bits = take(children(take(self.spki)[1])[1])[1][1:]
        self.id = hashlib.sha1(self.bits).digest()
        self.algorithm = (algorithm(RSA_SHA256, NULL) if kind.startswith("rsa") else
                          algorithm(ED25519) if kind == "ed25519" else algorithm(ECDSA_SHA256))

    def explicit(self):
        """The public key with the curve's numbers instead of its name."""
        return openssl("ec", "-in", self.path, "-pubout", "-outform", "DER", "-param_enc", "explicit")

    def compressed(self):
        return openssl("ec", "-in", self.path, "-pubout", "-outform", "DER", "-conv_form", "compressed")

    def with_point(self, point, unused=0):
        """The same kind of public key, with other octets."""
        return tlv(0x30, children(take(self.spki)[1])[0], tlv(3, bytes([unused]), point))

    def sign(self, octets, digest="sha256"):
        if self.kind != "ed25519":
            return openssl("dgst", f"-{digest}", "-sign", self.path, data=octets)
        with tempfile.NamedTemporaryFile() as file:
            file.write(octets)
            file.flush()
            return openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.path, "-in", file.name)


def rsa_spki(modulus, exponent):
    """Both are INTEGER elements."""
    return tlv(0x30, algorithm("1.2.840.113549.1.1.1", NULL), tlv(3, b"\0", tlv(0x30, modulus, exponent)))


# ---- names --------------------------------------------------------------------------------------------------------------------
ATTRIBUTES = {"C": "2.5.4.6", "O": "2.5.4.10", "CN": "2.5.4.3", "E": "1.2.840.113549.1.9.1"}


def rdn(kind, text, tag=0x0c):
    return tlv(0x31, tlv(0x30, oid(ATTRIBUTES[kind]), tlv(tag, text.encode())))


def name(*parts, tag=0x0c):
    """name("C=DE", "CN=Root")"""
    return tlv(0x30, *(rdn(*part.split("=", 1), {"C": 0x13, "E": 0x16}.get(part.split("=")[0], tag)) for part in parts))


def mail(text):
    return tlv(0x81, text.encode())


def dns(text):
    return tlv(0x82, text.encode())


def directory(octets):
    return tlv(0xa4, octets)


def uri(text):
    return tlv(0x86, text.encode())


def other_name(identifier, value):
    return tlv(0xa0, oid(identifier), tlv(0xa0, value))


def utf8_mailbox(text):
    return other_name("1.3.6.1.5.5.7.8.9", tlv(0x0c, text.encode()))


# ---- extensions -----------------------------------------------------------------------------------------------------------------
TRUE = tlv(1, b"\xff")
MAIL, TLS_SERVER, ANY_USE = "1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.1", "2.5.29.37.0"
SKI, USAGE, SAN, BASIC, CRL_NUMBER, REASON = "2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.20", "2.5.29.21"
DELTA, SCOPE, ENTRY_ISSUER, NAME_CONSTRAINTS, CRL_POINTS, POLICIES = ("2.5.29.27", "2.5.29.28", "2.5.29.29", "2.5.29.30", "2.5.29.31",
                                                                      "2.5.29.32")
MAPPINGS, AKI, POLICY_CONSTRAINTS, PURPOSES, INHIBIT_ANY = "2.5.29.33", "2.5.29.35", "2.5.29.36", "2.5.29.37", "2.5.29.54"
DIGITAL_SIGNATURE, NON_REPUDIATION, KEY_ENCIPHERMENT, _, KEY_AGREEMENT, CERT_SIGN, CRL_SIGN = range(7)


def extension(identifier, value, critical=False):
    return tlv(0x30, oid(identifier), TRUE if critical else b"", tlv(4, value))


def basic(ca=True, length=None, critical=True):
    return extension(BASIC, tlv(0x30, TRUE if ca else b"", b"" if length is None else length if isinstance(length, bytes) else integer(length)),
                     critical)


def usage(*bits, critical=True):
    octet = sum(0x80 >> bit for bit in bits)
    return extension(USAGE, tlv(3, bytes([(octet & -octet).bit_length() - 1, octet])), critical)


def purposes(*identifiers, critical=False):
    return extension(PURPOSES, tlv(0x30, *map(oid, identifiers)), critical)


def key_id(key, critical=False):
    return extension(SKI, tlv(4, key.id), critical)


def issuer_key_id(key, critical=False):
    return extension(AKI, tlv(0x30, tlv(0x80, key.id)), critical)


def alternative(*names, critical=False):
    return extension(SAN, tlv(0x30, *names), critical)


def constraints(permitted=(), excluded=(), critical=True):
    lists = ((0xa0, permitted), (0xa1, excluded))
    return extension(NAME_CONSTRAINTS, tlv(0x30, *(tlv(tag, *(tlv(0x30, base) for base in bases)) for tag, bases in lists if bases)), critical)


# ---- certificates and CRLs --------------------------------------------------------------------------------------------------------
def utc(text):
    return tlv(0x17, text.encode())


def generalized(text):
    return tlv(0x18, text.encode())


FROM, UNTIL = utc("250101000000Z"), utc("400101000000Z")


def certificate(subject, key, issuer, by, extensions=(), start=FROM, end=UNTIL, serial=1000, version=2, signed_with=None, named=None,
                spki=None, behind_key=b"", digest="sha256", signature=None):
    """`by`: the issuer's key. `signed_with`: the algorithm outside, `named`: inside, where they are not to be the key's usual one.
    `serial`, `version`: a number, or an element."""
    outside = signed_with or by.algorithm
    tbs = tlv(0x30, b"" if version == 0 else tlv(0xa0, integer(version)), serial if isinstance(serial, bytes) else integer(serial),
              named or outside, issuer, tlv(0x30, start, end), subject, spki or key.spki, behind_key,
              tlv(0xa3, tlv(0x30, *extensions)) if extensions else b"")
    return tlv(0x30, tbs, outside, tlv(3, b"\0", by.sign(tbs, digest) if signature is None else signature))


def crl(issuer, by, entries=(), extensions=(), this=utc("260101000000Z"), following=UNTIL, version=1, tail=b""):
    """entries: (serial number or element, extensions)."""
    listed = b"".join(tlv(0x30, serial if isinstance(serial, bytes) else integer(serial), utc("260101000000Z"),
                          tlv(0x30, *more) if more else b"") for serial, more in entries)
    tbs = tlv(0x30, b"" if version is None else integer(version), by.algorithm, issuer, this, following, tlv(0x30, listed) if listed else b"",
              tlv(0xa0, tlv(0x30, *extensions)) if extensions else b"")
    return tlv(0x30, tbs, by.algorithm, tlv(3, b"\0", by.sign(tbs))) + tail


def number(n):
    return extension(CRL_NUMBER, integer(n))


def reason(n):
    return extension(REASON, tlv(0x0a, bytes([n])))
