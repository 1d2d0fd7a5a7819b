/* Address lists; a normalised address stays what it is when normalised again, and equals its source. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/address.h"
#include "util/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_address(const char *address)
{
    char *once = address_normalise(address), *twice;

    if ((once != NULL) != address_valid(address, true))
        abort();
    if (once != NULL) {
        twice = address_normalise(once);
        if (twice == NULL || strcmp(once, twice) != 0 || !address_equal(address, once))
            abort();
        if (strpbrk(once, "\r\n") != NULL || once[0] == '-')
            abort();
        free(twice);
    }
    free(once);
    address_domain_matches(address_domain(address), address);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = mem_dup(data, size), *exact = malloc(size == 0 ? 1 : size);
    struct strlist list = {0};

    memcpy(exact, data, size);
    address_list_parse(exact, size, &list, NULL);
    for (size_t i = 0; i < list.count; i++)
        check_address(list.items[i]);
    check_address(text);
    strlist_free(&list);
    free(exact);
    free(text);
    return 0;
}
