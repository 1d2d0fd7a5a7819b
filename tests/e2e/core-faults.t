#!/bin/bash
# Modules that fail, lie or hang: nothing leaves that was not decided, nothing leaves twice, the retry goes well.
cd "$(dirname "$0")/../.." || exit 1
. tests/e2e/tap.sh
. tests/e2e/core-gateway.sh
rules '. (to) partner-1.com (do) FE
. (to) signed.example (do) FS=mail@behoerde.de
. (to) both.partner-1.com (do) FE=anna@partner-1.com, FS=mail@behoerde.de'
in=$base/in.eml
sender=user_2@behoerde.de
letter $sender 'anna@partner-1.com, x@both.partner-1.com, bert@partner-1.com' 'secret' > "$in"
python=$(command -v python3)
limits=$'MODULE_TIMEOUT = 2s\nDEADLINE = 20s'

faulty() { # faulty ROLE MODULE WORDS...: configures a spoiled module
    local role=$1 module=$2
    shift 2
    conf "$limits
$role = $python $source/tests/faults/faulty-module.py $* -- $build/lib/modules/$module"
}

send() {
    forget
    outgoing $sender "$@" < "$in"
}

stopped() { # stopped WHAT: 75, no target saw anything but a notice to ADMIN, no clear text
    is "$status $(taken external)" '75 0' "$1"
    is "$(cat "$base"/internal/*.args 2> /dev/null | grep -vc -e '^-' -e '^$' -e '<>' -e 'admin@behoerde.de')" 0 '... and no user hears of it'
    like "$said" '^4\.[0-9]+\.[0-9]+ ' '... and the first line says so'
}

# The last check stops what a broken smime module writes.
for fault in plain plain-text signed leak leak-after extra-header extra-recipient missing-recipient other-recipient truncated empty wrong-length; do
    faulty MODULE_SMIME smime --on encrypt --do $fault
    send anna@partner-1.com bert@partner-1.com
    stopped "encrypt: $fault"
done
for fault in other-message unsigned empty truncated; do
    faulty MODULE_SMIME smime --on sign --do $fault
    send x@signed.example
    stopped "sign: $fault"
done
faulty MODULE_SMIME smime --on sign --do other-message
send x@both.partner-1.com
stopped 'another message signed, then encrypted'
conf ''
send anna@partner-1.com
grep -q 'event=last-check fault=' "$base/logs/julia.log"
ok $? 'the log tells of last checks'

# Modules that do not answer, or not to the question.
for fault in hang die crash hang-after die-after die-mid-frame rubbish too-much no-xml wrong-id wrong-body temporary permanent none interaction; do
    faulty MODULE_SMIME smime --on encrypt --do $fault
    send anna@partner-1.com
    stopped "smime: $fault"
done
for fault in hang die rubbish wrong-id temporary interaction results-temporary; do
    faulty MODULES_KEYS keys-file --on find --do $fault
    send anna@partner-1.com
    stopped "keys: $fault"
done
for fault in hang die rubbish wrong-id temporary permanent none; do
    faulty MODULE_TRUST trust --on validate --do $fault
    send anna@partner-1.com
    stopped "trust: $fault"
done
for word in expired revoked distrusted no-path untrusted-root bad-signature wrong-use wrong-address weak; do
    faulty MODULE_TRUST trust --on validate --do verdict=$word
    send anna@partner-1.com
    is "$status $(taken external) $(taken internal)" '0 0 1' "verdict $word: refused and reported"
done
faulty MODULE_TRUST trust --on validate --do verdict=status-unknown
send anna@partner-1.com
stopped 'verdict status-unknown'

# A fault that passes: the retry sends to each exactly once.
faulty MODULE_SMIME smime --on encrypt --do die --once "$base/once"
forget
outgoing $sender anna@partner-1.com x@open.example < "$in"
is "$status $(taken external)" '75 1' 'one group fails, the other is sent'
outgoing $sender anna@partner-1.com x@open.example < "$in"
is "$status $(taken external)" '0 2' 'the retry sends the first only'

