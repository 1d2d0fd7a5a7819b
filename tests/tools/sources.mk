# Small programs that tests need.
PROGRAMS += maxrss
maxrss_SRC = tests/tools/maxrss.c
maxrss_DIR = tests/tools
