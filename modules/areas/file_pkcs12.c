/* PKCS#12 (RFC 7292): key, certificate and chain under the central pass phrase, an empty one, or none. Files
   of older programs are encrypted with RC2-40 and 3DES, which OpenSSL 3 keeps in its legacy provider; that
   one is loaded into a library context of its own, so that nothing else in the process can use those
   algorithms. */
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <string.h>

#include "modules/areas/file_private.h"
#include "util/mem.h"

enum legacy_state { LEGACY_UNTRIED, LEGACY_READY, LEGACY_MISSING };

/* Lives as long as the process: loading it takes longer than reading the file. */
static struct {
    enum legacy_state state;
    OSSL_LIB_CTX *context;
} legacy;

static OSSL_LIB_CTX *legacy_context(void)
{
    if (legacy.state == LEGACY_UNTRIED) {
        legacy.context = OSSL_LIB_CTX_new();
        legacy.state = legacy.context != NULL && OSSL_PROVIDER_load(legacy.context, "default") != NULL &&
                               OSSL_PROVIDER_load(legacy.context, "legacy") != NULL
                           ? LEGACY_READY
                           : LEGACY_MISSING;
        ERR_clear_error();
    }
    return legacy.state == LEGACY_READY ? legacy.context : NULL;
}

static PKCS12 *decode(const struct file_work *work, OSSL_LIB_CTX *context)
{
    PKCS12 *p12 = PKCS12_init_ex(NID_pkcs7_data, context, NULL);
    const unsigned char *p = work->data;

    /* On failure d2i frees what it was given. */
    if (p12 != NULL && d2i_PKCS12(&p12, &p, (long)work->len) == NULL)
        p12 = NULL;
    if (p12 != NULL && p != work->data + work->len) {
        PKCS12_free(p12);
        p12 = NULL;
    }
    return p12;
}

/* The pass phrase that fits, "" among them; false if none does. `*phrase_r` may become NULL: no pass phrase
 * at all. */
static bool find_phrase(const struct file_work *work, PKCS12 *p12, const char **phrase_r)
{
    const char *candidates[] = {areas_file_pass_phrase(work), "", NULL};

    for (size_t i = 0; i < 3; i++) {
        if (i == 0 && candidates[i] == NULL)
            continue;
        *phrase_r = candidates[i];
        if (!PKCS12_mac_present(p12) ||
            PKCS12_verify_mac(p12, candidates[i], candidates[i] != NULL ? -1 : 0) == 1)
            return true;
    }
    return false;
}

/* The same key in the default library context. */
static EVP_PKEY *move_to_default(EVP_PKEY *key)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    EVP_PKEY *moved = info != NULL ? EVP_PKCS82PKEY(info) : NULL;

    PKCS8_PRIV_KEY_INFO_free(info);
    EVP_PKEY_free(key);
    return moved;
}

static X509 *certificate_to_default(const X509 *certificate)
{
    unsigned char *der = NULL;
    int len = i2d_X509(certificate, &der);
    const unsigned char *p = der;
    X509 *moved = len > 0 ? d2i_X509(NULL, &p, len) : NULL;

    OPENSSL_free(der);
    return moved;
}

static void take(struct file_work *work, EVP_PKEY *key, X509 *certificate, STACK_OF(X509) * chain)
{
    X509 *moved;

    if (key != NULL && (key = move_to_default(key)) != NULL) {
        if (areas_file_keys_allowed(work))
            areas_file_add_key(work, key);
        else
            EVP_PKEY_free(key);
    }
    if (certificate != NULL && (moved = certificate_to_default(certificate)) != NULL)
        areas_file_add_certificate(work, moved);
    for (int i = 0; i < sk_X509_num(chain); i++)
        if ((moved = certificate_to_default(sk_X509_value(chain, i))) != NULL)
            areas_file_add_certificate(work, moved);
}

static bool unpack(struct file_work *work, PKCS12 *p12, const char *phrase)
{
    EVP_PKEY *key = NULL;
    X509 *certificate = NULL;
    STACK_OF(X509) *chain = NULL;
    bool ok = PKCS12_parse(p12, phrase, &key, &certificate, &chain) == 1;

    if (ok) {
        take(work, key, certificate, chain);
        X509_free(certificate);
    }
    sk_X509_pop_free(chain, X509_free);
    ERR_clear_error();
    return ok;
}

/* The MAC is right, so the pass phrase is; what fails now is an algorithm. */
static void unpack_legacy(struct file_work *work, const char *phrase)
{
    OSSL_LIB_CTX *context = legacy_context();
    PKCS12 *p12;

    if (context == NULL) {
        areas_file_fault(
            work->content,
            "PKCS#12 in an old encryption (RC2 or 3DES), and OpenSSL's legacy provider is missing: "
            "install it, or write the file anew with openssl pkcs12");
        return;
    }
    p12 = decode(work, context);
    if (p12 == NULL || !unpack(work, p12, phrase))
        areas_file_fault(work->content, "PKCS#12 cannot be unpacked: unknown encryption or damaged");
    PKCS12_free(p12);
}

bool areas_file_read_pkcs12(struct file_work *work)
{
    PKCS12 *p12 = decode(work, NULL);
    const char *phrase = NULL;

    if (p12 == NULL)
        return false;
    if ((work->reader->want & FILE_WANT_KEYS) == 0) {
        areas_file_fault(work->content, "PKCS#12, which belongs into the private area only");
    } else if (!find_phrase(work, p12, &phrase)) {
        areas_file_fault(work->content, "PKCS#12 cannot be opened with %s",
                         areas_file_pass_phrase(work) != NULL
                             ? "the central pass phrase or an empty one"
                             : "an empty pass phrase, and no other is configured");
        work->content->pass_phrase = true;
    } else if (!unpack(work, p12, phrase)) {
        unpack_legacy(work, phrase);
    }
    PKCS12_free(p12);
    ERR_clear_error();
    return true;
}
