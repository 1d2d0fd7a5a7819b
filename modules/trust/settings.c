#include "modules/trust/settings.h"

#include <errno.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <stddef.h>
#include <unistd.h>

int settings_curve_nid(const char *name)
{
    int nid = EC_curve_nist2nid(name);

    return nid != NID_undef ? nid : OBJ_sn2nid(name);
}

int settings_digest_nid(const char *name)
{
    const EVP_MD *md = EVP_get_digestbyname(name);

    return md == NULL ? NID_undef : EVP_MD_get_type(md);
}

static const char *check_words(const char *value, int (*nid)(const char *), const char *wrong)
{
    struct strlist words = {0};
    const char *fault = NULL;

    strlist_split(&words, value);
    for (size_t i = 0; i < words.count; i++)
        if (nid(words.items[i]) == NID_undef)
            fault = wrong;
    strlist_free(&words);
    return fault;
}

static const char *check_curves(const char *value)
{
    return check_words(value, settings_curve_nid, "unknown curve; `openssl ecparam -list_curves` names them");
}

static const char *check_digests(const char *value)
{
    return check_words(value, settings_digest_nid,
                       "unknown digest; `openssl list -digest-algorithms` names them");
}

static int policy_nid(const char *oid)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    int known = object == NULL ? NID_undef : 1;

    ASN1_OBJECT_free(object);
    return known;
}

static const char *check_policies(const char *value)
{
    return check_words(value, policy_nid,
                       "not an object identifier; write 1.2.3.4, separated by blanks, or nothing for any");
}

#define AT(member) offsetof(struct settings, member)
static const struct conf_entry table[] = {
    {.name = "CA", .type = CONF_PATH, .default_value = "etc/ca", .offset = AT(ca)},
    {.name = "TRUSTED", .type = CONF_PATH, .default_value = "etc/trusted", .offset = AT(trusted)},
    {.name = "UNTRUSTED", .type = CONF_PATH, .default_value = "etc/untrusted", .offset = AT(untrusted)},
    {.name = "INDEX", .type = CONF_PATH, .default_value = "var/index/trust.sqlite", .offset = AT(index)},
    {.name = "RESCAN", .type = CONF_DURATION, .default_value = "60s", .offset = AT(rescan), .max = 86400},
    {.name = "MAX_DEPTH", .type = CONF_NUMBER, .default_value = "8", .offset = AT(max_depth), .max = 20},
    {.name = "MIN_RSA_BITS",
     .type = CONF_NUMBER,
     .default_value = "2048",
     .offset = AT(min_rsa_bits),
     .min = 1024,
     .max = 16384},
    {.name = "CURVES",
     .type = CONF_WORDS,
     .default_value =
         "P-256 P-384 P-521 brainpoolP256r1 brainpoolP384r1 brainpoolP512r1 ED25519 ED448 X25519 X448",
     .offset = AT(curves),
     .check = check_curves},
    {.name = "DIGESTS",
     .type = CONF_WORDS,
     .default_value = "SHA256 SHA384 SHA512 SHA3-256 SHA3-384 SHA3-512",
     .offset = AT(digests),
     .check = check_digests},
    {.name = "CRL_MAX_AGE", .type = CONF_DURATION, .default_value = "7d", .offset = AT(crl_max_age)},
    {.name = "POLICIES",
     .type = CONF_WORDS,
     .default_value = "",
     .offset = AT(policies),
     .check = check_policies},
    {.name = "EXPLICIT_POLICY", .type = CONF_YESNO, .default_value = "no", .offset = AT(explicit_policy)},
    {.name = "INHIBIT_MAPPING", .type = CONF_YESNO, .default_value = "no", .offset = AT(inhibit_mapping)},
    {.name = "INHIBIT_ANY_POLICY",
     .type = CONF_YESNO,
     .default_value = "no",
     .offset = AT(inhibit_any_policy)},
    {.name = "CRITICAL_POLICY_CONSTRAINTS",
     .type = CONF_YESNO,
     .default_value = "yes",
     .offset = AT(critical_policy_constraints)},
    {.name = "CRITICAL_NAME_CONSTRAINTS",
     .type = CONF_YESNO,
     .default_value = "yes",
     .offset = AT(critical_name_constraints)},
    {.name = "PARTIAL_CHAIN", .type = CONF_YESNO, .default_value = "no", .offset = AT(partial_chain)},
    {.name = "STRICT", .type = CONF_YESNO, .default_value = "no", .offset = AT(strict)},
    {.name = "LOG", .type = CONF_TEXT, .default_value = "stderr", .offset = AT(log)},
};
#define ENTRIES (sizeof(table) / sizeof(table[0]))

bool settings_load(const char *path, const char *base, struct settings *settings, struct conf_faults *faults)
{
    const char *file = access(path, F_OK) != 0 && errno == ENOENT ? "/dev/null" : path;

    return conf_load(file, table, ENTRIES, settings, base, faults, NULL);
}

void settings_free(struct settings *settings)
{
    conf_free(table, ENTRIES, settings);
}
