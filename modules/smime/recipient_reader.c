#include "modules/smime/recipient_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include "module/serve.h"
#include "modules/smime/algorithm.h"
#include "modules/smime/der.h"
#include "modules/smime/entity_id.h"
#include "modules/smime/fields.h"
#include "modules/smime/oid.h"
#include "modules/smime/shared_info.h"
#include "util/mem.h"

bool candidates_parse(struct candidates *candidates, const struct xml_node *body, struct serve_answer *answer)
{
    const struct xml_node *certificate;
    struct candidate *candidate;

    memset(candidates, 0, sizeof(*candidates));
    for (const struct xml_node *node = xml_child(body, "candidate"); node != NULL;
         node = xml_next(node, "candidate")) {
        if (candidates->count == CANDIDATES_MAX) {
            serve_fail(answer, ANSWER_PERMANENT, "invalid", "more than %d candidates", CANDIDATES_MAX);
            return false;
        }
        certificate = xml_child(node, "certificate");
        candidate = mem_push(&candidates->items, &candidates->count, sizeof(*candidate));
        candidate->key = xml_attribute(node, "key");
        if (certificate == NULL || (candidate->certificate = fields_certificate(certificate, answer)) == NULL)
            return false;
    }
    return true;
}

void candidates_free(struct candidates *candidates)
{
    for (size_t i = 0; i < candidates->count; i++) {
        X509_free(candidates->items[i].certificate);
        for (size_t k = 0; k < candidates->items[i].opening_count; k++)
            keychannel_open_free(&candidates->items[i].openings[k].open);
    }
    free(candidates->items);
    memset(candidates, 0, sizeof(*candidates));
}

