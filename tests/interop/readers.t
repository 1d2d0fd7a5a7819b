#!/usr/bin/env python3
"""What julia sends is read by programs that share no code with it, and what they write is read by julia: OpenSSL, gpgsm, NSS, BouncyCastle,
Thunderbird. A part of the matrix that `make interop` prints. Programs that are not installed are skipped and named; what a program does not
know, it must not know from OpenSSL either."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
import gateway  # noqa: E402
import matrix  # noqa: E402


def main():
    tap = gateway.Tap()
    with matrix.Lab(matrix.reduced()) as lab:
        for peer in lab.peers:
            print(f"# {peer.name} {peer.version}" if peer.missing is None else f"# {peer.name} is {peer.missing}: not asked")
        for row, peer, there, back in matrix.cells(lab):
            if peer.missing is not None:
                continue
            if row.ours:
                known = there[0] == matrix.OK or (there[0] == matrix.UNKNOWN and not matrix.PLAIN.match(row.name))
                tap.ok(known, f"julia -> {peer.name}: {row.name}{'' if there[0] == matrix.OK else ': ' + there[0]}", there[1])
            if back[0] not in ("", matrix.UNWRITTEN):
                tap.ok(back[0] != matrix.FAIL, f"{peer.name} -> julia: {row.name}{'' if back[0] == matrix.OK else ': ' + back[0]}", back[1])
    return tap.end()


sys.exit(main())
