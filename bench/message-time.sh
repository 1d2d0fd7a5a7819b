#!/bin/sh
# Whole runs of julia, with modules as services and spawned, against openssl cms: each operation at four sizes.
exec "${PYTHON:-python3}" "$(dirname "$0")/measure.py" cms
