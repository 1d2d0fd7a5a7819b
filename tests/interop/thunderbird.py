"""Thunderbird without a window, as a peer: it is started with a profile of its own and asked by Marionette (the protocol of its own
tests) to run thunderbird.js. It reads whole messages, as if they were shown, and writes them as if they were sent, by its own choice of
algorithms: rows that it would not write so are not offered."""
import email.utils
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time

import gateway
from peers import CalledProgramFailed, NotOffered, Peer, output

SECONDS = 120  # for anything, on a machine that has much else to do
GOOD = 0
PREFERENCES = """\
user_pref("marionette.port", 0);
user_pref("mail.provider.suppress_dialog_on_startup", true);
user_pref("mail.spotlight.firstRunDone", true);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("app.update.disabledForTesting", true);
user_pref("network.proxy.type", 1);
user_pref("network.proxy.socks", "127.0.0.1");
user_pref("network.proxy.socks_port", 9);
"""
CALL = """
const [name, values, source] = arguments, done = arguments[arguments.length - 1];
try {
  globalThis.julia ??= (0, eval)(source + ";thunderbird");
  globalThis.julia[name](values).then(value => done({value: value ?? null}), error => done({error: error.message ?? String(error)}));
} catch (error) {
  done({error: String(error)});
}
"""


class Marionette:
    """length:[type, id, error, value] both ways."""

    def __init__(self, port):
        self.socket, self.number = socket.create_connection(("127.0.0.1", port), SECONDS), 0
        self.stream = self.socket.makefile("rb")
        self.read()

    def read(self):
        length = b""
        while (octet := self.stream.read(1)) != b":":
            if not octet:
                raise RuntimeError("Thunderbird has gone")
            length += octet
        return json.loads(self.stream.read(int(length)))

    def call(self, command, **values):
        self.number += 1
        frame = json.dumps([0, self.number, command, values]).encode()
        self.socket.sendall(b"%d:%s" % (len(frame), frame))
        _, _, error, value = self.read()
        if error:
            raise RuntimeError(f"{command}: {error['message']}")
        return value

    def close(self):
        self.stream.close()
        self.socket.close()


def base64_of(certificate):
    return "".join(line for line in certificate.read_text().splitlines() if "-----" not in line)


class Thunderbird(Peer):
    name = "Thunderbird"
    marionette = process = None

    def find(self):
        if shutil.which("thunderbird") is None:
            self.missing = "not installed"

    def start(self):
        (self.directory / "user.js").write_text(PREFERENCES)
        self.source = (gateway.SOURCE / "tests/interop/thunderbird.js").read_text()
        with open(self.directory / "log", "wb") as log:
            self.process = subprocess.Popen(["thunderbird", "--headless", "--no-remote", "--marionette", "--remote-allow-system-access",
                                             "--profile", self.directory], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=dict(os.environ, HOME=str(self.directory), MOZ_HEADLESS="1"), start_new_session=True)
        self.marionette = Marionette(self._port())
        self.marionette.call("WebDriver:NewSession", capabilities={"alwaysMatch": {}})
        self.marionette.call("WebDriver:SetTimeouts", script=SECONDS * 1000)
        self.marionette.call("Marionette:SetContext", value="chrome")
        self.version = self.ask("begin", base64_of(self.pki.path("ca.crt")))

    def _port(self):
        until = time.monotonic() + SECONDS
        file = self.directory / "MarionetteActivePort"
        while time.monotonic() < until and self.process.poll() is None:
            if file.exists() and file.read_text().strip():
                return int(file.read_text())
            time.sleep(0.1)
        raise RuntimeError("Thunderbird does not start: " + (self.directory / "log").read_text(errors="replace")[-600:])

    def ask(self, name, *values):
        found = self.marionette.call("WebDriver:ExecuteAsyncScript", script=CALL, args=[name, list(values), self.source],
                                     sandbox="system", newSandbox=False)["value"]
        if "error" in found:
            raise CalledProgramFailed(found["error"])
        return found["value"]

    def owns(self, person):
        try:
            self.ask("owns", str(person.p12), "secret")
        except CalledProgramFailed:
            pass  # a key of a kind that it does not know; reading and writing with it will tell

    def knows(self, person):
        self.ask("knows", base64_of(person.certificate))

    def read(self, message, row, body):
        """What goes wrong; it finds fault with a Date that is hours away from the signing time."""
        message = re.sub(rb"(?m)^Date: .*$", b"Date: " + email.utils.formatdate().encode(), message, count=1)
        try:
            found = self.ask("read", str(self.file(message)), bool(row.form), bool(row.cipher))
        except CalledProgramFailed as error:
            return str(error)
        wanted = {"signed": GOOD if row.form else None, "encrypted": GOOD if row.cipher else None}
        states = {name: found[name] for name in wanted}
        if states != wanted:
            return f"{states}"
        return "" if body in found["text"] else f"another text: {found['text'][-400:]!r}"

    def make(self, row, entity, signers, recipients):
        if row.form == "opaque" or row.sign == "rsa-pss" or row.keytrans != "pkcs1" or len(signers) > 1 or row.shape in (
                "triple", "compressed") or row.cipher.endswith("gcm"):
            raise NotOffered
        written = self.ask("write", entity.decode(), signers[0].address, [person.address for person in recipients], bool(row.form),
                           bool(row.cipher)).encode("latin-1").replace(b"\r\n", b"\n")
        if (row.cipher and not self._is_cipher(written, row.cipher)) or (
                row.form and not row.cipher and f"micalg={row.digest[:3]}-{row.digest[3:]}".encode() not in written):
            raise NotOffered
        return written

    def _is_cipher(self, entity, cipher):
        good, text = output(["openssl", "cms", "-cmsout", "-print", "-noout", "-inform", "SMIME", "-in",
                             self.file(b"MIME-Version: 1.0\n" + entity)])
        return good and f"algorithm: {cipher} " in text.decode(errors="replace")

    def close(self):
        if self.process is None:
            return
        try:
            self.marionette.call("Marionette:Quit", flags=["eForceQuit"])
            self.marionette.close()
            self.process.wait(SECONDS)
        except (AttributeError, OSError, RuntimeError, subprocess.TimeoutExpired):
            os.killpg(self.process.pid, 9)
            self.process.wait()
