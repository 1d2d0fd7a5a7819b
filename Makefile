# julia: S/MIME gateway.  make | make test | make demo | make install | make soak | make fuzz | make bench | make conformance | make interop
#
# Every folder names its files in its own sources.mk; objects go to build/$(FLAVOUR).
# FLAVOUR=release (default) is what gets installed; FLAVOUR=asan is what the unit tests run as,
# FLAVOUR=fuzz (clang) the fuzz targets of make fuzz and make soak.

PREFIX   ?= /opt/julia
DESTDIR  ?=
FLAVOUR  ?= release
ifeq ($(origin CC),default)
CC        = $(if $(filter fuzz,$(FLAVOUR)),clang,gcc)
endif
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
else ifeq ($(FLAVOUR),fuzz)
CFLAGS   ?= -O1 -g -fno-omit-frame-pointer
CFLAGS   += -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
LDFLAGS  += -fsanitize=address,undefined
else
CFLAGS   ?= -O2 -g
CPPFLAGS += -D_FORTIFY_SOURCE=2
endif
ALL_CFLAGS = -std=c17 $(WARNINGS) $(HARDENING) $(CFLAGS)

B = build/$(FLAVOUR)

# make V=1 shows whole commands
V ?= 0
Q = $(if $(filter 0,$(V)),@)
show = $(if $(filter 0,$(V)),@printf '  %-5s %s\n' '$(1)' '$(patsubst $(CURDIR)/%,%,$@)')

all: programs

LIBJULIA_SRC :=
PROGRAMS     :=
UNIT_TESTS   :=
FUZZERS      :=

