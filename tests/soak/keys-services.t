#!/bin/sh
# 200 runs, 20 at once, three times: services under load, reloads, killed workers.
JULIA_RUNS=200 JULIA_PARALLEL=20 exec python3 "$(dirname "$0")/../e2e/keys-services.t"
