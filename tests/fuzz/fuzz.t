#!/bin/bash
# Every fuzz target under ASan and UBSan on its seeds and on RUNS mutations of them, the same ones each time (tests/fuzz/driver.c).
# An input that fails stays in build/asan/tests/fuzz/NAME.failed.
set -u
SOURCE=${JULIA_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
RUNS=${RUNS:-2000}
FUZZ=$SOURCE/tests/fuzz
OUT=$SOURCE/build/asan/tests/fuzz
# shellcheck source=tests/e2e/tap.sh
. "$SOURCE/tests/e2e/tap.sh"

for file in "$FUZZ"/fuzz-*.c; do
    name=$(basename "$file" .c)
    dict=()
    [ ! -e "$FUZZ/$name.dict" ] || dict=(-dict="$FUZZ/$name.dict")
    said=$("$OUT/$name" "${dict[@]}" -runs="$RUNS" -artifact="$OUT/$name.failed" "$FUZZ/seeds/$name" 2>&1)
    ok $? "$name: $(printf '%s\n' "$said" | tail -n 1)" || diag "$said"
done
done_testing
