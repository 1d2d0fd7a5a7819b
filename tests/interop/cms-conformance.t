#!/bin/sh
# The CMS objects of the corpora, read by the smime module.
. "${JULIA_SOURCE:-$(dirname "$0")/../..}/tests/interop/conformance.sh"
conformance cms
