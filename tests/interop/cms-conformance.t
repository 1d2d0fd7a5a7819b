#!/bin/sh
# The CMS objects of the corpora, read by the smime module. Rows go to build/conformance for the table at the end.
cd "${JULIA_SOURCE:=$(dirname "$0")/../..}" || exit 1
export JULIA_SOURCE="$PWD" JULIA_BUILD="${JULIA_BUILD:-$PWD/build/release}"
if [ ! -d "${JULIA_CORPORA:-}" ]; then
    echo "1..0 # SKIP no corpora (JULIA_CORPORA names their folder)"
    exit 0
fi
mkdir -p build/conformance
rows=build/conformance/cms.tsv
echo 1..3
tests/interop/cms-conformance >$rows 2>build/conformance/cms.log
status=$?
sed 's/^/# /' build/conformance/cms.log
[ -s $rows ] || printf 'not '
echo "ok 1 - $(wc -l <$rows) objects read"
awk -F'\t' '($4 == "invalid" || $4 == "decrypt-fail") && $6 == "FAIL"' $rows | grep -q . && printf 'not '
echo "ok 2 - nothing accepted although invalid"
[ $status -eq 0 ] || printf 'not '
echo "ok 3 - nothing differs but what deviations-cms.tsv explains"
