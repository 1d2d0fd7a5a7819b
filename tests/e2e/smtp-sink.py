#!/usr/bin/env python3
"""An SMTP server that stores what it gets: smtp-sink.py ADDRESS PORT DIRECTORY

Each accepted message becomes DIRECTORY/NNNN.eml (octets as they came, CRLF) and DIRECTORY/NNNN.json (envelope), the .eml
last, so that whoever counts .eml files finds both. DIRECTORY/refused counts refusals, one line each.

DIRECTORY/fail, read anew for every command, holds lines "STAGE REPLY"; STAGE is connect, mail, rcpt, rcpt:ADDRESS, data (after the
message) or drop (the connection is cut after the message, reply unused). "once:STAGE REPLY" counts for one command only.
DIRECTORY/hide holds words that EHLO does not offer: 8BITMIME SMTPUTF8 DSN SIZE PIPELINING."""
import json
import os
import re
import socket
import socketserver
import sys
import threading

OFFERS = ["PIPELINING", "SIZE 1000000000", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "DSN"]
lock = threading.Lock()


class Sink(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address, port, directory):
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.directory, self.count = directory, 0
        os.makedirs(directory, exist_ok=True)
        super().__init__((address, port), Session)

    def lines(self, name):
        try:
            with open(os.path.join(self.directory, name), encoding="utf-8") as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []

    def failure(self, *stages):
        """The reply that DIRECTORY/fail has for one of these stages, or None."""
        with lock:
            lines = self.lines("fail")
            for number, line in enumerate(lines):
                stage, _, reply = line.partition(" ")
                if stage.removeprefix("once:") not in stages:
                    continue
                if stage.startswith("once:"):
                    with open(os.path.join(self.directory, "fail"), "w", encoding="utf-8") as file:
                        file.writelines(rest + "\n" for rest in lines[:number] + lines[number + 1:])
                with open(os.path.join(self.directory, "refused"), "a", encoding="utf-8") as file:
                    file.write(line + "\n")
                return reply
        return None

    def store(self, envelope, data):
        with lock:
            if not os.path.exists(os.path.join(self.directory, "%04d.eml" % self.count)):  # the directory was emptied
                self.count = len([name for name in os.listdir(self.directory) if name.endswith(".eml")])
            self.count += 1
            path = os.path.join(self.directory, "%04d" % self.count)
            with open(path + ".json", "w", encoding="utf-8") as file:
                json.dump(envelope, file, indent=1)
                file.write("\n")
            with open(path + ".part", "wb") as file:
                file.write(data)
            os.rename(path + ".part", path + ".eml")


class Session(socketserver.StreamRequestHandler):
    def reply(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def handle(self):
        refusal = self.server.failure("connect")
        if refusal:
            self.reply(refusal)
            return
        self.reply("220 sink.example ESMTP")
        self.envelope = {"peer": self.client_address[0], "helo": ""}
        self.reset()
        try:
            while self.command(self.rfile.readline()):
                pass
        except ConnectionError:
            pass

    def reset(self):
        self.envelope.update({"sender": None, "mail_options": [], "recipients": [], "rcpt_options": []})

    def command(self, line):
        text = line.decode("utf-8", "surrogateescape").rstrip("\r\n")
        verb = text[:4].upper()
        if not line or verb == "QUIT":
            if line:
                self.reply("221 2.0.0 bye")
            return False
        if verb in ("EHLO", "HELO"):
            self.envelope["helo"] = text[5:]
            self.greet(verb)
        elif verb == "MAIL":
            self.mail(text)
        elif verb == "RCPT":
            self.rcpt(text)
        elif verb == "DATA":
            return self.data()
        else:
            if verb == "RSET":
                self.reset()
            self.reply("250 2.0.0 ok" if verb in ("RSET", "NOOP") else "502 5.5.2 unknown")
        return True

    def greet(self, verb):
        hidden = " ".join(self.server.lines("hide")).upper().split()
        offers = [offer for offer in OFFERS if offer.split()[0] not in hidden]
        lines = ["sink.example"] + (offers if verb == "EHLO" else [])
        for line in lines[:-1]:
            self.reply("250-" + line)
        self.reply("250 " + lines[-1])

    @staticmethod
    def path(text):
        found = re.match(r"[^<]*<(.*?)>(.*)$", text.replace('\\"', ""))
        return (found.group(1), found.group(2).split()) if found else (text, [])

    def mail(self, text):
        refusal = self.server.failure("mail")
        if not refusal:
            self.reset()
            self.envelope["sender"], self.envelope["mail_options"] = self.path(text)
        self.reply(refusal or "250 2.1.0 ok")

    def rcpt(self, text):
        address, options = self.path(text)
        refusal = self.server.failure("rcpt:" + address, "rcpt")
        if not refusal:
            self.envelope["recipients"].append(address)
            self.envelope["rcpt_options"].append(options)
        self.reply(refusal or "250 2.1.5 ok")

    def data(self):
        if not self.envelope["recipients"]:
            self.reply("554 5.5.1 no recipients")
            return True
        self.reply("354 go on")
        data = bytearray()
        while True:
            line = self.rfile.readline()
            if not line:
                return False
            if line == b".\r\n":
                break
            data += line[1:] if line.startswith(b".") else line
        if self.server.failure("drop") is not None:
            return False
        refusal = self.server.failure("data")
        if not refusal:
            self.server.store(self.envelope, bytes(data))
        self.reply(refusal or "250 2.0.0 stored")
        self.reset()
        return True


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    Sink(sys.argv[1], int(sys.argv[2]), sys.argv[3]).serve_forever()
