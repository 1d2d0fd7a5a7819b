#!/usr/bin/env python3
"""An SMTP server that gives on what it gets, as a virus scanner with ideas of its own: smtp-hop.py PORT HOST:PORT SOURCE FILE

Listens on 127.0.0.1:PORT and sends to HOST:PORT from the address SOURCE. FILE is Python and defines returns(data, recipients), which
yields what is sent on: (data, recipients), as often as it likes; it is read anew for every message. What cannot be sent on is not
accepted (451)."""
import importlib.util
import os
import pathlib
import runpy
import smtplib
import sys
import tempfile

spec = importlib.util.spec_from_file_location("sink", pathlib.Path(__file__).with_name("smtp-sink.py"))
sink = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sink)


class Hop(sink.Sink):
    def __init__(self, port, target, source, file):
        self.target, self.source, self.file = target, source, file
        super().__init__("127.0.0.1", port, tempfile.mkdtemp(prefix="hop."))

    def failure(self, *stages):
        return None

    def store(self, envelope, data):
        host, port = self.target.rsplit(":", 1)
        for octets, recipients in runpy.run_path(self.file)["returns"](data, envelope["recipients"]):
            with smtplib.SMTP(host, int(port), timeout=60, source_address=(self.source, 0)) as smtp:
                smtp.ehlo()
                smtp.sendmail(envelope["sender"], recipients, octets, mail_options=["BODY=8BITMIME"])


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    os.umask(0o77)
    Hop(int(sys.argv[1]), *sys.argv[2:]).serve_forever()
