#!/bin/sh
# Certification paths of the corpora, judged by the trust module.
. "${JULIA_SOURCE:-$(dirname "$0")/../..}/tests/interop/conformance.sh"
conformance path
