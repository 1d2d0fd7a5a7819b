#!/bin/sh
# kill -9 at each single system call of a run.
JULIA_KILL_EVERY=1 exec "$(dirname "$0")/../e2e/kill.t"
