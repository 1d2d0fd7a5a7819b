/* The header section of a message or MIME part as byte ranges (RFC 5322 2.2, RFC 2045). Original octets are
   never changed; unfolded and decoded copies stand beside them. */
#ifndef JULIA_HEADER_H
#define JULIA_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"

/* One header section may be this long in memory (a 1 MB line in the wild is spam or attack); what is longer
   is a structure limit: the message then passes as it came. */
#define HEADER_SECTION_MAX (2u << 20)
#define HEADER_FIELDS_MAX  10000

struct header_field {
    size_t start, end; /* whole field with its line ends, offsets into the section's octets */
    size_t name_len; /* name is data[start, start+name_len) ; 0: a line that is no field (malformed, kept) */
    size_t value_start; /* behind the colon */
};

struct header {
    unsigned char *data; /* the section's octets as they came, without the empty line that ends it */
    size_t len;
    struct header_field *fields;
    size_t count;
    const char *eol; /* "\r\n" if the first line ends so, else "\n" */
};

/* Parses `data` (copied). Never fails: malformed lines become fields without a name. */
void header_parse(struct header *header, const void *data, size_t len);
void header_free(struct header *header);

/* Index of the n-th (from 0) field with that name (ASCII case ignored), or -1. */
long header_find(const struct header *header, const char *name, size_t n);
/* Index of the first one at `from` or behind it, or -1: for all of a name in turn, which may be thousands. */
long header_next(const struct header *header, const char *name, size_t from);
size_t header_count(const struct header *header, const char *name);
/* Does a field of that name begin behind a bare CR? Some readers take that for a line end. */
bool header_hides(const struct header *header, const char *name);
/* Are there lines that belong to no field? Many readers take the first of them for the beginning of the body.
 */
bool header_has_strays(const struct header *header);
/* Is there a NUL or a bare CR? Readers disagree about what these mean. */
bool header_has_controls(const struct header *header);
bool header_field_is(const struct header *header, size_t index, const char *name);
/* Is its name one of these (NULL ends the list)? One that ends in '-' stands for all that begin so. */
bool header_field_in(const struct header *header, size_t index, const char *const *names);
bool header_field_is_content(const struct header *header, size_t index); /* Content-* (RFC 2045 3) */
char *header_name(const struct header *header,
                  size_t index); /* newly allocated; "" for a line that is no field */
/* Appends the whole field as it stands, but blanks for NUL and bare CR: to some readers they would begin
   another field. In a line that is no field they become '?': a blank could make the name of one of what
   stands before a colon. */
void header_copy(const struct header *header, size_t index, struct buf *out);
/* The unfolded value (RFC 5322 2.2.3), trimmed; octets as they are, NUL becomes blank. Newly allocated. */
char *header_value(const struct header *header, size_t index);
char *header_value_of(const struct header *header, const char *name); /* first one; NULL if none */

/* Structured value with parameters: Content-Type, Content-Disposition (RFC 2045 5.1, RFC 2231 joined,
 * comments gone). */
struct header_param {
    char *name, *value; /* name in lower case */
};
struct header_typed {
    char *value;                 /* "multipart/signed" in lower case; "" when unreadable */
    struct header_param *params; /* the first of several with one name */
    size_t count;
    bool repeated; /* a parameter came twice with different values: other readers may take the other one */
};
void header_typed_parse(struct header_typed *typed, const char *value);
const char *header_typed_param(const struct header_typed *typed, const char *name); /* NULL if absent */
void header_typed_free(struct header_typed *typed);

/* Is this field (Content-Type) written so that all readers take the same type and parameters from it? Not: a
   blank before the colon, comments, blanks around '/' and '=', quoted pairs, what must be quoted and is not,
   control and 8-bit characters, a folded line of blanks only; a boundary that is split or encoded (RFC 2231),
   given twice, longer than 70 characters, or named in another parameter, too. */
bool header_typed_plain(const struct header *header, size_t index);

/* Encoded words (RFC 2047) to UTF-8. US-ASCII, UTF-8, ISO-8859-1, -15, Windows-1252 by own table; other
   charsets by iconv; what cannot be decoded stays as it is. Newly allocated, valid UTF-8. */
char *header_decode(const char *value);
/* The same, but what cannot be decoded is shown as mail programs may show it: the octets of the word, by
   charset_guess(). For finding out what readers see. */
char *header_decode_guess(const char *value);

/* The decoded value of field `index`, each run of blanks as one and none at the ends: what readers see of it.
   Newly allocated. */
char *header_text(const struct header *header, size_t index);

/* Appends "Name: value" + eol, folded at 78 columns (RFC 5322 2.1.1), non-ASCII as encoded words (RFC 2047);
   control characters are replaced by '?', so a value can never add a field. */
void header_write(struct buf *out, const char *name, const char *utf8_value, const char *eol);

#endif
