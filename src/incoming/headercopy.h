/* Copies a message's header section field by field, octets as they are, leaving some out. Streams: the
 * section may have any length. */
#ifndef JULIA_HEADERCOPY_H
#define JULIA_HEADERCOPY_H

#include <stdbool.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/strlist.h"

struct headercopy {
    const char *authserv_id;    /* for forged.h */
    const struct strlist *drop; /* names of fields to leave out, any case; NULL: none */
    bool drop_mime; /* another body follows: without Content-*, MIME-Version and lines that are no field, and
                       with blanks for NUL and bare CR, so that nobody sees it begin earlier */
    bool own_stay;  /* what only this gateway writes stays: it has written it */
};

/* Copies what stands in [offset, offset+len) of `from` up to the empty line or the end, to the current
   position of `to`. end_r: where the empty line begins. open_r: the last line copied has no line end. 0, or
   -1 with errno. */
int headercopy_run(const struct headercopy *how, int from, uint64_t offset, uint64_t len, int to,
                   uint64_t *end_r, bool *open_r);

#endif
