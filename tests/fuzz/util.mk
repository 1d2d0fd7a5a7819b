FUZZERS += fuzz-base64 fuzz-conf
