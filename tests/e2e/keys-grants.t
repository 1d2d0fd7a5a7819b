#!/usr/bin/env python3
"""What a granted connection is good for, seen from a smime module that has been taken over: it gets the real connection from the real
julia and tries everything else on it, before and after its answer. And what another user can do at the key module's socket."""
import os
import re
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import gateway  # noqa: E402

NS = "urn:julia:module:1"
RULES = ". (to) . (do) FS=mail@behoerde.de\n"
LETTER = (b"From: user_1@behoerde.de\nTo: anna@partner.example\nSubject: s\nMessage-ID: <%d@behoerde.de>\n"
          b"Date: Sat, 21 Nov 2026 12:00:00 +0000\n\nHello\n")
NOBODY = 65534


def receive(connection):
    """(text, descriptors) of one frame; ("", []) at the end."""
    data, fds, _, _ = socket.recv_fds(connection, 1, 16)
    while data and not data.endswith(b"\n"):
        data += connection.recv(1)
    if not data:
        return "", []
    length, body = int(data), b""
    while len(body) < length:
        more, extra, _, _ = socket.recv_fds(connection, length - len(body), 16)
        if not more:
            return "", []
        body, fds = body + more, fds + extra
    return body.decode(), fds


def send(connection, text):
    connection.sendall(b"%d\n%s" % (len(text.encode()), text.encode()))


def ask(connection, operation, number=[0]):
    """STATUS REASON of the answer, or "cut"."""
    number[0] += 1
    try:
        connection.settimeout(5)
        send(connection, f'<request xmlns="{NS}" id="t{number[0]}" deadline="5000">{operation}</request>')
        text, _ = receive(connection)
    except OSError:
        return "cut"
    if not text:
        return "cut"
    word = re.search(r'<answer[^>]* status="(\w+)"', text)[1]
    reason = re.search(r'<answer[^>]* reason="([^"]*)"', text)
    return word + (" " + reason[1] if reason else "")


def sign(key, octet="aa"):
    return f'<sign key="{key}" scheme="rsa-pkcs1-sha256" digest="{octet * 32}"/>'


class Taken:
    """The smime service that somebody has taken over: tries on the granted connection what `attempts` (name, function of the key) say,
    answers temporary, and keeps the connection."""

    def __init__(self, path, attempts):
        self.attempts, self.results, self.kept, self.key, self.late = attempts, {}, None, None, None
        self.listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listening.bind(str(path))
        self.listening.listen(5)
        self.answered = threading.Event()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            connection, _ = self.listening.accept()
            with connection:
                text, fds = receive(connection)
                while text:
                    send(connection, self.answer(text, fds))
                    text, fds = receive(connection)

    def answer(self, text, fds):
        identity = re.search(r'<request[^>]* id="([^"]*)"', text)[1]
        if "<hello" in text:
            return (f'<answer xmlns="{NS}" id="{identity}" status="ok"><hello version="1" role="smime" name="smime">'
                    '<operation name="sign"/></hello></answer>')
        self.key = re.search(r'<sign[^>]* key="([^"]*)"', text)[1]
        self.kept = socket.socket(fileno=os.dup(fds[int(re.search(r'<sign[^>]* channel="(\d+)"', text)[1])]))
        for name, operation in self.attempts:
            self.results[name] = ask(self.kept, operation(self.key))
        for fd in fds:
            os.close(fd)
        self.answered.set()
        return f'<answer xmlns="{NS}" id="{identity}" status="temporary" reason="taken-over"/>'


