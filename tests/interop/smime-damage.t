#!/usr/bin/python3
"""Every octet of a message changed once, and the message cut at every place: refused, or the same text. CBC protects nothing, so there
a changed text may come out, but only as not authenticated, and only where the encrypted octets or the IV were changed."""
import collections
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import smime_lab as lab  # noqa: E402

TEXT = b"Content-Type: text/plain\r\n\r\nHello\r\nsecond line\r\n"


def remembering(pki):
    """A key module that computes each answer once."""
    known = {}

    def answer(body):
        question = lab.ElementTree.tostring(body)
        if question not in known:
            known[question] = module.work(body)
        return known[question]
    module = lab.KeyModule(pki, answer)
    return module


def try_all(tap, label, message, ask, altered_may_come=lambda got: False):
    """ask(octets) -> Answer. Returns what became of the changes."""
    found, wrong = collections.Counter(), []
    for at in range(len(message)):
        damaged = bytearray(message)
        damaged[at] ^= 0x41 if at % 2 else 0x01
        got = ask(bytes(damaged))
        if got.status != "ok":
            found[got.reason] += 1
            if got.status != "permanent" or got.reason not in ("damaged", "unsupported", "undecryptable", "too-large"):
                wrong.append(f"octet {at}: {got}")
        elif got.get("type") == "signed":
            good = ("good", "fits") in got.signers()
            found["good" if good else "not good"] += 1
            if good and got.output not in (TEXT, b""):
                wrong.append(f"octet {at}: another text counts as signed: {got.output}")
        else:
            found["same text" if got.output == TEXT else "another text"] += 1
            if got.output != TEXT and not altered_may_come(got):
                wrong.append(f"octet {at}: {got} {got.output}")
    tap.ok(not wrong, f"{label}: {len(message)} octets, each changed once: {dict(found)}", "\n".join(wrong))
    cuts = [n for n in range(0, len(message), 3) if ask(message[:n]).status != "permanent"]
    tap.equal(cuts, [], f"{label}: cut anywhere, it is refused")


def main():
    tap, pki = lab.Tap(), lab.Pki()
    keys = remembering(pki)
    with lab.Smime() as smime:
        for cipher, keytrans, name in (("aes-256-gcm", "rsa-oaep-sha256", "rsa"), ("aes-128-gcm", "rsa-pkcs1", "p256"),
                                       ("aes-128-cbc", "rsa-oaep-sha256", "rsa")):
            ber, _ = lab.split_p7m(smime.encrypt([pki.der(name)], TEXT, cipher=cipher, keytrans=keytrans).output)
            try_all(tap, f"{cipher} {name}", ber, lambda octets, who=name: smime.unwrap(octets, keys, [who], limit=1 << 20),
                    lambda got: got.get("authenticated") == "no")
        signer = lab.KeyModule(pki)
        for form in ("opaque", "clear"):
            got = smime.sign(signer, TEXT, "p256", form=form)
            if form == "opaque":
                try_all(tap, "opaque signature", lab.split_p7m(got.output)[0], lambda octets: smime.unwrap(octets, limit=1 << 20))
            else:
                entity, der, _ = lab.split_clear(got.output)
                try_all(tap, "clear signature", der, lambda octets, e=entity: smime.unwrap(octets, signed=e))
        tap.equal(smime.unwrap(ber, keys, [name]).output, TEXT, "the same process still works")
    tap.done()


main()
