# Fuzz targets of the core.
FUZZERS += fuzz-prepare
fuzz-prepare_SRC = tests/fuzz/fuzz-prepare.c src/outgoing/prepare.c src/outgoing/prepare_field.c src/outgoing/prepare_gap.c src/outgoing/prepare_leaf.c
