#!/bin/bash
# julia-tenant: two tenants and a third beside the main installation, in a real MTA. Each has its own CA, keys and rules.
. "$(dirname "$0")/lib.sh"
world_enter "$0" "$@"
. "$E2E/gateway.sh"
. "$E2E/tenants.sh"
tenant_etc
world_start || { world_log; exit 1; }
tenant_users
for address in 10.11.0.7/32 10.12.0.7/32; do ip addr add $address dev lo; done
_start_sink alpha 2541
_start_sink beta 2542
tenant_install

mta_sums() { # every file of the MTA's configuration
    (cd /etc/postfix && find . -type f ! -path './julia-tenants/copies/*' -print0 | sort -z | xargs -0 sha256sum)
    find "$WORLD/queues" \( -name queue -o -name data \) -prune -o -type f -print0 | sort -z | xargs -0 sha256sum
}
tree_sums() { find "$WORLD" /etc/passwd /etc/group -maxdepth 1 | sort; cat /etc/passwd /etc/group; }
tenant_pki

# ---- what is refused ----------------------------------------------------------------------------------------------------------
mta_sums >"$WORLD/log/mta.before"
tree_sums >"$WORLD/log/tree.before"
refused 'cannot name a tenant' 'a name with a slash' add a/b alpha.example
refused 'cannot name a tenant' 'a name with dots' add ../x alpha.example
refused 'blanks can be neither' 'a name with a blank' add 'a b' alpha.example
refused 'cannot name a tenant' 'a name in capitals' add Alpha alpha.example
refused 'users of the modules of tenant alpha' 'a name that makes the user of a module' add alpha-keys alpha.example
refused 'at most 20' 'a long name' add abcdefghijklmnopqrstu alpha.example
refused 'main installation uses this word' 'a name that the main installation uses' add external alpha.example
refused 'is not a domain' 'an address for a domain' add alpha a@alpha.example
refused 'is not a domain' 'a pattern for a domain' add alpha '*.example'
refused 'behoerde.de belongs to the main installation' 'a domain of the main installation' add alpha behoerde.de
refused 'behoerde.de belongs to the main installation' 'a domain of the main installation with all below it' add alpha .behoerde.de
refused 'is not a network' 'bad networks' add -l 10.1.0.300 alpha alpha.example
refused 'is everybody' 'the world as client' add -l 0.0.0.0/0 alpha alpha.example
refused 'from this host itself' 'this host as client' add -l ::1 alpha alpha.example
refused 'each tenant.s scanner needs an address of its own' 'a scanner in clients of another' add -S 10.1.7.0/24 alpha alpha.example
refused 'is a scanner of the main installation' 'clients that are another scanner' add -l 10.2.0.2 alpha alpha.example
refused 'not a relay' 'a relay with a blank' add -i 'a b' alpha alpha.example
refused 'absolute path' 'a relative base' add -b x alpha alpha.example
refused 'exists already' 'a base that exists' add -b "$WORLD/log" alpha alpha.example
refused 'no tenant' 'removing what is not there' remove alpha
useradd --system julia-alpha
refused 'is a user julia-alpha already' 'a user that exists' add alpha alpha.example
userdel julia-alpha
as nobody "$BASE/bin/julia-tenant" list >/dev/null 2>"$WORLD/log/err"
is "$? $(cat "$WORLD/log/err")" '2 julia-tenant: run me as root' 'not root'
postconf -e 'content_filter = smtp:[127.0.0.1]:1'
world_age
refused 'content_filter is set' 'a content filter in the MTA' add alpha alpha.example
postconf -X content_filter
postconf -M 'julia-alpha/unix=julia-alpha unix - - n - - smtp'
world_age
refused 'this program did not make' 'a service of that name' add alpha alpha.example
postconf -MX julia-alpha/unix
world_age
tenant add -n alpha alpha.example -l 10.11.0.0/16 -i '[127.0.0.1]:2541' >"$WORLD/log/out" 2>&1
is "$?" 1 'add -n: shows'
like "$(cat "$WORLD/log/out")" 'would make the user julia-alpha' 'with the user'
like "$(cat "$WORLD/log/out")" 'would make .*/base-alpha$' '... the base'
like "$(cat "$WORLD/log/out")" 'would set service julia-alpha in' '... and the service'
is "$(mta_sums)" "$(cat "$WORLD/log/mta.before")" 'nothing of this has changed the MTA'
is "$(tree_sums)" "$(cat "$WORLD/log/tree.before")" '... or anything else'

