# The module trust.
TRUST_TESTS = test-trust-verdict test-trust-precedence test-trust-path test-trust-revocation test-trust-use test-trust-validate
UNIT_TESTS += $(TRUST_TESTS)
TRUST_TEST_SRC = tests/unit/trust_pki.c tests/unit/trust_bench.c $(TRUST_SRC) $(AREAS_SRC)
$(foreach t,$(TRUST_TESTS),$(eval $(t)_SRC := tests/unit/$(t).c $$(TRUST_TEST_SRC)))
$(foreach t,$(TRUST_TESTS),$(eval $(t)_LIBS := $$(CHECK_LIBS) $$(AREAS_LIBS) -lexpat -lmd))
test-trust-validate_SRC  += tests/unit/module_rng.c
test-trust-validate_LIBS += -lxml2
