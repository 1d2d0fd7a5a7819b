# Fuzz targets of the core.
FUZZERS += fuzz-prepare
fuzz-prepare_SRC = tests/fuzz/fuzz-prepare.c src/outgoing/prepare.c src/outgoing/prepare_field.c src/outgoing/prepare_gap.c src/outgoing/prepare_leaf.c
FUZZERS += fuzz-hcp fuzz-legacy
fuzz-hcp_SRC = tests/fuzz/fuzz-hcp.c src/outgoing/hcp.c src/outgoing/lastcheck_hidden.c
fuzz-legacy_SRC = tests/fuzz/fuzz-legacy.c src/outgoing/legacy_part.c
FUZZERS += fuzz-protected
fuzz-protected_SRC = tests/fuzz/fuzz-protected.c $(CORE_DECIDES)
