# julia-module-check: tries any module against the protocol.
PROGRAMS += julia-module-check
julia-module-check_SRC  = modules/check/main.c modules/check/report.c modules/check/peer.c modules/check/rng.c \
                          modules/check/check_hello.c modules/check/check_frames.c modules/check/check_descriptors.c \
                          modules/check/check_keys.c modules/check/check_grant.c modules/check/check_trust.c \
                          modules/check/check_smime.c
julia-module-check_LIBS = -lxml2 -lexpat
julia-module-check_DIR  = bin
$(B)/modules/check/rng.o: CPPFLAGS += $(shell xml2-config --cflags)
