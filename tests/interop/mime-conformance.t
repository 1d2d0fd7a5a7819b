#!/bin/sh
# The MIME structure of the corpora's messages, as julia reads it.
. "${JULIA_SOURCE:-$(dirname "$0")/../..}/tests/interop/conformance.sh"
conformance mime
