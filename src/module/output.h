/* What a spawned module writes to its standard output and error: lines for the log, bounded. */
#ifndef JULIA_OUTPUT_H
#define JULIA_OUTPUT_H

#include <stdbool.h>

#define OUTPUT_LINE_MAX  1000 /* octets of a line; the rest is dropped */
#define OUTPUT_LINES_MAX 200  /* of one process; the rest is read and dropped */

struct output;

/* Owns `fd`, the reading end of a pipe, from now on and makes it non-blocking. `name` begins the log lines;
 * borrowed. */
struct output *output_new(int fd, const char *name);
int output_fd(const struct output *output); /* -1 after its end */
/* Reads what is there and logs whole lines. false at the end of the pipe. Fits struct frame_watch. */
bool output_read(void *output);
void output_free(struct output *output); /* logs what is left; accepts NULL */

#endif
