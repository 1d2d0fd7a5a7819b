# Fuzz targets (libFuzzer). Each area lists its own in tests/fuzz/<area>.mk.
include $(sort $(filter-out tests/fuzz/sources.mk,$(wildcard tests/fuzz/*.mk)))
