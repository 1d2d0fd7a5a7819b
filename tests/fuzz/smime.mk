# The reader of the smime module, whole but for the key channel.
FUZZERS += fuzz-unwrap
fuzz-unwrap_SRC  = $(filter-out modules/smime/keychannel.c modules/smime/sandbox.c,$(SMIME_SRC))
fuzz-unwrap_LIBS = -lcrypto -lz
