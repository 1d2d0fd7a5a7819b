/* What a verdict rests on, in the words of the protocol. */
#ifndef JULIA_TRUST_EVIDENCE_H
#define JULIA_TRUST_EVIDENCE_H

#include <stddef.h>
#include <time.h>

enum evidence_kind { EVIDENCE_CRL, EVIDENCE_AREA, EVIDENCE_NONE };

struct evidence {
    enum evidence_kind kind;
    time_t when; /* thisUpdate of a CRL; 0: no time */
    char *text;
};
struct evidence_list {
    struct evidence *items;
    size_t count;
};

void evidence_add(struct evidence_list *list, enum evidence_kind kind, time_t when, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
const char *evidence_kind_name(enum evidence_kind kind);
void evidence_free(struct evidence_list *list);

#endif
