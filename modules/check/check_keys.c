#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modules/check/checks.h"
#include "util/mem.h"
#include "util/sha256.h"

#define QUERIES   200  /* in one batch */
#define PAGES_MAX 1000 /* of one area: a list that does not end is a finding */

static const struct {
    const char *name, *body;
} invalid[] = {
    {"find without a query is refused", "<find/>"},
    {"a query without n is refused", "<find><query use=\"sign\" address=\"a@b.example\"/></find>"},
    {"a query with an unknown use is refused",
     "<find><query n=\"0\" use=\"steal\" address=\"a@b.example\"/></find>"},
    {"a query for nothing is refused", "<find><query n=\"0\" use=\"decrypt\"/></find>"},
    {"a query with an unknown attribute is refused",
     "<find><query n=\"0\" use=\"sign\" address=\"a@b.example\" quickly=\"yes\"/></find>"},
    {"a query with an unknown element is refused",
     "<find><query n=\"0\" use=\"decrypt\"><identifier ski=\"00\"/><wish/></query></find>"},
    {"an identifier that is both is refused", "<find><query n=\"0\" use=\"decrypt\"><identifier ski=\"00\" "
                                              "issuer=\"MAA=\" serial=\"00\"/></query></find>"},
    {"a key identifier that is no hexadecimal is refused",
     "<find><query n=\"0\" use=\"decrypt\"><identifier ski=\"0g\"/></query></find>"},
};

/* Addresses come from mail: every one of these is a stranger, whatever file, table or filter it looks like.
 */
static const char *const strangers[] = {
    "nobody-has-this-address@invalid.example",
    "../../../../etc/passwd",
    "..",
    "/etc/passwd@x",
    "*",
    "*@*",
    "%",
    "*)(objectClass=*",
    "' OR '1'='1",
    "a@b.example'; DROP TABLE certificates; --",
    "\xC3\xBC\xE2\x82\xAC@\xC3\xA4.example",
    "\xF0\x9F\x94\x91@invalid.example",
    "a\nb@invalid.example",
    "@",
    "",
};

/* Every query has exactly one result. Returns how many results are ok, or -1 with the reason. */
static int count_results(const struct reply *reply, size_t queries, char *error_r, size_t size)
{
    bool *seen = mem_array(queries, sizeof *seen);
    size_t results = 0;
    int found = 0;

    snprintf(error_r, size, "%s", peer_reply_text(reply));
    if (!peer_reply_is(reply, ANSWER_OK) || reply->body == NULL || !xml_is(reply->body, "find")) {
        free(seen);
        return -1;
    }
    for (const struct xml_node *r = reply->body->children; r != NULL; r = r->next) {
        uint64_t n;

        if (!xml_attribute_number(r, "n", queries - 1, &n) || seen[n]) {
            snprintf(error_r, size, "a result for a query that was not asked, or twice");
            free(seen);
            return -1;
        }
        seen[n] = true;
        results++;
        found += strcmp(xml_attribute(r, "status"), "ok") == 0;
    }
    free(seen);
    snprintf(error_r, size, "%zu results for %zu queries", results, queries);
    return results == queries ? found : -1;
}

static char *batch(const char *const *addresses, size_t count)
{
    struct buf body = {0};
    struct xml_writer w;

    xml_begin(&w, &body);
    xml_open(&w, "find");
    for (size_t i = 0; i < count; i++) {
        xml_open(&w, "query");
        xml_put_number(&w, "n", i);
        xml_put(&w, "use", i % 2 == 0 ? "encrypt" : "sign");
        xml_put(&w, "address", addresses[i]);
        xml_close(&w);
    }
    xml_close(&w);
    return buf_take(&body);
}

static void check_strangers(struct target *target, const char *name, const char *const *addresses,
                            size_t count)
{
    struct channel *channel = peer_open(target);
    char *body = batch(addresses, count), error[600];
    struct reply reply;
    int found;

    peer_ask_body(target, channel, body, NULL, 0, &reply);
    found = count_results(&reply, count, error, sizeof error);
    if (found == 0)
        report_good(&target->report, name);
    else
        report_bad(&target->report, name, "%s", found > 0 ? "somebody was found" : error);
    peer_reply_free(&reply);
    peer_close(channel);
    free(body);
}

static void check_many(struct target *target)
{
    const char **addresses = mem_array(QUERIES, sizeof *addresses);
    char *one_long = mem_alloc(20000);

    for (size_t i = 0; i < QUERIES; i++)
        addresses[i] = strangers[0];
    check_strangers(target, "200 queries at once get 200 results", addresses, QUERIES);
    memset(one_long, 'x', 19999);
    addresses[0] = one_long;
    check_strangers(target, "an address of 19,999 octets is a stranger's", addresses, 1);
    free(addresses);
    free(one_long);
}

