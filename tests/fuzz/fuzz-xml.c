/* A hostile document: parsed, checked against every operation's tables, and written again. */
#include <string.h>

#include "module/schema.h"
#include "tests/fuzz/fuzz.h"

/* What the tables accept has what consumers rely on. */
static void use(const struct xml_node *node)
{
    struct buf octets = {0};
    uint64_t n;

    FUZZ_HOLDS(!xml_is(node, "piece") || xml_attribute_number(node, "fd", SCHEMA_NUMBER_MAX, &n));
    (void)xml_base64(node, &octets);
    buf_free(&octets);
    for (const struct xml_node *child = node->children; child != NULL; child = child->next)
        use(child);
}

static void check(const struct xml_node *root)
{
    char error[100];

    (void)schema_check_own(&schema_request, root, error, sizeof error);
    (void)schema_check_own(&schema_answer, root, error, sizeof error);
    if (root->children == NULL)
        return;
    for (const struct schema_operation *o = schema_operations; o->name != NULL; o++) {
        if (schema_check(o->request, root->children, error, sizeof error))
            use(root->children);
        if (o->answer != NULL && schema_check(o->answer, root->children, error, sizeof error))
            use(root->children);
    }
}

/* Text that was read can be written and read again, unchanged. */
static void write_again(const struct xml_node *root)
{
    struct buf out = {0};
    struct xml_writer w;
    char error[100];
    struct xml_node *again;

    xml_begin(&w, &out);
    xml_open(&w, "a");
    xml_put(&w, "b", root->text);
    xml_text(&w, root->text);
    xml_close(&w);
    again = xml_parse(out.data, out.len, error, sizeof error);
    FUZZ_HOLDS(again != NULL && strcmp(again->text, root->text) == 0);
    FUZZ_HOLDS(strcmp(xml_attribute(again, "b"), root->text) == 0);
    xml_free(again);
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[100];
    struct xml_node *root = xml_parse(data, size, error, sizeof error);

    if (root == NULL)
        return 0;
    check(root);
    write_again(root);
    xml_free(root);
    return 0;
}
