#!/bin/bash
# Modules as services under users of their own (julia-moduled), the engine switched off and on, encryption "if possible" while trust is
# down.
. "$(dirname "$0")/lib.sh"
world_enter "$0" "$@"
. "$E2E/gateway.sh"
gate_conf='MODULE_TIMEOUT = 3s'
gate_start
gate_services
world_rules '.  (to) partner-1.com   (do) FE, FS=mail@behoerde.de
.  (to) signed.example  (do) FS=mail@behoerde.de
.  (to) perhaps.example (do) EIP=anna@partner-1.com'
M=$WORLD/m
RUN=$WORLD/base/var/run
FRONT=$(log_of front)

# ---- the services -----------------------------------------------------------------------------------------------------------
gate_check
ok $? 'julia -check reaches the services' || diag "$(cat "$WORLD/log/moduled.log")"
is "$(ps -eo user:20,args | awk '/lib\/modules/ && !/awk/ { print $1 }' | sort -u | tr '\n' ' ')" 'julia-keys-file julia-smime julia-trust ' 'each has a user of its own'
run_as cat "$WORLD/base/etc/private/mail.pem" >/dev/null 2>&1
ok $((! $?)) 'julia itself cannot read a private key'
letter "$M" user_1@behoerde.de 'anna@partner-1.com, s@signed.example' subject
explained=$(gate_explain 10.1.0.7 user_1@behoerde.de anna@partner-1.com s@signed.example <"$M" | grep -c 'sign=mail@behoerde.de')
out "$M" anna@partner-1.com,s@signed.example
wait_for_sink external 2
is "$explained" 2 '-explain works with them'
for f in $(sink_messages external); do
    decrypt anna "$f" "$WORLD/t" || cp "$f" "$WORLD/t"
    verify "$WORLD/t" "$WORLD/t2"
    ok $? 'they sign and encrypt'
done
printf 'Content-Type: text/plain\r\n\r\nfrom outside\r\n' | openssl cms -sign -signer "$PKI/anna.crt" -inkey "$PKI/anna.key" 2>/dev/null |
    openssl cms -encrypt -aes-256-gcm -from anna@partner-1.com -to user_1@behoerde.de -subject in "$PKI/user_1.crt" >"$M"
in_ "$M" user_1@behoerde.de
wait_for_sink internal 1
like "$(cat "$(sink_message internal 1)")" '^X-JULIA-Encryption: decrypted' 'they decrypt'
like "$(cat "$(sink_message internal 1)")" '^X-JULIA-Signature: valid' '... and verify'
reset

# Many letters at once, and a reload among them: nobody waits for long, nothing is lost.
letter "$M" user_1@behoerde.de 's@signed.example' subject
for i in $(seq 12); do
    out "$M" "s$i@signed.example,anna@partner-1.com" &
    [ $i != 6 ] || kill -HUP $pid_keys $pid_smime $pid_trust
done
wait $(jobs -p | grep -vx "$pid_keys\|$pid_smime\|$pid_trust$(printf '\\|%s' $_sink_pids)")
wait_for_sink external 24
wait_for_quiet
is "$(sink_count external)" 24 'twelve letters at once and a reload: all arrive'
bad=0
for f in $(sink_messages external); do
    decrypt anna "$f" "$WORLD/t" || cp "$f" "$WORLD/t"
    verify "$WORLD/t" "$WORLD/t2" || bad=$((bad + 1))
done
is $bad 0 '... and all are good'
reset

# A service is down.
kill $pid_smime
wait $pid_smime 2>/dev/null
letter "$M" user_1@behoerde.de anna@partner-1.com subject
out "$M" anna@partner-1.com
wait_for_text "$FRONT" "$DEFERRED"
like "$(log_why)" 'smime' 'a stopped service: the mail waits, and the log names the module'
is "$(run_as "$B/julia" -c "$WORLD_CONF" -check | grep -c '^FAULT module')" 1 '-check names it'
_service smime
wait_until 10 test -S "$RUN/smime"
"$B/deliver-all" -c "$WORLD_CONF" -n
wait_for_sink external 1
wait_for_quiet
only_once external 1 'back again: deliver-all delivers'
reset