# ---- three tenants ------------------------------------------------------------------------------------------------------------
# The first attempt fails half-way; the second completes it.
mount -o remount,ro,bind /etc/postfix
tenant add alpha alpha.example -l 10.11.0.0/16 -i '[127.0.0.1]:2541' >"$WORLD/log/out" 2>&1
is $? 1 'a file system that refuses: add fails' || diag "$(cat "$WORLD/log/out")"
like "$(cat "$WORLD/log/out")" 'was not completed; .*type the same again' '... and says what to do'
mount -o remount,rw,bind /etc/postfix
world_age
tenant add alpha alpha.example -l 10.11.0.0/16 -i '[127.0.0.1]:2541' >"$WORLD/log/out" 2>&1
ok $? 'the same once more: added' || diag "$(cat "$WORLD/log/out")"
world_age
mta_sums >"$WORLD/log/mta.alpha"
refused 'is a tenant alpha already' 'an existing tenant' add alpha other.example
refused 'inside the base of tenant alpha' 'a base inside of another' add -b "$A/var/x" beta beta.example
refused 'alpha.example belongs to tenant alpha' 'a domain of another tenant' add beta beta.example ALPHA.example
refused 'alpha.example belongs to tenant alpha' 'all below one of its names' add beta .alpha.example
tenant add beta --services --start beta.example .sub.beta.example -l '10.12.0.0/16 fd00:12::/32' -i '[127.0.0.1]:2542' >"$WORLD/log/out" 2>&1
ok $? 'a second one, its modules as services' || diag "$(cat "$WORLD/log/out")"
refused 'sub.beta.example belongs to tenant beta' 'a name below what is taken with all below' add gamma x.sub.beta.example
refused 'beta.example belongs to tenant beta' 'all below a name with one that is taken' add gamma .beta.example
tenant add gamma --start gamma.example >"$WORLD/log/out" 2>&1
ok $? 'a third one that shares everything with the main installation' || diag "$(cat "$WORLD/log/out")"
world_age
is "$(tenant update -n)" 'nothing to do: everything is as wanted' 'update: all is as wanted'

rm -f "$B/var/run/"*
python3 "$E2E/keys-units.py" /etc/systemd/system/julia-beta-*.socket >"$WORLD/units.log" 2>&1 &
for n in keys-file trust smime; do wait_until 30 test -S "$B/var/run/$n"; done
tenant_fill julia-alpha julia-beta-keys
tenant list >"$WORLD/list" 2>"$WORLD/log/err"
is "$? $(cut -f 1,3,4,5,7 "$WORLD/list" | sed 's/\t/|/g')" "0 NAME|DOMAINS|USER|SERVICE|CHECK
main|behoerde.de|julia|julia|ok
alpha|alpha.example|julia-alpha|julia-alpha|ok
beta|beta.example .sub.beta.example|julia-beta|julia-beta|ok
gamma|gamma.example|julia-gamma|julia-gamma|ok" 'list' || diag "$(cat "$WORLD/log/err" "$WORLD/units.log")"
is "$(cut -f 2 "$WORLD/list" | tail -n 1)" "$G" '... with the base'
like "$(cut -f 6 "$WORLD/list" | tail -n 1)" '^[0-9.]+[KM]' '... and its size'
is "$(tenant list -q)" '' 'list -q: nothing is wrong'
is "$(readlink "$A/bin") $(readlink "$A/lib")" "$BASE/bin $BASE/lib" 'the programs are those of the main installation'

