#!/usr/bin/env python3
"""The fault matrix: julia, its modules, targets, disks and services fail, each at many places, and the MTA's retries follow. However it
failed: each recipient gets the message, nothing that must be encrypted is seen in clear, and a second copy comes only when the target had
accepted before the journal could say so.

JULIA_FAULT_POINTS=N     how many points of each class, spread over them by JULIA_FAULT_SEED; 0: all of them (tests/soak)
JULIA_FAULT_JOBS=N       how many gateways at once
JULIA_FAULT_CLASSES=A,B  only these
The rows, one a point, go to $JULIA_BUILD/tests/fault-matrix.tsv; tests/faults/table makes docs/fault-matrix.md of them."""
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import faultlab  # noqa: E402
import faultpoints  # noqa: E402
import gateway  # noqa: E402

COUNT = int(os.environ.get("JULIA_FAULT_POINTS", "6"))
SEED = int(os.environ.get("JULIA_FAULT_SEED", "1"))
JOBS = int(os.environ.get("JULIA_FAULT_JOBS", "1"))
PATIENT = "MODULE_TIMEOUT = 20s\nDEADLINE = 60s\n"
SCANNED = PATIENT + faultlab.GATEWAY_MODE
HASTY = "MODULE_TIMEOUT = 2s\nDEADLINE = 6s\n"
FRESH_SECONDS = 3  # after that modules trust the time stamps of certificate files
FLOWS = ("outgoing", "incoming", "outgoing-large", "incoming-large") if COUNT == 0 else ("outgoing", "incoming")
SCANNER_FLOWS = ("to-scanner", "from-scanner")


def traced(make, flows=FLOWS):
    """Points that come from traces of undisturbed runs; those are made once for a gateway."""
    def points(lab):
        if not hasattr(lab, "traces"):
            for name in flows:
                faultlab.trace_all(lab, faultlab.FLOWS[name])
            time.sleep(FRESH_SECONDS)
            lab.traces = {name: faultlab.trace_all(lab, faultlab.FLOWS[name]) for name in flows}
        return [point for name in flows for point in make(name, lab.traces[name])]
    return points


def listed(make):
    return lambda _lab: make()


# name: (points, configuration, what kind of Lab, whether the fault can be seen to have come, times the usual number of points)
TRACED, SERVICES, PLAIN = {}, {"services": True}, {"plain": True}
CLASSES = {
    "kills": (traced(lambda flow, traces: faultpoints.kills(flow, traces, COUNT == 0)), PATIENT, TRACED, faultpoints.injection_seen, 4),
    "signals": (traced(faultpoints.signals), PATIENT, TRACED, faultpoints.injection_seen, 1),
    "errors": (traced(faultpoints.errors, FLOWS[:2]), PATIENT, TRACED, faultpoints.injection_seen, 2),
    "scanner kills": (traced(lambda flow, traces: faultpoints.kills(flow, traces, COUNT == 0), SCANNER_FLOWS), SCANNED, TRACED,
                      faultpoints.injection_seen, 2),
    "scanner errors": (traced(faultpoints.errors, SCANNER_FLOWS), SCANNED, TRACED, faultpoints.injection_seen, 1),
    "scanner targets": (listed(faultpoints.scanner_targets), HASTY + faultlab.GATEWAY_MODE, PLAIN, None, 1),
    "scanner callers": (listed(faultpoints.scanner_callers), SCANNED, PLAIN, None, 0.5),
    "scanner disks": (listed(faultpoints.scanner_disks), SCANNED, PLAIN, None, 1),
    "workers": (traced(faultpoints.workers, FLOWS[:2]), HASTY, SERVICES, faultpoints.injection_seen, 1),
    "services": (listed(faultpoints.services), HASTY, SERVICES, None, 0.5),
    "modules": (listed(faultpoints.modules), HASTY, PLAIN, faultpoints.module_seen, 1),
    "targets": (listed(faultpoints.targets), HASTY, PLAIN, None, 1),
    "limits": (listed(faultpoints.limits), PATIENT, PLAIN, None, 1),
    "surroundings": (listed(faultpoints.surroundings), PATIENT, PLAIN, None, 1),
    "callers": (listed(faultpoints.dying_callers), PATIENT, PLAIN, None, 1),
    "journal": (listed(faultpoints.journals), PATIENT, PLAIN, None, 1),
    "disks": (listed(faultpoints.disks), PATIENT, PLAIN, None, 1),
}


