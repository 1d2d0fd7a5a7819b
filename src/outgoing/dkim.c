#include "outgoing/dkim.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mail/address.h"
#include "util/mem.h"

/* Of all tags h of a message together: each name is looked up among all fields. Real signatures name ten to
 * fifty, and a message has a few. What names more counts as broken. */
#define NAMES_MAX 1000

static const char blanks[] = " \t\r\n";

/* The value of a tag (RFC 6376 3.2) without blanks, newly allocated; NULL: there is no such tag. */
static char *tag_value(const char *signature, const char *tag)
{
    struct buf value = {0};
    size_t len = strlen(tag);
    const char *p = signature + strspn(signature, blanks);
    while (strncmp(p, tag, len) != 0 || p[len + strspn(p + len, blanks)] != '=') {
        p += strcspn(p, ";");
        if (*p == '\0')
            return NULL;
        p += 1 + strspn(p + 1, blanks);
    }
    for (p = strchr(p, '=') + 1; *p != '\0' && *p != ';'; p++)
        if (strchr(blanks, *p) == NULL)
            buf_add_char(&value, *p);
    return buf_take(&value);
}

char *dkim_domain(const struct header *header, size_t index)
{
    char *value = header_value(header, index), *domain = tag_value(value, "d");
    free(value);
    return domain;
}

/* Equal to or below one of INTERNAL_DOMAINS. */
static bool is_own(const struct config *config, const char *domain)
{
    char *form = domain == NULL ? NULL : address_domain_ascii(domain);
    bool own = false;
    for (size_t i = 0; form != NULL && i < config->internal_domains.count && !own; i++) {
        const char *item = config->internal_domains.items[i];
        char *ours = address_domain_ascii(item[0] == '.' ? item + 1 : item);
        size_t len = ours == NULL ? 0 : strlen(ours), above = strlen(form);
        own = len > 0 && above >= len && strcasecmp(form + above - len, ours) == 0 &&
              (above == len || form[above - len - 1] == '.');
        free(ours);
    }
    free(form);
    return own;
}

/* The octets of the n-th field of that name from below (RFC 6376 5.4.2), without the last line end. */
static bool nth_from_below(const struct header *header, const char *name, size_t n, const char **data_r,
                           size_t *len_r)
{
    size_t count = header_count(header, name);
    if (n >= count)
        return false;
    const struct header_field *field = &header->fields[header_find(header, name, count - 1 - n)];
    *data_r = (const char *)header->data + field->start;
    *len_r = field->end - field->start;
    while (*len_r > 0 && strchr(blanks, (*data_r)[*len_r - 1]) != NULL)
        --*len_r;
    return true;
}

static bool same_field(const struct header *before, const struct header *after, const char *name, size_t n)
{
    const char *a = NULL, *b = NULL;
    size_t a_len = 0, b_len = 0;
    bool was = nth_from_below(before, name, n, &a, &a_len), is = nth_from_below(after, name, n, &b, &b_len);
    return was == is && (!was || (a_len == b_len && memcmp(a, b, a_len) == 0));
}

/* `fields`: the tag h, names separated by colons; the same name again means the next field above. */
static bool fields_change(const struct header *before, const struct header *after, const char *fields,
                          bool sealed, size_t *names)
{
    static const char content[] = "Content-";
    struct strlist seen = {0};
    bool changed = false;
    for (const char *p = fields; *p != '\0' && !changed; p += strspn(p, ":")) {
        size_t len = strcspn(p, ":"), n = 0;
        char *name = mem_strndup(p, len);
        for (size_t i = 0; i < seen.count; i++)
            n += strcasecmp(seen.items[i], name) == 0;
        changed = ++*names > NAMES_MAX || (sealed && strncasecmp(name, content, strlen(content)) == 0) ||
                  !same_field(before, after, name, n);
        strlist_add(&seen, name);
        free(name);
        p += len;
    }
    strlist_free(&seen);
    return changed;
}

/* A signature over none of the body (l=0) survives another body. */
static bool breaks(const char *signature, const struct header *before, const struct header *after,
                   bool sealed, size_t *names)
{
    char *fields = tag_value(signature, "h"), *length = tag_value(signature, "l");
    bool covers_body = length == NULL || length[strspn(length, "0")] != '\0' || length[0] == '\0';
    bool broken =
        (sealed && covers_body) || (fields != NULL && fields_change(before, after, fields, sealed, names));
    free(fields);
    free(length);
    return broken;
}

static void read_after(const struct entity_header *how, bool sealed, struct header *after)
{
    struct buf out = {0};
    if (sealed)
        entity_outer_header(how, &out);
    else
        entity_clear_header(how, &out);
    header_parse(after, buf_text(&out), out.len);
    buf_free(&out);
}

bool *dkim_broken(const struct entity_header *how, bool sealed)
{
    const struct header *before = &how->message->mime.root->header;
    struct header after;
    bool *flags = NULL;
    size_t names = 0;
    if (header_count(before, "DKIM-Signature") == 0)
        return NULL;
    read_after(how, sealed, &after);
    for (size_t i = 0; i < before->count; i++) {
        if (!header_field_is(before, i, "DKIM-Signature"))
            continue;
        char *signature = header_value(before, i), *domain = tag_value(signature, "d");
        if (is_own(how->message->config, domain) && breaks(signature, before, &after, sealed, &names)) {
            if (flags == NULL)
                flags = mem_array(before->count + 1, sizeof(bool));
            flags[i] = true;
        }
        free(signature);
        free(domain);
    }
    header_free(&after);
    return flags;
}

bool *dkim_broken_by(const struct plan *plan, const struct config_profile *profile, bool is_signed,
                     bool encrypted)
{
    struct entity_header how = plan_header(plan, profile, encrypted);
    bool sealed = is_signed || encrypted;
    return sealed || plan_clear_changes(plan) ? dkim_broken(&how, sealed) : NULL;
}

bool *dkim_remove(const struct plan *plan, struct entity_header *how, bool sealed)
{
    bool *broken = plan->dkim == CONFIG_DKIM_REMOVE ? dkim_broken(how, sealed) : NULL;
    if (broken != NULL)
        how->left_out = broken;
    return broken;
}

static void refuse_one(struct plan *plan, struct plan_recipient *recipient)
{
    const struct header *header = &plan->message->mime.root->header;
    bool *broken = NULL;
    if (recipient->end == PLAN_SEND)
        broken = dkim_broken_by(plan, recipient->profile, recipient->signer != NULL,
                                recipient->certificate != NULL);
    for (size_t i = 0; broken != NULL && i < header->count; i++)
        if (broken[i]) {
            char *domain = dkim_domain(header, i);
            plan_refuse(recipient, "5.7.7", "dkim", domain);
            free(domain);
            break;
        }
    free(broken);
}

void dkim_refuse(struct plan *plan)
{
    for (size_t i = 0; plan->dkim == CONFIG_DKIM_REFUSE && i < plan->count; i++)
        refuse_one(plan, &plan->recipients[i]);
}
