/* Look-ups by every identifier, over areas, with keys and CRLs. */
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "modules/areas/cache.h"
#include "modules/areas/fields.h"
#include "tests/unit/areas_fixture.h"
#include "tests/unit/unit.h"
#include "util/mem.h"

#define PUBLIC  (1u << AREA_PUBLIC)
#define TRUSTED (1u << AREA_TRUSTED)
#define PRIVATE (1u << AREA_PRIVATE)
#define CA      (1u << AREA_CA)

static struct fixture fixture;
static const char *pass_phrase_given;

static const char *phrase(void *context)
{
    (void)context;
    return pass_phrase_given;
}

static void set_up(void)
{
    fixture_start(&fixture);
    fixture.settings.pass_phrase = phrase;
}

static void open_areas(void)
{
    fixture_open(&fixture);
    fixture_refresh(&fixture);
}

static void tear_down(void)
{
    fixture_end(&fixture);
}

START_TEST(by_address)
{
    X509 *a = make_certificate(&(struct maker){.address = "A@X.example"});
    X509 *b = make_certificate(&(struct maker){.address = "a@x.example", .serial = 2});
    struct areas_list list;
    char fingerprint[65];
    char *path;

    set_up();
    put_certificate(&fixture, "public/a.pem", a);
    put_certificate(&fixture, "public/copy.pem", a); /* the same once more */
    put_certificate(&fixture, "public/b.pem", b);
    put_certificate(&fixture, "trusted/b.pem", b);
    open_areas();
    ck_assert_uint_eq(count_address(&fixture, ALL_AREAS, "a@X.EXAMPLE"), 3);
    ck_assert_uint_eq(count_address(&fixture, PUBLIC, "a@x.example"), 2);
    ck_assert_uint_eq(count_address(&fixture, TRUSTED, "a@x.example"), 1);
    ck_assert_uint_eq(count_address(&fixture, PRIVATE, "a@x.example"), 0);
    ck_assert_uint_eq(count_address(&fixture, ALL_AREAS, "b@x.example"), 0);
    ck_assert_uint_eq(count_address(&fixture, ALL_AREAS, "nonsense"), 0);
    ck_assert_int_eq(areas_find_address(fixture.areas, TRUSTED, "a@x.example", &list, fixture.error, 100), 0);
    fingerprint_of(b, fingerprint);
    path = mem_printf("%s/trusted/b.pem", fixture.root);
    ck_assert_str_eq(list.items[0].fingerprint, fingerprint);
    ck_assert_str_eq(list.items[0].file, path);
    ck_assert_ptr_null(list.items[0].key_file);
    ck_assert_uint_eq(list.items[0].addresses.count, 1);
    ck_assert_str_eq(list.items[0].addresses.items[0], "a@x.example");
    ck_assert_int_eq(X509_cmp(list.items[0].certificate, b), 0);
    areas_list_free(&list);
    free(path);
    X509_free(a);
    X509_free(b);
    tear_down();
}
END_TEST

static size_t count_serial(const X509_NAME *issuer, const void *serial, size_t len)
{
    unsigned char *der = NULL;
    int der_len = i2d_X509_NAME(issuer, &der);
    struct buf issuer_der = {0}, octets = {0};
    struct areas_list list;
    size_t count;

    buf_add(&issuer_der, der, (size_t)der_len);
    buf_add(&octets, serial, len);
    ck_assert_int_eq(
        areas_find_serial(fixture.areas, ALL_AREAS, &issuer_der, &octets, &list, fixture.error, 100), 0);
    count = list.count;
    areas_list_free(&list);
    OPENSSL_free(der);
    buf_free(&issuer_der);
    buf_free(&octets);
    return count;
}

