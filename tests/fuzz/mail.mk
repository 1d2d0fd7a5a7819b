MAIL_FUZZERS = fuzz-mime fuzz-header fuzz-address fuzz-cms fuzz-source
FUZZERS += $(MAIL_FUZZERS)
$(foreach f,$(MAIL_FUZZERS),$(eval $(f)_SRC := tests/fuzz/$(f).c))
