#!/usr/bin/env python3
"""Sends one message by SMTP, octet for octet, and tells what the server said.

smtp-send.py [--server HOST:PORT] [--from-address IP] [--helo NAME] [--mail-option X]... [--rcpt-option X]... SENDER RCPT[,RCPT...] FILE

SENDER "" or "<>" is the null sender. FILE "-" is standard input; its line ends become CRLF (--raw: sent as they are). Prints one
line "CODE TEXT" for the first refusal or the final answer. Exit status: 0 accepted, 1 refused or connection lost, 2 usage."""
import argparse
import re
import smtplib
import sys


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", default="127.0.0.1:25")
    parser.add_argument("--from-address", default="")
    parser.add_argument("--helo", default="client.example")
    parser.add_argument("--mail-option", action="append", default=[])
    parser.add_argument("--rcpt-option", action="append", default=[])
    parser.add_argument("--raw", action="store_true")
    parser.add_argument("sender")
    parser.add_argument("recipients")
    parser.add_argument("file")
    return parser.parse_args()


def content(args):
    if args.file == "-":
        data = sys.stdin.buffer.read()
    else:
        with open(args.file, "rb") as file:
            data = file.read()
    if not args.raw:
        data = re.sub(rb"\r?\n", b"\r\n", data)
    return data if data.endswith(b"\r\n") else data + b"\r\n"


def answer(code, text):
    print(code, text.decode("utf-8", "replace").replace("\n", " "))
    return 0 if code < 400 else 1


def send_data(smtp, data):
    """DATA by hand: smtplib would repair line ends."""
    code, text = smtp.docmd("DATA")
    if code != 354:
        return answer(code, text)
    smtp.send(re.sub(rb"(?m)^\.", b"..", data) + b".\r\n")
    return answer(*smtp.getreply())


def send(args, data):
    host, port = args.server.rsplit(":", 1)
    source = (args.from_address, 0) if args.from_address else None
    smtp = smtplib.SMTP(local_hostname=args.helo, timeout=120, source_address=source)
    code, text = smtp.connect(host.strip("[]"), int(port), source_address=source)
    if code != 220:
        return answer(code, text)
    smtp.ehlo()
    sender = "" if args.sender == "<>" else args.sender
    smtp.command_encoding = "utf-8"
    code, text = smtp.docmd("MAIL", " ".join(["FROM:<%s>" % sender] + args.mail_option))
    if code >= 400:
        return answer(code, text)
    refused = 0
    for recipient in args.recipients.split(","):
        code, text = smtp.docmd("RCPT", " ".join(["TO:<%s>" % recipient] + args.rcpt_option))
        if code >= 400:
            refused = answer(code, text)
    status = send_data(smtp, data) if refused == 0 else refused
    smtp.close()
    return status


if __name__ == "__main__":
    try:
        options = arguments()
        sys.exit(send(options, content(options)))
    except (OSError, smtplib.SMTPException) as error:
        print("000", error)
        sys.exit(1)
