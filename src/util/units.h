/* Durations ("10s 5m 4h 10d", seconds out) and sizes ("64k 50M 2G", octets out). No unit: seconds, octets.
   Return false on anything else, on overflow, and on negative values. */
#ifndef JULIA_UNITS_H
#define JULIA_UNITS_H

#include <stdbool.h>
#include <stdint.h>

bool units_duration(const char *text, uint64_t *seconds_r);
bool units_size(const char *text, uint64_t *octets_r);

#endif
