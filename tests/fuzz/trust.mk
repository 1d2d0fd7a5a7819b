# Certificates and CRLs from strangers.
FUZZERS += fuzz-trust fuzz-validate fuzz-crl
fuzz-trust_SRC     = $(TRUST_SRC) $(AREAS_SRC)
fuzz-trust_LIBS    = $(AREAS_LIBS)
fuzz-validate_SRC  = $(TRUST_SRC) $(AREAS_SRC)
fuzz-validate_LIBS = $(AREAS_LIBS)
fuzz-crl_SRC       = $(TRUST_SRC) $(AREAS_SRC)
fuzz-crl_LIBS      = $(AREAS_LIBS)
