UTIL_TESTS = test-base64 test-buf test-conf test-fdio test-log test-network test-process test-units
UNIT_TESTS += $(UTIL_TESTS)
$(foreach t,$(UTIL_TESTS),$(eval $(t)_SRC := tests/unit/$(t).c)$(eval $(t)_LIBS = $$(CHECK_LIBS)))
