# The core. Its targets use few of its files, but which ones is its own business.
CORE_FUZZERS = fuzz-headercopy fuzz-assemble fuzz-quoted fuzz-copydigest fuzz-look fuzz-subject fuzz-entity fuzz-prepare \
               fuzz-lastcheck fuzz-hcp fuzz-legacy fuzz-protected fuzz-notice fuzz-status fuzz-config fuzz-template fuzz-record \
               fuzz-envelope fuzz-options
FUZZERS += $(CORE_FUZZERS) fuzz-answer
$(foreach f,$(CORE_FUZZERS),$(eval $(f)_SRC := tests/fuzz/fuzz_message.c $(CORE_DECIDES)))
# with its own stand-in for the connections
fuzz-answer_SRC  = src/core/ask.c src/core/ask_query.c src/core/ask_verdict.c src/incoming/layer_answer.c
# with stand-ins for the modules
FUZZERS += fuzz-deliver
fuzz-deliver_SRC = tests/fuzz/fuzz_message.c tests/fuzz/fuzz_modules.c $(filter-out src/core/ask.c src/incoming/layer.c,$(CORE_DECIDES))