START_TEST(by_serial)
{
    static const unsigned char high[] = {0xfe, 0xdc}, der[] = {0x00, 0xfe, 0xdc},
                               padded[] = {0x00, 0x00, 0xfe, 0xdc};
    X509 *ca = make_certificate(&(struct maker){.subject = "The CA", .ca = true});
    X509 *other = make_certificate(&(struct maker){.subject = "Other CA", .ca = true});
    X509 *a = make_certificate(&(struct maker){.issuer = ca, .serial_octets = high, .serial_len = 2});
    X509_NAME *reencoded = X509_NAME_new();

    set_up();
    put_certificate(&fixture, "public/a.pem", a);
    open_areas();
    ck_assert_uint_eq(count_serial(X509_get_subject_name(ca), der, 3), 1);
    ck_assert_uint_eq(count_serial(X509_get_subject_name(ca), padded, 4), 1); /* BER */
    ck_assert_uint_eq(count_serial(X509_get_subject_name(ca), high, 2), 0);   /* another number: negative */
    ck_assert_uint_eq(count_serial(X509_get_subject_name(other), der, 3), 0);
    /* Other string types and letter case, as some clients write them. */
    X509_NAME_add_entry_by_NID(reencoded, NID_organizationName, V_ASN1_PRINTABLESTRING,
                               (const unsigned char *)"TEST", -1, -1, 0);
    X509_NAME_add_entry_by_NID(reencoded, NID_commonName, V_ASN1_PRINTABLESTRING,
                               (const unsigned char *)"the  ca", -1, -1, 0);
    ck_assert_uint_eq(count_serial(reencoded, der, 3), 1);
    X509_NAME_free(reencoded);
    X509_free(ca);
    X509_free(other);
    X509_free(a);
    tear_down();
}
END_TEST

static size_t count_ski(const void *data, size_t len)
{
    struct buf ski = {0};
    struct areas_list list;
    size_t count;

    buf_add(&ski, data, len);
    ck_assert_int_eq(areas_find_ski(fixture.areas, ALL_AREAS, &ski, &list, fixture.error, 100), 0);
    count = list.count;
    areas_list_free(&list);
    buf_free(&ski);
    return count;
}

START_TEST(by_key_identifier)
{
    EVP_PKEY *key = make_key("EC", 256);
    X509 *with = make_certificate(&(struct maker){.subject = "with", .key = key});
    X509 *without = make_certificate(&(struct maker){.subject = "without", .key = key, .no_ski = true});
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;

    set_up();
    put_certificate(&fixture, "public/with.pem", with);
    put_certificate(&fixture, "trusted/without.pem", without);
    open_areas();
    X509_pubkey_digest(with, EVP_sha1(), digest, &len);
    ck_assert_uint_eq(count_ski(digest, len), 2);
    digest[0] ^= 1;
    ck_assert_uint_eq(count_ski(digest, len), 0);
    ck_assert_uint_eq(count_ski("", 0), 0);
    X509_free(with);
    X509_free(without);
    EVP_PKEY_free(key);
    tear_down();
}
END_TEST

START_TEST(by_subject_and_crls)
{
    X509 *ca = make_certificate(&(struct maker){.subject = "CA", .ca = true});
    X509 *other = make_certificate(&(struct maker){.subject = "CA 2", .ca = true});
    X509_CRL *crl = make_crl(ca, shared_key());
    struct areas_crl_list crls;
    struct areas_list list;
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;
    long len;

    set_up();
    put_certificate(&fixture, "ca/ca.pem", ca);
    put_certificate(&fixture, "ca/other.pem", other);
    PEM_write_bio_X509_CRL(bio, crl);
    len = BIO_get_mem_data(bio, &data);
    put_file(&fixture, "ca/ca.crl", data, (size_t)len, 0);
    put_file(&fixture, "public/ca.crl", data, (size_t)len, 0);
    open_areas();
    ck_assert_int_eq(
        areas_find_subject(fixture.areas, CA, X509_get_subject_name(ca), &list, fixture.error, 100), 0);
    ck_assert_uint_eq(list.count, 1);
    ck_assert_int_eq(X509_cmp(list.items[0].certificate, ca), 0);
    areas_list_free(&list);
    ck_assert_int_eq(
        areas_find_crls(fixture.areas, AREA_CA, X509_get_subject_name(ca), &crls, fixture.error, 100), 0);
    ck_assert_uint_eq(crls.count, 1);
    areas_crl_list_free(&crls);
    ck_assert_int_eq(
        areas_find_crls(fixture.areas, AREA_CA, X509_get_subject_name(other), &crls, fixture.error, 100), 0);
    ck_assert_uint_eq(crls.count, 0);
    areas_crl_list_free(&crls);
    BIO_free(bio);
    X509_CRL_free(crl);
    X509_free(ca);
    X509_free(other);
    tear_down();
}
END_TEST