include src/util/sources.mk src/mail/sources.mk src/module/sources.mk
include src/outgoing/sources.mk src/incoming/sources.mk src/delivery/sources.mk src/core/sources.mk
include rules/sources.mk hold/sources.mk contrib/sources.mk $(sort $(wildcard modules/*/sources.mk))
include tests/unit/sources.mk tests/fuzz/sources.mk tests/tools/sources.mk bench/sources.mk

# A program P: $(P_SRC) its own files, $(P_LIBS) what it links besides libjulia.a, $(P_DIR) its folder below build/.
objects = $(patsubst %.c,$(B)/%.o,$(1))
programs_out = $(foreach p,$(PROGRAMS),$(B)/$($(p)_DIR)/$(p))
unit_out     = $(foreach p,$(UNIT_TESTS),$(B)/tests/unit/$(p))
fuzz_out     = $(foreach p,$(FUZZERS),$(B)/tests/fuzz/$(p))

define link_program
$(B)/$($(1)_DIR)/$(1): $(call objects,$($(1)_SRC)) $(B)/libjulia.a
	@mkdir -p $$(@D)
	$$(call show,LINK)
	$$(Q)$$(CC) $$(ALL_CFLAGS) $$(LDFLAGS) -o $$@ $$^ $($(1)_LIBS) $$(LDLIBS)
-include $(patsubst %.o,%.d,$(call objects,$($(1)_SRC)))
endef
$(foreach p,$(PROGRAMS),$(eval $(call link_program,$(p))))
$(foreach p,$(UNIT_TESTS),$(eval $(p)_DIR := tests/unit)$(eval $(call link_program,$(p))))
$(foreach p,$(FUZZERS),$(eval $(p)_DIR := tests/fuzz)$(eval $(call link_program,$(p))))

$(B)/libjulia.a: $(call objects,$(LIBJULIA_SRC))
	@mkdir -p $(@D)
	@rm -f $@
	$(call show,AR)
	$(Q)$(AR) rcs $@ $^
-include $(patsubst %.o,%.d,$(call objects,$(LIBJULIA_SRC)))

# The default BASE is built in: what knows it is made anew when PREFIX is another one than last time.
knows_prefix = hold/main.c src/core/options.c src/core/config.c src/module/serve.c modules/check/main.c
$(call objects,$(knows_prefix)): $(B)/prefix
$(B)/prefix: always
	@mkdir -p $(@D)
	@echo '$(PREFIX)' | cmp -s - $@ || echo '$(PREFIX)' >$@

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call show,CC)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

programs: $(programs_out)

# ---- tests --------------------------------------------------------------------------------------------------------
# Unit tests run under ASan and UBSan, everything else with the release programs. prove runs all of it on two cores.
ASAN = build/asan
unit_asan = $(patsubst $(B)/%,$(ASAN)/%,$(unit_out))
FUZZ_TESTS    = $(sort $(wildcard tests/fuzz/*.t))
E2E_TESTS     = $(sort $(wildcard tests/e2e/*.t tests/e2e/sendmail/*.t))
INTEROP_TESTS = $(sort $(wildcard tests/interop/*.t))
TEST_ENV = JULIA_BUILD=$(CURDIR)/$(B) JULIA_SOURCE=$(CURDIR) CK_TAP_LOG_FILE_NAME=/dev/stdout CK_VERBOSITY=silent \
           ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
JOBS ?= 2

unit: $(unit_out)
test: programs
	$(MAKE) --no-print-directory FLAVOUR=asan unit fuzzers
	tests/run $(JOBS) $(FUZZ_TESTS) $(unit_asan) $(E2E_TESTS) $(INTEROP_TESTS)
check-unit:
	$(MAKE) --no-print-directory FLAVOUR=asan unit
	$(TEST_ENV) prove -j$(JOBS) $(unit_asan)
check-fuzz:
	$(MAKE) --no-print-directory FLAVOUR=asan fuzzers
	$(TEST_ENV) prove -j$(JOBS) $(FUZZ_TESTS)
check-e2e: programs
	$(TEST_ENV) prove -j$(JOBS) $(E2E_TESTS)
check-interop: programs
	tests/run $(JOBS) $(INTEROP_TESTS)
# Every row of every set in $$JULIA_CORPORA, then docs/conformance.md anew.
conformance: programs
	$(TEST_ENV) tests/interop/conformance docs/conformance.md
# julia and other programs, what each writes read by the other; then docs/interoperability.md anew.
interop: programs
	$(TEST_ENV) tests/interop/interop docs/interoperability.md
# Days: each fuzz target alone takes an hour.
soak: programs
	if command -v clang >/dev/null; then $(MAKE) --no-print-directory fuzz-build; fi
	$(TEST_ENV) prove $(sort $(wildcard tests/soak/*.t))
# The published fault matrix: all points, then the tables in docs/fault-matrix.md made anew. Takes two hours.
fault-matrix: programs
	rm -f $(B)/tests/fault-*.tsv $(B)/tests/load-*.tsv
	$(TEST_ENV) prove $(wildcard tests/soak/fault-*.t tests/soak/load*.t)
	tests/faults/table $(B)/tests docs/fault-matrix.md
bench: programs
	for b in $(sort $(wildcard bench/*.sh)); do $(TEST_ENV) $$b || exit 1; done
demo: programs
	JULIA_BUILD=$(CURDIR)/$(B) JULIA_SOURCE=$(CURDIR) demo/run

# ---- fuzzing ------------------------------------------------------------------------------------------------------
# make test runs every target under ASan and UBSan on its seeds and a fixed number of mutations (tests/fuzz/driver.c).
# make fuzz and make soak let libFuzzer search; they need clang and its compiler-rt (docs/fuzzing.md).
#   make fuzz SECONDS_EACH=600 FUZZERS='fuzz-mime fuzz-header'
SECONDS_EACH ?= 60
fuzzers: $(fuzz_out)
fuzz: fuzz-build
	$(TEST_ENV) SECONDS_EACH=$(SECONDS_EACH) JOBS=$(JOBS) FUZZERS='$(FUZZERS)' prove -v tests/soak/fuzz.t
fuzz-build:
	$(MAKE) --no-print-directory FLAVOUR=fuzz fuzzers

# ---- installation ---------------------------------------------------------------------------------------------------
# Configuration and templates that are there already stay; the shipped files lie beside them as NAME.dist. Modes do not depend
# on the umask. var/ can be entered by everybody, because modules that run as users of their own have their folders there.
#
# What runs while mail flows is put in place by renaming: install(1) removes a file before it writes the new one, and an MTA that finds
# no program, or a piece of one, returns the mail (Sendmail).
D = $(DESTDIR)$(PREFIX)
renewed = for f in $(2); do install -m $(1) $$f $(3)/.new && mv -f $(3)/.new $(3)/$${f\#\#*/} || exit 1; done
CONF_FILES = $(sort $(wildcard etc/*.conf etc/*.rules))
TEMPLATES  = $(sort $(wildcard etc/templates/README etc/templates/*/*.txt etc/templates/*/*.html))
install: programs
	install -d -m 755 $(D) $(D)/bin $(D)/lib $(D)/lib/modules $(D)/share $(foreach d,man man/man5 man/man7 man/man8 systemd cron sendmail,$(D)/share/$(d))
	install -d -m 755 $(D)/etc $(foreach d,public trusted untrusted ca templates templates/de templates/en,$(D)/etc/$(d))
	install -d -m 700 $(D)/etc/private
	install -d -m 755 $(D)/var $(D)/var/index $(D)/var/run
	install -d -m 750 $(D)/var/spool $(D)/var/journal $(D)/var/review $(D)/var/capabilities $(D)/logs
	test -d $(D)/var/hold || { install -d -m 700 $(D)/var/hold && chown --reference=$(D)/var/journal $(D)/var/hold; }
	install -d -m 755 $(D)/lib/tenant
	$(call renewed,644,$(TENANT_SCRIPTS),$(D)/lib/tenant)
	$(call renewed,644,modules/protocol.rng $(LIB_SCRIPTS),$(D)/lib)
	$(call renewed,755,$(filter $(B)/lib/modules/%,$(programs_out)) modules/example/keys-example.py,$(D)/lib/modules)
	$(call renewed,755,$(filter $(B)/bin/%,$(programs_out)) $(BIN_SCRIPTS),$(D)/bin)
	for f in $(TEMPLATES); do n=$(D)/$$f; if test ! -e $$n || cmp -s $$f $$n; then install -m 644 $$f $$n.new && mv -f $$n.new $$n; rm -f $$n.dist; \
	  else install -m 644 $$f $$n.dist; fi || exit 1; done
	for f in $(CONF_FILES); do n=$(D)/$$f; install -m 644 $$f $$n.dist; \
	  sed -i 's#^\#*\(BASE *= *\)/opt/julia$$#\1$(PREFIX)#' $$n.dist; test -e $$n || install -m 644 $$n.dist $$n || exit 1; done
	for f in $(patsubst contrib/%,%,$(wildcard contrib/systemd/* contrib/cron/*)); do \
	  install -m 644 contrib/$$f $(D)/share/$$f; sed -i 's#/opt/julia#$(PREFIX)#g' $(D)/share/$$f || exit 1; done
	install -m 644 contrib/sendmail/queue.cf contrib/sendmail/julia.m4 contrib/sendmail/gateway.mc $(D)/share/sendmail
	for v in $(notdir $(wildcard etc/examples/*)); do install -d -m 755 $(D)/share/examples/$$v || exit 1; \
	  for f in etc/examples/$$v/*; do sed 's#/opt/julia#$(PREFIX)#g' $$f >$(D)/share/$${f#etc/} && chmod 644 $(D)/share/$${f#etc/} || exit 1; done; done
	for s in 5 7 8; do install -m 644 man/*.$$s $(D)/share/man/man$$s || exit 1; done

clean:
	rm -rf build

.PHONY: always all programs unit test check-unit check-fuzz check-e2e check-interop conformance interop soak fault-matrix bench demo \
        fuzz fuzz-build fuzzers install clean
.DELETE_ON_ERROR:
