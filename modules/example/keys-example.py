#!/usr/bin/env python3
"""keys-example: a key module of julia in Python, to learn from.

A key module answers questions about certificates. This one knows a directory with one PEM file per address,
for instance etc/example/erika@partner.example.pem, and offers what is in it for encryption. It has no private
keys. julia-module(7) describes the protocol; this file shows how little a module needs: nothing but the
standard library of Python 3.9 or later.

Try it:        julia-module-check -r keys "/path/to/keys-example.py /path/to/directory"
Use it:        MODULES_KEYS = keys-file ; keys-example.py etc/example         (in julia.conf)
As a service:  julia-moduled -b BASE -s BASE/var/run/keys-example /path/to/keys-example.py etc/example
"""
import array
import base64
import binascii
import hashlib
import os
import re
import signal
import socket
import ssl
import sys
import xml.parsers.expat
from xml.sax.saxutils import escape, quoteattr

NAMESPACE = "urn:julia:module:1"
NAME = "keys-example"
FRAME_MAX = 4 << 20     # octets of XML in one frame
FDS_MAX = 16            # descriptors that may come with one frame
DEPTH_MAX = 8           # elements inside each other
FRAME_SECONDS = 10      # for a frame to arrive whole once its first octet is there
IDLE_SECONDS = 10       # a silent caller of a service is sent away after that
PAGE = 100              # entries in one answer to `list`


class Refused(Exception):
    """Something is not as the protocol wants it. Ends in an answer "permanent", with this reason and text."""

    def __init__(self, reason, text):
        super().__init__(text)
        self.reason = reason
        self.text = text


class Damaged(Refused):
    """So wrong that nobody knows where the next frame begins: the connection ends after the answer."""


# ---- 1. Frames -----------------------------------------------------------------------------------------------
# A frame is a decimal number, a newline, and that many octets of XML. Descriptors travel with its first octet.
# This module needs none, but it must not keep any that a caller sends: recvmsg() closes what finds no room,
# and we close the others.

def receive_octets(connection, count):
    """Exactly `count` octets, or b"" when the caller closed before the first one."""
    octets = b""
    while len(octets) < count:
        part, ancillary, flags, _ = connection.recvmsg(
            min(count - len(octets), 65536), socket.CMSG_SPACE(FDS_MAX * 4), socket.MSG_CMSG_CLOEXEC)
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds = array.array("i")
                fds.frombytes(data[:len(data) - len(data) % fds.itemsize])
                for fd in fds:
                    os.close(fd)
        if flags & socket.MSG_CTRUNC:
            raise Damaged("damaged", "more than %d descriptors with one frame" % FDS_MAX)
        if not part:
            if octets:
                raise Damaged("damaged", "the connection ended inside a frame")
            return b""
        octets += part
    return octets


def receive_frame(connection, idle):
    """The XML of the next frame, or None at the end of the connection."""
    connection.settimeout(idle)
    octet = receive_octets(connection, 1)
    connection.settimeout(FRAME_SECONDS)
    digits = b""
    while octet != b"\n":
        if not octet:
            if not digits:
                return None
            raise Damaged("damaged", "the connection ended inside a frame")
        digits += octet
        if not re.fullmatch(b"[0-9]{1,10}", digits):
            raise Damaged("damaged", "the length is not a number of at most 10 digits")
        octet = receive_octets(connection, 1)
    # The size is checked before anything is allocated for it.
    if not digits or not 0 < int(digits) <= FRAME_MAX:
        raise Damaged("damaged", "the length is not between 1 and %d" % FRAME_MAX)
    xml_octets = receive_octets(connection, int(digits))
    if not xml_octets:
        raise Damaged("damaged", "the connection ended inside a frame")
    return xml_octets


def send_frame(connection, text):
    octets = text.encode("utf-8")
    connection.sendall(b"%d\n" % len(octets) + octets)


# ---- 2. XML --------------------------------------------------------------------------------------------------
# Read strictly: a DOCTYPE (and with it every entity), a processing instruction, another namespace or encoding
# is refused. The expat of the standard library does that with a few handlers; xml.etree would not.

class Node:
    def __init__(self, name, attributes):
        self.name = name
        self.attributes = attributes
        self.children = []
        self.text = ""


class Reader:
    def __init__(self):
        self.open = []      # elements that have begun and not ended
        self.root = None

    def start(self, name, attributes):
        namespace, _, local = name.rpartition(" ")
        if namespace != NAMESPACE:
            raise Refused("invalid", "element %s is not in the namespace %s" % (local, NAMESPACE))
        if len(self.open) == DEPTH_MAX:
            raise Refused("invalid", "elements nested too deeply")
        node = Node(local, attributes)
        if self.open:
            self.open[-1].children.append(node)
        else:
            self.root = node
        self.open.append(node)

    def end(self, _name):
        self.open.pop()

    def characters(self, text):
        self.open[-1].text += text

    def forbidden(self, *_):
        raise Refused("invalid", "a document type or processing instruction is not allowed")

    def declaration(self, _version, encoding, _standalone):
        if encoding is not None and encoding.upper() != "UTF-8":
            raise Refused("invalid", "the encoding must be UTF-8")


