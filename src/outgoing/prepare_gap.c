/* Preambles, epilogues, and the boundary lines between parts. */
#include <errno.h>

#include "outgoing/prepare_private.h"
#include "util/fdio.h"

#define LINE_SAFE 900 /* longer lines are cut here */

/* Text outside of all parts (and boundary lines, which are clean unless the boundary itself is not). */
struct gap {
    struct prepare *writer;
    struct buf out;
    size_t column;
    bool changed;
    bool cr;
};

static void gap_octet(struct gap *gap, unsigned char c)
{
    const char *eol = gap->writer->eol;
    if (c == '\n') {
        if (gap->cr != gap->writer->crlf)
            gap->changed = true;
        buf_add_text(&gap->out, eol);
        gap->column = 0;
        gap->cr = false;
        return;
    }
    if (gap->cr) { /* a bare one */
        buf_add_char(&gap->out, ' ');
        gap->changed = true;
    }
    gap->cr = c == '\r';
    if (gap->cr)
        return;
    if (++gap->column > LINE_SAFE) {
        buf_add_text(&gap->out, eol);
        gap->column = 1;
        gap->changed = true;
    }
    bool harmless = c < 0x80 && c != '\0';
    gap->changed = gap->changed || !harmless;
    buf_add_char(&gap->out, harmless ? (char)c : '?');
}

/* Walks over octets [from, to). With `write` they are written; returns whether anything had to be changed. */
bool prepare_gap(struct prepare *w, uint64_t from, uint64_t to, bool write)
{
    struct gap gap = {.writer = w};
    unsigned char chunk[4096];
    while (from < to && w->error == 0) {
        size_t n = to - from < sizeof(chunk) ? (size_t)(to - from) : sizeof(chunk);
        if (fdio_pread_all(w->in, chunk, n, from) != 0)
            w->error = errno;
        for (size_t i = 0; i < n && w->error == 0; i++)
            gap_octet(&gap, chunk[i]);
        if (write)
            prepare_put(w, buf_text(&gap.out), gap.out.len);
        buf_clear(&gap.out);
        from += n;
    }
    buf_free(&gap.out);
    return gap.changed || gap.cr;
}
