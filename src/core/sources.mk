# The core: one short-lived process per message. The files of other areas add to CORE_SRC in their own .mk.
CORE_SRC := \
	src/core/ask.c \
	src/core/ask_verdict.c \
	src/core/config.c \
	src/core/config_check.c \
	src/core/config_profile.c \
	src/core/decide.c \
	src/core/direction.c \
	src/core/entity.c \
	src/core/existing.c \
	src/core/exit.c \
	src/core/explain.c \
	src/core/group.c \
	src/core/lastcheck.c \
	src/core/main.c \
	src/core/options.c \
	src/core/outgoing.c \
	src/core/product.c \
	src/core/pass.c \
	src/core/plan.c \
	src/core/prepare.c \
	src/core/prepare_field.c \
	src/core/prepare_gap.c \
	src/core/prepare_leaf.c \
	src/core/protect.c \
	src/core/run.c \
	src/core/select.c \
	src/core/selfcheck.c \
	src/core/signer.c \
	src/core/split.c \
	src/core/trace.c \
	src/core/treatment.c \
	src/core/trigger.c
CORE_DECIDES := $(filter-out src/core/main.c src/core/run.c src/core/split.c,$(CORE_SRC)) # for unit tests
include $(sort $(filter-out src/core/sources.mk,$(wildcard src/core/*.mk)))

PROGRAMS  += julia
julia_SRC  = $(CORE_SRC)
julia_LIBS = -lexpat
julia_DIR  = bin
