#include "modules/smime/der.h"

#include <openssl/rsa.h>

#include "modules/smime/oid.h"

void *der_decode(const void *der, size_t len, const ASN1_ITEM *item)
{
    const unsigned char *start = der, *p = start;
    ASN1_VALUE *value;

    if (start == NULL || len == 0 || len > DER_MAX)
        return NULL;
    value = ASN1_item_d2i(NULL, &p, (long)len, item);
    if (value != NULL && p != start + len) {
        ASN1_item_free(value, item);
        value = NULL;
    }
    return value;
}

void *der_decode_parameters(const X509_ALGOR *algorithm, const ASN1_ITEM *item)
{
    const void *value = NULL;
    const ASN1_STRING *sequence;
    int type = V_ASN1_UNDEF;

    if (algorithm == NULL)
        return NULL;
    X509_ALGOR_get0(NULL, &type, &value, algorithm);
    if (type != V_ASN1_SEQUENCE)
        return NULL;
    sequence = value;
    return der_decode(ASN1_STRING_get0_data(sequence), (size_t)ASN1_STRING_length(sequence), item);
}

int der_plain_algorithm(const X509_ALGOR *algorithm)
{
    const ASN1_OBJECT *oid = NULL;
    int type = V_ASN1_UNDEF;

    if (algorithm == NULL)
        return NID_undef;
    X509_ALGOR_get0(&oid, &type, NULL, algorithm);
    return type == V_ASN1_UNDEF || type == V_ASN1_NULL ? oid_number(oid) : NID_undef;
}

bool der_append(struct buf *out, const void *value, const ASN1_ITEM *item)
{
    unsigned char *der = NULL;
    int len = ASN1_item_i2d(value, &der, item);

    if (len > 0)
        buf_add(out, der, (size_t)len);
    OPENSSL_free(der);
    return len > 0;
}

bool der_set_algorithm(X509_ALGOR *algorithm, int nid, const void *value, const ASN1_ITEM *item)
{
    ASN1_STRING *parameters = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
    struct buf der = {0};
    bool ok = parameters != NULL && der_append(&der, value, item) &&
              ASN1_STRING_set(parameters, der.data, (int)der.len) &&
              X509_ALGOR_set0(algorithm, oid_object(nid), V_ASN1_SEQUENCE, parameters);

    if (!ok)
        ASN1_STRING_free(parameters);
    buf_free(&der);
    return ok;
}

X509_ALGOR *der_hash_algorithm(int hash_nid)
{
    X509_ALGOR *hash = X509_ALGOR_new();

    if (hash != NULL && !X509_ALGOR_set0(hash, OBJ_nid2obj(hash_nid), V_ASN1_NULL, NULL)) {
        X509_ALGOR_free(hash);
        hash = NULL;
    }
    return hash;
}

X509_ALGOR *der_mgf1_algorithm(int hash_nid)
{
    X509_ALGOR *hash = der_hash_algorithm(hash_nid), *mgf = X509_ALGOR_new();

    if (hash == NULL || mgf == NULL || !der_set_algorithm(mgf, NID_mgf1, hash, ASN1_ITEM_rptr(X509_ALGOR))) {
        X509_ALGOR_free(mgf);
        mgf = NULL;
    }
    X509_ALGOR_free(hash);
    return mgf;
}

/* SHA-1 is the default of all three parameters, and DER leaves defaults out: an empty SEQUENCE. */
bool der_set_oaep(X509_ALGOR *algorithm, int hash_nid)
{
    RSA_OAEP_PARAMS *oaep = RSA_OAEP_PARAMS_new();
    bool ok = oaep != NULL;

    if (ok && hash_nid != NID_sha1) {
        oaep->hashFunc = der_hash_algorithm(hash_nid);
        oaep->maskGenFunc = der_mgf1_algorithm(hash_nid);
        ok = oaep->hashFunc != NULL && oaep->maskGenFunc != NULL;
    }
    ok = ok && der_set_algorithm(algorithm, NID_rsaesOaep, oaep, ASN1_ITEM_rptr(RSA_OAEP_PARAMS));
    RSA_OAEP_PARAMS_free(oaep);
    return ok;
}

int der_hash_nid(const X509_ALGOR *hash)
{
    return hash == NULL ? NID_sha1 : der_plain_algorithm(hash);
}

int der_mgf1_hash_nid(const X509_ALGOR *mgf)
{
    const ASN1_OBJECT *oid = NULL;
    X509_ALGOR *hash;
    int nid;

    if (mgf == NULL)
        return NID_sha1;
    X509_ALGOR_get0(&oid, NULL, NULL, mgf);
    hash = OBJ_obj2nid(oid) == NID_mgf1 ? der_decode_parameters(mgf, ASN1_ITEM_rptr(X509_ALGOR)) : NULL;
    nid = hash == NULL ? NID_undef : der_plain_algorithm(hash);
    X509_ALGOR_free(hash);
    return nid;
}

X509 *der_certificate(const void *der, size_t len)
{
    return der_decode(der, len, ASN1_ITEM_rptr(X509));
}
