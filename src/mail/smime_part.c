#include "mail/smime_part.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool has_ending(const char *name, const char *ending)
{
    size_t n = name == NULL ? 0 : strlen(name), e = strlen(ending);

    return n >= e && strcasecmp(name + n - e, ending) == 0;
}

/* Does the part's file name (RFC 8551 3.2.1: name of Content-Type, filename of Content-Disposition) end in
 * one of these? */
static bool named(const struct mime_part *part, const char *const *endings)
{
    char *value = header_value_of(&part->header, "Content-Disposition");
    struct header_typed disposition;
    bool found = false;

    header_typed_parse(&disposition, value == NULL ? "" : value);
    for (; *endings != NULL && !found; endings++)
        found = has_ending(header_typed_param(&part->type, "name"), *endings) ||
                has_ending(header_typed_param(&disposition, "filename"), *endings);
    header_typed_free(&disposition);
    free(value);
    return found;
}

static bool is_pkcs7(const char *type, const char *what)
{
    if (strncasecmp(type, "application/", 12) != 0)
        return false;
    type += 12;
    if (strncasecmp(type, "x-", 2) == 0)
        type += 2;
    return strncasecmp(type, "pkcs7-", 6) == 0 && strcasecmp(type + 6, what) == 0;
}

/* multipart/signed says by its protocol what it is; if it has none (some clients forget it) the second part
   says it. Another protocol (application/pgp-signature) is never S/MIME, whatever its parts are called. */
static bool is_detached(const struct mime_part *part)
{
    static const char *const p7s[] = {".p7s", NULL};
    const struct mime_part *first = part->children, *second = first == NULL ? NULL : first->next;
    const char *protocol = header_typed_param(&part->type, "protocol");

    if (second == NULL || second->next != NULL)
        return false;
    if (protocol != NULL)
        return is_pkcs7(protocol, "signature");
    return is_pkcs7(second->type.value, "signature") ||
           (mime_type_is(second, "application/octet-stream") && named(second, p7s));
}

enum smime_shape smime_part_shape(const struct mime_part *part)
{
    static const char *const p7m[] = {".p7m", ".p7c", ".p7z", NULL};

    if (mime_type_is(part, "multipart/signed"))
        return is_detached(part) ? SMIME_SHAPE_DETACHED : SMIME_SHAPE_NONE;
    if (is_pkcs7(part->type.value, "mime"))
        return SMIME_SHAPE_OPAQUE;
    if (mime_type_is(part, "application/octet-stream") && named(part, p7m))
        return SMIME_SHAPE_OPAQUE;
    return SMIME_SHAPE_NONE;
}
