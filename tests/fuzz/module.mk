FUZZERS += fuzz-frame fuzz-xml
fuzz-frame_SRC = tests/fuzz/fuzz-frame.c
fuzz-xml_SRC   = tests/fuzz/fuzz-xml.c
