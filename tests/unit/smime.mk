# The smime module. What it does as a process is tested by tests/interop/smime-*.t.
PROGRAMS += smime-sandbox-probe
smime-sandbox-probe_SRC  = tests/unit/smime-sandbox-probe.c modules/smime/sandbox.c
smime-sandbox-probe_LIBS = $(SMIME_SECCOMP_LIBS)
smime-sandbox-probe_DIR  = tests/tools
