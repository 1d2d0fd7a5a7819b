#!/bin/sh
# Ten times the letters, with Sendmail.
JULIA_KILLS_LETTERS=${JULIA_KILLS_LETTERS:-300} WORLD_MTA=sendmail exec bash "$(dirname "$0")/../e2e/scanner-kills.t"
