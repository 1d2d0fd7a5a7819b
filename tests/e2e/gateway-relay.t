#!/bin/bash
# Letters that are hard on signatures: 8-bit text, long lines, dots, bare carriage returns, trailing blanks, no final newline. Signed or
# encrypted, they must arrive whole through Postfix, also behind relays that lack 8BITMIME, SMTPUTF8 and DSN.
. "$(dirname "$0")/lib.sh"
world_enter "$0" "$@"
. "$E2E/gateway.sh"
gate_start
world_rules '.  (to) signed.example  (do) FS=mail@behoerde.de
.  (to) partner-1.com   (do) FE
.  (to) both.example    (do) FE=anna@partner-1.com, FS=mail@behoerde.de'
L=$WORLD/letters
mkdir "$L"

# NAME.eml is the letter, NAME.want what its reader must find in it (the decoded leaves, line ends as CRLF).
python3 - "$L" "$WORLD_MTA" <<'END'
import pathlib, sys
d = pathlib.Path(sys.argv[1])
HEAD = (b"From: user_1@behoerde.de\r\nTo: x@signed.example\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\n"
        b"Message-ID: <%s@behoerde.de>\r\nMIME-Version: 1.0\r\n")
GRUESSE = "Gr\u00fc\u00dfe".encode()
HARD = (b"From the beginning\r\n.\r\n..\r\n.leading dot\r\n" + b"x" * 2000 + b"\r\ntrailing blanks  \t \r\n" + GRUESSE +
        b"\r\n>From quoted\r\n\r\n\r\n" + "\u00e4".encode() * 1500 + b"\r\n--\r\n-- \r\nend of it without line end")

def put(name, fields, body, want):
    (d / (name + ".eml")).write_bytes(HEAD % name.encode() + fields + b"\r\n" + body)
    (d / (name + ".want")).write_bytes(want)

put("hard", b"Subject: hard\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n", HARD, HARD)
put("nocte", b"Subject: says nothing\r\n", HARD, HARD)
put("barecr", b"Subject: bare CR\r\nContent-Type: text/plain; charset=utf-8\r\n", b"one\rtwo\r\nthree\r\r\nfour",
    b"one\rtwo\r\nthree\r\nfour" if sys.argv[2] == "sendmail" else b"one two\r\nthree\r\nfour")
put("subject", b"Subject: " + GRUESSE + b" raw\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n",
    b"Gr\xfc\xdfe\r\n", b"Gr\xfc\xdfe\r\n")
parts = [(b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n", GRUESSE + b" \r\n.\r\nFrom me", GRUESSE + b" \r\n.\r\nFrom me"),
         (b"Content-Type: text/html; charset=us-ascii\r\nContent-Transfer-Encoding: quoted-printable\r\n", b"<p>=C3=A4=\r\n b=20\r\n</p>", b"<p>\xc3\xa4 b \r\n</p>"),
         (b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n", b"AAEC/w==", b"\x00\x01\x02\xff"),
         (b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n",
          b"From: a@x.example\r\nTo: b@x.example\r\nSubject: inside\r\nContent-Type: text/plain; charset=utf-8\r\n"
          b"Content-Transfer-Encoding: 8bit\r\n\r\ninside: " + GRUESSE + b"\r\n.\r\n" + b"y" * 1200,
          b"inside: " + GRUESSE + b"\r\n.\r\n" + b"y" * 1200)]
put("mixed", b"Subject: mixed\r\nContent-Type: multipart/mixed;\r\n boundary=\"=_=b 1\"\r\nContent-Transfer-Encoding: 8bit\r\n",
    b"preamble " + GRUESSE + b"\r\n" + b"".join(b"--=_=b 1\r\n" + h + b"\r\n" + b + b"\r\n" for h, b, _ in parts) + b"--=_=b 1--\r\nepilogue " + GRUESSE,
    b"".join(w for _, _, w in parts))
END

# The decoded leaves of an entity, one after another, with CRLF.
cat >"$WORLD/leaves" <<'END'
import email, email.policy, re, sys
m = email.message_from_bytes(open(sys.argv[1], "rb").read(), policy=email.policy.compat32)
out = b""
for p in m.walk():
    if not p.is_multipart():
        octets = p.get_payload(decode=True)
        # the parser drops a text's line structure nowhere but here: bare LF of our own pipes
        out += re.sub(rb"(?<!\r)\n", b"\r\n", octets)
sys.stdout.buffer.write(out)
END
names='hard nocte barecr subject mixed'

# content FILE NAME: its leaves are those of NAME.want. The MTA ends the last line. Postfix makes a bare CR a blank; Sendmail refuses it in
# SMTP, and leaves it as it is in what a program hands in.
content() {
    python3 "$WORLD/leaves" "$1" >"$WORLD/got"
    cp "$L/$2.want" "$WORLD/ended"
    printf '\r\n' >>"$WORLD/ended"
    cmp -s "$WORLD/got" "$WORLD/ended" ||
    cmp -s "$WORLD/got" "$L/$2.want" || { diag "$(cmp "$WORLD/got" "$L/$2.want" 2>&1)"; diag "$(diff <(xxd "$L/$2.want") <(xxd "$WORLD/got") | head -n 10)"; return 1; }
}
seven_bit() { ! LC_ALL=C grep -aqP '[^\x00-\x7f]' <(body "$1"); }
by_id() { grep -al "^Message-ID: <$1@" $(sink_messages external); }

by_smtp() { out "$1" x@signed.example,anna@partner-1.com,b@both.example; }
by_command() { submit_mail user_1@behoerde.de x@signed.example,anna@partner-1.com,b@both.example "$1"; }
send=by_smtp

world() { # world HIDDEN...: all letters to all kinds of recipients behind a relay that lacks HIDDEN
    local what=${*:-nothing} name f
    sink_hide external "$@"
    for name in $names; do $send "$L/$name.eml"; done
    wait_for_sink external $((3 * $(echo $names | wc -w)))
    wait_for_quiet 10
    for name in $names; do
        for f in $(by_id $name); do
            case $(sink_envelope external $((10#$(basename "$f" .eml)))) in
            *signed.example)
                verify "$f" "$WORLD/t" && content "$WORLD/t" $name
                ok $? "without $what: $name: signed, whole"
                seven_bit "$f"
                ok $? "... in seven bits" ;;
            *both.example)
                decrypt anna "$f" "$WORLD/t" && verify "$WORLD/t" "$WORLD/t2" && content "$WORLD/t2" $name
                ok $? "without $what: $name: signed and encrypted, whole" ;;
            *anna@partner-1.com)
                decrypt anna "$f" "$WORLD/t" && content "$WORLD/t" $name
                ok $? "without $what: $name: encrypted, whole" ;;
            esac
        done
    done
    is "$(sink_count external)" $((3 * $(echo $names | wc -w))) "without $what: all have come"
    is "$(grep -c "$BOUNCED" "$(log_of external)")" 0 "without $what: nothing bounces"
    reset
}
[ "$WORLD_MTA" = postfix ] || names=${names/barecr/}
world
names='hard nocte barecr subject mixed'
send=by_command
world 8BITMIME SMTPUTF8 DSN
done_testing
