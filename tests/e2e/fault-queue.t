#!/bin/bash
# The fault matrix with a real MTA in between: programs killed at their system calls, relays that refuse, hang and cut connections, full
# target queues, an MTA that is killed itself. Whatever it was, the MTA's own retries deliver everything.
#   JULIA_FAULT_POINTS=N  how many kills; 0: all of them (tests/soak)
. "$(dirname "$0")/lib.sh"
world_enter "$0" "$@"
command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null || skip_all 'strace is not here or may not trace'
. "$E2E/gateway.sh"
gate_conf='GATEWAY_KEY = mail@behoerde.de'
gate_start

# julia and its modules start by tests/faults/inject.
F=$WORLD/faults
mkdir -m 1777 "$F" "$F/orders"
cp "$SOURCE/tests/faults/inject" "$F/inject"
chmod 755 "$F/inject"
mv "$B/julia" "$B/julia.real"
printf '#!/bin/sh\nexec %s %s julia %s "$@"\n' "$F/inject" "$F/orders" "$B/julia.real" >"$B/julia.new"
chmod 755 "$B/julia.new"
mv "$B/julia.new" "$B/julia"
gate_modules="MODULES_KEYS = $F/inject $F/orders keys-file $WORLD/base/lib/modules/keys-file
MODULE_TRUST = $F/inject $F/orders trust $WORLD/base/lib/modules/trust
MODULE_SMIME = $F/inject $F/orders smime $WORLD/base/lib/modules/smime"
gate_configure ''
world_rules "$(python3 -c 'import sys; sys.path.insert(0, sys.argv[1]); import queuelab; print(queuelab.RULES)' "$SOURCE/tests/lib")"
export WORLD WORLD_CONF PKI WORLD_MTA WORLD_USER JULIA_BUILD=$BUILD JULIA_SOURCE=$SOURCE
# shellcheck disable=SC2154 # lib.sh sets it
SINKS=$_sink_pids python3 "$SOURCE/tests/lib/faultqueue.py"
