#include "core/refusal.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/quoted.h"
#include "core/roundtrip.h"
#include "delivery/hold.h"
#include "mail/address.h"
#include "mail/source.h"
#include "util/mem.h"

#define LINE_SEEN   1000        /* octets of a line that are looked at; an id or a Message-ID is shorter */
#define STATUS_SEEN (64u << 10) /* of a message/delivery-status: hundreds of recipients */
#define WORDS_SHOWN 300

struct reading {
    struct refusal *refusal;
    const struct message *message;
    bool quoted;       /* X-JULIA-Hold was found */
    bool header;       /* what is read is the header of a quoted mail; */
    bool begun, ended; /* ... its first line was seen; its last one was */
    bool folded;       /* Message-ID stood on a line of its own: its value is on the next */
    size_t failed, delayed, others;
};

/* Behind the name of a field and its colon; NULL if the line is not this field. */
static const char *value_in(const char *line, const char *name)
{
    size_t len = strlen(name);

    if (strncasecmp(line, name, len) != 0 || line[len] != ':')
        return NULL;
    line += len + 1;
    return line + strspn(line, " \t");
}

/* The first one counts: the gateway writes it on top. */
static void take_hold(struct reading *r, const char *value)
{
    char *word = roundtrip_word(value, strcspn(value, " \t\r"));

    if (!r->quoted && hold_id_valid(word))
        r->refusal->hold = mem_strdup(word);
    r->quoted = r->quoted || r->refusal->hold != NULL || strcmp(word, ROUNDTRIP_NO_HOLD) == 0;
    free(word);
}

static void take_message_id(struct reading *r, const char *value)
{
    size_t len = strcspn(value, " \t\r");

    r->folded = len == 0;
    if (len > 0 && r->refusal->message_id == NULL)
        r->refusal->message_id = mem_strndup(value, len);
}

/* One line of text, which may quote with '>', or of a header. */
static void take_line(struct reading *r, const char *line)
{
    const char *value, *p = line + strspn(line, r->header ? "" : " \t>|");

    r->ended = r->header && *line == '\0' && r->begun;
    r->begun = r->begun || *line != '\0';
    if ((value = value_in(p, ROUNDTRIP_HOLD)) != NULL)
        take_hold(r, value);
    else if ((value = value_in(p, "Message-ID")) != NULL)
        take_message_id(r, value);
    else if (r->folded && (p > line || *p == ' ' || *p == '\t'))
        take_message_id(r, p + strspn(p, " \t"));
    r->folded = r->folded && value != NULL;
}

static void take_chunk(struct reading *r, struct buf *line, const char *data, size_t len)
{
    for (size_t i = 0; i < len && !r->ended; i++) {
        if (data[i] == '\n') {
            take_line(r, buf_text(line));
            buf_clear(line);
        } else if (line->len < LINE_SEEN && data[i] != '\0') {
            buf_add_char(line, data[i]);
        }
    }
}

static int read_text(struct reading *r, uint64_t from, uint64_t to, enum mime_encoding encoding)
{
    struct source *source = source_new(r->message->fd, from, to - from, encoding, SOURCE_EOL_LF);
    struct buf line = {0};
    char chunk[8192];
    ssize_t n = 0;

    r->ended = r->begun = false;
    while (!r->ended && (n = source_read(source, chunk, sizeof(chunk))) > 0)
        take_chunk(r, &line, chunk, (size_t)n);
    take_chunk(r, &line, "\n", 1);
    source_free(source);
    buf_free(&line);
    return n < 0 ? -1 : 0;
}

/* Of a quoted mail only the header counts: its text is its sender's. */
static int read_parts(struct reading *r, const struct mime_part *part)
{
    int rc = 0;

    for (; rc == 0 && part != NULL; part = part->next) {
        const struct mime_part *mail = mime_type_is(part, "message/") ? part->children : NULL;

        r->header = quoted_is_quoting(part);
        if (mail != NULL)
            rc = read_text(r, mail->start, mail->body, MIME_8BIT);
        else if (part->children != NULL) /* as deep as MAX_DEPTH */
            rc = read_parts(r, part->children);
        else
            rc = read_text(r, part->body, part->end, part->encoding);
    }
    return rc;
}

/* Behind "rfc822;", "smtp;". */
static char *behind_type(char *value)
{
    const char *at = value != NULL ? strchr(value, ';') : NULL;
    char *rest = at != NULL ? mem_strdup(at + 1 + strspn(at + 1, " \t")) : NULL;

    free(value);
    return rest;
}

/* The enhanced status (RFC 3463) in an SMTP reply, behind its three digits; "5" or "4" when the server said
   none: what the notice has as Status then is a guess of its MTA from the digits (Sendmail makes an address
   or a mailbox of 550). NULL: `words` are no reply. */
static const char *said_status(const char *words)
{
    static const char *const digits[] = {"4", "5"};
    const char *at = words != NULL && strspn(words, "0123456789") == 3 ? words + 3 : NULL;

    if (at == NULL || (words[0] != '4' && words[0] != '5') || strchr(" -", *at) == NULL)
        return NULL;
    at += *at != '\0';
    at += strspn(at, " ");
    if (at[0] == words[0] && at[1] == '.' && isdigit((unsigned char)at[2]))
        return at;
    return digits[words[0] - '4'];
}

