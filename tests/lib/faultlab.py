"""A gateway whose programs fail at one place, and the judgement over what became of the message: what tests/e2e/fault-*.t share.

A Flow is a message with several groups of recipients and what each must get. A Point is one fault at one place. run_point() sends the
message with the fault, then again as the MTA would until julia says 0, and gives a Row: how often each recipient got it, whether a second
copy is explained by the one documented window (the target had accepted, the journal did not have it yet), what was lost, and whether
clear text was seen where it must not be."""
import base64
import collections
import contextlib
import ctypes
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import gateway

SECRET = b"Zugangswort-8f3a1c"
TARGETS = ("external", "scanner", "internal")
MODULES = {"keys-file": "MODULES_KEYS", "trust": "MODULE_TRUST", "smime": "MODULE_SMIME"}
RETRIES = 8
TEMPORARY = 75
SCANNER = "198.51.100.9"
GATEWAY_MODE = "MODE = gateway\nDELIVER = original\nSCANNER_CLIENTS = 198.51.100.0/24\n"
FAULTS = gateway.SOURCE / "tests/faults"

RULES = """\
. (to) signed.example (do) FS=mail@behoerde.de
. (to) secret.example (do) FE
. (to) both.example (do) FE, FS=mail@behoerde.de
. (to) nocert.example (do) FE
"""


def spellings(word):
    """The word as it stands in clear text and in base64, wherever it begins there."""
    found = [word]
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + word)
        found.append(text[4 if shift else 0:-4])
    return found


SPELLINGS = spellings(SECRET)


def shows_secret(octets):
    folded = re.sub(rb"[\r\n]", b"", octets)
    return any(word in folded for word in SPELLINGS)


# ---- flows -------------------------------------------------------------------------------------------------------------------

Expected = collections.namedtuple("Expected", "recipient target clear")  # clear: may hold the secret as clear text


class Flow:
    """A kind of message. `expected` says who must get it in the end, and where."""

    def __init__(self, name, direction, recipients, expected, lines=1):
        self.name, self.direction, self.recipients, self.expected = name, direction, recipients, expected
        self.lines = lines

    def sender(self, number):
        return f"p{number}@" + ("behoerde.de" if self.direction == "out" else "partner.example")

    def header(self, number):
        return (f"From: {self.sender(number)}\nTo: {', '.join(self.recipients)}\nSubject: point {number}\n"
                f"Message-ID: <p{number}.{self.name}@test.example>\nDate: Sat, 21 Nov 2026 12:00:00 +0000\n").encode()

    def body(self):
        return b"".join(b"%s %d\n" % (SECRET, n) for n in range(self.lines))

    def octets(self, lab, number):
        return self.header(number) + b"\n" + self.body()

    def run(self, lab, number, **words):
        send = lab.outgoing if self.direction == "out" else lab.incoming
        return send(self.octets(lab, number), self.sender(number), self.recipients, **words)

    def prepare(self, lab, number):
        """What has to happen before the fault."""

    def finish(self, lab, number):
        """What comes behind the last run: faults of that, as texts."""
        return []


class EncryptedFlow(Flow):
    """From outside: signed, then encrypted to a person and to the gateway of another domain."""

    def octets(self, lab, number):
        if not hasattr(lab, "encrypted"):
            lab.encrypted = {}
        if self.name not in lab.encrypted:
            lab.encrypted[self.name] = lab.encrypt(b"Content-Type: text/plain\r\n\r\n" + self.body())
        return self.header(number) + lab.encrypted[self.name]


class ToScanner(EncryptedFlow):
    """The same, on its way to the virus scanner; the fault comes before the copies are there, and then they return."""

    def finish(self, lab, number):
        return_copies(self, lab, number, set())
        statuses = return_copies(self, lab, number, set())  # scanners repeat themselves
        return [] if set(statuses) == {0} else [f"a second return ends with {statuses}"]


class FromScanner(EncryptedFlow):
    """The copies are at the scanner; the fault comes when they return."""

    def prepare(self, lab, number):
        status, output = super().run(lab, number)
        if status != 0:
            raise RuntimeError(f"the way to the scanner fails: {output!r}")
        lab.returned = set()
        lab.ignored = lab.journal_files()  # what the way to the scanner noted there

    def run(self, lab, number, **words):
        statuses = return_copies(self, lab, number, lab.returned, **words)
        return max(statuses, key=abs, default=0), b"4.3.0 one of the returns waits"


