# The module smime: CMS by OpenSSL and an own reader. libseccomp is optional; the flavours with ASan go without, because
# LeakSanitizer needs what the sandbox forbids.
SMIME_SRC = $(addprefix modules/smime/, \
              algorithm.c asn1_types.c baggage.c ber_out.c capability.c ccm.c clear.c \
              cms_input.c compressed.c content_cipher.c content_reader.c decryption.c der.c \
              digests.c encrypt.c entity_id.c enveloped.c enveloping.c fields.c inspect.c keychannel.c \
              oid.c opaque.c output.c pieces.c recipient_agree.c recipient_reader.c \
              recipient_trans.c recipient_writer.c sandbox.c setup.c shared_info.c sign.c \
              signature.c signed.c signed_writer.c signer.c signer_info.c signer_put.c unwrap.c)

ifeq ($(filter asan fuzz,$(FLAVOUR)),)
SMIME_SECCOMP_LIBS := $(shell pkg-config --libs libseccomp 2>/dev/null)
endif
ifneq ($(SMIME_SECCOMP_LIBS),)
$(B)/modules/smime/sandbox.o: CPPFLAGS += -DHAVE_SECCOMP $(shell pkg-config --cflags libseccomp)
endif
SMIME_LIBS = -lcrypto -lz -lexpat $(SMIME_SECCOMP_LIBS)

PROGRAMS   += smime
smime_SRC   = modules/smime/main.c $(SMIME_SRC)
smime_LIBS  = $(SMIME_LIBS)
smime_DIR   = lib/modules
