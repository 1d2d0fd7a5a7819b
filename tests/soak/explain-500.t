#!/bin/sh
# 500 mixed messages: what -explain says is what is handed off.
JULIA_EXPLAIN_COUNT=500 JULIA_EXPLAIN_SEED=500 exec "$(dirname "$0")/../e2e/explain-agrees.t"