/* The label, if there is one: absent and empty are the same. False: it is named by other means. */
static bool read_label(const X509_ALGOR *source, struct buf *label)
{
    const ASN1_OBJECT *oid = NULL;
    const void *value = NULL;
    int type = V_ASN1_UNDEF;

    if (source == NULL)
        return true;
    X509_ALGOR_get0(&oid, &type, &value, source);
    if (OBJ_obj2nid(oid) != NID_pSpecified || type != V_ASN1_OCTET_STRING)
        return false;
    buf_add(label, ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
    return true;
}

static bool read_oaep(struct opening *opening, const RSA_OAEP_PARAMS *oaep)
{
    const struct keytrans_scheme *hash = keytrans_by_hash(der_hash_nid(oaep->hashFunc));
    const struct keytrans_scheme *mask = keytrans_by_hash(der_mgf1_hash_nid(oaep->maskGenFunc));

    if (hash == NULL || mask == NULL || !read_label(oaep->pSourceFunc, &opening->open.label))
        return false;
    opening->open.scheme = hash->name;
    opening->open.mgf1 = mask == hash ? NULL : digest_by_nid(mask->hash_nid)->name;
    snprintf(opening->keytrans, sizeof(opening->keytrans), "%s%s%s", hash->name, mask == hash ? "" : "-mgf1-",
             mask == hash ? "" : opening->open.mgf1);
    return true;
}

/* Fills in what the algorithm says. False: not supported, or damaged. */
static bool read_keytrans(struct opening *opening, const X509_ALGOR *algorithm)
{
    const ASN1_OBJECT *oid = NULL;
    RSA_OAEP_PARAMS *oaep;
    bool ok;

    X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
    if (OBJ_obj2nid(oid) == NID_rsaesOaep) {
        oaep = der_decode_parameters(algorithm, ASN1_ITEM_rptr(RSA_OAEP_PARAMS));
        ok = oaep != NULL && read_oaep(opening, oaep);
        RSA_OAEP_PARAMS_free(oaep);
        return ok;
    }
    opening->open.scheme = "rsa-pkcs1";
    snprintf(opening->keytrans, sizeof(opening->keytrans), "%s", opening->open.scheme);
    return der_plain_algorithm(algorithm) == NID_rsaEncryption;
}

static void keep(struct buf *out, const ASN1_STRING *octets)
{
    buf_add(out, ASN1_STRING_get0_data(octets), (size_t)ASN1_STRING_length(octets));
}

static bool same_opening(const struct opening *a, const struct opening *b)
{
    return strcmp(a->keytrans, b->keytrans) == 0 && buf_equal(&a->open.encrypted, &b->open.encrypted) &&
           buf_equal(&a->open.originator, &b->open.originator) &&
           buf_equal(&a->open.shared_info, &b->open.shared_info) && buf_equal(&a->open.salt, &b->open.salt) &&
           buf_equal(&a->open.label, &b->open.label);
}

/* Takes over what `opening` holds, unless it is there already or there are enough. */
static void add_opening(struct candidate *candidate, struct opening *opening)
{
    bool known = candidate->opening_count == CMS_SAME_RECIPIENT_MAX;

    for (size_t i = 0; i < candidate->opening_count && !known; i++)
        known = same_opening(&candidate->openings[i], opening);
    if (known)
        keychannel_open_free(&opening->open);
    else
        candidate->openings[candidate->opening_count++] = *opening;
}

static bool version_is(const ASN1_INTEGER *version, long first, long second)
{
    long value = ASN1_INTEGER_get(version);

    return value == first || value == second;
}

static void match_trans(struct candidate *candidate, const KeyTrans *trans)
{
    struct opening opening = {0};

    if (!entity_names(trans->rid, candidate->certificate))
        return;
    candidate->named = true;
    if (version_is(trans->version, 0, 2) && read_keytrans(&opening, trans->algorithm)) {
        keep(&opening.open.encrypted, trans->encrypted_key);
        add_opening(candidate, &opening);
    } else {
        keychannel_open_free(&opening.open);
    }
}

static bool encrypted_key_names(const RecipientEncryptedKey *k, X509 *certificate)
{
    return k->rid->type == 0 ? issuer_serial_names(k->rid->d.issuer_serial, certificate)
                             : key_id_names(k->rid->d.key_id->key_id, certificate);
}

/* The algorithm of the originator's key that goes with this one; NID_undef: it agrees on nothing. */
static int originator_nid(const EVP_PKEY *key)
{
    return key == NULL                    ? NID_undef
           : EVP_PKEY_is_a(key, "EC")     ? NID_X9_62_id_ecPublicKey
           : EVP_PKEY_is_a(key, "X25519") ? NID_X25519
           : EVP_PKEY_is_a(key, "X448")   ? NID_X448
                                          : NID_undef;
}

/* The originator's ephemeral key; NULL when he is named by certificate instead, when it is of another kind
   than `key`, or has unused bits. Parameters are not needed: the curve is that of `key`. */
static const ASN1_BIT_STRING *ephemeral_key(const KeyAgree *agree, const EVP_PKEY *key)
{
    const ASN1_OBJECT *oid = NULL;

    if (agree->originator->type != 2)
        return NULL;
    X509_ALGOR_get0(&oid, NULL, NULL, agree->originator->d.key->algorithm);
    if (OBJ_obj2nid(oid) == NID_undef || OBJ_obj2nid(oid) != originator_nid(key) ||
        (agree->originator->d.key->point->flags & 7) != 0)
        return NULL;
    return agree->originator->d.key->point;
}

/* On such curves cofactor and standard Diffie-Hellman are the same. All that mail uses are. */
static bool has_cofactor_one(const EVP_PKEY *key)
{
    BIGNUM *cofactor = NULL;
    bool one = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_COFACTOR, &cofactor) > 0 && BN_is_one(cofactor);

    BN_free(cofactor);
    return one;
}

static const struct ecdh_scheme *read_scheme(const KeyAgree *agree, const EVP_PKEY *key)
{
    const ASN1_OBJECT *oid = NULL;
    const struct ecdh_scheme *scheme;
    bool cofactor = false;

    X509_ALGOR_get0(&oid, NULL, NULL, agree->algorithm);
    scheme = ecdh_by_nid(oid_number(oid), &cofactor);
    return scheme == NULL || (cofactor && !has_cofactor_one(key)) ? NULL : scheme;
}

