#include "incoming/returned_copy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/explain.h"
#include "core/roundtrip.h"
#include "delivery/handoff.h"
#include "incoming/headercopy.h"
#include "incoming/misreturned.h"
#include "incoming/reencrypt.h"
#include "incoming/status.h"
#include "util/fdio.h"

/* Did it come encrypted, as far as one can tell? */
static bool opened(const struct header *header)
{
    char *encryption = header_value_of(header, "X-JULIA-Encryption");
    bool clear =
        encryption != NULL && strcmp(encryption, status_encryption_word(STATUS_ENCRYPTION_NONE)) == 0;

    free(encryption);
    return !clear;
}

static int write_copy(const struct message *message, int out)
{
    struct strlist drop = {0};
    const struct headercopy how = {.drop = &drop, .own_stay = true};
    uint64_t end = 0;
    bool open = false;
    int rc;

    strlist_add(&drop, ROUNDTRIP_HOLD);
    strlist_add(&drop, ROUNDTRIP_SENDER);
    if (message->config->deliver != CONFIG_DELIVER_REENCRYPT) /* changed while it was away */
        strlist_add(&drop, REENCRYPT_FIELD);
    rc = headercopy_run(&how, message->fd, message->offset, message->size, out, &end, &open);
    if (rc == 0)
        rc = fdio_copy_range(message->fd, end, message->offset + message->size - end, out);
    strlist_free(&drop);
    return rc;
}

bool returned_copy_make(struct returned_copy *copy, const struct message *message, struct outcome *outcome)
{
    int fd = message_output(message, message->size, outcome);
    static char nobody[] = "";

    *copy = (struct returned_copy){.message.fd = -1, .fd = -1};
    if (fd < 0)
        return false;
    if (write_copy(message, fd) != 0) {
        outcome_temporary(outcome, "4.3.1", "SPOOL: %s", strerror(errno));
        fdio_close(&fd);
        return false;
    }
    copy->fd = fd;
    message_view(message, fd, &copy->message, outcome);
    copy->message.subject_hidden = opened(&message->mime.root->header);
    if (header_count(&message->mime.root->header, ROUNDTRIP_SENDER) > 0)
        copy->message.envelope.sender = nobody;
    return outcome->kind == OUTCOME_DONE;
}

void returned_copy_free(struct returned_copy *copy)
{
    message_view_free(&copy->message);
    fdio_close(&copy->fd);
}

/* As when it is delivered without a scanner: a notice must not show what could be decrypted. */
static void pass(const struct returned_copy *copy, struct journal *journal, const struct strlist *recipients,
                 const char *how, struct outcome *outcome)
{
    struct handoff handoff = {.target = CONFIG_TARGET_INTERNAL,
                              .fd = copy->message.fd,
                              .sender = copy->message.envelope.sender,
                              .recipients = recipients,
                              .headers_only = copy->message.subject_hidden,
                              .how = how};

    handoff_run(&copy->message, journal, &handoff, outcome);
}

void returned_copy_send(struct returned_copy *copy, struct journal *journal, const struct strlist *recipients,
                        const char *how, struct buf *explain, struct reencrypt_left *left_r,
                        struct outcome *outcome)
{
    const struct config *config = copy->message.config;
    enum reencrypt_need need = REENCRYPT_NO;

    if (config->deliver == CONFIG_DELIVER_REENCRYPT)
        need = reencrypt_need(&copy->message.mime.root->header);
    if (need == REENCRYPT_YES) {
        reencrypt_run(&copy->message, journal, recipients, explain, left_r, outcome);
    } else if (need == REENCRYPT_UNCLEAR) {
        misreturned_refuse(&copy->message, journal, "fields-missing", recipients, explain, outcome);
    } else if (explain != NULL) {
        explain_plain("return", config_target_name(CONFIG_TARGET_INTERNAL), recipients, NULL, explain);
    } else {
        pass(copy, journal, recipients, how, outcome);
    }
}
