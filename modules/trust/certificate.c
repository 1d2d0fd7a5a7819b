#include "modules/trust/certificate.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modules/areas/fields.h"
#include "util/base64.h"
#include "util/mem.h"

X509 *certificate_parse(const struct buf *der)
{
    const unsigned char *p = (const unsigned char *)der->data;
    X509 *certificate =
        der->len == 0 || der->len > CERTIFICATE_MAX ? NULL : d2i_X509(NULL, &p, (long)der->len);

    if (certificate != NULL && p != (const unsigned char *)der->data + der->len) {
        X509_free(certificate);
        certificate = NULL;
    }
    ERR_clear_error();
    return certificate;
}

void certificate_fingerprint(const X509 *certificate, char fingerprint_r[FINGERPRINT_SIZE])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    struct buf hex = {0};

    fingerprint_r[0] = '\0';
    if (X509_digest(certificate, EVP_sha256(), digest, &len) != 1 || len != (FINGERPRINT_SIZE - 1) / 2)
        return;
    hex_encode_buf(&hex, digest, len);
    memcpy(fingerprint_r, hex.data, FINGERPRINT_SIZE);
    buf_free(&hex);
}

/* At most NAME_TEXT_MAX octets, not ending inside a UTF-8 character. */
static char *cut_text(const char *data, size_t len)
{
    size_t end = len;

    if (len <= NAME_TEXT_MAX)
        return mem_strndup(data, len);
    for (end = NAME_TEXT_MAX; end > 0 && ((unsigned char)data[end] & 0xc0) == 0x80; end--)
        ;
    return mem_printf("%.*s...", (int)end, data);
}

char *certificate_name(const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data = NULL, *text;
    long len;

    if (bio == NULL)
        return mem_strdup("?");
    X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    len = BIO_get_mem_data(bio, &data);
    text = cut_text(len > 0 ? data : "", len > 0 ? (size_t)len : 0);
    BIO_free(bio);
    return text;
}

char *certificate_subject(const X509 *certificate)
{
    const X509_NAME *name = X509_get_subject_name(certificate);
    struct buf serial = {0}, hex = {0};
    char *text;

    if (X509_NAME_entry_count(name) > 0)
        return certificate_name(name);
    areas_fields_certificate_serial(certificate, &serial);
    hex_encode_buf(&hex, buf_text(&serial), serial.len);
    text = mem_printf("serial number %s", buf_text(&hex));
    buf_free(&serial);
    buf_free(&hex);
    return text;
}

void certificate_issuer_der(const X509 *certificate, struct buf *der)
{
    unsigned char *out = NULL;
    int len = i2d_X509_NAME(X509_get_issuer_name(certificate), &out);

    if (len > 0)
        buf_add(der, out, (size_t)len);
    OPENSSL_free(out);
}

bool certificate_ski(const X509 *certificate, struct buf *octets)
{
    ASN1_OCTET_STRING *ski = X509_get_ext_d2i(certificate, NID_subject_key_identifier, NULL, NULL);

    if (ski == NULL)
        return false;
    buf_add(octets, ASN1_STRING_get0_data(ski), (size_t)ASN1_STRING_length(ski));
    ASN1_OCTET_STRING_free(ski);
    return true;
}

const char *certificate_key(const X509 *certificate)
{
    const EVP_PKEY *key = X509_get0_pubkey(certificate);

    switch (key == NULL ? EVP_PKEY_NONE : EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
        return "rsa";
    case EVP_PKEY_RSA_PSS:
        return "rsa-pss";
    case EVP_PKEY_EC:
        return "ec";
    case EVP_PKEY_ED25519:
        return "ed25519";
    case EVP_PKEY_ED448:
        return "ed448";
    case EVP_PKEY_X25519:
        return "x25519";
    case EVP_PKEY_X448:
        return "x448";
    default:
        return "other";
    }
}

unsigned int certificate_bits(const X509 *certificate)
{
    const EVP_PKEY *key = X509_get0_pubkey(certificate);
    int bits = key == NULL ? 0 : EVP_PKEY_get_bits(key);

    return bits > 0 ? (unsigned int)bits : 0;
}

bool certificate_time(const ASN1_TIME *when, time_t *time_r)
{
    struct tm tm = {0};

    if (when == NULL || ASN1_TIME_to_tm(when, &tm) != 1)
        return false;
    *time_r = timegm(&tm);
    return true;
}

/* Years stand in four digits; GeneralizedTime has no others. */
static bool broken_down(time_t when, struct tm *tm)
{
    return gmtime_r(&when, tm) != NULL && tm->tm_year + 1900 >= 0 && tm->tm_year + 1900 <= 9999;
}

void certificate_iso_time(time_t when, char text_r[ISO_TIME_SIZE])
{
    struct tm tm;
    char text[80];

    if (!broken_down(when, &tm))
        memset(&tm, 0, sizeof(tm));
    snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
             tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    memcpy(text_r, text, ISO_TIME_SIZE);
    text_r[ISO_TIME_SIZE - 1] = '\0';
}

void certificate_day(time_t when, char text_r[ISO_TIME_SIZE])
{
    certificate_iso_time(when, text_r);
    text_r[strlen("2026-11-21")] = '\0';
}

void certificate_asn1_iso(const ASN1_TIME *when, char text_r[ISO_TIME_SIZE])
{
    time_t seconds = 0;

    certificate_time(when, &seconds);
    certificate_iso_time(seconds, text_r);
}

bool certificate_is_ca(const X509 *certificate)
{
    BASIC_CONSTRAINTS *constraints = X509_get_ext_d2i(certificate, NID_basic_constraints, NULL, NULL);
    bool ca = constraints != NULL && constraints->ca != 0;

    BASIC_CONSTRAINTS_free(constraints);
    return ca;
}

bool certificate_extension_whole(X509_EXTENSION *extension)
{
    const X509V3_EXT_METHOD *method = X509V3_EXT_get(extension);
    const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(extension);
    const unsigned char *p = ASN1_STRING_get0_data(value), *end = p + ASN1_STRING_length(value);
    ASN1_VALUE *decoded;
    bool whole;

    if (method == NULL || method->it == NULL)
        return true;
    decoded = ASN1_item_d2i(NULL, &p, end - p, ASN1_ITEM_ptr(method->it));
    whole = decoded != NULL && p == end;
    ASN1_item_free(decoded, ASN1_ITEM_ptr(method->it));
    return whole;
}
