/* Questions to the trust module. */
#include <stdlib.h>
#include <string.h>

#include "core/ask.h"
#include "util/base64.h"
#include "util/mem.h"

#define CHECKS_PER_CALL 400        /* verdicts with their paths stay below FRAME_MAX */
#define OCTETS_PER_CALL (7u << 18) /* of DER; with 1 MiB of companions, in base64, below FRAME_MAX */

static void write_checks(struct xml_writer *w, const struct ask_check *checks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        xml_open(w, "certificate");
        xml_put_number(w, "n", i);
        xml_put(w, "use", checks[i].use);
        xml_put(w, "address", checks[i].address);
        xml_put_base64(w, buf_text(checks[i].certificate), checks[i].certificate->len);
        xml_close(w);
    }
}

struct companions { /* what goes along with every batch */
    const struct buf *extra, *crls;
    size_t extra_count, crl_count;
};

static void write_validate(struct buf *body, const struct config *config, const struct ask_check *checks,
                           size_t count, const struct companions *along)
{
    static const char *const revocation[] = {"require", "prefer", "off"};
    struct xml_writer w;
    xml_begin(&w, body);
    xml_open(&w, "validate");
    xml_put(&w, "revocation", revocation[config->revocation]);
    xml_put(&w, "weak", config->accept_weak ? "yes" : "no");
    write_checks(&w, checks, count);
    for (size_t i = 0; i < along->extra_count; i++)
        xml_add_base64(&w, "extra", buf_text(&along->extra[i]), along->extra[i].len);
    for (size_t i = 0; i < along->crl_count; i++)
        xml_add_base64(&w, "crl", buf_text(&along->crls[i]), along->crls[i].len);
    xml_close(&w);
}

static char *evidence_line(const struct xml_node *verdict)
{
    struct buf line = {0};
    const struct xml_node *node;
    for (node = xml_child(verdict, "evidence"); node != NULL; node = xml_next(node, "evidence")) {
        const char *kind = xml_attribute(node, "kind"), *time = xml_attribute(node, "time");
        buf_printf(&line, "%s%s%s%s%s%s", line.len > 0 ? "; " : "", kind != NULL ? kind : "?",
                   time != NULL ? " " : "", time != NULL ? time : "", node->text[0] != '\0' ? " " : "",
                   node->text);
    }
    return line.len > 0 ? buf_take(&line) : NULL;
}

static void read_answers(const struct xml_node *node, struct ask_verdict *verdict)
{
    for (node = xml_child(node, "evidence"); node != NULL; node = xml_next(node, "evidence")) {
        const char *kind = xml_attribute(node, "kind"), *time = xml_attribute(node, "time");
        if (kind == NULL || time == NULL || (strcmp(kind, "crl") != 0 && strcmp(kind, "ocsp") != 0))
            continue;
        verdict->answers++;
        if (verdict->oldest_answer == NULL || strcmp(time, verdict->oldest_answer) < 0) {
            free(verdict->oldest_answer);
            verdict->oldest_answer = mem_strdup(time);
        }
    }
}

static void read_octets(const struct xml_node *node, struct ask_verdict *verdict)
{
    const char *serial = xml_attribute(node, "serial"), *issuer = xml_attribute(node, "issuer-der");
    const char *ski = xml_attribute(node, "ski");
    if (serial == NULL || !hex_decode_buf(&verdict->serial, serial))
        buf_clear(&verdict->serial);
    if (issuer == NULL || !base64_decode_buf(&verdict->issuer_der, issuer))
        buf_clear(&verdict->issuer_der);
    if (ski != NULL && !hex_decode_buf(&verdict->ski, ski))
        buf_clear(&verdict->ski);
}

