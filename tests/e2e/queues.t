#!/bin/bash
# mailq-all and deliver-all with either MTA: what waits, how old it is, who may see it; trying again by hand, by cron and by systemd;
# lifetimes that are changed while mail waits.
. "$(dirname "$0")/lib.sh"
world_enter "$0" "$@"
. "$E2E/gateway.sh"
gate_start
world_rules '. (to) . (do) NS'
M=$WORLD/m
mq() { "$B/mailq-all" -c "$WORLD_CONF" "$@"; }
# fields FILE EXPRESSION: of each JSON line (m), sorted
fields() { python3 -c 'import json, sys
print("\n".join(sorted(str(eval(sys.argv[2], {"m": json.loads(line)})) for line in open(sys.argv[1], encoding="utf-8"))))' "$1" "$2"; }
some_old() { ! mq -q -a "$1" >/dev/null 2>&1; }

# ---- nothing waits --------------------------------------------------------------------------------------------------------
titles='Mails from the Universe to JULIA
Mailq from JULIA to the VIRUSSCANNER
Mailq from JULIA to the final RELAY
Mailq from JULIA to the external RELAY'
out=$(mq 2>&1); status=$?
is "$status $(printf '%s\n' "$out" | grep -c 'empty$\|is empty')" '0 4' 'all four are empty'
is "$(printf '%s\n' "$out" | grep 'JULIA$\|VIRUSSCANNER$\|RELAY$')" "$titles" '... under their titles'
is "$(mq -j; mq -q)" '' '-j and -q say nothing'
is "$(mq -l | cut -f1 | tr '\n' ' ')" 'universe scanner internal external ' '-l lists them'

# ---- something waits ----------------------------------------------------------------------------------------------------
sink_fail external rcpt '451 4.7.1 "later" \o/'
letter "$M" user_1@behoerde.de x@open.example one
out "$M" '"a b"@open.example,x@open.example'
wait_for_text "$(log_of external)" "$DEFERRED"
send_mail internal '<>' y@open.example "$M" >/dev/null
count_waiting() { [ "$(waiting "$1" | wc -l)" = "$2" ]; }
wait_until 30 count_waiting external 3
wait_until 30 count_waiting front 0
mq >"$WORLD/out" 2>&1; is $? 0 'young mail is no problem'
like "$(sed -n '/external RELAY/,$p' "$WORLD/out")" 'user_1@behoerde.de' 'it stands in its section'
is "$(sed '/external RELAY/,$d' "$WORLD/out" | grep -c 'is empty')" 3 '... and in no other'
wait_until 30 some_old 1s
mq -a 1s >/dev/null 2>"$WORLD/errors"; is $? 1 'old mail is'
like "$(cat "$WORLD/errors")" '^mailq-all: WARNING: Mailq from JULIA to the external RELAY: mail [0-9A-Za-z]+ waits for [0-9]+ seconds$' '... with a warning'
is "$(mq -q -a 1s 2>/dev/null)" '' '-q: only the warning'
mq -j -a 0s >"$WORLD/json" 2>/dev/null
is "$(fields "$WORLD/json" '(m["julia_queue"], m["sender"], [r["address"] for r in m["recipients"]] != [])')" \
    "('external', 'MAILER-DAEMON', True)
('external', 'user_1@behoerde.de', True)" '-j: one object a mail'
is "$(fields "$WORLD/json" 'sorted(r["address"] for r in m["recipients"])' | tr -d '\\')" "['\"a b\"@open.example', 'x@open.example']
['y@open.example']" '-j: all recipients'
is "$(fields "$WORLD/json" '"\"later\" \\o/" in m["recipients"][0]["delay_reason"]')" 'True
True' '-j: and why they wait'
is "$(fields "$WORLD/json" 'm["old"] and 0 < m["age"] < 3600 and m["message_size"] > 5')" 'True
True' '-j: age and size'
is "$(fields "$WORLD/json" 'm["queue_id"]')" "$(queue_ids external | sort)" '-j: the ids are those of the MTA'

# ---- who may --------------------------------------------------------------------------------------------------------------
run_as "$B/mailq-all" -c "$WORLD_CONF" -j 2>"$WORLD/errors" >"$WORLD/json2"; status=$?
is "$(fields "$WORLD/json2" 'm["queue_id"]')" "$(queue_ids external | sort)" 'the user of julia sees what julia handed on'
if [ "$WORLD_MTA" = postfix ]; then
    is "$status" 0 '... and everything else'
else
    is "$status $(grep -c . "$WORLD/errors")" '75 1' '... but not into the main queue'
    like "$(cat "$WORLD/errors")" 'Mails from the Universe to JULIA: julia may not look into .*/mqueue, which belongs to root' '... and is told why'
    setpriv --reuid=nobody --regid=nogroup --clear-groups "$B/mailq-all" -c "$WORLD_CONF" >/dev/null 2>"$WORLD/errors"
    is "$? $(grep -c 'cannot be seen by nobody\|may not look into' "$WORLD/errors")" '75 4' 'others see nothing, and are told so'
    chmod g+w "$WORLD_CONF"
    like "$(mq 2>&1)" 'can be written by others than root' 'root runs no command that others could have written'
    chmod g-w "$WORLD_CONF"
    # Several folders, one of them with its files in qf and df, and held mail.
    many=$WORLD/many
    mkdir -p "$many/q1" "$many/q2/qf" "$many/q2/df"
    set -- $(queue_ids external)
    cp "$WORLD/queues/external/mqueue/"?f"$1" "$many/q1"
    cp "$WORLD/queues/external/mqueue/qf$2" "$many/q2/qf"
    cp "$WORLD/queues/external/mqueue/df$2" "$many/q2/df"
    sed '/^\.$/q' "$many/q1/qf$1" >"$many/q1/hf${1}x"
    printf 'no\n' >"$many/q1/qfreserved"
    echo "O QueueDirectory=$many/q*" >"$many/sendmail.cf"
    sed "s#^MTA_CONFIG.*#MTA_CONFIG = $many/sendmail.cf#" "$WORLD_CONF" >"$WORLD/many.conf"
    mq -c "$WORLD/many.conf" -j 2>/dev/null | grep universe >"$WORLD/json"
    is "$(fields "$WORLD/json" '(m["queue_id"], m["queue_name"], m["message_size"] > 5)')" \
        "$(printf "('%s', '%s', %s)\n" "$1" deferred True "$2" deferred True "${1}x" hold False | sort)" 'several folders, qf and df, held mail'
fi
mq -c /nonexistent >/dev/null 2>&1; is $? 2 'no julia.conf'
sed 's#^TARGET_SCANNER = .*#TARGET_SCANNER = /bin/cat#' "$WORLD_CONF" >"$WORLD/other.conf"
like "$(mq -c "$WORLD/other.conf" 2>&1; echo $?)" 'TARGET_SCANNER names no configuration' 'a target without queue'
sed 's#^TARGET_SCANNER = .*#TARGET_SCANNER = /usr/sbin/sendmail -C /nonexistent#' "$WORLD_CONF" >"$WORLD/other.conf"
mq -c "$WORLD/other.conf" >"$WORLD/out" 2>&1; is "$? $(grep -c 'is empty' "$WORLD/out")" '75 2' 'one that cannot be read does not hide the others'

# ---- deliver-all ------------------------------------------------------------------------------------------------------------
as_before() { [ "$(waiting external | wc -l)" = 3 ] && count_again; }
count_again() { [ "$(grep -c "$DEFERRED" "$(log_of external)")" -gt "$before" ]; }
before=$(grep -c "$DEFERRED" "$(log_of external)")
run_as "$B/deliver-all" -c "$WORLD_CONF" >"$WORLD/out" 2>&1; status=$?
wait_until 30 count_again
ok $? 'deliver-all, run by the user of julia, tries it'
if [ "$WORLD_MTA" = postfix ]; then
    is "$status $(cat "$WORLD/out")" '0 ' '... and has nothing to say'
else
    like "$status $(tail -n 1 "$WORLD/out")" '^75 deliver-all: queue "universe" was not tried, see above' '... and says that it may not try the main queue'
fi
wait_until 30 as_before
sink_ok external
sed -n 's/^[0-9*\/]* .* \(root\|julia\)  *\(\/opt.*\)$/\1 \2/p' "$SOURCE/contrib/cron/julia" | sed "s#/opt/julia#$WORLD/base#g" >"$WORLD/cron"
is "$(grep -c . "$WORLD/cron")" 2 'two lines for cron'
while read -r user command; do
    [ "$user" = root ] || command="setpriv --reuid=$user --regid=$user --clear-groups $command"
    $command >"$WORLD/out" 2>&1 </dev/null; is "$? $(cat "$WORLD/out")" '0 ' "cron: ${command##*/}"
done <"$WORLD/cron"
wait_for_sink external 2
wait_for_quiet
only_once external 3 'deliver-all, run by cron, delivers'
reset

# The main instance, whose mail julia puts off.
gate_faulty smime --do temporary
world_rules '. (to) . (do) FS=mail@behoerde.de'
out "$M" x@open.example
wait_for_text "$(log_of front)" "$DEFERRED"
is "$(mq -j | sed 's/.*"julia_queue": "\([a-z]*\)".*/\1/')" universe 'the main queue'
gate_repair
exec_start=$(sed -n 's/^ExecStart=//p' "$SOURCE/contrib/systemd/julia-deliver-all.service" | sed "s#/opt/julia#$WORLD/base#g")
$exec_start; is $? 0 'deliver-all, as the systemd timer runs it'
wait_for_sink external 1
wait_for_quiet
only_once external 1 '... delivers, too'
world_rules '. (to) . (do) NS'
reset

# ---- lifetimes ----------------------------------------------------------------------------------------------------------------
sink_fail external connect '421 4.3.2 not now'
out "$M" x@open.example
wait_for_text "$(log_of external)" "$DEFERRED"
"$B/deliver-all" -c "$WORLD_CONF" -n
is "$(sink_count internal)" 0 'mail waits, nobody hears of it'
wait_until 30 some_old 2s
mta_lifetime external 1s
"$B/deliver-all" -c "$WORLD_CONF" -n
wait_for_sink internal 1
is "$(sink_envelope internal 1)" '<> user_1@behoerde.de' 'a shorter lifetime holds for mail that waits already: it is returned'
sink_ok external
wait_for_quiet
is "$(sink_count external)" 0 '... and no longer tried'
[ "$tap_failed" = 0 ] || world_log
done_testing
