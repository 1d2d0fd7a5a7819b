/* The <signer> element of an answer. */
#include <time.h>

#include "module/xml.h"
#include "modules/smime/der.h"
#include "modules/smime/signer.h"
#include "util/base64.h"

/* Octets of what a signer says of himself: SIGNERS_MAX times that has to fit into an answer. */
#define TOLD_MAX 16384

static void put_signing_time(struct xml_writer *w, const ASN1_TIME *time)
{
    struct buf text = {0};
    struct tm tm;

    if (time == NULL || ASN1_TIME_to_tm(time, &tm) <= 0)
        return;
    buf_printf(&text, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
               tm.tm_hour, tm.tm_min, tm.tm_sec);
    xml_put(w, "signing-time", text.data);
    buf_free(&text);
}

/* The contents octets of the serial INTEGER. */
static void put_serial(struct xml_writer *w, const ASN1_INTEGER *serial)
{
    unsigned char *der = NULL;
    const unsigned char *p;
    int len = i2d_ASN1_INTEGER(serial, &der), tag, class;
    long contents = 0;

    p = der;
    if (len > 0 && (ASN1_get_object(&p, &contents, &tag, &class, len) & 0x80) == 0)
        xml_put_hex(w, "serial", p, (size_t)contents);
    OPENSSL_free(der);
}

static bool can_be_told(const EntityId *sid)
{
    int len = ASN1_item_i2d((const ASN1_VALUE *)sid, NULL, ASN1_ITEM_rptr(EntityId));

    return len > 0 && len <= TOLD_MAX;
}

static void put_identifier(struct xml_writer *w, const EntityId *sid)
{
    struct buf name = {0}, issuer = {0};

    xml_open(w, "identifier");
    if (sid->type == 0) {
        if (der_append(&name, sid->d.issuer_serial->issuer, ASN1_ITEM_rptr(X509_NAME)))
            base64_encode_buf(&issuer, name.data, name.len);
        xml_put(w, "issuer", buf_text(&issuer));
        put_serial(w, sid->d.issuer_serial->serial);
    } else {
        xml_put_hex(w, "ski", ASN1_STRING_get0_data(sid->d.key_id),
                    (size_t)ASN1_STRING_length(sid->d.key_id));
    }
    xml_close(w);
    buf_free(&name);
    buf_free(&issuer);
}

static void put_certificate_names(const struct signer *signer, struct xml_writer *w)
{
    unsigned char fingerprint[EVP_MAX_MD_SIZE];
    unsigned int len = 0;

    if (X509_digest(signer->certificate, EVP_sha256(), fingerprint, &len) > 0)
        xml_put_hex(w, "fingerprint", fingerprint, len);
}

void signer_put(const struct signer *signer, struct xml_writer *w)
{
    static const char *const results[] = {
        [SIGNER_BAD] = "bad", [SIGNER_UNSUPPORTED] = "unsupported", [SIGNER_GOOD] = "good"};
    const struct signed_attributes *attributes = &signer->attributes;
    char scheme[32];

    xml_open(w, "signer");
    xml_put(w, "result", results[signer->result]);
    xml_put(w, "reason", signer->reason);
    if (signer->certificate != NULL)
        put_certificate_names(signer, w);
    if (signer->digest != NULL)
        xml_put(w, "digest", signer->digest->name);
    if (signer->has_scheme) {
        signature_scheme_name(&signer->scheme, scheme, sizeof(scheme));
        xml_put(w, "scheme", scheme);
    }
    if (signer->has_scheme && signer->scheme.family == SIGNATURE_RSA_PSS) {
        xml_put(w, "mgf1", signer->scheme.mgf1->name);
        xml_put_number(w, "salt", (uint64_t)signer->scheme.salt_len);
    }
    if (signer->result == SIGNER_GOOD)
        put_signing_time(w, attributes->signing_time);
    if (signer->certificate == NULL && signer->info != NULL && can_be_told(signer->info->sid))
        put_identifier(w, signer->info->sid);
    if (signer->result == SIGNER_GOOD && attributes->capabilities != NULL &&
        ASN1_STRING_length(attributes->capabilities) <= TOLD_MAX)
        xml_add_base64(w, "capabilities", ASN1_STRING_get0_data(attributes->capabilities),
                       (size_t)ASN1_STRING_length(attributes->capabilities));
    xml_close(w);
}