def run_class(name, lab, share, shares):
    """This gateway's share of the points of a class: (rows, how many places were not reached)."""
    points, _, _, seen, times = CLASSES[name]
    rows, missed = [], 0
    for number, point in enumerate(faultpoints.sample(points(lab), int(COUNT * times), SEED)):
        if number % shares != share:
            continue
        row = faultlab.run_point(lab, number, point, seen and (lambda: seen(lab, point)))
        if row is None:
            missed += 1
        else:
            rows.append((name, *row))
    return rows, missed


def run_share(names, share, shares):
    """{class: what run_class() found}; classes that want the same gateway share it."""
    found, kinds = {}, {}
    for name in names:
        _, conf, kind, _, _ = CLASSES[name]
        kinds.setdefault((conf, tuple(kind.items())), []).append(name)
    for (conf, kind), together in kinds.items():
        with faultlab.Lab(conf, **dict(kind)) as lab:
            for name in together:
                found[name] = run_class(name, lab, share, shares)
                print(f"# {name}: share {share + 1} of {shares} is done", flush=True)
    faultlab.Lab.forget_keys()
    return found


def judge(tap, name, found):
    rows = [row for share, _ in found for row in share]
    missed = sum(n for _, n in found)
    bad = [row for row in rows if not faultlab.is_good(faultlab.Row(*row[1:]))]
    twice = sum(faultlab.Row(*row[1:]).window for row in rows)
    tap.ok(rows and not bad, f"{name}: {len(rows)} points, no losses, no leaks, {twice} duplicates, all in the window",
           "\n".join("\t".join(map(str, row)) for row in bad) or "nothing was tried")
    # Of two workers each does a part, so the later places are often not reached; a few samples say nothing about how often.
    if COUNT == 0:
        tap.ok(missed <= max(3, len(rows)), f"{name}: {missed} places were not reached in their run")
    else:
        print(f"# {name}: {missed} places were not reached in their run", flush=True)
    return rows


def own_mounts():
    """Small disks need a mount namespace; starts this script anew in one."""
    if os.environ.get("JULIA_FAULT_MOUNTS"):
        return os.environ["JULIA_FAULT_MOUNTS"] == "yes"
    flags = next((f for f in (["-m"], ["-m", "--propagation", "unchanged"])
                  if os.geteuid() == 0 and subprocess.run(["unshare", *f, "true"], check=False, stderr=subprocess.DEVNULL).returncode == 0), None)
    os.environ["JULIA_FAULT_MOUNTS"] = "yes" if flags else "no"
    command = [sys.executable, *sys.argv]
    os.execvp("unshare" if flags else sys.executable, ["unshare", *flags, *command] if flags else command)


def main():
    if shutil.which("strace") is None or subprocess.run(["strace", "-o", "/dev/null", "true"], check=False,
                                                        stderr=subprocess.DEVNULL).returncode != 0:
        print("1..0 # SKIP strace is not here or may not trace")
        return 0
    mounts = own_mounts()
    tap = gateway.Tap()
    print(f"# JULIA_FAULT_POINTS={COUNT} JULIA_FAULT_SEED={SEED}")
    names = os.environ.get("JULIA_FAULT_CLASSES", ",".join(CLASSES)).split(",")
    if not mounts:
        print("# disks: not tried, this needs root and a mount namespace")
        names = [name for name in names if "disks" not in name]
    with concurrent.futures.ProcessPoolExecutor(JOBS) as pool:
        shares = list(pool.map(run_share, [names] * JOBS, range(JOBS), [JOBS] * JOBS))
    rows = [row for name in names for row in judge(tap, name, [found[name] for found in shares])]
    table = pathlib.Path(gateway.BUILD / "tests/fault-matrix.tsv")
    table.write_text("".join("\t".join(map(str, row)) + "\n" for row in [("class", *faultlab.HEAD.split("\t")), *rows]))
    return tap.end()


sys.exit(main())
