# The program julia: one short-lived process per message.
CORE_SRC := \
	src/core/ask.c \
	src/core/ask_query.c \
	src/core/ask_verdict.c \
	src/core/caller.c \
	src/core/config.c \
	src/core/config_check.c \
	src/core/config_profile.c \
	src/core/direction.c \
	src/core/envelope_line.c \
	src/core/exit.c \
	src/core/explain.c \
	src/core/form.c \
	src/core/giveup.c \
	src/core/main.c \
	src/core/message.c \
	src/core/openlog.c \
	src/core/options.c \
	src/core/owner.c \
	src/core/pass.c \
	src/core/quoted.c \
	src/core/refusal.c \
	src/core/refusal_tell.c \
	src/core/roundtrip.c \
	src/core/run.c \
	src/core/selfcheck.c \
	src/core/split.c \
	src/core/slice.c \
	src/core/spool.c \
	src/core/trace.c \
	src/core/verifylog.c

JULIA_SRC := $(CORE_SRC) $(OUTGOING_SRC) $(INCOMING_SRC) $(DELIVERY_SRC)
CORE_DECIDES := $(filter-out src/core/main.c src/core/run.c src/core/split.c,$(JULIA_SRC)) # for unit tests

PROGRAMS  += julia
julia_SRC  = $(JULIA_SRC)
julia_LIBS = -lexpat
julia_DIR  = bin
