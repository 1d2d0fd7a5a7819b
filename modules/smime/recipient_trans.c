/* KeyTransRecipientInfo (RFC 5652 6.2.1) by PKCS #1 v1.5 or OAEP (RFC 3560, RFC 4055). */
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "modules/smime/der.h"
#include "modules/smime/entity_id.h"
#include "modules/smime/recipient_fill.h"

#define RSA_OCTETS_MAX 2048 /* OpenSSL's limit, 16384 bits */

static bool set_keytrans_algorithm(X509_ALGOR *algorithm, const struct keytrans_scheme *keytrans)
{
    if (keytrans->hash_nid == NID_undef)
        return X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_rsaEncryption), V_ASN1_NULL, NULL) > 0;
    return der_set_oaep(algorithm, keytrans->hash_nid);
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
             EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_get_digestbynid(keytrans->hash_nid)) > 0;
    ok = ok && EVP_PKEY_encrypt(ctx, encrypted, &len, key, key_len) > 0 &&
         ASN1_STRING_set(out, encrypted, (int)len);
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

bool recipient_fill_trans(RecipientInfo *info, X509 *certificate, const struct keytrans_scheme *keytrans,
                          const unsigned char *key, size_t key_len)
{
    KeyTrans *trans = (KeyTrans *)ASN1_item_new(ASN1_ITEM_rptr(KeyTrans));

    if (trans == NULL)
        return false;
    info->type = RECIPIENT_TRANS;
    info->d.trans = trans;
    trans->rid->d.issuer_serial = issuer_serial_new(certificate);
    trans->rid->type = 0;
    return trans->rid->d.issuer_serial != NULL && ASN1_INTEGER_set(trans->version, 0) &&
           set_keytrans_algorithm(trans->algorithm, keytrans) &&
           rsa_encrypt(X509_get0_pubkey(certificate), keytrans, key, key_len, trans->encrypted_key);
}
