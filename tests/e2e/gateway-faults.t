#!/bin/bash
# Modules that fail, full disks, killed processes, stops: the mail stays in the queue and says why; after the repair deliver-all sends it
# exactly once.
. "$(dirname "$0")/lib.sh"
world_enter "$0" "$@"
. "$E2E/gateway.sh"
gate_conf='MODULE_TIMEOUT = 2s
DEADLINE = 20s'
gate_start
world_rules '.  (to) partner-1.com   (do) FE
.  (to) signed.example  (do) FS=mail@behoerde.de'
M=$WORLD/m
BASE=$WORLD/base
FRONT=$(log_of front)
n=0

new() { n=$((n + 1)); letter "$M" user_1@behoerde.de anna@partner-1.com "number $n"; }
waits() { # waits NAME REGEX: the newest letter is deferred once for this reason, nothing left
    wait_for_text "$FRONT" "$DEFERRED"
    like "$(log_why)" "$2" "$1: waits, and the log says why"
    is "$(sink_count external) $(deliveries internal | grep -vc admin@)" '0 0' "$1: nothing left"
}
delivered() { # delivered NAME [COUNT]
    "$B/deliver-all" -c "$WORLD_CONF" -n
    wait_for_sink external "${2-1}" 20
    wait_for_quiet 20
    only_once external "${2-1}" "$1: after the repair deliver-all delivers, once"
    reset
}

# ---- modules ------------------------------------------------------------------------------------------------------------------
while read -r role fault regex; do
    gate_faulty $role --do $fault
    new
    out "$M" anna@partner-1.com
    waits "$role $fault" "$regex"
    is "$(gate_log 'level=error|level=warning')" 1 "$role $fault: one line in the log" || diag "$(cat "$J")"
    gate_repair
    delivered "$role $fault"
done <<'END'
smime hang no answer to encrypt within
smime die it ended with exit status 3
smime rubbish the answer to encrypt is damaged
keys temporary keys-file: test: a fault
keys hang no answer to find within
trust crash killed by signal 9 while answering validate
trust temporary cannot be judged: trust: test: a fault
END

# ---- disks and files ------------------------------------------------------------------------------------------------------------
mkdir "$WORLD/small"
mount -t tmpfs -o size=64k,mode=1777 none "$WORLD/small"
gate_configure "SPOOL = $WORLD/small" 'SPOOL_MEMORY = 1k'
new
head -c 200000 /dev/zero | tr '\0' x | fold -w 70 >>"$M"
out "$M" anna@partner-1.com
waits 'SPOOL is full' 'No space left on device'
gate_repair
delivered 'SPOOL was full'

mkdir "$WORLD/small/journal"
chown $WORLD_USER "$WORLD/small/journal"
head -c 70000 /dev/zero >"$WORLD/small/fill" 2>/dev/null
gate_configure "JOURNAL_DIR = $WORLD/small/journal"
new
out "$M" anna@partner-1.com
waits 'the journal is full' 'journal.*No space left on device'
gate_repair
delivered 'the journal was full'

mkdir "$WORLD/small/logs"
chown $WORLD_USER "$WORLD/small/logs"
gate_configure "LOG = $WORLD/small/logs/julia.log" "VERIFY_LOG = $WORLD/small/logs/verify.log"
new
out "$M" anna@partner-1.com
wait_for_sink external 1
wait_for_quiet
only_once external 1 'a full disk under the log stops no mail'
reset
umount "$WORLD/small"

gate_configure 'LOG = /proc/julia.log'
new
out "$M" anna@partner-1.com
wait_for_sink external 1
wait_for_quiet
only_once external 1 'a log that cannot be written stops no mail'
reset
gate_repair

rm -rf "$BASE/var/journal"
chown root: "$BASE/var"
new
out "$M" anna@partner-1.com
waits 'no journal' 'journal.*Permission denied'
like "$(run_as "$B/julia" -c "$WORLD_CONF" -check)" 'FAULT JOURNAL_DIR' '-check says it, too'
chown $WORLD_USER: "$BASE/var"
delivered 'the journal came back'
is "$(stat -c %a "$BASE/var/journal")" 700 '... made anew, for julia alone'

cp "$BASE/etc/julia.rules" "$WORLD/rules.good"
echo '. (to) . (do) FEE' >>"$BASE/etc/julia.rules"
new
out "$M" anna@partner-1.com
waits 'a typing error in the rules' 'julia.rules:3'
cp "$WORLD/rules.good" "$BASE/etc/julia.rules"
delivered 'the rules were repaired'

# ---- killed, stopped --------------------------------------------------------------------------------------------------------------
cat >"$WORLD/slow-sendmail" <<END
#!/bin/sh
touch $WORLD/tmp/asked
sleep 2
exec /usr/sbin/sendmail "\$@"
END
chmod 755 "$WORLD/slow-sendmail"
mkdir -m 777 "$WORLD/tmp"
sed -i "/^TARGET_EXTERNAL/s#/usr/sbin/sendmail#$WORLD/slow-sendmail#" "$WORLD_CONF"
for signal in KILL TERM; do
    rm -f "$WORLD/tmp/asked"
    new
    out "$M" anna@partner-1.com,x@signed.example
    wait_until 10 test -e "$WORLD/tmp/asked"
    kill -$signal $(pgrep -U $WORLD_USER -x julia)
    wait_for_text "$FRONT" 'dsn=.*, stat'
    like "$(grep -m 1 'dsn=.*, stat' "$FRONT")" "$DEFERRED" "SIG$signal while handing off: the mail waits"
    sed -i "/^TARGET_EXTERNAL/s#$WORLD/slow-sendmail#/usr/sbin/sendmail#" "$WORLD_CONF"
    delivered "SIG$signal" 2
    sed -i "/^TARGET_EXTERNAL/s#/usr/sbin/sendmail#$WORLD/slow-sendmail#" "$WORLD_CONF"
done
gate_repair

# The MTA is stopped with mail in several queues.
gate_faulty smime --do temporary
new
out "$M" anna@partner-1.com
wait_for_text "$FRONT" "$DEFERRED"
sink_fail external connect '421 4.3.2 not now'
new
out "$M" clear@open.example
wait_for_text "$(log_of external)" "$DEFERRED"
mta_stop
is "$("$B/mailq-all" -c "$WORLD_CONF" -j 2>/dev/null | sed 's/.*"julia_queue": "\([a-z]*\)".*/\1/' | sort | tr '\n' ' ')" 'external universe ' \
    'mailq-all shows both, also while the MTA is stopped'
mta_start
wait_until 20 _listens 25
is "$("$B/mailq-all" -c "$WORLD_CONF" | grep -c '^[0-9A-Za-z]\{6,\}[*!#-]*  *[0-9]')" 2 'mailq-all shows both'
"$B/mailq-all" -c "$WORLD_CONF" -a 0s >/dev/null 2>&1
is $? 1 'mailq-all -a 0s: they are old'
gate_repair
sink_ok external
delivered 'stopped and started' 2
"$B/mailq-all" -c "$WORLD_CONF" -a 0s -q
is $? 0 'then nothing waits'
done_testing
