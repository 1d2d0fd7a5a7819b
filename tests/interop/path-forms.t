#!/usr/bin/python3
"""Certificates that no CA should issue, and odd ones that it may: each detail of RFC 5280 changed by hand, one at a time, in the
certificate itself, the CA above it or the anchor."""
import calendar
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import path_lab as lab  # noqa: E402
from path_lab import (CERT_SIGN, CRL_SIGN, DIGITAL_SIGNATURE, KEY_AGREEMENT, KEY_ENCIPHERMENT, MAIL, TLS_SERVER, alternative,  # noqa: E402
                      basic, constraints, directory, dns, extension, generalized, issuer_key_id, key_id, mail, purposes, uri, usage,
                      utc, utf8_mailbox)
from smime_lab import NULL, Tap, algorithm, integer, oid, tlv  # noqa: E402

AT = calendar.timegm((2026, 11, 30, 0, 0, 0))
ROOT, MIDDLE, LEAF = (lab.name("C=DE", "O=Lab", f"CN={who}") for who in ("Root", "Middle", "Leaf"))
ADDRESS = "eye@a.example.com"
UNKNOWN = "1.2.3.4.5.6"
VALID, REFUSED, USE, WEAK, BAD, EXPIRED, EARLY = "valid", "no-path", "wrong-use", "weak", "bad-signature", "expired", "not-yet-valid"


class Pki:
    """Root, middle CA and leaf, each with anything changed."""

    def __init__(self, path):
        self.path, self.keys = path, {}
        self.root_key, self.middle_key, self.leaf_key = (self.key(who) for who in ("root", "middle", "leaf"))
        self.usual_root, self.usual_middle = self.root(), self.middle()

    def key(self, name, kind="p256"):
        if name not in self.keys:
            self.keys[name] = lab.Key(self.path, name, kind)
        return self.keys[name]

    def root(self, extensions=None, **how):
        usual = [basic(), usage(CERT_SIGN, CRL_SIGN), key_id(self.root_key)]
        return lab.certificate(ROOT, self.root_key, ROOT, self.root_key, usual if extensions is None else extensions, **how)

    def ids(self):
        return [key_id(self.middle_key), issuer_key_id(self.root_key)]

    def middle(self, extensions=None, more=(), key=None, **how):
        usual = [basic(), usage(CERT_SIGN, CRL_SIGN), *self.ids()]
        return lab.certificate(MIDDLE, key or self.middle_key, ROOT, self.root_key, [*(usual if extensions is None else extensions), *more],
                               **{"serial": 2000, **how})

    def leaf(self, extensions=None, more=(), names=None, subject=LEAF, key=None, issuer=MIDDLE, by=None, **how):
        usual = [usage(DIGITAL_SIGNATURE), purposes(MAIL), key_id(self.leaf_key)]
        names = [mail(ADDRESS)] if names is None else names
        if extensions is None:
            extensions = [*usual, *([issuer_key_id(self.middle_key)] if by is None else []), *([alternative(*names)] if names else [])]
        return lab.certificate(subject, key or self.leaf_key, issuer, by or self.middle_key, [*extensions, *more], **how)


class Row:
    def __init__(self, name, expected, leaf, extras=None, roots=None, settings=None, **terms):
        self.name, self.expected, self.leaf, self.extras, self.roots = name, expected, leaf, extras, roots
        self.settings, self.terms = settings or {}, terms


