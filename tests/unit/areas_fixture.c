#include "tests/unit/areas_fixture.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <openssl/asn1.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "modules/areas/stamp.h"
#include "util/fdio.h"
#include "util/mem.h"
#include "util/sha256.h"

static int64_t *ahead_s; /* shared with the processes that a test starts */

int __real_clock_gettime(clockid_t clock, struct timespec *t);
int __wrap_clock_gettime(clockid_t clock, struct timespec *t);
int __wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
    int rc = __real_clock_gettime(clock, t);

    if (clock == CLOCK_REALTIME && ahead_s != NULL)
        t->tv_sec += *ahead_s;
    return rc;
}

static void clock_start(void)
{
    ahead_s = mmap(NULL, sizeof(*ahead_s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(ahead_s, MAP_FAILED);
}

void fixture_pass(unsigned int seconds)
{
    *ahead_s += seconds;
}

void fixture_start(struct fixture *fixture)
{
    memset(fixture, 0, sizeof(*fixture));
    clock_start();
    snprintf(fixture->root, sizeof(fixture->root), "/tmp/julia-areas-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(fixture->root));
    for (size_t i = 0; i < AREA_COUNT; i++) {
        char *path = mem_printf("%s/%s", fixture->root, area_name((enum area)i));

        ck_assert_int_eq(mkdir(path, 0755), 0);
        fixture->settings.directories[i] = path;
    }
    fixture->settings.index_file = mem_printf("%s/index.sqlite", fixture->root);
    fixture->settings.rescan_seconds = 86400;
}

void fixture_open(struct fixture *fixture)
{
    fixture->areas = areas_open(&fixture->settings, fixture->error, sizeof(fixture->error));
    ck_assert_msg(fixture->areas != NULL, "%s", fixture->error);
}

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

void fixture_end(struct fixture *fixture)
{
    areas_close(fixture->areas);
    nftw(fixture->root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    for (size_t i = 0; i < AREA_COUNT; i++)
        free((void *)(uintptr_t)fixture->settings.directories[i]);
    free((void *)(uintptr_t)fixture->settings.index_file);
}

void fixture_refresh(struct fixture *fixture)
{
    int result = areas_refresh(fixture->areas, fixture->error, sizeof(fixture->error));

    ck_assert_msg(result == 0, "%s", fixture->error);
}

static time_t tick; /* 0: the file system's own stamps */

void __real_areas_stamp_from_stat(struct areas_stamp *stamp, const struct stat *st);
void __wrap_areas_stamp_from_stat(struct areas_stamp *stamp, const struct stat *st);
void __wrap_areas_stamp_from_stat(struct areas_stamp *stamp, const struct stat *st)
{
    struct stat coarse = *st;

    if (tick != 0)
        coarse.st_mtim = coarse.st_ctim = (struct timespec){.tv_sec = tick};
    __real_areas_stamp_from_stat(stamp, &coarse);
}

void fixture_stop_ticking(void)
{
    tick = time(NULL);
}

void fixture_settle(struct fixture *fixture)
{
    fixture_refresh(fixture);
    fixture_pass(3);
    fixture_refresh(fixture);
}

EVP_PKEY *make_key(const char *type, unsigned int bits)
{
    EVP_PKEY *key = strcmp(type, "EC") == 0 ? EVP_EC_gen(bits == 384 ? "P-384" : "P-256")
                                            : EVP_PKEY_Q_keygen(NULL, NULL, type, (size_t)bits);

    if (key == NULL) { /* RSA-PSS has no short form */
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);

        ck_assert_int_eq(EVP_PKEY_keygen_init(ctx), 1);
        ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits), 1);
        ck_assert_int_eq(EVP_PKEY_generate(ctx, &key), 1);
        EVP_PKEY_CTX_free(ctx);
    }
    ck_assert_ptr_nonnull(key);
    return key;
}

EVP_PKEY *shared_key(void)
{
    static EVP_PKEY *key;

    if (key == NULL)
        key = make_key("EC", 256);
    return key;
}

static void add_extension(X509 *certificate, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&ctx, certificate, certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    ck_assert_msg(extension != NULL, "extension %s", value);
    ck_assert_int_eq(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static void add_subject_alternative(X509 *certificate, const struct maker *maker)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();

    if (maker->address != NULL) {
        GENERAL_NAME *name = GENERAL_NAME_new();
        ASN1_IA5STRING *text = ASN1_IA5STRING_new();

        ASN1_STRING_set(text, maker->address, -1);
        GENERAL_NAME_set0_value(name, GEN_EMAIL, text);
        sk_GENERAL_NAME_push(names, name);
    }
    if (maker->utf8_mailbox != NULL) {
        GENERAL_NAME *name = GENERAL_NAME_new();
        ASN1_TYPE *value = ASN1_TYPE_new();
        ASN1_UTF8STRING *text = ASN1_UTF8STRING_new();

        ASN1_STRING_set(text, maker->utf8_mailbox, -1);
        ASN1_TYPE_set(value, V_ASN1_UTF8STRING, text);
        GENERAL_NAME_set0_othername(name, OBJ_nid2obj(NID_id_on_SmtpUTF8Mailbox), value);
        sk_GENERAL_NAME_push(names, name);
    }
    if (sk_GENERAL_NAME_num(names) > 0)
        ck_assert_int_eq(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0), 1);
    GENERAL_NAMES_free(names);
}

static void set_serial(X509 *certificate, const struct maker *maker)
{
    if (maker->serial_octets != NULL) {
        BIGNUM *number = BN_bin2bn(maker->serial_octets, (int)maker->serial_len, NULL);

        BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
        BN_free(number);
    } else {
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), maker->serial != 0 ? maker->serial : 1);
    }
}

