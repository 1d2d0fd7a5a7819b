"""What the tests of the smime module share: keys and certificates, a key module of their own, requests, answers, hand-made DER.
Only the standard library, the openssl program, and libcrypto and libxml2 by ctypes where neither reaches (AES-GCM with authenticated
attributes, AES key wrap, RELAX NG)."""
import base64
import ctypes
import ctypes.util
import hashlib
import hmac
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import quoteattr

BUILD = pathlib.Path(os.environ.get("JULIA_BUILD", "build/release")).resolve()
SOURCE = pathlib.Path(os.environ.get("JULIA_SOURCE", pathlib.Path(__file__).resolve().parents[2])).resolve()
MODULE = os.environ.get("JULIA_SMIME", str(BUILD / "lib/modules/smime"))
NAMESPACE = "urn:julia:module:1"
N = "{" + NAMESPACE + "}"


# ---- TAP ----------------------------------------------------------------------------------------------------------
class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def ok(self, condition, name, detail=""):
        self.count += 1
        self.failed += not condition
        print(f"{'ok' if condition else 'not ok'} {self.count} - {name}")
        if not condition and detail != "":
            for line in str(detail)[:2000].splitlines():
                print("#", line)
        sys.stdout.flush()
        return condition

    def equal(self, got, expected, name):
        return self.ok(got == expected, name, f"got {got!r:.600}\nexpected {expected!r:.600}")

    def done(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failed else 0)


def openssl(*words, data=None, check=True):
    run = subprocess.run(["openssl", *map(str, words)], input=data, capture_output=True, check=False)
    if check and run.returncode != 0:
        raise RuntimeError(f"openssl {' '.join(map(str, words))}: {run.stderr.decode(errors='replace')}")
    return run.stdout if check else run


# ---- keys ---------------------------------------------------------------------------------------------------------
KEY_KINDS = {
    "rsa": ("RSA", "rsa_keygen_bits:2048"),
    "rsa2": ("RSA", "rsa_keygen_bits:2048"),
    "rsapss": ("RSA-PSS", "rsa_keygen_bits:2048"),
    "rsapss384": ("RSA-PSS", "rsa_keygen_bits:2048", "rsa_pss_keygen_md:sha384", "rsa_pss_keygen_mgf1_md:sha384",
                  "rsa_pss_keygen_saltlen:48"),
    "p256": ("EC", "ec_paramgen_curve:P-256"),
    "p384": ("EC", "ec_paramgen_curve:P-384"),
    "p521": ("EC", "ec_paramgen_curve:P-521"),
    "bp256": ("EC", "ec_paramgen_curve:brainpoolP256r1"),
    "bp384": ("EC", "ec_paramgen_curve:brainpoolP384r1"),
    "bp512": ("EC", "ec_paramgen_curve:brainpoolP512r1"),
    "ed25519": ("ED25519",),
    "ed448": ("ED448",),
    "x25519": ("X25519",),
    "x448": ("X448",),
    "cofactor4": ("EC", "ec_paramgen_curve:secp112r2"),
    "rsa1024": ("RSA", "rsa_keygen_bits:1024"),
    "rsa3072": ("RSA", "rsa_keygen_bits:3072"),
    "rsa4096": ("RSA", "rsa_keygen_bits:4096"),
    "rsa8192": ("RSA", "rsa_keygen_bits:8192", "rsa_keygen_primes:4"),  # of four primes, so that it is made in a second
}
EXTENSIONS = """[ee]
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature,keyEncipherment,keyAgreement
extendedKeyUsage=emailProtection
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
subjectAltName=email:%s@example.org
%s
"""


