/* What was protected, compared with what stands outside. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "incoming/protected.h"

/* What people read and answer to. Trace fields, results of checks and the like mean nothing when they come
   from inside. Message-ID is compared, but stays the outer one: it names the message on its way, also in
   notices that go back (quoted.h). */
static const struct known {
    const char *name;
    bool addresses; /* relays write these in another form */
    bool set;       /* where all fields of the sender are inside, one that is outside only is not his */
} fields[] = {
    {"Subject", false, true},      {"From", true, false},        {"Sender", true, true},
    {"Reply-To", true, true},      {"To", true, true},           {"Cc", true, true},
    {"Date", false, false},        {"Comments", false, true},    {"In-Reply-To", false, true},
    {"Keywords", false, true},     {"References", false, true},  {"Followup-To", false, true},
    {"Thread-Topic", false, true}, {"Message-ID", false, false},
};

/* The text without what relays change in lists of addresses: blanks, quotes, case. */
static void reduce(char *text)
{
    char *to = text;

    for (const char *p = text; *p != '\0'; p++)
        if (*p != ' ' && *p != '"')
            *to++ = (char)tolower((unsigned char)*p);
    *to = '\0';
}

/* What all fields of that name say, one a line. */
static char *text_of(const struct header *header, const struct known *known)
{
    struct buf all = {0};
    long index;

    for (size_t from = 0; (index = header_next(header, known->name, from)) >= 0; from = (size_t)index + 1) {
        char *text = header_text(header, (size_t)index);

        if (known->addresses)
            reduce(text);
        buf_printf(&all, "%s\n", text);
        free(text);
    }
    return buf_take(&all);
}

/* What senders put in the place of a Subject that they hide without telling so. */
static bool is_placeholder(const char *text)
{
    static const char *const texts[] = {"", "\n", "...\n", "[...]\n", "Encrypted Message\n"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (strcmp(texts[i], text) == 0)
            return true;
    return false;
}

/* Without HP-Outer only a guess (RFC 9788 4.10.2). */
static bool seems_hidden(const struct protected *protected, const struct known *known, const char *outside)
{
    return protected->said.count == 0 && protected->encrypted && strcmp(known->name, "From") != 0 &&
           is_placeholder(outside);
}

static bool is_replaced(const struct protected *protected, const struct known *known)
{
    return protected->active && strcmp(known->name, "Message-ID") != 0 &&
           !(protected->from_kept && strcmp(known->name, "From") == 0);
}

/* Are all his fields inside, as RFC 9788 wants it? Who leaves out what every message has (RFC 5322 3.6) may
   leave out others. */
static bool is_complete(const struct protected *protected)
{
    return protected->form != PROTECTED_V1 && header_count(&protected->inside, "From") > 0 &&
           header_count(&protected->inside, "Date") > 0;
}

static void compare(struct protected *protected, const struct known *known, const struct header *outer,
                    struct strlist *hidden, struct strlist *differs)
{
    const struct header *sent = protected->said.count > 0 ? &protected->said : &protected->inside;
    char *inside = text_of(&protected->inside, known), *outside = text_of(outer, known);
    char *said = text_of(sent, known);
    bool missing = header_count(&protected->inside, known->name) == 0;

    if (!missing || (known->set && is_complete(protected))) {
        if (strcmp(said, outside) != 0 && !seems_hidden(protected, known, outside))
            strlist_add(differs, known->name);
        else if (strcmp(inside, outside) != 0)
            strlist_add(hidden, known->name);
        if (strcmp(inside, outside) != 0 && is_replaced(protected, known))
            strlist_add(&protected->names, known->name);
    }
    free(inside);
    free(outside);
    free(said);
}

static void tell(const char *what, const struct strlist *names, struct buf *out)
{
    char *joined = strlist_join(names, ", ");

    if (names->count > 0)
        buf_printf(out, "; %s: %s", what, joined);
    free(joined);
}

void protected_compare(struct protected *protected, const struct header *outer)
{
    struct strlist hidden = {0}, differs = {0};
    struct buf told = {0};

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        compare(protected, &fields[i], outer, &hidden, &differs);
    buf_add_text(&told, "protected");
    tell("hidden", &hidden, &told);
    tell("differs", &differs, &told);
    protected->told = buf_take(&told);
    strlist_free(&hidden);
    strlist_free(&differs);
}
