#include "tests/unit/trust_pki.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "util/mem.h"

/* Everything made, to be freed at the end. */
static struct pki *made[4096];
static size_t made_count;
static EVP_PKEY *keys[1024];
static size_t key_count;
static X509_CRL *crls_made[256];
static size_t crl_count;

static struct pki *keep(X509 *certificate, EVP_PKEY *key)
{
    ck_assert_uint_lt(made_count, ROWS(made));
    made[made_count] = mem_alloc(sizeof(struct pki));
    made[made_count]->certificate = certificate;
    made[made_count]->key = key;
    return made[made_count++];
}

static EVP_PKEY *pss_key(unsigned int bits)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    EVP_PKEY *key = NULL;

    ck_assert_int_eq(EVP_PKEY_keygen_init(context), 1);
    ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_keygen_bits(context, (int)bits), 1);
    ck_assert_int_eq(EVP_PKEY_generate(context, &key), 1);
    EVP_PKEY_CTX_free(context);
    return key;
}

EVP_PKEY *pki_key(const char *type, unsigned int bits)
{
    EVP_PKEY *key;

    if (strcmp(type, "EC") == 0)
        key = EVP_EC_gen(bits == 192 ? "P-192" : bits == 384 ? "P-384" : "P-256");
    else if (strcmp(type, "RSA") == 0)
        key = EVP_RSA_gen(bits);
    else if (strcmp(type, "RSA-PSS") == 0)
        key = pss_key(bits);
    else
        key = EVP_PKEY_Q_keygen(NULL, NULL, type);
    ck_assert_ptr_nonnull(key);
    ck_assert_uint_lt(key_count, ROWS(keys));
    keys[key_count++] = key;
    return key;
}

static void add_extension(X509 *certificate, X509V3_CTX *context, const char *name, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf(NULL, context, name, value);

    ck_assert_msg(extension != NULL, "%s = %s", name, value);
    ck_assert_int_eq(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static GENERAL_NAME *mailbox_name(const char *text)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_TYPE *value = ASN1_TYPE_new();
    ASN1_UTF8STRING *string = ASN1_UTF8STRING_new();

    ck_assert_int_eq(ASN1_STRING_set(string, text, -1), 1);
    ASN1_TYPE_set(value, V_ASN1_UTF8STRING, string);
    ck_assert_int_eq(GENERAL_NAME_set0_othername(name, OBJ_nid2obj(NID_id_on_SmtpUTF8Mailbox), value), 1);
    return name;
}

static void add_alternative_names(X509 *certificate, const struct pki_spec *spec)
{
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();

    for (size_t i = 0; i < ROWS(spec->addresses) && spec->addresses[i] != NULL; i++)
        ck_assert_int_gt(
            sk_GENERAL_NAME_push(names, a2i_GENERAL_NAME(NULL, NULL, NULL, GEN_EMAIL, spec->addresses[i], 0)),
            0);
    if (spec->mailbox != NULL)
        ck_assert_int_gt(sk_GENERAL_NAME_push(names, mailbox_name(spec->mailbox)), 0);
    if (sk_GENERAL_NAME_num(names) > 0)
        ck_assert_int_eq(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0), 1);
    GENERAL_NAMES_free(names);
}

static void set_name(X509_NAME *name, const char *common_name)
{
    ck_assert_int_eq(
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name, -1, -1, 0),
        1);
}

static void set_validity(X509 *certificate, const struct pki_spec *spec)
{
    int from = spec->from == 0 && spec->until == 0 ? -365 : spec->from;
    int until = spec->from == 0 && spec->until == 0 ? 365 : spec->until;
    time_t now = PKI_NOW;

    ck_assert_ptr_nonnull(X509_time_adj_ex(X509_getm_notBefore(certificate), from, 0, &now));
    ck_assert_ptr_nonnull(X509_time_adj_ex(X509_getm_notAfter(certificate), until, 0, &now));
}

static void add_extensions(X509 *certificate, X509 *issuer, const struct pki_spec *spec)
{
    CONF *empty = NCONF_new(NULL); /* certificatePolicies wants one */
    X509V3_CTX context;
    const char *usage = spec->usage != NULL ? spec->usage : spec->ca ? "critical,keyCertSign,cRLSign" : NULL;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509V3_set_nconf(&context, empty);
    add_extension(certificate, &context, "subjectKeyIdentifier", "hash");
    if (!spec->no_akid)
        add_extension(certificate, &context, "authorityKeyIdentifier", "keyid");
    if (spec->ca)
        add_extension(certificate, &context, "basicConstraints", "critical,CA:TRUE");
    if (usage != NULL)
        add_extension(certificate, &context, "keyUsage", usage);
    if (spec->purpose != NULL)
        add_extension(certificate, &context, "extendedKeyUsage", spec->purpose);
    add_alternative_names(certificate, spec);
    for (size_t i = 0; i + 1 < ROWS(spec->more) && spec->more[i] != NULL; i += 2)
        add_extension(certificate, &context, spec->more[i], spec->more[i + 1]);
    NCONF_free(empty);
}

