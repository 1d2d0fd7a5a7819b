# The file key module: schemes alone, and the whole module through a socket pair.
KEYS_FILE_TESTS = test-keys-file-signing test-keys-file-opening test-keys-file-find test-keys-file-grant test-keys-file-store
UNIT_TESTS += $(KEYS_FILE_TESTS)
$(foreach t,$(KEYS_FILE_TESTS),$(eval $(t)_SRC := tests/unit/$(t).c tests/unit/keys_file_client.c tests/unit/module_rng.c $$(AREAS_TEST_SRC) $$(KEYS_FILE_SRC)))
$(foreach t,$(KEYS_FILE_TESTS),$(eval $(t)_LIBS := $$(CHECK_LIBS) $$(AREAS_LIBS) $$(AREAS_CLOCK) -lexpat -lxml2))
