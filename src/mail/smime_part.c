#include "mail/smime_part.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Names stand in encoded words, too (RFC 2047), where RFC 2231 has another way. */
static bool has_ending(const char *name, const char *ending)
{
    char *decoded = name == NULL ? NULL : header_decode(name);
    size_t n = decoded == NULL ? 0 : strlen(decoded), e = strlen(ending);
    bool found;

    while (n > 0 && strchr(" \t\r\n", decoded[n - 1]) != NULL)
        n--;
    found = n >= e && strncasecmp(decoded + n - e, ending, e) == 0;
    free(decoded);
    return found;
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

/* application/pkcs7-WHAT or application/x-pkcs7-WHAT, with blanks around it as they stand in quotes. */
static bool is_pkcs7(const char *type, const char *what)
{
    static const char *const beginnings[] = {"application/pkcs7-", "application/x-pkcs7-"};

    type += strspn(type, " \t");
    for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
        size_t len = strlen(beginnings[i]);

        if (strncasecmp(type, beginnings[i], len) == 0 && strncasecmp(type + len, what, strlen(what)) == 0) {
            type += len + strlen(what);
            return type[strspn(type, " \t")] == '\0';
        }
    }
    return false;
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
