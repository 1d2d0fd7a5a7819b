#!/bin/sh
# The forms of tests/e2e/memory.t with 200 MB.
JULIA_MEMORY_SIZE=200000000 exec "$(dirname "$0")/../e2e/memory.t"
