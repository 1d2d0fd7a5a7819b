# Module trust: validates certificates.
TRUST_SRC = $(addprefix modules/trust/, \
	certificate.c crl.c crl_inquiry.c crl_scope.c crl_signer.c evidence.c form.c judge.c mailbox.c path.c path_check.c \
	revocation.c settings.c store.c store_areas.c store_lists.c store_shelf.c strength.c use.c validate.c validate_write.c verdict.c)

PROGRAMS += trust
trust_SRC = modules/trust/main.c $(TRUST_SRC) $(AREAS_SRC)
trust_LIBS = $(AREAS_LIBS) -lexpat
trust_DIR = lib/modules
