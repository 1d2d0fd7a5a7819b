# Small programs that tests need.
PROGRAMS += maxrss store-target mime-tree
maxrss_SRC = tests/tools/maxrss.c
maxrss_DIR = tests/tools
store-target_SRC = tests/tools/store-target.c
store-target_DIR = tests/tools
mime-tree_SRC = tests/tools/mime-tree.c
mime-tree_DIR = tests/tools
