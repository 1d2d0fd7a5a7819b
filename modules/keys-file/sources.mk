# keys-file: the key module over plain directories (julia-keys-file(8)).
KEYS_FILE_SRC = modules/keys-file/run.c modules/keys-file/settings.c modules/keys-file/pass_phrase.c modules/keys-file/module.c \
                modules/keys-file/find.c modules/keys-file/list.c modules/keys-file/entry.c modules/keys-file/chain.c \
                modules/keys-file/grant.c modules/keys-file/private_key.c modules/keys-file/sign.c \
                modules/keys-file/signing.c modules/keys-file/open.c modules/keys-file/opening_rsa.c \
                modules/keys-file/opening_ecdh.c modules/keys-file/store.c modules/keys-file/learnt.c
PROGRAMS      += keys-file
keys-file_SRC  = modules/keys-file/main.c $(KEYS_FILE_SRC) $(AREAS_SRC)
keys-file_LIBS = $(AREAS_LIBS) -lexpat
keys-file_DIR  = lib/modules
