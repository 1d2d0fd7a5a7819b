/* Operation list: everything of an area, in pages. */
#include <string.h>

#include "modules/keys-file/entry.h"

#define LIST_PAGE 100 /* certificates; with their XML about 300 KB */

static bool find_area(const char *name, enum area *area_r)
{
    for (int i = 0; i < AREA_COUNT; i++)
        if (strcmp(area_name((enum area)i), name) == 0) {
            *area_r = (enum area)i;
            return true;
        }
    return false;
}

static void write_page(const struct module *module, struct areas_list *list, struct xml_writer *w)
{
    xml_open(w, "list");
    xml_put(w, "more", list->count > LIST_PAGE ? "yes" : "no");
    for (size_t i = 0; i < list->count && i < LIST_PAGE; i++) {
        struct areas_certificate *item = &list->items[i];
        struct entry entry = {.certificate = item,
                              .key = item->key_file != NULL ? item : NULL,
                              .capabilities = item->capabilities.len > 0 ? &item->capabilities : NULL};

        entry_write(module, &entry, w);
    }
    xml_close(w);
}

void list_run(const struct serve_request *request, struct serve_answer *answer, void *context)
{
    struct module *module = context;
    const char *after = xml_attribute(request->body, "after");
    char error[MODULE_ERROR_MAX] = "";
    enum area area = AREA_PUBLIC;
    struct areas_list list;

    if (module_areas(module, answer) == NULL || !find_area(xml_attribute(request->body, "area"), &area))
        return;
    if (areas_list_area(module->areas, area, after, LIST_PAGE + 1, &list, error, sizeof(error)) != 0) {
        serve_fail(answer, ANSWER_TEMPORARY, "store-unreadable", "%s", error);
        return;
    }
    write_page(module, &list, &answer->writer);
    areas_list_free(&list);
}
