#include "outgoing/hcp.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mail/address.h"
#include "mail/date.h"

#define TELLING   4  /* octets; what is shorter is only found where it is the whole value */
#define LINE_WISH 78 /* columns, RFC 5322 2.1.1 */

bool hcp_hides(enum config_protection policy)
{
    return policy >= CONFIG_PROTECTION_BASELINE;
}

bool hcp_protects(const struct header *header, size_t index)
{
    static const char *const never[] = {"Content-",
                                        "MIME-Version",
                                        "HP-Outer",
                                        "Bcc",
                                        "Resent-Bcc",
                                        "X-JULIA-",
                                        "Received",
                                        "Return-Path",
                                        "Delivered-To",
                                        "Envelope-To",
                                        "X-Original-To",
                                        "X-Received",
                                        "Received-SPF",
                                        "DKIM-Signature",
                                        "DomainKey-Signature",
                                        "ARC-",
                                        "Authentication-Results",
                                        NULL};
    return header->fields[index].name_len > 0 && !header_field_in(header, index, never);
}

bool hcp_inside_only(const struct header *header, size_t index)
{
    static const char *const names[] = {"Comments", "Keywords", "Thread-Topic", NULL};
    return header_field_in(header, index, names);
}

/* Behind "Re: ", "AW: " and the like, which the copies of a Subject often lack. */
static const char *without_prefixes(const char *subject)
{
    static const char *const prefixes[] = {"re:", "aw:", "fw:", "fwd:", "wg:", "antwort:"};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (strncasecmp(subject, prefixes[i], strlen(prefixes[i])) == 0) {
            subject += strlen(prefixes[i]);
            subject += strspn(subject, " ");
            i = (size_t)-1; /* once more from the first */
        }
    return subject;
}

static void add_subject(struct hcp *hcp, const struct header *header, size_t index)
{
    char *said = header_text(header, index);
    const char *text = without_prefixes(said);
    if (*text != '\0' && !strlist_has(&hcp->subjects, text))
        strlist_add(&hcp->subjects, text);
    free(said);
}

void hcp_begin(struct hcp *hcp, enum config_protection policy, const struct header *header)
{
    *hcp = (struct hcp){.policy = policy};
    for (size_t i = 0; hcp_hides(policy) && i < header->count; i++)
        if (header_field_is(header, i, "Subject"))
            add_subject(hcp, header, i);
}

void hcp_add_subject(struct hcp *hcp, const struct buf *field)
{
    struct header header;
    header_parse(&header, buf_text(field), field->len);
    for (size_t i = 0; hcp_hides(hcp->policy) && i < header.count; i++)
        add_subject(hcp, &header, i);
    header_free(&header);
}

void hcp_free(struct hcp *hcp)
{
    strlist_free(&hcp->subjects);
}

/* clang-format off */
/* What these fields say is theirs, whatever the Subject says. */
static const char *const own_reason[] = {
    "From", "Sender", "Reply-To", "To", "Cc", "Date", "Message-ID", "In-Reply-To", "References",
    "Followup-To", "Resent-From", "Resent-Sender", "Resent-To", "Resent-Cc", "Resent-Date",
    "Resent-Message-ID", "List-", "Auto-Submitted", "Precedence", "Importance", "Priority",
    "X-Priority", "Sensitivity", "Organization", "User-Agent", "X-Mailer",
    "Disposition-Notification-To", "Return-Receipt-To", "Errors-To", "Subject", NULL};
/* clang-format on */

bool hcp_repeats_subject(const struct hcp *hcp, const struct header *header, size_t index)
{
    bool found = false;
    if (!hcp_protects(header, index) || header_field_in(header, index, own_reason) ||
        hcp->subjects.count == 0)
        return false;
    char *said = header_text(header, index);
    for (size_t i = 0; i < hcp->subjects.count && !found; i++) {
        const char *subject = hcp->subjects.items[i];
        found = strcmp(said, subject) == 0 || (strlen(subject) >= TELLING && strstr(said, subject) != NULL);
    }
    free(said);
    return found;
}

static void copy_field(const struct header *header, size_t index, struct buf *out)
{
    header_copy(header, index, out);
    if (out->len > 0 && out->data[out->len - 1] != '\n')
        buf_add_text(out, header->eol); /* of a header section that no empty line ended */
}

