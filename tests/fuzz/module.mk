FUZZERS += fuzz-frame fuzz-xml
