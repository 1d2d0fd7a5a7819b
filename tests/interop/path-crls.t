#!/usr/bin/python3
"""Revocation lists by hand, each detail of RFC 5280 5 and 6.3 changed, one at a time: what proves that a certificate is good, what
revokes it, and what says nothing."""
import calendar
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import path_lab as lab  # noqa: E402
from path_lab import (CERT_SIGN, CRL_SIGN, DIGITAL_SIGNATURE, basic, directory, extension, issuer_key_id, key_id, number,  # noqa: E402
                      reason, uri, usage, utc)
from smime_lab import NULL, Tap, integer, tlv  # noqa: E402

AT = calendar.timegm((2026, 11, 30, 0, 0, 0))
ROOT, MIDDLE, LEAF, SIGNER = (lab.name("C=DE", "O=Lab", f"CN={who}") for who in ("Root", "Middle", "Leaf", "Signer"))
EVIL = lab.name("CN=Evil")
SERIAL, UNKNOWN = 77777, "1.2.3.4.5"
VALID, REVOKED, NOTHING = "valid", "revoked", "status-unknown"
KEY_COMPROMISE, HOLD, REMOVE = 1, 6, 8
ONLY_KEY_COMPROMISE, ALL_OTHERS = b"\6\x40", b"\7\x3f\x80"  # ReasonFlags
HERE, ELSEWHERE = uri("http://crl.example/1"), uri("http://crl.example/2")
HIT, HELD, RELEASED = [(SERIAL, [])], [(SERIAL, [reason(HOLD)])], [(SERIAL, [reason(REMOVE)])]


def scope(full=b"", relative=b"", users=False, authorities=False, reasons=None, indirect=False, attributes=False, critical=True, behind=b""):
    """IssuingDistributionPoint."""
    point = tlv(0xa0, full) if full else tlv(0xa1, relative) if relative else b""
    flags = ((0x81, users), (0x82, authorities), (0x84, indirect), (0x85, attributes))
    first, last = (b"".join(tlv(tag, b"\xff") for tag, is_set in part if is_set) for part in (flags[:2], flags[2:]))
    value = tlv(0x30, tlv(0xa0, point) if point else b"", first, tlv(0x83, reasons) if reasons is not None else b"", last)
    return extension(lab.SCOPE, value + behind, critical)


def points(full=b"", relative=b"", reasons=b"", issuer=b""):
    """cRLDistributionPoints of one."""
    point = tlv(0xa0, full) if full else tlv(0xa1, relative) if relative else b""
    one = tlv(0x30, tlv(0xa0, point) if point else b"", tlv(0x81, reasons) if reasons else b"", tlv(0xa2, issuer) if issuer else b"")
    return extension(lab.CRL_POINTS, tlv(0x30, one))


class Pki:
    def __init__(self, path):
        self.root_key, self.key, self.leaf_key, self.signer_key, self.evil_key = (
            lab.Key(path, who) for who in ("root", "middle", "leaf", "signer", "evil"))
        self.root = lab.certificate(ROOT, self.root_key, ROOT, self.root_key, [basic(), usage(CERT_SIGN, CRL_SIGN)])
        self.evil = lab.certificate(EVIL, self.evil_key, EVIL, self.evil_key, [basic(), usage(CERT_SIGN, CRL_SIGN)])
        self.root_crl = lab.crl(ROOT, self.root_key, [(66, [])], [number(1)])

    def middle(self, *bits, serial=2000, extensions=None):
        usages = [usage(*(bits or (CERT_SIGN, CRL_SIGN)))]
        return lab.certificate(MIDDLE, self.key, ROOT, self.root_key,
                               [basic(), *(usages if extensions is None else extensions), key_id(self.key)], serial=serial)

    def leaf(self, *more):
        return lab.certificate(LEAF, self.leaf_key, MIDDLE, self.key, [usage(DIGITAL_SIGNATURE), *more], serial=SERIAL)

    def crl(self, entries=(), *extensions, by=None, **how):
        return lab.crl(MIDDLE, by or self.key, entries, [number(1), *extensions], **how)

    def delta(self, entries=(), *extensions, number_=2, base=1, critical=True, **how):
        more = [number(number_), extension(lab.DELTA, integer(base), critical), *extensions]
        return lab.crl(MIDDLE, self.key, entries, more, **how)

    def signer(self, extensions, issuer=MIDDLE, by=None, serial=4000):
        return lab.certificate(SIGNER, self.signer_key, issuer, by or self.key, extensions, serial=serial)


