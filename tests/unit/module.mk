MODULE_TESTS = test-module-frame test-module-xml test-module-schema test-module-call test-module-serve test-module-workers
UNIT_TESTS += $(MODULE_TESTS)
$(foreach t,$(MODULE_TESTS),$(eval $(t)_SRC := tests/unit/$(t).c)$(eval $(t)_LIBS := $$(CHECK_LIBS) -lexpat))
test-module-schema_SRC += tests/unit/module_rng.c
test-module-serve_SRC  += tests/unit/module_rng.c
test-module-schema_LIBS += -lxml2
test-module-serve_LIBS  += -lxml2
$(B)/tests/unit/module_rng.o: CPPFLAGS += $(shell xml2-config --cflags)
test-module-workers_SRC += modules/moduled/listen.c modules/moduled/workers.c
