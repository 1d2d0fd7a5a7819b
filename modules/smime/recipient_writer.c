#include "modules/smime/recipient_writer.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "modules/smime/der.h"
#include "modules/smime/recipient_info.h"
#include "util/mem.h"

#define RSA_OCTETS_MAX 2048 /* OpenSSL's limit, 16384 bits */
#define KEK_LEN        32

DEFINE_STACK_OF(RecipientInfo)

/* clang-format off */
ASN1_ITEM_TEMPLATE(RecipientInfos) =
    ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SET_OF, 0, RecipientInfos, RecipientInfo)
static_ASN1_ITEM_TEMPLATE_END(RecipientInfos)
    /* clang-format on */

    struct recipient_writer {
    STACK_OF(RecipientInfo) * infos;
    bool agreed; /* one of them is a key agreement */
};

static void free_info(RecipientInfo *info)
{
    ASN1_item_free((ASN1_VALUE *)info, ASN1_ITEM_rptr(RecipientInfo));
}

struct recipient_writer *recipient_writer_new(void)
{
    struct recipient_writer *writer = mem_alloc(sizeof(*writer));

    writer->infos = sk_RecipientInfo_new_null();
    return writer;
}

void recipient_writer_free(struct recipient_writer *writer)
{
    if (writer != NULL)
        sk_RecipientInfo_pop_free(writer->infos, free_info);
    free(writer);
}

static bool set_issuer_serial(IssuerAndSerial *id, X509 *certificate)
{
    ASN1_INTEGER *serial = ASN1_INTEGER_dup(X509_get0_serialNumber(certificate));

    if (serial == NULL || !X509_NAME_set(&id->issuer, X509_get_issuer_name(certificate))) {
        ASN1_INTEGER_free(serial);
        return false;
    }
    ASN1_INTEGER_free(id->serial);
    id->serial = serial;
    return true;
}

static IssuerAndSerial *issuer_serial_of(X509 *certificate)
{
    IssuerAndSerial *id = (IssuerAndSerial *)ASN1_item_new(ASN1_ITEM_rptr(IssuerAndSerial));

    if (id != NULL && !set_issuer_serial(id, certificate)) {
        ASN1_item_free((ASN1_VALUE *)id, ASN1_ITEM_rptr(IssuerAndSerial));
        id = NULL;
    }
    return id;
}

/* ---- RSA ---- */

/* SHA-1 is the default of all three parameters, and DER leaves defaults out: an empty SEQUENCE. */
static bool set_keytrans_algorithm(X509_ALGOR *algorithm, const struct keytrans_scheme *keytrans)
{
    RSA_OAEP_PARAMS *oaep;
    bool ok;

    if (keytrans->hash_nid == NID_undef)
        return X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_rsaEncryption), V_ASN1_NULL, NULL) > 0;
    oaep = RSA_OAEP_PARAMS_new();
    ok = oaep != NULL;
    if (ok && keytrans->hash_nid != NID_sha1)
        ok = (oaep->hashFunc = der_hash_algorithm(keytrans->hash_nid)) != NULL;
    if (ok && keytrans->mgf1_nid != NID_sha1)
        ok = (oaep->maskGenFunc = der_mgf1_algorithm(keytrans->mgf1_nid)) != NULL;
    ok = ok && der_set_algorithm(algorithm, NID_rsaesOaep, oaep, ASN1_ITEM_rptr(RSA_OAEP_PARAMS));
    RSA_OAEP_PARAMS_free(oaep);
    return ok;
}

static bool rsa_encrypt(EVP_PKEY *public_key, const struct keytrans_scheme *keytrans,
                        const unsigned char *key, size_t key_len, ASN1_OCTET_STRING *out)
{
    unsigned char encrypted[RSA_OCTETS_MAX];
    size_t len = sizeof(encrypted);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, public_key, NULL);
    bool ok = ctx != NULL && EVP_PKEY_encrypt_init(ctx) > 0;

    if (ok && keytrans->hash_nid == NID_undef)
        ok = EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
    else
        ok = ok && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0 &&
             EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_get_digestbynid(keytrans->hash_nid)) > 0 &&
             EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_get_digestbynid(keytrans->mgf1_nid)) > 0;
    ok = ok && EVP_PKEY_encrypt(ctx, encrypted, &len, key, key_len) > 0 &&
         ASN1_STRING_set(out, encrypted, (int)len);
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

static bool fill_trans(RecipientInfo *info, X509 *certificate, const struct keytrans_scheme *keytrans,
                       const unsigned char *key, size_t key_len)
{
    KeyTrans *trans = (KeyTrans *)ASN1_item_new(ASN1_ITEM_rptr(KeyTrans));

    if (trans == NULL)
        return false;
    info->type = RECIPIENT_TRANS;
    info->d.trans = trans;
    trans->rid->d.issuer_serial = issuer_serial_of(certificate);
    trans->rid->type = 0;
    return trans->rid->d.issuer_serial != NULL && ASN1_INTEGER_set(trans->version, 0) &&
           set_keytrans_algorithm(trans->algorithm, keytrans) &&
           rsa_encrypt(X509_get0_pubkey(certificate), keytrans, key, key_len, trans->encrypted_key);
}

/* ---- EC ---- */