def extensions(pki):
    leaf, middle, root = pki.leaf, pki.middle, pki.root
    yield Row("as it should be", VALID, leaf())
    for critical, expected in ((False, VALID), (True, REFUSED)):
        more = [extension(UNKNOWN, NULL, critical)]
        word = "critical" if critical else "not critical"
        yield Row(f"an unknown extension, {word}", expected, leaf(more=more))
        yield Row(f"... of the CA, {word}", expected, leaf(), [middle(more=more)])
        yield Row(f"... of the anchor, {word}", expected, leaf(), roots=[root([basic(), usage(CERT_SIGN), *more])])
    yield Row("critical is no truth value of DER", REFUSED, leaf(more=[tlv(0x30, oid(UNKNOWN), tlv(1, b"\1"), tlv(4, NULL))]))
    yield Row("critical is written although FALSE", VALID, leaf(more=[tlv(0x30, oid(UNKNOWN), tlv(1, b"\0"), tlv(4, NULL))]))
    yield Row("an extension twice", REFUSED, leaf(more=[alternative(mail("x@y.example"))]))
    yield Row("an unknown extension twice", REFUSED, leaf(more=[extension(UNKNOWN, NULL)] * 2))
    signature, mailbox = usage(DIGITAL_SIGNATURE), alternative(mail(ADDRESS))
    whole = {"alternative names": (lab.SAN, tlv(0x30, mail(ADDRESS))), "purposes": (lab.PURPOSES, tlv(0x30, oid(MAIL))),
             "key usage": (lab.USAGE, tlv(3, b"\7\x80")), "basic constraints": (lab.BASIC, tlv(0x30)),
             "issuer's key identifier": (lab.AKI, tlv(0x30, tlv(0x80, pki.middle_key.id))),
             "key identifier": (lab.SKI, tlv(4, pki.leaf_key.id)), "policies": (lab.POLICIES, tlv(0x30, tlv(0x30, oid("1.2.3")))),
             "CRL points": (lab.CRL_POINTS, tlv(0x30, tlv(0x30, tlv(0xa0, tlv(0xa0, uri("http://x.example/")))))),
             "inhibitAnyPolicy": (lab.INHIBIT_ANY, integer(3))}
    for name, (identifier, value) in whole.items():
        critical = identifier == lab.INHIBIT_ANY  # or else it is refused for that
        yield Row(f"{name}: alone", VALID, leaf([extension(identifier, value, critical)]), use="any")
        yield Row(f"{name}: octets behind the value", REFUSED, leaf([extension(identifier, value + NULL, critical)]), use="any")
        yield Row(f"{name}: of another type", REFUSED, leaf([extension(identifier, tlv(5), critical)]), use="any")
        yield Row(f"{name}: nothing", REFUSED, leaf([extension(identifier, b"", critical)]), use="any")
    for name in ("alternative names", "purposes", "policies", "CRL points"):
        yield Row(f"{name}: an empty list", REFUSED, leaf([extension(whole[name][0], tlv(0x30))]), use="any")
    yield Row("name constraints: an empty list", REFUSED, leaf(), [middle(more=[constraints()])])
    yield Row("policy constraints: an empty list", REFUSED, leaf(), [middle(more=[extension(lab.POLICY_CONSTRAINTS, tlv(0x30), True)])])
    yield Row("policy mappings: an empty list", REFUSED, leaf(), [middle(more=[extension(lab.MAPPINGS, tlv(0x30), True)])])
    yield Row("information access nobody reads, damaged", VALID, leaf(more=[extension("1.3.6.1.5.5.7.1.1", tlv(4))]))
    yield Row("a certificate made for a log only", REFUSED, leaf(more=[extension("1.3.6.1.4.1.11129.2.4.3", NULL, True)]))
    yield Row("the key identifier of another issuer", REFUSED, leaf([signature, issuer_key_id(pki.leaf_key), mailbox]))
    yield Row("no key identifier of the issuer", VALID, leaf([signature, mailbox]))
    yield Row("a CA without key identifier", VALID, leaf(), [middle([basic(), usage(CERT_SIGN)])])
    other = extension(lab.AKI, tlv(0x30, tlv(0xa1, directory(LEAF)), tlv(0x82, b"\1")))
    yield Row("issuer and serial number of another issuer", REFUSED, leaf([signature, other, mailbox]))