static const EVP_MD *digest_for(EVP_PKEY *key, const EVP_MD *digest)
{
    if (EVP_PKEY_is_a(key, "ED25519"))
        return NULL;
    return digest != NULL ? digest : EVP_sha256();
}

struct pki *pki_issue(const struct pki *issuer, const struct pki_spec *spec)
{
    static long serial = 1000;
    X509 *certificate = X509_new();
    EVP_PKEY *key = spec->key != NULL ? spec->key : pki_key("EC", 256);
    EVP_PKEY *signer = issuer != NULL ? issuer->key : key;
    X509 *by = issuer != NULL ? issuer->certificate : certificate;

    ck_assert_int_eq(X509_set_version(certificate, X509_VERSION_3), 1);
    ck_assert_int_eq(
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), spec->serial != 0 ? spec->serial : ++serial), 1);
    set_name(X509_get_subject_name(certificate), spec->name);
    if (spec->issuer_name != NULL)
        set_name(X509_get_issuer_name(certificate), spec->issuer_name);
    else
        ck_assert_int_eq(X509_set_issuer_name(certificate, X509_get_subject_name(by)), 1);
    set_validity(certificate, spec);
    ck_assert_int_eq(X509_set_pubkey(certificate, key), 1);
    add_extensions(certificate, by, spec);
    ck_assert_int_gt(X509_sign(certificate, signer, digest_for(signer, spec->digest)), 0);
    return keep(certificate, key);
}

/* Through DER, so that nothing remembered by OpenSSL stays. */
X509 *pki_break_signature(const X509 *certificate)
{
    unsigned char *der = NULL;
    const unsigned char *p;
    int len = i2d_X509(certificate, &der);
    X509 *broken;

    ck_assert_int_gt(len, 0);
    der[len - 1] ^= 1;
    p = der;
    broken = d2i_X509(NULL, &p, len);
    ck_assert_ptr_nonnull(broken);
    OPENSSL_free(der);
    return keep(broken, NULL)->certificate;
}

/* ---- CRLs ---- */

static void revoke(X509_CRL *crl, const X509 *certificate, int reason)
{
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_ENUMERATED *value = ASN1_ENUMERATED_new();
    ASN1_TIME *when = ASN1_TIME_set(NULL, PKI_NOW - 30 * 86400);

    ck_assert_int_eq(
        X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber((X509 *)(uintptr_t)certificate)), 1);
    ck_assert_int_eq(X509_REVOKED_set_revocationDate(entry, when), 1);
    if (reason > 0) {
        ck_assert_int_eq(ASN1_ENUMERATED_set(value, reason - 1), 1);
        ck_assert_int_eq(X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, value, 0, 0), 1);
    }
    ck_assert_int_eq(X509_CRL_add0_revoked(crl, entry), 1);
    ASN1_ENUMERATED_free(value);
    ASN1_TIME_free(when);
}

static DIST_POINT_NAME *point_name(const char *uri)
{
    DIST_POINT_NAME *name = DIST_POINT_NAME_new();
    GENERAL_NAME *item = a2i_GENERAL_NAME(NULL, NULL, NULL, GEN_URI, uri, 0);

    name->type = 0;
    name->name.fullname = sk_GENERAL_NAME_new_null();
    ck_assert_int_gt(sk_GENERAL_NAME_push(name->name.fullname, item), 0);
    return name;
}

static ASN1_BIT_STRING *some_reasons(const char *which)
{
    static const int compromise[] = {1, 2, -1}, other[] = {3, 4, 5, 6, 7, 8, -1};
    const int *bits = strcmp(which, "compromise") == 0 ? compromise : other;
    ASN1_BIT_STRING *reasons = ASN1_BIT_STRING_new();

    for (; *bits >= 0; bits++)
        ck_assert_int_eq(ASN1_BIT_STRING_set_bit(reasons, *bits, 1), 1);
    return reasons;
}