class Pki:
    """A CA and certificates by kind of key, in a directory that goes away with the test."""

    def __init__(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="smime-")
        self.path = pathlib.Path(self.temporary.name)
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.path / "ca.key", "-out", self.path / "ca.pem",
                "-days", 3650, "-subj", "/O=Test/CN=Test CA")
        self.made = set()

    def key(self, name):
        self.need(name)
        return self.path / f"{name}.key"

    def certificate(self, name):
        self.need(name)
        return self.path / f"{name}.pem"

    def der(self, name):
        return pem_to_der(self.certificate(name).read_bytes())

    def need(self, name, kind=None, extra=""):
        if name in self.made or name == "ca":
            return
        algorithm, *options = KEY_KINDS[kind or name]
        words = [word for option in options for word in ("-pkeyopt", option)]
        openssl("genpkey", "-algorithm", algorithm, *words, "-out", self.path / f"{name}.key")
        (self.path / f"{name}.cnf").write_text(EXTENSIONS % (name, extra))
        signing, forced = name, []
        if algorithm in ("X25519", "X448"):  # they cannot sign a request
            signing, public = "ca", self.path / f"{name}.pub"
            openssl("pkey", "-in", self.path / f"{name}.key", "-pubout", "-out", public)
            forced = ["-force_pubkey", public]
        openssl("req", "-new", "-key", self.path / f"{signing}.key", "-subj", f"/O=Test/CN={name}", "-out", self.path / f"{name}.csr")
        openssl("x509", "-req", "-in", self.path / f"{name}.csr", "-CA", self.path / "ca.pem", "-CAkey", self.path / "ca.key",
                "-CAcreateserial", "-days", 3000, "-extfile", self.path / f"{name}.cnf", "-extensions", "ee", "-out",
                self.path / f"{name}.pem", *forced)
        self.made.add(name)

    def file(self, name, data):
        path = self.path / name
        path.write_bytes(data)
        return path


def pem_to_der(pem):
    lines = pem.decode().split("-----BEGIN CERTIFICATE-----")[1].split("-----END")[0]
    return base64.b64decode(lines)


# ---- libcrypto: what the openssl program cannot do ------------------------------------------------------------------
crypto = ctypes.CDLL(ctypes.util.find_library("crypto") or "libcrypto.so.3")
for _name in ("EVP_CIPHER_CTX_new", "EVP_CIPHER_fetch", "BN_bin2bn"):
    getattr(crypto, _name).restype = ctypes.c_void_p


def aead_encrypt(name, key, nonce, text, aad=None, tag_len=16):
    """By a cipher of libcrypto: "AES-256-GCM", "AES-128-CCM", "ChaCha20-Poly1305". Returns (encrypted, tag)."""
    ctx = ctypes.c_void_p(crypto.EVP_CIPHER_CTX_new())
    cipher = ctypes.c_void_p(crypto.EVP_CIPHER_fetch(None, name.encode(), None))
    out, tag, n = ctypes.create_string_buffer(len(text) + 16), ctypes.create_string_buffer(16), ctypes.c_int()
    assert crypto.EVP_EncryptInit_ex(ctx, cipher, None, None, None) == 1
    assert crypto.EVP_CIPHER_CTX_ctrl(ctx, 0x9, len(nonce), None) == 1
    if name.endswith("CCM"):
        assert crypto.EVP_CIPHER_CTX_ctrl(ctx, 0x11, tag_len, None) == 1
    assert crypto.EVP_EncryptInit_ex(ctx, None, None, key, nonce) == 1
    if name.endswith("CCM"):
        assert crypto.EVP_EncryptUpdate(ctx, None, ctypes.byref(n), None, len(text)) == 1
    if aad is not None:
        assert crypto.EVP_EncryptUpdate(ctx, None, ctypes.byref(n), aad, len(aad)) == 1
    assert crypto.EVP_EncryptUpdate(ctx, out, ctypes.byref(n), text, len(text)) == 1
    assert crypto.EVP_EncryptFinal_ex(ctx, None, ctypes.byref(n)) == 1
    assert crypto.EVP_CIPHER_CTX_ctrl(ctx, 0x10, tag_len, tag) == 1
    crypto.EVP_CIPHER_CTX_free(ctx)
    crypto.EVP_CIPHER_free(cipher)
    return out.raw[:len(text)], tag.raw[:tag_len]


def gcm_encrypt(key, nonce, text, aad=None):
    return aead_encrypt(f"AES-{len(key) * 8}-GCM", key, nonce, text, aad)