/* X.1, X.2 and X.4 are about the address, the mailbox and the way there, X.3.4 about the size: nobody looked
   at the content. What nobody can tell is. */
static bool about_content(const char *status, const char *words)
{
    const char *said = said_status(words);

    status = said != NULL ? said : status;
    if (status == NULL)
        return true;
    return status[0] == '5' && (status[1] == '\0' || strchr("124", status[2]) == NULL) &&
           !(strncmp(status, "5.3.4", 5) == 0 && !isdigit((unsigned char)status[5]));
}

static void take_failure(struct reading *r, const struct header *fields)
{
    struct refusal *refusal = r->refusal;
    char *recipient = behind_type(header_value_of(fields, "Final-Recipient"));
    char *status = header_value_of(fields, "Status");
    char *words = behind_type(header_value_of(fields, "Diagnostic-Code"));

    r->failed++;
    refusal->content = refusal->content || about_content(status, words);
    if (recipient != NULL && address_valid(recipient, true) &&
        direction_recipient_internal(r->message->config, recipient) &&
        !strlist_has_nocase(&refusal->recipients, recipient))
        strlist_add(&refusal->recipients, recipient);
    if (words != NULL && strlen(words) > WORDS_SHOWN)
        words[WORDS_SHOWN] = '\0';
    if (refusal->words == NULL && words != NULL) {
        free(refusal->status);
        refusal->words = words;
        refusal->status = status;
        words = status = NULL;
    }
    free(recipient);
    free(status);
    free(words);
}

/* The fields about one recipient (RFC 3464 section 2.3). */
static void take_group(struct reading *r, const char *text, size_t len)
{
    struct header fields;
    char *action;

    header_parse(&fields, text, len);
    action = header_value_of(&fields, "Action");
    if (action != NULL && strcasecmp(action, "failed") == 0)
        take_failure(r, &fields);
    else if (action != NULL && strcasecmp(action, "delayed") == 0)
        r->delayed++;
    else if (action != NULL) /* without: the fields about the whole message */
        r->others++;
    free(action);
    header_free(&fields);
}

static int read_status(struct reading *r, const struct mime_part *part)
{
    uint64_t len = part->end - part->body;
    struct source *source = source_new(r->message->fd, part->body, len, part->encoding, SOURCE_EOL_LF);
    struct buf text = {0};
    char chunk[4096];
    ssize_t n;

    while ((n = source_read(source, chunk, sizeof(chunk))) > 0 && text.len < STATUS_SEEN)
        buf_add(&text, chunk, (size_t)n);
    source_free(source);
    for (const char *at = buf_text(&text), *end; *at != '\0'; at = end + strspn(end, "\n")) {
        end = strstr(at, "\n\n");
        end = end != NULL ? end + 1 : at + strlen(at);
        take_group(r, at, (size_t)(end - at));
    }
    buf_free(&text);
    return n < 0 ? -1 : 0;
}

static int read_notice(struct reading *r)
{
    const struct mime_part *root = r->message->mime.root;
    int rc = read_parts(r, root);

    /* Only the notice's own, never one inside of what it quotes. */
    for (const struct mime_part *part = root->children; rc == 0 && part != NULL; part = part->next)
        if (mime_type_is(part, "message/delivery-status") ||
            mime_type_is(part, "message/global-delivery-status"))
            rc = read_status(r, part);
    return rc;
}

static bool may_be_one(const struct message *message, const struct direction_client *client)
{
    bool scanner = roundtrip_scanner(message->config, client);
    bool here = client->local || network_address_is_loopback(&client->address);

    if (message->mime.root == NULL)
        return false;
    /* a return: its content is its sender's; without S/MIME it bears no mark */
    if (scanner && (message->config->engine != CONFIG_ENGINE_WORK ||
                    header_count(&message->mime.root->header, ROUNDTRIP_HOLD) > 0))
        return false;
    if (message->envelope.sender[0] == '\0')
        return scanner || here;
    return scanner && mime_type_is(message->mime.root, "multipart/report");
}

bool refusal_read(struct refusal *refusal, const struct message *message,
                  const struct direction_client *client, struct outcome *outcome)
{
    struct reading r = {.refusal = refusal, .message = message};
    bool found = false;

    memset(refusal, 0, sizeof(*refusal));
    if (!may_be_one(message, client))
        return false;
    if (read_notice(&r) != 0)
        outcome_temporary(outcome, "4.3.0", "the spooled message cannot be read: %s", strerror(errno));
    else
        found = r.quoted && (r.failed + r.delayed > 0 || r.others == 0);
    if (r.failed + r.delayed == 0)
        refusal->content = true; /* the scanner's own words */
    if (!found)
        refusal_free(refusal);
    return found;
}

void refusal_free(struct refusal *refusal)
{
    free(refusal->hold);
    free(refusal->message_id);
    strlist_free(&refusal->recipients);
    free(refusal->status);
    free(refusal->words);
    memset(refusal, 0, sizeof(*refusal));
}
