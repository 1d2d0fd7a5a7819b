# The core: one short-lived process per message. The files of other areas add to CORE_SRC in their own .mk.
CORE_SRC := \
	src/core/ask.c \
	src/core/ask_verdict.c \
	src/core/config.c \
	src/core/config_check.c \
	src/core/config_profile.c \
	src/core/direction.c \
	src/core/exit.c \
	src/core/options.c
include $(sort $(filter-out src/core/sources.mk,$(wildcard src/core/*.mk)))
