#include "outgoing/protect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/fdio.h"
#include "util/mem.h"

void protect_put_fd(struct protect_fds *fds, struct xml_writer *w, const char *attribute, int fd)
{
    size_t at = 0;
    while (at < fds->count && fds->items[at] != fd)
        at++;
    if (at == fds->count)
        fds->items[fds->count++] = fd; /* never more than output, channel and two pieces */
    xml_put_number(w, attribute, at);
}

void protect_put_piece(struct protect_fds *fds, struct xml_writer *w, const struct entity_piece *piece)
{
    xml_open(w, "piece");
    protect_put_fd(fds, w, "fd", piece->fd);
    xml_put_number(w, "offset", piece->offset);
    xml_put_number(w, "length", piece->length);
    xml_close(w);
}

static void put_certificate(struct xml_writer *w, const struct buf *der)
{
    xml_add_base64(w, "certificate", buf_text(der), der->len);
}

static void put_entity(struct protect_fds *fds, struct xml_writer *w, const struct entity *entity)
{
    for (size_t i = 0; i < entity->count; i++)
        protect_put_piece(fds, w, &entity->pieces[i]);
}

static const char *eol_word(const struct message *message)
{
    return message->eol[0] == '\r' ? "crlf" : "lf";
}

static void fault_from(const struct call_module *module, const char *operation,
                       const struct call_answer *answer, struct outcome *outcome)
{
    outcome_temporary(outcome, "4.3.0", "%s: %s: %s%s%s", call_module_name(module), operation,
                      answer->reason != NULL ? answer->reason : answer_status_name(answer->status),
                      answer->text != NULL && answer->text[0] != '\0' ? ": " : "",
                      answer->text != NULL ? answer->text : "");
}

/* The file must have grown by what the answer says. */
static bool grown(const struct call_answer *answer, int out, uint64_t before)
{
    uint64_t length, after;
    return answer->body != NULL && xml_attribute_number(answer->body, "length", UINT64_MAX / 2, &length) &&
           fdio_size(out, &after) == 0 && after >= before && after - before == length;
}

/* A strict profile's signature is the one it names, whatever the key in the certificate wanted. */
static bool signed_as_wanted(const struct call_module *smime, const struct config_profile *profile,
                             const char *scheme, struct outcome *outcome)
{
    char *wanted = mem_printf("rsa-%s-%s", profile->rsa, profile->digest);
    bool good = !config_profile_strict(profile) || (scheme != NULL && strcmp(scheme, wanted) == 0);
    if (!good)
        outcome_temporary(outcome, "4.3.0", "%s: sign: the key signs as %s only, profile %s wants %s",
                          call_module_name(smime), scheme != NULL ? scheme : "?", profile->name, wanted);
    free(wanted);
    return good;
}

/* `signs` is the profile of a signature, NULL for an encryption. */
static enum protect_result ask_smime(struct message *message, const char *operation, const struct buf *body,
                                     const struct protect_fds *fds, const struct config_profile *signs,
                                     int out, struct outcome *outcome)
{
    struct call_answer answer = {0};
    enum protect_result result = PROTECT_FAILED;
    uint64_t before;
    if (fdio_size(out, &before) != 0) {
        outcome_temporary(outcome, "4.3.1", "SPOOL: %s", strerror(errno));
        return PROTECT_FAILED;
    }
    call_ask(message->smime, operation, body, fds->items, fds->count, &answer);
    if (answer.status != ANSWER_OK) {
        fault_from(message->smime, operation, &answer, outcome);
        if (answer.reason != NULL && strcmp(answer.reason, "died") == 0)
            result = PROTECT_DIED;
    } else if (!grown(&answer, out, before)) {
        outcome_temporary(outcome, "4.3.0", "%s: %s: the output is not as long as the answer says",
                          call_module_name(message->smime), operation);
    } else if (signs == NULL ||
               signed_as_wanted(message->smime, signs, xml_attribute(answer.body, "scheme"), outcome)) {
        result = PROTECT_DONE;
    }
    call_answer_free(&answer);
    return result;
}

static void write_sign(struct buf *body, struct protect_fds *fds, const struct message *message,
                       const struct entity *entity, const struct ask_entry *signer,
                       const struct config_profile *profile, bool opaque, int channel, int out)
{
    struct xml_writer w;
    xml_begin(&w, body);
    xml_open(&w, "sign");
    xml_put(&w, "form", opaque ? "opaque" : "clear");
    xml_put(&w, "rsa", profile->rsa);
    xml_put(&w, "digest", profile->digest);
    xml_put(&w, "key", signer->key);
    protect_put_fd(fds, &w, "channel", channel);
    protect_put_fd(fds, &w, "output", out);
    xml_put(&w, "eol", eol_word(message));
    put_certificate(&w, &signer->certificate);
    for (size_t i = 0; i < signer->chain_count; i++)
        put_certificate(&w, &signer->chain[i]);
    put_entity(fds, &w, entity);
    xml_close(&w);
}

enum protect_result protect_sign(struct message *message, const struct entity *entity,
                                 const struct select_candidate *signer, const struct config_profile *profile,
                                 bool opaque, int out, struct outcome *outcome)
{
    const struct ask_entry *entry = signer->entry;
    const char *keys[] = {entry->key};
    struct call_answer answer = {0};
    struct protect_fds fds = {.count = 0};
    struct buf body = {0};
    struct call_grant *grant = ask_grant(entry->module, "sign", keys, 1, 1, &answer);
    enum protect_result result = PROTECT_FAILED;
    if (grant != NULL) {
        write_sign(&body, &fds, message, entity, entry, profile, opaque, call_grant_fd(grant), out);
        result = ask_smime(message, "sign", &body, &fds, profile, out, outcome);
        call_grant_revoke(grant);
    } else {
        fault_from(entry->module, "grant", &answer, outcome);
    }
    call_answer_free(&answer);
    buf_free(&body);
    return result;
}

enum protect_result protect_encrypt(struct message *message, const struct entity *entity,
                                    const struct select_candidate *const *recipients, size_t count,
                                    const struct config_profile *profile, int out, struct outcome *outcome)
{
    struct protect_fds fds = {.count = 0};
    struct buf body = {0};
    struct xml_writer w;
    xml_begin(&w, &body);
    xml_open(&w, "encrypt");
    xml_put(&w, "cipher", profile->cipher);
    xml_put(&w, "keytrans", profile->keytrans);
    protect_put_fd(&fds, &w, "output", out);
    xml_put(&w, "eol", eol_word(message));
    for (size_t i = 0; i < count; i++) {
        const struct ask_entry *entry = recipients[i]->entry;
        xml_open(&w, "recipient");
        put_certificate(&w, &entry->certificate);
        if (entry->capabilities.len > 0)
            xml_add_base64(&w, "capabilities", entry->capabilities.data, entry->capabilities.len);
        xml_close(&w);
    }
    put_entity(&fds, &w, entity);
    xml_close(&w);
    enum protect_result result = ask_smime(message, "encrypt", &body, &fds, NULL, out, outcome);
    buf_free(&body);
    return result;
}
