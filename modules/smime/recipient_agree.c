/* KeyAgreeRecipientInfo (RFC 5652 6.2.2) by ephemeral-static ECDH (RFC 5753, RFC 8418). */
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "modules/smime/der.h"
#include "modules/smime/entity_id.h"
#include "modules/smime/oid.h"
#include "modules/smime/recipient_fill.h"
#include "modules/smime/shared_info.h"

#define KEK_LEN    32
#define SECRET_MAX 128 /* octets; the largest curve in OpenSSL has 72 */

/* What each kind of key is encrypted to with: what RFC 8551 2.3 demands of every reader, and RFC 8418 of
 * X448. */
static const struct agreement {
    const char *kind;
    int key_nid; /* of the originator's key */
    int scheme;  /* number of modules/smime/oid.h */
    const char *kdf, *md;
} agreements[] = {
    {"EC", NID_X9_62_id_ecPublicKey, NID_dhSinglePass_stdDH_sha256kdf_scheme, OSSL_KDF_NAME_X963KDF,
     "SHA256"},
    {"X25519", NID_X25519, OID_HKDF_SHA256, OSSL_KDF_NAME_HKDF, "SHA256"},
    {"X448", NID_X448, OID_HKDF_SHA512, OSSL_KDF_NAME_HKDF, "SHA512"},
};

static const struct agreement *find_agreement(const EVP_PKEY *key)
{
    for (size_t i = 0; i < sizeof(agreements) / sizeof(agreements[0]); i++)
        if (EVP_PKEY_is_a(key, agreements[i].kind))
            return &agreements[i];
    return NULL;
}

bool recipient_can_agree(const EVP_PKEY *key)
{
    return find_agreement(key) != NULL;
}

static EVP_PKEY *make_ephemeral(EVP_PKEY *peer)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, peer, NULL);
    EVP_PKEY *key = NULL;

    if (ctx == NULL || EVP_PKEY_keygen_init(ctx) <= 0 || EVP_PKEY_keygen(ctx, &key) <= 0)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    return key;
}

/* The raw shared secret. */
static bool agree_on(EVP_PKEY *own, EVP_PKEY *peer, unsigned char secret[SECRET_MAX], size_t *len_r)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
    bool ok;

    *len_r = SECRET_MAX;
    ok = ctx != NULL && EVP_PKEY_derive_init(ctx) > 0 && EVP_PKEY_derive_set_peer(ctx, peer) > 0 &&
         EVP_PKEY_derive(ctx, secret, len_r) > 0;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

static bool derive_kek(const struct agreement *agreement, EVP_PKEY *own, EVP_PKEY *peer,
                       const struct buf *shared_info, unsigned char kek[KEK_LEN])
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, agreement->kdf, NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    unsigned char secret[SECRET_MAX];
    char md[16];
    OSSL_PARAM parameters[4];
    size_t len = 0;
    bool ok = ctx != NULL && agree_on(own, peer, secret, &len);

    strcpy(md, agreement->md);
    parameters[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, md, 0);
    parameters[1] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret, len);
    parameters[2] =
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, shared_info->data, shared_info->len);
    parameters[3] = OSSL_PARAM_construct_end();
    ok = ok && EVP_KDF_derive(ctx, kek, KEK_LEN, parameters) > 0;
    OPENSSL_cleanse(secret, sizeof(secret));
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return ok;
}

static bool wrap_key(const unsigned char kek[KEK_LEN], const unsigned char *key, size_t key_len,
                     ASN1_OCTET_STRING *out)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, wrap_by_nid(NID_id_aes256_wrap)->openssl_name, NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    unsigned char wrapped[CONTENT_KEY_MAX + 8];
    int len = 0;
    bool ok = false;

    if (cipher != NULL && ctx != NULL && key_len <= CONTENT_KEY_MAX) {
        EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
        ok = EVP_EncryptInit_ex2(ctx, cipher, kek, NULL, NULL) > 0 &&
             EVP_EncryptUpdate(ctx, wrapped, &len, key, (int)key_len) > 0 &&
             ASN1_STRING_set(out, wrapped, len);
    }
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(cipher);
    return ok;
}

/* The ephemeral public key. Its curve is that of the recipient's certificate and not repeated. */
static bool set_originator(KeyAgree *agree, int key_nid, EVP_PKEY *ephemeral)
{
    unsigned char *point = NULL;
    size_t len = EVP_PKEY_get1_encoded_public_key(ephemeral, &point);
    OriginatorKey *key = (OriginatorKey *)ASN1_item_new(ASN1_ITEM_rptr(OriginatorKey));
    bool ok = key != NULL && len > 0;

    agree->originator->type = 2;
    agree->originator->d.key = key;
    ok = ok && X509_ALGOR_set0(key->algorithm, OBJ_nid2obj(key_nid), V_ASN1_UNDEF, NULL) &&
         ASN1_BIT_STRING_set(key->point, point, (int)len);
    if (ok) {
        key->point->flags &= ~(ASN1_STRING_FLAG_BITS_LEFT | 0x07);
        key->point->flags |= ASN1_STRING_FLAG_BITS_LEFT; /* no unused bits, also where the last octet is 0 */
    }
    OPENSSL_free(point);
    return ok;
}

static RecipientEncryptedKey *add_encrypted_key(KeyAgree *agree, X509 *certificate)
{
    RecipientEncryptedKey *k = (RecipientEncryptedKey *)ASN1_item_new(ASN1_ITEM_rptr(RecipientEncryptedKey));

    if (k == NULL || !sk_RecipientEncryptedKey_push(agree->keys, k)) {
        ASN1_item_free((ASN1_VALUE *)k, ASN1_ITEM_rptr(RecipientEncryptedKey));
        return NULL;
    }
    k->rid->type = 0;
    k->rid->d.issuer_serial = issuer_serial_new(certificate);
    return k->rid->d.issuer_serial != NULL ? k : NULL;
}

bool recipient_fill_agree(RecipientInfo *info, X509 *certificate, const unsigned char *key, size_t key_len)
{
    KeyAgree *agree = (KeyAgree *)ASN1_item_new(ASN1_ITEM_rptr(KeyAgree));
    EVP_PKEY *peer = X509_get0_pubkey(certificate), *ephemeral = make_ephemeral(peer);
    const struct agreement *agreement = find_agreement(peer);
    X509_ALGOR *wrap = X509_ALGOR_new();
    RecipientEncryptedKey *k = NULL;
    unsigned char kek[KEK_LEN];
    struct buf shared_info = {0};
    bool ok = agree != NULL && ephemeral != NULL && agreement != NULL && wrap != NULL;

    info->type = RECIPIENT_AGREE;
    info->d.agree = agree;
    ok = ok && ASN1_INTEGER_set(agree->version, 3) && set_originator(agree, agreement->key_nid, ephemeral) &&
         X509_ALGOR_set0(wrap, OBJ_nid2obj(NID_id_aes256_wrap), V_ASN1_UNDEF, NULL) &&
         der_set_algorithm(agree->algorithm, agreement->scheme, wrap, ASN1_ITEM_rptr(X509_ALGOR)) &&
         (k = add_encrypted_key(agree, certificate)) != NULL &&
         shared_info_append(&shared_info, wrap, NULL, KEK_LEN) &&
         derive_kek(agreement, ephemeral, peer, &shared_info, kek) &&
         wrap_key(kek, key, key_len, k->encrypted_key);
    OPENSSL_cleanse(kek, sizeof(kek));
    buf_free(&shared_info);
    X509_ALGOR_free(wrap);
    EVP_PKEY_free(ephemeral);
    return ok;
}
