# Small programs that the benchmarks need.
PROGRAMS += paired floor
paired_SRC = bench/paired.c
paired_DIR = bench
floor_SRC  = bench/floor.c
floor_DIR  = bench
