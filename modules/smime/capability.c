#include "modules/smime/capability.h"

#include <openssl/cms.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "modules/smime/asn1_types.h"
#include "modules/smime/der.h"

/* OAEP with one hash throughout; the empty SEQUENCE stands for SHA-1 (RFC 3560 5). */
static X509_ALGOR *oaep_capability(int hash_nid)
{
    RSA_OAEP_PARAMS *oaep = RSA_OAEP_PARAMS_new();
    X509_ALGOR *algorithm = X509_ALGOR_new();
    bool ok = oaep != NULL && algorithm != NULL;

    if (ok && hash_nid != NID_sha1) {
        oaep->hashFunc = der_hash_algorithm(hash_nid);
        oaep->maskGenFunc = der_mgf1_algorithm(hash_nid);
        ok = oaep->hashFunc != NULL && oaep->maskGenFunc != NULL;
    }
    ok = ok && der_set_algorithm(algorithm, NID_rsaesOaep, oaep, ASN1_ITEM_rptr(RSA_OAEP_PARAMS));
    if (!ok) {
        X509_ALGOR_free(algorithm);
        algorithm = NULL;
    }
    RSA_OAEP_PARAMS_free(oaep);
    return algorithm;
}

algorithm_list *capability_own(void)
{
    static const int ciphers[] = {NID_aes_256_gcm, NID_aes_128_gcm, NID_aes_256_cbc, NID_aes_192_cbc,
                                  NID_aes_128_cbc};
    static const int oaep_hashes[] = {NID_sha256, NID_sha1};
    algorithm_list *list = NULL;
    X509_ALGOR *oaep;
    bool ok = true;

    for (size_t i = 0; ok && i < sizeof(ciphers) / sizeof(ciphers[0]); i++)
        ok = CMS_add_simple_smimecap(&list, ciphers[i], -1) > 0;
    for (size_t i = 0; ok && i < sizeof(oaep_hashes) / sizeof(oaep_hashes[0]); i++) {
        oaep = oaep_capability(oaep_hashes[i]);
        ok = oaep != NULL && sk_X509_ALGOR_push(list, oaep) > 0;
        if (!ok)
            X509_ALGOR_free(oaep);
    }
    if (!ok) {
        sk_X509_ALGOR_pop_free(list, X509_ALGOR_free);
        list = NULL;
    }
    return list;
}

bool capability_offers_gcm(const void *der, size_t len)
{
    algorithm_list *list = der_decode(der, len, ASN1_ITEM_rptr(Capabilities));
    const ASN1_OBJECT *oid;
    bool offers = false;

    for (int i = 0; i < sk_X509_ALGOR_num(list); i++) {
        X509_ALGOR_get0(&oid, NULL, NULL, sk_X509_ALGOR_value(list, i));
        offers = offers || OBJ_obj2nid(oid) == NID_aes_256_gcm;
    }
    sk_X509_ALGOR_pop_free(list, X509_ALGOR_free);
    return offers;
}

bool capability_certificate_offers_gcm(X509 *certificate)
{
    int at = X509_get_ext_by_NID(certificate, NID_SMIMECapabilities, -1);
    const ASN1_OCTET_STRING *value = at < 0 ? NULL : X509_EXTENSION_get_data(X509_get_ext(certificate, at));

    return value != NULL &&
           capability_offers_gcm(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
}