def montgomery(curve, private, public):
    """X25519 and X448, as RFC 7748 section 5 writes them down; None for the secret that is zero."""
    prime, bits, a24 = {"x25519": (2 ** 255 - 19, 255, 121665), "x448": (2 ** 448 - 2 ** 224 - 1, 448, 39081)}[curve]
    k = bytearray(private)
    k[0] &= 248 if bits == 255 else 252
    k[-1] = k[-1] & 127 | 64 if bits == 255 else k[-1] | 128
    k, x1 = int.from_bytes(k, "little"), int.from_bytes(public, "little") & (1 << bits) - 1
    x2, z2, x3, z3 = 1, 0, x1, 1
    for at in reversed(range(bits)):
        bit = k >> at & 1
        if bit:
            x2, z2, x3, z3 = x3, z3, x2, z2
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a, b * b, d * a, c * b
        x3, z3 = (da + cb) ** 2 % prime, x1 * (da - cb) ** 2 % prime
        x2, z2 = aa * bb % prime, (aa - bb) * (aa + a24 * (aa - bb)) % prime
        if bit:
            x2, z2, x3, z3 = x3, z3, x2, z2
    shared = x2 * pow(z2, prime - 2, prime) % prime
    return shared.to_bytes(len(public), "little") if shared else None


def kdf_x963(md, secret, info, size):
    blocks = (hashlib.new(md, secret + counter.to_bytes(4, "big") + info).digest() for counter in range(1, 5))
    return b"".join(blocks)[:size]


def kdf_hkdf(md, secret, salt, info, size):
    """RFC 5869, as far as one block goes."""
    key = hmac.digest(salt or bytes(hashlib.new(md).digest_size), secret, md)
    return hmac.digest(key, info + b"\1", md)[:size]


def aes_wrap(kek, key):
    schedule, out = ctypes.create_string_buffer(512), ctypes.create_string_buffer(len(key) + 8)
    assert crypto.AES_set_encrypt_key(kek, len(kek) * 8, schedule) == 0
    assert crypto.AES_wrap_key(schedule, None, out, key, len(key)) == len(key) + 8
    return out.raw


def des_cbc(kek, iv, data, encrypt):
    return openssl("enc", "-des-ede3-cbc", "-nopad", *([] if encrypt else ["-d"]), "-K", kek.hex(), "-iv", iv.hex(), data=data)


def des_wrap(kek, key):
    """RFC 3217 section 3.1."""
    iv = os.urandom(8)
    return des_cbc(kek, DES_IV, (iv + des_cbc(kek, iv, key + hashlib.sha1(key).digest()[:8], True))[::-1], True)


def des_unwrap(kek, wrapped):
    inner = des_cbc(kek, DES_IV, wrapped, False)[::-1]
    key = des_cbc(kek, inner[:8], inner[8:], False)
    return key[:-8] if hashlib.sha1(key[:-8]).digest()[:8] == key[-8:] else None


DES_IV = bytes.fromhex("4adda22c79e82105")


def aes_unwrap(kek, wrapped):
    schedule, out = ctypes.create_string_buffer(512), ctypes.create_string_buffer(len(wrapped))
    assert crypto.AES_set_decrypt_key(kek, len(kek) * 8, schedule) == 0
    n = crypto.AES_unwrap_key(schedule, None, out, wrapped, len(wrapped))
    return out.raw[:n] if n > 0 else None


# ---- a key module of the tests' own -----------------------------------------------------------------------------------
def read_frame(sock):
    length = b""
    while not length.endswith(b"\n"):
        octet = sock.recv(1)
        if not octet:
            return None
        length += octet
    data = b""
    while len(data) < int(length):
        part = sock.recv(int(length) - len(data))
        if not part:
            return None
        data += part
    return data


def local(element):
    return element.tag.split("}")[1]


