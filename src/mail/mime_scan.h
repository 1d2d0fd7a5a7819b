/* Lines of a file range through a fixed window. */
#ifndef JULIA_MIME_SCAN_H
#define JULIA_MIME_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MIME_SCAN_WINDOW (64u << 10) /* a line that is longer comes in pieces */

struct mime_scan {
    int fd;
    uint64_t next; /* offset of the next octet to be read into the window */
    uint64_t stop; /* end of the range */
    unsigned char *window;
    size_t at, filled; /* window[at, filled) is not yet given out */
};

struct mime_line {
    const unsigned char *data; /* borrowed until the next call */
    size_t len;                /* with its line end */
    uint64_t offset;           /* of data in the file */
    unsigned int eol; /* octets of its line end: 0 (a piece, or the end of the range), 1 LF, 2 CRLF */
    bool begins;      /* not the continuation of a piece */
};

void mime_scan_begin(struct mime_scan *scan, int fd, uint64_t offset, uint64_t len);
/* 1: a line; 0: the end; -1: read error (errno; EIO when the file is shorter than the range). */
int mime_scan_line(struct mime_scan *scan, struct mime_line *line);
void mime_scan_end(struct mime_scan *scan);

#endif
