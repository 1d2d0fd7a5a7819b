#!/bin/bash
# Incoming mail that cannot be opened or is forged, and notices of the queues: who hears what. Nothing that was decrypted, and nothing
# that tells whether it could be, travels back outside.
. "$(dirname "$0")/lib.sh"
world_enter "$0" "$@"
. "$E2E/gateway.sh"
gate_start
M=$WORLD/m
TO=user_1@behoerde.de
FROM=anna@partner-1.com

encrypted() { # encrypted FILE CERTIFICATE [SUBJECT-OUTSIDE [CIPHER]]: with a protected Subject inside
    printf 'Content-Type: text/plain; charset=utf-8; hp="cipher"\r\nSubject: INNER-SUBJECT\r\nFrom: %s\r\nTo: %s\r\n\r\nINNER-TEXT\r\n' $FROM $TO |
        openssl cms -encrypt "${4--aes-256-gcm}" -from $FROM -to $TO -subject "${3-...}" "$PKI/$2.crt" >"$1" 2>"$WORLD/openssl"
    sed -i "1i Message-ID: <$RANDOM$RANDOM@partner-1.com>" "$1"
}
damage() { # damage FILE: an octet in the middle of the encrypted content
    python3 - "$1" <<'END'
import base64, sys
head, _, body = open(sys.argv[1]).read().partition("\n\n")
octets = bytearray(base64.b64decode(body))
octets[-20] ^= 1
open(sys.argv[1], "w").write(head + "\n\n" + base64.encodebytes(bytes(octets)).decode())
END
}

# ---- undecryptable, forged ------------------------------------------------------------------------------------------------
encrypted "$M" bert
in_ "$M" $TO
encrypted "$M.damaged" user_1
damage "$M.damaged"
in_ "$M.damaged" $TO
printf 'Content-Type: text/plain\r\n\r\nPlease pay 100 EUR.\r\n' | openssl cms -sign -from $FROM -to $TO -subject invoice -signer "$PKI/anna.crt" \
    -inkey "$PKI/anna.key" 2>/dev/null | sed 's/pay 100 EUR/pay 900 EUR/' >"$M.forged"
