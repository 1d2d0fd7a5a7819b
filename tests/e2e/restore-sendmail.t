#!/bin/bash
# Restoring etc/ alone on a machine with Sendmail (docs/restore.md; restore.t has the rest of the page): what is left of the old one is the
# archive, and /etc/mail as the page says it is needed.
WORLD_MTA=sendmail
. "$(dirname "$0")/lib.sh"
world_enter "$0" "$@"
. "$E2E/gateway.sh"
. "$E2E/restore.sh"

gate_start
world_rules '. (to) partner-1.com (do) FE, FS=mail@behoerde.de'
works 'before'
mkdir "$WORLD/archive"
run_block 'Save `etc/`'
ok $? 'etc/ is saved' || diag "$(cat "$WORLD/out")"
wait_for_quiet

mta_stop
find "$WORLD/mail" -mindepth 1 ! -name julia ! -name gateway.local.m4 ! -name service.switch -delete
echo 'VERSIONID(`as the packages make it)dnl' >"$WORLD/mail/sendmail.mc"
echo '# as the packages make it' >"$WORLD/mail/sendmail.cf"
fresh_install
ok $? 'a fresh installation'
run_block 'Put `etc/` back' && run_block 'Set owners and modes'
ok $? 'etc/ is put back' || diag "$(cat "$WORLD/out")"
check 2 'only the targets are missing'
like "$(cat "$WORLD/check")" "FAULT target external: .* -C $WORLD/mail/julia/external.cf: No such file" '... those of Sendmail'
block 'Sendmail: with' | sed "s#\$# --etc $WORLD/mail#" >"$WORLD/commands"
sh -eu "$WORLD/commands" >"$WORLD/out" 2>&1
ok $? 'the set-up script remembers what it was told' || diag "$(cat "$WORLD/out")"
start=$(sed -n 's/^now type: //p' "$WORLD/out")
sh -eu -c "${start:-false}" >"$WORLD/out" 2>&1
ok $? '... and starts as it says' || diag "$(cat "$WORLD/out")"
wait_until 30 _listens 25
check 0 'nothing is missing'
works 'restored'
done_testing
