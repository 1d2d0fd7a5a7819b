#!/usr/bin/env python3
"""What partners say that they can read is learnt from their signatures and honoured in the next mail to them: the newest signature
counts, the administrator's files stay as they are, a profile in the rule stands above."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import gateway  # noqa: E402
import smime_lab as lab  # noqa: E402
from outside import fields, receive, text, wrap  # noqa: E402
from smime_lab import algorithm, integer, oid, tlv, NULL  # noqa: E402

ONE, EYE, TWIN = "user_1@behoerde.de", "eva@partner-1.com", "twin@partner-1.com"
S256 = algorithm(lab.SHA256, NULL)
GCM, CBC = algorithm("2.16.840.1.101.3.4.1.46"), algorithm("2.16.840.1.101.3.4.1.42")
OAEP = algorithm(lab.OAEP, tlv(0x30, tlv(0xa0, S256), tlv(0xa1, algorithm(lab.MGF1, S256))))
OLD = ("enveloped", "pkcs1")
NEW = ("auth-enveloped", "oaep")


def attribute(identifier, value):
    return tlv(0x30, oid(identifier), tlv(0x31, value))


def signed(g, name, capabilities, time, body="Good morning.\n", forged=False):
    """An opaque signature by NAME that says these capabilities, at this time ("261121120000Z", None: it says none)."""
    entity = lab.canonical(text(body))
    attributes = [attribute("1.2.840.113549.1.9.3", oid(lab.DATA)),
                  attribute("1.2.840.113549.1.9.4", tlv(4, lab.hashlib.sha256(entity).digest()))]
    attributes += [attribute("1.2.840.113549.1.9.5", tlv(0x17, time.encode()))] if time else []
    attributes += [attribute("1.2.840.113549.1.9.15", tlv(0x30, *capabilities))] if capabilities is not None else []
    attributes.sort()
    signature = bytearray(gateway.openssl("dgst", "-sha256", "-sign", g.pki.path(name + ".key"), input=tlv(0x31, *attributes)))
    signature[-1] ^= forged
    certificate = lab.pem_to_der(g.pki.path(name + ".crt").read_bytes())
    signer = tlv(0x30, integer(1), tlv(0x30, *lab.issuer_and_serial(certificate)), algorithm(lab.SHA256), tlv(0xa0, *attributes),
                 algorithm(lab.RSA, NULL), tlv(4, bytes(signature)))
    encap = tlv(0x30, oid(lab.DATA), tlv(0xa0, tlv(4, entity)))
    data = tlv(0x30, integer(1), tlv(0x31, algorithm(lab.SHA256)), encap, tlv(0xa0, certificate), tlv(0x31, signer))
    return wrap(tlv(0x30, oid(lab.SIGNED), tlv(0xa0, data)), "signed-data")


def says(tap, g, capabilities, time, sender=EYE, name=None, status="valid", forged=False):
    """Mail from a partner comes in."""
    says.count += 1
    octets = fields(sender=sender, more=f"X-Number: {says.count}\n") + signed(g, name or sender, capabilities, time, forged=forged)
    _, output, got, _ = receive(g, octets, [ONE], sender=sender)
    tap.ok(got and got[0].signature == status, f"mail {says.count} comes in: {status}", f"{output} {[d.status for d in got]}")


says.count = 0


def sent(g, *recipients):
    """How mail to them goes out: (type, key transports that occur)."""
    sent.count += 1
    letter = (f"From: {ONE}\nTo: {', '.join(recipients)}\nSubject: x\nMessage-ID: <{sent.count}@behoerde.de>\n\nHello\n").encode()
    status, output = g.outgoing(letter, ONE, list(recipients))
    got = g.collect()
    if status != 0 or len(got) != 1 or b"pkcs7-mime" not in got[0][2]:
        return f"{status} {output} {got}"
    ber, header = lab.split_p7m(got[0][2].replace(b"\r\n", b"\n"))
    kind = "auth-enveloped" if b"authEnveloped-data" in header else "enveloped"
    transport = {lab.oid(lab.OAEP)[2:]: "oaep", lab.oid(lab.RSA)[2:]: "pkcs1"}
    return kind, "+".join(sorted({transport.get(info[2], "?") for info in lab.recipient_infos(ber)}))


sent.count = 0


def rules(g, text_of_rules):
    g.base.joinpath("etc/julia.rules").write_text(text_of_rules)


def learn(tap, g):
    file = g.base / "etc/public" / (EYE + ".pem")
    before, names = file.read_bytes(), sorted(path.name for path in file.parent.iterdir())
    tap.ok(sent(g, EYE) == OLD, "nothing known: AES-CBC and PKCS #1 v1.5")
    for capabilities, time, expected, name in (
            (None, "260501120000Z", OLD, "a signature without capabilities teaches nothing"),
            ([GCM, OAEP, CBC], "260502120000Z", NEW, "he reads GCM and OAEP: so it is written"),
            ([CBC], "260502110000Z", NEW, "an older signature that comes later does not count"),
            ([CBC], None, NEW, "nor does one without a time"),
            ([CBC], "260503120000Z", OLD, "he reads GCM no more: AES-CBC again"),
            ([GCM], "260503130000Z", ("auth-enveloped", "pkcs1"), "GCM without OAEP"),
            ([OAEP], "260503140000Z", ("enveloped", "oaep"), "OAEP without GCM"),
            ([CBC], "490101120000Z", ("enveloped", "oaep"), "a signature from the future does not count"),
            ([], "260504120000Z", OLD, "an empty list: he reads what everybody must")):
        says(tap, g, capabilities, time)
        got = sent(g, EYE)
        tap.ok(got == expected, name, got)
    says(tap, g, [GCM, OAEP], "260505120000Z", status="invalid", forged=True)
    tap.ok(sent(g, EYE) == OLD, "nothing is learnt from a forged signature")
    says(tap, g, [GCM, OAEP], "260506120000Z")
    tap.ok(sent(g, EYE) == NEW, "but from the next good one")
    tap.ok(file.read_bytes() == before and sorted(path.name for path in file.parent.iterdir()) == names,
           "the administrator's certificates are as they were")


def several(tap, g):
    g.partner(TWIN)
    tap.ok(sent(g, EYE, TWIN) == ("enveloped", "oaep+pkcs1"), "one of two recipients is not known to read GCM: AES-CBC for both, OAEP for whom it fits")
    g.pki.person(TWIN, "rsa", name="signing")
    says(tap, g, [GCM, OAEP], "260502120000Z", sender=TWIN, name="signing")
    tap.ok(sent(g, EYE, TWIN) == NEW, "he signs with a certificate of its own: what he says holds for the other one, too")
    tap.ok(list((g.base / "var/review").iterdir()) != [] and sent(g, TWIN) == NEW, "while that certificate waits for a person")


def pinned(tap, g):
    rules(g, f". (to) {EYE} (do) FE:old\n")
    tap.ok(sent(g, EYE) == OLD, "a profile in the rule stands above what he reads")
    says(tap, g, [CBC], "260507120000Z")
    rules(g, f". (to) {EYE} (do) FE:modern\n")
    tap.ok(sent(g, EYE) == NEW, "also the other way")
    rules(g, ". (to) . (do) FE\n")
    tap.ok(sent(g, EYE) == OLD, "without it his word counts again")


def switches(tap, g):
    conf = g.base / "etc/julia.conf"
    for word, expected in (("no", OLD), ("public", NEW)):
        plain = conf.read_text()
        conf.write_text(plain + f"HARVEST = {word}\n")
        says(tap, g, [GCM, OAEP], f"26050{8 + (word == 'public')}120000Z")
        tap.ok(sent(g, EYE) == expected, f"HARVEST={word}: {'learnt' if expected == NEW else 'nothing is learnt'}")
        conf.write_text(plain)
    for path in (g.base / "var/capabilities").iterdir():
        path.unlink()
    tap.ok(sent(g, EYE) == OLD, "what is removed is forgotten")


def main():
    tap = gateway.Tap()
    with gateway.Gateway(rules=". (to) . (do) FE\n", conf="PROFILE_old = cipher=aes-256-cbc keytrans=rsa-pkcs1\n") as g:
        g.own_key(ONE)
        g.partner(EYE)
        for part in (learn, several, pinned, switches):
            part(tap, g)
    return tap.end()


sys.exit(main())
