/* Strict XML for frames, by expat: UTF-8 only, namespace urn:julia:module:1 on every element, no DOCTYPE, no
   entities but the five built in, no processing instructions, bounded depth, nodes and attributes. */
#ifndef JULIA_XML_H
#define JULIA_XML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"

#define XML_NAMESPACE      "urn:julia:module:1"
#define XML_DEPTH_MAX      8
#define XML_NODES_MAX      100000
#define XML_ATTRIBUTES_MAX 16
#define XML_DIGITS_MAX     16 /* of a number: 2^53 - 1 fits */

struct xml_attribute {
    char *name, *value;
};

struct xml_node {
    char *name; /* local name */
    struct xml_attribute *attributes;
    size_t attribute_count;
    char *text; /* character data of this element alone; "" if none */
    struct xml_node *parent, *children, *last, *next;
};

/* NULL when not well-formed or outside the limits: error_r (room for size octets) says what and where. */
struct xml_node *xml_parse(const void *data, size_t len, char *error_r, size_t size);
void xml_free(struct xml_node *root);

const char *xml_attribute(const struct xml_node *node, const char *name); /* NULL if absent */
bool xml_attribute_number(const struct xml_node *node, const char *name, uint64_t max, uint64_t *value_r);
/* Decimal digits only, at most XML_DIGITS_MAX of them, value at most `max`. */
bool xml_number(const char *text, uint64_t max, uint64_t *value_r);
bool xml_blank(const char *text);                                                /* nothing but white space */
const struct xml_node *xml_child(const struct xml_node *node, const char *name); /* first one, NULL */
/* The next sibling of that name, NULL. */
const struct xml_node *xml_next(const struct xml_node *node, const char *name);
bool xml_is(const struct xml_node *node, const char *name);
/* The text as base64. False when it is not. */
bool xml_base64(const struct xml_node *node, struct buf *out);

/* Writing. Values are escaped; octets that XML cannot carry (control characters, invalid UTF-8) become
 * U+FFFD. */
struct xml_writer {
    struct buf *out;
    const char *open[XML_DEPTH_MAX + 2]; /* names, borrowed: string literals */
    size_t depth;
    bool in_tag;
};
void xml_begin(struct xml_writer *w, struct buf *out);
void xml_open(struct xml_writer *w, const char *name); /* the first one gets the namespace */
/* A NULL value: the attribute is left out. */
void xml_put(struct xml_writer *w, const char *attribute, const char *value);
void xml_put_number(struct xml_writer *w, const char *attribute, uint64_t value);
void xml_put_hex(struct xml_writer *w, const char *attribute, const void *data, size_t len);
void xml_text(struct xml_writer *w, const char *text);
void xml_put_base64(struct xml_writer *w, const void *data, size_t len); /* as the element's text */
/* A whole element with that as its text. */
void xml_add_base64(struct xml_writer *w, const char *name, const void *data, size_t len);
void xml_close(struct xml_writer *w);

#endif
