# The certificate areas and the file key module.
# The clock of these tests can be put forward (fixture_pass), and stamps stopped (fixture_stop_ticking).
AREAS_CLOCK = -Wl,--wrap=clock_gettime,--wrap=areas_stamp_from_stat
AREAS_TEST_SRC = tests/unit/areas_fixture.c $(AREAS_SRC)
AREAS_TESTS = test-areas-crl test-areas-files test-areas-find test-areas-follow test-areas-index
UNIT_TESTS += $(AREAS_TESTS)
$(foreach t,$(AREAS_TESTS),$(eval $(t)_SRC := tests/unit/$(t).c $$(AREAS_TEST_SRC)))
$(foreach t,$(AREAS_TESTS),$(eval $(t)_LIBS := $$(CHECK_LIBS) $$(AREAS_LIBS) $$(AREAS_CLOCK)))
