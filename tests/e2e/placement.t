#!/bin/bash
# The placements of docs/placement-*.md: each shipped configuration (etc/examples), with nothing but addresses and paths replaced,
# carries a mail out and one in, refuses what it must, and the commands of its page print what the page says.
WORLD_MTA=postfix
. "$(dirname "$0")/lib.sh"
. "$E2E/scanner.sh"
# The gateway wants a real scanner; without one the other placements are tried all the same.
[ -n "${JULIA_IN_WORLD-}" ] || { NO_SCANNER=$(scanner_enter) || :; export NO_SCANNER; }
world_enter "$0" "$@"
. "$E2E/gateway.sh"
. "$E2E/document.sh"
M=$WORLD/m

# This world's addresses for those of the examples: the targets are sinks on ports of this host.
here() {
    sed -e 's#\[192\.0\.2\.25\]:25#[127.0.0.1]:2550#; s#\[10\.2\.0\.2\]:25#[127.0.0.1]:2530#; s#\[10\.1\.0\.7\]:25#[127.0.0.1]:2540#' \
        -e "s#/opt/julia#$WORLD/base#g"
}
place() { # place VARIANT: the steps of its page
    local shipped=$SOURCE/etc/examples/$1 line
    reset
    rm -f "$J"
    { here <"$shipped/julia.conf"; mta_base; } >"$WORLD_CONF"
    cp "$shipped/julia.rules" "$WORLD/base/etc/julia.rules"
    { here <"$shipped/postfix-setup.options" | sed "/^-s/s/2530/$SCANNER_PORT/"; echo "-r $WORLD/queues"; } >"$WORLD/base/etc/postfix-setup.options"
    cp "$WORLD/main.cf" /etc/postfix/main.cf
    grep '^[a-z]' "$shipped/main.cf" | here | while read -r line; do postconf -e "$line"; done
    "$B/julia-postfix-setup" >"$WORLD/log/setup.log" 2>&1
    ok $? "$1: the set-up script takes the options of the example" || diag "$(cat "$WORLD/log/setup.log")"
    world_age
    postmulti -p -- reload >/dev/null 2>&1 || postfix reload 2>/dev/null
    gate_check
    ok $? "$1: julia -check finds no fault in the example"
}
refused() { # refused CLIENT SENDER RCPT NAME
    like "$(send_mail "$1" "$2" "$3" "$M")" '^[45]5[04] ' "$4"
}
goes_out() { # goes_out VARIANT CLIENT: a letter of user_1, to be signed and encrypted
    sink_clear external
    letter "$M" user_1@behoerde.de anna@partner-1.com 'out'
    send_mail "$2" user_1@behoerde.de anna@partner-1.com "$M" >"$WORLD/smtp" || diag "not taken: $(cat "$WORLD/smtp")"
    wait_for_sink external 1
    decrypt anna "$(sink_message external 1)" "$WORLD/t" && verify "$WORLD/t" "$WORLD/t2" user_1@behoerde.de
    ok $? "$1: a letter leaves signed and encrypted" || world_log
}
postmaster() { # postmaster VARIANT CLIENT SINK: of this host
    sink_clear "$3"
    letter "$M" x@partner-1.com postmaster 'is anybody there'
    send_mail "$2" x@partner-1.com postmaster "$M" >"$WORLD/smtp" || diag "not taken: $(cat "$WORLD/smtp")"
    wait_for_sink "$3" 1
    is "$(sink_envelope "$3" 1)" 'x@partner-1.com mail-admin@behoerde.de' "$1: mail for postmaster of the gateway reaches a person"
}
encrypted_letter() { # an encrypted, signed letter from anna to user_1
    printf 'Content-Type: text/plain\r\n\r\nA letter.\r\n' >"$WORLD/text"
    openssl cms -sign -in "$WORLD/text" -signer "$PKI/anna.crt" -inkey "$PKI/anna.key" |
        openssl cms -encrypt -aes-256-gcm -from anna@partner-1.com -to user_1@behoerde.de -subject in "$PKI/user_1.crt" >"$WORLD/secret"
    printf 'Message-ID: <%s@partner-1.com>\n' "$RANDOM$RANDOM" | cat - "$WORLD/secret" >"$M"
}
comes_in() { # comes_in VARIANT CLIENT SINK
    sink_clear "$3"
    encrypted_letter
    send_mail "$2" anna@partner-1.com user_1@behoerde.de "$M" >"$WORLD/smtp" || diag "not taken: $(cat "$WORLD/smtp")"
    wait_for_sink "$3" 1
    is "$(tr -d '\r' <"$(sink_message "$3" 1)" | grep -c -e '^X-JULIA-Encryption: decrypted$' -e '^X-JULIA-Signature: valid$' -e '^A letter\.$')" 3 \
        "$1: an encrypted letter arrives decrypted and verified" || world_log
}
# Mail of the page's commands leaves from the address that the text before the block names.
curl() { command curl --interface "$FROM" "$@"; }
document_before() {
    FROM=$(printf '%s\n' "$1" | sed -n 's/.*(\([0-9.]*\).*/\1/p')
    wait_for_quiet
}
export -f curl
export FROM
commands_of() { # commands_of VARIANT: those of the page
    document_run "$SOURCE/docs/placement-$1.md" '^## Afterwards'
}
document_here() { here | sed -e "s#/etc/postfix-julia-\([a-z]*\)#$WORLD/queues/\1/etc#g"; }
document_there() { sed -e "s#$WORLD/base#/opt/julia#g; s#$WORLD/queues/\([a-z]*\)/etc#/etc/postfix-julia-\1#g"; }

