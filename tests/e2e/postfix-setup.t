#!/bin/bash
# julia-postfix-setup, mailq-all and deliver-all with a real Postfix. A stub stands in for julia.
. "$(dirname "$0")/lib.sh"
world_enter "$0" "$@"
WORLD_JULIA=$E2E/stub-julia
WORLD_SETUP=no
world_start || { world_log; exit 1; }
B=$WORLD/base/bin

sums() { # what must not change
    (cd /etc/postfix && sha256sum main.cf master.cf; find /etc/postfix/julia-postfix-setup.d "$WORLD/queues" -path '*/queue/*' -prune -o -path '*/data/*' -prune -o -type f -print0 2>/dev/null | sort -z | xargs -0r sha256sum)
}
letter() { # letter FILE [HEADER LINE]...: a small message
    local file=$1
    shift
    printf '%s\n' "$@" 'From: user_1@behoerde.de' 'To: anna@partner-1.com' 'Subject: t' '' 'body' >"$file"
}
last_call() { # arguments of the newest call of julia, without the queue id
    sed 's/\[-queue-id\]\[[^]]*\]//' "$WORLD/base/var/calls/$(ls -t "$WORLD/base/var/calls" | head -n 1)"
}
calls() { find "$WORLD/base/var/calls" -type f 2>/dev/null | wc -l; }
original=$(sums)

# ---- the set-up itself -------------------------------------------------------------------------------------------------
shown=$(world_setup -n 2>&1); status=$?
is "$status" 1 'setup -n: something would change'
like "$shown" '^would set default_transport = julia:julia in /etc/postfix/main.cf$' 'setup -n: shows what'
is "$(sums)" "$original" 'setup -n: changes nothing'
is "$(find "$WORLD/queues" 2>/dev/null | wc -l)" 0 'setup -n: makes nothing'

world_setup -u root >/dev/null 2>&1; is $? 2 'setup: julia never runs as root'
world_setup -u postfix >/dev/null 2>&1; is $? 2 'setup: nor as postfix'
like "$(world_setup -u nosuchuser 2>&1)" 'useradd --system' 'setup: tells how to make the user'
world_setup -p 25 >/dev/null 2>&1; is $? 2 'setup: notices cannot come back on port 25'
world_setup -e 'x; rm' >/dev/null 2>&1; is $? 2 'setup: strange words are refused'
"$SOURCE/contrib/postfix/julia-postfix-setup" -u $WORLD_USER -i '[127.0.0.1]:1' >/dev/null 2>&1
is $? 2 'setup: the external relay must be named'
is "$(sums)" "$original" 'setup: refusals change nothing'
world_conf 'DEADLINE = 10m # as julia reads it'
postconf -M 'julia/unix=julia unix - n n - 10 pipe user=nobody argv=/bin/false'
like "$(world_setup 2>&1)" 'a service "julia" already' 'setup: leaves a stranger service alone'
postconf -MX julia/unix
_front_master >/etc/postfix/master.cf
is "$(sums)" "$original" 'back at the beginning'

world_setup >"$WORLD/log/setup.log" 2>&1; is $? 0 'setup: exit status'
like "$(postconf -h julia_time_limit)" '^900s$' 'setup: Postfix waits longer than DEADLINE'
is "$(postconf -h julia_destination_recipient_limit)" 1000 'setup: as many recipients a call as julia takes'
made=$(sums)
world_age
again=$(world_setup 2>&1); status=$?
is "$status" 0 'second run: exit status'
is "$again" 'nothing to do: everything is as wanted' 'second run: says so'
is "$(sums)" "$made" 'second run: changes nothing'
world_age
like "$(world_setup -i '[127.0.0.1]:2541' -n 2>&1)" '^would set relayhost = \[127.0.0.1\]:2541' 'another relay: only that is changed'
world_setup -i lmtp:unix:private/in >/dev/null 2>&1
is "$(postconf -c "$WORLD/queues/internal/etc" -h default_transport)" lmtp:unix:private/in 'another relay: LMTP'
world_age
world_setup >/dev/null 2>&1
is "$(sums)" "$made" 'and back'
world_age
world_setup --start >/dev/null 2>&1
for instance in external scanner internal; do
    wait_until 20 postfix -c "$WORLD/queues/$instance/etc" status 2>/dev/null
    ok $? "queue $instance runs"
