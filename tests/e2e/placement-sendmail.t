#!/bin/bash
# The placements of docs/placement-*.md with Sendmail: each example's julia.conf, relay-domains and relays, with nothing but addresses and
# paths replaced, carry a mail out and one in and refuse to relay for strangers. (The round trip by the scanner: scanner-*.t.)
WORLD_MTA=sendmail
. "$(dirname "$0")/lib.sh"
world_enter "$0" "$@"
. "$E2E/gateway.sh"
M=$WORLD/m

relay_of() { # relay_of VARIANT OPTION: this world's address for that of the example
    sed -n "s/^$2 //p" "$SOURCE/etc/examples/$1/postfix-setup.options" |
        sed -e 's#\[192\.0\.2\.25\]:25#[127.0.0.1]:2550#; s#\[10\.2\.0\.2\]:25#[127.0.0.1]:2530#; s#\[10\.1\.0\.7\]:25#[127.0.0.1]:2540#'
}
place() { # place VARIANT EXTERNAL-RELAY
    local shipped=$SOURCE/etc/examples/$1
    reset
    rm -f "$J"
    { sed "s#/opt/julia#$WORLD/base#g" "$shipped/julia.conf"; mta_base; } >"$WORLD_CONF"
    cp "$shipped/julia.rules" "$WORLD/base/etc/julia.rules"
    # Sendmail trusts no file below /tmp: the lines of relay-domains stand in the configuration itself.
    sed -i '/^RELAY_DOMAIN/d' "$WORLD/mail/julia/gateway.local.m4"
    printf "RELAY_DOMAIN(\`%s')dnl\n" "$(paste -sd' ' "$shipped/relay-domains")" >>"$WORLD/mail/julia/gateway.local.m4"
    world_setup -e "$2" -i "$(relay_of "$1" -i)" --start >"$WORLD/log/setup.log" 2>&1
    ok $? "$1: the set-up script takes the relays of the example" || diag "$(cat "$WORLD/log/setup.log")"
    wait_until 30 _listens 25
    gate_check
    ok $? "$1: julia -check finds no fault in the example"
}
goes_out() { # goes_out VARIANT CLIENT
    letter "$M" user_1@behoerde.de anna@partner-1.com 'out'
    send_mail "$2" user_1@behoerde.de anna@partner-1.com "$M" >"$WORLD/smtp" || diag "not taken: $(cat "$WORLD/smtp")"
    wait_for_sink external 1
    decrypt anna "$(sink_message external 1)" "$WORLD/t" && verify "$WORLD/t" "$WORLD/t2" user_1@behoerde.de
    ok $? "$1: a letter leaves signed and encrypted" || world_log
}
comes_in() { # comes_in VARIANT CLIENT SINK
    printf 'Content-Type: text/plain\r\n\r\nA letter.\r\n' >"$WORLD/text"
    openssl cms -encrypt -aes-256-gcm -in "$WORLD/text" -from anna@partner-1.com -to user_1@behoerde.de -subject in "$PKI/user_1.crt" >"$WORLD/secret"
    printf 'Message-ID: <%s@partner-1.com>\n' "$RANDOM$RANDOM" | cat - "$WORLD/secret" >"$M"
    send_mail "$2" anna@partner-1.com user_1@behoerde.de "$M" >"$WORLD/smtp" || diag "not taken: $(cat "$WORLD/smtp")"
    wait_for_sink "$3" 1
    is "$(tr -d '\r' <"$(sink_message "$3" 1)" | grep -c -e '^X-JULIA-Encryption: decrypted$' -e '^A letter\.$')" 2 "$1: an encrypted letter arrives decrypted" || world_log
}
refused() { # refused VARIANT CLIENT
    letter "$M" x@evil.example y@else.example 'relay'
    like "$(send_mail "$2" x@evil.example y@else.example "$M")" '^[45]5[04] ' "$1: no relay for $2"
}

gate_start
ip addr add 192.0.2.25/32 dev lo
place reference "$(relay_of reference -e)"
goes_out reference scanner
comes_in reference 192.0.2.25 scanner
refused reference 192.0.2.25
refused reference internal
place one-server "$(relay_of one-server -e)"
goes_out one-server internal
comes_in one-server 192.0.2.25 internal
refused one-server 192.0.2.25
place outermost '[127.0.0.1]:2550' # with Sendmail: the provider's relay
goes_out outermost scanner
comes_in outermost external scanner
refused outermost external
[ "$tap_failed" = 0 ] || world_log
done_testing
