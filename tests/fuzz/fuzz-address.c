/* Address lists; a normalised address stays what it is when normalised again, and equals its source. */
#include <string.h>

#include "incoming/author.h"
#include "mail/address.h"
#include "tests/fuzz/fuzz.h"
#include "util/mem.h"

static void check_given(const char *address)
{
    char *given = address_given(address);

    FUZZ_HOLDS(given != NULL || !address_valid(address, true));
    if (given != NULL)
        FUZZ_HOLDS(address_valid(given, true) && (given[0] == '"' || strcmp(given, address) == 0));
    free(given);
}

static void check_address(const char *address)
{
    char *once = address_normalise(address), *twice;

    FUZZ_HOLDS((once != NULL) == address_valid(address, true));
    if (once != NULL) {
        twice = address_normalise(once);
        FUZZ_HOLDS(twice != NULL && strcmp(once, twice) == 0 && address_equal(address, once));
        FUZZ_HOLDS(strpbrk(once, "\r\n") == NULL && once[0] != '-' && once[0] != '\0');
        FUZZ_HOLDS(strlen(once) <= 2 * ADDRESS_MAX);
        free(twice);
    }
    free(once);
    address_domain_matches(address_domain(address), address);
    check_given(address);
}

/* As the From of a message: the one address that everybody sees is in it. */
static void check_author(const uint8_t *data, size_t size, const struct strlist *found)
{
    struct header header;
    struct buf section = {0};
    char *author;

    buf_add_text(&section, "From: ");
    buf_add(&section, data, size);
    header_parse(&header, section.data, section.len);
    author = author_address(&header, "From");
    FUZZ_HOLDS(author == NULL || address_valid(author, true));
    if (author != NULL && header.count == 1 && memchr(data, '\0', size) == NULL &&
        memchr(data, '\n', size) == NULL)
        FUZZ_HOLDS(found->count == 1 && strcmp(author, found->items[0]) == 0);
    free(author);
    header_free(&header);
    buf_free(&section);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = mem_dup(data, size);
    struct strlist list = {0};
    bool clean = false;

    address_list_parse((const char *)data, size, &list, &clean);
    for (size_t i = 0; i < list.count; i++) {
        FUZZ_HOLDS(address_valid(list.items[i], true));
        check_address(list.items[i]);
    }
    check_address(text);
    check_author(data, size, &list);
    strlist_free(&list);
    free(text);
    return 0;
}
