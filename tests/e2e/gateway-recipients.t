#!/bin/bash
# Many recipients, several treatments, hidden recipients: each gets the message once and in the form that was decided for it, also
# when a hand-off fails in between.
. "$(dirname "$0")/lib.sh"
world_enter "$0" "$@"
. "$E2E/gateway.sh"
gate_start
world_rules '.  (to) signed.example  (do) FS=mail@behoerde.de
.  (to) partner-1.com   (do) FE, FS=mail@behoerde.de'
M=$WORLD/m

# A sendmail command that fails for a call which names the recipient in $WORLD/fail-for, once.
cat >"$WORLD/failing-sendmail" <<END
#!/bin/sh
if [ -e $WORLD/tmp/fail-for ] && printf '%s\n' "\$@" | grep -qxf $WORLD/tmp/fail-for; then
    mv $WORLD/tmp/fail-for $WORLD/tmp/failed
    cat >/dev/null
    echo 'sendmail: fatal: no space' >&2
    exit 75
fi
exec /usr/sbin/sendmail "\$@"
END
chmod 755 "$WORLD/failing-sendmail"
mkdir -m 777 "$WORLD/tmp"
failing() { sed -i "/^TARGET_EXTERNAL/s#/usr/sbin/sendmail#$WORLD/failing-sendmail#" "$WORLD_CONF"; echo "$1" >"$WORLD/tmp/fail-for"; }
deferred() { queue_ids front | wc -l; }
fifty_wait() { [ "$(waiting front | wc -l)" = 50 ]; }

gate_check
ok $? 'julia -check has no complaints'

# ---- 120 recipients in three calls, the middle one fails (Postfix makes them at once, Sendmail one after another) ---------------------------------------------------------
mta_recipients 50
letter "$M" user_1@behoerde.de list@signed.example 'to many'
failing r60@signed.example
out "$M" "$(seq -s, -f 'r%g@signed.example' 120)"
wait_for_text "$(log_of front)" "r60@.*$DEFERRED"
wait_for_sink external 2
wait_until 30 fifty_wait
is "$(ls "$WORLD/tmp")" failed 'the command failed once'
is "$(deferred)" 1 'the message waits for the recipients of that call'
is "$(waiting front | sort -u | wc -l) $(waiting front | grep -c '^r60@')" '50 1' '... for its 50'
like "$(log_why 3)" '4\.3\.0.*the command of the target external failed: exit status 75' '... and the log says why'
"$B/deliver-all" -c "$WORLD_CONF" -n
wait_for_sink external 3
wait_for_quiet
only_once external 120 'after deliver-all all 120 have it, nobody twice'
bad=0
for f in $(sink_messages external); do verify "$f" "$WORLD/t" || bad=$((bad + 1)); done
is "$bad" 0 'every copy has a good signature'
is "$(gate_log 'event=handoff .*result=failed')" 1 'one line in the log about it'
reset

# ---- three treatments, the second hand-off fails --------------------------------------------------------------------------
rcpts=s@signed.example,anna@partner-1.com,clear@open.example
letter "$M" user_1@behoerde.de "${rcpts//,/, }" 'three ways'
explained=$(gate_explain 10.1.0.7 user_1@behoerde.de ${rcpts//,/ } <"$M")
is "$(printf '%s\n' "$explained" | grep -v '^#' | awk -F'\t' '{ print $1, $2, $3, ($4 == "sign=no" ? "-" : "S"), ($5 == "encrypt=no" ? "-" : "E") }' | sort)" \
    'outgoing external anna@partner-1.com S E
outgoing external clear@open.example - -
outgoing external s@signed.example S -' '-explain: three groups'
for fails in s@signed.example anna@partner-1.com clear@open.example; do
    letter "$M" user_1@behoerde.de "${rcpts//,/, }" "three ways, not $fails"
    failing $fails
    out "$M" $rcpts
    wait_for_text "$(log_of front)" "to=.*<$fails>.*$DEFERRED"
    wait_for_sink external 2
    is "$(deliveries external | grep -c "$fails")" 0 "$fails fails: the two others left"
    "$B/deliver-all" -c "$WORLD_CONF" -n
    wait_for_sink external 3
    wait_for_quiet
    only_once external 3 '... and on the retry only the third'
    for f in $(sink_messages external); do
        case $(sink_envelope external $((10#$(basename "$f" .eml)))) in
        *anna*)
            decrypt anna "$f" "$WORLD/t" && verify "$WORLD/t" "$WORLD/t2" && ! grep -q 'A letter' "$f"
            ok $? '... encrypted, signed inside' ;;
        *clear*)
            [ "$(body "$f")" = 'A letter.' ] && ! grep -qi pkcs7 "$f"
            ok $? '... unchanged' ;;
        *) verify "$f" "$WORLD/t"; ok $? '... signed' ;;
        esac
    done
    reset
done
gate_repair

# ---- hidden recipients ------------------------------------------------------------------------------------------------------
gate_configure 'HEADER_PROTECTION = clear'
letter "$M" user_1@behoerde.de 'anna@partner-1.com, s@signed.example' 'hidden' 'Bcc: bert@partner-1.com, h@signed.example' 'Cc: plain@open.example'
out "$M" anna@partner-1.com,bert@partner-1.com,ec@partner-1.com,s@signed.example,h@signed.example,plain@open.example
wait_for_quiet
only_once external 6 'To, Cc and Bcc: all six have it once'
bcc=0 readable=0
for f in $(sink_messages external); do
    tr -d '\r' <"$f" | grep -qi '^Bcc:' && bcc=$((bcc + 1))
    n=$((10#$(basename "$f" .eml)))
    for who in anna bert ec; do
        if decrypt $who "$f" "$WORLD/t"; then
            is "$(sink_envelope external $n)" "user_1@behoerde.de $who@partner-1.com" "the copy for $who goes to $who alone"
            is "$(openssl cms -cmsout -print -noout -in "$f" 2>/dev/null | grep -c 'd.ktri\|d.kari')" 1 '... and names no other key'
            ! tr -d "\r" <"$WORLD/t" | grep -qi "^bcc:"
            ok $? "... nor a Bcc field inside"
            readable=$((readable + 1))
        fi
    done
done
is "$readable $bcc" '3 0' 'three encrypted copies, nowhere a Bcc field'
reset
done_testing