done
postfix stop 2>/dev/null
postfix -c "$WORLD/queues/external/etc" status 2>/dev/null && false
is $? 1 'postfix stop stops the queues too'
postfix start 2>/dev/null
wait_until 20 postfix -c "$WORLD/queues/external/etc" status 2>/dev/null
ok $? 'postfix start starts them'
wait_until 20 _listens 25

# ---- how julia is called -----------------------------------------------------------------------------------------------
C="[-c][$WORLD_CONF]"
letter "$WORLD/m"
send_mail internal user_1@behoerde.de anna@partner-1.com,bert@partner-2.com,carl@partner-1.com "$WORLD/m" >/dev/null
wait_for_sink external 1
is "$(last_call)" "$C[-client][10.1.0.7][-sender][user_1@behoerde.de][-auth][][-readmail][anna@partner-1.com][carl@partner-1.com][bert@partner-2.com]" \
    'several domains, one call'
is "$(sink_envelope external 1)" 'user_1@behoerde.de anna@partner-1.com,bert@partner-2.com,carl@partner-1.com' 'they leave together'
is "$(sed '/^Subject/,$!d' "$(sink_message external 1)" | tr -d '\r')" 'Subject: t

body' 'the message leaves as it came'
is "$(grep -ci '^\(date\|message-id\):' "$(sink_message external 1)")" 0 'no field is added'
client=external6 address=IPv6:2001:db8::9
[ "$WORLD_IPV6" = yes ] || client=external address=203.0.113.9
send_mail $client '<>' user_1@behoerde.de "$WORLD/m" >/dev/null
wait_for_sink external 2
is "$(last_call)" "$C[-client][$address][-sender][][-auth][][-readmail][user_1@behoerde.de]" 'IPv6, null sender'
submit_mail root@behoerde.de '"a b"@partner-1.com' "$WORLD/m"
wait_for_sink external 3
is "$(last_call)" "$C[-client][][-sender][root@behoerde.de][-auth][][-readmail][\"a b\"@partner-1.com]" 'local submission, quoted local part'
before=$(calls)
send_mail internal user_1@behoerde.de "$(seq -s, -f 'r%g@partner-1.com' 120)" "$WORLD/m" >/dev/null
wait_for_sink external 6
wait_for_quiet
is $(($(calls) - before)) 1 '120 recipients: one call'
is "$(for n in 4 5 6; do sink_envelope external $n; done | cut -d' ' -f2 | tr , '\n' | sort -u | wc -l)" 120 '120 recipients: each once'
like "$(send_mail external x@evil.example y@else.example "$WORLD/m")" '^554|^454|^550' 'no open relay'
run_as id -u >/dev/null
like "$(ls -ln "$WORLD/base/var/calls" | tail -n 1)" ' 61987 +61987 ' 'julia runs as its own user'

# ---- what becomes of exit statuses ---------------------------------------------------------------------------------------
letter "$WORLD/later" 'X-Stub: exit 75 4.3.0 try again'
send_mail internal user_1@behoerde.de anna@partner-1.com "$WORLD/later" >/dev/null
wait_for_text "$WORLD/log/front.log" 'status=deferred \(try again'
ok $? 'exit 75: the mail waits'
is "$(queue_ids front | wc -l)" 1 'in the main instance'
postsuper -d ALL deferred 2>/dev/null
letter "$WORLD/never" 'X-Stub: exit 69 5.7.1 not allowed'
count=$(sink_count external)
send_mail internal user_1@behoerde.de anna@partner-1.com "$WORLD/never" >/dev/null
wait_for_sink external $((count + 1))
is "$(sink_envelope external $((count + 1)))" '<> user_1@behoerde.de' 'exit 69: the sender hears of it, by julia'
like "$(tr -d '\r' <"$(sink_message external $((count + 1)))")" 'not allowed' 'and reads the reason'

