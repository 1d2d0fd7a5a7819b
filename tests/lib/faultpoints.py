"""The places where tests/e2e/fault-matrix.t lets something fail, as lists of faultlab.Point, and how each is made to happen."""
import contextlib
import errno
import os
import random
import re
import shutil
import signal
import subprocess
import sys

import faultlab
import gateway
from faultlab import Point

PROGRAMS = ("julia", "keys-file", "trust", "smime")
SIGNALS = ("SIGSEGV", "SIGTERM", "SIGHUP", "SIGALRM", "SIGXFSZ", "SIGPIPE")
ERRORS = {
    "EIO ENOSPC EDQUOT EFBIG EINTR": "write pwrite64 writev",
    "EIO ENOSPC": "fsync fdatasync ftruncate fallocate",
    "EIO EINTR": "read pread64",
    "EIO ENOSPC EROFS EACCES": "rename renameat2 link linkat unlink unlinkat mkdir fchmod fchown",
    "EMFILE ENFILE ENOMEM EIO": "openat",
    "EPIPE ECONNRESET ENOBUFS EINTR": "sendmsg sendto",
    "ECONNRESET EINTR ENOMEM": "recvmsg recvfrom",
    "ECONNREFUSED EAGAIN ENOENT EINTR": "connect",
    "EMFILE ENFILE ENOMEM": "memfd_create pipe2 socketpair socket pidfd_open dup dup2",
    "ENOLCK EAGAIN EINTR EINVAL": "fcntl",
    "EAGAIN ENOMEM": "vfork clone clone3",
    "ENOMEM": "mmap brk mprotect",
    "EINTR ENOMEM": "poll ppoll",
    "EINTR ECHILD": "wait4 waitid",
    "EINVAL EIO ESTALE": "lseek newfstatat fstat",
}
assert all(hasattr(errno, name) for names in ERRORS for name in names.split())


def started(calls):
    """Behind the dynamic linker: what fails before main() is the loader's (see docs/fault-matrix.md)."""
    for position, (call, _, line) in enumerate(calls):
        if call == "openat" and "/dev/null" in line or call in ("prctl", "getsockopt"):
            return calls[position:]
    return calls


def kills(flow, traces, every_call=False):
    for (who, start), calls in traces.items():
        for call, n, line in calls:
            if call != "execve" and (faultlab.changes(call, line) or (every_call and who == "julia")):
                yield injected(flow, who, start, "SIGKILL", call, n, "signal=SIGKILL")


def signals(flow, traces):
    for (who, start), calls in traces.items():
        for call, n, line in calls:
            if call not in ("execve", "exit_group") and faultlab.changes(call, line):
                for name in SIGNALS if who == "julia" else SIGNALS[:1]:
                    yield injected(flow, who, start, name, call, n, "signal=" + name)


def errors(flow, traces):
    table = {call: names.split() for names, calls in ERRORS.items() for call in calls.split()}
    for (who, start), calls in traces.items():
        for call, n, _ in started(calls):
            for name in table.get(call, ()):
                yield injected(flow, who, start, name, call, n, "error=" + name)


def injected(flow, who, start, fault, call, n, words):
    return Point(flow, who, start, fault, f"{call} {n}", f"{who} {start} -e inject={call}:{words}:when={n}")


def injection_seen(lab, point):
    """Did the fault come? A run may be over before the place."""
    if point.fault.startswith("SIG"):
        marks = ("killed by " + point.fault, "--- " + point.fault + " ")
    else:
        marks = ("(INJECTED)",)
    def marked():
        texts = [path.read_text(errors="replace") for path in lab.orders.glob(f"*.{point.who}.*.trace")]
        return any(mark in text for text in texts for mark in marks)
    return faultlab.wait_until(marked, 1 if point.who in lab.running else 0)  # there nobody waits for the tracer


def sample(points, count, seed):
    """`count` of them in a random order, spread over programs; all of them for 0."""
    points = list(points)
    if count == 0 or count >= len(points):
        return points
    groups = {}
    for point in points:
        groups.setdefault((point.flow, point.who), []).append(point)
    dice = random.Random(seed)
    for group in groups.values():
        dice.shuffle(group)
    chosen = []
    while len(chosen) < count:
        for group in groups.values():
            if group and len(chosen) < count:
                chosen.append(group.pop())
    return chosen