def authorities(pki):
    leaf, middle, root, ids = pki.leaf, pki.middle, pki.root, pki.ids()
    signs = usage(CERT_SIGN, CRL_SIGN)
    for name, list_, expected in (
            ("no basic constraints", [signs, *ids], REFUSED), ("basic constraints of no CA", [basic(False), signs, *ids], REFUSED),
            ("basic constraints of no CA, with a path length", [basic(False, 0), signs, *ids], REFUSED),
            ("basic constraints not critical", [basic(critical=False), signs, *ids], VALID), ("no key usage", [basic(), *ids], VALID),
            ("key usage without keyCertSign", [basic(), usage(DIGITAL_SIGNATURE, CRL_SIGN), *ids], REFUSED),
            ("purposes without mail", [basic(), signs, *ids, purposes(TLS_SERVER)], USE),
            ("purposes with mail", [basic(), signs, *ids, purposes(TLS_SERVER, MAIL)], VALID),
            ("any purpose", [basic(), signs, *ids, purposes(lab.ANY_USE)], VALID),
            ("a path length below zero", [basic(length=tlv(2, b"\xff")), signs, *ids], REFUSED),
            ("a path length beyond all numbers", [basic(length=tlv(2, b"\x7f" * 11)), signs, *ids], VALID)):
        yield Row(f"CA: {name}", expected, leaf(), [middle(list_)])
    yield Row("CA: of version 1", REFUSED, leaf([usage(DIGITAL_SIGNATURE)]), [middle([], version=0)])
    yield Row("CA: expired", EXPIRED, leaf(), [middle(end=utc("260101000000Z"))])
    yield Row("anchor: of version 1", VALID, leaf(), roots=[root([], version=0)])
    yield Row("anchor: no CA", REFUSED, leaf(), roots=[root([basic(False), signs])])
    yield Row("anchor: may not sign certificates", REFUSED, leaf(), roots=[root([basic(), usage(DIGITAL_SIGNATURE)])])
    yield Row("anchor: path length 0", REFUSED, leaf(), roots=[root([basic(length=0), signs])])
    yield Row("anchor: expired", EXPIRED, leaf(), roots=[root(end=utc("260101000000Z"))])
    yield Row("anchor: its name constraints hold", REFUSED, leaf(), roots=[root([basic(), signs, constraints([mail("b.example.com")])])])
    lower, name = pki.key("lower"), lab.name("CN=Lower")
    below = lab.certificate(name, lower, MIDDLE, pki.middle_key, [basic(), signs], serial=3000)
    last = leaf([usage(DIGITAL_SIGNATURE)], issuer=name, by=lower)
    yield Row("two CAs", VALID, last, [middle(), below])
    yield Row("two CAs, the upper of path length 0", REFUSED, last, [middle([basic(length=0), signs, *ids]), below])
    renewed = lab.certificate(MIDDLE, pki.key("renewed"), MIDDLE, pki.middle_key,
                              [basic(), signs, key_id(pki.key("renewed")), issuer_key_id(pki.middle_key)], serial=3001)
    yield Row("a CA's own new key does not count for the path length", VALID,
              leaf([usage(DIGITAL_SIGNATURE)], by=pki.key("renewed")), [middle([basic(length=0), signs, *ids]), renewed])
    yield Row("issued by a certificate that is no CA's", REFUSED,
              lab.certificate(lab.name("CN=Sub"), lower, LEAF, pki.leaf_key, [usage(DIGITAL_SIGNATURE)]), [leaf(), middle()])
    yield Row("no CA to be found", REFUSED, leaf(), [])
    yield Row("self-signed, and unknown", "untrusted-root", lab.certificate(LEAF, lower, LEAF, lower), [])


