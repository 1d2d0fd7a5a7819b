#!/bin/sh
# 10,000 mixed messages from 20 senders at once while the services are disturbed. With Sendmail.
JULIA_LOAD_MESSAGES=${JULIA_LOAD_MESSAGES:-10000} WORLD_MTA=sendmail exec bash "$(dirname "$0")/../e2e/load.t"