/* What an entry says of itself is true: its fingerprint, and whose key it is. */
static const char *entry_fault(const struct target *target, const struct xml_node *entry)
{
    const struct xml_node *certificate = xml_child(entry, "certificate");
    const char *key = xml_attribute(entry, "key");
    size_t prefix = strlen(target->name);
    struct buf der = {0};
    char hex[SHA256_HEX_LEN + 1];
    const char *fault = NULL;

    if (!xml_base64(certificate, &der) || der.len == 0 || der.data[0] != 0x30)
        fault = "a certificate is no DER in base64";
    sha256_hex(buf_text(&der), der.len, hex);
    if (fault == NULL && strcmp(hex, xml_attribute(entry, "fingerprint")) != 0)
        fault = "a fingerprint is not the SHA-256 of its certificate";
    if (key != NULL && (strncmp(key, target->name, prefix) != 0 || key[prefix] != ':'))
        fault = "a key reference does not begin with the module's name and a colon";
    buf_free(&der);
    return fault;
}

struct listing {
    char after[SHA256_HEX_LEN + 1]; /* the last fingerprint so far */
    unsigned int entries;
    char fault[400];
    bool more, none;
};

static void read_page(const struct target *target, const struct reply *reply, struct listing *listing)
{
    const char *fault = NULL;

    listing->none = peer_reply_is(reply, ANSWER_NONE);
    listing->more = false;
    if (listing->none)
        return;
    if (!peer_reply_is(reply, ANSWER_OK) || reply->body == NULL || !xml_is(reply->body, "list")) {
        snprintf(listing->fault, sizeof listing->fault, "%.399s", peer_reply_text(reply));
        return;
    }
    for (const struct xml_node *e = reply->body->children; e != NULL && fault == NULL; e = e->next) {
        const char *fingerprint = xml_attribute(e, "fingerprint");

        fault = strcmp(fingerprint, listing->after) <= 0 ? "fingerprints do not ascend: pages would never end"
                                                         : entry_fault(target, e);
        snprintf(listing->after, sizeof listing->after, "%s", fingerprint);
        listing->entries++;
    }
    listing->more = strcmp(xml_attribute(reply->body, "more"), "yes") == 0;
    if (fault != NULL)
        snprintf(listing->fault, sizeof listing->fault, "%s", fault);
    else if (listing->more && reply->body->children == NULL)
        snprintf(listing->fault, sizeof listing->fault, "an empty page that says there is more");
}

static void check_list(struct target *target, const char *area)
{
    struct channel *channel = peer_open(target);
    struct listing listing = {.more = true};
    char *name = mem_printf("the list of area %s is whole, and its entries are true", area);

    for (int page = 0; page < PAGES_MAX && listing.more && listing.fault[0] == '\0'; page++) {
        char *body = listing.after[0] == '\0'
                         ? mem_printf("<list area=\"%s\"/>", area)
                         : mem_printf("<list area=\"%s\" after=\"%s\"/>", area, listing.after);
        struct reply reply;

        peer_ask_body(target, channel, body, NULL, 0, &reply);
        read_page(target, &reply, &listing);
        peer_reply_free(&reply);
        free(body);
    }
    if (listing.fault[0] != '\0')
        report_bad(&target->report, name, "%s", listing.fault);
    else if (listing.more)
        report_bad(&target->report, name, "it does not end");
    else
        report_good(&target->report, name);
    free(name);
    peer_close(channel);
}

void check_keys(struct target *target)
{
    static const char *const areas[] = {"public", "trusted", "untrusted", "private", "ca"};
    static const char listing[] = "list";

    if (!peer_has(target, "find")) {
        report_bad(&target->report, "it has the operation find", "hello does not list it");
        return;
    }
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++)
        peer_expect(target, invalid[i].name, invalid[i].body, ANSWER_PERMANENT);
    check_strangers(target, "strange addresses find nobody", strangers,
                    sizeof strangers / sizeof strangers[0]);
    check_many(target);
    for (size_t i = 0; i < sizeof areas / sizeof areas[0]; i++) {
        if (peer_has(target, listing))
            check_list(target, areas[i]);
        else
            report_skip(&target->report, "lists are whole, and their entries are true", "no operation list");
    }
    if (peer_has(target, listing))
        peer_expect(target, "a list of an unknown area is refused", "<list area=\"attic\"/>",
                    ANSWER_PERMANENT);
    peer_expect(target, "after that, a new caller is served", "<hello version=\"1\"/>", ANSWER_OK);
}
