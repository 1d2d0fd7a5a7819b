#!/usr/bin/python3
"""Every octet of a certificate, of its CA's and of a CRL changed, and each cut anywhere: never valid, and never put off, since no damage
heals with time."""
import calendar
import collections
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import path_lab as lab  # noqa: E402
from smime_lab import Tap, oid, tlv  # noqa: E402

AT = calendar.timegm((2026, 11, 30, 0, 0, 0))
ROOT, MIDDLE, LEAF = (lab.name("C=DE", f"CN={who}") for who in ("Root", "Middle", "Leaf"))
CHANGES = (0x01, 0x80)


def make(path, kind):
    """(anchor, CA, certificate, CRLs); everything that the module reads stands in them."""
    root, middle, leaf = (lab.Key(path, f"{kind}-{who}", kind) for who in ("root", "middle", "leaf"))
    policy = lab.extension(lab.POLICIES, tlv(0x30, tlv(0x30, oid("1.2.3"))))
    point = tlv(0xa0, tlv(0xa0, lab.uri("http://crl.example/")))
    points = lab.extension(lab.CRL_POINTS, tlv(0x30, tlv(0x30, point)))
    authority = [lab.basic(), lab.usage(lab.CERT_SIGN, lab.CRL_SIGN)]
    anchor = lab.certificate(ROOT, root, ROOT, root, authority)
    ca = lab.certificate(MIDDLE, middle, ROOT, root, [*authority, lab.key_id(middle), policy, lab.constraints([lab.mail("a.example.com")])])
    certificate = lab.certificate(LEAF, leaf, MIDDLE, middle, [
        lab.basic(False), lab.usage(lab.DIGITAL_SIGNATURE), lab.purposes(lab.MAIL), lab.issuer_key_id(middle), policy, points,
        lab.alternative(lab.mail("eye@a.example.com"), lab.utf8_mailbox("\u00fc@a.example.com"))], serial=2000)
    scope = lab.extension(lab.SCOPE, tlv(0x30, point), True)
    listed = [(5, [lab.reason(1)]), (6, [])]
    return anchor, ca, certificate, lab.crl(MIDDLE, middle, listed, [lab.number(1), scope]), lab.crl(ROOT, root)


def damaged(octets):
    for at in range(len(octets)):
        for change in CHANGES:
            yield f"octet {at} ^ {change:#x}", octets[:at] + bytes([octets[at] ^ change]) + octets[at + 1:]
    for end in range(0, len(octets), 3):
        yield f"the first {end} octets", octets[:end]


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="path-damage.") as path:
        for kind in ("p256", "rsa2048"):
            anchor, *whole = make(path, kind)
            module = lab.Module({"ca": [anchor]})

            def ask(ca, certificate, *crls):
                return module.judge(certificate, extras=[ca], crls=crls, revocation="require", at=AT)
            tap.equal(ask(*whole)[0], "valid", f"{kind}: all as it should be")
            for index, name in enumerate(("CA", "certificate", "CRL")):
                found, wrong = collections.Counter(), []
                for how, octets in damaged(whole[index]):
                    got = ask(*whole[:index], octets, *whole[index + 1:])
                    found[got[0]] += 1
                    if got[0] == "valid" or "/" in got[0]:
                        wrong.append(f"{how}: {got}")
                tap.ok(not wrong, f"{kind}: {name} damaged: {dict(found)}", "\n".join(wrong))
            tap.equal(ask(*whole)[0], "valid", f"{kind}: the same process still works")
            module.close()
    tap.done()


main()
