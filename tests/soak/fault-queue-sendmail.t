#!/bin/sh
# Every point of the fault matrix with the MTA in between. With Sendmail.
JULIA_FAULT_POINTS=0 WORLD_MTA=sendmail exec bash "$(dirname "$0")/../e2e/fault-queue.t"
