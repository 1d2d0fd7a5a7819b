#!/bin/bash
# Saving and restoring etc/ alone (docs/restore.md): a gateway is used, its etc/ saved, everything else of it thrown away; then a fresh
# `make install`, the steps of the page as they are printed, and mail is signed, encrypted, decrypted and verified as before.
. "$(dirname "$0")/lib.sh"
world_enter "$0" "$@"
. "$E2E/gateway.sh"
. "$E2E/restore.sh"

front_as_before() { # the Postfix that was there before julia
    postfix stop 2>/dev/null
    rm -rf /etc/postfix/julia-postfix-setup.d
    _front_main >/etc/postfix/main.cf
    _front_master >/etc/postfix/master.cf
    world_age
}
set_up_again() {
    run_block 'Make the queues'
    ok $? "$1: the set-up script remembers what it was told" || diag "$(cat "$WORLD/out")"
    world_age
    postfix start 2>/dev/null
    wait_until 30 _listens 25
}

# ---- a gateway as it is in use -----------------------------------------------------------------------------------------------

gate_start
world_rules '. (to) partner-1.com (do) FE, FS=mail@behoerde.de'
echo '# ours' >>"$WORLD/base/etc/templates/de/notice.txt"
is "$(grep -c "^-[eis] \[127.0.0.1\]:25[345]0\$" "$WORLD/base/etc/postfix-setup.options")" 3 'the set-up script notes in etc/ what it was told'
works 'before'
mkdir "$WORLD/archive"
(cd "$WORLD/archive" && block 'Save `etc/`' | sh -eu) >"$WORLD/out" 2>&1
ok $? 'etc/ is saved' || diag "$(cat "$WORLD/out")"
is "$(stat -c %a "$WORLD/archive/julia-etc.tar.gz")" 600 'the archive is for nobody else'
wait_for_quiet

# ---- another machine: nothing is left but the archive; there the user has another number ------------------------------------------

front_as_before
fresh_install
ok $? 'a fresh installation'
for file in passwd group; do # in place: it is mounted over the one in /etc
    sed "/^$WORLD_USER:/s/61987/61986/g" "$WORLD/$file" >"$WORLD/new"
    cat "$WORLD/new" >"$WORLD/$file"
done
chown -R $WORLD_USER: "$WORLD/base/var" "$WORLD/base/logs"
run_block 'Put `etc/` back'
ok $? 'etc/ is put back' || diag "$(cat "$WORLD/out")"
chown -R 61987 "$WORLD/base/etc/private" # as a copy by numbers has it
block 'Does everything fit' | sh -eu >"$WORLD/check" 2>&1
like "$(cat "$WORLD/check")" 'FAULT .*etc/private' 'keys that belong to the number of old: -check says so'
run_block 'Set owners and modes'
ok $? 'owners and modes' || diag "$(cat "$WORLD/out")"
check 2 'now only the targets are missing'
like "$(grep '^FAULT' "$WORLD/check" | head -n 1)" "^$(block 'At this point' | sed 's/[][*.]/\\&/g')\$" '... in the words of the page'
set_up_again 'restored'
check 0 'nothing is missing'
works 'restored'
is "$(tail -n 1 "$WORLD/base/etc/templates/de/notice.txt")" '# ours' "what was edited is back"
is "$(find "$WORLD/base/var/index" -name '*.sqlite' | wc -l)" 2 'the index is made anew'
is "$(stat -c %U "$WORLD/base/logs/julia.log" "$WORLD/base/logs/verify.log" | sort -u)" $WORLD_USER 'logs begin anew'
wait_for_quiet

# ---- a copy without modes and owners -----------------------------------------------------------------------------------------------

front_as_before
mkdir "$WORLD/plain"
tar -C "$WORLD/plain" -xzf "$WORLD/archive/julia-etc.tar.gz"
fresh_install
(umask 022; cp -R --no-preserve=all "$WORLD/plain/etc/." "$WORLD/base/etc")
block 'Does everything fit' | sh -eu >"$WORLD/check" 2>&1
like "$(cat "$WORLD/check")" 'FAULT .*private key refused' 'a key that others can read: -check names it'
rm -rf "$WORLD/base/etc"
(umask 077; cp -R --no-preserve=all "$WORLD/plain/etc" "$WORLD/base/etc")
run_block 'Set owners and modes'
check 2 'owners and modes as on the page mend copies of both kinds'
set_up_again 'plain copy'
works 'plain copy'
wait_for_quiet

# ---- /etc/postfix was saved, too: only the queues are missing ----------------------------------------------------------------------

postfix stop 2>/dev/null
rm -rf "$WORLD/queues"
set_up_again '/etc/postfix restored'
works '/etc/postfix restored'

# ---- an older etc/ over a gateway that runs ------------------------------------------------------------------------------------------

rm "$WORLD/base/etc/public/anna.pem"
cp "$PKI/bert.crt" "$WORLD/base/etc/private/mail.pem"
world_rules '. (to) . (do) NS'
letter "$WORLD/m" user_1@behoerde.de anna@partner-1.com 'out'
is "$(gate_explain 10.1.0.7 user_1@behoerde.de anna@partner-1.com <"$WORLD/m" | grep -c '^outgoing.*sign=no.encrypt=no')" 1 'spoiled'
run_block 'Put `etc/` back' && run_block 'Set owners and modes'
ok $? 'put back over a running gateway'
works 'older over newer'
done_testing
