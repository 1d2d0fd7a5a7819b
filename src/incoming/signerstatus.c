#include "incoming/signerstatus.h"

#include <stdlib.h>
#include <string.h>

#include "mail/address.h"
#include "util/mem.h"

#define COMPANIONS_MAX    200        /* certificates and CRLs from the message that go along to trust */
#define COMPANIONS_OCTETS (1u << 20) /* ... all of them: they must fit into one frame */

/* Certificates or CRLs of these layers, borrowed. */
struct companions {
    struct buf *certificates, *crls;
    size_t certificate_count, crl_count;
    size_t octets;
};

static void collect_ders(struct companions *along, const struct buf *ders, size_t count, struct buf **items,
                         size_t *item_count)
{
    for (size_t i = 0; i < count; i++) {
        struct buf *added;

        if (*item_count >= COMPANIONS_MAX || along->octets + ders[i].len > COMPANIONS_OCTETS)
            continue;
        added = mem_push(items, item_count, sizeof(**items));
        *added = ders[i];
        along->octets += ders[i].len;
    }
}

static void collect(struct companions *along, const struct layer *layer)
{
    collect_ders(along, layer->certificates, layer->certificate_count, &along->certificates,
                 &along->certificate_count);
    collect_ders(along, layer->crls, layer->crl_count, &along->crls, &along->crl_count);
}

/* The address is compared here, with From and Sender of the message as it is delivered (RFC 8550 3), so trust
 * is not asked about it. */
bool signerstatus_validate(struct message *message, struct unwrap_node *const *nodes, size_t count,
                           struct outcome *outcome)
{
    struct companions along = {0};
    struct layer_signer **signers = NULL;
    struct ask_check *checks = NULL;
    size_t check_count = 0, signer_count = 0;
    bool good = true;

    for (size_t n = 0; n < count; n++) {
        struct layer *layer = &nodes[n]->layer;

        collect(&along, layer);
        for (size_t i = 0; i < layer->signer_count; i++) {
            struct ask_check *check;

            if (layer->signers[i].result != LAYER_SIGNATURE_GOOD || layer->signers[i].certificate == NULL)
                continue;
            check = mem_push(&checks, &check_count, sizeof(*checks));
            check->certificate = layer->signers[i].certificate;
            check->use = "sign";
            *(struct layer_signer **)mem_push(&signers, &signer_count, sizeof(*signers)) = &layer->signers[i];
        }
    }
    if (check_count > 0)
        good = ask_validate(message, checks, check_count, along.certificates, along.certificate_count,
                            along.crls, along.crl_count, outcome);
    for (size_t i = 0; i < check_count; i++)
        signers[i]->verdict = checks[i].verdict; /* moved */
    free(signers);
    free(checks);
    free(along.certificates);
    free(along.crls);
    return good;
}

enum status_signature signerstatus_word(const struct layer_signer *signer, bool own)
{
    static const struct {
        const char *verdict;
        enum status_signature word;
    } words[] = {
        {"wrong-address", STATUS_VALID_OTHER_ADDRESS},
        {"expired", STATUS_EXPIRED},
        {"not-yet-valid", STATUS_EXPIRED},
        {"revoked", STATUS_REVOKED},
        {"status-unknown", STATUS_UNKNOWN},
    };
    const char *verdict = signer->verdict.verdict;

    if (signer->result == LAYER_SIGNATURE_BAD)
        return STATUS_INVALID;
    if (signer->result == LAYER_SIGNATURE_UNSUPPORTED)
        return signer->missing ? STATUS_UNKNOWN : STATUS_SIGNATURE_UNSUPPORTED;
    if (verdict == NULL)
        return STATUS_UNKNOWN;
    if (strcmp(verdict, "valid") == 0)
        return own ? STATUS_VALID : STATUS_VALID_OTHER_ADDRESS;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(verdict, words[i].verdict) == 0)
            return words[i].word;
    return STATUS_UNTRUSTED;
}

/* The certificate's address that equals `wanted`; NULL. */
static const char *find_address(const struct layer_signer *signer, const char *wanted)
{
    const struct strlist *addresses = &signer->verdict.addresses;

    for (size_t i = 0; wanted != NULL && i < addresses->count; i++)
        if (address_equal(addresses->items[i], wanted))
            return addresses->items[i];
    return NULL;
}

/* How much a word counts among several signers of one message; STATUS_INVALID beats all. */
static int weight(enum status_signature word)
{
    static const enum status_signature order[] = {
        STATUS_SIGNATURE_NONE, STATUS_SIGNATURE_UNSUPPORTED, STATUS_UNKNOWN, STATUS_UNTRUSTED, STATUS_EXPIRED,
        STATUS_REVOKED,        STATUS_VALID_OTHER_ADDRESS,   STATUS_VALID,   STATUS_INVALID,
    };
    int place = 0;

    while (order[place] != word)
        place++;
    return place;
}

void signerstatus_judge(const struct layer *layer, const struct signerstatus_author *author,
                        struct status *status_r)
{
    status_r->signature = STATUS_SIGNATURE_UNSUPPORTED;
    for (size_t i = 0; i < layer->signer_count; i++) {
        const struct layer_signer *signer = &layer->signers[i];
        const char *own = find_address(signer, author->from), *shown = own;
        enum status_signature word = signerstatus_word(signer, own != NULL);

        if (i > 0 && weight(word) <= weight(status_r->signature))
            continue;
        if (shown == NULL)
            shown = find_address(signer, author->sender);
        if (shown == NULL && signer->verdict.addresses.count > 0)
            shown = signer->verdict.addresses.items[0];
        status_r->signature = word;
        status_r->signer = signer->verdict.verdict == NULL ? NULL : signer;
        status_r->address = shown;
        status_r->missing = signer->missing;
    }
    if (status_r->signature == STATUS_INVALID)
        status_r->signer = NULL;
}

bool signerstatus_vouches(const struct layer *layer, const char *address)
{
    struct signerstatus_author author = {.from = address};
    struct status status = {0};

    signerstatus_judge(layer, &author, &status);
    return status.signature == STATUS_VALID;
}