def taken_over(tap, g, keys):
    other = "keys-file:" + "0" * 64
    attempts = [
        ("another key", lambda key: sign(other)),
        ("open with a key that may sign", lambda key: f'<open key="{key}" scheme="rsa-pkcs1" length="16"><encrypted>QUJD</encrypted></open>'),
        ("a grant of its own", lambda key: f'<grant><allow key="{key}" operation="sign" count="9"/></grant>'),
        ("look-ups", lambda key: '<find><query n="0" use="sign" address="mail@behoerde.de"/></find>'),
        ("hello", lambda key: '<hello version="1"/>'),
        ("one signature", sign),
        ("a second one", lambda key: sign(key, "bb")),
    ]
    expected = {"another key": "permanent not-granted", "open with a key that may sign": "permanent not-granted",
                "a grant of its own": "permanent grant-not-first", "look-ups": "permanent not-granted",
                "hello": "permanent not-granted", "one signature": "ok", "a second one": "permanent grant-used-up"}
    path = g.base / "var/run/taken"
    taken = Taken(path, attempts)
    conf = g.base / "etc/julia.conf"
    conf.write_text(re.sub("(?m)^MODULE_SMIME = .*", f"MODULE_SMIME = unix:{path}", re.sub(
        "(?m)^MODULES_KEYS = .*", f"MODULES_KEYS = {keys}", conf.read_text())))
    status, output = g.outgoing(LETTER % time.monotonic_ns(), "user_1@behoerde.de", ["anna@partner.example"])
    tap.ok(status == 75 and taken.answered.is_set() and not g.collect(), f"keys {keys.split(':')[0]}: the mail waits", output)
    for name, word in expected.items():
        tap.ok(taken.results.get(name) == word, f"on the granted connection: {name}: {word}", taken.results)
    after = ask(taken.kept, sign(taken.key))
    tap.ok(after == "cut", "after the answer the connection is cut for everybody who kept it", after)
    taken.attempts, taken.answered = [], threading.Event()
    status, output = g.outgoing(LETTER % time.monotonic_ns(), "user_1@behoerde.de", ["anna@partner.example"])
    after = ask(taken.kept, sign(taken.key))
    tap.ok(taken.answered.is_set() and after == "cut", "a grant that was not used is cut as well", after)
    taken.listening.close()
    path.unlink()
    return taken.key


def as_nobody(attempts):
    """What attempts() returns as another user, as text."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            os.write(writing, repr(attempts()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, encoding="utf-8") as file:
        text = file.read()
    os.waitpid(pid, 0)
    return text


def other_user(tap, path, key):
    if os.geteuid() != 0:
        return

    def alone(*operations):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(str(path))
            return [ask(connection, operation) for operation in operations]

    def attempts():
        return (alone(f'<grant><allow key="{key}" operation="sign" count="1"/></grant>', sign(key)) + alone(sign(key)) +
                alone('<store area="public"><certificate>AAAA</certificate></store>') +
                alone('<hello version="1"/>', '<list area="public"/>'))
    path.chmod(0o666)
    for directory in list(path.parents)[:3]:
        directory.chmod(0o711)
    got = as_nobody(attempts)
    expected = ["permanent not-allowed", "permanent no-grant", "permanent no-grant", "permanent not-allowed", "ok", "ok"]
    tap.ok(got == repr(expected), "another user that can connect cannot grant, sign or store, only look up", got)


def races(tap, path, key):
    """One signature is granted; many ask for it at once on that connection and on others."""
    granted = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    granted.connect(str(path))
    first = ask(granted, f'<grant><allow key="{key}" operation="sign" count="1"/></grant>')
    request = f'<request xmlns="{NS}" id="r" deadline="5000">{sign(key)}</request>'.encode()
    granted.sendall(b"".join(b"%d\n%s" % (len(request), request) for _ in range(20)))
    answers = [receive(granted)[0] for _ in range(20)]
    good = sum("<signature>" in answer for answer in answers)
    tap.ok(first == "ok" and good == 1, "of twenty requests sent at once one gets the one signature", answers[:3])
    second = ask(granted, f'<grant><allow key="{key}" operation="sign" count="1"/></grant>')
    tap.ok(second == "permanent grant-not-first", "a second grant on the connection is refused", second)
    greeted = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    greeted.connect(str(path))
    ask(greeted, '<hello version="1"/>')
    late = ask(greeted, f'<grant><allow key="{key}" operation="sign" count="1"/></grant>')
    tap.ok(late == "permanent grant-not-first", "a grant behind hello is refused", late)
    for connection in (granted, greeted):
        connection.close()


def main():
    tap = gateway.Tap()
    with gateway.Gateway(RULES) as g:
        g.own_key("mail@behoerde.de")
        path = g.base / "var/run/keys-file"
        service = subprocess.Popen([gateway.BUILD / "bin/julia-moduled", "-b", g.base, "-s", path,
                                    gateway.BUILD / "lib/modules/keys-file"], stderr=subprocess.DEVNULL)
        for _ in range(500):
            time.sleep(0 if path.exists() else 0.02)
        try:
            taken_over(tap, g, f"{gateway.BUILD}/lib/modules/keys-file")
            key = taken_over(tap, g, f"unix:{path}")
            races(tap, path, key)
            other_user(tap, path, key)
        finally:
            service.terminate()
            service.wait()
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