def return_copies(flow, lab, number, returned, **words):
    """The scanner hands back what it was given and is not in `returned`, each until it is taken: the exit statuses."""
    statuses = []
    for target, recipients, octets in sorted(lab.stored()):
        key = (tuple(recipients), octets)
        if target == "scanner" and key not in returned:
            status, output = lab.run(octets, SCANNER, flow.sender(number), recipients, **words)
            if status != 0 and not re.search(rb"(?m)^4\.", output):
                status = status or 1
            statuses.append(status)
            if status == 0:
                returned.add(key)
    return statuses


OUTGOING = ["sig@signed.example", "anna@secret.example", "bea@both.example", "carl@open.example", "dora@nocert.example"]
OUTGOING_EXPECTED = [Expected("sig@signed.example", "external", True), Expected("anna@secret.example", "external", False),
                     Expected("bea@both.example", "external", False), Expected("carl@open.example", "external", True),
                     Expected("report dora@nocert.example", "internal", False)]
INCOMING = ["user_1@behoerde.de", "fritz@second.example", "gerd@third.example"]
INCOMING_EXPECTED = [Expected("user_1@behoerde.de", "internal", True), Expected("fritz@second.example", "internal", True),
                     Expected("gerd@third.example", "internal", False)]
SCANNED_EXPECTED = [Expected("user_1@behoerde.de", "internal", False), Expected("fritz@second.example", "internal", False),
                    Expected("gerd@third.example", "internal", False), Expected("copy user_1@behoerde.de", "scanner", True),
                    Expected("copy fritz@second.example", "scanner", True), Expected("copy gerd@third.example", "scanner", False)]

FLOWS = {
    "outgoing": Flow("outgoing", "out", OUTGOING, OUTGOING_EXPECTED),
    "outgoing-large": Flow("outgoing-large", "out", OUTGOING, OUTGOING_EXPECTED, lines=12000),
    "incoming": EncryptedFlow("incoming", "in", INCOMING, INCOMING_EXPECTED),
    "incoming-large": EncryptedFlow("incoming-large", "in", INCOMING, INCOMING_EXPECTED, lines=12000),
    "to-scanner": ToScanner("to-scanner", "in", INCOMING, SCANNED_EXPECTED),
    "from-scanner": FromScanner("from-scanner", "in", INCOMING, SCANNED_EXPECTED),
}


# ---- the gateway ---------------------------------------------------------------------------------------------------------------

class KeptPki(gateway.Pki):
    """Keys are made once."""

    def person(self, address, kind="rsa", days=365, name=None):
        return address if self.path(address + ".crt").exists() else super().person(address, kind, days, name)


