#!/bin/sh
# Every message of the corpora passes through julia byte for byte; the gateway rows say what a reader inside must see.
. "${JULIA_SOURCE:-$(dirname "$0")/../..}/tests/interop/conformance.sh"
conformance passthrough gateway
