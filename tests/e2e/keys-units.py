#!/usr/bin/env python3
"""keys-units.py UNIT.socket...: plays systemd for a test. Binds what each socket unit says, and runs its service as the service unit
says: the listening socket as descriptor 0, user, group, umask. Ends all of them when it is ended."""
import grp
import os
import pwd
import signal
import socket
import subprocess
import sys


def read(path):
    unit = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            name, sep, value = line.strip().partition("=")
            if sep and not line.startswith("#"):
                unit[name] = value
    return unit


def listen(unit):
    path = unit["ListenStream"]
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(path)
    os.chown(path, pwd.getpwnam(unit["SocketUser"]).pw_uid, grp.getgrnam(unit["SocketGroup"]).gr_gid)
    os.chmod(path, int(unit["SocketMode"], 8))
    listening.listen(int(unit["Backlog"]))
    return listening


def start(path):
    listening = listen(read(path))
    service = read(path.replace(".socket", ".service"))
    return subprocess.Popen(service["ExecStart"].split(), stdin=listening.fileno(), user=service["User"], group=service["Group"],
                            extra_groups=[], umask=int(service["UMask"], 8), env={"PATH": os.defpath})


def main():
    services = [start(path) for path in sys.argv[1:]]
    signal.signal(signal.SIGTERM, lambda *_: [s.terminate() for s in services])
    return max(s.wait() for s in services)


sys.exit(main())
