#!/usr/bin/env python3
"""A 50 MB message in all four operations: no process of the run may need 16 MiB. Where its Subject is hidden, it is written once more with the
Subject in the text, in quoted-printable."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import gateway  # noqa: E402

LIMIT_KIB = 16 * 1024
BODY = 50 * 1000 * 1000
RULES = """\
.  (to) gcm.example    (do) FE:gcm
.  (to) cbc.example    (do) FE:cbc
.  (to) clear.example  (do) FS
.  (to) opaque.example (do) FS:opaque
.  (to) both.example   (do) FE:hidden, FS
"""
CONF = """\
PROFILE_gcm = cipher=aes-256-gcm
PROFILE_cbc = cipher=aes-256-cbc
PROFILE_hidden = cipher=aes-256-gcm headers=hcp_baseline
PROFILE_opaque = form=opaque
"""
MAXRSS = gateway.BUILD / "tests/tools/maxrss"


def peak(output):
    lines = [line for line in output.decode(errors="replace").splitlines() if line.startswith("maxrss-kib ")]
    return int(lines[-1].split()[1]) if lines else 1 << 40


def letter(sender, recipient):
    line = b"0123456789abcdefghijklmnopqrstuvwxyz" * 2 + b"\n"
    return (f"From: {sender}\nTo: {recipient}\nSubject: =?utf-8?q?gro=C3=9F?=\nMIME-Version: 1.0\nContent-Type: text/plain\n"
            "Message-ID: <large@behoerde.de>\nDate: Sat, 21 Nov 2026 12:00:00 +0000\n\n").encode() + line * (BODY // len(line))


def main():
    tap = gateway.Tap()
    with gateway.Gateway(RULES, CONF) as g:
        sender = "user_1@behoerde.de"
        g.own_key(sender)
        domains = ("gcm", "cbc", "clear", "opaque", "both")
        for domain in domains:
            g.partner(f"anna@{domain}.example")
        made = {}
        for domain in domains:
            status, output = g.outgoing(letter(sender, f"anna@{domain}.example"), sender, [f"anna@{domain}.example"],
                                        wrapper=[MAXRSS])
            got = g.collect()
            if tap.ok(status == 0 and len(got) == 1, f"{domain}: goes out", output.decode(errors="replace")):
                made[domain] = got[0][2]
            tap.ok(peak(output) < LIMIT_KIB, f"{domain}: {peak(output)} KiB going out, limit {LIMIT_KIB}")
        g.own_key("anna@behoerde.de")
        for domain, octets in made.items():
            key = g.pki.path(f"anna@{domain}.example.key").read_bytes()
            own = g.base / "etc/private" / f"{domain}.pem"
            own.write_bytes(key + g.pki.path(f"anna@{domain}.example.crt").read_bytes())
            own.chmod(0o600)
            g.base.joinpath("etc/keys-file.conf").write_text("GATEWAY = " + " ".join(f"anna@{d}.example" for d in domains) + "\n")
            with open(g.base / "etc/julia.conf", encoding="utf-8") as conf:
                text = conf.read()
            if "GATEWAY_KEY" not in text:
                g.base.joinpath("etc/julia.conf").write_text(
                    text.replace("INTERNAL_DOMAINS = behoerde.de", "INTERNAL_DOMAINS = behoerde.de .example") +
                    "GATEWAY_KEY = " + " ".join(f"anna@{d}.example" for d in domains) + "\n")
            status, output = g.incoming(octets, sender, [f"anna@{domain}.example"], wrapper=[MAXRSS])
            got = g.collect()
            tap.ok(status == 0 and len(got) == 1, f"{domain}: comes in", output.decode(errors="replace"))
            tap.ok(peak(output) < LIMIT_KIB, f"{domain}: {peak(output)} KiB coming in, limit {LIMIT_KIB}")
            if got:
                head = got[0][2][:4000].decode(errors="replace")
                want = {"gcm": "decrypted", "both": "decrypted", "cbc": "not-integrity-protected"}.get(domain, "none")
                tap.ok(f"X-JULIA-Encryption: {want}\n" in head, f"{domain}: encryption status is {want}", head[:800])
                tap.ok(("X-JULIA-Signature: valid\n" in head) == (domain in ("clear", "opaque", "both")),
                       f"{domain}: signature status", head[:800])
    return tap.end()


sys.exit(main())
