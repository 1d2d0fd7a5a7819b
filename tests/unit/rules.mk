RULES_TESTS = test-rules-parse test-rules-match test-rules-lint test-rules-pattern
UNIT_TESTS += $(RULES_TESTS)
$(foreach t,$(RULES_TESTS),$(eval $(t)_SRC := tests/unit/$(t).c tests/unit/rules_file.c)$(eval $(t)_LIBS = $$(CHECK_LIBS)))
