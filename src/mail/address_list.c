/* Address lists in header fields (RFC 5322 3.4, with the obsolete forms of section 4.4). */
#include <string.h>
#include <strings.h>

#include "mail/address.h"
#include "mail/utf8.h"
#include "util/buf.h"

struct list_parser {
    const char *p, *end;
    struct buf word;  /* the mailbox or phrase read so far, comments and blanks dropped; quotes kept */
    struct buf angle; /* what stood in <...> */
    bool has_angle;
    bool gap;    /* blank or comment since the last character of `word` */
    bool phrase; /* `word` is more than one word */
    bool in_group;
    bool clean;
    struct strlist *addresses;
};

static void list_reset(struct list_parser *l)
{
    buf_clear(&l->word);
    buf_clear(&l->angle);
    l->has_angle = l->gap = l->phrase = false;
}

/* One finished mailbox. A route (RFC 5322 4.4: <@a,@b:user@c>) is dropped. */
static void list_add(struct list_parser *l, const char *mailbox)
{
    if (*mailbox == '@') {
        const char *colon = strchr(mailbox, ':');

        l->clean = false;
        mailbox = colon == NULL ? "" : colon + 1;
    }
    if (strncmp(mailbox, "=?", 2) ==
        0) /* encoded words may not stand in addresses (RFC 2047 5): readers disagree */
        l->clean = false;
    if (address_valid(mailbox, true))
        strlist_add(l->addresses, mailbox);
    else
        l->clean = false;
}

/* At a comma, a semicolon or the end. */
static void list_finish(struct list_parser *l)
{
    if (l->has_angle) {
        /* Another address as unquoted display name: some readers show that one. */
        if (l->word.len > 0 && l->word.data[0] != '"' && memchr(l->word.data, '@', l->word.len) != NULL &&
            strcasecmp(buf_text(&l->word), buf_text(&l->angle)) != 0)
            l->clean = false;
        if (l->angle.len > 0)
            list_add(l, buf_text(&l->angle));
        else
            l->clean = false;
    } else if (l->word.len > 0) {
        if (l->phrase)
            l->clean = false; /* words, but no address among them that all readers would see */
        else
            list_add(l, buf_text(&l->word));
    }
    list_reset(l);
}

static void skip_comment(struct list_parser *l)
{
    unsigned int depth = 0;

    for (; l->p < l->end; l->p++) {
        if (*l->p == '\\' && l->p + 1 < l->end)
            l->p++;
        else if (*l->p == '(')
            depth++;
        else if (*l->p == ')' && --depth == 0) {
            l->p++;
            return;
        }
    }
    l->clean = false;
}

/* Copies a quoted string with its quotes into `out`. */
static void take_quoted(struct list_parser *l, struct buf *out)
{
    buf_add_char(out, *l->p++);
    while (l->p < l->end) {
        char c = *l->p++;

        buf_add_char(out, c);
        if (c == '"')
            return;
        if (c == '\\' && l->p < l->end)
            buf_add_char(out, *l->p++);
    }
    l->clean = false;
}

static void take_angle(struct list_parser *l)
{
    if (l->has_angle)
        l->clean = false;
    l->has_angle = true;
    buf_clear(&l->angle);
    for (l->p++; l->p < l->end && *l->p != '>';) {
        if (*l->p == '"') {
            take_quoted(l, &l->angle);
        } else if (*l->p == '(') {
            skip_comment(l);
        } else {
            if (*l->p == '<' || *l->p == '\0')
                l->clean = false;
            if (*l->p != ' ' && *l->p != '\t' && *l->p != '\r' && *l->p != '\n')
                buf_add_char(&l->angle, *l->p);
            l->p++;
        }
    }
    if (l->p < l->end)
        l->p++;
    else
        l->clean = false;
}

/* A blank or comment inside "a . b @ c" means nothing; between two words it makes a phrase. */
static void join_word(struct list_parser *l, char next)
{
    if (l->has_angle)
        l->clean = false; /* text behind <...> */
    if (l->gap && l->word.len > 0) {
        char last = l->word.data[l->word.len - 1];

        if (strchr(".@", last) == NULL && (next == '\0' || strchr(".@", next) == NULL))
            l->phrase = true;
    }
    l->gap = false;
}

/* One token at l->p. */
static void list_step(struct list_parser *l)
{
    char c = *l->p;

    switch (c) {
    case ' ':
    case '\t':
    case '\r':
    case '\n':
        l->gap = true;
        l->p++;
        break;
    case '(':
        skip_comment(l);
        l->gap = true;
        break;
    case '"':
        join_word(l, c);
        take_quoted(l, &l->word);
        break;
    case '<':
        take_angle(l);
        break;
    case ',':
        list_finish(l);
        l->p++;
        break;
    case ':':
        if (l->in_group || l->has_angle)
            l->clean = false;
        l->in_group = true;
        list_reset(l); /* the group's name */
        l->p++;
        break;
    case ';':
        if (!l->in_group)
            l->clean = false;
        l->in_group = false;
        list_finish(l);
        l->p++;
        break;
    default:
        if (c == '\0' || c == '>')
            l->clean = false;
        join_word(l, c);
        if (c != '\0')
            buf_add_char(&l->word, c);
        l->p++;
    }
}

void address_list_parse(const char *value, size_t len, struct strlist *addresses, bool *clean_r)
{
    struct list_parser l = {.p = value, .end = value + len, .clean = true, .addresses = addresses};

    while (l.p < l.end)
        list_step(&l);
    list_finish(&l);
    if (l.in_group)
        l.clean = false;
    buf_free(&l.word);
    buf_free(&l.angle);
    if (clean_r != NULL)
        *clean_r = l.clean;
}
