#include "modules/smime/signer.h"

#include <string.h>

#include "modules/smime/der.h"
#include "modules/smime/entity_id.h"

static void find(struct signer *signer, enum signer_result result, const char *reason)
{
    signer->result = result;
    signer->reason = reason;
}

void signer_read(struct signer *signer, const void *der, size_t len)
{
    memset(signer, 0, sizeof(*signer));
    signer->info = signer_info_decode(der, len);
    if (signer->info == NULL) {
        find(signer, SIGNER_UNSUPPORTED, "unreadable");
        return;
    }
    signer->digest = digest_read(signer->info->digest_algorithm);
    signer->has_attributes = signer_info_attributes(signer->info, &signer->attributes);
}

void signer_free(struct signer *signer)
{
    signer_info_free(signer->info);
    memset(signer, 0, sizeof(*signer));
}

void signer_find_certificate(struct signer *signer, x509_list *certificates, bool exact)
{
    X509 *certificate;

    for (int i = 0; signer->info != NULL && signer->certificate == NULL && i < sk_X509_num(certificates);
         i++) {
        certificate = sk_X509_value(certificates, i);
        if (entity_names(signer->info->sid, certificate) &&
            (!exact || signed_attributes_name(&signer->attributes, certificate)))
            signer->certificate = certificate;
    }
}

/* Everything that has to be so before the signature itself is looked at. */
static bool prepare(struct signer *signer, bool weak)
{
    enum signature_read read;

    if (signer->info == NULL)
        return false;
    if (signer->digest == NULL) {
        find(signer, SIGNER_UNSUPPORTED, "unknown-digest");
        return false;
    }
    read = signature_read_algorithm(signer->info->signature_algorithm, signer->digest, &signer->scheme);
    signer->has_scheme = read == SIGNATURE_READ;
    if (signer->digest->weak && !weak)
        find(signer, SIGNER_UNSUPPORTED, "weak-digest");
    else if (read == SIGNATURE_UNSUPPORTED)
        find(signer, SIGNER_UNSUPPORTED, "unknown-algorithm");
    else if (read == SIGNATURE_MISMATCH)
        find(signer, SIGNER_BAD, "algorithm-mismatch");
    else if (signer->certificate == NULL)
        find(signer, SIGNER_UNSUPPORTED, "no-certificate");
    else if (X509_get0_pubkey(signer->certificate) == NULL)
        find(signer, SIGNER_UNSUPPORTED, "unknown-key");
    else
        return true;
    return false;
}

static void take(struct signer *signer, enum signature_result result)
{
    if (result == SIGNATURE_GOOD)
        find(signer, SIGNER_GOOD, "fits");
    else if (result == SIGNATURE_BAD)
        find(signer, SIGNER_BAD, "signature");
    else
        find(signer, SIGNER_UNSUPPORTED, "unknown-key");
}

/* Without signed attributes the signature is over the content. */
static void verify_content(struct signer *signer, const unsigned char *digest, size_t len)
{
    const ASN1_OCTET_STRING *signature = signer->info->signature;

    if (signature_is_of_message(&signer->scheme))
        find(signer, SIGNER_UNSUPPORTED,
             "unknown-algorithm"); /* it would sign the content itself, not a digest */
    else
        take(signer,
             signature_verify(&signer->scheme, X509_get0_pubkey(signer->certificate), digest, len,
                              ASN1_STRING_get0_data(signature), (size_t)ASN1_STRING_length(signature)));
}

/* The signature over the attributes, or their digest. */
static enum signature_result check_attributes(const struct signer *signer, const struct buf *der)
{
    const ASN1_OCTET_STRING *signature = signer->info->signature;
    const unsigned char *octets = ASN1_STRING_get0_data(signature);
    size_t octets_len = (size_t)ASN1_STRING_length(signature);
    EVP_PKEY *key = X509_get0_pubkey(signer->certificate);
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned int len = 0;

    if (signature_is_of_message(&signer->scheme))
        return signature_verify_message(&signer->scheme, key, der->data, der->len, octets, octets_len);
    if (EVP_Digest(der->data, der->len, hash, &len, digest_md(signer->digest), NULL) <= 0)
        return SIGNATURE_KEY_UNSUPPORTED;
    return signature_verify(&signer->scheme, key, hash, len, octets, octets_len);
}

/* Signed is the DER of the attributes (RFC 5652 5.4), in whatever order they are sent; some signers hash them
   as they send them, which is no DER. */
static enum signature_result check_either_order(const struct signer *signer)
{
    struct buf sorted = {0}, sent = {0};
    enum signature_result result = SIGNATURE_BAD;

    if (signer_info_encode_attributes(signer->info, true, &sorted) &&
        signer_info_encode_attributes(signer->info, false, &sent)) {
        result = check_attributes(signer, &sorted);
        if (result == SIGNATURE_BAD && !buf_equal(&sent, &sorted))
            result = check_attributes(signer, &sent);
    }
    buf_free(&sorted);
    buf_free(&sent);
    return result;
}

/* The signature is over the attributes, and they name the content's digest. */
static void verify_attributes(struct signer *signer, const unsigned char *digest, size_t len)
{
    if (ASN1_STRING_length(signer->attributes.message_digest) != (int)len ||
        memcmp(ASN1_STRING_get0_data(signer->attributes.message_digest), digest, len) != 0) {
        find(signer, SIGNER_BAD, "content");
        return;
    }
    take(signer, check_either_order(signer));
}

void signer_verify(struct signer *signer, const struct digests *digests, bool weak)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    size_t len;

    if (!prepare(signer, weak))
        return;
    len = digests_get(digests, signer->digest, digest);
    if (len == 0)
        find(signer, SIGNER_UNSUPPORTED, "digest-not-announced"); /* missing in digestAlgorithms */
    else if (!signer_info_attributes_in_place(signer->info))
        find(signer, SIGNER_BAD, "attributes");
    else if (signer->info->signed_attributes == NULL && digests_of_attributes(digests))
        find(signer, SIGNER_BAD, "attributes"); /* another message's, given out as the content */
    else if (signer->info->signed_attributes == NULL)
        verify_content(signer, digest, len);
    else if (!signer->has_attributes)
        find(signer, SIGNER_BAD, "attributes");
    else if (OBJ_obj2nid(signer->attributes.content_type) != NID_pkcs7_data)
        find(signer, SIGNER_BAD, "content-type");
    else if (!signed_attributes_name(&signer->attributes, signer->certificate))
        find(signer, SIGNER_BAD, "other-certificate");
    else
        verify_attributes(signer, digest, len);
}

void signer_refuse(struct signer *signer, const char *reason)
{
    find(signer, SIGNER_UNSUPPORTED, reason);
}
