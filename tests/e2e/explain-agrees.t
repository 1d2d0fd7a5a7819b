#!/usr/bin/env python3
"""What -explain says of mixed messages is exactly what is then handed off (COUNT messages; the soak takes 500)."""
import os
import random
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import gateway  # noqa: E402

COUNT = int(os.environ.get("JULIA_EXPLAIN_COUNT", "60"))
RULES = """\
.                   (to) signed.example   (do) FS=mail@behoerde.de
.                   (to) secret.example   (do) FE, FS=mail@behoerde.de
.                   (to) maybe.example    (do) EIP
user_1@behoerde.de  (to) .                (do) SIP
user_2@behoerde.de  (to) maybe.example    (do) NE, FS
.                   (to) gcm.example      (do) FE:modern
.                   (to) no.example       (do) REJECT "not to them"
.                   (to) team.example     (do) FE=office@team.example
"""
PEOPLE = ["anna@secret.example", "bert@secret.example", "cora@maybe.example", "gina@gcm.example", "office@team.example"]
OTHERS = ["nobody@secret.example", "expired@secret.example", "dora@maybe.example", "sue@signed.example", "x@no.example",
          "tim@team.example", "plain@public.example", "hidden@public.example"]
SENDERS = ["user_1@behoerde.de", "user_2@behoerde.de", "user_3@behoerde.de", "mail@behoerde.de"]
BODIES = [("text/plain", "short\n"), ("text/plain; charset=utf-8", "Gr\u00fc\u00dfe\n"), ("text/plain", "x" * 2000 + "\n"),
          ("text/html", "<p>hello</p>\n" * 50),
          ("multipart/mixed; boundary=b", "--b\n\none\n--b\nContent-Type: text/calendar\n\nBEGIN:VCALENDAR\n--b--\n")]


def letter(rng, number, sender):
    recipients = rng.sample(PEOPLE + OTHERS, rng.randint(1, 5))
    shown = [r for r in recipients if rng.random() < 0.85] or recipients[:1]
    content_type, body = rng.choice(BODIES)
    text = (f"From: {sender}\nTo: {', '.join(shown)}\nSubject: number {number}\nMessage-ID: <n{number}@behoerde.de>\n"
            f"Date: Sat, 21 Nov 2026 12:00:00 +0000\nMIME-Version: 1.0\nContent-Type: {content_type}\n\n{body}")
    return text.encode(), recipients


def explained(output):
    """{(target, recipients): (sign?, fingerprints)} of what would be handed off, and the recipients refused."""
    groups, refused = {}, set()
    for line in output.decode().splitlines():
        if line.startswith("#") or "\t" not in line:
            continue
        fields = line.split("\t")
        recipients = tuple(sorted(re.split(r"[, ]+", fields[2])))
        words = dict(f.split("=", 1) for f in fields[3:] if "=" in f)
        if "refuse" in words or "wait" in words:
            refused.update(recipients)
        else:
            prints = frozenset(p for p in re.split(r"[, ]+", words["encrypt"]) if p != "no")
            groups[fields[1], recipients] = (words["sign"] != "no", prints)
    return groups, refused


class Reader:
    """Finds out by openssl what a message is: signed?, and the fingerprints of those who can read it."""

    def __init__(self, g):
        self.g = g
        self.prints = {}
        for name in PEOPLE:
            der = gateway.openssl("x509", "-in", g.pki.path(name + ".crt"), "-outform", "DER")
            self.prints[name] = gateway.openssl("dgst", "-sha256", "-r", input=der).split()[0].decode()

    def _openssl(self, octets, *words):
        return subprocess.run(["openssl", "cms", *map(str, words)], input=octets, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False)

    def look(self, octets):
        readers, inner = set(), octets
        if re.search(rb"(?im)^content-type: application/pkcs7-mime;[^:]*(enveloped|authEnveloped)", octets.split(b"\n\n")[0]):
            printed = self._openssl(octets, "-cmsout", "-print", "-noout").stdout
            count = len(re.findall(rb"d\.(?:ktri|kari):", printed))
            for name, fingerprint in self.prints.items():
                done = self._openssl(octets, "-decrypt", "-recip", self.g.pki.path(name + ".crt"), "-inkey",
                                     self.g.pki.path(name + ".key"))
                if done.returncode == 0:
                    readers.add(fingerprint)
                    inner = done.stdout
            if count != len(readers):
                readers.add(f"{count} RecipientInfos")
        signed = self._openssl(inner, "-verify", "-CAfile", self.g.pki.path("ca.crt")).returncode == 0
        return signed, frozenset(readers)


def main():
    tap = gateway.Tap()
    rng = random.Random(int(os.environ.get("JULIA_EXPLAIN_SEED", "7")))
    with gateway.Gateway(RULES) as g:
        for name in SENDERS[:2] + ["mail@behoerde.de"]:
            g.own_key(name)
        for name in PEOPLE:
            g.partner(name, kind="ec" if name.startswith("bert") else "rsa")
        g.partner("expired@secret.example", days=0)
        last = int(time.time())
        while int(time.time()) == last:  # of which it is valid all of the last second
            time.sleep(0.02)
        reader = Reader(g)
        for number in range(COUNT):
            sender = rng.choice(SENDERS)
            octets, recipients = letter(rng, number, sender)
            status, output = g.outgoing(octets, sender, recipients, "-explain")
            expected, refused = explained(output)
            nothing = g.collect()
            run_status, run_output = g.outgoing(octets, sender, recipients)
            real = {}
            for target, to, message, words in g.collect():
                if target == "external":
                    real[target, tuple(sorted(to))] = reader.look(message)
            good = (status == 0 and run_status == 0 and not nothing and real == expected and
                    refused | {r for _, group in expected for r in group} == set(recipients))
            tap.ok(good, f"message {number}: {len(expected)} groups, {len(refused)} refused",
                   f"{output.decode(errors='replace')}\nexpected {expected}\nreal {real}\nexits {status} {run_status} "
                   f"{run_output.decode(errors='replace')}")
        verify = (g.base / "logs/verify.log").read_text()
        for use, verdict in (("sign", "valid"), ("encrypt", "valid"), ("encrypt", "expired")):
            tap.ok(re.search(f" {use} {verdict} ", verify), f"verify.log has certificates that were {verdict} to {use}", verify[:500])
    return tap.end()


sys.exit(main())
