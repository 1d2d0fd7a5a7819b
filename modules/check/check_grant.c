#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modules/check/checks.h"
#include "util/mem.h"

#define DIGEST    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define STRANGER  "<find><query n=\"0\" use=\"encrypt\" address=\"nobody@invalid.example\"/></find>"
#define NOT_A_KEY "no-such-module:no-such-key"

/* One key that may be used for trying, and a scheme that fits it. */
struct key {
    char *reference;
    const char *scheme; /* NULL: none of ours fits */
    size_t signature_len;
};

/* ---- words ---- */

static char *grant_body(const char *key, const char *operation, unsigned int count)
{
    struct buf body = {0};
    struct xml_writer w;

    xml_begin(&w, &body);
    xml_open(&w, "grant");
    xml_open(&w, "allow");
    xml_put(&w, "key", key);
    xml_put(&w, "operation", operation);
    xml_put_number(&w, "count", count);
    xml_close(&w);
    xml_close(&w);
    return buf_take(&body);
}

static char *sign_body(const char *key, const char *scheme)
{
    struct buf body = {0};
    struct xml_writer w;

    xml_begin(&w, &body);
    xml_open(&w, "sign");
    xml_put(&w, "key", key);
    xml_put(&w, "scheme", scheme);
    if (strcmp(scheme, "ed25519") == 0) {
        xml_add_base64(&w, "message", DIGEST, strlen(DIGEST));
    } else {
        xml_put(&w, "digest", DIGEST);
    }
    xml_close(&w);
    return buf_take(&body);
}

/* An RSA-encrypted content key of `len` octets that is certainly not padded as PKCS#1 wants it. */
static char *open_body(const char *key, size_t len)
{
    struct buf body = {0};
    struct xml_writer w;
    char *octets = mem_alloc(len + 1);

    memset(octets, 0x55, len);
    if (len > 0)
        octets[0] = 0;
    xml_begin(&w, &body);
    xml_open(&w, "open");
    xml_put(&w, "key", key);
    xml_put(&w, "length", "32");
    xml_put(&w, "scheme", "rsa-pkcs1");
    xml_add_base64(&w, "encrypted", octets, len);
    xml_close(&w);
    free(octets);
    return buf_take(&body);
}

/* ---- one connection with a grant on it ---- */

/* Asks and frees `body`. */
static void ask(const struct target *target, struct channel *channel, char *body, struct reply *reply)
{
    peer_ask_body(target, channel, body, NULL, 0, reply);
    free(body);
}

static struct channel *granted(const struct target *target, const struct key *key, const char *operation,
                               unsigned int count)
{
    struct channel *channel = peer_open(target);
    struct reply reply;

    ask(target, channel, grant_body(key->reference, operation, count), &reply);
    peer_reply_free(&reply);
    return channel;
}

/* On a fresh connection with that grant, `body` must be refused. Frees `body`. */
static void refuse_after_grant(struct target *target, const struct key *key, const char *operation,
                               const char *name, char *body)
{
    struct channel *channel = granted(target, key, operation, 2);
    struct reply reply;

    ask(target, channel, body, &reply);
    peer_expect_refused(target, name, &reply);
    peer_reply_free(&reply);
    peer_close(channel);
}

/* On a fresh connection, `first` and then `second`, which must be refused. Frees both. */
static void refuse_second(struct target *target, const char *name, char *first, char *second)
{
    struct channel *channel = peer_open(target);
    struct reply reply;

    ask(target, channel, first, &reply);
    peer_reply_free(&reply);
    ask(target, channel, second, &reply);
    peer_expect_refused(target, name, &reply);
    peer_reply_free(&reply);
    peer_close(channel);
}

/* ---- the key ---- */

static char *first_key(const struct reply *reply, const char *list)
{
    if (reply->kind != REPLY_ANSWER || reply->body == NULL || !xml_is(reply->body, list))
        return NULL;
    for (const struct xml_node *n = reply->body->children; n != NULL; n = n->next) {
        if (xml_is(n, "entry") && xml_attribute(n, "key") != NULL)
            return mem_strdup(xml_attribute(n, "key"));
        for (const struct xml_node *e = n->children; e != NULL; e = e->next)
            if (xml_is(e, "entry") && xml_attribute(e, "key") != NULL)
                return mem_strdup(xml_attribute(e, "key"));
    }
    return NULL;
}

static char *find_body(const char *address)
{
    struct buf body = {0};
    struct xml_writer w;

    xml_begin(&w, &body);
    xml_open(&w, "find");
    xml_open(&w, "query");
    xml_put(&w, "n", "0");
    xml_put(&w, "use", "sign");
    xml_put(&w, "address", address);
    xml_close(&w);
    xml_close(&w);
    return buf_take(&body);
}

/* The key of the address given on the command line, else the first one that the list of private ones shows.
 */
static char *choose_key(const struct target *target)
{
    struct channel *channel = peer_open(target);
    struct reply reply = {.kind = REPLY_CLOSED};
    char *key;

    if (target->address != NULL)
        ask(target, channel, find_body(target->address), &reply);
    else if (peer_has(target, "list"))
        ask(target, channel, mem_strdup("<list area=\"private\"/>"), &reply);
    key = first_key(&reply, target->address != NULL ? "find" : "list");
    peer_reply_free(&reply);
    peer_close(channel);
    return key;
}

