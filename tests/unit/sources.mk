# Unit tests (Check). Each area lists its own in tests/unit/<area>.mk.
CHECK_LIBS = -lcheck -lsubunit -lm -lrt -lpthread
include $(sort $(filter-out tests/unit/sources.mk,$(wildcard tests/unit/*.mk)))
