#include "modules/trust/evidence.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

void evidence_add(struct evidence_list *list, enum evidence_kind kind, time_t when, const char *format, ...)
{
    struct evidence *evidence = mem_push(&list->items, &list->count, sizeof(*evidence));
    va_list ap;

    va_start(ap, format);
    evidence->text = mem_vprintf(format, ap);
    va_end(ap);
    evidence->kind = kind;
    evidence->when = when;
}

const char *evidence_kind_name(enum evidence_kind kind)
{
    static const char *const names[] = {
        [EVIDENCE_CRL] = "crl", [EVIDENCE_AREA] = "area", [EVIDENCE_NONE] = "none"};

    return names[kind];
}

void evidence_free(struct evidence_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].text);
    free(list->items);
    memset(list, 0, sizeof(*list));
}