# ---- encryption "if possible" while trust is down --------------------------------------------------------------------------
deferred_twice() { [ "$(grep -c "$DEFERRED" "$FRONT")" -ge 2 ]; }
down() { kill $pid_trust; wait $pid_trust 2>/dev/null; }
up() { _service trust; wait_until 10 test -S "$RUN/trust"; }
down
for fallback in refuse clear; do
    gate_configure 'EIP_PATIENCE = 2s' "EIP_FALLBACK = $fallback"
    letter "$M" user_1@behoerde.de x@perhaps.example subject
    out "$M" x@perhaps.example
    wait_for_text "$FRONT" "$DEFERRED"
    is "$(sink_count external) $(sink_count internal)" '0 0' "EIP, trust is down ($fallback): waits"
    like "$(log_why)" 'trust' '... and says for whom'
    sleep 2.1
    "$B/deliver-all" -c "$WORLD_CONF" -n
    wait_for_quiet
    if [ $fallback = clear ]; then
        is "$(body "$(sink_message external 1)")" 'A letter.' '... EIP_FALLBACK=clear: then it goes in clear'
        is "$(sink_count internal)" 0 '... and nobody is bothered'
    else
        is "$(sink_count external) $(sink_envelope internal 1)" '0 <> user_1@behoerde.de' '... EIP_FALLBACK=refuse: then it is returned'
        like "$(tr -d '\r' <"$(sink_message internal 1)")" 'Final-Recipient: rfc822; x@perhaps.example' '... with a report'
    fi
    reset
    letter "$M" user_1@behoerde.de anna@partner-1.com subject
    out "$M" anna@partner-1.com
    wait_for_text "$FRONT" "$DEFERRED"
    sleep 2.1
    "$B/deliver-all" -c "$WORLD_CONF" -n
    wait_until 10 deferred_twice
    is "$(sink_count external)" 0 "FE waits on, whatever EIP_FALLBACK=$fallback says"
    drop_mail front
    reset
done
up
gate_configure 'EIP_PATIENCE = 1h'
letter "$M" user_1@behoerde.de x@perhaps.example subject
out "$M" x@perhaps.example
wait_for_sink external 1
decrypt anna "$(sink_message external 1)" "$WORLD/t"
ok $? 'EIP, trust is up: encrypted'
reset

# ---- SMIME_ENGINE -------------------------------------------------------------------------------------------------------------
printf 'Content-Type: text/plain\r\n\r\nfrom outside\r\n' |
    openssl cms -encrypt -aes-256-gcm -from anna@partner-1.com -to user_1@behoerde.de -subject in "$PKI/user_1.crt" >"$M.in"
for engine in 0 1; do
    gate_configure "SMIME_ENGINE = $engine"
    letter "$M" user_1@behoerde.de s@signed.example subject
    out "$M" s@signed.example
    in_ "$M.in" user_1@behoerde.de
    wait_for_sink external 1
    wait_for_sink internal 1
    is "$(body "$(sink_message external 1)")" 'A letter.' "SMIME_ENGINE=$engine: out as it came"
    cmp -s <(body "$(sink_message internal 1)") <(body "$M.in")
    ok $? "SMIME_ENGINE=$engine: in as it came"
    is "$(grep -c '^X-JULIA' "$(sink_message internal 1)")" 0 '... without a word'
    if [ $engine = 1 ]; then
        like "$(grep 'event=rehearsal' "$J")" 'would=send sign=mail@behoerde.de' 'SMIME_ENGINE=1: the log says what would be done'
        like "$(grep 'event=incoming' "$J")" 'encryption=decrypted' '... and what would be found'
    fi
    reset
    out "$M" anna@partner-1.com
    wait_for_text "$FRONT" "$DEFERRED"
    like "$(log_why)" 'SMIME_ENGINE|ENGINE_CLEAR' "SMIME_ENGINE=$engine: FE waits, and the log says why"
    is "$(sink_count external)" 0 '... in the queue'
    gate_configure "SMIME_ENGINE = $engine" 'ENGINE_CLEAR = yes'
    like "$(gate_explain 10.1.0.7 user_1@behoerde.de anna@partner-1.com <"$M" | head -n 1)" 'encrypt=no' "-explain says what ENGINE_CLEAR=yes does"
    "$B/deliver-all" -c "$WORLD_CONF" -n
    wait_for_sink external 1
    wait_for_quiet
    is "$(body "$(sink_message external 1)")" 'A letter.' "SMIME_ENGINE=$engine, ENGINE_CLEAR=yes: leaves as it came"
    reset
done
done_testing
