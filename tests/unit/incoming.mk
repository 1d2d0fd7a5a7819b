# Incoming mail: the parts that can be tried alone, and the way through the layers with stand-ins for the modules.
INCOMING_TESTS = test-incoming-status test-incoming-header test-incoming-entity test-incoming-subject test-incoming-assemble test-copydigest test-incoming-demand test-incoming-foreign test-incoming-report
UNIT_TESTS += $(INCOMING_TESTS) test-incoming-unwrap
INCOMING_REST := $(CORE_DECIDES)
$(foreach t,$(INCOMING_TESTS),$(eval $(t)_SRC := tests/unit/$(t).c $(INCOMING_REST))$(eval $(t)_LIBS := $$(CHECK_LIBS) -lexpat))
test-incoming-unwrap_SRC := tests/unit/test-incoming-unwrap.c tests/unit/incoming_modules.c \
	$(foreach f,unwrap wrapped signedlayer content author opener keyright intact garbled readings layer_answer,src/incoming/$(f).c) \
	$(foreach f,ask_query ask_verdict config_profile envelope_line form message spool,src/core/$(f).c)
test-incoming-unwrap_LIBS = $(CHECK_LIBS) -lexpat
test-incoming-demand_SRC += tests/unit/core_fixture.c