# ---- who can read what ----------------------------------------------------------------------------------------------------------
letter "$M" a@alpha.example x@partner-1.com 'warm up'
send_mail 10.11.0.7 a@alpha.example x@partner-1.com "$M" >/dev/null
letter "$M" b@beta.example x@partner-1.com 'warm up'
send_mail 10.12.0.7 b@beta.example x@partner-1.com "$M" >/dev/null
wait_for_sink external 2
wait_for_quiet
install -m 600 -o julia-alpha "$M" "$A/var/hold/x"
install -m 600 -o julia-beta "$M" "$B/var/hold/x"
readable() { # readable USER TREE: what of it USER can read or list, tried one by one
    find "$2" \( -type f -o -type d \) >"$WORLD/log/tree"
    as "$1" python3 -c 'import os, sys
for path in sys.stdin.read().splitlines():
    try:
        os.listdir(path) if os.path.isdir(path) else open(path).close()
        print(path)
    except PermissionError:
        pass
    except FileNotFoundError:
        pass' <"$WORLD/log/tree"
}
for tree in "$A" "$B"; do for d in etc/private var/journal var/hold logs; do find "$tree/$d" -type f | head -n 1; done; done >"$WORLD/log/out"
is "$(wc -l <"$WORLD/log/out")" 8 'there are keys, journals, holds and logs to read' || diag "$(cat "$WORLD/log/out")"
for pair in "julia-alpha $B" "julia-beta $A" "julia-beta-keys $A" "julia-gamma $A" "julia-gamma $B" "julia $A" "julia $B" "nobody $A"; do
    is "$(readable $pair)" '' "${pair% *} can read nothing of ${pair#* }"
done
is "$(as julia-alpha cat "$A/etc/private/a.pem" | grep -c 'BEGIN PRIVATE')" 1 '(its own it can)'
for user in julia-beta julia-beta-smime julia-beta-trust; do
    as $user cat "$B/etc/private/b.pem" >/dev/null 2>&1
    is $? 1 "services: $user cannot read the keys of its own tenant"