def parse_xml(octets):
    reader = Reader()
    parser = xml.parsers.expat.ParserCreate("UTF-8", " ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    parser.StartDoctypeDeclHandler = reader.forbidden
    parser.ProcessingInstructionHandler = reader.forbidden
    parser.XmlDeclHandler = reader.declaration
    try:
        parser.Parse(octets, True)
    except xml.parsers.expat.ExpatError as error:
        raise Refused("invalid", str(error)) from None
    return reader.root


def only(node, required=(), optional=(), children=()):
    """Refuses what the protocol does not know. A module that ignored an attribute it does not understand would
    give an answer to another question than the one that was asked."""
    for name in node.attributes:
        if name not in required and name not in optional:
            raise Refused("invalid", "element %s: unknown attribute %s" % (node.name, name))
    for name in required:
        if name not in node.attributes:
            raise Refused("invalid", "element %s: attribute %s is missing" % (node.name, name))
    for child in node.children:
        if child.name not in children:
            raise Refused("invalid", "element %s: element %s is not allowed here" % (node.name, child.name))
    if node.text.strip(" \t\r\n"):
        raise Refused("invalid", "element %s: text is not allowed here" % node.name)


def value(node, name, pattern):
    """A required attribute's value, which must match the whole pattern."""
    if not re.fullmatch(pattern, node.attributes.get(name, "")):
        raise Refused("invalid", "element %s: attribute %s is missing or wrong" % (node.name, name))
    return node.attributes[name]


NUMBER = "[0-9]{1,16}"
AREA = "public|trusted|untrusted|private|ca"
HEX = "([0-9a-f]{2})*"
BASE64 = "[A-Za-z0-9+/= \n]*"


def element(name, attributes, content=""):
    """XML text of one element. `attributes` is a list of pairs; what XML cannot carry becomes a question mark."""
    clean = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
    pairs = "".join(" %s=%s" % (key, quoteattr(clean.sub("?", text))) for key, text in attributes)
    return "<%s%s>%s</%s>" % (name, pairs, content, name) if content else "<%s%s/>" % (name, pairs)


def answer(request_id, status, body="", reason=None, text=None):
    attributes = [("xmlns", NAMESPACE), ("id", request_id), ("status", status)]
    attributes += [("reason", reason)] if reason else []
    attributes += [("text", text)] if text else []
    return element("answer", attributes, body)


# ---- 3. What this module knows -------------------------------------------------------------------------------

class Store:
    """A directory of ADDRESS.pem files. Nothing is remembered between two questions: copying a file in is enough."""

    def __init__(self, directory):
        self.directory = directory

    def path(self, address):
        # The address comes from a mail: it must never lead out of the directory.
        if "/" in address or "\0" in address or address.startswith("."):
            return None
        return os.path.join(self.directory, address.lower() + ".pem")

    def entry(self, address):
        """The <entry> of that address, None when there is none. OSError: could not tell, which is not the same."""
        path = self.path(address)
        if path is None:
            return None
        try:
            with open(path, encoding="ascii") as file:
                der = ssl.PEM_cert_to_DER_cert(file.read(1 << 20).strip())
        except FileNotFoundError:
            os.stat(self.directory)     # ... unless the directory itself is gone
            return None
        except (ValueError, binascii.Error) as error:
            raise OSError("%s: %s" % (path, error)) from None
        fingerprint = hashlib.sha256(der).hexdigest()
        content = element("address", [], escape(address.lower()))
        content += element("certificate", [], base64.b64encode(der).decode("ascii"))
        return fingerprint, element("entry", [("fingerprint", fingerprint), ("area", "public"),
                                              ("source", os.path.basename(path))], content)

    def all(self):
        names = [name[:-4] for name in os.listdir(self.directory) if name.endswith(".pem")]
        return sorted(entry for entry in map(self.entry, names) if entry is not None)


# ---- 4. Operations -------------------------------------------------------------------------------------------
# Each gets its element and answers with a whole answer. "none" is a finding, "temporary" means: could not tell.
# julia treats the two very differently: a mail that should be encrypted waits for the second, and does not wait
# for the first.

def check_identifier(node):
    if "ski" in node.attributes:
        only(node, required=("ski",))
        value(node, "ski", HEX)
    else:
        only(node, required=("issuer", "serial"))
        value(node, "issuer", BASE64)
        value(node, "serial", HEX)


def check_query(query):
    only(query, required=("n", "use"), optional=("address",), children=("identifier",))
    value(query, "n", NUMBER)
    value(query, "use", "encrypt|sign|decrypt|signer")
    if ("address" in query.attributes) == bool(query.children):
        raise Refused("invalid", "element query: either address or identifier elements")
    for identifier in query.children:
        check_identifier(identifier)


def find_one(store, query):
    """One <result>. That one query cannot be answered must not spoil the others: it has a status of its own."""
    number = ("n", query.attributes["n"])
    if query.attributes["use"] != "encrypt" or "address" not in query.attributes:
        return element("result", [number, ("status", "none")])      # no private keys here, and no other index
    try:
        found = store.entry(query.attributes["address"])
    except (OSError, UnicodeError) as error:
        return element("result", [number, ("status", "temporary"), ("reason", "unreadable"), ("text", str(error))])
    if found is None:
        return element("result", [number, ("status", "none")])
    return element("result", [number, ("status", "ok")], found[1])


def run_find(store, request_id, body):
    only(body, children=("query",))
    if not body.children:
        raise Refused("invalid", "element find: no query")
    for query in body.children:
        check_query(query)
    return answer(request_id, "ok", element("find", [], "".join(find_one(store, query) for query in body.children)))


def run_list(store, request_id, body):
    only(body, required=("area",), optional=("after",))
    area = value(body, "area", AREA)
    after = value(body, "after", "[0-9a-f]{64}") if "after" in body.attributes else ""
    try:
        entries = [entry for entry in store.all() if entry[0] > after] if area == "public" else []
    except (OSError, UnicodeError) as error:
        return answer(request_id, "temporary", reason="unreadable", text=str(error))
    more = "yes" if len(entries) > PAGE else "no"
    return answer(request_id, "ok", element("list", [("more", more)], "".join(xml for _, xml in entries[:PAGE])))


def run_hello(_store, request_id, body):
    only(body, required=("version",))
    if body.attributes["version"] != "1":
        raise Refused("version", "%s speaks version 1 of the protocol" % NAME)
    operations = "".join(element("operation", [("name", name)]) for name in OPERATIONS if name != "hello")
    return answer(request_id, "ok", element(
        "hello", [("version", "1"), ("role", "keys"), ("name", NAME)], operations))


# A module with private keys would have grant, sign and open here. What is not listed is refused by name.
OPERATIONS = {"hello": run_hello, "find": run_find, "list": run_list}


# ---- 5. Requests and connections -----------------------------------------------------------------------------

def run_request(store, octets):
    """One request in, the text of one answer out."""
    request = parse_xml(octets)
    if request.name != "request" or len(request.children) != 1:
        raise Refused("invalid", "the document is no request with exactly one element")
    only(request, required=("id", "deadline"), children=(request.children[0].name,))
    request_id = value(request, "id", "[A-Za-z0-9._-]{1,64}")
    milliseconds = int(value(request, "deadline", NUMBER))
    body = request.children[0]
    try:
        if body.name not in OPERATIONS:
            raise Refused("unknown-operation", "%s has no operation %s" % (NAME, body.name))
        if milliseconds == 0:       # nobody waits for this answer any more: no work is done for it
            return answer(request_id, "temporary", reason="timeout", text="the deadline has passed")
        return OPERATIONS[body.name](store, request_id, body)
    except Refused as refused:      # from here on the id is known
        return answer(request_id, "permanent", reason=refused.reason, text=refused.text)


def serve_connection(store, connection, idle):
    """One request after another, until the caller closes."""
    try:
        while True:
            octets = receive_frame(connection, idle)
            if octets is None:
                return
            send_frame(connection, run_request(store, octets))
    except Refused as refused:      # not even an id: say why, as far as that is possible, and end
        send_frame(connection, answer("", "permanent", reason=refused.reason, text=refused.text))


def serve(store, listener_or_connection):
    """Descriptor 0 is a connection (julia started this process) or a listening socket (julia-moduled did)."""
    if not listener_or_connection.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        serve_connection(store, listener_or_connection, None)
        return
    while True:
        connection, _ = listener_or_connection.accept()
        with connection:
            try:
                serve_connection(store, connection, IDLE_SECONDS)
            except (OSError, Refused) as error:     # this caller's trouble; the next one is served
                print("%s: %s" % (NAME, error), file=sys.stderr)


def main():
    if len(sys.argv) != 2:
        print("usage: keys-example.py DIRECTORY     (started by julia or julia-moduled)", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # A relative directory lies below BASE, which every module finds in its environment.
    directory = os.path.join(os.environ.get("JULIA_BASE", "/opt/julia"), sys.argv[1])
    try:
        zero = socket.socket(fileno=0)
        if zero.family != socket.AF_UNIX or zero.type != socket.SOCK_STREAM:
            raise OSError
    except OSError:
        print("%s: standard input must be a Unix socket; name me in julia.conf" % NAME, file=sys.stderr)
        return 2
    try:
        serve(Store(directory), zero)
    except OSError as error:
        print("%s: %s" % (NAME, error), file=sys.stderr)
        return 75
    return 0


if __name__ == "__main__":
    sys.exit(main())
