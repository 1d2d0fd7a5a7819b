#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "delivery/report_private.h"

/* RFC 3834 section 2: addresses that belong to programs. */
static bool is_program(const char *sender)
{
    const char *at = strrchr(sender, '@');
    size_t len = at != NULL ? (size_t)(at - sender) : strlen(sender);
    static const char request[] = "-request";
    const size_t request_len = sizeof(request) - 1;

    if (len == 13 && strncasecmp(sender, "mailer-daemon", 13) == 0)
        return true;
    if (strncasecmp(sender, "owner-", 6) == 0)
        return true;
    return len >= request_len && strncasecmp(sender + len - request_len, request, request_len) == 0;
}

/* The first word of a field's value is this one. */
static bool value_begins(const struct header *header, size_t index, const char *word)
{
    char *value = header_value(header, index);
    size_t len = strcspn(value, " \t;(");
    bool same = strlen(word) == len && strncasecmp(value, word, len) == 0;

    free(value);
    return same;
}

static const char *field_forbids(const struct header *header, size_t index)
{
    const struct header_field *field = &header->fields[index];

    if (field->name_len > 5 && strncasecmp((const char *)header->data + field->start, "List-", 5) == 0)
        return "it came through a mailing list (List-* field)";
    if (header_field_is(header, index, "Auto-Submitted") && !value_begins(header, index, "no"))
        return "it was written by a program (Auto-Submitted)";
    if (header_field_is(header, index, "Precedence") &&
        (value_begins(header, index, "bulk") || value_begins(header, index, "list") ||
         value_begins(header, index, "junk")))
        return "it is a mass mailing (Precedence)";
    return NULL;
}

const char *report_unanswerable(const struct message *message)
{
    const char *sender = message->envelope.sender;
    const struct mime_part *root = message->mime.root;

    if (sender == NULL || *sender == '\0')
        return "its sender is empty";
    if (is_program(sender))
        return "its sender is a program";
    for (size_t i = 0; root != NULL && i < root->header.count; i++) {
        const char *why = field_forbids(&root->header, i);

        if (why != NULL)
            return why;
    }
    return NULL;
}
