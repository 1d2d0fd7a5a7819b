#include "modules/smime/content_cipher.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/rand.h>

#include "modules/smime/asn1_types.h"
#include "modules/smime/ccm.h"
#include "modules/smime/der.h"
#include "modules/smime/oid.h"

#define TAG_LEN         16
#define TAG_LEN_MIN     12 /* RFC 5084 3.2; that of CCM may be shorter there, but what for? */
#define TAG_LEN_DEFAULT 12

static bool take_iv(struct content_cipher *cipher, const ASN1_OCTET_STRING *iv)
{
    int len = ASN1_STRING_length(iv);

    if (len < 1 || len > CONTENT_IV_MAX)
        return false;
    cipher->iv_len = (size_t)len;
    memcpy(cipher->iv, ASN1_STRING_get0_data(iv), cipher->iv_len);
    return true;
}

/* GCMParameters and CCMParameters have the same form (RFC 5084 3). */
static bool read_gcm_or_ccm(struct content_cipher *cipher, const X509_ALGOR *algorithm)
{
    AeadParameters *parameters = der_decode_parameters(algorithm, ASN1_ITEM_rptr(AeadParameters));
    int64_t tag_len = TAG_LEN_DEFAULT;
    bool ok = parameters != NULL && take_iv(cipher, parameters->nonce) &&
              (parameters->tag_len == NULL || ASN1_INTEGER_get_int64(&tag_len, parameters->tag_len)) &&
              tag_len >= TAG_LEN_MIN && tag_len <= TAG_LEN;

    if (ok && cipher->algorithm->mode == CIPHER_CCM)
        ok = cipher->iv_len >= CCM_NONCE_MIN && cipher->iv_len <= CCM_NONCE_MAX && tag_len % 2 == 0;
    cipher->tag_len = ok ? (size_t)tag_len : 0;
    ASN1_item_free((ASN1_VALUE *)parameters, ASN1_ITEM_rptr(AeadParameters));
    return ok;
}

/* RFC 2268 6: the version stands for the effective key bits. */
static bool read_rc2(struct content_cipher *cipher, const X509_ALGOR *algorithm)
{
    Rc2Parameters *parameters = der_decode_parameters(algorithm, ASN1_ITEM_rptr(Rc2Parameters));
    int64_t version = 0;
    bool ok = parameters != NULL && take_iv(cipher, parameters->iv) &&
              cipher->iv_len == cipher->algorithm->iv_len &&
              ASN1_INTEGER_get_int64(&version, parameters->version) > 0;

    cipher->rc2_bits = version == 160 ? 40 : version == 120 ? 64 : version == 58 ? 128 : 0;
    cipher->key_len = cipher->rc2_bits / 8;
    ASN1_item_free((ASN1_VALUE *)parameters, ASN1_ITEM_rptr(Rc2Parameters));
    return ok && cipher->rc2_bits > 0;
}

/* An OCTET STRING of the right length; so has ChaCha20-Poly1305 its nonce (RFC 8103 3). */
static bool read_iv(struct content_cipher *cipher, const X509_ALGOR *algorithm)
{
    const void *value = NULL;
    int type = V_ASN1_UNDEF;

    X509_ALGOR_get0(NULL, &type, &value, algorithm);
    return type == V_ASN1_OCTET_STRING && take_iv(cipher, value) &&
           cipher->iv_len == cipher->algorithm->iv_len;
}

static bool read_parameters(struct content_cipher *cipher, const X509_ALGOR *algorithm)
{
    switch (cipher->algorithm->mode) {
    case CIPHER_GCM:
    case CIPHER_CCM:
        return read_gcm_or_ccm(cipher, algorithm);
    case CIPHER_CHACHA20_POLY1305:
        cipher->tag_len = TAG_LEN;
        return read_iv(cipher, algorithm);
    case CIPHER_CBC:
        break;
    }
    return cipher->algorithm->nid == NID_rc2_cbc ? read_rc2(cipher, algorithm) : read_iv(cipher, algorithm);
}

