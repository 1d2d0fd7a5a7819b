#!/bin/bash
# A tenant with a virus scanner of its own, in gateway mode: its originals are held in its own store, what returns is its own, and
# what another scanner returns under its ids is not.
. "$(dirname "$0")/lib.sh"
world_enter "$0" "$@"
. "$E2E/gateway.sh"
. "$E2E/tenants.sh"
tenant_etc
world_start || { world_log; exit 1; }
tenant_users
for address in 10.11.0.7 10.11.9.2; do ip addr add $address/32 dev lo; done
_start_sink alpha 2541
tenant_install
tenant_pki
mkdir "$WORLD/scanner"
hop() { printf '%s\n' "$1" >"$WORLD/scanner/hop.conf"; }
hop 'def returns(data, recipients): yield data, recipients'
TMPDIR=$WORLD/scanner python3 "$E2E/smtp-hop.py" 2551 127.0.0.1:25 10.11.9.2 "$WORLD/scanner/hop.conf" 2>>"$WORLD/log/scanner.log" &
wait_until 60 _listens 2551

tenant add alpha --start alpha.example -l 10.11.0.0/24 -S 10.11.9.2 -i '[127.0.0.1]:2541' -s '[127.0.0.1]:2551' >"$WORLD/log/out" 2>&1
ok $? 'added, with a scanner of its own' || diag "$(cat "$WORLD/log/out")"
printf '%s\n' 'MODE = gateway' 'DELIVER = original' >>"$A/etc/julia.conf"
cp "$P/ca-alpha.crt" "$P/ca-out.crt" "$A/etc/ca"
own_key "$A" a julia-alpha
world_age
is "$(tenant list | grep ^alpha | cut -f 7)" ok 'list: its configuration is in order'

held() { find "$A/var/hold" -mindepth 1 -maxdepth 1 -type d -name '????????????????????????????????' | wc -l; }
_tenant_quiet() { [ -z "$(for q in alpha-internal alpha-scanner; do postqueue -c "$WORLD/queues/$q/etc" -j; done 2>/dev/null)" ]; }
# A letter goes from these queues to those and back: nothing lies in any of them, twice in a row.
_settled() { _all_quiet && _tenant_quiet && _all_quiet && _tenant_quiet; }
quiet() { wait_until 60 _settled; }

# ---- there and back -------------------------------------------------------------------------------------------------------------
sealed_for a a@alpha.example
send_mail external x@partner-1.com a@alpha.example "$M" >/dev/null
wait_for_sink alpha 1
quiet
got=$(sink_message alpha 1)
like "$(cat "$got")" '^X-JULIA-Encryption: decrypted' 'an encrypted letter: comes back from the scanner'
openssl cms -decrypt -in "$got" -recip "$P/a.crt" -inkey "$P/a.key" -out "$WORLD/inner" 2>/dev/null
is "$? $(grep -c '^Content-Disposition: .*smime.p7s' "$WORLD/inner")" '0 1' '... and reaches the relay as it came, encrypted'
is "$(grep -c '^X-JULIA-Hold' "$got")" 0 '... without the id'
is "$(find "$A/var/hold" ! -user julia-alpha -printf '%u %p ')" '' 'the store belongs to the tenant'
is "$(find "$BASE/var/hold" -mindepth 1 | wc -l)" 0 '... and nothing of it lies in that of the main installation'
as julia ls "$A/var/hold" >/dev/null 2>&1
is $? 2 '... which cannot read it'

# ---- held, and returned by the wrong one ----------------------------------------------------------------------------------------
hop 'def returns(data, recipients):
    open("/dev/shm/copy.%d" % __import__("os").getppid(), "wb").write(data)
    return iter(())'
sink_clear alpha
sealed_for a a@alpha.example
before=$(held)
send_mail external x@partner-1.com a@alpha.example "$M" >/dev/null
_held() { [ "$(held)" -gt "$before" ] && ls /dev/shm/copy.* >/dev/null 2>&1; }
wait_until 60 _held
ok $? 'a copy that the scanner keeps: the original is held'
quiet
mv /dev/shm/copy.* "$WORLD/copy"
like "$("$BASE/bin/julia-hold" -c "$A/etc/julia.conf" list)" 'a@alpha.example' 'julia-hold -c: shows it'
is "$("$BASE/bin/julia-hold" -c "$BASE/etc/julia.conf" list | grep -c alpha)" 0 '... and not for the main installation'
hop 'def returns(data, recipients): yield data, recipients'
send_mail external x@partner-1.com a@alpha.example "$WORLD/copy" >/dev/null
quiet
is "$(held)" $((before + 1)) 'an outsider returns the copy: the original stays held'
sink_clear alpha
send_mail 10.11.9.2 x@partner-1.com a@alpha.example "$WORLD/copy" >/dev/null
wait_for_sink alpha 1
quiet
like "$(cat "$(sink_message alpha 1)")" '^Content-Type: application/(x-)?pkcs7-mime' "the tenant's scanner returns it: exchanged"

# ---- outgoing and between tenants -----------------------------------------------------------------------------------------------
sink_clear external
from 10.11.0.7 a@alpha.example x@partner-1.com
wait_for_sink external 1
ok $? 'outgoing mail of the tenant leaves'
[ "$tap_failed" = 0 ] || world_log
done_testing