class KeyModule:
    """Answers sign and open on one connection with the private keys of a Pki. `override(request element)` may return (status, reason,
    value) to misbehave on purpose; `asked` lists what was asked."""

    def __init__(self, pki, override=None):
        self.pki, self.override, self.asked = pki, override, []
        self.ours, self.theirs = socket.socketpair()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def close(self):
        self.theirs.close()
        try:
            self.ours.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.thread.join(10)
        self.ours.close()

    def serve(self):
        while (data := read_frame(self.ours)) is not None:
            validate(data)
            root = ElementTree.fromstring(data)
            body = root[0]
            self.asked.append((local(body), dict(body.attrib)))
            status, reason, value = (self.override and self.override(body)) or self.work(body)
            answer = f'<answer xmlns="{NAMESPACE}" id={quoteattr(root.get("id"))} status="{status}"'
            answer += f' reason="{reason}"' if reason else ""
            if status == "ok":
                name = {"sign": "signature", "open": "content-key"}[local(body)]
                answer += f"><{local(body)}><{name}>{base64.b64encode(value).decode()}</{name}></{local(body)}></answer>"
            else:
                answer += ' text="refused by the test"/>'
            frame = answer.encode()
            try:
                self.ours.sendall(b"%d\n%s" % (len(frame), frame))
            except OSError:
                return

    def work(self, body):
        name = body.get("key").split(":", 1)[1]
        if name not in self.pki.made:
            return "permanent", "no-key", None
        key = self.pki.key(name)
        if local(body) == "sign":
            return "ok", None, self.sign(key, body)
        value = self.open(key, body)
        return ("ok", None, value) if value is not None else ("permanent", "wrong-key", None)

    @staticmethod
    def sign(key, body):
        scheme = body.get("scheme")
        if scheme == "ed25519":
            with tempfile.NamedTemporaryFile() as message:  # openssl wants to know its size
                message.write(base64.b64decode(body.find(N + "message").text))
                message.flush()
                return openssl("pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", message.name)
        md = scheme.rsplit("-", 1)[1]
        words = ["pkeyutl", "-sign", "-inkey", key, "-pkeyopt", f"digest:{md}"]
        if scheme.startswith("rsa-pss"):
            words += ["-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt", f"rsa_mgf1_md:{md}", "-pkeyopt", "rsa_pss_saltlen:digest"]
        return openssl(*words, data=bytes.fromhex(body.get("digest")))

    @staticmethod
    def open(key, body):
        scheme, length = body.get("scheme"), int(body.get("length"))
        encrypted = base64.b64decode(body.find(N + "encrypted").text or "")
        if scheme.startswith("ecdh"):
            return KeyModule.agree(key, body, encrypted, length)
        words = ["pkeyutl", "-decrypt", "-inkey", key, "-pkeyopt"]
        if scheme == "rsa-pkcs1":
            words += ["rsa_padding_mode:pkcs1"]
        else:
            md = scheme.rsplit("-", 1)[1]
            words += ["rsa_padding_mode:oaep", "-pkeyopt", f"rsa_oaep_md:{md}", "-pkeyopt", f"rsa_mgf1_md:{body.get('mgf1', md)}"]
            words += ["-pkeyopt", f"rsa_oaep_label:{body.get('label')}"] if body.get("label") else []
        run = openssl(*words, data=encrypted, check=False)
        good = run.returncode == 0 and len(run.stdout) == length
        if scheme == "rsa-pkcs1":
            return run.stdout if good else os.urandom(length)
        return run.stdout if good else None

    @staticmethod
    def agree(key, body, encrypted, length):
        secret = KeyModule.secret(key, base64.b64decode(body.find(N + "originator").text))
        if secret is None:
            return None
        info = base64.b64decode(body.find(N + "shared-info").text)
        _, *hkdf, md = body.get("scheme").split("-")
        size = {"aes128": 16, "aes192": 24, "aes256": 32, "des-ede3": 24}[body.get("wrap")]
        salt = bytes.fromhex(body.get("salt", ""))
        kek = kdf_hkdf(md, secret, salt, info, size) if hkdf else kdf_x963(md, secret, info, size)
        value = des_unwrap(kek, encrypted) if body.get("wrap") == "des-ede3" else aes_unwrap(kek, encrypted)
        return value if value is not None and len(value) == length else None

    @staticmethod
    def secret(key, public):
        spki = openssl("pkey", "-in", key, "-pubout", "-outform", "DER")
        curve = {44: "x25519", 68: "x448"}.get(len(spki))
        if curve:  # its private key is the end of the key's DER
            private = openssl("pkey", "-in", key, "-outform", "DER")[-len(public):]
            return montgomery(curve, private, public)
        with tempfile.NamedTemporaryFile() as peer:
            peer.write(spki[:len(spki) - len(public)] + public)
            peer.flush()
            run = openssl("pkeyutl", "-derive", "-inkey", key, "-peerkey", peer.name, "-peerform", "DER", check=False)
        return run.stdout if run.returncode == 0 else None