static EVP_PKEY *key_of(const char *address, size_t *count_r)
{
    struct areas_list list;
    EVP_PKEY *key = NULL;

    ck_assert_int_eq(areas_find_address(fixture.areas, PRIVATE, address, &list, fixture.error, 100), 0);
    *count_r = list.count;
    fixture.error[0] = '\0';
    if (list.count > 0)
        key = areas_private_key(fixture.areas, &list.items[0], fixture.error, sizeof(fixture.error));
    areas_list_free(&list);
    return key;
}

START_TEST(private_keys)
{
    EVP_PKEY *own = make_key("EC", 256), *key;
    X509 *together = make_certificate(&(struct maker){.address = "together@x.example"});
    X509 *apart = make_certificate(&(struct maker){.address = "apart@x.example", .key = own});
    EVP_PKEY *nobodys = make_key("EC", 256);
    X509 *without = make_certificate(&(struct maker){.address = "without@x.example", .key = nobodys});
    struct buf both = {0};
    size_t count;

    set_up();
    add_key_pem(&both, shared_key(), NULL, false);
    add_pem(&both, together);
    put_file(&fixture, "private/both.pem", both.data, both.len, 0600);
    put_certificate(&fixture, "private/apart-cert.pem", apart);
    put_key(&fixture, "private/apart-key.pem", own, "secret");
    put_certificate(&fixture, "private/without.pem", without);
    pass_phrase_given = "secret";
    open_areas();
    key = key_of("together@x.example", &count);
    ck_assert_int_eq(EVP_PKEY_eq(key, shared_key()), 1);
    EVP_PKEY_free(key);
    key = key_of("apart@x.example", &count);
    ck_assert_int_eq(EVP_PKEY_eq(key, own), 1);
    EVP_PKEY_free(key);
    ck_assert_ptr_null(key_of("without@x.example", &count));
    ck_assert_uint_eq(count, 1);
    ck_assert_ptr_nonnull(strstr(fixture.error, "no private key"));
    put_key(&fixture, "private/apart-key.pem", nobodys, "secret"); /* in place */
    ck_assert_ptr_null(key_of("apart@x.example", &count));
    ck_assert_uint_eq(count, 1);
    key = key_of("without@x.example", &count);
    ck_assert_int_eq(EVP_PKEY_eq(key, nobodys), 1);
    EVP_PKEY_free(key);
    buf_wipe(&both);
    EVP_PKEY_free(own);
    EVP_PKEY_free(nobodys);
    X509_free(together);
    X509_free(apart);
    X509_free(without);
    tear_down();
}
END_TEST

START_TEST(several_keys_in_a_file)
{
    EVP_PKEY *keys[2] = {make_key("EC", 256), make_key("EC", 384)}, *key;
    const char *const addresses[2] = {"first@x.example", "second@x.example"};
    struct buf all = {0};
    size_t count;

    set_up();
    for (int i = 0; i < 2; i++)
        add_key_pem(&all, keys[i], NULL, i == 0);
    for (int i = 0; i < 2; i++) {
        X509 *certificate = make_certificate(&(struct maker){.address = addresses[i], .key = keys[i]});

        add_pem(&all, certificate);
        X509_free(certificate);
    }
    put_file(&fixture, "private/all.pem", all.data, all.len, 0600);
    open_areas();
    for (int i = 0; i < 2; i++) {
        key = key_of(addresses[i], &count);
        ck_assert_int_eq(EVP_PKEY_eq(key, keys[i]), 1);
        EVP_PKEY_free(key);
        EVP_PKEY_free(keys[i]);
    }
    buf_wipe(&all);
    tear_down();
}
END_TEST