# ---- notices of the queues -------------------------------------------------------------------------------------------------
sink_clear external
sink_fail scanner data '550 5.7.1 infected'
letter "$WORLD/virus" 'X-Stub: scanner'
send_mail external evil@partner-1.com user_1@behoerde.de "$WORLD/virus" >/dev/null
wait_for_sink external 1
is "$(sink_envelope external 1)" '<> evil@partner-1.com' 'a refusal of the scanner: the notice leaves by the main instance'
is "$(sink_count scanner)" 0 'and not by the scanner'
is "$(last_call)" "$C[-client][127.0.0.1][-sender][][-auth][][-readmail][evil@partner-1.com]" 'through julia, from this host'
like "$(cat "$WORLD/log/front-julia-scanner.log")" 'relay=127.0.0.1\[127.0.0.1\]:10031' 'on the port made for that'
is "$(grep -c 'X-Stub' "$(sink_message external 1)")" 1 'the notice has the header'
is "$(grep -c '^body' "$(sink_message external 1)")" 0 'but not the content (-R hdrs)'
sink_ok scanner
wait_for_quiet
printf 'Auto-Submitted: auto-replied\n' | cat - "$WORLD/virus" >"$WORLD/auto"
send_mail external evil@partner-1.com user_1@behoerde.de "$WORLD/auto" >/dev/null
wait_for_sink scanner 1
ok $? 'what julia hands in goes to the target, whatever its header says'

# ---- who may hand in -------------------------------------------------------------------------------------------------------
setpriv --reuid=nobody --regid=nogroup --clear-groups sendmail -C "$WORLD/queues/external/etc" -G -i -f a@behoerde.de -- b@partner-1.com <"$WORLD/m" 2>/dev/null
ok $((! $?)) 'others cannot get past the rules'
is "$(find "$WORLD/queues/external/queue/maildrop" -type f | wc -l)" 0 'nothing is left behind'
letter "$WORLD/eight"
sed -i 's/^Subject: t/Subject: Grüße/' "$WORLD/eight"
sink_hide external SMTPUTF8
sink_clear external
send_mail internal user_1@behoerde.de anna@partner-1.com "$WORLD/eight" >/dev/null
wait_for_sink external 1
like "$(cat "$(sink_message external 1)")" 'Subject: Gr..?.?.?e' 'raw 8-bit header fields pass a relay without SMTPUTF8'
wait_for_quiet

# ---- mailq-all, deliver-all ------------------------------------------------------------------------------------------------
ruler=-----------------------------------------------------------------
empty() { printf '%s\nMail queue is empty\n%s\n' "$1" $ruler; }
is "$(run_as "$B/mailq-all" 2>&1; echo "exit $?")" "$ruler
$(empty 'Mails from the Universe to JULIA')
$(empty 'Mailq from JULIA to the VIRUSSCANNER')
$(empty 'Mailq from JULIA to the final RELAY')
$(empty 'Mailq from JULIA to the external RELAY')
exit 0" 'mailq-all: titles, as the administrators know them'
is "$(run_as "$B/mailq-all" -j 2>&1; echo "exit $?")" 'exit 0' 'mailq-all -j: nothing'
sink_fail external connect '421 4.3.2 closed'
send_mail internal user_1@behoerde.de 'anna@partner-1.com' "$WORLD/m" >/dev/null
wait_for_text "$WORLD/log/front-julia-external.log" 'status=deferred'
out=$(run_as "$B/mailq-all" 2>/dev/null); status=$?
is "$status" 0 'mailq-all: a young mail is no problem'
like "$(printf '%s\n' "$out" | sed -n '/external RELAY/,$p')" 'user_1@behoerde.de' 'mailq-all: shows it in its section'
like "$(printf '%s\n' "$out" | sed -n '/VIRUS/,/final/p')" 'Mail queue is empty' 'and not in others'
_old_enough() { ! run_as "$B/mailq-all" -q -a 1s >/dev/null 2>&1; }
wait_until 10 _old_enough
is "$(run_as "$B/mailq-all" -q -a 1s >/dev/null 2>&1; echo $?)" 1 'mailq-all -a: an old one is'
like "$(run_as "$B/mailq-all" -q -a 1s 2>&1)" '^mailq-all: WARNING: Mailq from JULIA to the external RELAY: mail [0-9A-F]+ waits for [0-9]+ seconds$' 'mailq-all -q: only the warning'
run_as "$B/mailq-all" -j -a 1s 2>/dev/null >"$WORLD/json"
is "$(python3 -c 'import json, sys
for line in open(sys.argv[1]):
    mail = json.loads(line)
    print(mail["julia_queue"], mail["old"], mail["sender"], [r["address"] for r in mail["recipients"]], mail["age"] > 1)' "$WORLD/json")" \
    "external True user_1@behoerde.de ['anna@partner-1.com'] True" 'mailq-all -j: JSON'
