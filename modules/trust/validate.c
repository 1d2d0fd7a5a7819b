#include "modules/trust/validate.h"

#include <stdlib.h>
#include <string.h>

#include "modules/trust/certificate.h"
#include "modules/trust/judge.h"
#include "modules/trust/validate_write.h"
#include "util/base64.h"
#include "util/log.h"

#define NUMBER_MAX 9007199254740991u /* as in protocol.rng */

/* ---- the request; module_serve() has checked its form ---- */

/* 2026-11-21T12:00:00Z and nothing else. */
static bool parse_time(const char *text, time_t *time_r)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    char again[ISO_TIME_SIZE];

    if (end == NULL || *end != '\0')
        return false;
    *time_r = timegm(&tm);
    certificate_iso_time(*time_r, again);
    return strcmp(text, again) == 0;
}

/* The index of `word` in the NULL-terminated list, -1 if it is not there. */
static int index_of(const char *word, const char *const *words)
{
    for (int i = 0; word != NULL && words[i] != NULL; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    return -1;
}

static const char *read_terms(const struct xml_node *body, struct terms *terms)
{
    static const char *const modes[] = {"require", "prefer", "off", NULL};
    static const char *const yesno[] = {"no", "yes", NULL};
    const char *when = xml_attribute(body, "time"), *weak = xml_attribute(body, "weak");
    int mode = index_of(xml_attribute(body, "revocation"), modes);

    if (mode < 0)
        return "revocation is not require, prefer or off";
    terms->revocation = (enum revocation_mode)mode;
    terms->at = time(NULL);
    if (when != NULL && !parse_time(when, &terms->at))
        return "time is not like 2026-11-21T12:00:00Z";
    if (weak != NULL && index_of(weak, yesno) < 0)
        return "weak is not yes or no";
    terms->accept_weak = weak != NULL && index_of(weak, yesno) == 1;
    return NULL;
}

/* Extras and CRLs help if they can; what is damaged or too much is left out, and so cannot make anything
 * valid. */
static void add_help(const struct xml_node *body, struct store *store)
{
    unsigned int damaged = 0, surplus = 0;

    for (const struct xml_node *node = body->children; node != NULL; node = node->next) {
        bool is_crl = xml_is(node, "crl");
        struct buf der = {0};
        if (xml_is(node, "certificate"))
            continue;
        if (!xml_base64(node, &der)) {
            damaged++;
        } else if (is_crl) {
            struct crl *crl = crl_parse(&der);
            damaged += crl == NULL;
            surplus += crl != NULL && !store_add_crl(store, crl);
        } else {
            X509 *extra = certificate_parse(&der);
            damaged += extra == NULL;
            surplus += extra != NULL && !store_add_extra(store, extra);
        }
        buf_free(&der);
    }
    if (damaged + surplus > 0)
        log_event(LOG_LEVEL_WARNING, "left-out", "reason", damaged > 0 ? "damaged" : "too-many",
                  (char *)NULL);
}

/* ---- the answer ---- */

static bool answer_one(const struct xml_node *node, const struct terms *terms, struct serve_answer *answer)
{
    static const char *const uses[] = {"any", "sign", "encrypt", NULL};
    int use = index_of(xml_attribute(node, "use"), uses);
    struct judgement judgement = {0};
    struct buf der = {0};
    X509 *certificate;
    uint64_t n;

    if (!xml_attribute_number(node, "n", NUMBER_MAX, &n) || use < 0 || !xml_base64(node, &der)) {
        buf_free(&der);
        serve_fail(answer, ANSWER_PERMANENT, "bad-request",
                   "validate: a certificate without n, use or base64");
        return false;
    }
    certificate = certificate_parse(&der);
    if (certificate == NULL) {
        validate_write_unreadable(&answer->writer, n, &der);
    } else if (judge(terms, certificate, (enum use)use, xml_attribute(node, "address"), &judgement)) {
        validate_write_verdict(&answer->writer, n, certificate, &judgement);
        judgement_free(&judgement);
    } else {
        const char *error = store_error(terms->store);
        serve_fail(answer, ANSWER_TEMPORARY, error != NULL ? "store" : "no-answer", "%s",
                   error != NULL ? error : "no judgement within the time that the caller waits");
    }
    X509_free(certificate);
    buf_free(&der);
    return answer->status == ANSWER_OK;
}

void validate_run(const struct serve_request *request, struct serve_answer *answer, void *module)
{
    const struct validate_module *validate = module;
    struct terms terms = {.settings = validate->settings, .store = validate->store, .until = request->until};
    const struct xml_node *node = xml_child(request->body, "certificate");
    const char *fault;

    fault = node == NULL ? "no certificate" : read_terms(request->body, &terms);
    if (fault != NULL) {
        serve_fail(answer, ANSWER_PERMANENT, "bad-request", "validate: %s", fault);
        return;
    }
    if (!store_begin(validate->store)) {
        serve_fail(answer, ANSWER_TEMPORARY, "store", "%s", store_error(validate->store));
        return;
    }
    add_help(request->body, validate->store);
    xml_open(&answer->writer, "validate");
    for (; node != NULL; node = xml_next(node, "certificate"))
        if (!answer_one(node, &terms, answer))
            return;
    xml_close(&answer->writer);
}
