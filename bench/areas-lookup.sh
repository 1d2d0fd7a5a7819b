#!/bin/sh
# The time of a look-up must not grow with the store: 100 certificates against 20,000 (or $2) in one run. Ratios up to 2 are
# noise and deeper trees; more is a fault (exit status 1).
set -eu
small=${1:-100} large=${2:-20000}
folder=$(mktemp -d "${TMPDIR:-/tmp}/areas-lookup.XXXXXX")
trap 'rm -rf "$folder"' EXIT INT TERM
"${JULIA_BUILD:-build/release}/bench/areas-lookup" "$folder" "$small" "$large" 2
