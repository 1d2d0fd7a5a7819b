"""The load of tests/e2e/load.t: load.py PID... (the services to disturb)."""
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

import queuelab

MESSAGES = int(os.environ.get("JULIA_LOAD_MESSAGES", "200"))
SENDERS = int(os.environ.get("JULIA_LOAD_SENDERS", "20"))
SEED = int(os.environ.get("JULIA_LOAD_SEED", "1"))
MTA = os.environ["WORLD_MTA"]
# How many of each kind in a hundred.
MIX = {"plain": 12, "signed": 14, "encrypted": 14, "both": 14, "groups": 8, "crowd": 1, "in-encrypted": 14, "in-foreign": 3, "in-signed": 10,
       "in-plain": 10}


class Service:
    """A julia-moduled that somebody else started; from the first restart on it is ours."""

    def __init__(self, pid):
        self.command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]
        self.name = pathlib.Path(self.command[-1].decode()).name
        self.pid, self.process = pid, None

    def workers(self):
        try:
            return [int(p) for p in pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]
        except OSError:
            return []

    def kill(self, number):
        os.kill(self.pid, number)
        if self.process is not None:
            self.process.wait()
        else:
            until = time.monotonic() + 30
            while "Z" not in self._state() and time.monotonic() < until:
                time.sleep(0.01)

    def _state(self):
        try:
            return pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return "Z"

    def start(self):
        with open(pathlib.Path(os.environ["WORLD"]) / "log/moduled.log", "ab") as log:
            self.process = subprocess.Popen(self.command, stderr=log)
        self.pid = self.process.pid


class Disturber(threading.Thread):
    """Does something to a service every moment until it is told to end; then all of them run."""

    def __init__(self, services, seed):
        super().__init__()
        self.services, self.dice, self.ended, self.done = services, random.Random(seed), threading.Event(), {}

    def run(self):
        while not self.ended.wait(self.dice.uniform(0.2, 1.5)):
            service = self.dice.choice(self.services)
            what = self.dice.choice((self.kill_worker, self.kill_worker, self.reload, self.restart, self.kill_service, self.freeze))
            self.done[what.__name__] = self.done.get(what.__name__, 0) + 1
            what(service)

    def kill_worker(self, service):
        workers = service.workers()
        if workers:
            self._signal(self.dice.choice(workers), signal.SIGKILL)

    def reload(self, service):
        self._signal(service.pid, signal.SIGHUP)

    def restart(self, service):
        service.kill(signal.SIGTERM)
        self.ended.wait(self.dice.uniform(0, 1))
        service.start()

    def kill_service(self, service):
        service.kill(signal.SIGKILL)
        self.ended.wait(self.dice.uniform(0, 1))
        service.start()

    def freeze(self, service):
        pids = service.workers()
        for pid in pids:
            self._signal(pid, signal.SIGSTOP)
        self.ended.wait(self.dice.uniform(0, 1))
        for pid in pids:
            self._signal(pid, signal.SIGCONT)

    @staticmethod
    def _signal(pid, number):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def mixed(kinds):
    dice = random.Random(SEED)
    names = [name for name, share in MIX.items() for _ in range(share)]
    return [(number, kinds[dice.choice(names)]) for number in range(MESSAGES)]


def table(account, seconds):
    """One row a kind."""
    rows = [("kind", "messages in", "recipients", "served", "duplicates", "losses", "leaks")]
    totals = [0] * 6
    for name in MIX:
        numbers = [n for n, kind in account.sent.items() if kind.name == name]
        row = (len(numbers), sum(len(account.sent[n].expected) for n in numbers),
               sum(len(account.sent[n].expected) - len(account.lost(n)) for n in numbers),
               sum(sum(account.twice(n).values()) for n in numbers), sum(len(account.lost(n)) for n in numbers),
               sum(1 for leak in account.leaks if any(leak.startswith(f"p{n}:") for n in numbers)))
        rows.append((name, *row))
        totals = [a + b for a, b in zip(totals, row)]
    rows.append(("all", *totals))
    rows.append((f"{MTA}: {MESSAGES} messages, {SENDERS} senders, seed {SEED}: {seconds:.0f} s, {MESSAGES / seconds:.1f} messages/s",))
    return rows


def main():
    tap = queuelab.tap()
    world = queuelab.World()
    (world.base / "etc/julia.rules").write_text(queuelab.RULES)
    account, kinds = queuelab.Account(), queuelab.kinds(world)
    messages = mixed(kinds)
    for number, kind in messages:
        account.send(number, kind)
    disturber = Disturber([Service(int(pid)) for pid in sys.argv[1:]], SEED)
    print(f"# JULIA_LOAD_SEED={SEED}", flush=True)
    begun = time.monotonic()
    disturber.start()
    failures = queuelab.Senders(SENDERS).send(messages)
    tap.ok(not failures, f"{MESSAGES} messages are taken over {SENDERS} connections", failures)
    quiet = world.until_quiet(max(120, MESSAGES / 2))
    disturber.ended.set()
    disturber.join()
    quiet = quiet and world.until_quiet(60)
    seconds = time.monotonic() - begun
    account.take(world.stored(set()))
    print("# disturbed: " + ", ".join(f"{n} {name}" for name, n in sorted(disturber.done.items())))
    tap.ok(quiet, "then nothing waits any more", world.waiting())
    rows = table(account, seconds)
    for row in rows:
        print("# " + "\t".join(map(str, row)))
    numbers = list(account.sent)
    lost = [f"p{n} {account.sent[n].name}: {account.lost(n)} returned: {dict(account.returned[n])}" for n in numbers if account.lost(n)]
    tap.ok(not lost, "nothing is lost", "\n".join(lost))
    twice = [f"p{n} {account.sent[n].name}: {account.twice(n)}" for n in numbers if account.twice(n)]
    tap.ok(not twice, "nothing comes twice: no core was killed", "\n".join(twice))
    tap.ok(not account.leaks, "nothing is seen in clear that must not be", "\n".join(account.leaks))
    queuelab.write_rows(f"load-{MTA}.tsv", rows)
    for service in disturber.services:
        service.kill(signal.SIGTERM)
    return tap.end()


sys.exit(main())
