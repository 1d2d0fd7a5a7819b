#!/bin/bash
# libFuzzer searches for an hour in each target, or SECONDS_EACH; JOBS of them at a time. FUZZERS names the targets (all).
# What it learned stays in build/fuzz/corpus/NAME and is where the next run begins. An input that crashes, leaks, or takes more
# than five seconds or a gigabyte is kept as build/fuzz/failed/NAME-*.
set -u
SOURCE=${JULIA_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
export SECONDS_EACH=${SECONDS_EACH:-3600} FUZZ=$SOURCE/tests/fuzz OUT=$SOURCE/build/fuzz
# shellcheck source=tests/e2e/tap.sh
. "$SOURCE/tests/e2e/tap.sh"
read -ra targets <<<"${FUZZERS:-$(cd "$FUZZ" && echo fuzz-*.c | sed 's/\.c\b//g')}"
[ -x "$OUT/tests/fuzz/${targets[0]}" ] || skip_all 'the fuzz targets are not built: clang and libclang-rt-14-dev are needed'

# One target; says in one line how it went.
search() {
    local name=$1 log=$OUT/log/$1.log dict=()
    mkdir -p "$OUT/corpus/$name" "$OUT/failed" "$OUT/log"
    [ ! -e "$FUZZ/$name.dict" ] || dict=(-dict="$FUZZ/$name.dict")
    nice -n 19 "$OUT/tests/fuzz/$name" "${dict[@]}" -max_total_time="$SECONDS_EACH" -timeout=5 -rss_limit_mb=1024 -print_final_stats=1 \
        -artifact_prefix="$OUT/failed/$name-" "$OUT/corpus/$name" "$FUZZ/seeds/$name" >"$log" 2>&1
    local status=$? runs
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    if [ $status = 0 ]; then
        printf 'ok - %s: %s inputs in %s s\n' "$name" "$runs" "$SECONDS_EACH"
    else
        printf 'not ok - %s: see %s\n' "$name" "$log"
    fi
}
export -f search

printf '1..%d\n' "${#targets[@]}"
printf '%s\n' "${targets[@]}" | xargs -P "${JOBS:-2}" -I{} bash -c 'search {}' |
    awk '{ print; fflush() } /^not ok/ { failed = 1 } END { exit failed }'
