UTIL_FUZZERS = fuzz-base64 fuzz-conf
FUZZERS += $(UTIL_FUZZERS)
$(foreach f,$(UTIL_FUZZERS),$(eval $(f)_SRC := tests/fuzz/$(f).c))
