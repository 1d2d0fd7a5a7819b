#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "delivery/handoff.h"
#include "delivery/report_private.h"
#include "mail/qp.h"
#include "util/base64.h"
#include "util/fdio.h"
#include "util/mem.h"

#define EOL               "\n"
#define HEADER_QUOTED_MAX (32u << 10) /* of the original's header in a report */
#define SUBJECT_SHOWN     200
#define MESSAGE_ID_MAX    250
#define DIGEST_SHOWN      8 /* octets of the message's digest in a Message-ID, to find what belongs together */
#define RANDOM_OCTETS     8

char *report_subject(const struct message *message)
{
    const struct mime_part *root = message->mime.root;
    char *value = message->subject_hidden ? mem_strdup("[...]")
                  : root != NULL          ? header_value_of(&root->header, "Subject")
                                          : NULL;
    char *decoded = value != NULL ? header_decode(value) : mem_strdup("");
    size_t len = strlen(decoded);

    if (len > SUBJECT_SHOWN) {
        for (len = SUBJECT_SHOWN; len > 0 && ((unsigned char)decoded[len] & 0xc0) == 0x80;)
            len--;
        decoded[len] = '\0';
    }
    free(value);
    return decoded;
}

static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

/* The original's Message-ID, if it can stand in a header field as it is. */
static char *original_id(const struct message *message)
{
    const struct mime_part *root = message->mime.root;
    char *id = root != NULL ? header_value_of(&root->header, "Message-ID") : NULL;
    size_t len = id != NULL ? strlen(id) : 0;

    if (len > 2 && len <= MESSAGE_ID_MAX && id[0] == '<' && id[len - 1] == '>' && is_plain(id))
        return id;
    free(id);
    return NULL;
}

static void add_date(struct buf *out)
{
    time_t now = time(NULL);
    struct tm local;
    char text[64];

    if (localtime_r(&now, &local) != NULL &&
        strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S %z", &local) > 0)
        buf_printf(out, "Date: %s" EOL, text);
}

static char *unique_name(const struct message *message, const struct report_mail *mail)
{
    struct buf name = {0};
    unsigned char random[RANDOM_OCTETS] = {0};

    buf_printf(&name, "%s.", mail->kind);
    hex_encode_buf(&name, message->digest, DIGEST_SHOWN);
    buf_add_char(&name, '.');
    if (getrandom(random, sizeof(random), 0) == (ssize_t)sizeof(random))
        hex_encode_buf(&name, random, sizeof(random));
    else
        buf_printf(&name, "%ld.%lld", (long)getpid(), (long long)time(NULL));
    return buf_take(&name);
}

static void add_header(struct buf *out, const struct message *message, const struct report_mail *mail,
                       const char *subject, const char *unique)
{
    const struct config *config = message->config;
    char *original = mail->in_reply ? original_id(message) : NULL;

    buf_printf(out, "From: Mail gateway <MAILER-DAEMON@%s>" EOL, config->myhostname);
    if (is_plain(mail->to))
        buf_printf(out, "To: <%s>" EOL, mail->to);
    else
        buf_add_text(out,
                     "To: undisclosed-recipients:;" EOL); /* the envelope knows; this header stays ASCII */
    if (config->admin != NULL && is_plain(config->admin) && strcmp(config->admin, mail->to) != 0)
        buf_printf(out, "Reply-To: <%s>" EOL, config->admin);
    header_write(out, "Subject", subject, EOL);
    add_date(out);
    buf_printf(out, "Message-ID: <julia.%s@%s>" EOL, unique, config->myhostname);
    if (original != NULL)
        buf_printf(out, "In-Reply-To: %s" EOL "References: %s" EOL, original, original);
    buf_printf(out, "Auto-Submitted: %s" EOL "MIME-Version: 1.0" EOL, mail->auto_submitted);
    free(original);
}

static void add_quoted(struct buf *out, const void *text, size_t len)
{
    struct qp_encoder encoder = {.eol = EOL};

    qp_encode_update(&encoder, text, len, out);
    qp_encode_final(&encoder, out);
}

static void add_text_part(struct buf *out, const char *text)
{
    buf_add_text(out, "Content-Type: text/plain; charset=utf-8" EOL
                      "Content-Transfer-Encoding: quoted-printable" EOL EOL);
    add_quoted(out, text, strlen(text));
}

/* The original's header, whole fields only, never a body: not what may be meant as one, either. */
static void add_original_header(struct buf *out, const struct message *message)
{
    const struct mime_part *root = message->mime.root;
    size_t len = 0;

    for (size_t i = 0; root != NULL && i < root->header.count && root->header.fields[i].name_len > 0; i++)
        if (root->header.fields[i].end <= HEADER_QUOTED_MAX)
            len = root->header.fields[i].end;
    buf_add_text(out, "Content-Type: text/rfc822-headers" EOL
                      "Content-Transfer-Encoding: quoted-printable" EOL EOL);
    if (len > 0)
        add_quoted(out, root->header.data, len);
}

/* RFC 6522: text for people, RFC 3464 for programs, the header for recognising. */
static void add_report_body(struct buf *out, const struct message *message, const struct report_mail *mail,
                            const char *body, const char *unique)
{
    buf_printf(out,
               "Content-Type: multipart/report; report-type=delivery-status;" EOL
               "\tboundary=\"=_julia_%s\"" EOL EOL "--=_julia_%s" EOL,
               unique, unique);
    add_text_part(out, body);
    buf_printf(out, EOL "--=_julia_%s" EOL "Content-Type: message/delivery-status" EOL EOL, unique);
    buf_add(out, buf_text(mail->status), mail->status->len);
    if (!mail->discreet) {
        buf_printf(out, EOL "--=_julia_%s" EOL, unique);
        add_original_header(out, message);
    }
    buf_printf(out, EOL "--=_julia_%s--" EOL, unique);
}

/* "Subject: ..." in the first line, then an empty one; a template without it gets a subject all the same. */
static char *split_subject(const char *text, const char **body_r)
{
    static const char field[] = "Subject:";
    size_t len;

    *body_r = text;
    if (strncmp(text, field, sizeof(field) - 1) != 0)
        return mem_strdup("Mail gateway");
    text += sizeof(field) - 1;
    text += strspn(text, " \t");
    len = strcspn(text, "\n");
    *body_r = text + len + strspn(text + len, "\n");
    return mem_strndup(text, len);
}

static void compose(struct buf *out, const struct message *message, const struct report_mail *mail)
{
    char *unique = unique_name(message, mail);
    const char *body;
    char *subject = split_subject(mail->text, &body);

    add_header(out, message, mail, subject, unique);
    if (mail->status != NULL)
        add_report_body(out, message, mail, body, unique);
    else
        add_text_part(out, body);
    free(subject);
    free(unique);
}

bool report_send(const struct message *message, const struct report_mail *mail, deadline until,
                 struct outcome *outcome)
{
    struct strlist recipient = {0};
    struct handoff handoff = {
        .target = mail->target, .sender = "", .recipients = &recipient, .how = mail->kind};
    struct buf text = {0};
    bool taken = false;

    compose(&text, message, mail);
    strlist_add(&recipient, mail->to);
    handoff.fd = message_output(message, text.len, outcome);
    if (handoff.fd >= 0) {
        if (fdio_write_all(handoff.fd, text.data, text.len) != 0)
            outcome_temporary(outcome, "4.3.1", "a report cannot be stored in %s", message->config->spool);
        else
            taken = handoff_command(message, &handoff, &recipient, until, outcome);
    }
    fdio_close(&handoff.fd);
    strlist_free(&recipient);
    buf_free(&text);
    return taken;
}