run_as "$B/mailq-all" -a soon >/dev/null 2>&1; is $? 2 'mailq-all: bad age'
run_as "$B/mailq-all" -c /nonexistent >/dev/null 2>&1; is $? 2 'mailq-all: no julia.conf'
sed 's/^BASE/MTA = exim\nBASE/' "$WORLD_CONF" >"$WORLD/other.conf"
like "$(run_as "$B/mailq-all" -c "$WORLD/other.conf" 2>&1)" 'MTA = exim: it must be postfix or sendmail' 'mailq-all: says what it cannot do'
sink_clear external
sink_ok external
run_as "$B/deliver-all"; is $? 0 'deliver-all: as an ordinary user'
wait_for_sink external 1
ok $? 'deliver-all: what waited has left'
like "$(last_call)" '\[-prune\]' 'deliver-all: prunes the journal'
wait_for_quiet

# A queue that stands still loses nothing.
postfix -c "$WORLD/queues/external/etc" stop 2>/dev/null
send_mail internal user_1@behoerde.de anna@partner-1.com "$WORLD/m" >/dev/null
wait_for_text "$WORLD/log/front.log" 'relay=julia,.*status=sent'
_dropped() { [ "$(find "$WORLD/queues/external/queue/maildrop" -type f | wc -l)" = 1 ]; }
wait_until 10 _dropped
ok $? 'a stopped queue still takes mail'
"$B/mailq-all" >/dev/null 2>"$WORLD/errors"; is $? 0 'mailq-all: root sees into a stopped queue'
run_as "$B/mailq-all" >/dev/null 2>"$WORLD/errors"; is $? 75 'mailq-all: others are told that they cannot'
like "$(cat "$WORLD/errors")" 'external RELAY: .*mail system is down' 'with the reason'
run_as "$B/deliver-all" 2>/dev/null; is $? 75 'deliver-all: neither can it'

# ---- taking it out -----------------------------------------------------------------------------------------------------------
made=$(sums)
out=$(world_setup --undo 2>&1); status=$?
is "$status" 1 'undo: refuses while mail waits'
like "$out" 'queues still hold mail: external \(1\)' 'undo: says where'
is "$(sums)" "$made" 'undo: has changed nothing'
postfix -c "$WORLD/queues/external/etc" start 2>/dev/null
wait_for_sink external 2
wait_for_quiet
out=$(world_setup --undo -n 2>&1); is $? 1 'undo -n: shows'
is "$(sums)" "$made" 'undo -n: changes nothing'
world_setup --undo >"$WORLD/log/undo.log" 2>&1; is $? 0 'undo: exit status'
is "$(sums)" "$original" 'undo: every byte as before'
is "$(find "$WORLD/queues" -mindepth 1 2>/dev/null | wc -l)" 0 'undo: nothing is left'
is "$(pgrep -fc 'postfix.*julia' || :)" 0 'undo: nothing runs'
is "$(world_setup --undo 2>&1)" 'nothing to do: julia is not set up here' 'undo: twice'

# With an administrator's own changes in between, and mail in a queue.
world_setup --start >/dev/null 2>&1
echo '# a remark' >>/etc/postfix/main.cf
echo 'smtpd_banner = hello' >>/etc/postfix/main.cf
postconf -e "multi_instance_directories = $(postconf -h multi_instance_directories) /etc/postfix-other" 'relay_transport = smtp:mine'
postfix -c "$WORLD/queues/external/etc" stop 2>/dev/null
run_as sendmail -C "$WORLD/queues/external/etc" -G -i -f a@behoerde.de -- b@partner-1.com <"$WORLD/m"
world_setup --undo --force >"$WORLD/log/undo.log" 2>&1; is $? 0 'undo --force: goes on'
is "$(sort /etc/postfix/main.cf)" "$({ _front_main; echo '# a remark'; echo 'smtpd_banner = hello'; echo 'relay_transport = smtp:mine'; echo 'multi_instance_directories = /etc/postfix-other'; } | sort)" 'undo: own changes stay'
is "$(postconf -M)" "$(_front_master >"$WORLD/master.cf"; cp /etc/postfix/main.cf "$WORLD/main.cf"; postconf -c "$WORLD" -M)" 'undo: no service is left'
is "$(find "$WORLD/queues" -path '*queue.saved-*/maildrop/*' -type f | wc -l)" 1 'undo --force: the mail is kept aside'
like "$(cat "$WORLD/log/undo.log")" 'is kept in .*queue.saved-' 'and it says where'
[ "$tap_failed" = 0 ] || world_log
done_testing
