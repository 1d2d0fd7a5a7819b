#!/bin/bash
# julia-sendmail-setup with a real Sendmail. A stub stands in for julia.
WORLD_MTA=sendmail
. "$(dirname "$0")/lib.sh"
world_enter "$0" "$@"
WORLD_JULIA=$E2E/stub-julia
WORLD_SETUP=no
MC='' CF=''
# An administrator's plain Sendmail, as it is before julia comes.
plain_sendmail() {
    MC=$WORLD/mail/sendmail.mc CF=$WORLD/mail/sendmail.cf
    mkdir -p "$WORLD/mail/mqueue"
    : >"$WORLD/mail/statistics"
    cat >"$MC" <<END
divert(0)dnl
include(\`$WORLD/sendmail/cf/m4/cf.m4')dnl
OSTYPE(\`linux')dnl
define(\`QUEUE_DIR', \`$WORLD/mail/mqueue')dnl
define(\`STATUS_FILE', \`$WORLD/mail/statistics')dnl
define(\`confPID_FILE', \`$WORLD/mail/sendmail.pid')dnl
define(\`ALIAS_FILE', \`')dnl
define(\`confSERVICE_SWITCH_FILE', \`$WORLD/mail/service.switch')dnl
define(\`confDONT_PROBE_INTERFACES', \`True')dnl
define(\`confQUEUE_LA', \`1000')dnl
define(\`confREFUSE_LA', \`1000')dnl
define(\`confPRIVACY_FLAGS', \`goaway')dnl
FEATURE(\`no_default_msa')dnl
FEATURE(\`accept_unresolvable_domains')dnl
RELAY_DOMAIN(\`behoerde.de 10.1 10.2 IPv6:fd00:1')dnl
DAEMON_OPTIONS(\`Name=MTA, Family=inet6, Addr=::')dnl
MAILER(\`local')dnl
MAILER(\`smtp')dnl
END
    (cd "$WORLD/mail" && m4 sendmail.mc >sendmail.cf)
}
mta_start() { plain_sendmail && sendmail -L sm-mta -C"$WORLD/mail/sendmail.cf" -bd; }
setup() { # without the options that only the first run needs
    "$SETUP" --etc "$WORLD/mail" --cf "$WORLD/sendmail/cf" -u $WORLD_USER -b "$WORLD/base" -r "$WORLD/queues" "$@"
}
RELAYS=(-e '[127.0.0.1]:2550' -s '[127.0.0.1]:2530' -i '[127.0.0.1]:2540')
sums() { # what must not change
    find "$WORLD/mail" "$WORLD/queues" "$WORLD/base/etc" \( -name mqueue -o -name '*.pid' -o -name statistics \) -prune -o -type f -print0 2>/dev/null |
        sort -z | xargs -0r sha256sum
}
refused() { # refused STATUS REGEX NAME ARGUMENTS...
    local wanted=$1 regex=$2 name=$3 out status
    shift 3
    out=$(setup "$@" 2>&1); status=$?
    is "$status" "$wanted" "$name: exit status"
    like "$out" "$regex" "$name: says why"
    is "$(sums)" "$original" "$name: changes nothing"
}
letter() { # letter FILE [HEADER LINE]...
    local file=$1
    shift
    printf '%s\n' "$@" 'From: user_1@behoerde.de' 'To: anna@partner-1.com' 'Subject: t' '' 'body' >"$file"
}
last_call() { # arguments of the newest call of julia, without the queue id
    sed 's/\[-queue-id\]\[[^]]*\]//' "$WORLD/base/var/calls/$(ls -t "$WORLD/base/var/calls" | head -n 1)"
}
calls() { find "$WORLD/base/var/calls" -type f 2>/dev/null | wc -l; }
runners() { # how many queue runners live
    head -qn 1 "$WORLD"/queues/*/sendmail.pid 2>/dev/null | while read -r pid; do [ ! -d "/proc/$pid" ] || echo "$pid"; done | wc -l
}
cf_of() { echo "$WORLD/mail/julia/$1.cf"; }

world_start || { world_log; exit 1; }
original=$(sums)

# ---- what it refuses ---------------------------------------------------------------------------------------------------
refused 2 'was not written by this program: --add' 'a sendmail.mc of somebody else' "${RELAYS[@]}"
refused 2 '--new --force replaces it' '--new over it' --new "${RELAYS[@]}"
refused 2 'which external relay' 'no relay' --add -i x
refused 2 'a user of its own' 'root' --add "${RELAYS[@]}" -u root
refused 2 'useradd --system' 'no such user' --add "${RELAYS[@]}" -u nosuchuser
refused 2 'only letters' 'strange words' --add "${RELAYS[@]}" -e 'x; rm'
refused 2 'not a port number' 'a strange port' --add "${RELAYS[@]}" -e '[10.1.0.7]:x'
refused 2 'not a relay' 'a strange relay' --add "${RELAYS[@]}" -i '[10.1.0.7'
refused 2 'is not Sendmail 8' 'another program' --add "${RELAYS[@]}" --sendmail /bin/true
refused 2 'cf.m4: no such file' 'no m4 files' --add "${RELAYS[@]}" --cf /nonexistent
refused 2 'absolute path' 'a relative path' --add "${RELAYS[@]}" -r queues
hostname gate
cp "$WORLD/hosts" "$WORLD/hosts.full"
echo '127.0.0.1 localhost' >"$WORLD/hosts"
refused 2 'a minute for every letter' 'a host without a domain' --add "${RELAYS[@]}"
cat "$WORLD/hosts.full" >"$WORLD/hosts"
hostname gate.behoerde.de
cp "$MC" "$WORLD/plain.mc"
cp "$CF" "$WORLD/plain.cf"
for line in "define(\`SMART_HOST', \`relay:mail.example')dnl" 'Mjulia, P=/bin/false, A=false'; do
    { cat "$WORLD/plain.mc"; echo 'MAILER_DEFINITIONS'; echo "$line"; } >"$MC"
    original=$(sums)
    refused 2 'SMART_HOST|already' "in sendmail.mc: $line" --add "${RELAYS[@]}"
done
cp "$WORLD/plain.mc" "$MC"
sed -i 's/^O LogLevel=.*/O LogLevel=11/' "$CF"
original=$(sums)
refused 2 'made in it by hand' 'a sendmail.cf edited by hand' --add "${RELAYS[@]}"
cp "$WORLD/plain.cf" "$CF"
echo mine >"$(cf_of external)"
original=$(sums)
refused 2 'did not make it' 'a file of somebody else' --add "${RELAYS[@]}"
rm "$(cf_of external)"
{ cat "$WORLD/plain.mc"; echo LOCAL_RULE_0; printf 'R$*\t$#smtp $@ elsewhere $: $1\n'; } >"$MC"
(cd "$WORLD/mail" && m4 sendmail.mc >sendmail.cf)
original=$(sums)
refused 75 'rules of your own' 'rules that keep mail from julia' --add "${RELAYS[@]}"
cp "$WORLD/plain.mc" "$MC"
cp "$WORLD/plain.cf" "$CF"
original=$(sums)

# ---- what it does ------------------------------------------------------------------------------------------------------
shown=$(setup -n --add "${RELAYS[@]}" 2>&1); status=$?
is "$status" 1 '-n: something would change'
like "$shown" "^would write $MC\$" '-n: shows what'
like "$shown" 'X-Authentication-Warning' 'goaway is warned of'
like "$shown" 'nocanonify' 'rewriting of addresses is warned of'
is "$(sums)" "$original" '-n: changes nothing'
is "$(ls "$WORLD/queues" 2>/dev/null)" '' '-n: makes nothing'
setup --add "${RELAYS[@]}" >"$WORLD/log/setup.log" 2>&1; is $? 0 'set-up: exit status'
made=$(sums)
is "$(setup 2>/dev/null; echo $?)" 'nothing to do: everything is as wanted
0' 'second run, without a word about relays'
is "$(sums)" "$made" 'second run: changes nothing'
cmp -s "$WORLD/mail/julia/before-"*/sendmail.mc "$WORLD/plain.mc"
ok $? 'a copy with a date is kept'
is "$(setup -e mail.example -n 2>/dev/null)" "would write $(cf_of external)
would write $WORLD/base/etc/sendmail-setup.options" 'another relay: only that is changed'
setup -e '[2001:db8::25]:2525' >/dev/null 2>&1
like "$(grep 'Julia\(Host\|Port\)}' "$(cf_of external)" | tr '\n' ' ')" '\[IPv6:2001:db8::25\] .*2525' 'another relay: IPv6'
setup "${RELAYS[@]}" >/dev/null 2>&1
is "$(sums)" "$made" 'and back'
echo '# by hand' >>"$(cf_of external)"
setup -p 26 >"$WORLD/log/edited.log" 2>&1; is $? 2 'a queue edited by hand: refused'
like "$(cat "$WORLD/log/edited.log")" 'TARGET.local' 'and told where to do it'
setup --force >/dev/null 2>&1; is $? 0 '--force: goes on'
like "$(cat "$(cf_of external)".edited-*)" '^# by hand$' '--force: keeps a copy'
rm "$(cf_of external)".edited-*
is "$(sums)" "$made" '--force: as it was'
echo 'O MaxHopCount=99' >>"$WORLD/mail/julia/external.local"
setup >/dev/null 2>&1
is "$(grep '^O MaxHopCount' "$(cf_of external)" | tail -n 1)" 'O MaxHopCount=99' 'own lines of a queue win'
sed -i '/^O MaxHopCount=99/d' "$WORLD/mail/julia/external.local"
setup --start >"$WORLD/log/start.log" 2>&1; is $? 0 '--start: exit status'
is "$(sums)" "$made" 'and back again'
wait_until 30 _listens 25
is "$(runners)" 3 '--start: three queue runners'

# ---- how julia is called -----------------------------------------------------------------------------------------------
C="[-c][$WORLD_CONF]"
letter "$WORLD/m"
send_mail internal user_1@behoerde.de anna@partner-1.com,bert@partner-2.com,carl@partner-1.com "$WORLD/m" \
    --mail-option RET=HDRS --mail-option ENVID=ab+2Bcd >/dev/null
wait_for_sink external 1
is "$(last_call)" "$C[-client][10.1.0.7][-peer][[10.1.0.7]][-sender][user_1@behoerde.de][-auth][][-dsn][,HDRS,ab+2Bcd][-readmail][anna@partner-1.com][bert@partner-2.com][carl@partner-1.com]" \
    'several domains, one call'
is "$(sink_envelope external 1)" 'user_1@behoerde.de anna@partner-1.com,bert@partner-2.com,carl@partner-1.com' 'they leave together'
is "$(sed '/^Received\|^\t/d' "$(sink_message external 1)" | tr -d '\r')" "$(cat "$WORLD/m")" 'the message leaves as it came, no field is added'
is "$(grep -c '^Received' "$(sink_message external 1)")" 2 'but for its trace'
client=external6 address=IPv6:2001:db8:0:0:0:0:0:9
[ "$WORLD_IPV6" = yes ] || client=external address=203.0.113.9
send_mail $client '<>' user_1@behoerde.de "$WORLD/m" >/dev/null
wait_for_sink external 2
is "$(last_call)" "$C[-client][$address][-peer][[$address]][-sender][][-auth][][-dsn][,,][-readmail][user_1@behoerde.de]" 'IPv6, null sender'
is "$(sink_envelope external 2)" '<> user_1@behoerde.de' 'the null sender stays'
before=$(calls)
send_mail internal user_1@behoerde.de "$(seq -s, -f 'r%g@partner-1.com' 450)" "$WORLD/m" >/dev/null
_recipients() { cat "$WORLD"/sinks/external/*.json | grep -o '"r[0-9]*@partner-1.com"' | sort | uniq -c; }
_all_there() { [ "$(_recipients | wc -l)" -ge 450 ]; }
wait_until 60 _all_there
wait_for_quiet
is $(($(calls) - before)) 3 '450 recipients: three calls'
is "$(_recipients | awk '$1 == 1' | wc -l)" 450 'each once'
send_mail internal bin@gate.behoerde.de anna@partner-1.com "$WORLD/m" >/dev/null
wait_for_quiet
ok $? 'julia runs as its own user, also when the sender has an account here'
like "$(send_mail external x@evil.example y@else.example "$WORLD/m")" '^[45]50' 'no open relay'

# ---- octets ------------------------------------------------------------------------------------------------------------
sink_clear external
python3 - >"$WORLD/octets" <<'END'
import sys
sys.stdout.buffer.write(b"""X-Long: """ + b"y" * 1500 + b"""
From: =?utf-8?q?M=C3=BC?= <user_1@behoerde.de>
To: undisclosed-recipients:;
Cc: Group: J. Doe <j@x.example>, "A, b" <a@x.example>;, c@x.example (comment)
Resent-To: My list: d@x.example, e@x.example;
Subject:  Gr\xc3\xbc\xc3\x9fe  with  blanks
X-Folded: a
   b
\tc
DKIM-Signature: v=1; d=x;
        b=abc
Content-Type: text/plain; name="a\xc3\xbcb"
X-Empty:

Gr\xc3\xbc\xc3\x9fe
.
..x
From here on
trailing \t 
""" + b"z" * 998 + b"\n" + b"w" * 3000 + b"\n" + b"v" * 100000 + b"""
\xff\xfe \x01\x02\x0b\x0c\x7f nul \x00 bare \r cr
--


""")
END
run_as sendmail -C"$(cf_of external)" -i -f user_1@behoerde.de -- anna@partner-1.com <"$WORLD/octets"
wait_for_sink external 1
sed '1d; s/$/\r/' "$WORLD/octets" >"$WORLD/expected"
sed '1d' "$(sink_message external 1)" | sed '1d' | cmp -s - "$WORLD/expected"
ok $? 'the queues change no octet: 8 bit, long lines, NUL, bare CR, groups, names'
sink_hide external 8BITMIME DSN SMTPUTF8
run_as sendmail -C"$(cf_of external)" -i -f user_1@behoerde.de -R hdrs -- anna@partner-1.com <"$WORLD/octets"
wait_for_sink external 2
sed '1d' "$(sink_message external 2)" | sed '1d' | cmp -s - "$WORLD/expected"
ok $? 'not even for a relay that offers nothing'
sink_ok external; sink_hide external
run_as sendmail -C"$(cf_of external)" -i -f user_1@behoerde.de -N SUCCESS,DELAY -R hdrs -V ab+2Bcd -- anna@partner-1.com <"$WORLD/m"
wait_for_sink external 3
like "$(tr -d ' \n' <"$WORLD/sinks/external/0003.json")" '"ENVID=ab\+2Bcd","RET=HDRS".*"NOTIFY=SUCCESS,DELAY"' 'DSN parameters reach the relay'

# ---- what becomes of exit statuses -------------------------------------------------------------------------------------
sink_clear external
letter "$WORLD/later" 'X-Stub: exit 75 4.3.0 try again'
send_mail internal user_1@behoerde.de anna@partner-1.com "$WORLD/later" >/dev/null
wait_for_text "$(log_of front)" 'exited with EX_TEMPFAIL'
ok $? 'exit 75: the mail waits'
is "$(queue_ids front | wc -l)" 1 'in the receiving instance'
drop_mail front
letter "$WORLD/never" 'X-Stub: exit 69 5.7.1 not allowed'
send_mail internal user_1@behoerde.de anna@partner-1.com "$WORLD/never" >/dev/null
wait_for_sink external 1
is "$(sink_envelope external 1)" '<> user_1@behoerde.de' 'exit 69: the sender hears of it, by julia'
like "$(tr -d '\r' <"$(sink_message external 1)")" 'not allowed' 'and reads the reason'
like "$(last_call)" '\[-client\]\[\]\[-peer\]\[localhost\]\[-sender\]\[MAILER-DAEMON\]' 'as a notice of this host'

# ---- notices of the queues -----------------------------------------------------------------------------------------------
wait_for_quiet
sink_clear external
sink_fail scanner data '550 5.7.1 infected'
letter "$WORLD/virus" 'X-Stub: scanner'
send_mail external evil@partner-1.com user_1@behoerde.de "$WORLD/virus" >/dev/null
wait_for_sink external 1
is "$(sink_envelope external 1)" '<> evil@partner-1.com' 'a refusal of the scanner: the notice leaves by the receiving instance'
is "$(sink_count scanner)" 0 'and not by the scanner'
is "$(last_call)" "$C[-client][127.0.0.1][-peer][[127.0.0.1]][-sender][][-auth][][-dsn][,HDRS,][-readmail][evil@partner-1.com]" 'through julia, from this host'
is "$(grep -c 'X-Stub' "$(sink_message external 1)")" 1 'the notice has the header'
is "$(grep -c '^body' "$(sink_message external 1)")" 0 'but not the content (-R hdrs)'
is "$(sed '/^\r$/q' "$(sink_message external 1)" | grep -c '^\(Date\|From\|Message-Id\): ')" 3 'and a header of its own'
wait_for_quiet
# The receiving instance stands still: the notice waits, and still does not go to the scanner, which takes mail again.
sink_clear external
setup --stop >/dev/null 2>&1
run_as sendmail -C"$(cf_of scanner)" -i -f evil@partner-1.com -R hdrs -- user_1@behoerde.de <"$WORLD/virus"
_notice_waits() { [ "$(waiting scanner)" = evil@partner-1.com ]; }
wait_until 30 _notice_waits
ok $? 'nobody takes the notice: it waits'
sink_ok scanner
setup --start >/dev/null 2>&1
wait_until 30 _listens 25
sendmail -C"$(cf_of scanner)" -q
wait_for_sink external 1
is "$(sink_envelope external 1)" '<> evil@partner-1.com' 'later it goes the same way'
is "$(sink_count scanner)" 0 'and the scanner never sees it'
wait_for_quiet
# One connection for the real mail, one for the notice, though both go to this very address.
sink_clear external
run_as sendmail -C"$(cf_of external)" -i -f '<>' -- user_1@behoerde.de <"$WORLD/virus"
wait_for_sink external 1
is "$(sink_envelope external 1)" '<> user_1@behoerde.de' 'what julia hands in with the null sender goes to the target'
wait_for_quiet

# ---- who may hand in -------------------------------------------------------------------------------------------------------
setpriv --reuid=nobody --regid=nogroup --clear-groups sendmail -C"$(cf_of external)" -i -f a@behoerde.de -- b@partner-1.com <"$WORLD/m" >/dev/null 2>&1
is $? 78 'others cannot get past the rules'
is "$(queue_ids external | wc -l)" 0 'nothing is left behind'
sink_clear external
submit_mail root@behoerde.de anna@partner-1.com "$WORLD/m"
wait_for_sink external 1
is "$(last_call)" "$C[-client][][-peer][root@localhost][-sender][root@behoerde.de][-auth][][-dsn][,,][-readmail][anna@partner-1.com]" 'local submission'
wait_for_quiet

# ---- lifetimes -------------------------------------------------------------------------------------------------------------
sink_clear external
sink_fail internal connect '421 4.3.2 closed'
letter "$WORLD/in" 'X-Stub: internal'
send_mail external evil@partner-1.com user_1@behoerde.de "$WORLD/in" >/dev/null
_waits() { [ "$(waiting "$1" | wc -l)" = 1 ]; }
wait_until 30 _waits internal
is "$(grep -h '^O Timeout.queue' "$(cf_of internal)" | tr '\n' ' ')" \
    'O Timeout.queuereturn=10d O Timeout.queuereturn.dsn=1d O Timeout.queuewarn=0 ' 'ten days, and no outsider hears of a delay'
sed -i 's/^O Timeout.queuereturn=.*/O Timeout.queuereturn=1s/' "$WORLD/mail/julia/internal.local"
setup >/dev/null 2>&1
_expired() { sendmail -C"$(cf_of internal)" -q; [ "$(sink_count external)" -ge 1 ]; }
wait_until 60 _expired
is "$(sink_envelope external 1)" '<> evil@partner-1.com' 'a changed lifetime holds for mail that waits already'
sed -i 's/^O Timeout.queuereturn=.*/O Timeout.queuereturn=10d/' "$WORLD/mail/julia/internal.local"
setup >/dev/null 2>&1
sink_ok internal
wait_for_quiet

# ---- both families ---------------------------------------------------------------------------------------------------------
# The pair that looks natural, on another port.
sed "s/^O DaemonPortOptions=.*/O DaemonPortOptions=Name=v4, Family=inet, Addr=0.0.0.0, Port=12625\\
O DaemonPortOptions=Name=v6, Family=inet6, Addr=::, Port=12625/; s|^O PidFile=.*|O PidFile=$WORLD/pair.pid|" "$CF" >"$WORLD/pair.cf"
if [ "$WORLD_IPV6" = yes ]; then
    sendmail -L pair -C"$WORLD/pair.cf" -bd 2>/dev/null
    wait_for_text "$(log_of front)" 'pair\[.*Address already in use' 60
    ok $? '0.0.0.0 and :: together do not work'
    kill "$(head -n 1 "$WORLD/pair.pid" 2>/dev/null)" 2>/dev/null
fi
like "$("$SETUP" --etc "$WORLD/none" --cf "$WORLD/sendmail/cf" --new 2>&1)" 'no such folder' 'a folder that is not there'
mkdir -p "$WORLD/fresh"
"$SETUP" --etc "$WORLD/fresh" --cf "$WORLD/sendmail/cf" --new -u $WORLD_USER -b "$WORLD/base" -c "$WORLD/fresh/julia.conf" -r "$WORLD/fresh/queues" \
    "${RELAYS[@]}" >"$WORLD/log/new.log" 2>&1
is $? 0 '--new: makes a sendmail.mc'
is "$(grep -c '^DAEMON_OPTIONS' "$WORLD/fresh/sendmail.mc")" 1 '--new: one daemon for both families'
"$SETUP" --etc "$WORLD/fresh" -c "$WORLD/fresh/julia.conf" -b "$WORLD/base" --undo >/dev/null 2>&1
is "$(find "$WORLD/fresh" -type f ! -name '*.options' | wc -l)" 0 '--new --undo: nothing is left'

# ---- taking it out -----------------------------------------------------------------------------------------------------------
made=$(sums)
sink_fail external connect '421 4.3.2 closed'
send_mail internal user_1@behoerde.de anna@partner-1.com "$WORLD/m" >/dev/null
wait_until 30 _waits external
out=$(setup --undo 2>&1); status=$?
is "$status" 1 'undo: refuses while mail waits'
like "$out" 'queues still hold mail: external' 'undo: says where'
is "$(sums)" "$made" 'undo: has changed nothing'
sink_ok external
flush_mail
wait_for_quiet
running=$(head -qn 1 "$WORLD"/queues/*/sendmail.pid)
out=$(setup --undo -n 2>&1); is $? 1 'undo -n: shows'
is "$(sums)" "$made" 'undo -n: changes nothing'
setup --undo >"$WORLD/log/undo.log" 2>&1; is $? 0 'undo: exit status'
rm "$WORLD/base/etc/sendmail-setup.options"
is "$(sums)" "$original" 'undo: every octet as before'
is "$(ls "$WORLD/queues" 2>/dev/null)" '' 'undo: no queue is left'
is "$(for pid in $running; do [ ! -d "/proc/$pid" ] || echo "$pid"; done)" '' 'undo: no runner is left'
is "$(setup --undo 2>&1)" 'nothing to do: julia is not set up here' 'undo: twice'

# With an administrator's own changes in between, and mail in a queue.
setup --add "${RELAYS[@]}" >/dev/null 2>&1
sed -i "s/^MAILER(.local')dnl/define(\`confMAX_HOP', \`77')dnl\n&/" "$MC"
setup >/dev/null 2>&1
is "$(grep '^O MaxHopCount' "$CF")" 'O MaxHopCount=77' 'own changes in sendmail.mc: taken over'
sink_fail external connect '421 4.3.2 closed'
run_as sendmail -C"$(cf_of external)" -i -f a@behoerde.de -- b@partner-1.com <"$WORLD/m"
wait_until 30 _waits external
setup --undo --force >"$WORLD/log/undo.log" 2>&1; is $? 0 'undo --force: goes on'
is "$(diff "$WORLD/plain.mc" "$MC" | grep -c '^[<>]')" 1 'undo: own changes stay'
like "$(cat "$CF")" '^O MaxHopCount=77' 'undo: also in sendmail.cf'
cmp -s "$WORLD/plain.mc" "$WORLD"/mail/before-julia-*/sendmail.mc
ok $? 'undo: the file from before lies beside it'
is "$(find "$WORLD/queues" -path '*saved-*' -name 'qf*' | wc -l)" 1 'undo --force: the mail is kept aside'
like "$(cat "$WORLD/log/undo.log")" 'is kept in .*saved-' 'and it says where'
[ "$tap_failed" = 0 ] || world_log
done_testing
