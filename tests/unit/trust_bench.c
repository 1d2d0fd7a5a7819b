#include "tests/unit/trust_bench.h"

#include <ftw.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "util/fdio.h"
#include "util/mem.h"

void bench_start(struct bench *bench, const char *conf)
{
    static const char *const directories[] = {"etc/ca", "etc/trusted", "etc/untrusted", "var/index"};
    struct conf_faults faults = {0};
    char error[512], *path;

    memset(bench, 0, sizeof(*bench));
    snprintf(bench->root, sizeof(bench->root), "/tmp/julia-trust-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(bench->root));
    for (size_t i = 0; i < ROWS(directories); i++) {
        path = mem_printf("%s/%s", bench->root, directories[i]);
        ck_assert_int_eq(fdio_make_dirs(path, 0755), 0);
        free(path);
    }
    path = mem_printf("%s/etc/trust.conf", bench->root);
    ck_assert_int_eq(fdio_replace_file(path, conf, strlen(conf), 0644), 0);
    ck_assert_msg(settings_load(path, bench->root, &bench->settings, &faults), "%s",
                  faults.lines.count > 0 ? faults.lines.items[0] : "?");
    free(path);
    bench->store = store_open(&bench->settings, error, sizeof(error));
    ck_assert_msg(bench->store != NULL, "%s", error);
    bench->terms = (struct terms){.settings = &bench->settings,
                                  .store = bench->store,
                                  .at = PKI_NOW,
                                  .revocation = REVOCATION_OFF,
                                  .until = deadline_in(30000)};
}

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

void bench_end(struct bench *bench)
{
    judgement_free(&bench->judgement);
    store_close(bench->store);
    settings_free(&bench->settings);
    nftw(bench->root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    pki_end();
}

static FILE *new_file(struct bench *bench, const char *area)
{
    static unsigned int number;
    char *path = mem_printf("%s/etc/%s/%u.pem", bench->root, area, ++number);
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    free(path);
    return file;
}

void bench_put(struct bench *bench, const char *area, const X509 *certificate)
{
    FILE *file = new_file(bench, area);

    ck_assert_int_eq(PEM_write_X509(file, certificate), 1);
    ck_assert_int_eq(fclose(file), 0);
}

void bench_put_crl(struct bench *bench, const X509_CRL *crl)
{
    FILE *file = new_file(bench, "ca");

    ck_assert_int_eq(PEM_write_X509_CRL(file, crl), 1);
    ck_assert_int_eq(fclose(file), 0);
}

void bench_remove(struct bench *bench, const char *area)
{
    char *path = mem_printf("%s/etc/%s", bench->root, area);

    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    ck_assert_int_eq(mkdir(path, 0755), 0);
    free(path);
}

/* As the module reads it. */
static struct crl *parsed(const X509_CRL *crl)
{
    unsigned char *der = NULL;
    int len = i2d_X509_CRL(crl, &der);
    struct buf octets = {0};
    struct crl *made;

    ck_assert_int_gt(len, 0);
    buf_add(&octets, der, (size_t)len);
    made = crl_parse(&octets);
    ck_assert_ptr_nonnull(made);
    buf_free(&octets);
    OPENSSL_free(der);
    return made;
}

enum verdict bench_judge(struct bench *bench, const X509 *certificate, enum use use, const char *address,
                         const X509 *const *extras, X509_CRL *const *crls)
{
    X509 *copy = X509_dup(certificate);

    judgement_free(&bench->judgement);
    ck_assert_msg(store_begin(bench->store), "%s", store_error(bench->store));
    for (; extras != NULL && *extras != NULL; extras++)
        store_add_extra(bench->store, X509_dup(*extras));
    for (; crls != NULL && *crls != NULL; crls++)
        store_add_crl(bench->store, parsed(*crls));
    ck_assert_msg(judge(&bench->terms, copy, use, address, &bench->judgement), "no judgement: %s",
                  store_error(bench->store) != NULL ? store_error(bench->store) : "time is up");
    X509_free(copy);
    return bench->judgement.verdict;
}

enum verdict bench_sign(struct bench *bench, const X509 *certificate)
{
    return bench_judge(bench, certificate, USE_SIGN, NULL, NULL, NULL);
}