in_ "$M.forged" $TO
wait_for_quiet
for f in $(sink_messages internal); do
    n=$((10#$(basename "$f" .eml)))
    to=$(sink_envelope internal $n | cut -d' ' -f2)
    subject=$(sed -n 's/^Subject: //p' "$f" | head -n 1 | tr -d '\r')
    echo "$to|$(sed -n 's/^X-JULIA-Encryption: //p' "$f" | tr -d '\r')|$(sed -n 's/^X-JULIA-Signature: //p' "$f" | tr -d '\r')|$subject"
done | sort >"$WORLD/came"
is "$(grep -c "^$TO" "$WORLD/came")" 3 'all three are delivered'
is "$(grep -c "^$TO|undecryptable|none|\.\.\." "$WORLD/came")" 2 'without the key, or damaged: undecryptable'
is "$(grep -c "^$TO|none|invalid|invoice" "$WORLD/came")" 1 'forged: invalid'
is "$(grep -c '^admin@behoerde.de' "$WORLD/came")" 3 'ADMIN hears of each once'
is "$(sink_count external)" 0 'nobody outside does'
for f in $(sink_messages internal); do
    if grep -q '^X-JULIA-Encryption: undecryptable' "$f"; then
        body "$f" | cmp -s - <(body "$M") || body "$f" | cmp -s - <(body "$M.damaged")
        ok $? 'what cannot be opened comes as it was'
    elif grep -q '^X-JULIA-Signature: invalid' "$f"; then
        body "$f" | cmp -s - <(body "$M.forged")
        ok $? 'what is forged comes as it was'
    fi
done
reset

# Deferred hand-off: ADMIN still hears once.
encrypted "$M" bert
sink_fail internal once:data '451 4.3.0 later'
in_ "$M" $TO
wait_for_text "$(log_of internal)" "$DEFERRED"
"$B/deliver-all" -c "$WORLD_CONF" -n
wait_for_quiet
only_once internal 2 'the user gets it once, ADMIN hears of it once'
reset

# ---- notices to the outside: no decrypted text, no word about decryption ----------------------------------------------------
# The internal relay refuses: the sender outside hears of it. Whether the mail could be decrypted must not show.
bounced() { # bounced NAME FILE: the notice for FILE, without what is different each time, in $WORLD/notice-NAME
    sink_fail internal "rcpt:$TO" '550 5.1.1 no such user'
    in_ "$2" $TO
    wait_for_sink external 1
    wait_for_quiet
    sink_ok internal
    is "$(sink_envelope external 1)" "<> $FROM" "$1: the sender hears that it was refused"
    tr -d '\r' <"$(sink_message external 1)" >"$WORLD/notice"
    ! grep -q 'INNER' "$WORLD/notice" && ! grep -qi 'X-JULIA' "$WORLD/notice" && ! grep -qi 'Authentication-Results' "$WORLD/notice"
    ok $? "$1: the notice has nothing from inside, and no word about decryption" || diag "$(sed -n '/rfc822/,$p' "$WORLD/notice" | cut -c 1-100 | head -n 30)"
    sed -n '/^Content-Type: \(text\/rfc822-headers\|message\/rfc822\)/,$p' "$WORLD/notice" |
        sed '/^Received:/,/^[^ \t]/{/^Received:\|^[ \t]/d}; s/^--[A-Z0-9].*/--/; /^Message-ID:/d' >"$WORLD/notice-$1"
    reset
}
encrypted "$M" user_1
bounced decrypted "$M"
encrypted "$M" bert
bounced undecryptable "$M"
encrypted "$M" user_1
damage "$M"
bounced damaged "$M"
encrypted "$M" user_1 ... -aes-256-cbc
bounced cbc "$M"
for other in undecryptable damaged cbc; do
    is "$(cat "$WORLD/notice-$other")" "$(cat "$WORLD/notice-decrypted")" "$other: the notice looks as that for a decrypted mail"
done
letter "$M" $FROM $TO 'in clear'
bounced clear "$M"
like "$(cat "$WORLD/notice-clear")" 'Subject: in clear' 'a notice about clear mail has its header'
is "$(grep -c "A letter" "$WORLD/notice-clear")" 1 "... and its text"

# An internal system that returns the whole decrypted mail.
python3 - >"$M" <<END
print("""From: postmaster@behoerde.de
To: $FROM
Subject: Undeliverable
Message-ID: <r@behoerde.de>
Date: Sat, 21 Nov 2026 12:00:00 +0000
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

no such user
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; exchange.behoerde.de

Final-Recipient: rfc822; $TO
Action: failed
Status: 5.1.1

--b
Content-Type: message/rfc822

X-JULIA-Encryption: decrypted
X-JULIA-Signature: none
From: $FROM
To: $TO
Subject: INNER-SUBJECT
Message-ID: <original@partner-1.com>

INNER-TEXT
--b--""")
END
sed -i "s/$FROM/x@open.example/" "$M"
send_mail internal '<>' x@open.example "$M" >/dev/null
wait_for_sink external 1
tr -d '\r' <"$(sink_message external 1)" >"$WORLD/notice"
! grep -q 'INNER\|X-JULIA' "$WORLD/notice"
ok $? 'a returned mail that was decrypted loses what was inside' || diag "$(cat "$WORLD/notice")"
like "$(cat "$WORLD/notice")" '^Status: 5.1.1' '... the report itself stays'
like "$(cat "$WORLD/notice")" '^Message-ID: <original@partner-1.com>' '... and says which mail it is about'
reset

# ---- notices to the inside ------------------------------------------------------------------------------------------------------
letter "$M" $TO x@open.example 'to be refused outside'
sink_fail external rcpt '550 5.7.1 go away'
out "$M" x@open.example
wait_for_sink internal 1
wait_for_quiet
sink_ok external
is "$(sink_envelope internal 1)" "<> $TO" 'a refusal outside comes back to the sender inside'
like "$(tr -d '\r' <"$(sink_message internal 1)")" 'go away' '... with the reason'
grep -q "$LOG_NOTICE" "$(log_of front)"
ok $? '... through the front instance'
is "$(sink_count internal) $(sink_count external)" '1 0' '... and nothing else happens'
reset

# Null sender, refused on both sides: it ends here, in one notice less and not in a storm.
letter "$M" mailer-daemon@behoerde.de x@open.example 'a notice'
sink_fail external rcpt '550 5.1.1 unknown'
sink_fail internal rcpt '550 5.1.1 unknown'
send_mail internal '<>' x@open.example "$M" >/dev/null
send_mail external '<>' $TO "$M" >/dev/null
out "$M" y@open.example
wait_for_text "$(log_of internal)" "to=<?$TO>?,.*$BOUNCED"
wait_for_quiet
sleep 1
is "$(sink_count internal) $(sink_count external) $(queue_ids front | wc -l)" '0 0 0' 'null senders: all is quiet in the end'
[ "$(cat "$WORLD"/log/front*.log | grep -c "$BOUNCED")" -le 6 ]
ok $? '... after a bounce or two for each' || diag "$(grep -h "$BOUNCED" "$WORLD"/log/front*.log)"
done_testing
