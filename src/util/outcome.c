#include "util/outcome.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* A text cut in the middle of a UTF-8 character loses the rest of that character. */
static void cut_half_character(char *text)
{
    size_t len = strlen(text), tail = 0;
    unsigned char lead;

    while (tail < 3 && tail < len && ((unsigned char)text[len - 1 - tail] & 0xc0) == 0x80)
        tail++;
    if (tail >= len)
        return;
    lead = (unsigned char)text[len - 1 - tail];
    if ((lead >= 0xc0 && tail < 1) || (lead >= 0xe0 && tail < 2) || (lead >= 0xf0 && tail < 3))
        text[len - 1 - tail] = '\0';
}

static void outcome_fill(struct outcome *o, enum outcome_kind kind, int exit_code, const char *dsn,
                         const char *format, va_list ap) __attribute__((format(printf, 5, 0)));

static void outcome_fill(struct outcome *o, enum outcome_kind kind, int exit_code, const char *dsn,
                         const char *format, va_list ap)
{
    int len = vsnprintf(o->text, sizeof(o->text), format, ap);

    o->kind = kind;
    o->exit_code = exit_code;
    snprintf(o->dsn, sizeof(o->dsn), "%s", dsn);
    o->dsn[0] = kind == OUTCOME_PERMANENT ? '5' : '4';
    if (len < 0)
        o->text[0] = '\0';
    else if ((size_t)len >= sizeof(o->text))
        cut_half_character(o->text);
    for (char *p = o->text; *p != '\0'; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = ' ';
}

void outcome_done(struct outcome *o)
{
    *o = (struct outcome){.kind = OUTCOME_DONE, .exit_code = EX_OK, .dsn = "2.0.0"};
}

void outcome_temporary(struct outcome *o, const char *dsn, const char *format, ...)
{
    va_list ap;

    if (o->kind == OUTCOME_TEMPORARY)
        return;
    va_start(ap, format);
    outcome_fill(o, OUTCOME_TEMPORARY, EX_TEMPFAIL, dsn, format, ap);
    va_end(ap);
}

void outcome_permanent(struct outcome *o, int exit_code, const char *dsn, const char *format, ...)
{
    va_list ap;

    if (o->kind != OUTCOME_DONE)
        return;
    va_start(ap, format);
    outcome_fill(o, OUTCOME_PERMANENT, exit_code, dsn, format, ap);
    va_end(ap);
}

void outcome_merge(struct outcome *o, const struct outcome *part)
{
    if (part->kind == OUTCOME_TEMPORARY)
        outcome_temporary(o, part->dsn, "%s", part->text);
    else if (part->kind == OUTCOME_PERMANENT)
        outcome_permanent(o, part->exit_code, part->dsn, "%s", part->text);
}