done
for user in julia-beta:1 julia-beta-smime:0 julia-alpha:0; do
    as ${user%:*} "$BASE/bin/julia-module-check" -s "$BASE/lib/protocol.rng" "unix:$B/var/run/keys-file" >"$WORLD/log/out" 2>&1
    is $((! $?)) ${user#*:} "${user%:*} asks beta's key module" || diag "$(cat "$WORLD/log/out")"
done
is "$(readable julia-alpha "$BASE" | grep -c -e /private/ -e /journal/ -e /spool/)" 0 'nor can a tenant read keys and journals of the main installation'

# ---- outgoing: signed by whom it should -----------------------------------------------------------------------------------------
entries() { find "$1/var/journal" -type f | wc -l; }
_own_quiet() { [ -z "$(for q in alpha beta; do postqueue -c "$WORLD/queues/$q-internal/etc" -j; done 2>/dev/null)" ]; }
fresh() {
    wait_for_quiet
    wait_until 30 _own_quiet
    for s in external internal alpha beta; do sink_clear $s; done
}
fresh
for who in '10.11.0.7 a@alpha.example alpha' '10.12.0.7 b@beta.example beta' '10.1.0.7 g@gamma.example out' '10.1.0.7 u@behoerde.de out:mail@behoerde.de'; do
    set -- $who
    fresh
    from "$1" "$2" x@partner-1.com
    wait_for_sink external 1
    key=${3#*:}
    [ "$key" != "$3" ] || key=$2
    is "$(signed_by "${3%:*}" "$(sink_message external 1)")" "$key" "$2 from $1: signed by the right key"
done
before="$(entries "$A") $(entries "$B") $(entries "$G")"
fresh
from 10.11.0.7 '<>' x@partner-1.com
wait_for_sink external 1
is "$(signed_by alpha "$(sink_message external 1)")" a@alpha.example 'a null sender: the client tells whose mail it is'
wait_for_quiet
is "$(entries "$A") $(entries "$B") $(entries "$G")" "$((${before%% *} + 1)) ${before#* }" 'journals are separate'
fresh
from 10.11.0.7 b@beta.example x@partner-1.com
wait_for_sink beta 1
is "$(sink_count external) $(sink_envelope beta 1)" '0 <> b@beta.example' "a client of alpha that writes as beta: nobody's key signs, beta's sender hears of it"
like "$(send_mail external a@alpha.example x@partner-1.com "$M")" '^554|^454|^550' 'no open relay for outsiders'

# ---- incoming -------------------------------------------------------------------------------------------------------------------
for who in 'a a@alpha.example alpha' 'b b@beta.example beta' 'g g@gamma.example internal'; do
    set -- $who
    fresh
    sealed_for "$1" "$2"
    send_mail external x@partner-1.com "$2" "$M" >/dev/null
    wait_for_sink "$3" 1
    like "$(cat "$(sink_message "$3" 1)")" '^X-JULIA-Encryption: decrypted' "to $2: decrypted by its tenant, at its relay"
done
fresh
sealed_for a a@alpha.example
send_mail external x@partner-1.com b@beta.example "$M" >/dev/null
wait_for_sink beta 1
like "$(cat "$(sink_message beta 1)")" '^X-JULIA-Encryption: undecryptable' "what is sealed for alpha, beta cannot open"
send_mail external x@partner-1.com c@deep.sub.beta.example "$M" >/dev/null
wait_for_sink beta 2
ok $? 'a name below a domain with all below'
like "$(send_mail external x@partner-1.com c@other.beta.example "$M")" '^554|^454|^550' 'but not below one without'

# ---- from tenant to tenant ------------------------------------------------------------------------------------------------------
fresh
before="$(entries "$A") $(entries "$B")"
from 10.11.0.7 a@alpha.example b@beta.example
wait_for_sink beta 1
wait_for_quiet
is "$(tr -d '\r' <"$(sink_message beta 1)" | grep -E '^X-JULIA-(Encryption|Signature)')" 'X-JULIA-Encryption: decrypted
X-JULIA-Signature: valid' 'alpha to beta: outgoing by alpha, encrypted and signed, then incoming by beta'
is "$(entries "$A") $(entries "$B")" "$((${before% *} + 1)) $((${before#* } + 1))" '... once in each journal'
is "$(sink_count external) $(sink_count beta)" '0 1' '... without leaving this host, once'
like "$(grep 'event=message' "$A/logs/julia.log" | tail -n 1)" 'direction=outgoing' '... as the one log says'
like "$(grep 'event=message' "$B/logs/julia.log" | tail -n 1)" 'direction=incoming' '... and the other'
fresh
letter "$M" a@alpha.example b@beta.example subject
python3 -c 'import socket, sys
s = socket.create_connection(("127.0.0.1", 25), source_address=("10.11.0.7", 0))
f = s.makefile("rb")
body = open(sys.argv[1], "rb").read().replace(b"\n", b"\r\n")
def answer():
    while f.readline()[3:4] == b"-": pass
answer()
for line in b"EHLO x", b"MAIL FROM:<a@alpha.example>", b"RCPT TO:<b@beta.example>", b"BDAT %d LAST\r\n" % len(body) + body[:-2], b"QUIT":
    s.sendall(line + b"\r\n"); answer()' "$M"
wait_for_sink beta 1
like "$(cat "$(sink_message beta 1)")" '^X-JULIA-Signature: valid' '... by BDAT, too'
fresh
from 10.1.0.7 g@gamma.example a@alpha.example
wait_for_sink alpha 1
like "$(cat "$(sink_message alpha 1)")" '^X-JULIA-Signature: valid' 'from a client that two share: the sender tells whose mail it is'
fresh
from 10.1.0.7 u@behoerde.de b@beta.example,u2@behoerde.de,x@partner-1.com
wait_for_sink beta 1
wait_for_sink internal 1
wait_for_sink external 1
like "$(cat "$(sink_message beta 1)")" '^X-JULIA-Signature: valid' 'the main installation to a tenant, to itself and outside: each on its way'
is "$(sink_envelope internal 1) $(sink_envelope external 1)" 'u@behoerde.de u2@behoerde.de u@behoerde.de x@partner-1.com' '... once'
fresh
from 10.12.0.7 b@beta.example u@behoerde.de
wait_for_sink internal 1
like "$(cat "$(sink_message internal 1)")" '^X-JULIA-Signature: untrusted' 'a tenant to the main installation: incoming there'
fresh
from 10.11.0.7 '<>' b@beta.example 'X-JULIA-Signature: valid' 'X-JULIA-Signer: forged'
wait_for_sink beta 1
is "$(grep -c '^X-JULIA-Signer: forged' "$(sink_message beta 1)")" 0 'forged fields do not cross, even under a null sender'
fresh
from external a@alpha.example b@beta.example
wait_for_sink beta 1
like "$(cat "$(sink_message beta 1)")" '^X-JULIA-Signature: none' 'an outsider in the name of alpha: incoming at beta, signed by nobody'
sink_clear beta
letter "$M" a@alpha.example b@beta.example subject
submit_mail a@alpha.example b@beta.example "$M"
wait_for_text "$(log_of front)" 'relay=julia-beta.*dsn=5'
is "$(sink_count beta)" 0 'a program on this host in the name of alpha: refused, no short cut in clear'
fresh

# ---- notices --------------------------------------------------------------------------------------------------------------------
sink_fail alpha data '550 5.7.1 not here'
from external x@partner-1.com a@alpha.example
wait_for_sink external 1
is "$(sink_envelope external 1)" '<> x@partner-1.com' "alpha's relay refuses: the sender hears of it"
like "$(grep 'event=message' "$A/logs/julia.log" | tail -n 1)" 'direction=notice' "... through alpha's julia"
sink_ok alpha
fresh
sink_fail external data '550 5.1.1 unknown'
from 10.11.0.7 a@alpha.example nobody@partner-1.com
wait_for_sink alpha 1
is "$(sink_envelope alpha 1)" '<> a@alpha.example' "the outside refuses: alpha's sender hears of it at alpha's relay"
sink_ok external
fresh

# ---- changes -------------------------------------------------------------------------------------------------------------------
sed -i 's/^INTERNAL_DOMAINS = gamma.example/& gamma2.example/' "$G/etc/julia.conf"
tenant list -q >"$WORLD/log/out" 2>&1
is $? 1 'list: says when the MTA is not as julia.conf says'
like "$(cat "$WORLD/log/out")" 'julia-tenant update mends that' '... and what helps'
tenant update -n >"$WORLD/log/out" 2>&1
is "$? $(grep -c 'nothing to do' "$WORLD/log/out")" '1 0' 'update -n: says that something is to be done'
tenant update >"$WORLD/log/out" 2>&1
is "$? $(grep -c '^now type: ' "$WORLD/log/out")" '0 1' 'update: says what makes Postfix notice it'
tenant update --start >/dev/null 2>&1
is $? 0 '... or does it'
world_age
like "$(send_mail external x@partner-1.com g@gamma2.example "$M")" '^250' '... mail for the new domain is taken'
wait_for_sink internal 1
sed -i 's/^INTERNAL_DOMAINS = gamma.example/& b\xc3\xbccher.example/' "$G/etc/julia.conf"
like "$(tenant update -n 2>&1)" 'note: .*gamma/etc/julia.conf: write .*cher.example as xn--' 'update: a domain with umlauts, which julia.conf may have, Postfix would not know'
sed -i '/^INTERNAL_DOMAINS/s/ b[^ ]*cher.example//' "$G/etc/julia.conf"
echo 'NONSENSE = 1' >>"$G/etc/julia.conf"
like "$(tenant list -q 2>&1)" '^gamma.*faults: ' 'list: shows what julia -check finds'
sed -i '/NONSENSE/d' "$G/etc/julia.conf"
fresh
# Restored from its etc alone, with owners and modes of elsewhere.
userdel julia-gamma
rm -rf "$G/var" "$G/logs" "$G/bin" "$G/lib"
chown -R nobody:nogroup "$G/etc"
chmod -R u=rwX,go=rX "$G" "$G/etc"
tenant update --start >"$WORLD/log/out" 2>&1
ok $? 'update: makes what is missing of a tenant' || diag "$(cat "$WORLD/log/out")"
world_age
from 10.1.0.7 g@gamma.example x@partner-1.com
wait_for_sink external 1
is "$(signed_by out "$(sink_message external 1)")" g@gamma.example '... which works again'
is "$(readable nobody "$G")" '' '... and is closed to others again'
fresh

# ---- and out again --------------------------------------------------------------------------------------------------------------
like "$(world_setup --undo 2>&1)" 'tenants' 'the main installation cannot be taken out while there are tenants'
rm "$A/var/hold/x" "$B/var/hold/x"
sink_fail alpha connect '421 4.3.2 closed'
from external x@partner-1.com a@alpha.example
_waits() { ! tenant remove -n alpha >"$WORLD/log/out" 2>&1 && grep -q 'mail of alpha waits: internal' "$WORLD/log/out"; }
wait_until 30 _waits
ok $? 'remove: refuses while mail waits, and says where' || diag "$(cat "$WORLD/log/out")"
tenant remove alpha >/dev/null 2>&1
is "$? $(cd "$BASE/etc/tenants" && echo *)" '1 alpha beta gamma' '... and changes nothing'
sink_ok alpha
postqueue -c "$WORLD/queues/alpha-internal/etc" -f
wait_for_sink alpha 1
_left() { [ -z "$(postqueue -c "$WORLD/queues/alpha-internal/etc" -j)" ]; }
wait_until 30 _left
chmod 0 "$A/etc/julia.conf"
from 10.11.0.7 '<>' x@partner-1.com
wait_for_text "$(log_of front)" 'relay=julia-alpha.*status=deferred'
tenant remove -n alpha >"$WORLD/log/out" 2>&1
like "$(cat "$WORLD/log/out")" 'mail of alpha waits: main instance \(1\)' 'remove: sees mail that names none of its domains'
chmod 640 "$A/etc/julia.conf"
postqueue -f
wait_for_quiet
tenant remove gamma >"$WORLD/log/out" 2>&1
ok $? 'remove' || diag "$(cat "$WORLD/log/out")"
world_age
kill %?keys-units 2>/dev/null
wait %?keys-units 2>/dev/null
tenant remove --purge beta >"$WORLD/log/out" 2>&1
ok $? 'remove --purge' || diag "$(cat "$WORLD/log/out")"
world_age
is "$(find "$WORLD" -maxdepth 1 -name 'base-beta*')" '' '... nothing is left'
is "$(find /etc/systemd -name 'julia-beta*')" '' '... no unit'
is "$(getent passwd | grep -c '^julia-beta')" 0 '... no user'
is "$(mta_sums | grep -v -e /sealed -e /names)" "$(grep -v -e /sealed -e /names "$WORLD/log/mta.alpha")" 'the MTA is as it was with alpha alone, octet for octet'
tenant remove alpha >"$WORLD/log/out" 2>&1
ok $? 'the last one' || diag "$(cat "$WORLD/log/out")"
world_age
is "$(mta_sums)" "$(cat "$WORLD/log/mta.before")" 'the MTA is as it was in the beginning, octet for octet'
kept=$(echo "$A".removed-*)
is "$(stat -c '%U %a' "$kept") $(ls "$kept" | tr '\n' ' ')" 'root 700 etc logs ' 'etc and logs are kept, for root alone'
cmp -s "$kept/etc/private/a.pem" <(cat "$P/a.key" "$P/a.crt")
ok $? '... with the key'
is "$(find "$kept" ! -user root)" '' '... nothing there belongs to a number that another user may get'
is "$(cat /etc/passwd /etc/group)" "$(cat "$WORLD/passwd" "$WORLD/group")" 'the users are gone'
[ ! -e "$BASE/etc/tenants" ]
ok $? 'no tenant is left'

# An administrator's own changes in between stay.
tenant add alpha alpha.example -i '[127.0.0.1]:2541' >/dev/null 2>&1
echo '# a remark' >>/etc/postfix/main.cf
postconf -e 'smtpd_banner = hello' "relay_domains = $(postconf -h relay_domains) later.example" 'smtpd_data_restrictions = julia_tenants, reject_unauth_pipelining'
world_age
tenant remove --purge alpha >"$WORLD/log/out" 2>&1
ok $? 'edited in between: remove' || diag "$(cat "$WORLD/log/out")"
is "$(grep -c 'julia[-_]tenant' /etc/postfix/main.cf /etc/postfix/master.cf "$WORLD"/queues/*/etc/m*.cf | grep -v ':0')" '' 'nothing of the tenant is left'
is "$(postconf -h relay_domains smtpd_data_restrictions smtpd_banner; tail -n 3 /etc/postfix/main.cf | grep -c 'a remark')" 'behoerde.de later.example
reject_unauth_pipelining
hello
1' '... and the changes stay'
[ "$tap_failed" = 0 ] || world_log
done_testing