START_TEST(capabilities)
{
    static const unsigned char extension[] = {0x30, 0x00}, stored[] = {0x30, 0x02, 0x30, 0x00};
    X509 *a = make_certificate(&(struct maker){
        .address = "a@x.example", .capabilities = extension, .capabilities_len = sizeof(extension)});
    struct areas_list list;
    struct buf text = {0};

    set_up();
    put_certificate(&fixture, "public/a.pem", a);
    add_pem(&text, a);
    buf_add_text(&text, "-----BEGIN SMIME CAPABILITIES-----\nMAIwAA==\n-----END SMIME CAPABILITIES-----\n");
    put_file(&fixture, "trusted/a.pem", text.data, text.len, 0);
    open_areas();
    ck_assert_int_eq(areas_find_address(fixture.areas, PUBLIC, "a@x.example", &list, fixture.error, 100), 0);
    ck_assert_uint_eq(list.items[0].capabilities.len, sizeof(extension));
    areas_list_free(&list);
    ck_assert_int_eq(areas_find_address(fixture.areas, TRUSTED, "a@x.example", &list, fixture.error, 100), 0);
    ck_assert_mem_eq(list.items[0].capabilities.data, stored, sizeof(stored));
    areas_list_free(&list);
    buf_free(&text);
    X509_free(a);
    tear_down();
}
END_TEST

START_TEST(listing_in_pages)
{
    char name[40], address[40], last[65] = "";
    struct areas_list list;
    size_t total = 0;

    set_up();
    for (int i = 0; i < 25; i++) {
        X509 *a;

        snprintf(address, sizeof(address), "u%d@x.example", i);
        snprintf(name, sizeof(name), "public/%d.pem", i);
        a = make_certificate(&(struct maker){.address = address, .serial = i + 1});
        put_certificate(&fixture, name, a);
        X509_free(a);
    }
    open_areas();
    do {
        ck_assert_int_eq(areas_list_area(fixture.areas, AREA_PUBLIC, total > 0 ? last : NULL, 10, &list,
                                         fixture.error, 100),
                         0);
        for (size_t i = 0; i < list.count; i++) {
            ck_assert_int_gt(strcmp(list.items[i].fingerprint, last), 0);
            memcpy(last, list.items[i].fingerprint, sizeof(last));
        }
        total += list.count;
        if (list.count == 0)
            break;
        areas_list_free(&list);
    } while (true);
    ck_assert_uint_eq(total, 25);
    tear_down();
}
END_TEST

/* What was parsed once is handed out again, whatever else shares its place; nothing is kept of rubbish. */
START_TEST(parsed_once)
{
    struct cache cache = {0};
    X509 *first[3 * CACHE_PLACES], *again;
    unsigned char *der[3 * CACHE_PLACES];
    char fingerprints[3 * CACHE_PLACES][65];

    for (size_t i = 0; i < 3 * CACHE_PLACES; i++) {
        X509 *made = make_certificate(&(struct maker){.serial = (long)i + 1});
        int len;

        der[i] = NULL;
        len = i2d_X509(made, &der[i]);
        fingerprint_of(made, fingerprints[i]);
        first[i] = areas_cache_get(&cache, fingerprints[i], der[i], (size_t)len);
        ck_assert_int_eq(X509_cmp(first[i], made), 0);
        again = areas_cache_get(&cache, fingerprints[i], der[i], (size_t)len);
        ck_assert_ptr_eq(again, first[i]);
        X509_free(again);
        ck_assert_ptr_null(areas_cache_get(&cache, "00", (const unsigned char *)"rubbish", 7));
        X509_free(made);
    }
    for (size_t i = 0; i < 3 * CACHE_PLACES; i++) {
        char found[65];

        fingerprint_of(first[i], found); /* others have taken its place meanwhile */
        ck_assert_str_eq(found, fingerprints[i]);
        X509_free(first[i]);
        OPENSSL_free(der[i]);
    }
    areas_cache_clear(&cache);
}
END_TEST

UNIT_MAIN("areas-find", by_address, by_serial, by_key_identifier, by_subject_and_crls, private_keys,
          several_keys_in_a_file, capabilities, listing_in_pages, parsed_once)
