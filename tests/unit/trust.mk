# The module trust.
comma := ,
TRUST_TESTS = test-trust-verdict test-trust-precedence test-trust-path test-trust-revocation test-trust-use test-trust-validate \
              test-trust-failure
UNIT_TESTS += $(TRUST_TESTS)
TRUST_TEST_SRC = tests/unit/trust_pki.c tests/unit/trust_bench.c $(TRUST_SRC) $(AREAS_SRC)
$(foreach t,$(TRUST_TESTS),$(eval $(t)_SRC := tests/unit/$(t).c $$(TRUST_TEST_SRC)))
$(foreach t,$(TRUST_TESTS),$(eval $(t)_LIBS := $$(CHECK_LIBS) $$(AREAS_LIBS) -lexpat))
test-trust-validate_SRC  += tests/unit/module_rng.c
test-trust-validate_LIBS += -lxml2
test-trust-failure_LIBS += $(addprefix -Wl$(comma)--wrap=,areas_find_serial areas_find_fingerprint areas_find_subject \
                             areas_find_crls X509_STORE_CTX_new)