static void read_verdict(const struct xml_node *node, struct ask_verdict *verdict)
{
    const char *word = xml_attribute(node, "verdict");
    verdict->verdict = mem_strdup(word != NULL ? word : "status-unknown");
    verdict->reason = mem_strdup(xml_attribute(node, "reason"));
    verdict->fingerprint = mem_strdup(xml_attribute(node, "fingerprint"));
    verdict->area = mem_strdup(xml_attribute(node, "area"));
    verdict->subject = mem_strdup(xml_attribute(node, "subject"));
    verdict->issuer = mem_strdup(xml_attribute(node, "issuer"));
    verdict->not_before = mem_strdup(xml_attribute(node, "not-before"));
    verdict->not_after = mem_strdup(xml_attribute(node, "not-after"));
    verdict->key = mem_strdup(xml_attribute(node, "key"));
    if (!xml_attribute_number(node, "bits", UINT32_MAX, &verdict->bits))
        verdict->bits = 0;
    read_octets(node, verdict);
    const struct xml_node *child;
    for (child = xml_child(node, "address"); child != NULL; child = xml_next(child, "address"))
        strlist_add(&verdict->addresses, child->text);
    for (child = xml_child(node, "path"); child != NULL; child = xml_next(child, "path")) {
        const char *subject = xml_attribute(child, "subject");
        strlist_add(&verdict->path, subject != NULL ? subject : "");
    }
    verdict->evidence = evidence_line(node);
    read_answers(node, verdict);
}

/* true: exactly one verdict for every check. */
static bool read_validate(const struct xml_node *body, struct ask_check *checks, size_t count)
{
    const struct xml_node *node = body != NULL ? xml_child(body, "verdict") : NULL;
    for (; node != NULL; node = xml_next(node, "verdict")) {
        uint64_t n;
        if (!xml_attribute_number(node, "n", count - 1, &n) || checks[n].verdict.verdict != NULL)
            return false;
        read_verdict(node, &checks[n].verdict);
    }
    for (size_t i = 0; i < count; i++)
        if (checks[i].verdict.verdict == NULL)
            return false;
    return true;
}

static bool validate_batch(struct message *message, struct ask_check *checks, size_t count,
                           const struct companions *along, struct outcome *outcome)
{
    struct buf body = {0};
    struct call_answer answer = {0};
    write_validate(&body, message->config, checks, count, along);
    call_ask(message->trust, "validate", &body, NULL, 0, &answer);
    bool ok = answer.status == ANSWER_OK && read_validate(answer.body, checks, count);
    if (!ok)
        outcome_temporary(outcome, "4.3.0", "%s: %s: %s", call_module_name(message->trust),
                          answer.status == ANSWER_OK ? "damaged"
                          : answer.reason != NULL    ? answer.reason
                                                     : answer_status_name(answer.status),
                          answer.text != NULL ? answer.text : "certificates could not be checked");
    call_answer_free(&answer);
    buf_free(&body);
    return ok;
}

bool ask_validate(struct message *message, struct ask_check *checks, size_t count, const struct buf *extra,
                  size_t extra_count, const struct buf *crls, size_t crl_count, struct outcome *outcome)
{
    struct companions along = {extra, crls, extra_count, crl_count};
    for (size_t first = 0; first < count;) {
        size_t n = 0, octets = 0;
        do
            octets += checks[first + n++].certificate->len;
        while (first + n < count && n < CHECKS_PER_CALL &&
               octets + checks[first + n].certificate->len <= OCTETS_PER_CALL);
        if (!validate_batch(message, checks + first, n, &along, outcome))
            return false;
        first += n;
    }
    return true;
}

void ask_verdict_free(struct ask_verdict *verdict)
{
    free(verdict->verdict);
    free(verdict->reason);
    free(verdict->fingerprint);
    free(verdict->area);
    free(verdict->subject);
    free(verdict->issuer);
    buf_free(&verdict->serial);
    buf_free(&verdict->issuer_der);
    buf_free(&verdict->ski);
    free(verdict->not_before);
    free(verdict->not_after);
    free(verdict->key);
    strlist_free(&verdict->addresses);
    free(verdict->evidence);
    strlist_free(&verdict->path);
    free(verdict->oldest_answer);
    memset(verdict, 0, sizeof(*verdict));
}
