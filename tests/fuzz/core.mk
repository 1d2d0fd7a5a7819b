# Fuzz targets of the core.
FUZZERS += fuzz-prepare
fuzz-prepare_SRC = tests/fuzz/fuzz-prepare.c src/core/prepare.c src/core/prepare_field.c src/core/prepare_gap.c src/core/prepare_leaf.c