def uses(pki):
    for name, list_, expected, use in (
            ("purposes without mail", [purposes(TLS_SERVER)], USE, "sign"), ("any purpose", [purposes(lab.ANY_USE)], VALID, "sign"),
            ("mail, critical", [purposes(MAIL, critical=True)], VALID, "sign"), ("nothing said", [], VALID, "sign"),
            ("key usage of no bit", [extension(lab.USAGE, tlv(3, b"\7\0"), True)], {REFUSED, USE}, "sign"),
            ("key usage of no octet", [extension(lab.USAGE, tlv(3, b"\0"), True)], {REFUSED, USE}, "sign"),
            ("key usage for keys only", [usage(KEY_ENCIPHERMENT)], USE, "sign"), ("key usage for signatures", [usage(DIGITAL_SIGNATURE)], USE, "encrypt"),
            ("key usage for agreement", [usage(KEY_AGREEMENT)], VALID, "encrypt"),
            ("a CA's certificate that may sign", [basic(), usage(DIGITAL_SIGNATURE, CERT_SIGN)], VALID, "sign")):
        yield Row(f"{use}: {name}", expected, pki.leaf(list_), use=use)


def fields(pki):
    leaf = pki.leaf
    for name, octets, expected in (("0", b"\0", VALID), ("negative", b"\xff\1", VALID), ("of 20 octets", b"\x7f" + b"\1" * 19, VALID),
                                   ("of 21 octets", b"\0\x80" + b"\1" * 19, VALID), ("longer than need be", b"\0\0\1", REFUSED),
                                   ("of no octets", b"", REFUSED)):
        yield Row(f"serial number: {name}", expected, leaf(serial=tlv(2, octets)))
    yield Row("version 1", VALID, leaf([], version=0), use="any")
    yield Row("version 1 with extensions", REFUSED, leaf(version=0))
    yield Row("version 2 with extensions", REFUSED, leaf(version=1))
    yield Row("version 4", REFUSED, leaf(version=3))
    yield Row("version 3 with unique identifiers", VALID, leaf(behind_key=tlv(0x81, b"\0\1")))
    yield Row("version 1 with unique identifiers", REFUSED, leaf([], version=0, behind_key=tlv(0x81, b"\0\1")), use="any")
    yield Row("no subject, and names not critical", VALID, leaf(subject=tlv(0x30)))
    nameless = lab.certificate(tlv(0x30), pki.middle_key, ROOT, pki.root_key, [basic(), usage(CERT_SIGN)])
    yield Row("an issuer without name", REFUSED, leaf(issuer=tlv(0x30)), [nameless])
    for name, issuer in (("in other string types", lab.name("C=DE", "O=Lab", "CN=Middle", tag=0x13)),
                         ("in other letters", lab.name("C=DE", "O=LAB", "CN=middle")), ("with blanks", lab.name("C=DE", "O= Lab ", "CN=Middle"))):
        yield Row(f"the issuer's name {name}", VALID, leaf(issuer=issuer))
    yield Row("an octet behind the certificate", REFUSED, leaf() + b"\0")
    late = utc("400101000000Z")
    for name, start, end, expected in (
            ("over", utc("240101000000Z"), utc("250101000000Z"), EXPIRED), ("to come", utc("300101000000Z"), late, EARLY),
            ("the last second", lab.FROM, utc("261130000000Z"), VALID), ("a second ago", lab.FROM, utc("261129235959Z"), EXPIRED),
            ("the first second", utc("261130000000Z"), late, VALID), ("the end before the begin", utc("270101000000Z"), utc("260101000000Z"), EARLY),
            ("GeneralizedTime before 2050", generalized("20250101000000Z"), generalized("20350101000000Z"), VALID),
            ("2049", lab.FROM, utc("491231235959Z"), VALID), ("1950", utc("500101000000Z"), late, VALID), ("up to 1950", lab.FROM, utc("500101000000Z"), EXPIRED),
            ("2050", lab.FROM, generalized("20500101000000Z"), VALID), ("9999", lab.FROM, generalized("99991231235959Z"), VALID),
            ("without seconds", utc("2501010000Z"), late, REFUSED), ("with an offset", utc("250101000000+0100"), late, REFUSED),
            ("with a fraction", generalized("20250101000000.5Z"), late, REFUSED), ("without zone", utc("250101000000"), late, REFUSED),
            ("no time", utc("xx0101000000Z"), late, REFUSED), ("month 13", utc("251301000000Z"), late, REFUSED), ("February 30", utc("250230000000Z"), late, REFUSED)):
        yield Row(f"dates: {name}", expected, leaf(start=start, end=end))


