#!/usr/bin/env python3
"""overhear.py FILE MODULE: a module that asks another one everything it is asked, and writes a line for each request to FILE: what kind,
how many, by which scheme; nothing that differs from message to message."""
import socket
import subprocess
import sys
import xml.etree.ElementTree as ElementTree


def frame(sock):
    """One frame with its length, or None at the end."""
    head = b""
    while not head.endswith(b"\n"):
        octet = sock.recv(1)
        if not octet:
            return None
        head += octet
    data = b""
    while len(data) < int(head):
        more = sock.recv(int(head) - len(data))
        if not more:
            return None
        data += more
    return head + data


def describe(data):
    body = ElementTree.fromstring(data.split(b"\n", 1)[1])[0]
    words = [body.tag.split("}")[1]]
    words += [f"{name}={body.get(name)}" for name in ("scheme", "wrap", "length") if body.get(name)]
    words += [f"{child.tag.split('}')[1]}:{child.get('use') or child.get('operation') or ''}{len(child) or ''}" for child in body
              if child.tag.endswith(("query", "allow"))]
    return " ".join(words)


def main():
    path, module = sys.argv[1:]
    core = socket.socket(fileno=0)
    ours, theirs = socket.socketpair()
    with subprocess.Popen([module], stdin=theirs) as process:
        theirs.close()
        while (request := frame(core)) is not None:
            with open(path, "a", encoding="ascii") as log:
                log.write(describe(request) + "\n")
            ours.sendall(request)
            answer = frame(ours)
            if answer is None:
                break
            core.sendall(answer)
        ours.close()
    return process.returncode


sys.exit(main())
