#!/bin/sh
# The largest process of each operation by size of the message: it must not grow with it.
exec "${PYTHON:-python3}" "$(dirname "$0")/measure.py" memory
