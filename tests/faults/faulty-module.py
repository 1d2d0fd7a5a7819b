#!/usr/bin/env python3
"""faulty-module: wraps a real module and spoils what it does, for tests.

usage: faulty-module.py [--on OPERATION] --do FAULT [--once FILE] [--seconds S] [--log FILE] -- MODULE [ARG...]

Everything passes through (frames and descriptors) but the requests of OPERATION (default: any but hello).
  --once FILE    spoil only while FILE does not exist, and make it then: the retry goes well
  --seconds S    how long `slow` waits (default 2)
  --log FILE     append one line per request: PID OPERATION, and what was done to it

Faults, any operation
  hang  die  crash              no answer: for ever, exit 3, signal 9; the real module was not asked
  hang-after  die-after         the same after the real module has done its work
  die-mid-frame  rubbish  too-much  no-xml  wrong-id  wrong-body  twice
  temporary  permanent  none  interaction
  slow                          the right answer, S seconds late
  truncated  empty  flip        half of the output; nothing; one octet changed in its middle
  wrong-length                  the answer's length is not what was written
Faults of encrypt
  plain        the message in base64 under the S/MIME label      plain-text   the message as it is under that label
  signed       SignedData under that label                       leak         multipart: encrypted part and plain part
  leak-after   the message in clear below the encrypted one      extra-header a Bcc field in the new entity's header
  extra-recipient  missing-recipient  other-recipient            (missing: of a single one, it becomes another)
Faults of encrypt, sign and unwrap
  other-message  another message is encrypted, signed, or said to have been inside
  unsigned       (sign) the message as it came, without a signature
  change-input   writes another message over the one it got to read (if it can), then works as usual
  write-later    answers as it should, keeps the output open, and writes the message in clear over it a moment later
Faults of find and validate
  results-temporary  results-none    every result has that status
  verdict=WORD                       every verdict is WORD
"""
import base64
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET

NS = "urn:julia:module:1"
FDS_MAX = 16
OTHER_MESSAGE = b"Content-Type: text/plain\r\n\r\nThis is another message.\r\n"

ET.register_namespace("", NS)


def tag(name):
    return "{%s}%s" % (NS, name)


# ---- frames ----------------------------------------------------------------------------------------------------

class Closed(Exception):
    pass


def receive(connection):
    """(XML octets, descriptors) of the next frame."""
    head, fds, _, _ = socket.recv_fds(connection, 1, FDS_MAX)
    while not head.endswith(b"\n"):
        octet = connection.recv(1)
        if not head or not octet:
            raise Closed
        head += octet
    xml = b""
    while len(xml) < int(head):
        part = connection.recv(int(head) - len(xml))
        if not part:
            raise Closed
        xml += part
    return xml, fds


def send(connection, xml, fds=()):
    frame = b"%d\n" % len(xml) + xml
    sent = socket.send_fds(connection, [frame], fds) if fds else 0
    connection.sendall(frame[sent:])


# ---- one request and its descriptors -----------------------------------------------------------------------------

class Request:
    def __init__(self, xml, fds):
        self.xml = xml
        self.fds = list(fds)
        self.root = ET.fromstring(xml)
        self.body = self.root[0]
        self.operation = self.body.tag.rpartition("}")[2]
        self.output = None
        self.start = 0
        if "output" in self.body.attrib:
            self.output = self.fds[int(self.body.get("output"))]
            self.start = os.fstat(self.output).st_size

    def content(self):
        """What its pieces say."""
        pieces = self.body.findall(tag("piece"))
        return b"".join(os.pread(self.fds[int(p.get("fd"))], int(p.get("length")), int(p.get("offset")))
                        for p in pieces)

    def replace_content(self, octets):
        """Its pieces become one, of a new file."""
        file = os.memfd_create("other")
        os.write(file, octets)
        for piece in self.body.findall(tag("piece")):
            self.body.remove(piece)
        ET.SubElement(self.body, tag("piece"), {"fd": str(len(self.fds)), "offset": "0", "length": str(len(octets))})
        self.fds.append(file)

    def rewrite(self):
        self.xml = ET.tostring(self.root)

    def written(self):
        return os.pread(self.output, os.fstat(self.output).st_size - self.start, self.start)

    def overwrite(self, octets):
        os.ftruncate(self.output, self.start)
        os.pwrite(self.output, octets, self.start)

    def end_of_line(self):
        return b"\r\n" if self.body.get("eol") == "crlf" else b"\n"


def answer(request, status, reason="test", body=""):
    return ('<answer xmlns="%s" id="%s" status="%s" reason="%s" text="a fault made for a test">%s</answer>'
            % (NS, request.root.get("id"), status, reason, body)).encode()


def with_length(xml, length):
    return re.sub(rb' length="[0-9]+"', b' length="%d"' % length, xml, count=1)


# ---- somebody whom nobody knows ----------------------------------------------------------------------------------

