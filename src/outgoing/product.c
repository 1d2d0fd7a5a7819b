#include "outgoing/product.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "delivery/report.h"
#include "outgoing/dkim.h"
#include "outgoing/lastcheck.h"
#include "outgoing/legacy.h"
#include "outgoing/protect.h"
#include "util/fdio.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/tmpfile.h"

struct signature { /* one signed entity behind an outer header; the header makes it what sign-only groups get
                    */
    const struct select_candidate *signer;
    const struct config_profile *profile;
    bool encrypted; /* made to be encrypted: header protection differs */
    int fd;
    uint64_t entity_start, length;
    struct outcome outcome; /* not done: it could not be made */
    bool died;              /* ... because the module ended */
};

/* The message with what is hidden in its text (legacy.h). */
struct decorated {
    bool made;
    int fd; /* made: -1 when there is nothing to add */
    struct message view;
};

static void decorated_free(struct decorated *decorated)
{
    if (decorated->made && decorated->fd >= 0) {
        message_view_free(&decorated->view);
        fdio_close(&decorated->fd);
    }
    decorated->made = false;
}

struct product {
    const struct plan *plan;
    struct journal *journal;
    struct signature *signatures;
    size_t count;
    struct decorated decorated[CONFIG_PROTECTION_SHY + 1]; /* by policy */
    int fd;                                                /* of the group at hand; -1 none */
    bool told;                                             /* that DKIM-Signature fields were removed */
    bool died;
};

struct product *product_new(const struct plan *plan, struct journal *journal)
{
    struct product *product = mem_alloc(sizeof(*product));
    product->plan = plan;
    product->journal = journal;
    product->fd = -1;
    return product;
}

void product_free(struct product *product)
{
    if (product == NULL)
        return;
    for (size_t i = 0; i < product->count; i++)
        fdio_close(&product->signatures[i].fd);
    free(product->signatures);
    for (size_t i = 0; i <= CONFIG_PROTECTION_SHY; i++)
        decorated_free(&product->decorated[i]);
    fdio_close(&product->fd);
    free(product);
}

bool product_module_died(const struct product *product)
{
    return product->died;
}

static bool worked(struct product *product, enum protect_result result)
{
    product->died = product->died || result == PROTECT_DIED;
    return result == PROTECT_DONE;
}

/* Without what ends here: signatures of own domains that would not hold any more. */
static void outer_header(struct product *product, const struct config_profile *profile, bool encrypted,
                         bool sealed, struct buf *outer)
{
    const struct plan *plan = product->plan;
    const struct header *header = &plan->message->mime.root->header;
    struct entity_header how = plan_header(plan, profile, encrypted);
    bool *removed = dkim_remove(plan, &how, sealed);
    for (size_t i = 0; removed != NULL && !product->told && i < header->count; i++)
        if (removed[i]) {
            char *domain = dkim_domain(header, i);
            log_event(LOG_LEVEL_INFO, "dkim-removed", "domain", domain, (char *)NULL);
            free(domain);
        }
    product->told = product->told || removed != NULL;
    if (sealed)
        entity_outer_header(&how, outer);
    else
        entity_clear_header(&how, outer);
    free(removed);
}

/* A new file that begins with `outer`. -1: outcome filled in. */
static int begin_file(const struct product *product, const struct buf *outer, struct outcome *outcome)
{
    const struct message *message = product->plan->message;
    int fd = message_output(message, message->size + message->size / 2, outcome);
    if (fd >= 0 && fdio_write_all(fd, buf_text(outer), outer->len) != 0) {
        outcome_temporary(outcome, "4.3.1", "SPOOL: %s", strerror(errno));
        fdio_close(&fd);
    }
    return fd;
}

/* What is checked is what leaves: the module that wrote it cannot write to `*fd` any more. */
static const char *check_finished(const struct product *product, struct lastcheck *check, int *fd)
{
    const struct config *config = product->plan->message->config;
    struct mime_limits limits = {.max_depth = (unsigned int)config->max_depth,
                                 .max_parts = (unsigned int)config->max_parts};
    if (tmpfile_finish(fd) != 0)
        return "the module still has the output open for writing";
    check->fd = *fd;
    check->limits = &limits;
    const char *fault = lastcheck_run(check);
    check->limits = NULL;
    return fault;
}

static bool passes_last_check(const struct product *product, struct lastcheck *check, int *fd,
                              struct outcome *outcome)
{
    const struct message *message = product->plan->message;
    const char *fault = check_finished(product, check, fd);
    if (fault == NULL)
        return true;
    log_event(LOG_LEVEL_ERROR, "last-check", "fault", fault, "module", call_module_name(message->smime),
              (char *)NULL);
    report_admin(message, product->journal, "last-check", "FAULT", fault, "MODULE",
                 call_module_name(message->smime), (char *)NULL);
    outcome_temporary(outcome, "4.3.0", "last check before hand-off: %s", fault);
    return false;
}

/* What goes inside of an encrypted message has the hidden fields in its text, too. False: outcome filled in.
 */
static bool add_legacy(struct product *product, struct entity_header *how, struct outcome *outcome)
{
    struct decorated *decorated = &product->decorated[how->protection];
    if (!how->encrypted)
        return true;
    if (!decorated->made) {
        decorated->made = legacy_write(how, &decorated->fd, outcome);
        if (decorated->made && decorated->fd >= 0 &&
            !message_view(product->plan->message, decorated->fd, &decorated->view, outcome))
            decorated_free(decorated);
    }
    if (decorated->made && decorated->fd >= 0)
        how->content = &decorated->view;
    return decorated->made;
}

