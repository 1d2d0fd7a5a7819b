# Message, journal, hand-off, reports: the core's files without the ones that decide.
DELIVERY_TESTS = test-message test-journal test-handoff test-report test-hold-keep test-hold-claim test-hold-age
UNIT_TESTS += $(DELIVERY_TESTS)
$(foreach t,$(DELIVERY_TESTS),$(eval $(t)_SRC := tests/unit/$(t).c tests/unit/delivery_fixture.c $(DELIVERY_SRC) \
	src/core/message.c src/core/spool.c src/core/envelope_line.c))
$(foreach t,$(DELIVERY_TESTS),$(eval $(t)_LIBS := $$(CHECK_LIBS) -lexpat))
$(foreach t,$(filter test-hold-%,$(DELIVERY_TESTS)),$(eval $(t)_SRC += tests/unit/hold_fixture.c))
