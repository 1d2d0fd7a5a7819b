MAIL_TESTS = test-address test-date test-header test-mime test-source test-ber test-cms test-smime-part
UNIT_TESTS += $(MAIL_TESTS)
$(foreach t,$(MAIL_TESTS),$(eval $(t)_SRC := tests/unit/$(t).c)$(eval $(t)_LIBS := $$(CHECK_LIBS)))
