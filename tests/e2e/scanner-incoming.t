#!/bin/bash
# Incoming mail through a real virus scanner and back (MODE=gateway): clean and infected, encrypted and in clear.
. "$(dirname "$0")/lib.sh"
. "$E2E/scanner.sh"
scanner_enter
world_enter "$0" "$@"
. "$E2E/gateway.sh"
gate_start_scanned
M=$WORLD/m
TO=user_1@behoerde.de
FROM=anna@partner-1.com

encrypt() { # encrypt INNER FILE
    openssl cms -encrypt -aes-256-gcm -in "$1" -from $FROM -to $TO -subject 'a letter' "$PKI/user_1.crt" >"$2" 2>"$WORLD/openssl"
    sed -i "1i Message-ID: <$RANDOM$RANDOM@partner-1.com>" "$2"
}
clean() { printf 'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nINNER-TEXT mit Umlaut: \xc3\xbc\r\n' >"$1"; }
count_field() { tr -d '\r' <"$1" | sed '/^$/q' | grep -ci "^$2:"; }
holds() { find "$WORLD/base/var/hold" -mindepth 2 -name message 2>/dev/null | wc -l; }
# Nothing decrypted anywhere but where it belongs: not outside, not in what is left in files.
nothing_outside() {
    is "$(sink_count external)" 0 "$1: nobody outside hears anything"
    ! grep -rqs 'INNER-TEXT\|INFECTED-TEXT' "$WORLD/sinks/external" "$WORLD/base/logs" "$WORLD/log"
    ok $? "$1: no decrypted text outside, nor in a log"
}

for deliver in plain original; do
    gate_configure "DELIVER = $deliver"
    clean "$M.inner"
    encrypt "$M.inner" "$M"
    in_ "$M" $TO
    wait_for_sink internal 1 60 || world_log
    got=$(sink_message internal 1)
    is "$(sink_envelope internal 1)" "$FROM $TO" "$deliver: a clean letter arrives"
    is "$(count_field "$got" X-JULIA-Hold) $(count_field "$got" X-JULIA-Encryption)" '0 1' "$deliver: the mark is gone, the status stays"
    if [ $deliver = plain ]; then
        is "$(count_field "$got" X-Virus-Scanned)" 1 "plain: it has been at the scanner"
        like "$(body "$got")" 'INNER-TEXT mit Umlaut' 'plain: decrypted'
    else
        is "$(count_field "$got" X-Virus-Scanned)" 0 "original: not the copy"
        tr -d '\r' <"$got" | sed -n '/^MIME-Version/,$p' >"$WORLD/came"
        tr -d '\r' <"$M" | sed -n '/^MIME-Version/,$p' | cmp -s - "$WORLD/came"
        ok $? 'original: octet for octet'
        decrypt user_1 "$got" "$WORLD/opened" && cmp -s "$WORLD/opened" "$M.inner"
        ok $? 'original: openssl decrypts it' || diag "$(cat "$WORLD/openssl")"
    fi
    is "$(holds)" 0 "$deliver: nothing is held any more"
    reset

    infected "$M.inner" $FROM $TO 'a present'
    encrypt "$M.inner" "$M"
    in_ "$M" $TO
    wait_for_sink internal 1 60 || world_log
    wait_for_quiet 60
    is "$(sink_count internal) $(sink_envelope internal 1)" '1 <> admin@behoerde.de' "$deliver: infected inside the encryption: only ADMIN gets anything"
    notice=$(tr -d '\r' <"$(sink_message internal 1)" | python3 -c 'import email, sys; m = email.message_from_file(sys.stdin); print(m.get_payload(decode=True).decode())')
    like "$notice" "$FROM" "$deliver: it names the sender"
    like "$notice" "$TO" "$deliver: ... the recipient"
    like "$notice" 'MESSAGE_ID: <[0-9]*@partner-1.com>' "$deliver: ... the message"
    like "$notice" 'Virus' "$deliver: ... and what the scanner said"
    nothing_outside "$deliver"
    is "$(holds)" "$([ $deliver = original ] && echo 1 || echo 0)" "$deliver: the original stays for ADMIN, who can only drop it"
    reset
    rm -rf "$WORLD/base/var/hold/"*

    infected "$M" $FROM $TO 'a present'
    in_ "$M" $TO
    wait_for_sink internal 1 60
    wait_for_quiet 60
    is "$(sink_count internal) $(sink_envelope internal 1)" '1 <> admin@behoerde.de' "$deliver: infected in clear: the same"
    nothing_outside "$deliver"
    reset
done

# Null sender, infected: a bounce has nobody to go to, but ADMIN hears of it.
infected "$M" mailer-daemon@partner-1.com $TO 'Undeliverable'
in_ "$M" $TO '<>'
wait_for_sink internal 1 60
is "$(sink_count internal) $(sink_envelope internal 1)" '1 <> admin@behoerde.de' 'infected with the null sender: ADMIN hears of it'
reset
letter "$M" mailer-daemon@partner-1.com $TO 'Undeliverable'
in_ "$M" $TO '<>'
wait_for_sink internal 1 60
is "$(sink_envelope internal 1)" "<> $TO" 'the null sender comes through the scanner'
is "$(count_field "$(sink_message internal 1)" 'X-JULIA-Sender')" 0 '... without a trace'
reset

# The recipient hears of it if so configured.
gate_configure 'SCANNER_NOTICE = recipient' 'LANGUAGE = de'
infected "$M" $FROM $TO 'a present'
in_ "$M" $TO
wait_for_sink internal 2 60
is "$(deliveries internal | tr '\n' ' ')" "1 admin@behoerde.de 1 $TO " 'SCANNER_NOTICE=recipient: ADMIN and the recipient, once each'
! cat "$WORLD"/sinks/internal/*.eml | grep -q 'INFECTED-TEXT\|a present'
ok $? '... nothing of the content'
nothing_outside recipient
reset

# Many at once, for several recipients, both kinds mixed: each once, nothing left over.
gate_configure 'DELIVER = original'
clean "$M.inner"
pids=
for n in 1 2 3 4 5 6; do
    encrypt "$M.inner" "$M.$n"
    send_mail external $FROM "$TO,user_2@behoerde.de" "$M.$n" >/dev/null &
    pids="$pids $!"
    letter "$M.c$n" $FROM $TO "clear $n"
    send_mail external $FROM $TO "$M.c$n" >/dev/null &
    pids="$pids $!"
done
# shellcheck disable=SC2086
wait $pids
wait_for_sink internal 24 120
wait_for_quiet 60
is "$(deliveries internal | tr '\n' ' ')" "6 admin@behoerde.de 12 $TO 6 user_2@behoerde.de " 'twelve at once, half of it not for everybody to open: each delivered once'
is "$(holds)" 0 '... and nothing is held'
done_testing
