#include "mail/mime_scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/mem.h"

void mime_scan_begin(struct mime_scan *scan, int fd, uint64_t offset, uint64_t len)
{
    memset(scan, 0, sizeof(*scan));
    scan->fd = fd;
    scan->next = offset;
    scan->stop = offset + len;
    scan->window = mem_alloc(len < MIME_SCAN_WINDOW ? (size_t)len + 1 : MIME_SCAN_WINDOW);
}

void mime_scan_end(struct mime_scan *scan)
{
    free(scan->window);
    scan->window = NULL;
}

/* Moves what is left to the front of the window and fills it up. */
static int fill(struct mime_scan *scan)
{
    size_t want;
    ssize_t n;

    memmove(scan->window, scan->window + scan->at, scan->filled - scan->at);
    scan->filled -= scan->at;
    scan->at = 0;
    while (scan->filled < MIME_SCAN_WINDOW && scan->next < scan->stop) {
        want = MIME_SCAN_WINDOW - scan->filled;
        if (want > scan->stop - scan->next)
            want = (size_t)(scan->stop - scan->next);
        n = pread(scan->fd, scan->window + scan->filled, want, (off_t)scan->next);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = EIO;
        if (n <= 0)
            return -1;
        scan->filled += (size_t)n;
        scan->next += (uint64_t)n;
    }
    return 0;
}

int mime_scan_line(struct mime_scan *scan, struct mime_line *line)
{
    bool piece = line->data != NULL && line->eol == 0;
    const unsigned char *lf = NULL;
    size_t len;

    if (scan->at < scan->filled)
        lf = memchr(scan->window + scan->at, '\n', scan->filled - scan->at);
    if (lf == NULL && scan->next < scan->stop) {
        if (fill(scan) < 0)
            return -1;
        lf = memchr(scan->window, '\n', scan->filled);
    }
    len = lf != NULL ? (size_t)(lf - (scan->window + scan->at)) + 1 : scan->filled - scan->at;
    if (len == 0)
        return 0;
    /* The CR of a CRLF must not be the last octet of a piece. */
    if (lf == NULL && scan->next < scan->stop && len > 1 && scan->window[scan->at + len - 1] == '\r')
        len--;
    line->data = scan->window + scan->at;
    line->len = len;
    line->offset = scan->next - (scan->filled - scan->at);
    line->eol = lf == NULL ? 0 : len >= 2 && line->data[len - 2] == '\r' ? 2 : 1;
    line->begins = !piece;
    scan->at += len;
    return 1;
}
