#include "incoming/armour.h"

#include <stdlib.h>
#include <string.h>

#include "util/fdio.h"
#include "util/mem.h"

#define HEAD_MAX 256 /* octets in which the first line has to stand; blank ones may be in front */
#define TAIL_MAX 256 /* octets in which the last line has to begin */

static const char begin[] = "-----BEGIN ", end[] = "-----END ";

/* `max` octets from `offset` on as text, as far as there are any; NULL on read errors. */
static char *read_text(const struct layer_entity *entity, uint64_t offset, uint64_t max)
{
    uint64_t left = entity->offset + entity->length - offset;
    size_t len = (size_t)(left < max ? left : max);
    char *text = mem_alloc(len + 1);

    if (fdio_pread_all(entity->fd, text, len, offset) == 0)
        return text;
    free(text);
    return NULL;
}

static bool known_label(const char *label)
{
    static const char *const labels[] = {"PKCS7-----", "CMS-----", "PKCS #7 SIGNED DATA-----"};

    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
        if (strncmp(label, labels[i], strlen(labels[i])) == 0)
            return true;
    return false;
}

/* Cuts off what stands from the last line on, which says that the block ends. */
static bool cut_tail(struct layer_entity *base64)
{
    uint64_t max = base64->length < TAIL_MAX ? base64->length : TAIL_MAX;
    uint64_t offset = base64->offset + base64->length - max;
    char *text = read_text(base64, offset, max), *line = text, *found = NULL;

    while (line != NULL && (line = strstr(line, end)) != NULL)
        found = line++;
    if (found != NULL)
        base64->length = offset + (uint64_t)(found - text) - base64->offset;
    free(text);
    return found != NULL;
}

bool armour_find(const struct layer_entity *body, struct layer_entity *base64_r)
{
    char *text = read_text(body, body->offset, HEAD_MAX), *line, *behind;
    bool found = text != NULL;

    *base64_r = *body;
    line = found ? text + strspn(text, " \t\r\n") : NULL;
    if (found && strncmp(line, begin, strlen(begin)) == 0) {
        behind = strchr(line, '\n');
        found = behind != NULL && known_label(line + strlen(begin));
        if (found) {
            base64_r->offset += (uint64_t)(behind + 1 - text);
            base64_r->length -= (uint64_t)(behind + 1 - text);
            found = cut_tail(base64_r);
        }
    }
    free(text);
    return found;
}
