/* The library's tables say the same as modules/protocol.rng, on every example document. */
#include "module/schema.h"

#include <dirent.h>
#include <string.h>

#include "tests/unit/module_rng.h"
#include "tests/unit/unit.h"
#include "util/fdio.h"
#include "util/mem.h"

/* As call.c and serve_request.c check a document; `role` as in the file's name. */
static bool valid_by_tables(const char *role, const char *xml, size_t len, char *error, size_t size)
{
    struct xml_node *root = xml_parse(xml, len, error, size);
    const struct schema_operation *operation;
    bool request, good = false;

    if (root == NULL)
        return false;
    request = xml_is(root, "request");
    if (schema_check_own(request ? &schema_request : &schema_answer, root, error, size)) {
        operation = root->children != NULL ? schema_find(role, root->children->name) : NULL;
        if (root->children == NULL)
            good = !request;
        else if (root->children->next == NULL && operation != NULL)
            good =
                schema_check(request ? operation->request : operation->answer, root->children, error, size);
    }
    xml_free(root);
    return good;
}

static void compare_folder(const char *relative, bool expected)
{
    char *path = module_rng_path(relative);
    DIR *dir = opendir(path);
    struct dirent *entry;
    unsigned int count = 0;

    ck_assert_msg(dir != NULL, "%s", path);
    while ((entry = readdir(dir)) != NULL) {
        char *file = mem_printf("%s/%s", path, entry->d_name);
        char *role = mem_strndup(entry->d_name, strcspn(entry->d_name, "-."));
        char error[300] = "";
        struct buf xml = {0};

        if (entry->d_name[0] != '.') {
            ck_assert_int_eq(fdio_read_file(file, 1 << 20, &xml), 0);
            ck_assert_msg(module_rng_valid(xml.data, xml.len) == expected, "%s: by protocol.rng", file);
            ck_assert_msg(valid_by_tables(role, xml.data, xml.len, error, sizeof error) == expected,
                          "%s: by the tables: %s", file, error);
            count++;
        }
        buf_free(&xml);
        free(role);
        free(file);
    }
    ck_assert_uint_gt(count, 30);
    closedir(dir);
    free(path);
}

START_TEST(valid)
{
    compare_folder("tests/data/protocol/valid", true);
}
END_TEST

START_TEST(invalid)
{
    compare_folder("tests/data/protocol/invalid", false);
}
END_TEST

/* Every operation has an example of its request and answer. */
START_TEST(complete)
{
    for (const struct schema_operation *o = schema_operations; o->name != NULL; o++) {
        for (int answer = 0; answer < 2; answer++) {
            const char *role = o->role != NULL ? o->role : answer ? "keys" : NULL;
            char *name = mem_printf("tests/data/protocol/valid/%s%s%s-%s.xml", role != NULL ? role : "",
                                    role != NULL ? "-" : "", o->name, answer ? "answer" : "request");
            char *path = module_rng_path(name);
            struct buf xml = {0};

            ck_assert_msg(fdio_read_file(path, 1 << 20, &xml) == 0, "%s", path);
            buf_free(&xml);
            free(path);
            free(name);
        }
    }
    ck_assert_ptr_null(schema_find("trust", "sign"));
    ck_assert_ptr_null(schema_find("keys", "validate"));
    ck_assert_ptr_ne(schema_find("keys", "sign"), schema_find("smime", "sign"));
}
END_TEST

/* The end of the document that begins at `begin`. */
static const char *document_end(const char *begin)
{
    const char *tag_end = strchr(begin, '>'), *end;

    ck_assert_ptr_nonnull(tag_end);
    if (tag_end[-1] == '/')
        return tag_end + 1;
    end = strstr(begin, strncmp(begin, "<request", 8) == 0 ? "</request>" : "</answer>");
    ck_assert_ptr_nonnull(end);
    return strchr(end, '>') + 1;
}

/* The examples of julia-module(7) are valid, and every operation has one. */
START_TEST(manual)
{
    char *path = module_rng_path("man/julia-module.7");
    struct buf page = {0};
    unsigned int count = 0;

    ck_assert_int_eq(fdio_read_file(path, 1 << 20, &page), 0);
    for (const char *at = page.data; (at = strstr(at, "\n<")) != NULL;) {
        const char *end = document_end(++at);

        ck_assert_msg(module_rng_valid(at, (size_t)(end - at)), "%.*s", (int)(end - at), at);
        at = end;
        count++;
    }
    ck_assert_uint_ge(count, 22);
    for (const struct schema_operation *o = schema_operations; o->name != NULL; o++) {
        char *element = mem_printf("\n  <%s", o->name);

        ck_assert_msg(strstr(page.data, element) != NULL, "no example of %s", o->name);
        free(element);
    }
    buf_free(&page);
    free(path);
}
END_TEST

UNIT_MAIN("module-schema", valid, invalid, complete, manual)