gate_start
cp /etc/postfix/main.cf "$WORLD/main.cf"
cp "$SOURCE/contrib/postfix/julia-postfix-setup" "$WORLD/base/bin"
for address in 192.0.2.25/32 198.51.100.7/32; do ip addr add $address dev lo; done

# ---- reference ----------------------------------------------------------------------------------------------------------------
place reference
goes_out reference scanner
comes_in reference 192.0.2.25 scanner
postmaster reference 192.0.2.25 scanner
letter "$M" x@evil.example user_1@behoerde.de 'direct'
refused external x@evil.example user_1@behoerde.de 'reference: nobody but the external relay brings mail from outside'
refused 192.0.2.25 x@evil.example y@else.example 'reference: the external relay cannot send to outside'
refused internal user_1@behoerde.de anna@partner-1.com 'reference: the internal relay must go by the scanner'
commands_of reference

# ---- scanner and internal relay on one machine ---------------------------------------------------------------------------------------
place one-server
goes_out one-server internal
comes_in one-server 192.0.2.25 internal
letter "$M" x@evil.example user_1@behoerde.de 'direct'
refused external x@evil.example user_1@behoerde.de 'one-server: nobody but the external relay brings mail from outside'
refused 192.0.2.25 x@evil.example y@else.example 'one-server: the external relay cannot send to outside'
commands_of one-server

# ---- gateway in front of existing systems ---------------------------------------------------------------------------------------------
# The scanner is clamd behind clamsmtpd; what it lets through comes back from 10.2.0.2.
gateway() {
    _scanner_files
    scanner_start
    place gateway
    _scanner_connect
    goes_out gateway scanner
    sink_clear internal
    encrypted_letter
    send_mail 192.0.2.25 anna@partner-1.com user_1@behoerde.de "$M" >"$WORLD/smtp" || diag "not taken: $(cat "$WORLD/smtp")"
    wait_for_sink internal 1 60
    decrypt user_1 "$(sink_message internal 1)" "$WORLD/t" && verify "$WORLD/t" "$WORLD/t2" anna@partner-1.com
    ok $? 'gateway: an encrypted letter has been at the scanner, and arrives encrypted as it came' || world_log
    refused external x@evil.example user_1@behoerde.de 'gateway: nobody but the external relay brings mail from outside'
    virus >"$WORLD/eicar.com"
    commands_of gateway
    is "$(sink_count internal) $(sink_envelope internal 3)" '3 <> mail-admin@behoerde.de' 'gateway: of the infected letter only ADMIN hears' || world_log
}
if [ -n "${NO_SCANNER-}" ]; then diag "$NO_SCANNER"; else gateway; fi

# ---- julia as the outermost relay ----------------------------------------------------------------------------------------------------
# Mail for outside goes to the hosts of its domains: here a sink on 203.0.113.25, which partner-1.com stands for. All addresses are this
# host's own, so its Postfix must not believe that it would send to itself.
place outermost
ip addr add 203.0.113.25/32 dev lo
echo '203.0.113.25 partner-1.com' >>"$WORLD/hosts"
mkdir -p "$WORLD/sinks/partner"
python3 "$E2E/smtp-sink.py" 203.0.113.25 25 "$WORLD/sinks/partner" 2>"$WORLD/log/sink-partner.log" &
_sink_pids="${_sink_pids-} $!"
postconf -c "$WORLD/queues/external/etc" -e inet_interfaces=loopback-only
world_age
postfix -c "$WORLD/queues/external/etc" stop 2>/dev/null
postfix -c "$WORLD/queues/external/etc" start 2>/dev/null
letter "$M" user_1@behoerde.de anna@partner-1.com 'out'
send_mail scanner user_1@behoerde.de anna@partner-1.com "$M" >"$WORLD/smtp" || diag "not taken: $(cat "$WORLD/smtp")"
wait_for_sink partner 1
decrypt anna "$(sink_message partner 1)" "$WORLD/t" && verify "$WORLD/t" "$WORLD/t2" user_1@behoerde.de
ok $? "outermost: a letter leaves signed and encrypted, straight to the partner's host" || world_log
sink_fail internal rcpt:nobody@behoerde.de '550 5.1.1 no such user'
comes_in outermost external scanner
letter "$M" x@evil.example nobody@behoerde.de 'to nobody'
refused external x@evil.example nobody@behoerde.de 'outermost: who does not exist is refused at the door'
refused external x@evil.example y@else.example 'outermost: no open relay'
refused external user_1@behoerde.de anna@partner-1.com 'outermost: a forged sender of ours does not make it one'
commands_of outermost
[ "$tap_failed" = 0 ] || world_log
done_testing
