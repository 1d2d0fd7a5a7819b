# Sourced by the conformance tests: conformance NAME... runs tests/interop/NAME-conformance over the corpora and leaves its rows in
# build/conformance for the table at the end. A runner fails when a row differs that its deviations file does not explain.
# shellcheck shell=sh
cd "${JULIA_SOURCE:=$(dirname "$0")/../..}" || exit 1
export JULIA_SOURCE="$PWD" JULIA_BUILD="${JULIA_BUILD:-$PWD/build/release}"

conformance_one() { # conformance_one NUMBER NAME
    rows=build/conformance/$2.tsv log=build/conformance/$2.log
    "tests/interop/$2-conformance" >"$rows" 2>"$log"
    status=$?
    sed 's/^/# /' "$log"
    if [ -s "$rows" ]; then echo "ok $1 - $2: $(wc -l <"$rows") rows"
    elif [ $status -eq 0 ]; then echo "ok $1 - $2 # SKIP none of its sets is in JULIA_CORPORA"
    else echo "not ok $1 - $2: no rows"; fi
    awk -F'\t' '($4 == "invalid" || $4 == "decrypt-fail") && $6 == "FAIL"' "$rows" | grep . && printf 'not '
    echo "ok $(($1 + 1)) - $2: nothing accepted although invalid"
    if [ $status -ne 0 ] || grep FAIL "$rows"; then printf 'not '; fi
    echo "ok $(($1 + 2)) - $2: nothing differs but what is explained"
}

conformance() {
    if [ ! -d "${JULIA_CORPORA:-}" ]; then
        echo "1..0 # SKIP no corpora (JULIA_CORPORA names their folder)"
        exit 0
    fi
    mkdir -p build/conformance
    echo "1..$(($# * 3))"
    number=1
    for name; do
        conformance_one $number "$name"
        number=$((number + 3))
    done
}