def keys(pki):
    leaf, middle, root = pki.leaf, pki.middle, pki.root
    yield Row("another algorithm inside than outside", {REFUSED, BAD}, leaf(named=algorithm(lab.ECDSA_SHA384)))
    yield Row("SHA-1", WEAK, leaf(signed_with=algorithm(lab.ECDSA_SHA1), digest="sha1"))
    yield Row("another signature", BAD, leaf(signature=tlv(0x30, integer(1), integer(1))))
    yield Row("the signature of nobody", BAD, leaf(signature=b""))
    for name, kind in (("RSA of 1024 bits", "rsa1024"), ("a curve of 192 bits", "p192"), ("secp256k1", "k256")):
        yield Row(f"key: {name}", WEAK, leaf(key=pki.key(kind, kind)))
        yield Row(f"key of the CA: {name}", WEAK, leaf([usage(DIGITAL_SIGNATURE)], by=pki.key(kind, kind)),
                  [middle([basic(), usage(CERT_SIGN)], key=pki.key(kind))])
    for kind in ("rsa2048", "ed25519"):
        yield Row(f"key of the CA: {kind}", VALID, leaf([usage(DIGITAL_SIGNATURE)], by=pki.key(kind, kind)),
                  [middle([basic(), usage(CERT_SIGN)], key=pki.key(kind))])
    contents = lab.take(pki.key("rsa2048").bits)[1]
    modulus = lab.children(contents)[0]
    even = modulus[:-1] + bytes([modulus[-1] ^ 1])
    for name, spki, expected in (
            ("RSA", lab.rsa_spki(modulus, integer(65537)), VALID), ("RSA, exponent 3", lab.rsa_spki(modulus, integer(3)), VALID),
            ("RSA, exponent 1", lab.rsa_spki(modulus, integer(1)), REFUSED), ("RSA, exponent 0", lab.rsa_spki(modulus, integer(0)), REFUSED),
            ("RSA, an even exponent", lab.rsa_spki(modulus, integer(4)), REFUSED), ("RSA, an even modulus", lab.rsa_spki(even, integer(65537)), REFUSED),
            ("a compressed point", pki.leaf_key.compressed(), VALID), ("a curve by its numbers", pki.leaf_key.explicit(), REFUSED),
            ("no point of the curve", pki.leaf_key.with_point(pki.leaf_key.bits[:-1] + bytes([pki.leaf_key.bits[-1] ^ 1])), REFUSED),
            ("the point at infinity", pki.leaf_key.with_point(b"\0"), REFUSED), ("no octets", pki.leaf_key.with_point(b""), REFUSED),
            ("of a kind nobody knows", tlv(0x30, algorithm(UNKNOWN), tlv(3, b"\0key")), REFUSED),
            ("on a curve nobody knows", tlv(0x30, algorithm("1.2.840.10045.2.1", oid(UNKNOWN)), tlv(3, b"\0", pki.leaf_key.bits)), REFUSED)):
        for use in ("sign", "any"):
            yield Row(f"key, {use}: {name}", {expected, expected if expected == VALID else USE}, leaf([usage(DIGITAL_SIGNATURE)], spki=spki), use=use)
        yield Row(f"key, weak accepted: {name}", expected, leaf([], spki=spki), use="any", weak=True)
    yield Row("key of the CA: a curve by its numbers", REFUSED, leaf(), [middle(spki=pki.middle_key.explicit())])
    yield Row("key of the CA: of a kind nobody knows", {REFUSED, BAD}, leaf(), [middle(spki=tlv(0x30, algorithm(UNKNOWN), tlv(3, b"\0key")))])
    yield Row("key of the anchor: unreadable", REFUSED, leaf(), roots=[root(spki=tlv(0x30, algorithm(UNKNOWN), tlv(3, b"\0key")))])


