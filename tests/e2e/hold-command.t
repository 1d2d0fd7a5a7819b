#!/usr/bin/env python3
"""julia-hold(8): what waits in the hold store is listed, shown, released and dropped; julia -prune and deliver-all look after it.
The entries are written here, as hold.h describes them: another program than ours that knows the format."""
import json
import os
import pwd
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import gateway  # noqa: E402

MESSAGE = b"From: anna@partner.example\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= \x1b[31mred\n\nTOP-SECRET-WORD\n"
RECIPIENTS = ("user_1@behoerde.de", "user_2@behoerde.de")
tap = gateway.Tap()


class Holds(gateway.Gateway):
    def __init__(self, conf=""):
        super().__init__(conf="POLICY = subject\n" + conf)
        self.holds = self.base / "var/hold"
        os.umask(0o077)
        self.holds.mkdir()

    def keep(self, id, kind="original", sender="anna@partner.example", recipients=RECIPIENTS, age=0, message=MESSAGE, more=""):
        entry = self.holds / id
        entry.mkdir()
        (entry / "message").write_bytes(message)
        lines = ["julia-hold 1", f"kind {kind}", f"time {int(time.time()) - age}", "node gate.behoerde.de", f"sender {sender}"]
        lines += [f"recipient {recipient}" for recipient in recipients]
        record = entry / "record"
        lines.append(f"size {len(message)}")
        record.write_text("\n".join(lines) + "\nqueue-id QUEUE7\nmessage-id <1@partner.example>\n" + more + "end\n")
        os.utime(record, (time.time() - age,) * 2)
        return id

    def command(self, *words, program="julia-hold"):
        done = subprocess.run([gateway.BUILD / "bin" / program, "-c", self.base / "etc/julia.conf", *words], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        return done.returncode, done.stdout, done.stderr

    def log(self):
        return (self.base / "logs/julia.log").read_text()

    def states(self, *words):
        return {entry["id"]: entry["state"] for entry in map(json.loads, self.command("list", "-j", *words)[1].splitlines())}


def ids():
    number = 0
    while True:
        number += 1
        yield f"{number:032x}"


next_id = ids().__next__

# ---- looking ----
with Holds() as g:
    os.rmdir(g.holds)
    tap.ok(g.command("list") == (0, "", "") and not g.holds.exists(), "a store that was never used is empty, and is not made")
    tap.ok(g.command("show", "0" * 32)[0] == 1, "... and shows nothing")
    g.holds.mkdir()

    a = g.keep(next_id(), age=7300)
    b = g.keep(next_id(), "changed", sender="", recipients=("x@behoerde.de",), more=f"of {a}\n")
    c = g.keep(next_id(), sender="evil\x1b[2J\r x\"@partner.example")
    (g.holds / c / "refused").write_text("554 5.7.1 Eicar-Test-Signature FOUND\n")
    d = g.keep(next_id(), age=20 * 86400)
    (g.holds / d / "expired").touch()
    status, out, err = g.command("list")
    lines = out.splitlines()
    tap.ok(status == 0 and not err and len(lines) == 4, "list: one line an entry", out + err)
    tap.ok(lines[0].split() == [a, "2h", "held", str(len(MESSAGE)), "anna@partner.example", ",".join(RECIPIENTS)],
           "... with id, age, state, size, sender, recipients", lines[0])
    tap.ok(lines[1].split()[2:] == ["changed", str(len(MESSAGE)), "<>", "x@behoerde.de"], "... of the null sender, too", lines[1])
    tap.ok(lines[2].split()[2] == "refused" and lines[3].split()[1:3] == ["20d", "expired"], "... in all states", out)
    tap.ok("\x1b" not in out and len(lines[2].split()) == 6, "a sender cannot write to the terminal or add words", repr(lines[2]))

    found = [json.loads(line) for line in g.command("list", "-j")[1].splitlines()]
    tap.ok([entry["state"] for entry in found] == ["held", "changed", "refused", "expired"], "list -j: JSON")
    tap.ok(found[0]["recipients"] == [{"address": r, "state": "pending"} for r in RECIPIENTS] and found[0]["queue_id"] == "QUEUE7" and
           found[1]["of"] == a and found[2]["refusal"].startswith("554") and found[2]["sender"].startswith("evil\x1b[2J"),
           "... with everything", found)

    status, out, _ = g.command("show", c)
    tap.ok(status == 0 and "state      refused" in out and "Eicar-Test-Signature" in out and "queue-id   QUEUE7" in out,
           "show: what is known", out)
    tap.ok("Subject: =?utf-8?q?" in out and "SECRET" not in out, "... with the header and nothing of the content", out)
    tap.ok("\x1b" not in out and "\\x1B" in out, "... printable")

    for words, wanted in (((), "command is missing"), (("lsit",), "no such command"), (("list", "x"), "too many"),
                          (("list", "-x"), "unknown option"), (("show",), "an id is missing"), (("drop", a, "x"), "too many"),
                          (("drop", "-f", a), "unknown option")):
        status, out, err = g.command(*words)
        tap.ok(status == 2 and wanted in err and "usage:" in err and not out, f"usage: {' '.join(words) or 'nothing'}: status 2", err)
    for id in ("0123", "../" + a, a.upper()[:-1] + "A", "..", ""):
        status, _, err = g.command("release", id)
        tap.ok(status == 1 and "not an id" in err, f"\"{id}\" is not an id", err)
    status, _, err = g.command("drop", "f" * 32)
    tap.ok(status == 1 and "no such entry" in err, "an unknown id: status 1", err)
    done = subprocess.run([gateway.BUILD / "bin/julia-hold", "-c", "/nonexistent", "list"], stderr=subprocess.PIPE, check=False)
    tap.ok(done.returncode == 2 and b"/nonexistent" in done.stderr, "no configuration: status 2")
    tap.ok(len(g.states()) == 4 and not g.collect(), "nothing has changed by all this")

# ---- release ----
with Holds() as g:
    a = g.keep(next_id())
    status, _, err = g.command("release", a, "stranger@behoerde.de", RECIPIENTS[0])
    tap.ok(status == 1 and "stranger@behoerde.de is not a recipient" in err and not g.collect(),
           "release: a recipient that is none, and nobody gets anything", err)
    status, out, _ = g.command("release", a, "USER_2@behoerde.de")
    sent = g.collect()
    tap.ok(status == 0 and "1 recipient" in out and [(s[0], s[1], s[2]) for s in sent] == [("internal", [RECIPIENTS[1]], MESSAGE)],
           "... for one recipient: exactly what was kept, to the internal relay", sent)
    tap.ok("anna@partner.example" in sent[0][3], "... with its sender")
    tap.ok(g.states() == {a: "held"} and RECIPIENTS[1] not in g.command("list")[1], "... the others still wait")
    status, _, err = g.command("release", a, RECIPIENTS[1])
    tap.ok(status == 1 and "released already" in err and not g.collect(), "... never twice", err)
    status, _, _ = g.command("release", a)
    tap.ok(status == 0 and [s[1] for s in g.collect()] == [[RECIPIENTS[0]]], "... and then the rest")
    status, _, err = g.command("release", a)
    tap.ok(status == 1 and "nothing is left" in err and not g.collect(), "... after which nothing is left", err)
    tap.ok(g.states() == {} and g.states("-a") == {a: "gone"} and not (g.holds / a / "message").exists(), "... but a tombstone: list -a")
    log = g.log()
    tap.ok(log.count("event=command") == 2 and f"command=release id={a}" in log and "by=" in log and "QUEUE7" in log,
           "... and the log knows who did it", log)
    out = g.command("show", a)[1]
    tap.ok("recipient  user_1@behoerde.de released 2" in out, "show says what became of each recipient, and when", out)

    lost = g.keep(next_id(), "lost")
    tap.ok(g.command("release", lost)[0] == 0 and g.collect()[0][2] == MESSAGE, "a returned copy can be released, too")
    expired = g.keep(next_id())
    (g.holds / expired / "expired").touch()
    tap.ok(g.command("release", expired)[0] == 0 and len(g.collect()) == 1, "... and an expired original")
    refused = g.keep(next_id())
    (g.holds / refused / "refused").write_text("infected\n")
    status, _, err = g.command("release", refused)
    tap.ok(status == 1 and "refused" in err and not g.collect(), "what the scanner refused is released to nobody", err)
    tap.ok(g.states() == {refused: "refused"}, "... and stays")

    waits = g.keep(next_id())
    target = (g.base / "target").read_text()
    (g.base / "target").write_text("#!/bin/sh\nexit 69\n")
    status, _, err = g.command("release", waits)
    tap.ok(status == 75 and g.states()[waits] == "held", "the relay takes nothing: status 75, it stays", err)
    (g.base / "target").write_text(target)
    tap.ok(g.command("release", waits)[0] == 0 and len(g.collect()) == 1, "... until the relay works")

    busy = g.keep(next_id())
    (g.holds / busy / "claim-0.0").write_text("claim other.behoerde.de boot pid:[1] 4711 99".ljust(511) + "\n")
    status, _, err = g.command("drop", busy)
    tap.ok(status == 75 and "right now" in err and g.states()[busy] == "held", "another node is at it: drop does nothing", err)
    status, _, err = g.command("release", busy)
    tap.ok(status == 75 and [s[1] for s in g.collect()] == [[RECIPIENTS[1]]], "... release leaves that recipient to it", err)
    os.utime(g.holds / busy / "claim-0.0", (time.time() - 15 * 60 - 70,) * 2)
    tap.ok(g.command("release", busy)[0] == 0 and [s[1] for s in g.collect()] == [[RECIPIENTS[0]]],
           "... until DEADLINE says that the node is dead")

    both = g.keep(next_id())
    (g.base / "target").write_text(target.replace("cat >", "sleep 1; cat >"))
    runs = [subprocess.Popen([gateway.BUILD / "bin/julia-hold", "-c", g.base / "etc/julia.conf", "release", both],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(4)]
    ends = sorted(run.wait() for run in runs)
    # two may share the recipients: both then say 75 about the other's
    got = [address for _, recipients, _, _ in g.collect() for address in recipients]
    tap.ok(sorted(got) == sorted(RECIPIENTS) and not set(ends) - {0, 1, 75}, "four at once: each recipient gets it once", (got, ends))
    tap.ok(both not in g.states(), "... and it is gone")

# ---- drop ----
with Holds() as g:
    for state in ("held", "refused", "changed"):
        a = g.keep(next_id(), "changed" if state == "changed" else "original")
        if state == "refused":
            (g.holds / a / "refused").write_text("infected\n")
        status, out, err = g.command("drop", a)
        tap.ok(status == 0 and "dropped" in out and g.states("-a")[a] == "gone" and not g.collect() and
               not (g.holds / a / "message").exists(), f"drop: {state}: gone, delivered to nobody", err)
    status, _, err = g.command("drop", a)
    tap.ok(status == 1 and "nothing is left of it (dropped)" in err, "... once", err)
    tap.ok(f"command=drop id={a}" in g.log(), "... and logged")

# ---- damage ----
with Holds() as g:
    a = g.keep(next_id())
    (g.holds / a / "message").write_bytes(MESSAGE[:20])
    status, out, err = g.command("release", a)
    tap.ok(status == 75 and not g.collect() and g.states()[a] == "held", "what is not as long as it was is delivered to nobody", err)
with Holds() as g:
    a, b = g.keep(next_id()), g.keep(next_id())
    (g.holds / a / "record").write_text("julia-hold 1\nkind original\n")
    status, out, err = g.command("list")
    tap.ok(status == 75 and a in err and b in out, "a damaged entry is named, the others are listed", err)
    (g.holds / "key").write_bytes(b"x" * 32)
    os.chmod(g.holds, 0o770)
    status, _, err = g.command("list")
    tap.ok(status == 75 and "nobody else may write there" in err, "a directory that others may write to is refused", err)

# ---- as root ----
if os.geteuid() == 0:
    with Holds() as g:
        user = pwd.getpwnam("nobody")
        a = g.keep(next_id())
        for path in [g.base, *g.base.rglob("*")]:
            shutil.chown(path, user.pw_uid, user.pw_gid)
        status, _, err = g.command("release", a)
        owners = {path.stat().st_uid for path in [*g.holds.rglob("*"), *(g.base / "logs").iterdir()]}
        tap.ok(status == 0 and owners == {user.pw_uid}, "started by root it goes on as the owner of HOLD_DIR", (err, owners))

# ---- julia -prune, deliver-all ----
with Holds() as g:
    old, fresh = g.keep(next_id(), age=7200), g.keep(next_id())
    expired = g.keep(next_id(), age=11 * 86400)
    gone = g.keep(next_id(), recipients=("x@behoerde.de",))
    tap.ok(g.command("drop", gone)[0] == 0 and g.command("-prune", program="julia")[0] == 0, "julia -prune")
    notices = {words[2].split(b"notice")[0]: words for words in g.collect()}
    text = b"".join(words[2] for words in notices.values())
    tap.ok(len(notices) == 2 and old.encode() in text and expired.encode() in text and fresh.encode() not in text and
           all(words[1] == ["admin@behoerde.de"] for words in notices.values()), "... tells ADMIN what is overdue and what expired", text)
    tap.ok(b"SECRET" not in text, "... and nothing of what is in it")
    tap.ok(g.states() == {old: "held", fresh: "held", expired: "expired"}, "... expires", g.states())
    os.utime(g.holds / gone, (time.time() - 11 * 86400,) * 2)
    tap.ok(g.command("-prune", program="julia")[0] == 0 and not g.collect() and gone not in g.states("-a"),
           "... says it once, and removes old tombstones")
    os.chmod(g.holds, 0o770)
    bin = g.base / "bin"
    bin.mkdir()
    for name in ("julia", "deliver-all"):
        os.symlink((gateway.BUILD / "bin" if name == "julia" else gateway.SOURCE / "contrib/bin") / name, bin / name)
    (bin / "mailq-all").write_text("#!/bin/sh\n")
    (bin / "mailq-all").chmod(0o755)
    done = subprocess.run([bin / "deliver-all", "-c", g.base / "etc/julia.conf"], stderr=subprocess.PIPE, check=False)
    tap.ok(done.returncode == 75 and b"HOLD_DIR" in done.stderr, "deliver-all says what julia -prune says", done.stderr)

with Holds("HOLD_LOST = plain\n") as g:
    a = g.keep(next_id(), age=11 * 86400)
    tap.ok(g.command("-prune", program="julia")[0] == 0 and g.states("-a") == {a: "gone"} and
           [words[1] for words in g.collect()] == [["admin@behoerde.de"]], "HOLD_LOST=plain: expired originals are removed, ADMIN is told")
    out = g.command("show", a)[1]
    tap.ok("user_2@behoerde.de expired" in out, "... and it is known", out)

with Holds() as g:
    os.rmdir(g.holds)
    tap.ok(g.command("-prune", program="julia")[0] == 0 and not g.holds.exists(), "without holds nothing is looked after")

sys.exit(tap.end())
