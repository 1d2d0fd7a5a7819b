/* Operation store, the harvest: a partner's certificate becomes a file named by its fingerprint, in the
   public area or in a folder that a person reviews. Nothing is ever overwritten. What the partner said of
   himself along with it is learnt, also for a certificate that was known already. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "modules/areas/fields.h"
#include "modules/areas/file.h"
#include "modules/keys-file/learnt.h"
#include "modules/keys-file/module.h"
#include "util/fdio.h"
#include "util/log.h"
#include "util/mem.h"

/* Certificates of people have 1 to 3 KB; capabilities below 200 octets. */
#define CERTIFICATE_MAX  (64u << 10)
#define CAPABILITIES_MAX (4u << 10)

struct harvest {
    X509 *certificate;
    struct buf der, capabilities;
    char fingerprint[SHA256_HEX_LEN + 1];
};

static void harvest_free(struct harvest *harvest)
{
    X509_free(harvest->certificate);
    buf_free(&harvest->der);
    buf_free(&harvest->capabilities);
}

static bool whole_sequence(const struct buf *der)
{
    const unsigned char *p = (const unsigned char *)der->data;
    long len = 0;
    int tag = 0, class = 0;
    bool ok = der->len > 0 && ASN1_get_object(&p, &len, &tag, &class, (long)der->len) == V_ASN1_CONSTRUCTED &&
              tag == V_ASN1_SEQUENCE && p + len == (const unsigned char *)der->data + der->len;

    ERR_clear_error();
    return ok;
}

/* One certificate and nothing else: a private key cannot hide in it. */
static bool read_harvest(const struct xml_node *body, struct harvest *harvest, struct serve_answer *answer)
{
    const struct xml_node *capabilities = xml_child(body, "capabilities");
    const unsigned char *p;

    if (xml_base64(xml_child(body, "certificate"), &harvest->der) && harvest->der.len <= CERTIFICATE_MAX &&
        harvest->der.len > 0) {
        p = (const unsigned char *)harvest->der.data;
        harvest->certificate = d2i_X509(NULL, &p, (long)harvest->der.len);
        if (p != (const unsigned char *)harvest->der.data + harvest->der.len) {
            X509_free(harvest->certificate);
            harvest->certificate = NULL;
        }
    }
    ERR_clear_error();
    if (harvest->certificate == NULL) {
        serve_fail(answer, ANSWER_PERMANENT, "not-a-certificate",
                   "only one X.509 certificate of at most %u octets is stored", CERTIFICATE_MAX);
        return false;
    }
    if (capabilities != NULL &&
        (!xml_base64(capabilities, &harvest->capabilities) || harvest->capabilities.len > CAPABILITIES_MAX ||
         !whole_sequence(&harvest->capabilities))) {
        serve_fail(answer, ANSWER_PERMANENT, "invalid",
                   "capabilities are not a DER SMIMECapabilities of at most %u octets", CAPABILITIES_MAX);
        return false;
    }
    if (!areas_fields_fingerprint(harvest->der.data, harvest->der.len, harvest->fingerprint)) {
        serve_fail(answer, ANSWER_TEMPORARY, "crypto", "OpenSSL refuses to compute a digest");
        return false;
    }
    return true;
}

/* 1 known, 0 not, -1 cannot tell. */
static int is_known(struct module *module, const char *fingerprint, char *error_r, size_t size)
{
    struct areas_list list;
    int known;

    if (areas_find_fingerprint(module->areas, MODULE_ALL_AREAS, fingerprint, &list, error_r, size) != 0)
        return -1;
    known = list.count > 0;
    areas_list_free(&list);
    return known;
}

static void write_pem(const struct harvest *harvest, struct buf *out)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;
    long len;

    if (bio == NULL || PEM_write_bio_X509(bio, harvest->certificate) != 1 ||
        (harvest->capabilities.len > 0 &&
         PEM_write_bio(bio, FILE_PEM_CAPABILITIES, "", (const unsigned char *)harvest->capabilities.data,
                       (long)harvest->capabilities.len) <= 0)) {
        BIO_free(bio);
        return;
    }
    len = BIO_get_mem_data(bio, &data);
    buf_add(out, data, (size_t)len);
    BIO_free(bio);
}

