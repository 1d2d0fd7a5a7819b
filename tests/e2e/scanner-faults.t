#!/bin/bash
# The virus scanner stands still, changes mail, splits and repeats it, loses fields; strangers try its ids; outgoing mail passes it.
. "$(dirname "$0")/lib.sh"
. "$E2E/scanner.sh"
scanner_enter
world_enter "$0" "$@"
. "$E2E/gateway.sh"
gate_start_scanned
world_rules 'user_1@behoerde.de (to) partner-1.com (do) FE, FS'
gate_configure 'DELIVER = original'
M=$WORLD/m
TO=user_1@behoerde.de
FROM=anna@partner-1.com

encrypted() { # encrypted FILE [TEXT]: to user_1 and mail
    printf 'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n%s\r\n--b\r\nContent-Type: application/x-evil\r\n\r\nEVIL\r\n--b--\r\n' "${2-INNER-TEXT}" |
        openssl cms -encrypt -aes-256-gcm -from $FROM -to $TO -subject 'a letter' "$PKI/user_1.crt" "$PKI/mail.crt" >"$1" 2>"$WORLD/openssl"
    sed -i "1i Message-ID: <$RANDOM$RANDOM@partner-1.com>" "$1"
}
held() { find "$WORLD/base/var/hold" -mindepth 2 -maxdepth 2 -name message | wc -l; }
hold_id() { find "$WORLD/base/var/hold" -mindepth 2 -maxdepth 2 -name message | sed 's#/message$##; s#.*/##' | head -n 1; }
is_held() { [ "$(held)" = "$1" ]; }
# Did the sink get the original N times for RECIPIENT, and nothing decrypted?
originals() {
    grep -l 'application/pkcs7-mime' "$WORLD"/sinks/internal/*.eml 2>/dev/null | wc -l
}

# ---- down, and back again -----------------------------------------------------------------------------------------------------
scanner_stop
encrypted "$M"
in_ "$M" $TO
wait_until 60 is_held 1
wait_for_text "$WORLD/log/front-julia-scanner.log" 'status=deferred' 60
is "$(sink_count internal) $(queue_ids scanner | wc -l) $(queue_ids front | wc -l)" '0 1 0' 'scanner down: the copy waits in its queue, the original is held'
encrypted "$M.virus" "JULIA-TEST-VIRUS"
in_ "$M.virus" $TO
wait_until 60 is_held 2
scanner_start
run_as "$B/deliver-all" -c "$WORLD_CONF" -n >/dev/null
wait_for_sink internal 2 60
wait_for_quiet 60
is "$(deliveries internal | tr '\n' ' ') $(originals)" "1 admin@behoerde.de 1 $TO  1" 'scanner back: one is exchanged, the infected one is told to ADMIN'
is "$(held) $(sink_count external)" '1 0' '... its original is held as refused, and nobody outside hears anything'
reset
rm -rf "$WORLD/base/var/hold/"*

# ---- the queue's patience ends --------------------------------------------------------------------------------------------------
scanner_stop
encrypted "$M"
in_ "$M" $TO
wait_for_text "$WORLD/log/front-julia-scanner.log" 'status=deferred' 60
scanner_queue 'maximal_queue_lifetime = 0'
flush_mail
wait_for_sink internal 1 60
wait_for_quiet 60
is "$(deliveries internal)" '1 admin@behoerde.de' 'the queue gives up: only ADMIN hears of it'
like "$(cat "$(sink_message internal 1)")" 'Message-ID: <julia.not-scanned' '... that it was not scanned'
is "$(held) $(sink_count external)" '1 0' '... the original stays held, nobody outside hears anything'
! grep -q INNER-TEXT "$(sink_message internal 1)"
ok $? '... and nothing is quoted'
scanner_queue 'maximal_queue_lifetime = 10d'
scanner_start
reset
rm -rf "$WORLD/base/var/hold/"*

# ---- other scanners -------------------------------------------------------------------------------------------------------------
scanner_hop 'def returns(data, recipients):
    yield data.replace(b"EVIL", b"[removed]"), recipients'
encrypted "$M"
in_ "$M" $TO
wait_for_sink internal 2 60
wait_for_quiet 60
is "$(deliveries internal | tr '\n' ' ') $(originals)" "1 admin@behoerde.de 1 $TO  0" 'a scanner that takes something out: never exchanged for the original'
is "$(grep -l '\[removed\]' "$WORLD"/sinks/internal/*.eml | wc -l) $(grep -l EVIL "$WORLD"/sinks/internal/*.eml | wc -l) $(held)" '1 0 0' '... what it left is delivered, the original is gone'
reset

scanner_hop 'def returns(data, recipients):
    for recipient in recipients * 2:
        yield data, [recipient]'
gate_configure 'DELIVER = original' 'GATEWAY_KEY = mail@behoerde.de'
encrypted "$M"
in_ "$M" "$TO,user_2@behoerde.de"
wait_for_sink internal 2 60
no_copy_waits() { flush_mail; sleep 0.3; _all_quiet; } # one that came while the other was being delivered is tried again
wait_until 60 no_copy_waits
is "$(deliveries internal | tr '\n' ' ') $(originals)" "1 $TO 1 user_2@behoerde.de  2" 'a scanner that splits and repeats: each gets the original once' || world_log
is "$(held)" 0 '... and nothing is held any more'
reset

scanner_hop 'import re
def returns(data, recipients):
    yield re.sub(rb"(?m)^X-JULIA-.*\r\n", b"", data), recipients'
encrypted "$M"
in_ "$M" $TO
wait_for_sink internal 1 60
is "$(deliveries internal) $(held)" '1 admin@behoerde.de 1' 'fields lost on the way: ADMIN hears of it, the original is held'
like "$(cat "$(sink_message internal 1)")" 'Message-ID: <julia.fields-missing' '... with the reason'
is "$(queue_ids front | wc -l)" 1 '... and the copy waits'
letter "$M" user_2@behoerde.de $TO 'inside'
send_mail scanner user_2@behoerde.de $TO "$M" >/dev/null
wait_for_sink internal 2 60
is "$(sink_envelope internal 2)" "user_2@behoerde.de $TO" '... mail from inside passes the scanner all the same'
postsuper -d ALL >/dev/null 2>&1
reset
rm -rf "$WORLD/base/var/hold/"*

# ---- strangers --------------------------------------------------------------------------------------------------------------------
scanner_hop 'import time
def returns(data, recipients):
    raise OSError("not now")'
encrypted "$M"
in_ "$M" $TO
wait_for_text "$WORLD/log/front-julia-scanner.log" 'status=deferred' 60
id=$(hold_id)
scanner_queue "relayhost = [127.0.0.1]:$SCANNER_PORT"
letter "$M" $FROM user_2@behoerde.de 'mine' "X-JULIA-Hold: $id"
in_ "$M" user_2@behoerde.de
wait_for_sink internal 2 60
is "$(deliveries internal | tr '\n' ' ') $(originals)" "1 admin@behoerde.de 1 user_2@behoerde.de  0" 'a known id from outside: the letter itself, no exchange, ADMIN hears of it'
! sed '/^.$/q' "$WORLD"/sinks/internal/*.eml | grep -qi '^X-JULIA-Hold'
ok $? '... and the field is gone'
sink_clear internal
letter "$M" user_2@behoerde.de $TO 'mine' "X-JULIA-Hold: $id"
send_mail internal user_2@behoerde.de $TO "$M" >/dev/null
wait_for_sink internal 2 60
is "$(deliveries internal | tr '\n' ' ') $(originals)" "1 admin@behoerde.de 1 $TO  0" 'from inside: the same'
sink_clear internal
letter "$M" $FROM $TO 'mine' 'X-JULIA-Hold: 0123456789abcdef0123456789abcdef'
send_mail scanner $FROM $TO "$M" >/dev/null
wait_for_sink internal 1 60
is "$(deliveries internal)" '1 admin@behoerde.de' 'an unknown id from the scanner: kept, ADMIN hears of it'
flush_mail
wait_for_sink internal 2 60
wait_for_quiet 60
is "$(deliveries internal | tr '\n' ' ') $(originals)" "1 admin@behoerde.de 1 $TO  1" '... and the original is exchanged when its own copy comes'
reset
rm -rf "$WORLD/base/var/hold/"*

# ---- mail that leaves -----------------------------------------------------------------------------------------------------------
# The internal relay sends it to the scanner, and the scanner to julia.
outgoing() { python3 "$E2E/smtp-send.py" --server 127.0.0.1:$SCANNER_PORT -- $TO $FROM "$1"; }
letter "$M" $TO $FROM 'to be encrypted'
outgoing "$M" >"$WORLD/smtp"
wait_for_sink external 1 60
is "$(sink_envelope external 1)" "$TO $FROM" 'outgoing mail that comes through the scanner leaves'
decrypt anna "$(sink_message external 1)" "$WORLD/opened" && verify "$WORLD/opened" "$WORLD/plain" $TO
ok $? '... signed and encrypted as the rules say'
infected "$M" $TO $FROM 'a present'
like "$(outgoing "$M")" '^550' 'infected outgoing mail: the scanner refuses it'
# ... and the internal relay's notice to its user comes through the gateway or not at all; if it does, nobody is in its way
printf 'From: MAILER-DAEMON@exchange.behoerde.de\nTo: %s\nSubject: Undelivered\nAuto-Submitted: auto-replied\n\nVirus Detected in your mail.\n' $TO >"$M"
send_mail scanner '<>' $TO "$M" >/dev/null
wait_for_sink internal 1 60
is "$(sink_envelope internal 1) $(sink_count external)" "<> $TO 1" '... and its notice reaches the sender inside'
reset
done_testing
