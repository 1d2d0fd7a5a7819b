#!/bin/sh
# Every point of the fault matrix with the MTA in between.
JULIA_FAULT_POINTS=0 exec bash "$(dirname "$0")/../e2e/fault-queue.t"
