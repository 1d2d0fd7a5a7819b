#include "modules/smime/capability.h"

#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "modules/smime/asn1_types.h"
#include "modules/smime/der.h"
#include "modules/smime/oid.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Takes the algorithm over. */
static bool push(algorithm_list *list, X509_ALGOR *algorithm)
{
    if (algorithm != NULL && sk_X509_ALGOR_push(list, algorithm) > 0)
        return true;
    X509_ALGOR_free(algorithm);
    return false;
}

static bool push_plain(algorithm_list *list, const int *numbers, size_t count)
{
    X509_ALGOR *algorithm;

    for (size_t i = 0; i < count; i++) {
        algorithm = X509_ALGOR_new();
        if (algorithm != NULL && !X509_ALGOR_set0(algorithm, oid_object(numbers[i]), V_ASN1_UNDEF, NULL)) {
            X509_ALGOR_free(algorithm);
            return false;
        }
        if (!push(list, algorithm))
            return false;
    }
    return true;
}

static X509_ALGOR *oaep_capability(int hash_nid)
{
    X509_ALGOR *algorithm = X509_ALGOR_new();

    if (algorithm != NULL && !der_set_oaep(algorithm, hash_nid)) {
        X509_ALGOR_free(algorithm);
        algorithm = NULL;
    }
    return algorithm;
}

/* Key agreement names the key wrap behind it (RFC 5753 4, RFC 8418 5). */
static X509_ALGOR *agreement_capability(int scheme, int wrap_nid)
{
    X509_ALGOR *wrap = X509_ALGOR_new(), *algorithm = X509_ALGOR_new();

    if (wrap == NULL || algorithm == NULL ||
        !X509_ALGOR_set0(wrap, OBJ_nid2obj(wrap_nid), V_ASN1_UNDEF, NULL) ||
        !der_set_algorithm(algorithm, scheme, wrap, ASN1_ITEM_rptr(X509_ALGOR))) {
        X509_ALGOR_free(algorithm);
        algorithm = NULL;
    }
    X509_ALGOR_free(wrap);
    return algorithm;
}

static bool push_transport(algorithm_list *list)
{
    static const int oaep_hashes[] = {NID_sha512, NID_sha384, NID_sha256, NID_sha1};
    static const int agreements[] = {NID_dhSinglePass_stdDH_sha512kdf_scheme,
                                     NID_dhSinglePass_stdDH_sha384kdf_scheme,
                                     NID_dhSinglePass_stdDH_sha256kdf_scheme, OID_HKDF_SHA256};
    static const int wraps[] = {NID_id_aes256_wrap, NID_id_aes128_wrap};
    bool ok = true;

    for (size_t i = 0; ok && i < COUNT(agreements) * COUNT(wraps); i++)
        ok = push(list, agreement_capability(agreements[i / COUNT(wraps)], wraps[i % COUNT(wraps)]));
    for (size_t i = 0; ok && i < COUNT(oaep_hashes); i++)
        ok = push(list, oaep_capability(oaep_hashes[i]));
    return ok;
}

algorithm_list *capability_own(void)
{
    static const int ciphers[] = {NID_aes_256_gcm, OID_CHACHA20_POLY1305, NID_aes_192_gcm,
                                  NID_aes_128_gcm, NID_aes_256_ccm,       NID_aes_128_ccm,
                                  NID_aes_256_cbc, NID_aes_192_cbc,       NID_aes_128_cbc};
    algorithm_list *list = sk_X509_ALGOR_new_null();

    if (list != NULL && push_plain(list, ciphers, COUNT(ciphers)) && push_transport(list))
        return list;
    sk_X509_ALGOR_pop_free(list, X509_ALGOR_free);
    return NULL;
}

void capabilities_read(struct capabilities *capabilities, const struct buf *der, X509 *certificate)
{
    int at = der != NULL ? -1 : X509_get_ext_by_NID(certificate, NID_SMIMECapabilities, -1);
    const ASN1_OCTET_STRING *value = at < 0 ? NULL : X509_EXTENSION_get_data(X509_get_ext(certificate, at));

    capabilities->list = NULL;
    if (der != NULL)
        capabilities->list = der_decode(der->data, der->len, ASN1_ITEM_rptr(Capabilities));
    else if (value != NULL)
        capabilities->list = der_decode(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value),
                                        ASN1_ITEM_rptr(Capabilities));
}

void capabilities_free(struct capabilities *capabilities)
{
    sk_X509_ALGOR_pop_free(capabilities->list, X509_ALGOR_free);
    capabilities->list = NULL;
}

static int number_at(const algorithm_list *list, int at)
{
    const ASN1_OBJECT *oid = NULL;

    X509_ALGOR_get0(&oid, NULL, NULL, sk_X509_ALGOR_value(list, at));
    return oid_number(oid);
}

bool capabilities_offer_gcm(const struct capabilities *capabilities)
{
    for (int i = 0; i < sk_X509_ALGOR_num(capabilities->list); i++)
        if (number_at(capabilities->list, i) == NID_aes_256_gcm)
            return true;
    return false;
}

/* OAEP with one hash throughout and no label, which is what is written; NULL: it is none. */
static const struct keytrans_scheme *read_oaep(const X509_ALGOR *algorithm)
{
    RSA_OAEP_PARAMS *oaep = der_decode_parameters(algorithm, ASN1_ITEM_rptr(RSA_OAEP_PARAMS));
    const struct keytrans_scheme *scheme = NULL;

    if (oaep != NULL && oaep->pSourceFunc == NULL)
        scheme = keytrans_by_hash(der_hash_nid(oaep->hashFunc));
    if (scheme != NULL && der_mgf1_hash_nid(oaep->maskGenFunc) != scheme->hash_nid)
        scheme = NULL;
    RSA_OAEP_PARAMS_free(oaep);
    return scheme;
}

/* RFC 8017 7.1.1: two digests and two octets go off. */
static bool has_room(const struct keytrans_scheme *scheme, const EVP_PKEY *key)
{
    const EVP_MD *md = EVP_get_digestbynid(scheme->hash_nid);

    return md != NULL && EVP_PKEY_get_size(key) >= CONTENT_KEY_MAX + 2 * EVP_MD_get_size(md) + 2;
}

const struct keytrans_scheme *capabilities_keytrans(const struct capabilities *capabilities,
                                                    const EVP_PKEY *key)
{
    const struct keytrans_scheme *scheme;

    for (int i = 0; key != NULL && i < sk_X509_ALGOR_num(capabilities->list); i++) {
        scheme = number_at(capabilities->list, i) == NID_rsaesOaep
                     ? read_oaep(sk_X509_ALGOR_value(capabilities->list, i))
                     : NULL;
        if (scheme != NULL && has_room(scheme, key))
            return scheme;
    }
    return keytrans_by_name("rsa-pkcs1");
}
