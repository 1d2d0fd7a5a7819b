#!/bin/sh
# Every point of the fault matrix, two gateways at once.
JULIA_FAULT_POINTS=0 JULIA_FAULT_JOBS=2 exec python3 "$(dirname "$0")/../e2e/fault-matrix.t"
