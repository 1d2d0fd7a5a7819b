#include "core/form.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

static const char oaep[] = "rsa-oaep-", pss[] = "rsa-pss-", pkcs1[] = "rsa-pkcs1-", ecdsa[] = "ecdsa-",
                  ecdh[] = "ecdh-", mgf1[] = "-mgf1-";

static bool begins(const char *word, const char *prefix)
{
    return strncmp(word, prefix, strlen(prefix)) == 0;
}

bool form_keytrans_fits(const struct config_profile *profile, const char *keytrans)
{
    if (keytrans == NULL)
        return false;
    if (strcmp(profile->keytrans, "auto") == 0 &&
        (strcmp(keytrans, "rsa-pkcs1") == 0 || begins(keytrans, oaep)))
        return true;
    return strcmp(keytrans, profile->keytrans) == 0 ||
           (!config_profile_strict(profile) && begins(keytrans, ecdh));
}

/* "cbc" or "gcm" of AES, NULL for any other cipher. */
static const char *mode_of(const char *cipher)
{
    static const char *const lengths[] = {"aes-128-", "aes-192-", "aes-256-"};

    for (size_t i = 0; cipher != NULL && i < sizeof(lengths) / sizeof(lengths[0]); i++)
        if (begins(cipher, lengths[i]))
            return cipher + strlen(lengths[i]);
    return NULL;
}

bool form_cipher_fits(const struct config_profile *profile, const char *cipher)
{
    const char *found = mode_of(cipher), *wanted = mode_of(profile->cipher);

    if (found == NULL)
        return false;
    if (wanted == NULL) /* auto */
        return strcmp(found, "cbc") == 0 || strcmp(found, "gcm") == 0;
    return strcmp(found, wanted) == 0;
}

/* Octets of a digest that profiles can name: "sha" and its bits. */
static uint64_t digest_size(const char *digest)
{
    return strtoul(digest + strlen("sha"), NULL, 10) / 8;
}

static bool pss_fits(const char *digest, const struct form_signature *signature)
{
    return signature->mgf1 != NULL && strcmp(signature->mgf1, digest) == 0 &&
           signature->salt == digest_size(digest);
}

bool form_signature_fits(const struct config_profile *profile, const struct form_signature *signature)
{
    bool by_pss = strcmp(profile->rsa, "pss") == 0;
    const char *rsa = by_pss ? pss : pkcs1, *scheme = signature->scheme;

    if (scheme == NULL)
        return false;
    if (begins(scheme, rsa))
        return strcmp(scheme + strlen(rsa), profile->digest) == 0 &&
               (!by_pss || pss_fits(profile->digest, signature));
    return !config_profile_strict(profile) && begins(scheme, ecdsa) &&
           strcmp(scheme + strlen(ecdsa), profile->digest) == 0;
}

/* "sha256" is "SHA-256". */
static void add_hash(struct buf *out, const char *hash, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (i == 3 && strncmp(hash, "sha", 3) == 0)
            buf_add_char(out, '-');
        buf_add_char(out, (char)toupper((unsigned char)hash[i]));
    }
}

/* "sha256" or "sha256-mgf1-sha1"; the mask's hash is that of the scheme if not said. */
static char *oaep_text(const char *hashes)
{
    const char *between = strstr(hashes, mgf1);
    const char *mask = between != NULL ? between + strlen(mgf1) : hashes;
    struct buf out = {0};

    if (!begins(hashes, "sha"))
        return mem_printf("RSAES-OAEP (%s)", hashes);
    buf_add_text(&out, "RSAES-OAEP (");
    add_hash(&out, hashes, between != NULL ? (size_t)(between - hashes) : strlen(hashes));
    buf_add_text(&out, ", MGF1-");
    add_hash(&out, mask, strlen(mask));
    buf_add_char(&out, ')');
    return buf_take(&out);
}

char *form_keytrans_text(const char *keytrans)
{
    if (strcmp(keytrans, "auto") == 0) /* of a profile */
        return mem_strdup("RSAES-PKCS1-v1_5, RSAES-OAEP");
    if (strcmp(keytrans, "rsa-pkcs1") == 0)
        return mem_strdup("RSAES-PKCS1-v1_5");
    if (begins(keytrans, oaep))
        return oaep_text(keytrans + strlen(oaep));
    return mem_strdup(begins(keytrans, ecdh) ? "ECDH" : keytrans);
}

char *form_cipher_text(const char *cipher)
{
    char *text = mem_strdup(cipher);

    for (char *p = text; *p != '\0'; p++)
        *p = (char)toupper((unsigned char)*p);
    return text;
}

static char *hash_text(const char *name, const char *hash)
{
    struct buf out = {0};

    buf_printf(&out, "%s (", name);
    add_hash(&out, hash, strlen(hash));
    buf_add_char(&out, ')');
    return buf_take(&out);
}

static char *pss_text(const char *hash, const struct form_signature *signature)
{
    const char *mask = signature->mgf1 != NULL ? signature->mgf1 : "?";
    struct buf out = {0};

    buf_add_text(&out, "RSASSA-PSS (");
    add_hash(&out, hash, strlen(hash));
    buf_add_text(&out, ", MGF1-");
    add_hash(&out, mask, strlen(mask));
    buf_printf(&out, ", saltLength %llu)", (unsigned long long)signature->salt);
    return buf_take(&out);
}

char *form_signature_text(const struct form_signature *signature)
{
    const char *scheme = signature->scheme;

    if (scheme == NULL)
        return mem_strdup("?");
    if (begins(scheme, pss))
        return pss_text(scheme + strlen(pss), signature);
    if (begins(scheme, pkcs1))
        return hash_text("RSASSA-PKCS1-v1_5", scheme + strlen(pkcs1));
    if (begins(scheme, ecdsa))
        return hash_text("ECDSA", scheme + strlen(ecdsa));
    return mem_strdup(scheme);
}

static char *with_curves(char *text, const struct config_profile *profile, const char *curves)
{
    char *both;

    if (config_profile_strict(profile))
        return text;
    both = mem_printf("%s, %s", text, curves);
    free(text);
    return both;
}

static char *wanted_signature(const struct config_profile *profile)
{
    bool by_pss = strcmp(profile->rsa, "pss") == 0;
    char *scheme = mem_printf("%s%s", by_pss ? pss : pkcs1, profile->digest);
    char *curves = hash_text("ECDSA", profile->digest);
    struct form_signature signature = {scheme, profile->digest, digest_size(profile->digest)};
    char *text = with_curves(form_signature_text(&signature), profile, curves);

    free(curves);
    free(scheme);
    return text;
}

void form_wanted(const struct config_profile *profile, struct form_text *text_r)
{
    const char *mode = mode_of(profile->cipher);

    text_r->keytrans = with_curves(form_keytrans_text(profile->keytrans), profile, "ECDH");
    text_r->cipher = mem_strdup(mode == NULL               ? "AES-128/192/256-CBC, AES-128/192/256-GCM"
                                : strcmp(mode, "gcm") == 0 ? "AES-128/192/256-GCM"
                                                           : "AES-128/192/256-CBC");
    text_r->signature = wanted_signature(profile);
}

void form_text_free(struct form_text *text)
{
    free(text->keytrans);
    free(text->cipher);
    free(text->signature);
    *text = (struct form_text){0};
}
