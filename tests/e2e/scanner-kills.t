#!/bin/bash
# Letters on their way through a real MTA and a real virus scanner while julia and its modules are killed at random moments, deliver-all
# runs twice at once, and the disks of the holds and of the journal are full now and then: afterwards each letter is where it belongs,
# encrypted as it came, and of the infected ones only ADMIN knows. The points one by one, without an MTA: fault-matrix.t, "scanner ...".
#   JULIA_KILLS_LETTERS=N JULIA_KILLS_SEED=N
. "$(dirname "$0")/lib.sh"
. "$E2E/scanner.sh"
scanner_enter "$0" "$@"
world_enter "$0" "$@"
. "$E2E/gateway.sh"
LETTERS=${JULIA_KILLS_LETTERS-30}
SEED=${JULIA_KILLS_SEED-1}
# shellcheck disable=SC2034 # gateway.sh reads it
gate_conf='DELIVER = original
MODULE_TIMEOUT = 5s'
gate_start_scanned
HOLD=$WORLD/base/var/hold
small_disk() { mount -t tmpfs -o "size=$2,mode=700,uid=$(id -u $WORLD_USER),gid=$(id -g $WORLD_USER)" tmpfs "$1"; }
small_disk "$HOLD" 300k
small_disk "$WORLD/base/var/journal" 100k
python3 "$E2E/scanner-kills.py" letters "$WORLD" "$LETTERS" "$SEED"

touch "$WORLD/killing"
python3 "$E2E/scanner-kills.py" kill "$WORLD" "$SEED" &
killer=$!
while [ -e "$WORLD/killing" ]; do
    "$B/deliver-all" -c "$WORLD_CONF" >/dev/null 2>&1 &
    "$B/deliver-all" -c "$WORLD_CONF" >/dev/null 2>&1
    wait $!
    sleep 1
done &
taken() { send_mail external anna@partner-1.com user_1@behoerde.de "$1" >"$WORLD/smtp" 2>&1; }
for letter in "$WORLD"/letters/*; do wait_until 60 taken "$letter" || diag "not taken: $(cat "$WORLD/smtp")"; done
_some_arrived() { [ "$(sink_count internal)" -ge $((LETTERS / 3)) ]; }
wait_until 60 _some_arrived
rm "$WORLD/killing"
wait $killer
diag "killed: $(sort "$WORLD/killed" | uniq -c | tr -s ' \n' ' ')"
[ -s "$WORLD/killed" ]
ok $? 'processes were killed'

mount -o remount,size=100m "$HOLD"
mount -o remount,size=100m "$WORLD/base/var/journal"
_calm() {
    "$B/deliver-all" -c "$WORLD_CONF" >/dev/null 2>&1
    wait_until 5 _all_quiet
}
wait_until 240 _calm
ok $? 'then nothing waits any more' || { world_log; log_why 3; }
python3 "$E2E/scanner-kills.py" account "$WORLD" "$LETTERS" >"$WORLD/account"
diag "$(grep '^#' "$WORLD/account")"
is "$(grep -v '^#' "$WORLD/account")" '' 'each clean letter has arrived as it came, no infected one, nothing in clear, nothing went outside, ADMIN knows' || world_log
is "$("$B/julia-hold" -c "$WORLD_CONF" list | awk '{ print $3 }' | sort -u)" refused 'held are only infected ones'
umount "$HOLD" "$WORLD/base/var/journal"
done_testing
