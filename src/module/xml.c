#include "module/xml.h"

#include <expat.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "util/base64.h"
#include "util/mem.h"

#define SEPARATOR '|' /* between namespace and local name; stands in neither */

struct reader {
    XML_Parser expat;
    struct xml_node *root, *current;
    struct buf text[XML_DEPTH_MAX + 1]; /* of the elements that are open */
    size_t depth, nodes;
    char *error; /* the first one counts */
    size_t error_size;
    bool failed;
};

static void fail(struct reader *r, const char *what, const char *name)
{
    if (r->failed)
        return;
    r->failed = true;
    if (r->error_size > 0)
        snprintf(r->error, r->error_size, "line %lu: %s%s%.100s",
                 (unsigned long)XML_GetCurrentLineNumber(r->expat), what, name[0] != '\0' ? " " : "", name);
    XML_StopParser(r->expat, XML_FALSE);
}

/* The name behind our namespace, NULL when it is in another one or none. */
static const char *local_name(const char *name)
{
    size_t len = strlen(XML_NAMESPACE);

    if (strncmp(name, XML_NAMESPACE, len) != 0 || name[len] != SEPARATOR)
        return NULL;
    return name + len + 1;
}

static bool add_attributes(struct reader *r, struct xml_node *node, const XML_Char **attributes)
{
    size_t count = 0;

    while (attributes[2 * count] != NULL)
        count++;
    if (count > XML_ATTRIBUTES_MAX) {
        fail(r, "too many attributes in element", node->name);
        return false;
    }
    node->attributes = count > 0 ? mem_array(count, sizeof *node->attributes) : NULL;
    for (size_t i = 0; i < count; i++) {
        if (strchr(attributes[2 * i], SEPARATOR) != NULL) {
            fail(r, "attribute of a foreign namespace:", attributes[2 * i]);
            return false;
        }
        node->attributes[i].name = mem_strdup(attributes[2 * i]);
        node->attributes[i].value = mem_strdup(attributes[2 * i + 1]);
        node->attribute_count++;
    }
    return true;
}

static void append_node(struct reader *r, struct xml_node *node)
{
    node->parent = r->current;
    if (node->parent == NULL)
        r->root = node;
    else if (node->parent->last == NULL)
        node->parent->children = node;
    else
        node->parent->last->next = node;
    if (node->parent != NULL)
        node->parent->last = node;
    r->current = node;
}

static void XMLCALL on_start(void *context, const XML_Char *name, const XML_Char **attributes)
{
    struct reader *r = context;
    const char *local = local_name(name);
    struct xml_node *node;

    if (r->failed)
        return;
    if (local == NULL) {
        fail(r, "element outside the namespace " XML_NAMESPACE ":", name);
    } else if (r->depth == XML_DEPTH_MAX) {
        fail(r, "elements nested too deeply:", local);
    } else if (r->nodes == XML_NODES_MAX) {
        fail(r, "too many elements", "");
    } else {
        node = mem_alloc(sizeof *node);
        node->name = mem_strdup(local);
        append_node(r, node);
        r->depth++;
        r->nodes++;
        add_attributes(r, node, attributes);
    }
}

static void XMLCALL on_end(void *context, const XML_Char *name)
{
    struct reader *r = context;
    struct buf *text = &r->text[r->depth];

    (void)name;
    if (r->failed)
        return;
    r->current->text = mem_strdup(buf_text(text));
    buf_clear(text);
    r->current = r->current->parent;
    r->depth--;
}

static void XMLCALL on_text(void *context, const XML_Char *text, int len)
{
    struct reader *r = context;

    if (!r->failed)
        buf_add(&r->text[r->depth], text, (size_t)len);
}

static void XMLCALL on_doctype(void *context, const XML_Char *name, const XML_Char *system,
                               const XML_Char *public, int internal)
{
    (void)system;
    (void)public;
    (void)internal;
    fail(context, "a document type is not allowed:", name);
}