class Lab(gateway.Gateway):
    """A gateway all of whose programs are started by tests/faults/inject; not so a `plain` one. All of a process share their keys."""

    keys = folder = None

    def __init__(self, conf="", services=False, plain=False):
        super().__init__(RULES, conf)
        for name in ("orders", "var/hold"):
            (self.base / name).mkdir(mode=0o700)
        self.orders = self.base / "orders"
        self.running, self.plain, self.excused, self.ignored = {}, plain, set(), set()
        self._configure()
        for address in ("mail@behoerde.de", "user_1@behoerde.de", "gate@second.example"):
            self.own_key(address)
        for address in ("anna@secret.example", "bea@both.example"):
            self.partner(address)
        self.pki.person("writer@partner.example")
        be_subreaper()
        if services:
            self._services()

    def make_pki(self):
        if Lab.keys is None:
            Lab.folder = tempfile.TemporaryDirectory(prefix="julia-keys.")
            Lab.keys = KeptPki(Lab.folder.name + "/pki")
        return Lab.keys

    @staticmethod
    def forget_keys():
        if Lab.folder is not None:
            Lab.folder.cleanup()

    def inject(self, who, *command):
        return list(map(str, command)) if self.plain else [str(word) for word in (FAULTS / "inject", self.orders, who, *command)]

    def _configure(self):
        path = self.base / "etc/julia.conf"
        text = path.read_text().replace("INTERNAL_DOMAINS = behoerde.de", "INTERNAL_DOMAINS = behoerde.de second.example third.example")
        for name in TARGETS:
            text = re.sub(rf"TARGET_{name.upper()} = .*", f"TARGET_{name.upper()} = {gateway.BUILD}/tests/tools/store-target {self.base} {name}",
                          text)
        for name, parameter in MODULES.items():
            text = re.sub(rf"{parameter} = .*", f"{parameter} = " + " ".join(self.inject(name, gateway.BUILD / "lib/modules" / name)), text)
        path.write_text(text + "GATEWAY_KEY = gate@second.example\n")

    def _services(self):
        path = self.base / "etc/julia.conf"
        text = path.read_text()
        for name, parameter in MODULES.items():
            text = re.sub(rf"{parameter} = .*", f"{parameter} = unix:{self.base}/var/run/{name}", text)
            self.start_service(name)
        path.write_text(text)

    def start_service(self, name):
        command = [gateway.BUILD / "bin/julia-moduled", "-b", self.base, "-n", "2", "-s", self.base / "var/run" / name,
                   *self.inject(name, gateway.BUILD / "lib/modules" / name)]
        with open(self.base / "logs/moduled.log", "ab") as log:
            self.running[name] = subprocess.Popen([str(word) for word in command], stderr=log)
        wait_until(lambda: (self.base / "var/run" / name).exists())

    def workers(self, name):
        pid = self.running[name].pid
        return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def signal_service(self, name, number):
        for pid in (self.running[name].pid, *self.workers(name)):
            os.kill(pid, number)

    def reload(self, name):
        """Two new workers."""
        before = self.workers(name)
        self.running[name].send_signal(signal.SIGHUP)
        wait_until(lambda: len(self.workers(name)) == 2 and not set(self.workers(name)) & set(before))

    def arm(self, who, sender, text):
        """The order for this point; workers must start anew to see it."""
        if who in self.running:
            (self.orders / "service").write_text(text + "\n")
            self.reload(who)
            wait_until(lambda: (self.orders / f"service.{who}.2").exists())
        else:
            (self.orders / sender).write_text(text + "\n")

    def disarm(self, who):
        if who in self.running:
            (self.orders / "service").unlink()
            self.reload(who)

    def stop_service(self, name):
        service = self.running.pop(name)
        service.terminate()
        service.wait(30)

    def __exit__(self, *_):
        for name in list(self.running):
            self.stop_service(name)
        super().__exit__()

    def arguments(self, client, sender, recipients, *more):
        return self.inject("julia", *super().arguments(client, sender, recipients, *more))

    def encrypt(self, octets):
        """As a partner would: signed by writer@partner.example, encrypted to user_1 and to the gateway of second.example."""
        signed = gateway.openssl("cms", "-sign", "-signer", self.pki.path("writer@partner.example.crt"), "-inkey",
                                 self.pki.path("writer@partner.example.key"), input=octets)
        return gateway.openssl("cms", "-encrypt", "-aes-256-cbc", self.pki.path("user_1@behoerde.de.crt"),
                               self.pki.path("gate@second.example.crt"), input=signed)

    def how(self, target, text):
        """What the target does wrong, see store-target; None: nothing."""
        path = self.base / f"how.{target}"
        if text is None:
            path.unlink(missing_ok=True)
        else:
            path.with_suffix(".new").write_text(text + "\n")
            path.with_suffix(".new").rename(path)

    def stored(self):
        """What was accepted since the last clear(): a list of (target, recipients, octets)."""
        return [(d.name.split(".")[0], after_dashes((d / "args").read_text().splitlines()), (d / "message").read_bytes())
                for d in sorted((self.base / "out").iterdir()) if (d / "message").exists()]

    def journalled(self):
        """Entries that the journal says are done, read by other eyes than julia's."""
        found = set()
        for path in (self.base / "var/journal").glob("*"):
            if path.is_file() and path.name not in self.ignored:
                found |= {m[1].decode() for m in re.finditer(rb"(?m)^done \d+ (\S+) \S+ \.$", path.read_bytes())}
        return found

    def log(self):
        path = self.base / "logs/julia.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def journal_files(self):
        return {path.name for path in (self.base / "var/journal").iterdir()}

    def exchanged(self):
        """Recipients who got their original as the hold store knows it, read by other eyes than julia's."""
        found = set()
        for hold in (self.base / "var/hold").glob("*/record"):
            recipients = re.findall(r"(?m)^recipient (\S+)$", hold.read_text())
            found |= {r for n, r in enumerate(recipients) if (hold.parent / f"done-{n}").exists()}
        return found

    def clear(self):
        """Forgets what was stored and journalled, and what was ordered."""
        self.ignored = set()
        (self.base / "logs/julia.log").unlink(missing_ok=True)
        for name in ("out", "var/journal", "var/hold", "orders"):
            for path in (self.base / name).glob("*"):
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()
        for name in TARGETS:
            self.how(name, None)

    def places_with_secret(self):
        """Files of the gateway that hold clear text and must not: everything but what the targets got."""
        found = []
        for name in ("var", "logs"):
            for path in (self.base / name).rglob("*"):
                if path.is_file() and shows_secret(path.read_bytes()):
                    found.append(str(path.relative_to(self.base)))
        return found