/* False: not supported, or damaged, or weak without `weak`. */
static bool read_agree(struct opening *opening, const KeyAgree *agree, const EVP_PKEY *key, bool weak)
{
    const ASN1_BIT_STRING *originator = ephemeral_key(agree, key);
    const struct ecdh_scheme *scheme = originator != NULL ? read_scheme(agree, key) : NULL;
    X509_ALGOR *algorithm = der_decode_parameters(agree->algorithm, ASN1_ITEM_rptr(X509_ALGOR));
    const struct wrap_algorithm *wrap = wrap_by_nid(der_plain_algorithm(algorithm));
    bool ok = scheme != NULL && wrap != NULL && (weak || !wrap->weak) &&
              shared_info_append(&opening->open.shared_info, algorithm, agree->ukm, wrap->key_len);

    X509_ALGOR_free(algorithm);
    if (!ok)
        return false;
    keep(&opening->open.originator, originator);
    if (scheme->hkdf && agree->ukm != NULL) /* RFC 8418 2.2 */
        keep(&opening->open.salt, agree->ukm);
    opening->open.scheme = scheme->name;
    opening->open.wrap = wrap->name;
    opening->weak = wrap->weak ? "des-ede3-wrap" : NULL;
    snprintf(opening->keytrans, sizeof(opening->keytrans), "%s-%s", scheme->name, wrap->name);
    return true;
}

static void match_agree(struct candidate *candidate, const KeyAgree *agree, bool weak)
{
    const EVP_PKEY *key = X509_get0_pubkey(candidate->certificate);

    for (int i = 0; i < sk_RecipientEncryptedKey_num(agree->keys); i++) {
        const RecipientEncryptedKey *k = sk_RecipientEncryptedKey_value(agree->keys, i);
        struct opening opening = {0};

        if (!encrypted_key_names(k, candidate->certificate))
            continue;
        candidate->named = true;
        if (version_is(agree->version, 3, 3) && read_agree(&opening, agree, key, weak)) {
            keep(&opening.open.encrypted, k->encrypted_key);
            add_opening(candidate, &opening);
        } else {
            keychannel_open_free(&opening.open);
        }
    }
}

void candidates_match(struct candidates *candidates, const void *recipient_info, size_t len, bool weak)
{
    RecipientInfo *info = der_decode(recipient_info, len, ASN1_ITEM_rptr(RecipientInfo));

    for (size_t i = 0; info != NULL && i < candidates->count; i++) {
        if (info->type == RECIPIENT_TRANS)
            match_trans(&candidates->items[i], info->d.trans);
        else if (info->type == RECIPIENT_AGREE)
            match_agree(&candidates->items[i], info->d.agree, weak);
    }
    ASN1_item_free((ASN1_VALUE *)info, ASN1_ITEM_rptr(RecipientInfo));
}

static void name_trans(const X509_ALGOR *algorithm, char *name_r, size_t size)
{
    struct opening opening = {0};
    const ASN1_OBJECT *oid = NULL;

    X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
    if (read_keytrans(&opening, algorithm) && opening.open.label.len == 0)
        snprintf(name_r, size, "%s", opening.keytrans);
    else if (OBJ_obj2nid(oid) == NID_rsaesOaep)
        snprintf(name_r, size, "rsa-oaep-other");
    else
        OBJ_obj2txt(name_r, (int)size, oid, 0);
    keychannel_open_free(&opening.open);
}

static void name_agree(const X509_ALGOR *algorithm, char *name_r, size_t size)
{
    X509_ALGOR *inner = der_decode_parameters(algorithm, ASN1_ITEM_rptr(X509_ALGOR));
    const struct wrap_algorithm *wrap = wrap_by_nid(der_plain_algorithm(inner));
    const struct ecdh_scheme *scheme;
    const ASN1_OBJECT *oid = NULL;
    bool cofactor = false;

    X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
    scheme = ecdh_by_nid(oid_number(oid), &cofactor);
    if (scheme != NULL)
        snprintf(name_r, size, "%s-%s", scheme->name, wrap != NULL ? wrap->name : "other");
    else
        OBJ_obj2txt(name_r, (int)size, oid, 0);
    X509_ALGOR_free(inner);
}

void recipient_info_name(const void *recipient_info, size_t len, char *name_r, size_t size)
{
    RecipientInfo *info = der_decode(recipient_info, len, ASN1_ITEM_rptr(RecipientInfo));

    if (info == NULL)
        snprintf(name_r, size, "damaged");
    else if (info->type == RECIPIENT_TRANS)
        name_trans(info->d.trans->algorithm, name_r, size);
    else if (info->type == RECIPIENT_AGREE)
        name_agree(info->d.agree->algorithm, name_r, size);
    else
        snprintf(name_r, size, "%s",
                 info->type == RECIPIENT_KEK        ? "kek"
                 : info->type == RECIPIENT_PASSWORD ? "password"
                                                    : "other");
    ASN1_item_free((ASN1_VALUE *)info, ASN1_ITEM_rptr(RecipientInfo));
}