static void set_names(X509 *certificate, const struct maker *maker)
{
    X509_NAME *name = X509_NAME_new();
    const char *subject = maker->subject != NULL ? maker->subject : "Somebody";

    X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)"Test", -1, -1, 0);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)subject, -1, -1, 0);
    if (maker->subject_address != NULL)
        X509_NAME_add_entry_by_NID(name, NID_pkcs9_emailAddress, V_ASN1_IA5STRING,
                                   (const unsigned char *)maker->subject_address, -1, -1, 0);
    X509_set_subject_name(certificate, name);
    X509_set_issuer_name(certificate, maker->issuer != NULL ? X509_get_subject_name(maker->issuer) : name);
    X509_NAME_free(name);
}

X509 *make_certificate(const struct maker *maker)
{
    X509 *certificate = X509_new();
    EVP_PKEY *key = maker->key != NULL ? maker->key : shared_key();
    EVP_PKEY *issuer_key = maker->issuer == NULL       ? key
                           : maker->issuer_key != NULL ? maker->issuer_key
                                                       : shared_key();

    ck_assert_int_eq(X509_set_version(certificate, 2), 1);
    set_serial(certificate, maker);
    set_names(certificate, maker);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    ck_assert_int_eq(X509_set_pubkey(certificate, key), 1);
    add_subject_alternative(certificate, maker);
    if (maker->ca)
        add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
    if (!maker->no_ski)
        add_extension(certificate, NID_subject_key_identifier, "hash");
    if (maker->capabilities != NULL) {
        ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
        X509_EXTENSION *extension;

        ASN1_OCTET_STRING_set(value, maker->capabilities, (int)maker->capabilities_len);
        extension = X509_EXTENSION_create_by_NID(NULL, NID_SMIMECapabilities, 0, value);
        X509_add_ext(certificate, extension, -1);
        X509_EXTENSION_free(extension);
        ASN1_OCTET_STRING_free(value);
    }
    ck_assert_int_gt(X509_sign(certificate, issuer_key, EVP_sha256()), 0);
    return certificate;
}

X509_CRL *make_crl(X509 *issuer, EVP_PKEY *key)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *now = X509_gmtime_adj(NULL, 0), *later = X509_gmtime_adj(NULL, 86400);

    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer));
    X509_CRL_set1_lastUpdate(crl, now);
    X509_CRL_set1_nextUpdate(crl, later);
    ck_assert_int_gt(X509_CRL_sign(crl, key, EVP_sha256()), 0);
    ASN1_TIME_free(now);
    ASN1_TIME_free(later);
    return crl;
}

void fingerprint_of(const X509 *certificate, char hex[65])
{
    unsigned char *der = NULL;
    int len = i2d_X509(certificate, &der);

    ck_assert_int_gt(len, 0);
    sha256_hex(der, (size_t)len, hex);
    OPENSSL_free(der);
}

void put_file(const struct fixture *fixture, const char *name, const void *data, size_t len,
              unsigned int mode)
{
    char *path = mem_printf("%s/%s", fixture->root, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    ck_assert_msg(fd >= 0, "%s", path);
    ck_assert_int_eq(fdio_write_all(fd, data, len), 0);
    ck_assert_int_eq(fchmod(fd, mode != 0 ? (mode_t)mode : 0644), 0);
    close(fd);
    free(path);
}

static void take_bio(struct buf *out, BIO *bio)
{
    char *data;
    long len = BIO_get_mem_data(bio, &data);

    buf_add(out, data, (size_t)len);
    BIO_free(bio);
}

void add_pem(struct buf *out, X509 *certificate)
{
    BIO *bio = BIO_new(BIO_s_mem());

    ck_assert_int_eq(PEM_write_bio_X509(bio, certificate), 1);
    take_bio(out, bio);
}

void add_key_pem(struct buf *out, EVP_PKEY *key, const char *phrase, bool traditional)
{
    BIO *bio = BIO_new(BIO_s_mem());
    const EVP_CIPHER *cipher = phrase != NULL ? EVP_aes_256_cbc() : NULL;
    int len = phrase != NULL ? (int)strlen(phrase) : 0;
    const unsigned char *octets = (const unsigned char *)phrase;

    if (traditional)
        ck_assert_int_eq(PEM_write_bio_PrivateKey_traditional(bio, key, cipher, octets, len, NULL, NULL), 1);
    else
        ck_assert_int_eq(PEM_write_bio_PrivateKey(bio, key, cipher, octets, len, NULL, NULL), 1);
    take_bio(out, bio);
}

void put_certificate(const struct fixture *fixture, const char *name, X509 *certificate)
{
    struct buf pem = {0};

    add_pem(&pem, certificate);
    put_file(fixture, name, pem.data, pem.len, 0);
    buf_free(&pem);
}

void put_key(const struct fixture *fixture, const char *name, EVP_PKEY *key, const char *phrase)
{
    struct buf pem = {0};

    add_key_pem(&pem, key, phrase, false);
    put_file(fixture, name, pem.data, pem.len, 0600);
    buf_wipe(&pem);
}

void remove_file(const struct fixture *fixture, const char *name)
{
    char *path = mem_printf("%s/%s", fixture->root, name);

    ck_assert_int_eq(unlink(path), 0);
    free(path);
}

size_t count_address(struct fixture *fixture, unsigned int mask, const char *address)
{
    struct areas_list list;
    int result =
        areas_find_address(fixture->areas, mask, address, &list, fixture->error, sizeof(fixture->error));
    size_t count = list.count;

    ck_assert_msg(result == 0, "%s", fixture->error);
    areas_list_free(&list);
    return count;
}
