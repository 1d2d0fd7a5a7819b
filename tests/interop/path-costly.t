#!/usr/bin/python3
"""Certificates and CRLs made to keep the module busy: anybody can send them, so none of that may be checked which nobody vouches for, and
nothing with keys that cost many times what CAs' keys do. Without these bounds one such mail of 110 kB took minutes, and was put off."""
import calendar
import hashlib
import math
import os
import random
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import path_lab as lab  # noqa: E402
from path_lab import CERT_SIGN, CRL_SIGN, basic, issuer_key_id, key_id, usage  # noqa: E402
from smime_lab import NULL, Tap, algorithm, integer, tlv  # noqa: E402

AT = calendar.timegm((2026, 11, 30, 0, 0, 0))
ROOT, BIG, LEAF, NAME = (lab.name(f"CN={who}") for who in ("Root", "Big", "Leaf", "N"))
EXPONENT = 2 ** 64 - 59  # a prime, and the largest that OpenSSL takes with a long modulus
DEPTH, SIGNS = 8, [usage(CERT_SIGN, CRL_SIGN)]


def is_prime(n):
    """Miller and Rabin, certain below 2^64."""
    if n % 2 == 0:
        return False
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37):
        x = pow(base, odd, n)
        if x not in (1, n - 1) and not any((x := x * x % n) == n - 1 for _ in range(twos - 1)):
            return False
    return True


class SmoothKey:
    """RSA whose modulus is a product of many small primes: of any length at once, and signed with in no time. Readers cannot tell."""

    algorithm = algorithm(lab.RSA_SHA256, NULL)

    def __init__(self, numbers, bits, exponent=EXPONENT):
        self.primes, self.modulus, self.exponent = set(), 1, exponent
        while self.modulus.bit_length() <= bits - 64:
            prime = numbers.getrandbits(64) | 1 << 63 | 1
            if prime not in self.primes and is_prime(prime) and math.gcd(prime - 1, exponent) == 1:
                self.primes.add(prime)
                self.modulus *= prime
        self.size = (self.modulus.bit_length() + 7) // 8
        self.spki = lab.rsa_spki(integer(self.modulus), integer(exponent))
        self.id = hashlib.sha1(self.spki).digest()

    def sign(self, octets, _="sha256"):
        info = tlv(0x30, algorithm("2.16.840.1.101.3.4.2.1", NULL), tlv(4, hashlib.sha256(octets).digest()))
        padded = int.from_bytes(b"\0\1" + b"\xff" * (self.size - 3 - len(info)) + b"\0" + info, "big")
        found, modulus = 0, 1
        for prime in self.primes:  # Chinese remainders
            root = pow(padded, pow(self.exponent, -1, prime - 1), prime)
            found += modulus * ((root - found) * pow(modulus, -1, prime) % prime)
            modulus *= prime
        return found.to_bytes(self.size, "big")


def certificate(serial, subject, key, issuer, by, *extensions):
    return lab.certificate(subject, key, issuer, by, [*extensions, issuer_key_id(by)], serial=serial)


def long_keys(tap, numbers, root_key, root, leaf_key):
    """A CA with a key of 16,384 bits, or with an exponent as long as the modulus, which the root has certified."""
    for bits, exponent, verdict in ((8192, EXPONENT, "valid"), (16384, EXPONENT, "no-path"), (3072, 2 ** 2203 - 1, "no-path")):
        key = SmoothKey(numbers, bits, exponent)
        ca = certificate(1, BIG, key, ROOT, root_key, basic(), *SIGNS, key_id(key))
        leaf = certificate(2, LEAF, leaf_key, BIG, key)
        for where, expected, files, extras in (("came along", verdict, [root], [ca]), ("lies in area ca", "valid", [root, ca], [])):
            module = lab.Module({"ca": files})
            tap.equal(module.judge(leaf, extras=extras, at=AT)[0], expected, f"a CA with a key of {bits} bits, exponent of {exponent.bit_length()}, that {where}: {expected}")
            module.close()


