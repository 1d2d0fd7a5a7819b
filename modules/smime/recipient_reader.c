#include "modules/smime/recipient_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rsa.h>

#include "module/serve.h"
#include "modules/smime/algorithm.h"
#include "modules/smime/der.h"
#include "modules/smime/entity_id.h"
#include "modules/smime/fields.h"
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

/* An absent label and an empty one are the same; any other is refused. */
static bool label_is_empty(const X509_ALGOR *source)
{
    const ASN1_OBJECT *oid = NULL;
    const void *value = NULL;
    int type = V_ASN1_UNDEF;

    if (source == NULL)
        return true;
    X509_ALGOR_get0(&oid, &type, &value, source);
    return OBJ_obj2nid(oid) == NID_pSpecified && type == V_ASN1_OCTET_STRING &&
           ASN1_STRING_length(value) == 0;
}

static const struct keytrans_scheme *read_oaep(const X509_ALGOR *algorithm)
{
    RSA_OAEP_PARAMS *oaep = der_decode_parameters(algorithm, ASN1_ITEM_rptr(RSA_OAEP_PARAMS));
    const struct keytrans_scheme *scheme = NULL;

    if (oaep != NULL && label_is_empty(oaep->pSourceFunc))
        scheme = keytrans_by_hashes(der_hash_nid(oaep->hashFunc), der_mgf1_hash_nid(oaep->maskGenFunc));
    RSA_OAEP_PARAMS_free(oaep);
    return scheme;
}

static const struct keytrans_scheme *read_keytrans(const X509_ALGOR *algorithm)
{
    const ASN1_OBJECT *oid = NULL;

    X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
    if (OBJ_obj2nid(oid) == NID_rsaesOaep)
        return read_oaep(algorithm);
    return der_plain_algorithm(algorithm) == NID_rsaEncryption ? keytrans_by_name("rsa-pkcs1") : NULL;
}

static void keep(struct buf *out, const ASN1_STRING *octets)
{
    buf_add(out, ASN1_STRING_get0_data(octets), (size_t)ASN1_STRING_length(octets));
}

static bool same_octets(const struct buf *a, const struct buf *b)
{
    return a->len == b->len && memcmp(buf_text(a), buf_text(b), a->len) == 0;
}

/* Takes over what `open` holds, unless it is there already or there are enough. */
static void add_opening(struct candidate *candidate, const char *keytrans, struct keychannel_open *open)
{
    struct opening *opening;

    for (size_t i = 0; i < candidate->opening_count; i++) {
        const struct keychannel_open *other = &candidate->openings[i].open;

        if (same_octets(&other->encrypted, &open->encrypted) &&
            same_octets(&other->originator, &open->originator) &&
            same_octets(&other->shared_info, &open->shared_info) &&
            strcmp(candidate->openings[i].keytrans, keytrans) == 0) {
            keychannel_open_free(open);
            return;
        }
    }
    if (candidate->opening_count == CMS_SAME_RECIPIENT_MAX) {
        keychannel_open_free(open);
        return;
    }
    opening = &candidate->openings[candidate->opening_count++];
    snprintf(opening->keytrans, sizeof(opening->keytrans), "%s", keytrans);
    opening->open = *open;
}

static bool version_is(const ASN1_INTEGER *version, long first, long second)
{
    long value = ASN1_INTEGER_get(version);

    return value == first || value == second;
}

static void match_trans(struct candidate *candidate, const KeyTrans *trans)
{
    const struct keytrans_scheme *scheme;
    struct keychannel_open open = {0};

    if (!entity_names(trans->rid, candidate->certificate))
        return;
    candidate->named = true;
    scheme = version_is(trans->version, 0, 2) ? read_keytrans(trans->algorithm) : NULL;
    if (scheme == NULL)
        return;
    keep(&open.encrypted, trans->encrypted_key);
    open.scheme = scheme->name;
    add_opening(candidate, scheme->name, &open);
}

static bool encrypted_key_names(const RecipientEncryptedKey *k, X509 *certificate)
{
    return k->rid->type == 0 ? issuer_serial_names(k->rid->d.issuer_serial, certificate)
                             : key_id_names(k->rid->d.key_id->key_id, certificate);
}