def names(pki):
    """Name constraints of the CA."""
    mails = {  # permitted or excluded: what stands there, does it mean ADDRESS?
        "its host": ("a.example.com", True), "its host in other letters": ("A.Example.COM", True), "the host above": ("example.com", False),
        "the domain above": (".example.com", True), "its host as a domain": (".a.example.com", False), "another host": ("b.example.com", False),
        "its mailbox": (ADDRESS, True), "another mailbox": ("other@a.example.com", False), "a part of its host": ("xample.com", False)}
    for name, (text, fits) in mails.items():
        yield constrained(pki, f"permitted: {name}", VALID if fits else REFUSED, constraints([mail(text)]))
        yield constrained(pki, f"excluded: {name}", REFUSED if fits else VALID, constraints(excluded=[mail(text)]))
    yield constrained(pki, "excluded: its mailbox in other letters", REFUSED, constraints(excluded=[mail("Eye@A.example.com")]))
    host, other = constraints([mail("a.example.com")]), constraints([mail("b.example.com")])
    yield constrained(pki, "permitted: two, the second is its host", VALID, constraints([mail("b.example.com"), mail("a.example.com")]))
    yield constrained(pki, "permitted above, excluded itself", REFUSED, constraints([mail(".example.com")], [mail("a.example.com")]))
    yield constrained(pki, "one of two mailboxes outside", REFUSED, host, [mail(ADDRESS), mail("x@evil.example")])
    yield constrained(pki, "a NUL in the mailbox", REFUSED, host, [mail(ADDRESS + "\0.evil.example")])
    person = lab.name("CN=x", f"E={ADDRESS}")
    yield constrained(pki, "the mailbox stands in the subject, permitted", VALID, host, [], person)
    yield constrained(pki, "the mailbox stands in the subject, not permitted", REFUSED, other, [], person)
    yield constrained(pki, "the mailbox stands in the subject, excluded", REFUSED, constraints(excluded=[mail("a.example.com")]), [], person)
    yield constrained(pki, "another mailbox stands in the subject", REFUSED, host, subject=lab.name("CN=x", "E=x@evil.example"))
    yield constrained(pki, "no mailbox at all", VALID, other, [directory(lab.name("C=DE"))])
    yield constrained(pki, "not critical", REFUSED, constraints([mail("a.example.com")], critical=False))
    for base, expected in (("a.example.com", VALID), ("b.example.com", REFUSED)):
        yield constrained(pki, f"not critical, allowed by trust.conf: {base}", expected, constraints([mail(base)], critical=False),
                          settings={"CRITICAL_NAME_CONSTRAINTS": "no"})
    for text, base, permitted, excluded in (
            ("\u00fc@a.example.com", "a.example.com", VALID, REFUSED), ("\u00fc@a.example.com", "b.example.com", REFUSED, VALID),
            ("\u00fc@a.example.com", ".example.com", REFUSED, REFUSED),  # permitted it should be: OpenSSL 3.0 doubles the dot
            ("\u00fc@a.example.com", ADDRESS, REFUSED, VALID),
            ("\u00fc@b\u00fccher.example", "xn--bcher-kva.example", VALID, REFUSED)):
        yield constrained(pki, f"SmtpUTF8Mailbox {text}, permitted {base}", permitted, constraints([mail(base)]), [utf8_mailbox(text)])
        yield constrained(pki, f"SmtpUTF8Mailbox {text}, excluded {base}", excluded, constraints(excluded=[mail(base)]), [utf8_mailbox(text)])
    for name, base, has, fits in (
            ("directory", directory(lab.name("C=DE", "O=Lab")), [], True), ("directory in other letters", directory(lab.name("C=DE", "O=LAB")), [], True),
            ("directory of others", directory(lab.name("C=DE", "O=Other")), [], False),
            ("host", dns("example.com"), [dns("a.example.com")], True), ("the host itself", dns("example.com"), [dns("example.com")], True),
            ("half a label", dns("example.com"), [dns("badexample.com")], False), ("URI", uri(".example.com"), [uri("http://a.example.com/x")], True),
            ("URI of others", uri("example.com"), [uri("http://a.example.com/x")], False),
            ("address", tlv(0x87, b"\xc0\0\2\0\xff\xff\xff\0"), [tlv(0x87, b"\xc0\0\2\1")], True),
            ("another address", tlv(0x87, b"\xc0\0\2\0\xff\xff\xff\0"), [tlv(0x87, b"\xc0\0\3\1")], False)):
        yield constrained(pki, f"permitted: {name}", VALID if fits else REFUSED, constraints([base]), [mail(ADDRESS), *has])
        yield constrained(pki, f"excluded: {name}", REFUSED if fits else VALID, constraints(excluded=[base]), [mail(ADDRESS), *has])
    yield constrained(pki, "a second directory name outside", REFUSED, constraints([directory(lab.name("C=DE"))]), [mail(ADDRESS), directory(lab.name("C=FR"))])
    yield constrained(pki, "a host in front of another's", REFUSED, constraints([uri("example.com")]), [mail(ADDRESS), uri("http://example.com@evil.example/")])
    yield constrained(pki, "a URI of no host", REFUSED, constraints([uri("example.com")]), [mail(ADDRESS), uri("urn:a:b")])
    other = lab.other_name(UNKNOWN, NULL)
    yield constrained(pki, "a kind of name nobody knows, which the certificate has", REFUSED, constraints([other]), [mail(ADDRESS), other])
    for name, bound in (("minimum", tlv(0x80, b"\1")), ("maximum", tlv(0x81, b"\1"))):
        value = tlv(0x30, tlv(0xa0, tlv(0x30, mail("a.example.com"), bound)))
        yield constrained(pki, f"with a {name}", REFUSED, extension(lab.NAME_CONSTRAINTS, value, True))
    yield Row("name constraints in a certificate that is no CA's", REFUSED, pki.leaf(more=[host]))