class Stranger:
    """A throw-away key and certificate."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.key = os.path.join(self.folder.name, "key.pem")
        self.certificate = os.path.join(self.folder.name, "certificate.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "10", "-keyout", self.key,
                        "-out", self.certificate, "-subj", "/CN=Stranger",
                        "-addext", "subjectAltName=email:stranger@invalid.example"],
                       check=True, stderr=subprocess.DEVNULL)

    def der(self):
        return subprocess.run(["openssl", "x509", "-in", self.certificate, "-outform", "DER"],
                              check=True, stdout=subprocess.PIPE).stdout

    def sign(self, octets):
        return subprocess.run(["openssl", "cms", "-sign", "-binary", "-nodetach", "-outform", "DER",
                               "-signer", self.certificate, "-inkey", self.key],
                              input=octets, check=True, stdout=subprocess.PIPE).stdout


# ---- faults that change the question -----------------------------------------------------------------------------

def stranger_recipient():
    recipient = ET.Element(tag("recipient"))
    ET.SubElement(recipient, tag("certificate")).text = base64.b64encode(Stranger().der()).decode()
    return recipient


def extra_recipient(request):
    request.body.insert(len(request.body.findall(tag("recipient"))), stranger_recipient())


def other_recipient(request):
    request.body.remove(request.body.findall(tag("recipient"))[-1])
    extra_recipient(request)


def missing_recipient(request):
    recipients = request.body.findall(tag("recipient"))
    if len(recipients) == 1:
        other_recipient(request)
    else:
        request.body.remove(recipients[-1])


def other_message(request):
    if request.operation != "unwrap":
        request.replace_content(OTHER_MESSAGE)


def change_input(request):
    for piece in request.body.findall(tag("piece")):
        octets = OTHER_MESSAGE.ljust(int(piece.get("length")), b"x")[:int(piece.get("length"))]
        try:
            os.pwrite(request.fds[int(piece.get("fd"))], octets, int(piece.get("offset")))
        except OSError:
            pass


QUESTIONS = {"change-input": change_input, "extra-recipient": extra_recipient, "other-recipient": other_recipient,
             "missing-recipient": missing_recipient, "other-message": other_message}


# ---- faults that change the output -------------------------------------------------------------------------------

def label(request, body):
    """The header of what the real module wrote, with another body in base64."""
    eol = request.end_of_line()
    header = request.written().partition(eol + eol)[0]
    return header + eol + eol + base64.encodebytes(body).replace(b"\n", eol)


def plain_text(request):
    eol = request.end_of_line()
    header = re.sub(rb"(?i)base64", b"8bit", request.written().partition(eol + eol)[0])
    return header + eol + eol + request.content()


def leak(request):
    eol = request.end_of_line()
    return eol.join([b'Content-Type: multipart/mixed; boundary="leak"', b"", b"--leak", request.written().rstrip(),
                     b"--leak", request.content(), b"--leak--", b""])


def flip(request):
    octets = bytearray(request.written())
    middle = len(octets) // 2
    while octets[middle] in b"\r\n=":
        middle += 1
    octets[middle] = ord("A") if octets[middle] != ord("A") else ord("B")
    return bytes(octets)


OUTPUTS = {
    "plain": lambda r: label(r, r.content()),
    "plain-text": plain_text,
    "signed": lambda r: label(r, Stranger().sign(r.content())),
    "leak": leak,
    "leak-after": lambda r: r.written() + r.end_of_line() + r.content(),
    "extra-header": lambda r: b"Bcc: everybody@invalid.example" + r.end_of_line() + r.written(),
    "unsigned": lambda r: r.content(),
    "truncated": lambda r: r.written()[:len(r.written()) // 2],
    "empty": lambda r: b"",
    "flip": flip,
}


# ---- faults that change the answer -------------------------------------------------------------------------------

def all_results(status):
    return lambda r, xml: re.sub(rb"(<result [^>]*?)status=\"[a-z]+\"[^>]*?(/>|>.*?</result>)",
                                 rb'\1status="%s"/>' % status, xml, flags=re.DOTALL)


def split_frame(_request, xml):
    return b"%d\n" % len(xml) + xml[:len(xml) // 2]


ANSWERS = {
    "wrong-id": lambda r, xml: re.sub(rb' id="[^"]*"', b' id="another"', xml, count=1),
    "wrong-body": lambda r, xml: answer(r, "ok", body='<hello version="1" role="smime" name="x">'
                                                      '<operation name="sign"/></hello>'),
    "wrong-length": lambda r, xml: with_length(xml, len(r.written()) + 7),
    "results-temporary": all_results(b"temporary"),
    "results-none": all_results(b"none"),
}

STATUSES = ("temporary", "permanent", "none", "interaction")
LATE = ("hang-after", "die-after", "die-mid-frame", "twice", "slow", "write-later")
EARLY = ("hang", "die", "crash", "rubbish", "too-much", "no-xml")


# ---- the wrapper -------------------------------------------------------------------------------------------------

def hang(core):
    """Says nothing any more, until nobody listens: a core that was killed leaves no process behind."""
    gone = select.poll()
    gone.register(core, select.POLLRDHUP)
    gone.poll()
    os._exit(0)


class Wrapper:
    def __init__(self, options, command):
        self.options = options
        base = os.environ.get("JULIA_BASE", "/opt/julia")
        self.command = [os.path.join(base, "lib/modules", command[0])] + command[1:]

    def due(self, request):
        on, once = self.options["on"], self.options["once"]
        if request.operation != on and (on is not None or request.operation == "hello"):
            return False
        if once is not None:
            try:
                os.close(os.open(once, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            except FileExistsError:
                return False
        return True

    def log(self, request, fault):
        if self.options["log"] is not None:
            with open(self.options["log"], "a", encoding="ascii") as file:
                file.write("%d %s %s\n" % (os.getpid(), request.operation, fault or "-"))

    def before(self, core, request, fault):
        """Faults that keep the real module out. True: the request is answered."""
        if fault == "hang":
            hang(core)
        elif fault == "die":
            os._exit(3)
        elif fault == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        elif fault == "rubbish":
            core.sendall(b"554 5.3.0 this is another protocol\r\n")
        elif fault == "too-much":
            core.sendall(b"5242880\n" + b"x" * 5242880)
        elif fault == "no-xml":
            send(core, b"<answer")
        elif fault in STATUSES:
            send(core, answer(request, fault))
        return fault in EARLY + STATUSES

    def after(self, core, request, fault, xml):
        """Faults that come when the real module has answered; gives what to answer, None for nothing more."""
        if fault == "hang-after":
            hang(core)
        elif fault == "die-after":
            os._exit(3)
        elif fault == "die-mid-frame":
            core.sendall(split_frame(request, xml))
            os._exit(3)
        elif fault == "write-later":
            if os.fork() == 0:
                time.sleep(0.2)
                request.overwrite(request.content())
                os._exit(0)
        elif fault == "slow":
            time.sleep(self.options["seconds"])
        elif fault == "twice":
            core.sendall((b"%d\n" % len(xml) + xml) * 2)
            return None
        return xml

    def spoil(self, request, fault, xml):
        """The real answer, made wrong."""
        if fault in OUTPUTS and b'status="ok"' in xml:
            octets = OUTPUTS[fault](request)
            request.overwrite(octets)
            return with_length(xml, len(octets))
        if (fault == "other-message" and request.operation == "unwrap" and request.output is not None and
                b'status="ok"' in xml):
            request.overwrite(OTHER_MESSAGE)
            return with_length(xml, len(OTHER_MESSAGE))
        if fault in ANSWERS:
            return ANSWERS[fault](request, xml)
        if fault is not None and fault.startswith("verdict="):
            return re.sub(rb' verdict="[a-z-]+"', b' verdict="%s"' % fault[8:].encode(), xml)
        return xml

    def pass_on(self, core, real, request, fault):
        if fault in QUESTIONS:
            QUESTIONS[fault](request)
            request.rewrite()
        send(real, request.xml, request.fds)
        xml, _ = receive(real)
        xml = self.after(core, request, fault, self.spoil(request, fault, xml))
        if xml is not None:
            send(core, xml)

    def serve(self, core):
        """One connection, with a real module of its own."""
        real, other = socket.socketpair()
        child = subprocess.Popen(self.command, stdin=other.fileno())
        other.close()
        try:
            while True:
                request = Request(*receive(core))
                fault = self.options["do"] if self.due(request) else None
                self.log(request, fault)
                if not self.before(core, request, fault):
                    self.pass_on(core, real, request, fault)
                for fd in request.fds:
                    os.close(fd)
        except (Closed, ConnectionError):
            pass
        finally:
            real.close()
            child.wait()

    def run(self):
        zero = socket.socket(fileno=0)
        if not zero.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            self.serve(zero)
            return
        while True:
            connection, _ = zero.accept()
            with connection:
                self.serve(connection)


def known(fault):
    return fault is not None and (fault in QUESTIONS or fault in OUTPUTS or fault in ANSWERS or
                                  fault in STATUSES + LATE + EARLY or fault.startswith("verdict="))


def main(argv):
    options = {"on": None, "do": None, "once": None, "log": None, "seconds": "2"}
    while len(argv) >= 2 and argv[0].startswith("--") and argv[0][2:] in options:
        options[argv[0][2:]] = argv[1]
        argv = argv[2:]
    if len(argv) < 2 or argv[0] != "--" or not known(options["do"]):
        print(__doc__, file=sys.stderr)
        return 2
    options["seconds"] = float(options["seconds"])
    Wrapper(options, argv[1:]).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
