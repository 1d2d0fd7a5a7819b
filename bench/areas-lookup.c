/* Look-up time in the certificate areas for a small and a large store, measured by turns in one run. Prints
   one line per kind of look-up: microseconds in each store (medians) and their ratio.   areas-lookup
   DIRECTORY SMALL LARGE [MOST-RATIO] */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "modules/areas/areas.h"
#include "modules/areas/fields.h"
#include "util/mem.h"

#define ROUNDS 1001

struct store {
    struct areas *areas;
    long count;
    char *folder;
};

struct probe { /* one certificate of a store, with everything it can be found by */
    char address[60], fingerprint[65];
    struct buf issuer, serial, ski;
};

enum kind { BY_ADDRESS, BY_SERIAL, BY_SKI, BY_FINGERPRINT, NOTHING_FOUND, REFRESH, KINDS };
static const char *const kind_names[KINDS] = {"address",     "serial",          "ski",
                                              "fingerprint", "unknown-address", "refresh"};

static void die(const char *what)
{
    fprintf(stderr, "areas-lookup: %s\n", what);
    exit(2);
}

static double now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static X509 *make(EVP_PKEY *key, long number)
{
    X509 *certificate = X509_new();
    X509_NAME *name = X509_NAME_new();
    X509_EXTENSION *extension;
    char text[80], ski[41];

    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), number + 1000);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"Bench CA", -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    snprintf(text, sizeof(text), "User %ld", number);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)text, -1, -1, 0);
    X509_set_subject_name(certificate, name);
    X509_NAME_free(name);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_set_pubkey(certificate, key);
    snprintf(text, sizeof(text), "email:user%ld@bench.example", number);
    extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, text);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    snprintf(ski, sizeof(ski), "%040lx", number);
    extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_key_identifier, ski);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    if (X509_sign(certificate, key, EVP_sha256()) <= 0)
        die("cannot sign");
    return certificate;
}

static void fill(const char *folder, long count)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");

    for (long i = 0; i < count; i++) {
        char *path = mem_printf("%s/public/%ld.pem", folder, i);
        FILE *file = fopen(path, "w");
        X509 *certificate = make(key, i);

        if (file == NULL || PEM_write_X509(file, certificate) != 1 || fclose(file) != 0)
            die(path);
        X509_free(certificate);
        free(path);
    }
    EVP_PKEY_free(key);
}

static struct store open_store(const char *root, long count)
{
    struct store store = {.count = count, .folder = mem_printf("%s/%ld", root, count)};
    struct areas_settings settings = {.rescan_seconds = 3600};
    char error[300];
    double begin;

    mkdir(store.folder, 0755);
    for (int i = 0; i < AREA_COUNT; i++) {
        char *path = mem_printf("%s/%s", store.folder, area_name((enum area)i));

        mkdir(path, 0755);
        settings.directories[i] = path;
    }
    fill(store.folder, count);
    settings.index_file = mem_printf("%s/index.sqlite", store.folder);
    store.areas = areas_open(&settings, error, sizeof(error));
    begin = now_us();
    if (store.areas == NULL || areas_refresh(store.areas, error, sizeof(error)) != 0)
        die(error);
    printf("# first index of %ld certificates: %.1f s\n", count, (now_us() - begin) / 1e6);
    return store;
}

static void choose(struct store *store, struct probe *probe)
{
    struct areas_list list;
    const X509 *certificate;
    unsigned char *der = NULL;
    char error[300];
    int len;

    memset(probe, 0, sizeof(*probe));
    snprintf(probe->address, sizeof(probe->address), "user%ld@bench.example", random() % store->count);
    if (areas_find_address(store->areas, 1u << AREA_PUBLIC, probe->address, &list, error, sizeof(error)) !=
            0 ||
        list.count != 1)
        die(probe->address);
    certificate = list.items[0].certificate;
    snprintf(probe->fingerprint, sizeof(probe->fingerprint), "%s", list.items[0].fingerprint);
    len = i2d_X509_NAME(X509_get_issuer_name(certificate), &der);
    buf_add(&probe->issuer, der, (size_t)len);
    areas_fields_certificate_serial(certificate, &probe->serial);
    areas_fields_ski(list.items[0].certificate, &probe->ski);
    OPENSSL_free(der);
    areas_list_free(&list);
}