static void XMLCALL on_instruction(void *context, const XML_Char *target, const XML_Char *data)
{
    (void)data;
    fail(context, "a processing instruction is not allowed:", target);
}

static void XMLCALL on_declaration(void *context, const XML_Char *version, const XML_Char *encoding,
                                   int standalone)
{
    (void)version;
    (void)standalone;
    if (encoding != NULL && strcasecmp(encoding, "UTF-8") != 0)
        fail(context, "the encoding must be UTF-8, not", encoding);
}

static void run(struct reader *r, const void *data, size_t len)
{
    XML_SetUserData(r->expat, r);
    XML_SetElementHandler(r->expat, on_start, on_end);
    XML_SetCharacterDataHandler(r->expat, on_text);
    XML_SetStartDoctypeDeclHandler(r->expat, on_doctype);
    XML_SetProcessingInstructionHandler(r->expat, on_instruction);
    XML_SetXmlDeclHandler(r->expat, on_declaration);
    if (len > INT_MAX)
        fail(r, "too long", "");
    else if (XML_Parse(r->expat, data, (int)len, XML_TRUE) != XML_STATUS_OK)
        fail(r, XML_ErrorString(XML_GetErrorCode(r->expat)), "");
}

struct xml_node *xml_parse(const void *data, size_t len, char *error_r, size_t size)
{
    struct reader r = {.error = error_r, .error_size = size};

    r.expat = XML_ParserCreateNS("UTF-8", SEPARATOR);
    if (r.expat == NULL)
        mem_alloc(SIZE_MAX); /* out of memory: ends the process */
    run(&r, data, len);
    XML_ParserFree(r.expat);
    for (size_t i = 0; i <= XML_DEPTH_MAX; i++)
        buf_free(&r.text[i]);
    if (!r.failed)
        return r.root;
    xml_free(r.root);
    return NULL;
}

/* Children first, without recursion. */
void xml_free(struct xml_node *root)
{
    struct xml_node *node = root;

    while (node != NULL) {
        struct xml_node *after;

        if (node->children != NULL) {
            struct xml_node *child = node->children;

            node->children = NULL;
            node = child;
            continue;
        }
        after = node == root ? NULL : node->next != NULL ? node->next : node->parent;
        for (size_t i = 0; i < node->attribute_count; i++) {
            free(node->attributes[i].name);
            free(node->attributes[i].value);
        }
        free(node->attributes);
        free(node->name);
        free(node->text);
        free(node);
        node = after;
    }
}

const char *xml_attribute(const struct xml_node *node, const char *name)
{
    for (size_t i = 0; i < node->attribute_count; i++)
        if (strcmp(node->attributes[i].name, name) == 0)
            return node->attributes[i].value;
    return NULL;
}

bool xml_number(const char *text, uint64_t max, uint64_t *value_r)
{
    uint64_t value = 0;
    size_t len = strlen(text);

    if (len == 0 || len > XML_DIGITS_MAX || strspn(text, "0123456789") != len)
        return false;
    for (size_t i = 0; i < len; i++)
        value = value * 10 + (uint64_t)(text[i] - '0');
    if (value > max)
        return false;
    *value_r = value;
    return true;
}

bool xml_attribute_number(const struct xml_node *node, const char *name, uint64_t max, uint64_t *value_r)
{
    const char *text = xml_attribute(node, name);

    return text != NULL && xml_number(text, max, value_r);
}

static const struct xml_node *first_named(const struct xml_node *node, const char *name)
{
    while (node != NULL && !xml_is(node, name))
        node = node->next;
    return node;
}

const struct xml_node *xml_child(const struct xml_node *node, const char *name)
{
    return first_named(node->children, name);
}

const struct xml_node *xml_next(const struct xml_node *node, const char *name)
{
    return first_named(node->next, name);
}

bool xml_is(const struct xml_node *node, const char *name)
{
    return strcmp(node->name, name) == 0;
}

bool xml_base64(const struct xml_node *node, struct buf *out)
{
    return base64_decode_buf(out, node->text);
}

bool xml_blank(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}