# ---- targets ---------------------------------------------------------------------------------------------------------------------

TARGET_FAULTS = ("refuse 75", "refuse 69", "refuse 1", "refuse 127", "refuse-late 75", "refuse-late 67", "hang", "die", "accept-die",
                 "accept-fail 75", "accept-hang")


def target_does(name, how):
    @contextlib.contextmanager
    def act(lab):
        lab.how(name, how)
        yield {}
        lab.how(name, None)
    return act


def scanner_targets():
    return targets((("to-scanner", ("scanner",)), ("from-scanner", ("internal",))))


def targets(pairs=(("outgoing", ("external", "internal")), ("incoming", ("internal",)))):
    """Each target does each wrong thing, for one call or until it is repaired before the retry."""
    for flow, names in pairs:
        for name in names:
            for fault in TARGET_FAULTS:
                for once in ("once ", ""):
                    yield Point(flow, "target " + name, "", fault, "first call" if once else "all calls",
                                act=target_does(name, once + fault))


# ---- what the MTA gives: limits, standard input and output --------------------------------------------------------------------------

def started_by(*command):
    @contextlib.contextmanager
    def act(_lab):
        yield {"wrapper": command}
    return act


def limits():
    """Resources that the MTA's limits leave to julia, from hardly any to enough."""
    for flow in ("outgoing", "outgoing-large", "incoming"):
        for n in range(6, 40):
            yield Point(flow, "julia", "", "RLIMIT_NOFILE", str(n), act=started_by("prlimit", f"--nofile={n}"))
        for n in (0, 1, 100, 300, 1000, 4096, 10000, 30000, 65536, 100000, 300000, 500000):
            yield Point(flow, "julia", "", "RLIMIT_FSIZE", str(n), act=started_by("prlimit", f"--fsize={n}"))
        for n in range(8000, 30000, 1000):
            yield Point(flow, "julia", "", "RLIMIT_AS", f"{n} kB", act=started_by("prlimit", f"--as={n * 1024}"))


def surroundings():
    """What a shell can do to standard input, output and errors."""
    odd = {"standard input closed": "exec \"$@\" <&-", "standard input a directory": "exec \"$@\" </",
           "standard input empty": "exec \"$@\" </dev/null", "standard output closed": "exec \"$@\" >&-",
           "standard output full": "exec \"$@\" >/dev/full", "standard errors closed": "exec \"$@\" 2>&-",
           "standard input and errors closed": "exec \"$@\" <&- 2>&-", "nobody reads its output": "\"$@\" | true",
           "SIGCHLD ignored": "trap '' CHLD; exec \"$@\"", "SIGTERM, SIGPIPE, SIGXFSZ ignored": "trap '' TERM PIPE XFSZ; exec \"$@\""}
    for flow in ("outgoing", "incoming"):
        for name, script in odd.items():
            yield Point(flow, "julia", "", name, "", act=started_by("sh", "-c", script, "sh"))


# The MTA dies when it has given us half of the message (the rest will never come), or all of it.
DYING_MTA = """
import array, fcntl, os, subprocess, sys, termios, time
octets = sys.stdin.buffer.read()
julia = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE)
julia.stdin.write(octets[:len(octets) * int(sys.argv[1]) // 100])
julia.stdin.flush()
left = array.array("i", [1])
while left[0] and julia.poll() is None:
    time.sleep(0.001)
    fcntl.ioctl(julia.stdin, termios.FIONREAD, left)
os._exit(75)
"""


def scanner_callers():
    return dying_callers(("to-scanner", "from-scanner"))


def dying_callers(flows=("outgoing", "incoming", "outgoing-large", "incoming-large")):
    for flow in flows:
        for percent in (0, 1, 10, 50, 99, 100):
            yield Point(flow, "the MTA", "", "dies", f"after {percent} % of the message",
                        act=started_by(sys.executable, "-I", "-S", "-c", DYING_MTA, str(percent)))