# Few calls: one find, one validate, one signature for all groups, one encryption a group.
faulty MODULE_SMIME smime --on nothing --do die --log "$base/calls"
rules '. (to) . (do) FS=mail@behoerde.de, EIP'
letter $sender 'anna@partner-1.com, ec@partner-1.com' 'many' > "$in"
send anna@partner-1.com ec@partner-1.com bert@partner-1.com trusted@partner-1.com a@x.example b@x.example
is "$status $(taken external)" '0 4' 'six recipients in four groups'
is "$(grep -cw sign "$base/calls") $(grep -cw encrypt "$base/calls")" '1 3' '... one signature, three encryptions'

# A message that kills the module again and again is returned, one that only finds it broken is not.
rules '. (to) partner-1.com (do) FE'
age() { # the journal says that the first run was SECONDS ago
    local file
    for file in $(find "$base/var/journal" -type f); do
        awk -v s="$1" '$2 ~ /^[0-9]+$/ { $2 -= s } { print }' "$file" > "$base/aged"
        cat "$base/aged" > "$file"
    done
}
faulty MODULE_SMIME smime --on encrypt --do die
echo 'GIVE_UP = 60s' >> "$base/etc/julia.conf"
send anna@partner-1.com
stopped 'the module dies'
age 100
outgoing $sender anna@partner-1.com < "$in"
is "$status $(taken external)" '0 0' '... and after GIVE_UP the message is returned'
like "$(cat "$base"/internal/*.eml)" 'Final-Recipient: rfc822; anna@partner-1.com' '... with a report'
faulty MODULE_SMIME smime --on hello --do die
echo 'GIVE_UP = 60s' >> "$base/etc/julia.conf"
send anna@partner-1.com
age 100
outgoing $sender anna@partner-1.com < "$in"
is "$status $(taken external)" '75 0' 'a module that always dies is not the fault of the message'

# Run after run is killed: in the end the message is returned.
faulty MODULE_SMIME smime --on encrypt --do hang
echo 'GIVE_UP = 60s' >> "$base/etc/julia.conf"
forget
for i in 1 2 3; do
    "$build/bin/julia" -c "$base/etc/julia.conf" -client 10.1.2.3 -sender $sender -readmail anna@partner-1.com < "$in" &
    child=$!
    sleep 0.5
    kill -KILL $child
    wait $child 2> /dev/null
done
conf $'GIVE_UP = 60s'
age 100
outgoing $sender anna@partner-1.com < "$in"
is "$status $(taken external)" '0 0' 'killed three times, and older than GIVE_UP: returned'
like "$(cat "$base"/internal/*.eml)" 'Final-Recipient: rfc822; anna@partner-1.com' '... with a report'

# The own deadline ends first, children are gone.
rules '. (to) partner-1.com (do) FE'
conf "MODULE_TIMEOUT = 3s
DEADLINE = 5s
MODULE_SMIME = $python $source/tests/faults/faulty-module.py --on encrypt --do hang -- $build/lib/modules/smime"
start=$(date +%s)
send anna@partner-1.com bert@partner-1.com trusted@partner-1.com
[ $(($(date +%s) - start)) -lt 15 ]
ok $? 'DEADLINE bounds the whole run'
stopped 'hanging modules'
sleep 0.2
is "$(pgrep -f "$base" | grep -cv "^$$\$")" 0 'no child is left'

# A killed run leaves the others' work alone.
conf "$limits"
sed -i "s|^TARGET_EXTERNAL.*|TARGET_EXTERNAL = $base/slow|" "$base/etc/julia.conf"
printf '#!/bin/sh\necho $$ >%s/asked\nsleep 2\nexec %s %s "$@"\n' "$base" "$here/store-target.sh" "$base/external" > "$base/slow"
chmod +x "$base/slow"
forget
"$build/bin/julia" -c "$base/etc/julia.conf" -client 10.1.2.3 -sender $sender -readmail x@open.example < "$in" > "$base/killed" &
child=$!
until [ -s "$base/asked" ] || ! kill -0 $child 2>/dev/null; do sleep 0.05; done
kill -TERM $child
wait $child
is "$? $(cut -d' ' -f1 "$base/killed")" '75 4.3.0' 'SIGTERM: 75 and a line that says it'
while kill -0 "$(cat "$base/asked")" 2>/dev/null; do sleep 0.05; done
is "$(taken external)" 0 'its hand-off was ended with it'
outgoing $sender x@open.example < "$in"
is "$status $(taken external)" '0 1' 'the retry delivers'

done_testing