def simple(pki):
    """(name, expected, CRLs): for a certificate that names no distribution point."""
    crl, old = pki.crl, utc("261101000000Z")
    yield "no CRL", NOTHING, []
    for name, listed, unlisted, how in (
            ("a CRL", REVOKED, VALID, {}), ("of version 1", REVOKED, VALID, {"bare": True, "version": None}),
            ("without number", REVOKED, VALID, {"bare": True}), ("version 1 with extensions", NOTHING, NOTHING, {"version": None}),
            ("version 3", NOTHING, NOTHING, {"version": 2}), ("expired", REVOKED, NOTHING, {"following": old}),
            ("its last second", REVOKED, VALID, {"following": utc("261130000000Z")}),
            ("to come", REVOKED, NOTHING, {"this": utc("270101000000Z")}), ("without next update, old", REVOKED, NOTHING, {"following": b""}),
            ("without next update, of today", REVOKED, VALID, {"this": utc("261129000000Z"), "following": b""}),
            ("signed by another key", NOTHING, NOTHING, {"by": pki.evil_key}), ("an octet behind it", NOTHING, NOTHING, {"tail": b"\0"})):
        bare = how.pop("bare", False)
        for entries, expected in (((), unlisted), (HIT, listed)):
            made = lab.crl(MIDDLE, pki.key, entries, **how) if bare else crl(entries, **how)
            yield f"{name}, {'listed' if entries else 'not listed'}", expected, [made]
    for name, listed, unlisted, more in (
            ("an unknown extension", REVOKED, VALID, [extension(UNKNOWN, NULL)]), ("an unknown critical extension", REVOKED, NOTHING, [extension(UNKNOWN, NULL, True)]),
            ("of users", REVOKED, VALID, [scope(users=True)]), ("of users, not critical", REVOKED, VALID, [scope(users=True, critical=False)]),
            ("of CAs", REVOKED, NOTHING, [scope(authorities=True)]), ("of users and CAs, which cannot be", REVOKED, NOTHING, [scope(users=True, authorities=True)]),
            ("of attribute certificates", REVOKED, NOTHING, [scope(attributes=True)]), ("of an empty scope", REVOKED, VALID, [scope()]),
            ("of a damaged scope", NOTHING, NOTHING, [extension(lab.SCOPE, tlv(4, b"\0"), True)]),
            ("of a scope with octets behind it", NOTHING, NOTHING, [scope(behind=NULL)]), ("of two scopes", NOTHING, NOTHING, [scope(users=True)] * 2),
            ("of a distribution point", REVOKED, NOTHING, [scope(HERE)]), ("of one reason", REVOKED, NOTHING, [scope(reasons=ONLY_KEY_COMPROMISE)]),
            ("of no reason", REVOKED, NOTHING, [scope(reasons=b"\0")])):
        for entries, expected in (((), unlisted), (HIT, listed)):
            yield f"{name}, {'listed' if entries else 'not listed'}", expected, [crl(entries, *more)]
    yield "one reason and all others", VALID, [crl((), scope(reasons=ONLY_KEY_COMPROMISE)), crl((), scope(reasons=ALL_OTHERS))]
    for name, entry, expected in (
            ("unknown critical extension", [extension(UNKNOWN, NULL, True)], REVOKED), ("a reason nobody knows", [reason(77)], REVOKED),
            ("a damaged reason", [extension(lab.REASON, tlv(4))], REVOKED), ("two reasons", [reason(REMOVE), reason(1)], REVOKED)):
        yield f"an entry with {name}", expected, [crl([(SERIAL, entry)])]
    yield "somebody's entry with an unknown critical extension", NOTHING, [crl([(5, [extension(UNKNOWN, NULL, True)])])]
    yield "a serial number longer than need be", REVOKED, [crl([(tlv(2, b"\0\0" + SERIAL.to_bytes(3, "big")), [])])]
    newer = utc("260201000000Z")
    yield "an older one lists it, a newer one does not", VALID, [crl(HIT), crl(this=newer)]
    yield "an older one does not list it, a newer one does", REVOKED, [crl(), crl(HIT, this=newer)]
    yield "of one time and number, one lists it", REVOKED, [crl(), crl(HIT)]
    yield "only another CA of that name lists it", VALID, [crl(), crl(HIT, by=pki.evil_key, this=newer)]


