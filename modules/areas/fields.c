#include "modules/areas/fields.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mail/address.h"
#include "util/base64.h"

static void add_address(struct strlist *addresses, const void *data, int len)
{
    char raw[ADDRESS_MAX + 1];
    char *normal;

    if (len <= 0 || len > ADDRESS_MAX || memchr(data, '\0', (size_t)len) != NULL)
        return;
    memcpy(raw, data, (size_t)len);
    raw[len] = '\0';
    normal = address_normalise(raw);
    if (normal != NULL && !strlist_has(addresses, normal))
        strlist_add(addresses, normal);
    free(normal);
}

static void add_general_name(struct strlist *addresses, const GENERAL_NAME *name, bool *seen)
{
    ASN1_OBJECT *type;
    ASN1_TYPE *value;

    if (name->type == GEN_EMAIL) {
        *seen = true;
        add_address(addresses, ASN1_STRING_get0_data(name->d.rfc822Name),
                    ASN1_STRING_length(name->d.rfc822Name));
    } else if (GENERAL_NAME_get0_otherName(name, &type, &value) &&
               OBJ_obj2nid(type) == NID_id_on_SmtpUTF8Mailbox) {
        *seen = true;
        if (value != NULL && value->type == V_ASN1_UTF8STRING)
            add_address(addresses, ASN1_STRING_get0_data(value->value.utf8string),
                        ASN1_STRING_length(value->value.utf8string));
    }
}

static void add_subject_addresses(struct strlist *addresses, const X509_NAME *subject)
{
    int i = -1;

    while ((i = X509_NAME_get_index_by_NID(subject, NID_pkcs9_emailAddress, i)) >= 0) {
        unsigned char *text = NULL;
        int len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i)));

        if (len > 0)
            add_address(addresses, text, len);
        OPENSSL_free(text);
    }
}

void areas_fields_addresses(const X509 *certificate, struct strlist *addresses)
{
    int i = -1;
    bool seen = false;

    /* More than one subjectAltName is forbidden (RFC 5280 4.2); X509_get_ext_d2i() then gives nothing, so all
     * are read. */
    while ((i = X509_get_ext_by_NID(certificate, NID_subject_alt_name, i)) >= 0) {
        GENERAL_NAMES *names = X509V3_EXT_d2i(X509_get_ext(certificate, i));

        for (int n = 0; n < sk_GENERAL_NAME_num(names); n++)
            add_general_name(addresses, sk_GENERAL_NAME_value(names, n), &seen);
        GENERAL_NAMES_free(names);
    }
    if (!seen)
        add_subject_addresses(addresses, X509_get_subject_name(certificate));
}

void areas_fields_ski(X509 *certificate, struct buf *ski)
{
    const ASN1_OCTET_STRING *extension = X509_get0_subject_key_id(certificate);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;

    if (extension != NULL && ASN1_STRING_length(extension) > 0)
        buf_add(ski, ASN1_STRING_get0_data(extension), (size_t)ASN1_STRING_length(extension));
    else if (X509_pubkey_digest(certificate, EVP_sha1(), digest, &len) == 1)
        buf_add(ski, digest, len);
}

void areas_fields_serial(const void *octets, size_t len, struct buf *serial)
{
    const unsigned char *p = octets;

    while (len > 1 && ((p[0] == 0x00 && p[1] < 0x80) || (p[0] == 0xff && p[1] >= 0x80))) {
        p++;
        len--;
    }
    buf_add(serial, p, len);
}

void areas_fields_certificate_serial(const X509 *certificate, struct buf *serial)
{
    unsigned char *der = NULL;
    int len = i2d_ASN1_INTEGER(X509_get0_serialNumber(certificate), &der);
    const unsigned char *p = der;
    long contents = 0;
    int tag, class;

    if (len > 0 && (ASN1_get_object(&p, &contents, &tag, &class, len) & 0x80) == 0)
        areas_fields_serial(p, (size_t)contents, serial);
    OPENSSL_free(der);
}

int64_t areas_fields_name_hash(const X509_NAME *name)
{
    int ok = 0;
    unsigned long hash = X509_NAME_hash_ex(name, NULL, NULL, &ok);

    return ok ? (int64_t)(hash & 0xffffffffUL) : -1;
}

bool areas_fields_fingerprint(const void *der, size_t len, char fingerprint_r[SHA256_HEX_LEN + 1])
{
    unsigned char digest[SHA256_LEN];
    struct buf hex = {0};
    bool ok = EVP_Digest(der, len, digest, NULL, EVP_sha256(), NULL) == 1;

    if (ok)
        hex_encode_buf(&hex, digest, sizeof(digest));
    snprintf(fingerprint_r, SHA256_HEX_LEN + 1, "%s", buf_text(&hex));
    buf_free(&hex);
    return ok;
}

bool areas_fields_key_digest(const EVP_PKEY *key, unsigned char digest[SHA256_LEN])
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    bool ok = len > 0 && EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL) == 1;

    OPENSSL_free(der);
    return ok;
}

bool areas_fields_certificate_key_digest(X509 *certificate, unsigned char digest[SHA256_LEN])
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    unsigned char *der = NULL;
    int len;
    bool ok;

    if (key != NULL)
        return areas_fields_key_digest(key, digest);
    len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    ok = len > 0 && EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL) == 1;
    OPENSSL_free(der);
    return ok;
}

void areas_fields_capabilities(const X509 *certificate, struct buf *capabilities)
{
    int i = X509_get_ext_by_NID(certificate, NID_SMIMECapabilities, -1);
    const ASN1_OCTET_STRING *value;

    if (i < 0)
        return;
    value = X509_EXTENSION_get_data(X509_get_ext(certificate, i));
    buf_add(capabilities, ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
}

void areas_fields_der(const X509 *certificate, struct buf *der)
{
    unsigned char *data = NULL;
    int len = i2d_X509(certificate, &data);

    if (len > 0)
        buf_add(der, data, (size_t)len);
    OPENSSL_free(data);
}