# ---- the contract -------------------------------------------------------------------------------------------------------
xml2 = ctypes.CDLL(ctypes.util.find_library("xml2") or "libxml2.so.2")
for _name in ("xmlRelaxNGNewParserCtxt", "xmlRelaxNGParse", "xmlRelaxNGNewValidCtxt", "xmlReadMemory"):
    getattr(xml2, _name).restype = ctypes.c_void_p
_schema = ctypes.c_void_p(xml2.xmlRelaxNGParse(ctypes.c_void_p(xml2.xmlRelaxNGNewParserCtxt(
    str(SOURCE / "modules/protocol.rng").encode()))))
assert _schema.value, "modules/protocol.rng"
_validating = threading.Lock()


def validate(frame):
    """Every frame, in either direction, fits modules/protocol.rng."""
    with _validating:
        document = ctypes.c_void_p(xml2.xmlReadMemory(frame, len(frame), None, None, 1 << 19))
        assert document.value, f"not well-formed: {frame[:300]}"
        context = ctypes.c_void_p(xml2.xmlRelaxNGNewValidCtxt(_schema))
        result = xml2.xmlRelaxNGValidateDoc(context, document)
        xml2.xmlRelaxNGFreeValidCtxt(context)
        xml2.xmlFreeDoc(document)
        assert result == 0, f"against the contract: {frame[:600]}"


# ---- the module under test ------------------------------------------------------------------------------------------------
class Answer:
    def __init__(self, root, output):
        self.status, self.reason, self.text = root.get("status"), root.get("reason"), root.get("text")
        self.body = root[0] if len(root) else None
        self.output = output

    def get(self, name):
        return None if self.body is None else self.body.get(name)

    def signers(self):
        return [(s.get("result"), s.get("reason")) for s in self.body.findall(N + "signer")] if self.body is not None else []

    def transports(self):
        return [r.get("keytrans") for r in self.body.findall(N + "recipient")] if self.body is not None else []

    def __repr__(self):
        return f"<{self.status} {self.reason} {self.text} {ElementTree.tostring(self.body)[:400] if self.body is not None else ''}>"


def b64(data):
    return base64.b64encode(data).decode()


def make_file(data=b""):
    handle = tempfile.TemporaryFile()
    handle.write(data)
    handle.flush()
    return handle


