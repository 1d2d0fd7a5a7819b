# The core: what decides about a message and writes what goes out.
CORE_TESTS = test-core-config test-core-direction test-core-dkim test-core-form test-core-group test-core-hcp test-core-lastcheck \
             test-core-legacy test-core-options \
             test-core-prepare test-core-signer test-core-treatment test-core-trigger
UNIT_TESTS += $(CORE_TESTS)
$(foreach t,$(CORE_TESTS),$(eval $(t)_SRC := tests/unit/$(t).c tests/unit/core_fixture.c $(CORE_DECIDES)))
$(foreach t,$(CORE_TESTS),$(eval $(t)_LIBS := $$(CHECK_LIBS) -lexpat))
