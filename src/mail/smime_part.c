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

/* How the part's file name ends (RFC 8551 3.2.1: name of Content-Type, filename of Content-Disposition). */
struct naming {
    bool so;        /* one of them in one of the wanted ways */
    bool otherwise; /* one of them in another way */
};

static void look_at_name(struct naming *naming, const char *name, const char *const *endings)
{
    bool so = false;

    for (; name != NULL && *endings != NULL && !so; endings++)
        so = has_ending(name, *endings);
    naming->so = naming->so || so;
    naming->otherwise = naming->otherwise || (name != NULL && !so);
}

static struct naming look_at_names(const struct mime_part *part, const char *const *endings)
{
    char *value = header_value_of(&part->header, "Content-Disposition");
    struct header_typed disposition;
    struct naming naming = {0};

    header_typed_parse(&disposition, value == NULL ? "" : value);
    look_at_name(&naming, header_typed_param(&part->type, "name"), endings);
    look_at_name(&naming, header_typed_param(&disposition, "filename"), endings);
    header_typed_free(&disposition);
    free(value);
    return naming;
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

/* A part that no reader shows: by its type, and not by a name that opens another program. */
static bool is_signature(const struct mime_part *part)
{
    static const char *const endings[] = {".p7s", ".p7m", NULL};
    struct naming naming = look_at_names(part, endings);

    return !naming.otherwise && (is_pkcs7(part->type.value, "signature") ||
                                 (naming.so && mime_type_is(part, "application/octet-stream")));
}

/* multipart/signed says by its protocol what it is; if it has none (some clients forget it) the second part
   says it. Another protocol (application/pgp-signature) is never S/MIME, whatever its parts are called. */
static bool is_detached(const struct mime_part *part)
{
    const struct mime_part *first = part->children, *second = first == NULL ? NULL : first->next;
    const char *protocol = header_typed_param(&part->type, "protocol");

    if (second == NULL || second->next != NULL)
        return false;
    return (protocol == NULL || is_pkcs7(protocol, "signature")) && is_signature(second);
}

enum smime_shape smime_part_shape(const struct mime_part *part)
{
    static const char *const p7m[] = {".p7m", ".p7c", ".p7z", NULL};

    if (mime_type_is(part, "multipart/signed"))
        return is_detached(part) ? SMIME_SHAPE_DETACHED : SMIME_SHAPE_NONE;
    if (is_pkcs7(part->type.value, "mime"))
        return SMIME_SHAPE_OPAQUE;
    if (mime_type_is(part, "application/octet-stream") && look_at_names(part, p7m).so)
        return SMIME_SHAPE_OPAQUE;
    return SMIME_SHAPE_NONE;
}