def deltas(pki):
    base, held, delta = pki.crl(), pki.crl(HELD), pki.delta
    for name, expected, crls in (
            ("alone", NOTHING, [delta()]), ("alone, listed", REVOKED, [delta(HIT)]), ("and its base", VALID, [base, delta()]),
            ("lists it, its base does not", REVOKED, [base, delta(HIT)]), ("not critical, alone", NOTHING, [delta(critical=False)]),
            ("releases it from hold", VALID, [held, delta(RELEASED)]), ("none, on hold", REVOKED, [held]),
            ("releases it, but the key was compromised", REVOKED, [pki.crl([(SERIAL, [reason(KEY_COMPROMISE)])]), delta(RELEASED)]),
            ("releases it, but from a newer base", REVOKED, [held, delta(RELEASED, number_=3, base=2)]),
            ("releases it, but is over", REVOKED, [held, delta(RELEASED, following=utc("261101000000Z"))]),
            ("releases it, but in another scope", REVOKED, [held, delta(RELEASED, scope(users=True))])):
        yield f"delta: {name}", expected, crls


def scoped(pki):
    """For certificates that name distribution points: (name, expected, certificate, CRLs)."""
    crl, here, part = pki.crl, pki.leaf(points(HERE)), lab.rdn("CN", "Part")
    relative = lab.take(part)[1]
    whole = directory(tlv(0x30, lab.take(MIDDLE)[1], part))
    yield "point: the same", VALID, here, [crl((), scope(HERE))]
    yield "point: one of two", VALID, here, [crl((), scope(ELSEWHERE + HERE))]
    yield "point: another", NOTHING, here, [crl((), scope(ELSEWHERE))]
    yield "point: none in the CRL", VALID, here, [crl()]
    yield "point: relative names", VALID, pki.leaf(points(relative=relative)), [crl((), scope(relative=relative))]
    yield "point: a relative name and a full one", VALID, pki.leaf(points(relative=relative)), [crl((), scope(whole))]


