FUZZERS += fuzz-trust
fuzz-trust_SRC = tests/fuzz/fuzz-trust.c $(TRUST_SRC) $(AREAS_SRC)
fuzz-trust_LIBS = $(AREAS_LIBS)
