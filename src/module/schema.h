/* The contract of the module protocol as the library checks it, element by element: the same as
   modules/protocol.rng, which tests compare it with, but without libxml2. What passes here has every required
   attribute, numbers that are numbers and no element or attribute that the contract does not know. */
#ifndef JULIA_SCHEMA_H
#define JULIA_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include "module/xml.h"

#define SCHEMA_NUMBER_MAX UINT64_C(9007199254740991) /* 2^53 - 1: exact in every language */

enum schema_text { SCHEMA_EMPTY, SCHEMA_TEXT, SCHEMA_BASE64 };

struct schema_child;
struct schema_element {
    const char *name;
    /* "name=kind" separated by blanks, "name?=kind" when optional. A kind is number, hex, sha256, base64,
       time, word, id, text, or the values allowed: "a|b|c". */
    const char *attributes;
    enum schema_text text;
    const struct schema_child *children; /* in this order; element NULL ends the list */
    /* What the table cannot say, NULL for none. Returns what is wrong or NULL. */
    const char *(*check)(const struct xml_node *node);
};
struct schema_child {
    const struct schema_element *element;
    char times; /* '1', '?', '*' or '+' */
};

struct schema_operation {
    const char *role; /* NULL: every role */
    const char *name;
    const struct schema_element *request;
    const struct schema_element *answer; /* NULL: answered by a bare status */
};
extern const struct schema_operation schema_operations[]; /* name NULL ends the list */
extern const struct schema_element
    schema_request; /* the attributes of <request> and <answer>; their children are */
extern const struct schema_element schema_answer; /* those of the operation */

/* NULL: the contract has no such operation for that role. */
const struct schema_operation *schema_find(const char *role, const char *operation);
/* Checks the element with everything below it. false: error_r says what is wrong. */
bool schema_check(const struct schema_element *element, const struct xml_node *node, char *error_r,
                  size_t size);
/* Attributes and text of this element alone. */
bool schema_check_own(const struct schema_element *element, const struct xml_node *node, char *error_r,
                      size_t size);

#endif
