# Fuzz targets. Each area lists its own in tests/fuzz/<area>.mk: NAME is tests/fuzz/NAME.c, NAME_SRC what it needs of the
# programs' own files, NAME_LIBS of libraries besides expat.
FUZZ_SRC  := tests/fuzz/fuzz.c
FUZZ_LIBS := -lexpat
ifeq ($(FLAVOUR),fuzz)
FUZZ_LIBS += -fsanitize=fuzzer
else
FUZZ_SRC  += tests/fuzz/driver.c tests/fuzz/mutate.c
endif
include $(sort $(filter-out tests/fuzz/sources.mk,$(wildcard tests/fuzz/*.mk)))
$(foreach f,$(FUZZERS),$(eval $(f)_SRC := $$(sort $$($(f)_SRC) tests/fuzz/$(f).c $$(FUZZ_SRC)))$(eval $(f)_LIBS += $$(FUZZ_LIBS)))
