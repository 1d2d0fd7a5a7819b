#include "incoming/finding.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "delivery/report.h"
#include "incoming/foreign.h"
#include "mail/address.h"
#include "util/mem.h"

#define PATH_SHOWN 10 /* names of a certification path; honest ones have four */

/* Takes the value; NULL is none. */
static void add(struct strlist *list, const char *name, char *value)
{
    if (value == NULL)
        return;
    strlist_add(list, name);
    strlist_add_take(list, value);
}

/* The same under the name KIND_PART; part "": KIND. */
static void add_part(struct strlist *list, const char *kind, const char *part, char *value)
{
    char *name = mem_printf("%s%s%s", kind, *part != '\0' ? "_" : "", part);

    for (char *p = name; *p != '\0'; p++)
        *p = (char)toupper((unsigned char)*p);
    add(list, name, value);
    free(name);
}

static const char *const *pairs_of(const struct strlist *list)
{
    return (const char *const *)list->items;
}

/* The template KIND-WORD, filled, without empty lines at its end. The word itself has the name KIND in it. */
static char *fill(const struct config *config, const char *kind, const char *word,
                  const struct strlist *values)
{
    struct strlist pairs = {0};
    char *name = mem_printf("%s-%s", kind, word), *text;

    for (size_t i = 0; values != NULL && i < values->count; i++)
        strlist_add(&pairs, values->items[i]);
    add_part(&pairs, kind, "", mem_strdup(word));
    text = report_template(config->templates, config->language, name, pairs_of(&pairs));
    for (size_t len = strlen(text); len > 0 && text[len - 1] == '\n';)
        text[--len] = '\0';
    free(name);
    strlist_free(&pairs);
    return text;
}

/* Keeps the first line of a text; the others, without the empty ones before them, are newly allocated. */
static char *split_meaning(char *text)
{
    size_t len = strcspn(text, "\n");
    char *meaning = mem_strdup(text + len + strspn(text + len, "\n"));

    text[len] = '\0';
    return meaning;
}

char *finding_words(const struct config *config, const char *kind, const char *word)
{
    char *text = fill(config, kind, word, NULL);

    free(split_meaning(text));
    if (*text != '\0')
        return text;
    free(text);
    return mem_strdup(word);
}

/* A mark under one of four names, so that a line of a template can stand for one level only. */
static void add_mark(struct finding *finding, const char *kind, enum status_level level)
{
    static const struct {
        const char *name, *mark;
    } levels[] = {
        {"NONE", "\342\200\223"}, /* en dash */
        {"GOOD", "\342\234\223"}, /* check mark */
        {"CAUTION", "!"},
        {"BAD", "\342\234\227"}, /* ballot x */
    };

    add_part(&finding->values, kind, levels[level].name, mem_strdup(levels[level].mark));
}

/* What one status says: its word, a mark, short words, and what it means for the reader, who may be told
   every value that is there already. */
static void add_statement(struct finding *finding, const struct config *config, const char *kind,
                          const char *word, enum status_level level)
{
    char *text = fill(config, kind, word, &finding->values);

    add_part(&finding->blocks, kind, "MEANING", split_meaning(text));
    add_part(&finding->values, kind, "WORDS", *text != '\0' ? mem_strdup(text) : mem_strdup(word));
    add_part(&finding->values, kind, "", mem_strdup(word));
    add_mark(finding, kind, level);
    free(text);
}

/* ISO time in UTC as people write it; as it is if it is none. */
static char *readable_time(const char *iso)
{
    char *text;

    if (iso == NULL || strlen(iso) != strlen("2026-11-21T12:00:00Z") || iso[10] != 'T')
        return mem_strdup(iso);
    text = mem_printf("%.10s %.8s UTC", iso, iso + 11);
    return text;
}

