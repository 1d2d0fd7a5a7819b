/* A list of strings. The list owns its strings. A zeroed struct is an empty list. */
#ifndef JULIA_STRLIST_H
#define JULIA_STRLIST_H

#include <stdbool.h>
#include <stddef.h>

struct strlist {
    char **items; /* items[count] is NULL once something was added */
    size_t count;
};

void strlist_add(struct strlist *list, const char *text);
void strlist_add_take(struct strlist *list, char *text); /* owns `text` now */
bool strlist_has(const struct strlist *list, const char *text);
bool strlist_has_nocase(const struct strlist *list, const char *text); /* ASCII case */
/* Appends the words of `text`, separated by blanks and tabs; no quoting. */
void strlist_split(struct strlist *list, const char *text);
/* All of them with `separator` between; "" for none. Newly allocated. */
char *strlist_join(const struct strlist *list, const char *separator);
void strlist_free(struct strlist *list);

#endif