/* A whole, synced file appears under its name at once, or not at all. 0, or -1 with errno; EEXIST: it is
 * there already. */
static int add_file(const char *folder, const char *name, const struct buf *data)
{
    char *final = mem_printf("%s/%s", folder, name),
         *hidden = mem_printf("%s/.%s.%ld", folder, name, (long)getpid());
    int fd = open(hidden, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644), result = -1, saved;

    if (fd >= 0) {
        /* whatever the umask is: who may enter the folder may read the certificates in it */
        result = fchmod(fd, 0644) == 0 && fdio_write_all(fd, data->data, data->len) == 0 && fsync(fd) == 0 &&
                         link(hidden, final) == 0
                     ? 0
                     : -1;
        saved = errno;
        unlink(hidden);
        fdio_close(&fd);
        if (result == 0)
            result = fdio_sync_directory(folder);
        else
            errno = saved;
    }
    free(final);
    free(hidden);
    return result;
}

static void save(const char *folder, const struct harvest *harvest, struct serve_answer *answer)
{
    char name[SHA256_HEX_LEN + 8];
    struct buf pem = {0};

    snprintf(name, sizeof(name), "%s.pem", harvest->fingerprint);
    write_pem(harvest, &pem);
    if (pem.len == 0) {
        serve_fail(answer, ANSWER_TEMPORARY, "internal", "the certificate could not be written as PEM");
    } else if (add_file(folder, name, &pem) == 0) {
        xml_open(&answer->writer, "store");
        xml_put(&answer->writer, "fingerprint", harvest->fingerprint);
        xml_close(&answer->writer);
        log_event(LOG_LEVEL_INFO, "stored", "folder", folder, "file", name, (char *)NULL);
    } else if (errno == EEXIST) {
        serve_fail(answer, ANSWER_NONE, "known", "%s/%s is there already", folder, name);
    } else {
        serve_fail(answer, ANSWER_TEMPORARY, "not-stored", "%s/%s: %s", folder, name, strerror(errno));
    }
    buf_free(&pem);
}

static void store(struct module *module, const struct harvest *harvest, bool review,
                  struct serve_answer *answer)
{
    const char *folder = review ? module->settings.review : module->settings.public_area;
    char error[MODULE_ERROR_MAX] = "";
    int known = is_known(module, harvest->fingerprint, error, sizeof(error));

    if (known < 0)
        serve_fail(answer, ANSWER_TEMPORARY, "store-unreadable", "%s", error);
    else if (known)
        serve_fail(answer, ANSWER_NONE, "known", "the certificate %s is known already", harvest->fingerprint);
    else if (review && fdio_make_dirs(folder, 0750) != 0)
        serve_fail(answer, ANSWER_TEMPORARY, "not-stored", "%s: %s", folder, strerror(errno));
    else
        save(folder, harvest, answer);
}

/* Of a certificate that could be stored, or was before. Not learning costs no mail: it is logged. */
static void learn(const struct module *module, const struct harvest *harvest, const char *signing_time)
{
    const struct learnt_lesson lesson = {.certificate = harvest->certificate,
                                         .fingerprint = harvest->fingerprint,
                                         .capabilities = &harvest->capabilities,
                                         .signing_time = signing_time};

    if (harvest->capabilities.len > 0 && learnt_store(module->settings.capabilities, &lesson) != 0)
        log_event(LOG_LEVEL_WARNING, "not-learnt", "folder", module->settings.capabilities, "text",
                  strerror(errno), (char *)NULL);
}

void store_run(const struct serve_request *request, struct serve_answer *answer, void *context)
{
    struct module *module = context;
    bool review = strcmp(xml_attribute(request->body, "area"), "review") == 0;
    struct harvest harvest = {0};

    if (module_areas(module, answer) == NULL)
        return;
    if (read_harvest(request->body, &harvest, answer)) {
        store(module, &harvest, review, answer);
        if (answer->status == ANSWER_OK || answer->status == ANSWER_NONE)
            learn(module, &harvest, xml_attribute(request->body, "signing-time"));
    }
    harvest_free(&harvest);
}
