#include "util/strlist.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/buf.h"
#include "util/mem.h"

#define STRLIST_BLANKS " \t\r\n"

void strlist_add(struct strlist *list, const char *text)
{
    strlist_add_take(list, mem_strdup(text));
}

/* One slot more than `count` is always in use, by the NULL at the end; capacity is that rounded up to a power
 * of two. */
void strlist_add_take(struct strlist *list, char *text)
{
    size_t used = list->items == NULL ? 0 : list->count + 1;

    if ((used & (used - 1)) == 0)
        list->items = mem_resize(list->items, (used == 0 ? 2 : used * 2) * sizeof(*list->items));
    list->items[list->count++] = text;
    list->items[list->count] = NULL;
}

bool strlist_has(const struct strlist *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return false;
}

bool strlist_has_nocase(const struct strlist *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcasecmp(list->items[i], text) == 0)
            return true;
    return false;
}

void strlist_split(struct strlist *list, const char *text)
{
    text += strspn(text, STRLIST_BLANKS);
    while (*text != '\0') {
        size_t len = strcspn(text, STRLIST_BLANKS);

        strlist_add_take(list, mem_strndup(text, len));
        text += len;
        text += strspn(text, STRLIST_BLANKS);
    }
}

char *strlist_join(const struct strlist *list, const char *separator)
{
    struct buf text = {0};

    for (size_t i = 0; i < list->count; i++)
        buf_printf(&text, "%s%s", i > 0 ? separator : "", list->items[i]);
    return buf_take(&text);
}

void strlist_free(struct strlist *list)
{
    if (list == NULL)
        return;
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct strlist){0};
}