/* The originator's ephemeral point; NULL when it is named by certificate instead, or has unused bits. */
static const ASN1_BIT_STRING *ephemeral_point(const KeyAgree *agree)
{
    const ASN1_OBJECT *oid = NULL;

    if (agree->originator->type != 2)
        return NULL;
    X509_ALGOR_get0(&oid, NULL, NULL, agree->originator->d.key->algorithm);
    if (OBJ_obj2nid(oid) != NID_X9_62_id_ecPublicKey || (agree->originator->d.key->point->flags & 7) != 0)
        return NULL;
    return agree->originator->d.key->point;
}

static void open_agree(struct candidate *candidate, const KeyAgree *agree, const RecipientEncryptedKey *k)
{
    const ASN1_BIT_STRING *point = ephemeral_point(agree);
    const ASN1_OBJECT *oid = NULL;
    const struct ecdh_scheme *scheme;
    const struct wrap_algorithm *wrap;
    struct keychannel_open open = {0};
    X509_ALGOR *wrap_algorithm;
    char keytrans[40];

    if (point == NULL || !version_is(agree->version, 3, 3))
        return;
    X509_ALGOR_get0(&oid, NULL, NULL, agree->algorithm);
    scheme = ecdh_by_nid(OBJ_obj2nid(oid));
    wrap_algorithm = der_decode_parameters(agree->algorithm, ASN1_ITEM_rptr(X509_ALGOR));
    wrap = wrap_algorithm != NULL ? wrap_by_nid(der_plain_algorithm(wrap_algorithm)) : NULL;
    if (scheme != NULL && wrap != NULL &&
        shared_info_append(&open.shared_info, wrap_algorithm, agree->ukm, wrap->key_len)) {
        keep(&open.encrypted, k->encrypted_key);
        keep(&open.originator, point);
        open.scheme = scheme->name;
        open.wrap = wrap->name;
        snprintf(keytrans, sizeof(keytrans), "%s-%s", scheme->name, wrap->name);
        add_opening(candidate, keytrans, &open);
    } else {
        keychannel_open_free(&open);
    }
    X509_ALGOR_free(wrap_algorithm);
}

static void match_agree(struct candidate *candidate, const KeyAgree *agree)
{
    for (int i = 0; i < sk_RecipientEncryptedKey_num(agree->keys); i++) {
        const RecipientEncryptedKey *k = sk_RecipientEncryptedKey_value(agree->keys, i);

        if (!encrypted_key_names(k, candidate->certificate))
            continue;
        candidate->named = true;
        open_agree(candidate, agree, k);
    }
}

void candidates_match(struct candidates *candidates, const void *recipient_info, size_t len)
{
    RecipientInfo *info = der_decode(recipient_info, len, ASN1_ITEM_rptr(RecipientInfo));

    for (size_t i = 0; info != NULL && i < candidates->count; i++) {
        if (info->type == RECIPIENT_TRANS)
            match_trans(&candidates->items[i], info->d.trans);
        else if (info->type == RECIPIENT_AGREE)
            match_agree(&candidates->items[i], info->d.agree);
    }
    ASN1_item_free((ASN1_VALUE *)info, ASN1_ITEM_rptr(RecipientInfo));
}

static void name_trans(const X509_ALGOR *algorithm, char *name_r, size_t size)
{
    const struct keytrans_scheme *scheme = read_keytrans(algorithm);
    const ASN1_OBJECT *oid = NULL;

    X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
    if (scheme != NULL)
        snprintf(name_r, size, "%s", scheme->name);
    else if (OBJ_obj2nid(oid) == NID_rsaesOaep)
        snprintf(name_r, size, "rsa-oaep-other");
    else
        OBJ_obj2txt(name_r, (int)size, oid, 0);
}

static void name_agree(const X509_ALGOR *algorithm, char *name_r, size_t size)
{
    X509_ALGOR *inner = der_decode_parameters(algorithm, ASN1_ITEM_rptr(X509_ALGOR));
    const struct wrap_algorithm *wrap = inner != NULL ? wrap_by_nid(der_plain_algorithm(inner)) : NULL;
    const struct ecdh_scheme *scheme;
    const ASN1_OBJECT *oid = NULL;

    X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
    scheme = ecdh_by_nid(OBJ_obj2nid(oid));
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