def after_dashes(words):
    return words[words.index("--") + 1:]


def wait_until(condition, seconds=60):
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.01)
    return condition()


# ---- children that outlive their parent -----------------------------------------------------------------------------------------

def be_subreaper():
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: orphans of julia become ours


def children():
    pid = os.getpid()
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return found


def is_strace(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text() == "strace\n"
    except OSError:
        return False


def orphans_end(services, seconds=30):
    """Waits for what a killed julia left behind. The commands of those that would not end, which are killed then. `services` stay,
    and so do the tracers of their workers."""
    until = time.monotonic() + seconds
    left = []
    while True:
        pids = [pid for pid in children() if pid not in services and not (services and is_strace(pid))]
        for pid in pids:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass
        if not pids:
            return left
        if time.monotonic() > until:
            for pid in pids:
                try:
                    left.append(pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode())
                    os.kill(pid, 9)
                except OSError:
                    pass
            until += 5
        time.sleep(0.002)


# ---- one fault and what became of the message -------------------------------------------------------------------------------------

@contextlib.contextmanager
def nothing(_lab):
    yield {}


# `order` is for inject; `act(lab)` a context in which the first run happens, giving further words for Lab.run(). Both may be left out.
Point = collections.namedtuple("Point", "flow who start fault place order act")
Point.__new__.__defaults__ = ("", nothing)

Row = collections.namedtuple("Row", "flow who fault place into out window twice lost leaked runs note")
HEAD = "flow\tprocess\tfault\tplace\tmessages in\trecipients served\tduplicates in the window\tother duplicates\tlosses\tleaks\truns\tnote"


def entry_of(expected):
    kind, _, name = expected.recipient.rpartition(" ")
    return ("report:undelivered:" if kind == "report" else "deliver:") + name


def count(flow, stored):
    """{recipient: how often}, and what was seen where it must not be."""
    got, leaks = collections.Counter(), []
    wanted = {e.recipient: e for e in flow.expected}
    for target, recipients, octets in stored:
        clear = shows_secret(octets)
        for recipient in recipients:
            recipient = "copy " + recipient if target == "scanner" else recipient
            expected = wanted.get(recipient)
            if expected is None and target == "internal" and b"report-type=delivery-status" in octets:
                for name in re.findall(rb"(?m)^Final-Recipient: rfc822; (\S+)", octets):
                    got["report " + name.decode()] += 1
            elif expected is not None and expected.target == target:
                got[recipient] += 1
            elif not (target == "internal" and recipient == "admin@behoerde.de"):
                leaks.append(f"{recipient} at {target}")
            if clear and not (expected is not None and expected.clear and expected.target == target):
                leaks.append(f"clear text for {recipient} at {target}")
    return got, leaks


def window(flow, lab):
    """Who has got it by now without journal or hold store knowing."""
    got, _ = count(flow, lab.stored())
    done, exchanged = lab.journalled(), lab.exchanged()
    return {e.recipient for e in flow.expected
            if got[e.recipient] > 0 and entry_of(e) not in done and not (e.target == "internal" and e.recipient in exchanged)
            and not (lab.ignored and e.target == "scanner")}


def one_handoff(lab, recipients):
    """Hand-offs follow each other: only the last one can be unknown to the journal."""
    return not recipients or any({r.rpartition(" ")[2] for r in recipients} <= set(names) for _, names, _ in lab.stored()) or \
        len(recipients) == 1


def run_once(lab, number, point, runs, notes):
    """One run as the MTA makes it: (status, output)."""
    flow = FLOWS[point.flow]
    with point.act(lab) if runs == 0 else nothing(lab) as words:
        status, output = flow.run(lab, number, **words)
        notes += ["outlives julia: " + name for name in orphans_end({service.pid for service in lab.running.values()})]
    if status > 0 and status != TEMPORARY:
        notes.append(f"exit status {status}")
    if status == TEMPORARY and not re.search(rb"(?m)^4\.\d+\.\d+ ", output):
        notes.append(f"no reason told: {output[:60]!r}")
    if shows_secret(output):
        notes.append("clear text in what it says")
    return status, output


def run_point(lab, number, point, happened=None):
    """The Row of this point; None when the fault did not happen (the place was not reached). `happened()`: did it?"""
    flow = FLOWS[point.flow]
    allowed, notes, runs, status, output = set(), [], 0, None, b""
    lab.clear()
    lab.excused = set()
    flow.prepare(lab, number)
    lab.again = lambda: flow.run(lab, number)
    lab.window = lambda: window(flow, lab)
    if point.order:
        lab.arm(point.who, flow.sender(number), point.order)
    while runs < RETRIES and status != 0:
        status, output = run_once(lab, number, point, runs, notes)
        runs += 1
        if runs == 1 and point.order:
            lab.disarm(point.who)
        if runs == 1 and happened is not None and not happened():
            return None
        if status != 0:
            opened = window(flow, lab) - allowed - lab.excused
            allowed |= opened
            if not one_handoff(lab, opened) and not point.who.startswith("target"):
                notes.append(f"accepted and not in the journal: {opened}")
    if status != 0:
        notes.append(f"does not end well: {status} {output[:100]!r}")
    lab.excused |= {e.recipient for e in flow.expected} & allowed
    notes += flow.finish(lab, number)
    return judge(lab, flow, point, allowed | lab.excused, runs, notes)


def judge(lab, flow, point, allowed, runs, notes):
    got, leaks = count(flow, lab.stored())
    leaks += ["clear text in " + name for name in lab.places_with_secret()]
    names = [e.recipient for e in flow.expected]
    twice = {name: got[name] - 1 for name in names if got[name] > 1}
    lost = [name for name in names if got[name] == 0]
    other = {name: n for name, n in twice.items() if name not in allowed}
    if "could\\x20not\\x20be\\x20noted" not in lab.log():  # then the administrator was told, and no retry follows
        notes += [f"not in the journal: {name}" for name in window(flow, lab)]
    notes += [f"lost: {name}" for name in lost] + [f"twice: {name}" for name in other] + leaks
    return Row(point.flow, point.who, point.fault, point.place, 1, sum(1 for n in names if got[n]),
               sum(twice.values()) - sum(other.values()), sum(other.values()), len(lost), len(leaks), runs, "; ".join(notes))


def is_good(row):
    return not (row.twice or row.lost or row.leaked or row.note)


# ---- places ----------------------------------------------------------------------------------------------------------------------

CALL = re.compile(r"([a-z0-9_]+)\(")
# What writes, connects, sends, renames, makes, removes, starts or locks.
CHANGES = set("write pwrite64 writev pwritev pwritev2 sendmsg sendto sendmmsg sendfile copy_file_range splice connect bind listen accept accept4 "
              "shutdown rename renameat renameat2 link linkat symlink symlinkat unlink unlinkat mkdir mkdirat rmdir fsync fdatasync "
              "sync_file_range ftruncate fallocate memfd_create vfork fork clone clone3 execve kill pipe2 socketpair fchmod chmod "
              "fchown wait4 waitid exit_group".split())


def changes(call, line):
    if call in ("openat", "open", "creat"):
        return "O_CREAT" in line or "O_TMPFILE" in line
    if call == "fcntl":
        return "F_SETLK" in line or "F_ADD_SEALS" in line or "F_SETLEASE" in line
    return call in CHANGES


def calls_in(text):
    """[(call, how many of its kind came before and itself, line)]; strace counts each kind by itself."""
    seen, found = collections.Counter(), []
    for line in text.splitlines():
        call = CALL.match(line)
        if call:
            seen[call[1]] += 1
            found.append((call[1], seen[call[1]], line))
    return found


def trace_all(lab, flow, number=0):
    """{(who, start): calls} of an undisturbed run."""
    lab.clear()
    flow.prepare(lab, number)
    sender = flow.sender(number)
    for name in list(lab.running) or ["julia"]:
        lab.arm(name, sender, "- -")
    status, output = flow.run(lab, number)
    (lab.orders / ("service" if lab.running else sender)).unlink()
    if status != 0:
        raise RuntimeError(f"the undisturbed run fails: {output!r}")
    orphans_end({service.pid for service in lab.running.values()})
    traces = {}
    for path in lab.orders.glob(("service" if lab.running else sender) + ".*.trace"):
        who, start = path.name[:-len(".trace")].rsplit(".", 2)[1:]
        traces[who, int(start)] = calls_in(path.read_text(errors="replace"))
    for name in list(lab.running):
        lab.reload(name)
    return traces