bool content_cipher_read(struct content_cipher *cipher, const X509_ALGOR *algorithm, bool authenticated,
                         bool weak, struct serve_answer *answer)
{
    const ASN1_OBJECT *oid = NULL;
    char name[80];

    memset(cipher, 0, sizeof(*cipher));
    X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
    cipher->algorithm = cipher_by_nid(oid_number(oid));
    OBJ_obj2txt(name, sizeof(name), oid, 0);
    if (cipher->algorithm == NULL || cipher_authenticates(cipher->algorithm) != authenticated) {
        serve_fail(answer, ANSWER_PERMANENT, "unsupported", "content encryption %s is not supported here",
                   name);
        return false;
    }
    if (cipher->algorithm->weak && !weak) {
        serve_fail(answer, ANSWER_PERMANENT, "unsupported", "content encryption %s is weak and not accepted",
                   cipher->algorithm->name);
        return false;
    }
    cipher->key_len = cipher->algorithm->key_len;
    if (read_parameters(cipher, algorithm))
        return true;
    serve_fail(answer, ANSWER_PERMANENT, "unsupported", "the parameters of %s are damaged or not supported",
               cipher->algorithm->name);
    return false;
}

bool content_cipher_new(struct content_cipher *cipher, const struct cipher_algorithm *algorithm)
{
    memset(cipher, 0, sizeof(*cipher));
    cipher->algorithm = algorithm;
    cipher->key_len = algorithm->key_len;
    cipher->iv_len = algorithm->iv_len;
    cipher->tag_len = cipher_authenticates(algorithm) ? TAG_LEN : 0;
    return RAND_bytes(cipher->iv, (int)cipher->iv_len) > 0;
}

static bool set_gcm(const struct content_cipher *cipher, ASN1_OCTET_STRING *nonce, X509_ALGOR *algorithm)
{
    ASN1_INTEGER *tag_len = ASN1_INTEGER_new();
    AeadParameters parameters = {nonce, tag_len};
    bool ok =
        tag_len != NULL && ASN1_INTEGER_set(tag_len, (long)cipher->tag_len) &&
        der_set_algorithm(algorithm, cipher->algorithm->nid, &parameters, ASN1_ITEM_rptr(AeadParameters));

    ASN1_INTEGER_free(tag_len);
    return ok;
}

bool content_cipher_set_algorithm(const struct content_cipher *cipher, X509_ALGOR *algorithm)
{
    ASN1_OCTET_STRING *iv = ASN1_OCTET_STRING_new();
    bool ok = iv != NULL && ASN1_OCTET_STRING_set(iv, cipher->iv, (int)cipher->iv_len);

    if (ok && cipher->algorithm->mode == CIPHER_GCM) {
        ok = set_gcm(cipher, iv, algorithm);
    } else if (ok &&
               X509_ALGOR_set0(algorithm, OBJ_nid2obj(cipher->algorithm->nid), V_ASN1_OCTET_STRING, iv)) {
        return true; /* which took the IV over */
    } else {
        ok = false;
    }
    ASN1_OCTET_STRING_free(iv);
    return ok;
}

EVP_CIPHER_CTX *content_cipher_start(const struct content_cipher *cipher, const unsigned char *key,
                                     bool encrypt)
{
    EVP_CIPHER *evp = EVP_CIPHER_fetch(NULL, cipher->algorithm->openssl_name, NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    size_t iv_len = cipher->iv_len, bits = cipher->rc2_bits;
    OSSL_PARAM parameters[2] = {OSSL_PARAM_END, OSSL_PARAM_END};
    bool ok;

    if (cipher_authenticates(cipher->algorithm))
        parameters[0] = OSSL_PARAM_construct_size_t(OSSL_CIPHER_PARAM_AEAD_IVLEN, &iv_len);
    else if (bits > 0)
        parameters[0] = OSSL_PARAM_construct_size_t(OSSL_CIPHER_PARAM_RC2_KEYBITS, &bits);
    ok = evp != NULL && ctx != NULL && EVP_CipherInit_ex2(ctx, evp, NULL, NULL, encrypt, NULL) > 0 &&
         (bits == 0 || EVP_CIPHER_CTX_set_key_length(ctx, (int)cipher->key_len) > 0) &&
         EVP_CIPHER_CTX_set_params(ctx, parameters) > 0 &&
         EVP_CipherInit_ex2(ctx, NULL, key, cipher->iv, encrypt, NULL) > 0;
    EVP_CIPHER_free(evp); /* the context holds its own reference */
    if (ok)
        return ctx;
    EVP_CIPHER_CTX_free(ctx);
    return NULL;
}
