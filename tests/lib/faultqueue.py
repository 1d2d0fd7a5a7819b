"""What tests/e2e/fault-queue.t lets fail, and the account of it."""
import os
import signal
import subprocess
import sys
import time

import faultlab
import faultpoints
import queuelab

COUNT = int(os.environ.get("JULIA_FAULT_POINTS", "16"))
SEED = int(os.environ.get("JULIA_FAULT_SEED", "1"))
MTA = os.environ["WORLD_MTA"]
HEAD = ("class", *faultlab.HEAD.split("\t"))


class Matrix:
    """One world, numbered messages, and a row for every point."""

    def __init__(self):
        self.tap, self.world = queuelab.tap(), queuelab.World()
        self.kinds, self.orders = queuelab.kinds(self.world), self.world.path / "faults/orders"
        self.number, self.seen, self.rows = 0, set(), []

    def messages(self, names):
        for name in names:
            self.number += 1
            yield self.number, self.kinds[name]

    def deliver(self, messages, seconds, every=2):
        """Sends them and waits until nothing waits: the account."""
        account = queuelab.Account()
        for number, kind in messages:
            account.send(number, kind)
        failures = queuelab.Senders(4).send(messages)
        quiet = self.world.until_quiet(seconds, every)
        account.take(self.world.stored(self.seen))
        if failures or not quiet:
            self.tap.ok(False, "all is taken, and then nothing waits", failures or "mail waits")
        return account

    def row(self, name, account, number, who, fault, place, window=False, returns=False):
        lost, twice = account.lost(number, returns), sum(account.twice(number).values())
        leaks = [leak for leak in account.leaks if leak.startswith(f"p{number}:")]
        kind = account.sent[number]
        note = "; ".join([f"lost: {r}" for r in lost] + leaks)
        self.rows.append((name, f"{MTA}: {kind.name}", who, fault, place, 1, len(kind.expected) - len(lost), twice if window else 0,
                          0 if window else twice, len(lost), len(leaks), "", note))

    def judge(self, name, accounts):
        rows = [row for row in self.rows if row[0] == name]
        bad = [row for row in rows if any(row[8:11])]
        others = [leak for account in accounts for leak in account.leaks if not leak.startswith("p")]
        self.tap.ok(rows and not bad and not others,
                    f"{MTA}, {name}: {len(rows)} points, no losses, no leaks, {sum(r[7] for r in rows)} duplicates, all in the window",
                    "\n".join("\t".join(map(str, row)) for row in bad) + "\n".join(others))

    # ---- kills --------------------------------------------------------------------------------------------------------------

    def traces(self, names):
        """{kind: {(who, start): calls}} of one undisturbed run each."""
        messages = list(self.messages(names))
        for number, kind in messages:
            (self.orders / kind.sender(number)).write_text("- -\n")
        self.deliver(messages, 60)
        found = {}
        for number, kind in messages:
            for path in self.orders.glob(kind.sender(number) + ".*.trace"):
                who, start = path.name[:-len(".trace")].rsplit(".", 2)[1:]
                found.setdefault(kind.name, {})[who, int(start)] = faultlab.calls_in(path.read_text(errors="replace"))
        return found

    def in_window(self, number):
        """Was julia killed between the start of a target's command and the journal's record? So its trace ends then."""
        kind = self.all_sent[number]
        for path in self.orders.glob(kind.sender(number) + ".julia.*.trace"):
            calls = faultlab.calls_in(path.read_text(errors="replace"))
            last_start = max((i for i, c in enumerate(calls) if c[0] in ("vfork", "clone", "clone3", "fork")), default=len(calls))
            if not any(c[0] == "write" and "\\ndone " in c[2] and "= ?" not in c[2] for c in calls[last_start:]):
                return last_start < len(calls)
        return False

    def kills(self):
        self.traces(("groups", "in-encrypted"))
        time.sleep(3)  # until the modules trust the time stamps of certificate files
        points = [point for kind, traces in self.traces(("groups", "in-encrypted")).items() for point in faultpoints.kills(kind, traces)]
        points = faultpoints.sample(points, COUNT, SEED)
        messages = list(self.messages([point.flow for point in points]))
        self.all_sent = dict(messages)
        for (number, kind), point in zip(messages, points):
            (self.orders / kind.sender(number)).write_text(point.order + "\n")
        account = self.deliver(messages, 120 + len(points))
        happened = 0
        for (number, kind), point in zip(messages, points):
            traces = self.orders.glob(f"{kind.sender(number)}.{point.who}.*.trace")
            if not any("killed by SIGKILL" in path.read_text(errors="replace") for path in traces):
                continue
            happened += 1
            self.row("kills", account, number, point.who, point.fault, point.place, point.who == "julia" and self.in_window(number))
        self.judge("kills", [account])
        self.tap.ok(happened >= len(points) // 2, f"{happened} of {len(points)} kills happened")

    # ---- relays -------------------------------------------------------------------------------------------------------------

    def sink(self, name, text):
        path = self.world.path / "sinks" / name / "fail"
        if text:
            path.write_text(text + "\n")
        else:
            path.unlink(missing_ok=True)

    def relays(self):
        accounts = []
        for stage in ("connect", "mail", "rcpt", "data", "drop") if COUNT == 0 else ("data", "drop"):
            for reply in (["421 4.3.2 not now"] if stage in ("connect", "drop") else ["451 4.3.0 not now", "554 5.7.1 never"]):
                accounts += [self.refused("external", "groups", stage, reply), self.refused("internal", "in-encrypted", stage, reply)]
        accounts += [self.frozen(name) for name in (("external", "internal") if COUNT == 0 else ("internal",))]
        self.judge("relays", accounts)

    def refused(self, name, kind, stage, reply):
        """The relay refuses what comes first; what is refused for good goes back to its sender."""
        self.sink(name, f"once:{stage} {reply}")
        messages = list(self.messages([kind]))
        account = self.deliver(messages, 120, 1)
        for number, _ in messages:
            self.row("relays", account, number, "relay " + name, reply, stage, returns=reply.startswith("5"))
        self.sink(name, None)
        return account

    def frozen(self, name):
        """The relay answers nothing for a while."""
        pid = int(os.environ["SINKS"].split()[{"external": 0, "scanner": 1, "internal": 2}[name]])
        os.kill(pid, signal.SIGSTOP)
        waker = subprocess.Popen(["sh", "-c", f"sleep 2; kill -CONT {pid}"])
        messages = list(self.messages(("groups", "in-encrypted")))
        account = self.deliver(messages, 120, 1)
        waker.wait()
        for number, _ in messages:
            self.row("relays", account, number, f"relay {name}", "frozen", "2 s")
        return account

    # ---- the MTA itself -----------------------------------------------------------------------------------------------------

    def mta_killed(self):
        """Whoever started julia is killed, again and again, while messages pass."""
        messages = list(self.messages(["groups", "in-encrypted", "signed", "in-signed", "both"] * 4))
        killer = subprocess.Popen([sys.executable, "-I", "-S", "-c", KILLER], stdout=subprocess.PIPE)
        account = queuelab.Account()
        for number, kind in messages:
            account.send(number, kind)
        failures = queuelab.Senders(4).send(messages)
        killed = int(killer.communicate()[0])
        quiet = self.world.until_quiet(120)
        account.take(self.world.stored(self.seen))
        self.tap.ok(quiet and not failures and killed > 0, f"{MTA} recovers when {killed} of its processes that call julia are killed", failures)
        for number, _ in messages:
            self.row("MTA", account, number, "caller of julia", "SIGKILL", "any time")
        self.judge("MTA", [account])

    def run(self):
        self.kills()
        self.relays()
        self.mta_killed()
        queuelab.write_rows(f"fault-queue-{MTA}.tsv", [HEAD, *self.rows])
        return self.tap.end()


# Kills the parents of everything that runs julia, some of the time.
KILLER = r"""
import glob, os, random, sys, time
dice, killed = random.Random(1), 0
until = time.monotonic() + 6
while time.monotonic() < until:
    time.sleep(dice.uniform(0.02, 0.2))
    for path in glob.glob("/proc/[0-9]*/comm"):
        try:
            if open(path).read() != "julia.real\n":
                continue
            stat = open(path[:-4] + "stat").read()
            parent = int(stat.rpartition(")")[2].split()[1])
            if open("/proc/%d/comm" % parent).read().strip() in ("pipe", "sendmail", "sm-mta"):
                os.kill(parent, 9)
                killed += 1
                break
        except (OSError, IndexError):
            pass
print(killed)
"""

if __name__ == "__main__":
    sys.exit(Matrix().run())
