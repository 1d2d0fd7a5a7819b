FUZZERS += fuzz-frame fuzz-xml
fuzz-frame_LIBS = -lexpat
fuzz-xml_LIBS   = -lexpat
