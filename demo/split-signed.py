#!/usr/bin/env python3
"""split-signed.py MESSAGE CONTENT SIGNATURE: takes a multipart/signed message apart for verifiers that know no MIME."""
import email
import sys

octets = open(sys.argv[1], "rb").read().replace(b"\r\n", b"\n")
message = email.message_from_bytes(octets)
boundary = b"\n--" + message.get_boundary().encode()
with open(sys.argv[2], "wb") as content:
    content.write(octets.split(boundary)[1][1:].replace(b"\n", b"\r\n"))
with open(sys.argv[3], "wb") as signature:
    signature.write(message.get_payload(1).get_payload(decode=True))
