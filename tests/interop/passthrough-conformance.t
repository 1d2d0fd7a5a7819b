#!/bin/sh
# Every message of the corpora passes through julia byte for byte; the gateway rows say what a reader inside must see.
cd "${JULIA_SOURCE:=$(dirname "$0")/../..}" || exit 1
export JULIA_SOURCE="$PWD" JULIA_BUILD="${JULIA_BUILD:-$PWD/build/release}"
if [ ! -d "${JULIA_CORPORA:-}" ]; then
    echo "1..0 # SKIP no corpora (JULIA_CORPORA names their folder)"
    exit 0
fi
mkdir -p build/conformance
echo 1..4
n=0
for runner in passthrough gateway; do
    rows=build/conformance/$runner.tsv
    tests/interop/$runner-conformance >"$rows" 2>"build/conformance/$runner.log" || sed 's/^/# /' "build/conformance/$runner.log"
    n=$((n + 1))
    [ -s "$rows" ] || printf 'not '
    echo "ok $n - $runner: $(wc -l <"$rows") rows"
    n=$((n + 1))
    if cut -f6 "$rows" | grep -q FAIL; then
        grep FAIL "$rows" | head | sed 's/^/# /'
        printf 'not '
    fi
    echo "ok $n - $runner: each as expected"
done