static void add_scope(X509_CRL *crl, const struct pki_crl_spec *spec)
{
    ISSUING_DIST_POINT *scope;

    if (spec->point == NULL && !spec->only_users && !spec->only_cas && !spec->indirect &&
        spec->reasons == NULL)
        return;
    scope = ISSUING_DIST_POINT_new();
    if (spec->point != NULL)
        scope->distpoint = point_name(spec->point);
    scope->onlyuser = spec->only_users ? 0xff : 0;
    scope->onlyCA = spec->only_cas ? 0xff : 0;
    scope->indirectCRL = spec->indirect ? 0xff : 0;
    if (spec->reasons != NULL)
        scope->onlysomereasons = some_reasons(spec->reasons);
    ck_assert_int_eq(X509_CRL_add1_ext_i2d(crl, NID_issuing_distribution_point, scope, 1, 0), 1);
    ISSUING_DIST_POINT_free(scope);
}

static void add_number(X509_CRL *crl, int nid, long number)
{
    ASN1_INTEGER *value = ASN1_INTEGER_new();

    ck_assert_int_eq(ASN1_INTEGER_set(value, number), 1);
    ck_assert_int_eq(X509_CRL_add1_ext_i2d(crl, nid, value, nid == NID_delta_crl, 0), 1);
    ASN1_INTEGER_free(value);
}

static void add_unknown(X509_CRL *crl)
{
    ASN1_OBJECT *object = OBJ_txt2obj("1.3.6.1.4.1.99999.1", 1);
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    X509_EXTENSION *extension;

    ck_assert_int_eq(ASN1_OCTET_STRING_set(octets, (const unsigned char *)"\x05", 2), 1);
    extension = X509_EXTENSION_create_by_OBJ(NULL, object, 1, octets);
    ck_assert_int_eq(X509_CRL_add_ext(crl, extension, -1), 1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(octets);
    ASN1_OBJECT_free(object);
}

static void set_updates(X509_CRL *crl, const struct pki_crl_spec *spec)
{
    int from = spec->from == 0 && spec->until == 0 ? -1 : spec->from;
    int until = spec->from == 0 && spec->until == 0 ? 1 : spec->until;
    ASN1_TIME *when = ASN1_TIME_adj(NULL, PKI_NOW, from, 0);

    ck_assert_int_eq(X509_CRL_set1_lastUpdate(crl, when), 1);
    ASN1_TIME_free(when);
    if (until == -9999)
        return;
    when = ASN1_TIME_adj(NULL, PKI_NOW, until, 0);
    ck_assert_int_eq(X509_CRL_set1_nextUpdate(crl, when), 1);
    ASN1_TIME_free(when);
}

static X509_CRL *reread(X509_CRL *crl, bool break_signature)
{
    unsigned char *der = NULL;
    const unsigned char *p;
    int len = i2d_X509_CRL(crl, &der);
    X509_CRL *copy;

    ck_assert_int_gt(len, 0);
    if (break_signature)
        der[len - 1] ^= 1;
    p = der;
    copy = d2i_X509_CRL(NULL, &p, len);
    ck_assert_ptr_nonnull(copy);
    OPENSSL_free(der);
    X509_CRL_free(crl);
    return copy;
}

X509_CRL *pki_crl(const struct pki *issuer, const struct pki_crl_spec *spec)
{
    X509_CRL *crl = X509_CRL_new();

    ck_assert_int_eq(X509_CRL_set_version(crl, X509_CRL_VERSION_2), 1);
    ck_assert_int_eq(X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->certificate)), 1);
    set_updates(crl, spec);
    for (size_t i = 0; i < ROWS(spec->revoked) && spec->revoked[i] != NULL; i++)
        revoke(crl, spec->revoked[i], spec->reason[i]);
    add_scope(crl, spec);
    if (spec->number != 0)
        add_number(crl, NID_crl_number, spec->number);
    if (spec->base != 0)
        add_number(crl, NID_delta_crl, spec->base);
    if (spec->unknown_critical)
        add_unknown(crl);
    ck_assert_int_gt(X509_CRL_sign(crl, issuer->key, digest_for(issuer->key, spec->digest)), 0);
    ck_assert_uint_lt(crl_count, ROWS(crls_made));
    crls_made[crl_count] = reread(crl, spec->break_signature);
    return crls_made[crl_count++];
}

void pki_end(void)
{
    for (size_t i = 0; i < made_count; i++) {
        X509_free(made[i]->certificate);
        free(made[i]);
    }
    for (size_t i = 0; i < key_count; i++)
        EVP_PKEY_free(keys[i]);
    for (size_t i = 0; i < crl_count; i++)
        X509_CRL_free(crls_made[i]);
    made_count = key_count = crl_count = 0;
}