def constrained(pki, name, expected, constraint, has=None, subject=LEAF, settings=None):
    return Row(f"names, {name}", expected, pki.leaf(names=has, subject=subject), [pki.middle(more=[constraint])], settings=settings)


def policies(pki):
    def policy(*identifiers):
        return extension(lab.POLICIES, tlv(0x30, *(tlv(0x30, oid(one)) for one in identifiers)))

    def required(value):
        return extension(lab.POLICY_CONSTRAINTS, tlv(0x30, tlv(0x80, value)), True)
    leaf, middle, gold = pki.leaf, pki.middle, policy("1.2.3")
    yield Row("policy: required, there is none", REFUSED, leaf(), [middle(more=[required(b"\0")])])
    yield Row("policy: required, only the certificate has one", REFUSED, leaf(more=[gold]), [middle(more=[required(b"\0")])])
    yield Row("policy: required, both have it", VALID, leaf(more=[gold]), [middle(more=[required(b"\0"), gold])])
    yield Row("policy: required, the CA has another", REFUSED, leaf(more=[gold]), [middle(more=[required(b"\0"), policy("1.2.4")])])
    yield Row("policy: required below zero", REFUSED, leaf(), [middle(more=[required(b"\xff")])])
    yield Row("policy: the same twice", REFUSED, leaf(more=[policy("1.2.3", "1.2.3")]))
    mapped = extension(lab.MAPPINGS, tlv(0x30, tlv(0x30, oid("2.5.29.32.0"), oid("1.2.3"))), True)
    yield Row("policy: any policy is mapped", REFUSED, leaf(more=[gold]), [middle(more=[gold, mapped])])
    several = policy(*(f"1.2.3.{i}" for i in range(10)))
    pairs = ((oid(f"1.2.3.{i}"), oid(f"1.2.3.{k}")) for i in range(10) for k in range(10))
    everything = extension(lab.MAPPINGS, tlv(0x30, *(tlv(0x30, *pair) for pair in pairs)), True)
    lower, name = pki.key("lower"), lab.name("CN=Lower")
    below = lab.certificate(name, lower, MIDDLE, pki.middle_key, [basic(), usage(CERT_SIGN), several, everything], serial=3000)
    yield Row("policy: each is mapped to each, twice", REFUSED, leaf([usage(DIGITAL_SIGNATURE), several], issuer=name, by=lower),
              [middle(more=[several, everything]), below])