static char *now(void)
{
    time_t seconds = time(NULL);
    struct tm local;
    char text[64];

    if (localtime_r(&seconds, &local) == NULL ||
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %z", &local) == 0)
        return NULL;
    return mem_strdup(text);
}

/* "aes-256-gcm" as "AES-256 (GCM)". */
static char *cipher_name(const char *cipher)
{
    const char *mode = strrchr(cipher, '-');
    size_t len = mode == NULL ? strlen(cipher) : (size_t)(mode - cipher);
    char *name = strncmp(cipher, "des-ede3", len) == 0 ? mem_strdup("Triple DES") : mem_strndup(cipher, len);
    char *text = mode == NULL ? mem_strdup(name) : mem_printf("%s (%s)", name, mode + 1);

    for (char *p = strncmp(text, "Triple", 6) == 0 ? text + 7 : text; *p != '\0'; p++)
        *p = (char)toupper((unsigned char)*p);
    free(name);
    return text;
}

/* The ciphers of all layers, outermost last; those that differ only. */
static char *cipher_names(const struct unwrap_node *node)
{
    struct strlist names = {0};
    char *joined, *text;

    for (; node != NULL; node = node->outer) {
        char *name = node->layer.kind == LAYER_ENCRYPTED && node->layer.cipher != NULL
                         ? cipher_name(node->layer.cipher)
                         : NULL;

        if (name != NULL && !strlist_has(&names, name))
            strlist_add(&names, name);
        free(name);
    }
    joined = strlist_join(&names, ", ");
    text = foreign_text(joined, FOREIGN_NAME);
    free(joined);
    strlist_free(&names);
    return text;
}

/* One of the recipients' addresses that stands in the key's certificate; NULL. */
static const char *find_owner(const struct strlist *addresses, const struct strlist *recipients)
{
    for (size_t i = 0; i < recipients->count; i++)
        for (size_t k = 0; k < addresses->count; k++)
            if (address_equal(addresses->items[k], recipients->items[i]))
                return addresses->items[k];
    return NULL;
}

/* Whose key opened it. A person's address is told to that person alone: others among the recipients may have
   got the message as Bcc. */
static void add_key(struct finding *finding, const struct config *config, const struct layer *layer,
                    const struct strlist *recipients)
{
    const struct strlist *addresses = &layer->key_addresses;
    const char *owner = find_owner(addresses, recipients);
    const char *shown = owner == NULL && addresses->count > 0 ? addresses->items[0] : owner;

    if (owner != NULL && recipients->count > 1)
        shown = NULL;
    add(&finding->values, "KEY_ADDRESS", foreign_address(shown));
    add(&finding->values, "KEY_WORDS",
        fill(config, "key", owner == NULL ? "gateway" : "own", &finding->values));
}

static void add_encryption(struct finding *finding, const struct config *config,
                           const struct unwrap_strand *strand, const struct status *status)
{
    const struct unwrap_node *node = unwrap_encrypted(strand->inner);
    bool sealed = status->encryption == STATUS_DECRYPTED;

    if (node == NULL)
        return;
    add(&finding->values, sealed ? "CIPHER_SEALED" : "CIPHER_OPEN", cipher_names(strand->inner));
    add(&finding->values, "RECIPIENTS", mem_printf("%zu", node->layer.recipient_count));
    add_key(finding, config, &node->layer, &strand->recipients);
}

/* From the signer's certificate to the root. */
static char *path_names(const struct ask_verdict *verdict)
{
    const struct strlist *path = &verdict->path;
    struct strlist names = {0};
    char *text = NULL;

    for (size_t i = 0; i < path->count && i < PATH_SHOWN; i++) {
        char *name = foreign_name(path->items[i], i == 0 ? &verdict->addresses : NULL);

        strlist_add_take(&names, name == NULL ? mem_strdup("-") : name);
    }
    if (names.count > 0)
        text = strlist_join(&names, " \342\206\220 "); /* leftwards arrow */
    strlist_free(&names);
    return text;
}

/* What is known about revocation: asked at all, of every certificate of the path (the root cannot be
   revoked), of some, of none. */
static const char *revocation_word(const struct config *config, const struct ask_verdict *verdict)
{
    size_t wanted = verdict->path.count > 0 ? verdict->path.count - 1 : 0;

    if (wanted == 0 || strcmp(verdict->verdict, "distrusted") == 0)
        return NULL;
    if (config->revocation == CONFIG_REVOCATION_OFF)
        return "off";
    if (strcmp(verdict->verdict, "revoked") == 0)
        return "revoked";
    return verdict->answers == 0 ? "unknown" : verdict->answers < wanted ? "partial" : "checked";
}

static void add_certificate(struct finding *finding, const struct config *config,
                            const struct layer_signer *signer)
{
    const struct ask_verdict *verdict = &signer->verdict;
    struct strlist *values = &finding->values;
    bool decided = verdict->area != NULL && strcmp(verdict->area, "ca") != 0;
    const char *revocation = revocation_word(config, verdict);

    add(values, "NAME", foreign_name(verdict->subject, &verdict->addresses));
    add(values, "ISSUER", foreign_name(verdict->issuer, NULL));
    add(values, "FINGERPRINT", mem_strdup(signer->fingerprint));
    add(values, "VALID_FROM", readable_time(verdict->not_before));
    add(values, "VALID_UNTIL", readable_time(verdict->not_after));
    add(values, "SIGNED", readable_time(signer->signing_time));
    add(values, "PATH", path_names(verdict));
    add(values, "AREA", decided ? mem_strdup(verdict->area) : NULL);
    if (strcmp(verdict->verdict, "valid") != 0)
        add(values, "VERDICT", mem_strdup(verdict->verdict));
    add(values, "REASON", foreign_text(verdict->reason, FOREIGN_EVIDENCE));
    add(values, "EVIDENCE", foreign_text(verdict->evidence, FOREIGN_EVIDENCE));
    add(values, "ANSWER", readable_time(verdict->oldest_answer));
    if (revocation != NULL)
        add(values, "REVOCATION_WORDS", fill(config, "revocation", revocation, values));
}

void finding_collect(struct finding *finding, const struct config *config, const struct unwrap_strand *strand,
                     const struct status *status, const char *from)
{
    struct strlist *values = &finding->values;

    memset(finding, 0, sizeof(*finding));
    add(values, "MYHOSTNAME", mem_strdup(config->myhostname));
    add(values, "ADMIN", mem_strdup(config->admin));
    add(values, "CHECKED", now());
    add(values, "FROM", foreign_address(from));
    add(values, "SIGNER", foreign_address(status->address));
    add(values, "WEAK", foreign_text(status->weak, FOREIGN_NAME));
    add(values, "HEADER", foreign_text(status->header, FOREIGN_NAME));
    add(values, "OUTER_FROM", foreign_address(status->outer_from));
    add(values, "INNER_FROM", foreign_address(status->inner_from));
    if (status->signer != NULL)
        add_certificate(finding, config, status->signer);
    add_encryption(finding, config, strand, status);
    add_statement(finding, config, "signature", status_signature_word(status->signature),
                  status_signature_level(status));
    add_statement(finding, config, "encryption", status_encryption_word(status->encryption),
                  status_encryption_level(status));
}

void finding_free(struct finding *finding)
{
    strlist_free(&finding->values);
    strlist_free(&finding->blocks);
}
