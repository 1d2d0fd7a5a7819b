FUZZERS += fuzz-trust
fuzz-trust_SRC = tests/fuzz/fuzz-trust.c $(TRUST_SRC) $(AREAS_SRC)
fuzz-trust_LIBS = $(AREAS_LIBS)

FUZZERS += fuzz-crl
fuzz-crl_SRC = tests/fuzz/fuzz-crl.c $(TRUST_SRC) $(AREAS_SRC)
fuzz-crl_LIBS = $(AREAS_LIBS)