def indirect(pki):
    """The certificate names another issuer of CRLs: (name, expected, certificates beside the CA, CRLs, revocation)."""
    good = [usage(CRL_SIGN), issuer_key_id(pki.key), key_id(pki.signer_key)]
    signer = pki.signer(good)

    def made(entries=(), flag=True):
        return lab.crl(SIGNER, pki.signer_key, entries, [number(1), scope(HERE, indirect=flag)])

    def of(name):
        return extension(lab.ENTRY_ISSUER, tlv(0x30, directory(name)), True)
    own = pki.crl((), scope(ELSEWHERE))  # clears neither
    signers = pki.crl((), scope(authorities=True))
    for name, expected, beside, crls, mode in (
            ("good", VALID, [signer], [made(), own], "prefer"), ("good, its signer's status unknown", NOTHING, [signer], [made(), own], "require"),
            ("lists one of another CA", VALID, [signer], [made([(SERIAL, [of(ROOT)])]), own], "prefer"),
            ("lists it", REVOKED, [signer], [made([(SERIAL, [of(MIDDLE)])]), own], "prefer"),
            ("lists it behind another of its CA", REVOKED, [signer], [made([(5, [of(MIDDLE)]), (SERIAL, [])]), own], "prefer"),
            ("lists one that is its signer's", VALID, [signer], [made(HIT), own], "prefer"),
            ("is none by its scope", NOTHING, [signer], [made(flag=False), own], "require"),
            ("its signer may not", NOTHING, [pki.signer([usage(DIGITAL_SIGNATURE)])], [made(), own], "require"),
            ("its signer has no key usage", NOTHING, [pki.signer([key_id(pki.signer_key)])], [made(), own], "require"),
            ("its signer may not, lists it", VALID, [pki.signer([usage(DIGITAL_SIGNATURE)])], [made([(SERIAL, [of(MIDDLE)])]), own], "prefer"),
            ("its signer is of another root", VALID, [pki.signer(good[:1], EVIL, pki.evil_key), pki.evil], [made([(SERIAL, [of(MIDDLE)])]), own], "prefer"),
            ("its signer is a user", NOTHING, [signer], [made(), own, signers], "require")):
        yield f"indirect: {name}", expected, beside, crls, mode


def distraction(pki, tap):
    """What lies in area ca is asked first: a sender who is revoked cannot have it overlooked by CRLs of his own making."""
    entry = extension(lab.ENTRY_ISSUER, tlv(0x30, directory(MIDDLE)), True)
    listed = lab.crl(SIGNER, pki.signer_key, [(SERIAL, [entry])], [number(1), scope(HERE, indirect=True)])
    signer = pki.signer([usage(CRL_SIGN), issuer_key_id(pki.key), key_id(pki.signer_key)])
    leaf = pki.leaf(points(HERE, issuer=directory(SIGNER)))
    module = lab.Module({"ca": [pki.root, pki.middle(), signer, listed]})
    for count in (0, 10):
        forged = [pki.crl(by=pki.evil_key, this=utc(f"26010100{minute:02}00Z")) for minute in range(count)]
        got = module.judge(leaf, crls=forged, revocation="prefer", at=AT)
        tap.ok(got[0] == REVOKED, f"listed in area ca, {count} forged CRLs came along: {REVOKED}", got)
    module.close()


def issuers(pki):
    """(name, expected, CA, CRLs)."""
    listed, crl = pki.crl(HIT), pki.crl()
    yield "the CA may not sign CRLs", NOTHING, pki.middle(CERT_SIGN), [crl]
    yield "the CA may not sign CRLs, listed", NOTHING, pki.middle(CERT_SIGN), [listed]
    yield "the CA has no key usage", VALID, pki.middle(extensions=[]), [crl]
    yield "the CA is revoked", REVOKED, pki.middle(serial=66), [crl]


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="path-crls.") as path:
        pki = Pki(path)
        module = lab.Module({"ca": [pki.root]})

        def ask(name, expected, leaf, extras, crls, mode="require"):
            got = module.judge(leaf, extras=extras, crls=[*crls, pki.root_crl], revocation=mode, at=AT)
            tap.ok(got[0] == expected, f"{name}: {expected}", got)
        plain, middle, named = pki.leaf(), pki.middle(), pki.leaf(points(HERE, issuer=directory(SIGNER)))
        for group in (simple, deltas):
            for name, expected, crls in group(pki):
                ask(name, expected, plain, [middle], crls)
        for name, expected, leaf, crls in scoped(pki):
            ask(name, expected, leaf, [middle], crls)
        for name, expected, beside, crls, mode in indirect(pki):
            ask(name, expected, named, [middle, *beside], crls, mode)
        for name, expected, authority, crls in issuers(pki):
            ask(name, expected, plain, [authority], crls)
        module.close()
        distraction(pki, tap)
    tap.done()


main()