# ---- the journal ---------------------------------------------------------------------------------------------------------------------

def replace_by(make):
    def damage(path):
        path.unlink()
        make(path)
    return damage


def shift_times(seconds):
    def damage(path):
        path.write_bytes(re.sub(rb"(?m)^(begin|done|end) (\d+)", lambda m: b"%s %d" % (m[1], int(m[2]) + seconds), path.read_bytes()))
        now = path.stat().st_mtime + seconds
        os.utime(path, (now, now))
    return damage


JOURNAL_DAMAGES = {
    "removed": lambda path: path.unlink(),
    "empty": lambda path: os.truncate(path, 0),
    "half of it": lambda path: os.truncate(path, path.stat().st_size // 2),
    "one octet missing": lambda path: os.truncate(path, path.stat().st_size - 1),
    "rubbish behind it": lambda path: path.write_bytes(path.read_bytes() + os.urandom(5000)),
    "rubbish in its place": lambda path: path.write_bytes(os.urandom(5000)),
    "zeros behind it": lambda path: path.write_bytes(path.read_bytes() + bytes(10000)),
    "clock a year back": shift_times(366 * 86400),
    "clock a year ahead": shift_times(-366 * 86400),
    "a directory": replace_by(lambda path: path.mkdir()),
    "a symbolic link": replace_by(lambda path: path.symlink_to("/etc/passwd")),
    "a pipe": replace_by(os.mkfifo),
    "17 MB": lambda path: os.truncate(path, 17 << 20),
}


def journal_is(damage):
    """Damaged behind a first run in which one target refused. A second run meets the damage; then the file goes, as an administrator
    would do it who reads what julia says."""
    @contextlib.contextmanager
    def act(lab):
        for name in ("external", "internal"):
            lab.how(name, "once refuse 75")
        yield {}
        path = next((lab.base / "var/journal").iterdir())
        damage(path)
        lab.excused = lab.window()  # what the journal cannot know any more may come twice
        status, _ = lab.again()
        if status != 0 and (not path.is_file() or path.is_symlink() or path.stat().st_size > 1 << 24):
            path.rmdir() if path.is_dir() else path.unlink()
        lab.excused |= lab.window()
    return act


def journals():
    for flow in ("outgoing", "incoming"):
        for name, damage in JOURNAL_DAMAGES.items():
            yield Point(flow, "journal", "", "damaged", name, act=journal_is(damage))


# ---- disks -------------------------------------------------------------------------------------------------------------------------

def mount(path, *options):
    subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "none", path], check=True)