/* Signs into signature->fd, behind `outer`. */
static bool sign_entity(struct product *product, struct signature *signature, const struct buf *outer,
                        const struct entity *entity)
{
    struct message *message = product->plan->message;
    struct outcome *outcome = &signature->outcome;
    uint64_t size;
    bool opaque = entity->fragile || strcmp(signature->profile->form, "opaque") == 0;
    signature->fd = begin_file(product, outer, outcome);
    if (signature->fd < 0 ||
        !worked(product, protect_sign(message, entity, signature->signer, signature->profile, opaque,
                                      signature->fd, outcome)))
        return false;
    struct lastcheck check = {
        .form = opaque ? LASTCHECK_OPAQUE : LASTCHECK_CLEAR, .outer = outer, .entity = entity};
    if (!passes_last_check(product, &check, &signature->fd, outcome))
        return false;
    if (fdio_size(signature->fd, &size) != 0) {
        outcome_temporary(outcome, "4.3.1", "SPOOL: %s", strerror(errno));
        return false;
    }
    signature->entity_start = outer->len;
    signature->length = size - outer->len;
    return true;
}

static void make_signature(struct product *product, struct signature *signature)
{
    struct entity_header how = plan_header(product->plan, signature->profile, signature->encrypted);
    struct entity entity = {.own_fd = -1};
    struct buf outer = {0};
    outcome_done(&signature->outcome);
    outer_header(product, signature->profile, false, true, &outer);
    if (add_legacy(product, &how, &signature->outcome) && entity_prepared(&how, &entity, &signature->outcome))
        sign_entity(product, signature, &outer, &entity);
    entity_free(&entity);
    buf_free(&outer);
}

/* The signature for this group, made when it is first needed. */
static const struct signature *signature_for(struct product *product, const struct group *group)
{
    bool encrypted = group->certificate_count > 0 &&
                     plan_protection(product->plan, group->profile) != CONFIG_PROTECTION_NO;
    for (size_t i = 0; i < product->count; i++) {
        const struct signature *known = &product->signatures[i];
        if (known->signer == group->signer && known->profile == group->profile &&
            known->encrypted == encrypted)
            return known;
    }
    struct signature *made = mem_push(&product->signatures, &product->count, sizeof(*made));
    made->signer = group->signer;
    made->profile = group->profile;
    made->encrypted = encrypted;
    made->fd = -1;
    make_signature(product, made);
    made->died = product->died;
    return made;
}

static bool encrypt_entity(struct product *product, const struct group *group, const struct entity *entity,
                           struct outcome *outcome)
{
    struct buf outer = {0};
    outer_header(product, group->profile, true, true, &outer);
    product->fd = begin_file(product, &outer, outcome);
    struct lastcheck check = {.form = LASTCHECK_ENCRYPTED,
                              .outer = &outer,
                              .original = &product->plan->message->mime.root->header,
                              .protection = plan_protection(product->plan, group->profile),
                              .recipients = group->certificates,
                              .recipient_count = group->certificate_count};
    bool ok =
        product->fd >= 0 &&
        worked(product, protect_encrypt(product->plan->message, entity, group->certificates,
                                        group->certificate_count, group->profile, product->fd, outcome)) &&
        passes_last_check(product, &check, &product->fd, outcome);
    buf_free(&outer);
    return ok;
}

static bool make_encrypted(struct product *product, const struct group *group,
                           const struct signature *signature, struct product_file *file_r,
                           struct outcome *outcome)
{
    struct entity entity = {.own_fd = -1, .count = 1};
    bool ok = true;
    if (signature != NULL) {
        entity.pieces[0] = (struct entity_piece){signature->fd, signature->entity_start, signature->length};
    } else {
        struct entity_header how = plan_header(product->plan, group->profile, true);
        ok = add_legacy(product, &how, outcome) && entity_plain(&how, &entity, outcome);
    }
    ok = ok && encrypt_entity(product, group, &entity, outcome);
    entity_free(&entity);
    *file_r = (struct product_file){product->fd, 0, signature != NULL ? "signed+encrypted" : "encrypted"};
    return ok;
}

/* Nothing is signed or encrypted, but a trigger must not travel: only Subject changes. */
static bool make_clear(struct product *product, struct product_file *file_r, struct outcome *outcome)
{
    const struct message *message = product->plan->message;
    const struct mime_part *root = message->mime.root;
    struct buf header = {0};
    *file_r = (struct product_file){message->fd, message->offset, "clear"};
    if (!plan_clear_changes(product->plan))
        return true;
    outer_header(product, NULL, false, false, &header);
    product->fd = begin_file(product, &header, outcome);
    uint64_t rest = root->start + root->header.len;
    bool ok = product->fd >= 0;
    if (ok && fdio_copy_range(message->fd, rest, root->end - rest, product->fd) != 0) {
        outcome_temporary(outcome, "4.3.1", "SPOOL: %s", strerror(errno));
        ok = false;
    }
    *file_r = (struct product_file){product->fd, 0, "clear"};
    buf_free(&header);
    return ok;
}

bool product_make(struct product *product, const struct group *group, struct product_file *file_r,
                  struct outcome *outcome)
{
    const struct signature *signature = NULL;
    fdio_close(&product->fd);
    product->died = false;
    if (group->signer == NULL && group->certificate_count == 0)
        return make_clear(product, file_r, outcome);
    if (group->signer != NULL) {
        signature = signature_for(product, group);
        product->died = signature->died;
        if (signature->outcome.kind != OUTCOME_DONE) {
            outcome_temporary(outcome, signature->outcome.dsn, "%s", signature->outcome.text);
            return false;
        }
    }
    if (group->certificate_count > 0)
        return make_encrypted(product, group, signature, file_r, outcome);
    *file_r = (struct product_file){signature->fd, 0, "signed"};
    return true;
}
