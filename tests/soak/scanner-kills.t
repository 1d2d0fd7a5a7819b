#!/bin/sh
# Ten times the letters.
JULIA_KILLS_LETTERS=${JULIA_KILLS_LETTERS:-300} exec bash "$(dirname "$0")/../e2e/scanner-kills.t"