def small_disk(folder, room, inodes=None, read_only=False):
    """As long as the first run takes FOLDER, with what is in it, is a file system of its own with ROOM octets (and INODES files) left."""
    @contextlib.contextmanager
    def act(lab):
        path, kept = lab.base / folder, lab.base / "kept"
        files = [p for p in path.rglob("*") if p.is_file()]
        used = sum(-(-p.stat().st_size // PAGE) * PAGE for p in files)
        shutil.copytree(path, kept)
        limits = [] if inodes is None else [f"nr_inodes={inodes + 1 + len(list(path.rglob('*')))}"]
        mount(path, "mode=0700", f"size={max(used + room, PAGE)}", *limits)
        shutil.copytree(kept, path, dirs_exist_ok=True)
        if used + room == 0:
            (path / "fill").write_bytes(bytes(PAGE))
        if read_only:
            subprocess.run(["mount", "-o", "remount,ro", path], check=True)
        yield {}
        shutil.rmtree(kept)
        shutil.copytree(path, kept)  # what was written is there after the repair, too
        subprocess.run(["umount", "-l", path], check=True)
        shutil.rmtree(path)
        kept.rename(path)
    return act


PAGE = 4096
DISKS = ("var/spool", "var/journal", "var/index", "var/review", "logs", "out")


def scanner_disks():
    return disks(("to-scanner", "from-scanner"), (*DISKS, "var/hold"))


def disks(flows=("outgoing-large", "incoming-large", "outgoing", "incoming"), folders=DISKS):
    for flow in flows:
        for folder in folders:
            for room in (0, 4096, 8192, 16384, 32768, 65536, 131072, 262144, 524288, 1048576):
                yield Point(flow, "disk of " + folder, "", "full", f"{room} octets left", act=small_disk(folder, room))
            for inodes in (0, 1, 2, 3):
                yield Point(flow, "disk of " + folder, "", "no inodes", f"{inodes} left", act=small_disk(folder, 1 << 22, inodes))
            yield Point(flow, "disk of " + folder, "", "read-only", "", act=small_disk(folder, 1 << 20, read_only=True))


# ---- modules that answer wrongly, services that do not answer ------------------------------------------------------------------------

MODULE_FAULTS = ("hang die crash hang-after die-after die-mid-frame rubbish too-much no-xml wrong-id wrong-body twice temporary interaction "
                 "slow").split()
SMIME_FAULTS = ("truncated empty wrong-length write-later other-message change-input plain plain-text leak leak-after unsigned "
                "extra-recipient").split()
OPERATIONS = {"outgoing": (("keys-file", "find"), ("keys-file", "grant"), ("keys-file", "sign"), ("trust", "validate"), ("smime", "sign"),
                           ("smime", "encrypt")),
              "incoming": (("keys-file", "find"), ("keys-file", "grant"), ("keys-file", "open"), ("keys-file", "store"),
                           ("trust", "validate"), ("smime", "unwrap"))}


def module_does(name, operation, fault):
    @contextlib.contextmanager
    def act(lab):
        conf = lab.base / "etc/julia.conf"
        good = conf.read_text()
        line = f"{faultlab.MODULES[name]} = {sys.executable} -I -S {faultlab.FAULTS}/faulty-module.py --on {operation} --do {fault} --once " \
               f"{lab.base}/orders/once -- {gateway.BUILD}/lib/modules/{name}"
        conf.write_text(re.sub(rf"(?m)^{faultlab.MODULES[name]} = .*", line, good))
        yield {}
        conf.write_text(good)
    return act


def modules():
    for flow, asked in OPERATIONS.items():
        for name, operation in asked:
            for fault in MODULE_FAULTS + (SMIME_FAULTS if name == "smime" else []):
                yield Point(flow, name, "", fault, operation, act=module_does(name, operation, fault))


def module_seen(lab, _point):
    return (lab.orders / "once").exists()


def service_is(name, fault):
    @contextlib.contextmanager
    def act(lab):
        if fault == "stopped":
            lab.stop_service(name)
        elif fault == "hangs":
            lab.signal_service(name, signal.SIGSTOP)
        elif fault in ("answers rubbish", "hangs up"):
            lab.stop_service(name)
            stand_in = subprocess.Popen([sys.executable, "-I", "-S", "-c", STAND_IN, lab.base / "var/run" / name,
                                         "554 5.3.0 another protocol\r\n" if fault == "answers rubbish" else ""])
            faultlab.wait_until((lab.base / "var/run" / name).exists)
            lab.running["stand-in"] = stand_in
        yield {}
        if fault == "hangs":
            lab.signal_service(name, signal.SIGCONT)
            return
        if "stand-in" in lab.running:
            lab.stop_service("stand-in")
            (lab.base / "var/run" / name).unlink()
        lab.start_service(name)
    return act


STAND_IN = """
import socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(50)
while True:
    c = s.accept()[0]; c.recv(1); c.sendall(sys.argv[2].encode()); c.close()
"""


def services():
    for flow in ("outgoing", "incoming"):
        for name in faultlab.MODULES:
            for fault in ("stopped", "hangs", "answers rubbish", "hangs up"):
                yield Point(flow, "service " + name, "", fault, "", act=service_is(name, fault))


def workers(flow, traces):
    """Like kills(), for the workers of services: both have the order, whoever comes to the place first is killed."""
    places = {}
    for (who, _), calls in traces.items():
        for call, n, line in calls:
            if who != "julia" and call != "execve" and faultlab.changes(call, line):
                places.setdefault((who, call, n), Point(flow, who, "worker", "SIGKILL", f"{call} {n}",
                                                        f"{who} 1,2 -e inject={call}:signal=SIGKILL:when={n}"))
    return list(places.values())