/* Signs once with the first scheme that the key takes. */
static void choose_scheme(struct target *target, struct key *key)
{
    static const char *const schemes[] = {"rsa-pkcs1-sha256", "ecdsa-sha256", "rsa-pss-sha256", "ed25519"};
    static const char name[] = "with a grant, a digest or message is signed";
    char last[500] = "";

    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0] && key->scheme == NULL; i++) {
        struct channel *channel = granted(target, key, "sign", 1);
        struct buf signature = {0};
        struct reply reply;

        ask(target, channel, sign_body(key->reference, schemes[i]), &reply);
        if (peer_reply_is(&reply, ANSWER_OK) && reply.body != NULL && reply.body->children != NULL &&
            xml_base64(reply.body->children, &signature)) {
            key->scheme = schemes[i];
            key->signature_len = signature.len;
        }
        snprintf(last, sizeof last, "%s", peer_reply_text(&reply));
        buf_free(&signature);
        peer_reply_free(&reply);
        peer_close(channel);
    }
    if (key->scheme != NULL)
        report_good(&target->report, name);
    else
        report_bad(&target->report, name, "%s (does it take grants from this user?)", last);
}

/* ---- the checks ---- */

static void check_count(struct target *target, const struct key *key)
{
    static const char name[] = "a grant for two signatures is one for two, not for three";
    struct channel *channel = granted(target, key, "sign", 2);
    struct reply reply[3];

    for (int i = 0; i < 3; i++)
        ask(target, channel, sign_body(key->reference, key->scheme), &reply[i]);
    if (peer_reply_is(&reply[0], ANSWER_OK) && peer_reply_is(&reply[1], ANSWER_OK))
        peer_expect_refused(target, name, &reply[2]);
    else
        report_bad(&target->report, name, "the second one: %s", peer_reply_text(&reply[1]));
    for (int i = 0; i < 3; i++)
        peer_reply_free(&reply[i]);
    peer_close(channel);
}

/* RFC 3218: wrong padding must look like right padding. */
static void check_implicit_rejection(struct target *target, const struct key *key)
{
    static const char name[] = "wrong PKCS#1 padding is answered with a key of the expected length";
    struct channel *channel;
    struct buf content_key = {0};
    struct reply reply;

    if (strncmp(key->scheme, "rsa-", 4) != 0) {
        report_skip(&target->report, name, "no RSA key");
        return;
    }
    channel = granted(target, key, "open", 1);
    ask(target, channel, open_body(key->reference, key->signature_len), &reply);
    if (peer_reply_is(&reply, ANSWER_OK) && reply.body != NULL && reply.body->children != NULL &&
        xml_base64(reply.body->children, &content_key) && content_key.len == 32)
        report_good(&target->report, name);
    else
        report_bad(&target->report, name, "%s", peer_reply_text(&reply));
    buf_free(&content_key);
    peer_reply_free(&reply);
    peer_close(channel);
}

static void check_with_key(struct target *target, struct key *key)
{
    choose_scheme(target, key);
    if (key->scheme == NULL)
        return;
    check_count(target, key);
    refuse_after_grant(target, key, "sign", "a grant to sign is none to open",
                       open_body(key->reference, 256));
    refuse_after_grant(target, key, "open", "a grant to open is none to sign",
                       sign_body(key->reference, key->scheme));
    refuse_after_grant(target, key, "sign", "a second grant on a connection is refused",
                       grant_body(key->reference, "open", 1));
    refuse_after_grant(target, key, "sign", "a grant for one key is none for another",
                       sign_body(NOT_A_KEY, key->scheme));
    refuse_after_grant(target, key, "sign", "after a grant, find is refused", mem_strdup(STRANGER));
    refuse_after_grant(target, key, "sign", "raw RSA is refused", sign_body(key->reference, "rsa-raw"));
    refuse_second(target, "a grant after another request is refused", mem_strdup(STRANGER),
                  grant_body(key->reference, "sign", 1));
    refuse_second(target, "a grant after a refused request is refused", mem_strdup("<dance/>"),
                  grant_body(key->reference, "sign", 1));
    refuse_second(target, "signing without a grant is refused", mem_strdup(STRANGER),
                  sign_body(key->reference, key->scheme));
    check_implicit_rejection(target, key);
}

/* Without a grant nothing private happens, whether there is a key or not. */
static void check_without_key(struct target *target)
{
    peer_expect(target, "signing as the first request is refused",
                "<sign key=\"" NOT_A_KEY "\" scheme=\"rsa-pkcs1-sha256\" digest=\"" DIGEST "\"/>",
                ANSWER_PERMANENT);
    peer_expect(target, "opening as the first request is refused",
                "<open key=\"" NOT_A_KEY
                "\" length=\"32\" scheme=\"rsa-pkcs1\"><encrypted>AAAA</encrypted></open>",
                ANSWER_PERMANENT);
    peer_expect(target, "an empty grant is refused", "<grant/>", ANSWER_PERMANENT);
    peer_expect(target, "a grant to export is refused",
                "<grant><allow key=\"" NOT_A_KEY "\" operation=\"export\" count=\"1\"/></grant>",
                ANSWER_PERMANENT);
    refuse_second(target, "a grant for a key that does not exist signs nothing",
                  grant_body(NOT_A_KEY, "sign", 1), sign_body(NOT_A_KEY, "rsa-pkcs1-sha256"));
}

void check_grant(struct target *target)
{
    struct key key = {0};

    check_without_key(target);
    if (!peer_has(target, "grant")) {
        report_skip(&target->report, "grants", "no operation grant: a module without private keys");
        return;
    }
    key.reference = choose_key(target);
    if (key.reference == NULL)
        report_skip(&target->report, "grants", "no private key found; name an address that has one by -a");
    else
        check_with_key(target, &key);
    free(key.reference);
    peer_expect(target, "after that, a new caller is served", "<hello version=\"1\"/>", ANSWER_OK);
}
