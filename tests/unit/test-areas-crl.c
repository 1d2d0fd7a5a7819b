/* CRLs whose entries stay octets: read exactly, or not at all. */
#include <openssl/x509v3.h>
#include <string.h>

#include "modules/areas/crl.h"
#include "tests/unit/areas_fixture.h"
#include "tests/unit/unit.h"
#include "util/mem.h"

static X509 *ca;

struct entry_spec {
    long serial;
    int reason;            /* -1: none */
    const char *issuer;    /* certificateIssuer */
    bool unknown_critical; /* an extension that nobody knows */
};

static X509 *list_ca(void)
{
    if (ca == NULL)
        ca = make_certificate(&(struct maker){.subject = "List CA", .ca = true});
    return ca;
}

static void add_issuer(X509_REVOKED *entry, const char *common_name)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    GENERAL_NAME *name = GENERAL_NAME_new();
    X509_NAME *directory = X509_NAME_new();

    X509_NAME_add_entry_by_txt(directory, "CN", MBSTRING_UTF8, (const unsigned char *)common_name, -1, -1, 0);
    GENERAL_NAME_set0_value(name, GEN_DIRNAME, directory);
    sk_GENERAL_NAME_push(names, name);
    ck_assert_int_eq(X509_REVOKED_add1_ext_i2d(entry, NID_certificate_issuer, names, 1, 0), 1);
    GENERAL_NAMES_free(names);
}

static void add_entry(X509_CRL *crl, const struct entry_spec *spec)
{
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_INTEGER *serial = ASN1_INTEGER_new();
    ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();
    ASN1_TIME *when = ASN1_TIME_set(NULL, 1700000000);

    ASN1_INTEGER_set(serial, spec->serial);
    ASN1_ENUMERATED_set(reason, spec->reason);
    X509_REVOKED_set_serialNumber(entry, serial);
    X509_REVOKED_set_revocationDate(entry, when);
    if (spec->reason >= 0)
        ck_assert_int_eq(X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, reason, 0, 0), 1);
    if (spec->issuer != NULL)
        add_issuer(entry, spec->issuer);
    if (spec->unknown_critical)
        ck_assert_int_eq(X509_REVOKED_add1_ext_i2d(entry, NID_invalidity_date, when, 1, 0), 1);
    ck_assert_int_eq(X509_CRL_add0_revoked(crl, entry), 1);
    ASN1_INTEGER_free(serial);
    ASN1_ENUMERATED_free(reason);
    ASN1_TIME_free(when);
}

/* The DER of a list with these entries, up to one with serial number 0; free() it. */
static unsigned char *make_list(const struct entry_spec *specs, size_t *len_r)
{
    X509_CRL *crl = make_crl(list_ca(), shared_key());
    unsigned char *der = NULL, *copy;
    int len;

    for (; specs->serial != 0; specs++)
        add_entry(crl, specs);
    ck_assert_int_gt(X509_CRL_sign(crl, shared_key(), EVP_sha256()), 0);
    len = i2d_X509_CRL(crl, &der);
    ck_assert_int_gt(len, 0);
    copy = mem_dup(der, (size_t)len);
    *len_r = (size_t)len;
    OPENSSL_free(der);
    X509_CRL_free(crl);
    return copy;
}

static struct areas_crl *parse(const unsigned char *der, size_t len)
{
    unsigned char *exact = mem_dup(der, len);
    const unsigned char *p = exact;
    struct areas_crl *crl = areas_crl_parse(&p, len);

    ck_assert(crl == NULL || p == exact + len);
    free(exact); /* the list does not borrow it */
    return crl;
}

static const struct entry_spec three[] = {{.serial = 0x1234, .reason = 1},
                                          {.serial = 0x80, .reason = -1},
                                          {.serial = 7, .reason = 6},
                                          {.serial = 0}};

START_TEST(test_entries)
{
    static const struct {
        const char *serial;
        size_t len;
    } expected[] = {{"\x12\x34", 2}, {"\x00\x80", 2}, {"\x07", 1}};
    struct areas_crl_entry entry;
    size_t len, count = 0, at = 0;
    unsigned char *der = make_list(three, &len);
    struct areas_crl *crl = parse(der, len);

    ck_assert_ptr_nonnull(crl);
    ck_assert(!crl->unknown && crl->one_algorithm);
    ck_assert_int_eq(X509_NAME_cmp(X509_CRL_get_issuer(crl->frame), X509_get_subject_name(list_ca())), 0);
    ck_assert_ptr_null(X509_CRL_get_REVOKED(crl->frame));
    for (; areas_crl_next(crl, &at, &entry); count++) {
        ck_assert_uint_eq(entry.serial_len, expected[count].len);
        ck_assert_mem_eq(entry.serial, expected[count].serial, entry.serial_len);
        ck_assert(!entry.names_issuer);
    }
    ck_assert_uint_eq(count, 3);
    ck_assert(areas_crl_verify(crl, shared_key()));
    areas_crl_free(crl);
    free(der);
}
END_TEST