class Smime:
    """The module as julia starts it: descriptor 0 is a connected socket."""

    def __init__(self, wrapper=()):
        ours, theirs = socket.socketpair()
        self.process = subprocess.Popen([*map(str, wrapper), MODULE], stdin=theirs,
                                        env={"JULIA_BASE": "/nonexistent", "PATH": "/usr/bin:/bin", "LANG": "C"})
        theirs.close()
        self.socket, self.number = ours, 0

    def close(self):
        self.socket.close()
        return self.process.wait(30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def raw(self, body, fds=(), deadline=20000):
        self.number += 1
        body = body.replace("<", "<", 1)
        frame = f'<request xmlns="{NAMESPACE}" id="t{self.number}" deadline="{deadline}">{body}</request>'.encode()
        validate(frame)
        head = b"%d\n" % len(frame)
        if fds:
            socket.send_fds(self.socket, [head], fds)
            self.socket.sendall(frame)
        else:
            self.socket.sendall(head + frame)
        answer = read_frame(self.socket)
        if answer is None:
            raise RuntimeError("the module ended without an answer")
        validate(answer)
        root = ElementTree.fromstring(answer)
        assert root.get("id") == f"t{self.number}"
        return root

    def sign(self, keys, content, name, form="clear", rsa="pkcs1", digest="sha256", eol="lf", chain=(), before=b"", pieces=None):
        with make_file(content) as source, make_file(before) as output:
            body = f'<sign form="{form}" rsa="{rsa}" digest="{digest}" key="test:{name}" channel="2" output="1" eol="{eol}">'
            for der in (keys.pki.der(name), *chain):
                body += f"<certificate>{b64(der)}</certificate>"
            body += self.pieces(content, pieces) + "</sign>"
            root = self.raw(body, [source.fileno(), output.fileno(), keys.theirs.fileno()])
            return self.result(root, output, before)

    @staticmethod
    def pieces(content, cuts):
        at, text = 0, ""
        for cut in [*(cuts or []), len(content)]:
            text += f'<piece fd="0" offset="{at}" length="{cut - at}"/>'
            at = cut
        return text

    @staticmethod
    def result(root, output, before=b""):
        """What was appended; a failure must leave the file as it was."""
        output.seek(0)
        data = output.read()
        assert data.startswith(before)
        answer = Answer(root, data[len(before):])
        if answer.status == "ok":
            length = int(answer.get("length"))
            assert length == len(answer.output), (length, len(answer.output))
        else:
            assert answer.output == b"", "a failure left octets in the output"
        return answer

    def encrypt(self, recipients, content, cipher="auto", keytrans="rsa-pkcs1", eol="lf", pieces=None, before=b""):
        """recipients: DER certificates, or pairs of one and its capabilities."""
        with make_file(content) as source, make_file(before) as output:
            body = f'<encrypt cipher="{cipher}" keytrans="{keytrans}" output="1" eol="{eol}">'
            for recipient in recipients:
                der, capabilities = recipient if isinstance(recipient, tuple) else (recipient, None)
                body += f"<recipient><certificate>{b64(der)}</certificate>"
                body += f"<capabilities>{b64(capabilities)}</capabilities></recipient>" if capabilities is not None else "</recipient>"
            body += self.pieces(content, pieces) + "</encrypt>"
            return self.result(self.raw(body, [source.fileno(), output.fileno()]), output, before)

    def unwrap(self, content, keys=None, candidates=(), signed=None, weak=False, limit=1 << 30, encoding="binary", certificates=(),
               before=b"", deadline=20000):
        """candidates: names of the Pki (or pairs of a name and a DER certificate)."""
        fds, body = [], ""
        with make_file(content) as source, make_file(before) as output, make_file(signed or b"") as entity:
            fds = [source.fileno(), output.fileno(), entity.fileno()]
            body = f'<unwrap output="1" weak="{"yes" if weak else "no"}" limit="{limit}"'
            if keys is not None:
                body += f' channel="{len(fds)}"'
                fds.append(keys.theirs.fileno())
            body += f'><content encoding="{encoding}"><piece fd="0" offset="0" length="{len(content)}"/></content>'
            if signed is not None:
                body += f'<signed><piece fd="2" offset="0" length="{len(signed)}"/></signed>'
            for candidate in candidates:
                name, der = candidate if isinstance(candidate, tuple) else (candidate, keys.pki.der(candidate))
                body += f'<candidate key="test:{name}"><certificate>{b64(der)}</certificate></candidate>'
            body += "".join(f"<certificate>{b64(der)}</certificate>" for der in certificates) + "</unwrap>"
            return self.result(self.raw(body, fds, deadline), output, before)

    def inspect(self, content, encoding="binary"):
        with make_file(content) as source:
            root = self.raw(f'<inspect><content encoding="{encoding}"><piece fd="0" offset="0" length="{len(content)}"/></content>'
                            '</inspect>', [source.fileno()])
            return Answer(root, b"")


# ---- MIME -----------------------------------------------------------------------------------------------------------------
def split_clear(entity):
    """A multipart/signed as (signed entity, DER of the signature, header text): octets as they stand."""
    eol = b"\r\n" if b"\r\n--" in entity else b"\n"
    header, _ = entity.split(eol + eol, 1)
    boundary = header.split(b'boundary="')[1].split(b'"')[0]
    parts = (eol + entity).split(eol + b"--" + boundary)
    assert len(parts) == 4 and parts[3].startswith(b"--"), "multipart/signed has two parts"
    signature = parts[2].split(eol + eol, 1)[1]
    return parts[1][len(eol):], base64.b64decode(signature), header


def split_p7m(entity):
    """An application/pkcs7-mime entity as (DER or BER, header text)."""
    eol = b"\r\n" if b"\r\n" in entity else b"\n"
    header, body = entity.split(eol + eol, 1)
    return base64.b64decode(body), header


def canonical(text):
    return text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


# ---- DER by hand --------------------------------------------------------------------------------------------------------------
def tlv(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    if n < 128:
        return bytes([tag, n]) + body
    octets = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + body


def indefinite(tag, *parts):
    return bytes([tag, 0x80]) + b"".join(parts) + b"\0\0"


def oid(dotted):
    first, second, *arcs = map(int, dotted.split("."))
    out = [first * 40 + second]
    for arc in arcs:
        part = [arc & 127]
        while arc := arc >> 7:
            part.insert(0, arc & 127 | 128)
        out += part
    return tlv(6, bytes(out))


def integer(n):
    return tlv(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def algorithm(identifier, *parameters):
    return tlv(0x30, oid(identifier), *parameters)


def take(der, at=0):
    """(tag, contents, offset behind) of the definite-length element at an offset."""
    n, start = der[at + 1], at + 2
    if n & 0x80:
        start += n & 0x7f
        n = int.from_bytes(der[at + 2:start], "big")
    return der[at], der[start:start + n], start + n


def children(contents):
    at, found = 0, []
    while at < len(contents):
        begin = at
        _, _, at = take(contents, at)
        found.append(contents[begin:at])
    return found


def issuer_and_serial(certificate):
    """The two DER elements of a certificate that a RecipientInfo names."""
    fields = children(take(take(certificate)[1])[1])
    return fields[3], fields[1]


DATA, SIGNED, ENVELOPED = "1.2.840.113549.1.7.1", "1.2.840.113549.1.7.2", "1.2.840.113549.1.7.3"
AUTH_ENVELOPED, COMPRESSED = "1.2.840.113549.1.9.16.1.23", "1.2.840.113549.1.9.16.1.9"
SHA1, SHA256, MGF1 = "1.3.14.3.2.26", "2.16.840.1.101.3.4.2.1", "1.2.840.113549.1.1.8"
OAEP, RSA, PSPECIFIED = "1.2.840.113549.1.1.7", "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.9"
NULL = tlv(5)


# ---- BER of any form ------------------------------------------------------------------------------------------------------------
def parse(data, at=0):
    """((tag, children or octets), offset behind): definite and indefinite lengths."""
    tag, first, at = data[at], data[at + 1], at + 2
    if first == 0x80:
        found = []
        while data[at:at + 2] != b"\0\0":
            element, at = parse(data, at)
            found.append(element)
        return (tag, found), at + 2
    if first & 0x80:
        n = int.from_bytes(data[at:at + (first & 0x7f)], "big")
        at += first & 0x7f
    else:
        n = first
    end, found = at + n, []
    if not tag & 0x20:
        return (tag, data[at:end]), end
    while at < end:
        element, at = parse(data, at)
        found.append(element)
    return (tag, found), end


def recipient_infos(ber):
    """[("trans" or "agree", serial, algorithm OID as DER contents)] of an (Auth)EnvelopedData."""
    (_, (_, (_, (body,)))), end = parse(ber)
    assert end == len(ber)
    infos = next(element for element in body[1] if element[0] == 0x31)[1]
    found = []
    for tag, fields in infos:
        if tag == 0x30:
            found.append(("trans", fields[1][1][1][1], fields[2][1][0][1]))
        else:
            keys = fields[-1][1]
            found += [("agree", key[1][0][1][1][1], fields[-2][1][0][1]) for key in keys]
    return found
