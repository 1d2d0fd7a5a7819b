FUZZERS += fuzz-rules
fuzz-rules_SRC = tests/fuzz/fuzz-rules.c