static EVP_PKEY *make_ephemeral(EVP_PKEY *peer)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, peer, NULL);
    EVP_PKEY *key = NULL;

    if (ctx == NULL || EVP_PKEY_keygen_init(ctx) <= 0 || EVP_PKEY_keygen(ctx, &key) <= 0)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static bool derive_kek(EVP_PKEY *own, EVP_PKEY *peer, const struct buf *shared_info,
                       unsigned char kek[KEK_LEN])
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
    unsigned char *info = OPENSSL_memdup(shared_info->data, shared_info->len);
    size_t len = KEK_LEN;
    bool ok = ctx != NULL && info != NULL && EVP_PKEY_derive_init(ctx) > 0 &&
              EVP_PKEY_derive_set_peer(ctx, peer) > 0 &&
              EVP_PKEY_CTX_set_ecdh_kdf_type(ctx, EVP_PKEY_ECDH_KDF_X9_63) > 0 &&
              EVP_PKEY_CTX_set_ecdh_kdf_md(ctx, EVP_sha256()) > 0 &&
              EVP_PKEY_CTX_set_ecdh_kdf_outlen(ctx, KEK_LEN) > 0;

    if (ok && EVP_PKEY_CTX_set0_ecdh_kdf_ukm(ctx, info, (int)shared_info->len) > 0)
        info = NULL; /* now owned by ctx */
    else
        ok = false;
    ok = ok && EVP_PKEY_derive(ctx, kek, &len) > 0 && len == KEK_LEN;
    OPENSSL_free(info);
    EVP_PKEY_CTX_free(ctx);
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
static bool set_originator(KeyAgree *agree, EVP_PKEY *ephemeral)
{
    unsigned char *point = NULL;
    size_t len = EVP_PKEY_get1_encoded_public_key(ephemeral, &point);
    OriginatorKey *key = (OriginatorKey *)ASN1_item_new(ASN1_ITEM_rptr(OriginatorKey));
    bool ok = key != NULL && len > 0;

    agree->originator->type = 2;
    agree->originator->d.key = key;
    ok = ok && X509_ALGOR_set0(key->algorithm, OBJ_nid2obj(NID_X9_62_id_ecPublicKey), V_ASN1_UNDEF, NULL) &&
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
    k->rid->d.issuer_serial = issuer_serial_of(certificate);
    return k->rid->d.issuer_serial != NULL ? k : NULL;
}

static bool fill_agree(RecipientInfo *info, X509 *certificate, const unsigned char *key, size_t key_len)
{
    KeyAgree *agree = (KeyAgree *)ASN1_item_new(ASN1_ITEM_rptr(KeyAgree));
    EVP_PKEY *peer = X509_get0_pubkey(certificate), *ephemeral = make_ephemeral(peer);
    X509_ALGOR *wrap = X509_ALGOR_new();
    RecipientEncryptedKey *k = NULL;
    unsigned char kek[KEK_LEN];
    struct buf shared_info = {0};
    bool ok = agree != NULL && ephemeral != NULL && wrap != NULL;

    info->type = RECIPIENT_AGREE;
    info->d.agree = agree;
    ok = ok && ASN1_INTEGER_set(agree->version, 3) && set_originator(agree, ephemeral) &&
         X509_ALGOR_set0(wrap, OBJ_nid2obj(NID_id_aes256_wrap), V_ASN1_UNDEF, NULL) &&
         der_set_algorithm(agree->algorithm, NID_dhSinglePass_stdDH_sha256kdf_scheme, wrap,
                           ASN1_ITEM_rptr(X509_ALGOR)) &&
         (k = add_encrypted_key(agree, certificate)) != NULL &&
         shared_info_append(&shared_info, wrap, NULL, KEK_LEN) &&
         derive_kek(ephemeral, peer, &shared_info, kek) && wrap_key(kek, key, key_len, k->encrypted_key);
    OPENSSL_cleanse(kek, sizeof(kek));
    buf_free(&shared_info);
    X509_ALGOR_free(wrap);
    EVP_PKEY_free(ephemeral);
    return ok;
}

/* ---- both ---- */

static void fail_for(X509 *certificate, enum answer_status status, const char *reason, const char *what,
                     struct serve_answer *answer)
{
    char subject[200];

    X509_NAME_oneline(X509_get_subject_name(certificate), subject, sizeof(subject));
    serve_fail(answer, status, reason, "%s: %s", subject, what);
}

bool recipient_writer_add(struct recipient_writer *writer, X509 *certificate,
                          const struct keytrans_scheme *keytrans, const unsigned char *key, size_t key_len,
                          struct serve_answer *answer)
{
    EVP_PKEY *public_key = X509_get0_pubkey(certificate);
    RecipientInfo *info;
    bool rsa = public_key != NULL && EVP_PKEY_is_a(public_key, "RSA");
    bool ok;

    if (!rsa && (public_key == NULL || !EVP_PKEY_is_a(public_key, "EC"))) {
        fail_for(certificate, ANSWER_PERMANENT, "unsupported",
                 "nothing can be encrypted to the key in this certificate (RSA or elliptic curve needed)",
                 answer);
        return false;
    }
    info = (RecipientInfo *)ASN1_item_new(ASN1_ITEM_rptr(RecipientInfo));
    ok = info != NULL && (rsa ? fill_trans(info, certificate, keytrans, key, key_len)
                              : fill_agree(info, certificate, key, key_len));
    if (ok && sk_RecipientInfo_push(writer->infos, info)) {
        writer->agreed = writer->agreed || !rsa;
        return true;
    }
    free_info(info);
    fail_for(certificate, ANSWER_PERMANENT, "unsupported",
             "the content key cannot be encrypted to the key in this certificate", answer);
    return false;
}

bool recipient_writer_encode(const struct recipient_writer *writer, struct buf *der)
{
    return der_append(der, writer->infos, ASN1_ITEM_rptr(RecipientInfos));
}

unsigned char recipient_writer_version(const struct recipient_writer *writer)
{
    return writer->agreed ? 2 : 0;
}