static double measure(struct store *store, const struct probe *p, enum kind kind)
{
    struct areas_list list = {0};
    unsigned int mask = 1u << AREA_PUBLIC | 1u << AREA_TRUSTED;
    char error[300];
    double begin = now_us(), took;
    int result = -1;

    switch (kind) {
    case BY_ADDRESS:
        result = areas_find_address(store->areas, mask, p->address, &list, error, sizeof(error));
        break;
    case BY_SERIAL:
        result = areas_find_serial(store->areas, mask, &p->issuer, &p->serial, &list, error, sizeof(error));
        break;
    case BY_SKI:
        result = areas_find_ski(store->areas, mask, &p->ski, &list, error, sizeof(error));
        break;
    case BY_FINGERPRINT:
        result = areas_find_fingerprint(store->areas, mask, p->fingerprint, &list, error, sizeof(error));
        break;
    case NOTHING_FOUND:
        result = areas_find_address(store->areas, mask, "nobody@bench.example", &list, error, sizeof(error));
        break;
    case REFRESH:
    case KINDS:
        result = areas_refresh(store->areas, error, sizeof(error));
        break;
    }
    took = now_us() - begin;
    if (result != 0 || list.count != (kind >= NOTHING_FOUND ? 0u : 1u))
        die(kind_names[kind]);
    areas_list_free(&list);
    return took;
}

static void probe_free(struct probe *probe)
{
    buf_free(&probe->issuer);
    buf_free(&probe->serial);
    buf_free(&probe->ski);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* Both stores by turns, so that whatever else the machine does meets both alike. */
static double compare_stores(struct store stores[2], enum kind kind)
{
    static double times[2][ROUNDS];

    for (int round = 0; round < ROUNDS; round++)
        for (int s = 0; s < 2; s++) {
            struct probe probe;

            choose(&stores[s], &probe);
            times[s][round] = measure(&stores[s], &probe, kind);
            probe_free(&probe);
        }
    for (int s = 0; s < 2; s++)
        qsort(times[s], ROUNDS, sizeof(double), compare);
    printf("%-16s %8.1f us %8.1f us   ratio %.2f\n", kind_names[kind], times[0][ROUNDS / 2],
           times[1][ROUNDS / 2], times[1][ROUNDS / 2] / times[0][ROUNDS / 2]);
    return times[1][ROUNDS / 2] / times[0][ROUNDS / 2];
}

int main(int argc, char **argv)
{
    struct store stores[2];
    double most = argc > 4 ? atof(argv[4]) : 0, worst = 0;
    struct timespec settle = {.tv_sec = 2, .tv_nsec = 200000000};
    char error[300];

    if (argc < 4)
        die("areas-lookup DIRECTORY SMALL LARGE [MOST-RATIO]");
    stores[0] = open_store(argv[1], atol(argv[2]));
    stores[1] = open_store(argv[1], atol(argv[3]));
    nanosleep(&settle, NULL); /* directories younger than two seconds are read again each time */
    for (int s = 0; s < 2; s++)
        if (areas_refresh(stores[s].areas, error, sizeof(error)) != 0)
            die(error);
    printf("%-16s %8ld    %8ld certificates\n", "# look-up", stores[0].count, stores[1].count);
    for (int kind = 0; kind < KINDS; kind++) {
        double ratio = compare_stores(stores, (enum kind)kind);

        worst = ratio > worst ? ratio : worst;
    }
    for (int s = 0; s < 2; s++) {
        areas_close(stores[s].areas);
        free(stores[s].folder);
    }
    return most > 0 && worst > most ? 1 : 0;
}
