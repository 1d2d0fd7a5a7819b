# Certificate files, the file key module, and content keys that strangers encrypted.
FUZZERS += fuzz-areas fuzz-keys fuzz-opening
fuzz-areas_SRC    = $(AREAS_SRC)
fuzz-areas_LIBS   = $(AREAS_LIBS)
fuzz-keys_SRC     = $(KEYS_FILE_SRC) $(AREAS_SRC)
fuzz-keys_LIBS    = $(AREAS_LIBS)
fuzz-opening_SRC  = modules/keys-file/opening_rsa.c modules/keys-file/opening_ecdh.c
fuzz-opening_LIBS = -lcrypto
