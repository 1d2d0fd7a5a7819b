# julia: S/MIME gateway.  make | make test | make demo | make install | make soak | make fuzz | make bench
#
# Every folder names its files in its own sources.mk; objects go to build/$(FLAVOUR).
# FLAVOUR=release (default) is what gets installed; FLAVOUR=asan is what the unit tests run as.

PREFIX   ?= /opt/julia
DESTDIR  ?=
FLAVOUR  ?= release
CC       ?= gcc
PYTHON   ?= python3

WARNINGS  = -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
            -Wcast-qual -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wconversion -Wno-sign-conversion -Werror
HARDENING = -fstack-protector-strong -fstack-clash-protection -fPIE -fcf-protection
CPPFLAGS += -D_GNU_SOURCE -DJULIA_PREFIX='"$(PREFIX)"' -Isrc -I. -MMD -MP
LDFLAGS  += -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed

ifeq ($(FLAVOUR),asan)
CFLAGS   ?= -O1 -g -fno-omit-frame-pointer
CFLAGS   += -fsanitize=address,undefined -fno-sanitize-recover=undefined
LDFLAGS  += -fsanitize=address,undefined
else
CFLAGS   ?= -O2 -g
CPPFLAGS += -D_FORTIFY_SOURCE=2
endif
ALL_CFLAGS = -std=c17 $(WARNINGS) $(HARDENING) $(CFLAGS)

B = build/$(FLAVOUR)

all: programs

LIBJULIA_SRC :=
PROGRAMS     :=
UNIT_TESTS   :=
FUZZERS      :=

include src/util/sources.mk src/mail/sources.mk src/module/sources.mk src/core/sources.mk
include rules/sources.mk $(sort $(wildcard modules/*/sources.mk))
include tests/unit/sources.mk tests/fuzz/sources.mk

# A program P: $(P_SRC) its own files, $(P_LIBS) what it links besides libjulia.a, $(P_DIR) its folder below build/.
objects = $(patsubst %.c,$(B)/%.o,$(1))
programs_out = $(foreach p,$(PROGRAMS),$(B)/$($(p)_DIR)/$(p))
unit_out     = $(foreach p,$(UNIT_TESTS),$(B)/tests/unit/$(p))

define link_program
$(B)/$($(1)_DIR)/$(1): $(call objects,$($(1)_SRC)) $(B)/libjulia.a
	@mkdir -p $$(@D)
	$$(CC) $$(ALL_CFLAGS) $$(LDFLAGS) -o $$@ $$^ $($(1)_LIBS) $$(LDLIBS)
-include $(patsubst %.o,%.d,$(call objects,$($(1)_SRC)))
endef
$(foreach p,$(PROGRAMS),$(eval $(call link_program,$(p))))
$(foreach p,$(UNIT_TESTS),$(eval $(p)_DIR := tests/unit)$(eval $(call link_program,$(p))))

$(B)/libjulia.a: $(call objects,$(LIBJULIA_SRC))
	@mkdir -p $(@D)
	rm -f $@
	$(AR) rcs $@ $^
-include $(patsubst %.o,%.d,$(call objects,$(LIBJULIA_SRC)))

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

programs: $(programs_out)

clean:
	rm -rf build

.PHONY: all programs clean
.DELETE_ON_ERROR:
