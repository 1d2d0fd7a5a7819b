#!/bin/sh
# Certification paths of the corpora, judged by the trust module. Rows go to build/conformance for the table at the end.
cd "${JULIA_SOURCE:=$(dirname "$0")/../..}" || exit 1
export JULIA_SOURCE="$PWD" JULIA_BUILD="${JULIA_BUILD:-$PWD/build/release}"
if [ ! -d "${JULIA_CORPORA:-}" ]; then
    echo "1..0 # SKIP no corpora (JULIA_CORPORA names their folder)"
    exit 0
fi
mkdir -p build/conformance
rows=build/conformance/path.tsv
echo 1..3
tests/interop/path-conformance >$rows 2>build/conformance/path.log
status=$?
sed 's/^/# /' build/conformance/path.log
[ -s $rows ] || printf 'not '
echo "ok 1 - $(wc -l <$rows) paths judged"
awk -F'\t' '$4 == "invalid" && $6 == "FAIL"' $rows | grep -q . && printf 'not '
echo "ok 2 - nothing accepted although invalid"
[ $status -eq 0 ] || printf 'not '
echo "ok 3 - nothing differs but what deviations-path.tsv explains"
