FUZZERS += fuzz-rules
