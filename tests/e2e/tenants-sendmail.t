#!/bin/bash
# julia-tenant with Sendmail: whose mail is it, by client, sender and recipient; from one tenant to another; and out again.
. "$(dirname "$0")/lib.sh"
if [ -z "${JULIA_IN_WORLD-}" ]; then
    SENDMAIL=$("$SOURCE/tests/tools/fetch-sendmail" "$BUILD/../tests/sendmail" 2>&1) || skip_all "$SENDMAIL"
    export SENDMAIL
fi
world_enter "$0" "$@"
. "$E2E/gateway.sh"
. "$E2E/tenants.sh"

# ---- a Sendmail with julia in it ------------------------------------------------------------------------------------------------
tenant_etc
WORLD=$(mktemp -d "${TMPDIR:-/tmp}/julia-world.XXXXXX")
chmod 755 "$WORLD"
WORLD_CONF=$WORLD/base/etc/julia.conf
MAIL=$WORLD/mail
finish() {
    local status=$?
    trap - EXIT
    [ ! -x "$WORLD/base/bin/julia-sendmail-setup" ] || setup --stop >/dev/null 2>&1
    pkill -x sendmail
    for pid in ${_sink_pids-}; do kill "$pid" 2>/dev/null; done
    cd / && umount -l /etc && rm -rf "$ETC"
    if [ "${WORLD_KEEP-}" = yes ]; then diag "kept: $WORLD"; else rm -rf "$WORLD"; fi
    exit $status
}
trap finish EXIT
mkdir -p "$WORLD/log" "$WORLD/sinks" "$MAIL"
_world_network
_world_user
umount -l /etc/passwd /etc/group
cp "$WORLD/passwd" "$WORLD/group" /etc
for address in 10.11.0.7/32 10.12.0.7/32; do ip addr add $address dev lo; done
for sink in external:2550 scanner:2530 internal:2540 alpha:2541 beta:2542; do _start_sink ${sink%:*} ${sink#*:}; done
cp -a "$SENDMAIL" "$WORLD/sendmail"
SENDMAIL=$WORLD/sendmail/bin/sendmail
: >"$WORLD/sendmail/log"
chmod 666 "$WORLD/sendmail/log"
tenant_install
chown -R julia: "$BASE/var" "$BASE/logs" "$BASE/etc/private"
cat >>"$WORLD_CONF" <<END
MTA = sendmail
MTA_CONFIG = $MAIL/sendmail.cf
MYHOSTNAME = gate.behoerde.de
ADMIN = admin@behoerde.de
INTERNAL_CLIENTS = 10.1.0.0/16
SCANNER_CLIENTS = 10.2.0.0/16
INTERNAL_DOMAINS = behoerde.de
TARGET_EXTERNAL = $SENDMAIL -L julia-external -C$MAIL/julia/external.cf
TARGET_SCANNER = $SENDMAIL -L julia-scanner -C$MAIL/julia/scanner.cf
TARGET_INTERNAL = $SENDMAIL -L julia-internal -C$MAIL/julia/internal.cf
END
setup() { "$BASE/bin/julia-sendmail-setup" -b "$BASE" --etc "$MAIL" --cf "$WORLD/sendmail/cf" --sendmail "$SENDMAIL" "$@"; }
tenant_pki
printf 'behoerde.de\n10.1\n' >"$MAIL/relay-domains"
mkdir "$MAIL/julia" # no DNS here
echo 'hosts files' >"$MAIL/service.switch"
printf "%s\n" "FEATURE(\`accept_unresolvable_domains')dnl" "define(\`confSERVICE_SWITCH_FILE', \`$MAIL/service.switch')dnl" >"$MAIL/julia/gateway.local.m4"
setup --new -r "$WORLD/queues" -e '[127.0.0.1]:2550' -s '[127.0.0.1]:2530' -i '[127.0.0.1]:2540' >"$WORLD/log/setup" 2>&1 ||
    { diag "$(cat "$WORLD/log/setup")"; exit 1; }
sums() { find "$MAIL" "$WORLD/queues" -name mqueue -prune -o -type f ! -path '*/copies/*' ! -name '*.pid' ! -name statistics -print0 | sort -z | xargs -0 sha256sum; }
sums >"$WORLD/log/before"

# ---- in --------------------------------------------------------------------------------------------------------------------------
refused 'Sendmail delivers gate.behoerde.de itself' 'a domain that Sendmail delivers itself' add alpha .gate.behoerde.de.example gate.behoerde.de
echo 'Mjulia-alpha, P=/bin/false' >>"$MAIL/sendmail.cf"
refused 'this program did not make' 'a mailer of that name' add alpha alpha.example
sed -i '$d' "$MAIL/sendmail.cf"
tenant add -n alpha alpha.example >/dev/null 2>&1
is "$? $(sums)" "1 $(cat "$WORLD/log/before")" 'add -n: shows, changes nothing'
tenant add alpha alpha.example -l '10.11.0.0/18 fd00:11::/35' -i '[127.0.0.1]:2541' >"$WORLD/log/out" 2>&1
ok $? 'a tenant' || diag "$(cat "$WORLD/log/out")"
sums >"$WORLD/log/alpha"
tenant add beta beta.example .sub.beta.example -l 10.12.0.0/16 -i '[127.0.0.1]:2542' >"$WORLD/log/out" 2>&1
ok $? 'a second one' || diag "$(cat "$WORLD/log/out")"
tenant add --start gamma gamma.example >"$WORLD/log/out" 2>&1
ok $? 'a third one that shares clients with the main installation' || diag "$(cat "$WORLD/log/out")"
is "$(tenant update -n)" 'nothing to do: everything is as wanted' 'update: all is as wanted'
is "$(setup -n -e '[127.0.0.1]:2550' -s '[127.0.0.1]:2530' -i '[127.0.0.1]:2540' 2>&1 | grep -v note:)" 'nothing to do: everything is as wanted' 'julia-sendmail-setup: agrees'
tenant_fill julia-alpha julia-beta
is "$(tenant list | cut -f 1,7 | tr '\t\n' ': ')" 'NAME:CHECK main:ok alpha:ok beta:ok gamma:ok ' 'list' || diag "$(tenant list 2>&1)"
is "$(stat -c '%U %a' "$WORLD/queues/alpha-internal/mqueue")" 'julia-alpha 700' 'queues of its own, for it alone'

# ---- where Sendmail would send it ------------------------------------------------------------------------------------------------
resolve() { printf '3,0 %s\n' "$1" | "$SENDMAIL" -C"$MAIL/sendmail.cf" -bt 2>/dev/null | sed -n 's/^parse  *returns: \$# *\([^ ]*\) .*/\1/p'; }
for pair in a@alpha.example=julia-alpha b@BETA.example=julia-beta c@sub.beta.example=julia-beta c@x.y.sub.beta.example=julia-beta g@gamma.example=julia-gamma \
    c@other.beta.example=julia u@behoerde.de=julia x@partner-1.com=julia root@gate.behoerde.de=local; do
    is "$(resolve "${pair%=*}")" "${pair#*=}" "${pair%=*}: ${pair#*=}"
done
owner() { # owner CLIENT SENDER
    printf '.D{client_addr}%s\n.D{daemon_name}MTA\n.Dsclient\nLocal_check_mail %s\n3,0 x@partner-1.com\n' "$1" "$2" |
        "$SENDMAIL" -C"$MAIL/sendmail.cf" -bt 2>/dev/null | sed -n 's/^parse  *returns: \$# *\([^ ]*\) .*/\1/p'
}
while read -r client sender mailer; do
    is "$(owner "$client" "$sender")" "$mailer" "$sender from $client: $mailer"
done <<'END'
10.11.63.255 <a@alpha.example> julia-alpha
10.11.0.7 <> julia-alpha
10.11.0.7 <b@beta.example> julia-alpha
10.11.64.0 <a@alpha.example> julia
110.11.0.7 <> julia
IPv6:fd00:11:1fff:0:0:0:0:1 <> julia-alpha
IPv6:fd00:11:0:0:0:0:0:1 <> julia-alpha
IPv6:fd00:11:2000:0:0:0:0:1 <> julia
10.12.255.1 <c@x.sub.beta.example> julia-beta
10.1.0.7 <g@GAMMA.example> julia-gamma
10.1.0.7 <u@behoerde.de> julia
10.1.0.7 <> julia
203.0.113.9 <a@alpha.example> julia
END

# ---- real mail -------------------------------------------------------------------------------------------------------------------
wait_until 30 _listens 25
wait_until 30 _listens 10032
entries() { find "$1/var/journal" -type f | wc -l; }
waiting_files() { find "$MAIL/mqueue" "$WORLD"/queues/*/mqueue -type f; }
_quiet() { [ -z "$(waiting_files)" ]; }
# Sendmail tries again only after minutes what a loaded machine let fail once.
wait_for_sink() {
    local tries
    for tries in 1 2 3 4 5 6; do
        ! wait_until 10 _sink_has "$1" "$2" || return 0
        for cf in "$MAIL/sendmail.cf" "$MAIL"/julia/*.cf; do "$SENDMAIL" -C"$cf" -q >/dev/null 2>&1; done
    done
    diag "sink $1 has $(sink_count "$1") messages, not $2, after $tries tries" "$(tail -n 20 "$WORLD/sendmail/log")"
    return 1
}
fresh() {
    wait_until 60 _quiet || diag 'mail waits' "$(waiting_files)"
    for s in external internal alpha beta; do sink_clear $s; done
}
log_end() { grep 'event=message' "$1/logs/julia.log" | tail -n 1; }
for who in '10.11.0.7 a@alpha.example alpha' '10.12.0.7 b@beta.example beta' '10.1.0.7 g@gamma.example out' '10.1.0.7 u@behoerde.de out:mail@behoerde.de'; do
    set -- $who
    fresh
    from "$1" "$2" x@partner-1.com
    wait_for_sink external 1
    key=${3#*:}
    [ "$key" != "$3" ] || key=$2
    is "$(signed_by "${3%:*}" "$(sink_message external 1)")" "$key" "$2 from $1: signed by the right key"
done
for who in 'a a@alpha.example alpha' 'b b@beta.example beta' 'g g@gamma.example internal'; do
    set -- $who
    fresh
    sealed_for "$1" "$2"
    send_mail external x@partner-1.com "$2" "$M" >/dev/null
    wait_for_sink "$3" 1
    like "$(cat "$(sink_message "$3" 1)")" '^X-JULIA-Encryption: decrypted' "to $2: decrypted by its tenant, at its relay"
done
like "$(send_mail external a@alpha.example x@partner-1.com "$M")" '^(550|450)' 'no open relay for outsiders'
fresh
before="$(entries "$A") $(entries "$B")"
from 10.11.0.7 a@alpha.example b@beta.example
wait_for_sink beta 1
fresh_beta=$(tr -d '\r' <"$(sink_message beta 1)" | grep -E '^X-JULIA-(Encryption|Signature)')
wait_until 60 _quiet
is "$fresh_beta" 'X-JULIA-Encryption: decrypted
X-JULIA-Signature: valid' 'alpha to beta: outgoing by alpha, encrypted and signed, then incoming by beta'
is "$(entries "$A") $(entries "$B")" "$((${before% *} + 1)) $((${before#* } + 1))" '... once in each journal'
is "$(sink_count external) $(sink_count beta)" '0 1' '... without leaving this host, once'
like "$(log_end "$B")" 'direction=incoming' '... as its log says'
fresh
from 10.1.0.7 u@behoerde.de b@beta.example,u2@behoerde.de,x@partner-1.com
wait_for_sink beta 1
wait_for_sink internal 1
wait_for_sink external 1
like "$(cat "$(sink_message beta 1)")" '^X-JULIA-Signature: valid' 'the main installation to a tenant, to itself and outside: each on its way'
is "$(sink_envelope internal 1) $(sink_envelope external 1)" 'u@behoerde.de u2@behoerde.de u@behoerde.de x@partner-1.com' '... once'
fresh
from 10.11.0.7 '<>' b@beta.example 'X-JULIA-Signature: valid' 'X-JULIA-Signer: forged'
wait_for_sink beta 1
is "$(grep -c '^X-JULIA-Signer: forged' "$(sink_message beta 1)")" 0 'forged fields do not cross, even under a null sender'
fresh
sink_fail alpha data '550 5.7.1 not here'
from external x@partner-1.com a@alpha.example
wait_for_sink external 1
is "$(sink_envelope external 1)" '<> x@partner-1.com' "alpha's relay refuses: the sender hears of it"
like "$(log_end "$A")" 'direction=notice' "... through alpha's julia"
sink_ok alpha
fresh
sink_fail external data '550 5.1.1 unknown'
from 10.11.0.7 a@alpha.example nobody@partner-1.com
wait_for_sink alpha 1
is "$(sink_envelope alpha 1)" '<> a@alpha.example' "the outside refuses: alpha's sender hears of it at alpha's relay"
sink_ok external
fresh

# An account on this host as sender: Sendmail would run the mailer as that user.
before=$(entries "$A")
letter "$M" a@alpha.example x@partner-1.com subject
send_mail 10.11.0.7 julia-beta@gate.behoerde.de x@partner-1.com "$M" >/dev/null
wait_for_sink external 1
is "$(entries "$A") $(find "$A/var" ! -user julia-alpha)" "$((before + 1)) " "a user of another tenant as sender: alpha's julia runs as alpha's user"
fresh

# Whose mail it is survives the queue: the tenant's julia cannot run at the first try.
chmod 0 "$A/etc/julia.conf"
from 10.11.0.7 a@alpha.example b@beta.example
waits() { grep -q "$1" "$WORLD/sendmail/log"; }
wait_until 30 waits 'mailer=julia-alpha.*stat=Deferred'
ok $? "alpha's julia cannot work: its mail waits"
from 10.11.0.7 '<>' x@partner-1.com
wait_until 30 waits 'to=<x@partner-1.com>.*mailer=julia-alpha.*stat=Deferred'
like "$(tenant remove -n alpha 2>&1)" 'mail of alpha waits: receiving instance \(2\)' 'remove: sees both, also that which names none of its domains'
is "$(sink_count beta)" 0 '... and does not take another way'
chmod 640 "$A/etc/julia.conf"
"$SENDMAIL" -C"$MAIL/sendmail.cf" -q
wait_for_sink beta 1
wait_for_sink external 1
is "$(tr -d '\r' <"$(sink_message beta 1)" | grep '^X-JULIA-Signature:')" 'X-JULIA-Signature: valid' 'the next try still knows whose mail it is'
fresh

# The other definition of the mailer, that of the operating concept.
setup --mailer concept >"$WORLD/log/out" 2>&1 && tenant update --start >"$WORLD/log/out" 2>&1
ok $? 'the mailer of the operating concept' || diag "$(cat "$WORLD/log/out")"
like "$(grep -A2 '^Mjulia-alpha,' "$MAIL/sendmail.cf" | tr -s ' \t\n' ' ')" 'F=sDFmMoqeu9, U=julia-alpha:julia-alpha, D=.*-client \$\{client_addr\} -readmail \$u' '... for tenants, with their users'
wait_until 30 _listens 10032
from 10.11.0.7 a@alpha.example b@beta.example
wait_for_sink beta 1
is "$(tr -d '\r' <"$(sink_message beta 1)" | grep '^X-JULIA-Signature:')" 'X-JULIA-Signature: valid' '... works'
fresh
setup --mailer recommended >"$WORLD/log/out" 2>&1 && tenant update --start >"$WORLD/log/out" 2>&1
ok $? 'and back' || diag "$(cat "$WORLD/log/out")"

# ---- and out again -----------------------------------------------------------------------------------------------------------------
like "$(setup --undo 2>&1)" 'there are tenants' 'the main installation cannot be taken out while there are tenants'
sink_fail beta connect '421 4.3.2 closed'
from external x@partner-1.com b@beta.example
_held() { tenant remove beta >"$WORLD/log/out" 2>&1; [ $? = 1 ] && grep -q 'mail of beta waits: internal' "$WORLD/log/out"; }
wait_until 30 _held
ok $? 'remove: refuses while mail waits, and says where' || diag "$(cat "$WORLD/log/out")"
sink_ok beta
"$SENDMAIL" -C"$MAIL/julia/beta-internal.cf" -q
wait_for_sink beta 1
wait_until 60 _quiet
for name in gamma beta; do
    tenant remove --purge $name >"$WORLD/log/out" 2>&1
    ok $? "remove $name" || diag "$(cat "$WORLD/log/out")"
done
without_names() { grep -v -e /names -e sendmail.cf -e setup.sums "$1"; }
sums >"$WORLD/log/now"
is "$(without_names "$WORLD/log/now")" "$(without_names "$WORLD/log/alpha")" 'all files of Sendmail are as they were with alpha alone'
tenant remove --purge alpha >"$WORLD/log/out" 2>&1
ok $? 'the last one' || diag "$(cat "$WORLD/log/out")"
is "$(sums)" "$(cat "$WORLD/log/before")" 'all files of Sendmail are as they were in the beginning, octet for octet'
is "$(getent passwd | grep -c '^julia-')" 0 'the users are gone'
setup --undo >"$WORLD/log/out" 2>&1
ok $? 'now the main installation can be taken out' || diag "$(cat "$WORLD/log/out")"
[ "$tap_failed" = 0 ] || { for f in "$WORLD/sendmail/log" "$WORLD"/base*/logs/julia.log; do diag "--- $f" "$(tail -n 20 "$f" 2>/dev/null)"; done; }
done_testing