START_TEST(test_no_entry)
{
    struct areas_crl_entry entry;
    size_t len, at = 0;
    unsigned char *der = make_list(&three[3], &len);
    struct areas_crl *crl = parse(der, len);
    EVP_PKEY *other = make_key("EC", 256);

    ck_assert_ptr_nonnull(crl);
    ck_assert(!areas_crl_next(crl, &at, &entry));
    ck_assert(areas_crl_verify(crl, shared_key()));
    ck_assert(!areas_crl_verify(crl, other));
    EVP_PKEY_free(other);
    areas_crl_free(crl);
    free(der);
}
END_TEST

START_TEST(test_extensions)
{
    static const struct {
        struct entry_spec specs[3];
        bool unknown, names_issuer;
    } rows[] = {
        {{{.serial = 1, .reason = 1}, {.serial = 2, .reason = -1, .unknown_critical = true}}, true, false},
        {{{.serial = 1, .reason = 8}, {.serial = 2, .reason = 1, .issuer = "Another CA"}}, false, true},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct areas_crl_entry entry;
        size_t len, at = 0;
        unsigned char *der = make_list(rows[i].specs, &len);
        struct areas_crl *crl = parse(der, len);

        ck_assert_ptr_nonnull(crl);
        ck_assert_int_eq(crl->unknown, rows[i].unknown);
        ck_assert(areas_crl_next(crl, &at, &entry) && !entry.names_issuer);
        ck_assert(areas_crl_next(crl, &at, &entry));
        ck_assert_int_eq(entry.names_issuer, rows[i].names_issuer);
        areas_crl_free(crl);
        free(der);
    }
}
END_TEST

/* Cut anywhere it is none; each octet changed, it is none or the signature does not fit. */
START_TEST(test_damage)
{
    size_t len;
    unsigned char *der = make_list(three, &len);

    for (size_t cut = 1; cut <= len; cut++)
        ck_assert_msg(parse(der, len - cut) == NULL, "cut %zu", cut);
    for (size_t i = 0; i < len; i++)
        for (int bit = 1; bit < 256; bit <<= 1) {
            struct areas_crl *crl;
            const unsigned char *p = der;

            der[i] ^= (unsigned char)bit;
            crl = areas_crl_parse(&p, len);
            /* ECDSA signatures are BER inside a BIT STRING: what is not signed may be written in several ways
             */
            if (crl != NULL && areas_crl_verify(crl, shared_key()))
                ck_assert_msg(i < crl->signed_at || i >= crl->signed_at + crl->signed_len, "octet %zu", i);
            areas_crl_free(crl);
            der[i] ^= (unsigned char)bit;
        }
    free(der);
}
END_TEST

/* OpenSSL takes a SEQUENCE that is not marked as constructed for one: its entries must not vanish. */
START_TEST(test_strange_entries)
{
    static const unsigned char tags[] = {0x10, 0x31, 0xa1, 0x04};
    size_t len, entries;
    unsigned char *der = make_list(three, &len);
    struct areas_crl *crl = parse(der, len);

    entries = crl->entries_at - 2; /* tag and one octet of length in front */
    areas_crl_free(crl);
    ck_assert_int_eq(der[entries], 0x30);
    for (size_t i = 0; i < sizeof(tags); i++) {
        der[entries] = tags[i];
        ck_assert_msg(parse(der, len) == NULL, "tag %x", tags[i]);
    }
    free(der);
}
END_TEST

/* Behind a list something else may follow, and the algorithm may be named differently inside and outside. */
START_TEST(test_surroundings)
{
    size_t len;
    unsigned char *der = make_list(three, &len), *longer = mem_alloc(len + 1);
    const unsigned char *p = longer;
    struct areas_crl *crl;

    memcpy(longer, der, len);
    crl = areas_crl_parse(&p, len + 1);
    ck_assert_ptr_nonnull(crl);
    ck_assert_ptr_eq(p, longer + len);
    areas_crl_free(crl);
    for (size_t i = len - 8; i-- > 0;) /* the last digest name: ecdsa-with-SHA256 becomes -SHA384 */
        if (memcmp(der + i, "\x2a\x86\x48\xce\x3d\x04\x03\x02", 8) == 0) {
            der[i + 7] = 3;
            break;
        }
    crl = parse(der, len);
    ck_assert_ptr_nonnull(crl);
    ck_assert(!crl->one_algorithm && !areas_crl_verify(crl, shared_key()));
    areas_crl_free(crl);
    free(der);
    free(longer);
}
END_TEST

UNIT_MAIN("areas-crl", test_entries, test_no_entry, test_extensions, test_damage, test_strange_entries,
          test_surroundings)