def anchors(pki):
    """PARTIAL_CHAIN: a CA may be trusted without the one above it."""
    yes = {"PARTIAL_CHAIN": "yes"}
    leaf, middle = pki.leaf(), pki.middle()
    yield Row("a CA in area ca, its root nowhere", REFUSED, leaf, [], [middle])
    yield Row("... with PARTIAL_CHAIN", VALID, leaf, [], [middle], yes)
    yield Row("... that came with the message", REFUSED, leaf, [middle], [], yes)
    yield Row("... that expired", EXPIRED, leaf, [], [pki.middle(end=utc("260101000000Z"))], yes)
    yield Row("... that is no CA", REFUSED, leaf, [], [pki.middle([usage(CERT_SIGN)])], yes)
    yield Row("... that itself is asked for", VALID, middle, [], [middle], yes, use="any")
    yield Row("an end certificate in area ca is none", REFUSED, leaf, [], [leaf], yes)
    yield Row("roots are anchors as ever", VALID, leaf, None, None, yes)
    yield Row("its constraints hold", REFUSED, leaf, [], [pki.middle(more=[constraints([mail("b.example.com")])])], yes)


def distrusted_anchors(pki, tap):
    """PARTIAL_CHAIN: an anchor in area untrusted is none; what stands above one is not looked at, there neither."""
    root, middle = pki.usual_root, pki.usual_middle
    for partial, untrusted, expected in (("no", root, "distrusted"), ("yes", root, VALID), ("yes", middle, "distrusted"), ("no", middle, "distrusted")):
        module = lab.Module({"ca": [root, middle], "untrusted": [untrusted]}, {"PARTIAL_CHAIN": partial})
        got = module.judge(pki.leaf(), extras=[middle], at=AT)
        tap.ok(got[0] == expected, f"PARTIAL_CHAIN={partial}, {'the root' if untrusted is root else 'the CA'} lies in area untrusted: {expected}", got)
        module.close()


def main():
    tap, modules = Tap(), {}
    with tempfile.TemporaryDirectory(prefix="path-forms.") as path:
        pki = Pki(path)
        for group in (extensions, authorities, uses, fields, keys, names, policies, anchors):
            for row in group(pki):
                roots = [pki.usual_root] if row.roots is None else row.roots
                which = (tuple(roots), tuple(row.settings.items()))
                module = modules.get(which) or modules.setdefault(which, lab.Module({"ca": roots}, row.settings))
                got = module.judge(row.leaf, extras=[pki.usual_middle] if row.extras is None else row.extras, at=AT, **row.terms)
                wanted = row.expected if isinstance(row.expected, set) else {row.expected}
                tap.ok(got[0] in wanted, f"{row.name}: {' or '.join(sorted(wanted))}", got)
        for module in modules.values():
            module.close()
        distrusted_anchors(pki, tap)
    tap.done()


main()