def maze(tap, numbers, root, leaf_key):
    """Two certificates of each CA, all of one name: 256 paths that end nowhere; and CRLs of that name, each to be tried with every key."""
    keys = [SmoothKey(numbers, 16384) for _ in range(DEPTH + 1)]
    extras = [certificate(10 * level + copy, NAME, keys[level], NAME, keys[level + 1], basic(), *SIGNS, key_id(keys[level]))
              for level in range(DEPTH) for copy in range(2)]
    leaf = certificate(1, LEAF, leaf_key, NAME, keys[0])
    crls = [lab.crl(NAME, keys[0])[:-8] + numbers.randbytes(8) for _ in range(20)]
    module = lab.Module({"ca": [root]})
    for revocation in ("off", "prefer", "require"):
        got = module.judge(leaf, extras=extras, crls=crls, revocation=revocation, at=AT)
        tap.equal(got[0], "no-path", f"a maze of CAs, revocation {revocation}: refused within the time that julia waits")
    module.close()


def crowd(tap, path, root_key, root, leaf_key):
    """Many certificates in one request, as of the signers of a mail: each has what an honest path needs, but not a maze of its own."""
    lost, serial, above, by, between = lab.Key(path, "lost"), 30, ROOT, root_key, []
    for level in range(6):
        key, name = lab.Key(path, f"level-{level}"), lab.name(f"CN=Level {level}")
        between.append(certificate(serial + level, name, key, above, by, basic(), *SIGNS, key_id(key)))
        above, by = name, key
        honest = certificate(50 + level, LEAF, leaf_key, name, key)
        if level == 2:
            usual = honest
    copies = [lab.certificate(NAME, lost, NAME, lost, [basic(), *SIGNS], serial=serial)[:-2] + bytes(2) for serial in range(1, 91)]
    astray = [certificate(60, LEAF, leaf_key, NAME, lost)] * 10
    for what, files, leaves, extras, expected in (
            ("400 with three CAs each that came along", [root], [usual] * 400, between, "valid"), ("one with six", [root], [honest], between, "valid"),
            ("the same, behind ten with 90 CAs of one name", [root], [*astray, honest], between + copies, "no-path"),
            ("one with three, behind those", [root], [*astray, usual], between + copies, "valid"),
            ("one with six CAs in area ca, behind those", [root, *between], [*astray, honest], copies, "valid")):
        module = lab.Module({"ca": files})
        got = {verdict for verdict, _ in module.judge_all(leaves, extras=extras, at=AT)[len(leaves) - 1 if leaves[0] is astray[0] else 0:]}
        tap.equal(got, {expected}, f"{what}: {expected}")
        module.close()


def foreign_revocation(tap, numbers, root, leaf_key):
    """A CA that nobody trusts cannot revoke either; but what area trusted vouches for may be revoked by its CA."""
    key = SmoothKey(numbers, 2048)
    foreign = lab.certificate(NAME, key, NAME, key, [basic(), *SIGNS])
    leaf = certificate(5, LEAF, leaf_key, NAME, key)
    crls = [lab.crl(NAME, key, [(5, [])], [lab.number(1)])]
    for areas, expected in (({"ca": [root]}, "untrusted-root"), ({"ca": [root], "trusted": [leaf]}, "revoked")):
        module = lab.Module(areas)
        got = module.judge(leaf, extras=[foreign], crls=crls, revocation="prefer", at=AT)
        tap.equal(got[0], expected, f"listed by a CA that nobody trusts{', but in area trusted' if 'trusted' in areas else ''}: {expected}")
        module.close()


def main():
    tap, numbers = Tap(), random.Random(7)
    with tempfile.TemporaryDirectory(prefix="path-costly.") as path:
        root_key, leaf_key = lab.Key(path, "root"), lab.Key(path, "leaf")
        root = lab.certificate(ROOT, root_key, ROOT, root_key, [basic(), *SIGNS])
        long_keys(tap, numbers, root_key, root, leaf_key)
        maze(tap, numbers, root, leaf_key)
        crowd(tap, path, root_key, root, leaf_key)
        foreign_revocation(tap, numbers, root, leaf_key)
    tap.done()


main()