/* "Name:" as it stands. */
static void begin_field(const struct header *header, size_t index, struct buf *out)
{
    buf_add(out, header->data + header->fields[index].start, header->fields[index].name_len);
    buf_add_char(out, ':');
}

static void write_addresses(const struct header *header, size_t index, const struct strlist *addresses,
                            struct buf *out)
{
    size_t column = header->fields[index].name_len + 1;
    begin_field(header, index, out);
    for (size_t i = 0; i < addresses->count; i++) {
        size_t len = strlen(addresses->items[i]) + 2;
        if (i > 0 && column + len > LINE_WISH) {
            buf_add_text(out, header->eol);
            column = 0;
        }
        buf_printf(out, " %s%s", addresses->items[i], i + 1 < addresses->count ? "," : "");
        column += len;
    }
    buf_add_text(out, header->eol);
}

static const char *skip_blanks(const char *p)
{
    while (isspace((unsigned char)*p))
        p++;
    return p;
}

/* Is there nothing in the value but these addresses, in whatever lines? */
static bool is_bare(const char *value, const struct strlist *addresses)
{
    char *joined = strlist_join(addresses, ",");
    const char *a = skip_blanks(value), *b = skip_blanks(joined);
    while (*a != '\0' && *a == *b) {
        a = skip_blanks(a + 1);
        b = skip_blanks(b + 1);
    }
    bool bare = *a == '\0' && *b == '\0';
    free(joined);
    return bare;
}

/* The addresses in a field that holds some, if all of it can be understood. */
static bool read_addresses(const struct header *header, size_t index, struct strlist *addresses)
{
    static const char *const names[] = {"From", "Sender", "Reply-To", "To", "Cc", NULL};
    bool clean = false;
    if (!header_field_in(header, index, names))
        return false;
    char *value = header_value(header, index);
    address_list_parse(value, strlen(value), addresses, &clean);
    bool more = clean && addresses->count > 0 && !is_bare(value, addresses);
    free(value);
    return more;
}

bool hcp_shows_names(const struct header *header, size_t index)
{
    struct strlist addresses = {0};
    bool more = read_addresses(header, index, &addresses);
    strlist_free(&addresses);
    return more;
}

/* The date in UTC, if it is a date and not written so already. */
static bool read_date(const struct header *header, size_t index, struct buf *date)
{
    if (!header_field_is(header, index, "Date"))
        return false;
    char *value = header_value(header, index);
    bool other = date_utc(value, date) && strcmp(buf_text(date), value) != 0;
    free(value);
    return other;
}

bool hcp_shows_zone(const struct header *header, size_t index)
{
    struct buf date = {0};
    bool other = read_date(header, index, &date);
    buf_free(&date);
    return other;
}

/* The field as it goes out in any case, without NUL and bare CR, is what is understood or not. */
static void outside_shy(const struct header *header, size_t index, struct buf *out)
{
    struct strlist addresses = {0};
    struct buf date = {0}, field = {0};
    struct header copy;
    copy_field(header, index, &field);
    header_parse(&copy, buf_text(&field), field.len);
    if (read_addresses(&copy, 0, &addresses)) {
        write_addresses(&copy, 0, &addresses, out);
    } else if (read_date(&copy, 0, &date)) {
        begin_field(&copy, 0, out);
        buf_printf(out, " %s%s", buf_text(&date), copy.eol);
    } else {
        buf_add(out, buf_text(&field), field.len);
    }
    header_free(&copy);
    strlist_free(&addresses);
    buf_free(&date);
    buf_free(&field);
}

void hcp_outside(const struct hcp *hcp, const struct header *header, size_t index, struct buf *out)
{
    if (!hcp_hides(hcp->policy))
        copy_field(header, index, out);
    else if (header_field_is(header, index, "Subject"))
        buf_printf(out, "Subject: " HCP_SUBJECT "%s", header->eol);
    else if (hcp_inside_only(header, index) || hcp_repeats_subject(hcp, header, index))
        return;
    else if (hcp->policy == CONFIG_PROTECTION_SHY)
        outside_shy(header, index, out);
    else
        copy_field(header, index, out);
}
