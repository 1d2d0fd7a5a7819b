#!/bin/bash
# Mixed messages from many senders at once, while the services of the modules are killed, stopped, reloaded and frozen at random: every
# message is accounted for.
#   JULIA_LOAD_MESSAGES=N JULIA_LOAD_SENDERS=N JULIA_LOAD_SEED=N
. "$(dirname "$0")/lib.sh"
world_enter "$0" "$@"
. "$E2E/gateway.sh"
gate_conf='MODULE_TIMEOUT = 10s
GATEWAY_KEY = mail@behoerde.de'
gate_start
gate_services
export WORLD WORLD_CONF PKI WORLD_MTA JULIA_BUILD=$BUILD JULIA_SOURCE=$SOURCE
python3 "$SOURCE/tests/lib/load.py" "$pid_keys" "$pid_trust" "$pid_smime"
