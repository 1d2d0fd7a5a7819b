#include "core/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "core/envelope_line.h"
#include "core/spool.h"
#include "mail/address.h"
#include "util/fdio.h"
#include "util/mem.h"
#include "util/tmpfile.h"

/* The envelope sender: -sender, else the From_ line. Nothing may be decided for a sender that is only
 * guessed. */
static void settle_sender(struct message *message, char *from_line, struct outcome *outcome)
{
    struct message_envelope *envelope = &message->envelope;

    if (envelope->sender == NULL && from_line != NULL) {
        envelope->sender = from_line[0] != '\0' ? address_given(from_line) : mem_strdup("");
        if (envelope->sender == NULL)
            outcome_permanent(outcome, EX_DATAERR, "5.1.7", "the envelope sender is not a mail address");
    } else if (envelope->sender == NULL) {
        outcome_temporary(outcome, "4.3.5",
                          "envelope sender unknown: neither -sender nor a leading \"From \" line was given");
    }
    if (envelope->sender == NULL)
        envelope->sender = mem_strdup("");
    free(from_line);
}

static void read_from_fields(struct message *message)
{
    const struct header *header = &message->mime.root->header;

    for (size_t i = 0; i < header->count; i++) {
        char *value;

        if (!header_field_is(header, i, "From"))
            continue;
        value = header_value(header, i);
        address_list_parse(value, strlen(value), &message->header_from, NULL);
        free(value);
    }
}

static void read_structure(struct message *message, struct outcome *outcome)
{
    const struct config *config = message->config;
    struct mime_limits limits = {.max_depth = (unsigned int)config->max_depth,
                                 .max_parts = (unsigned int)config->max_parts};

    if (mime_parse(&message->mime, message->fd, message->offset, message->size, &limits) != 0) {
        outcome_temporary(outcome, "4.3.0", "the spooled message cannot be read: %s", strerror(errno));
        return;
    }
    message->eol = message->mime.eol_crlf ? "\r\n" : "\n";
    read_from_fields(message);
}

void message_read(struct message *message, int fd_in, struct outcome *outcome)
{
    struct spool *spool = spool_new(message->config);
    char *from_line = NULL;

    message->fd = -1;
    message->eol = "\n";
    spool_first(spool, fd_in, outcome);
    message->offset = envelope_line_parse(spool_data(spool), spool_held(spool), &from_line);
    settle_sender(message, from_line, outcome);
    spool_rest(spool, fd_in, message->offset, message->envelope.sender, outcome);
    if (outcome->kind == OUTCOME_DONE && spool_is_empty(spool))
        outcome_temporary(outcome, "4.3.0", "there is no message on standard input");
    if (outcome->kind == OUTCOME_DONE)
        message->fd = spool_take(spool, &message->size, message->digest);
    spool_free(spool);
    if (message->fd >= 0)
        tmpfile_finish(&message->fd); /* modules get it to read only */
    if (outcome->kind == OUTCOME_DONE)
        read_structure(message, outcome);
}

static void read_anew(struct message *message, int fd, struct outcome *outcome)
{
    message->fd = fd;
    message->offset = 0;
    if (fdio_size(fd, &message->size) != 0)
        outcome_temporary(outcome, "4.3.0", "the spooled message cannot be read: %s", strerror(errno));
    else
        read_structure(message, outcome);
}

void message_replace(struct message *message, int fd, struct outcome *outcome)
{
    fdio_close(&message->fd);
    mime_free(&message->mime);
    strlist_free(&message->header_from);
    read_anew(message, fd, outcome);
}

bool message_view(const struct message *message, int fd, struct message *view_r, struct outcome *outcome)
{
    *view_r = *message;
    memset(&view_r->mime, 0, sizeof(view_r->mime));
    memset(&view_r->header_from, 0, sizeof(view_r->header_from));
    read_anew(view_r, fd, outcome);
    return outcome->kind == OUTCOME_DONE;
}

void message_view_free(struct message *view)
{
    mime_free(&view->mime);
    strlist_free(&view->header_from);
    *view = (struct message){.fd = -1};
}

static struct call_module *open_module(const struct message *message, const char *spec, const char *role)
{
    const struct config *config = message->config;

    if (spec == NULL || *spec == '\0')
        return NULL;
    return call_module_new(spec, role, config->base, (int64_t)config->module_timeout * 1000, message->until);
}

void message_modules_open(struct message *message)
{
    const struct config *config = message->config;

    message->keys = mem_array(config->modules_keys.count, sizeof(*message->keys));
    message->key_modules = config->modules_keys.count;
    for (size_t i = 0; i < message->key_modules; i++)
        message->keys[i] = open_module(message, config->modules_keys.items[i], "keys");
    message->trust = open_module(message, config->module_trust, "trust");
    message->smime = open_module(message, config->module_smime, "smime");
}

void message_envelope_free(struct message_envelope *envelope)
{
    free(envelope->client);
    free(envelope->peer);
    free(envelope->sender);
    free(envelope->auth);
    free(envelope->queue_id);
    free(envelope->dsn_notify);
    free(envelope->dsn_ret);
    free(envelope->dsn_envid);
    strlist_free(&envelope->recipients);
    *envelope = (struct message_envelope){0};
}

void message_free(struct message *message)
{
    for (size_t i = 0; i < message->key_modules; i++)
        call_module_free(message->keys[i]);
    free(message->keys);
    call_module_free(message->trust);
    call_module_free(message->smime);
    mime_free(&message->mime);
    strlist_free(&message->header_from);
    message_envelope_free(&message->envelope);
    fdio_close(&message->fd);
    *message = (struct message){.fd = -1};
}

int message_output(const struct message *message, uint64_t expect, struct outcome *outcome)
{
    const struct config *config = message->config;
    int fd = tmpfile_open(config->spool, expect, config->spool_memory);

    if (fd < 0)
        outcome_temporary(outcome, "4.3.1", "no output file can be made in %s: %s", config->spool,
                          strerror(errno));
    return fd;
}
