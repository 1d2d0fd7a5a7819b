#include "modules/keys-file/learnt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "mail/address.h"
#include "modules/areas/fields.h"
#include "util/base64.h"
#include "util/fdio.h"
#include "util/mem.h"
#include "util/sha256.h"

#define FILE_MAX      8192  /* octets; capabilities have some hundred */
#define ADDRESSES_MAX 20    /* of one certificate; people have one to three */
#define CLOCKS_APART  86400 /* seconds that a sender's clock may go ahead */
#define TIME_LEN      20    /* of "2026-11-21T12:00:00Z" */
#define DAY_LEN       10    /* of "2026-11-21" */

static const char no_time[] = "0000-00-00T00:00:00Z";

static char *certificate_path(const char *folder, const char *fingerprint)
{
    return mem_printf("%s/certificate-%s", folder, fingerprint);
}

/* Names of files say nothing about people. */
static char *address_path(const char *folder, const char *address)
{
    char hex[SHA256_HEX_LEN + 1];

    sha256_hex(address, strlen(address), hex);
    return mem_printf("%s/address-%s", folder, hex);
}

/* A file is the time of the signature and the capabilities in base64, a line each. */
static bool read_file(const char *path, char time_r[TIME_LEN + 1], struct buf *capabilities_r)
{
    struct buf text = {0};
    bool good = fdio_read_file(path, FILE_MAX, &text) == 0 && text.len > TIME_LEN + 1 &&
                text.data[TIME_LEN] == '\n' && text.data[TIME_LEN - 1] == 'Z' &&
                base64_decode_buf(capabilities_r, text.data + TIME_LEN + 1) && capabilities_r->len > 0;

    if (good) {
        memcpy(time_r, text.data, TIME_LEN);
        time_r[TIME_LEN] = '\0';
    } else {
        buf_clear(capabilities_r);
    }
    buf_free(&text);
    return good;
}

/* Does what is known make this superfluous? It is newer; or it says the same and is of the same day, so that
   not every mail of a busy partner is written down. */
static bool is_known(const char *path, const char *signing_time, const struct buf *capabilities)
{
    struct buf known = {0};
    char known_time[TIME_LEN + 1];
    bool superfluous = false;

    if (read_file(path, known_time, &known))
        superfluous = strcmp(known_time, signing_time) >= 0 ||
                      (strncmp(known_time, signing_time, DAY_LEN) == 0 && buf_equal(&known, capabilities));
    buf_free(&known);
    return superfluous;
}

static int write_file(const char *path, const char *signing_time, const struct buf *capabilities)
{
    struct buf text = {0};
    int rc;

    if (is_known(path, signing_time, capabilities))
        return 0;
    buf_printf(&text, "%s\n", signing_time);
    base64_encode_buf(&text, capabilities->data, capabilities->len);
    buf_add_char(&text, '\n');
    rc = fdio_replace_file(path, text.data, text.len, 0640);
    buf_free(&text);
    return rc;
}

static bool is_to_come(const char *signing_time)
{
    time_t limit = time(NULL) + CLOCKS_APART;
    char text[TIME_LEN + 1];
    struct tm tm;

    return gmtime_r(&limit, &tm) == NULL ||
           strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) != TIME_LEN ||
           strcmp(signing_time, text) > 0;
}

static int store_all(const char *folder, const struct learnt_lesson *lesson, const char *signing_time)
{
    struct strlist addresses = {0};
    char *path = certificate_path(folder, lesson->fingerprint);
    int rc = write_file(path, signing_time, lesson->capabilities);

    free(path);
    areas_fields_addresses(lesson->certificate, &addresses);
    for (size_t i = 0; rc == 0 && i < addresses.count && i < ADDRESSES_MAX; i++) {
        path = address_path(folder, addresses.items[i]);
        rc = write_file(path, signing_time, lesson->capabilities);
        free(path);
    }
    strlist_free(&addresses);
    return rc;
}

int learnt_store(const char *folder, const struct learnt_lesson *lesson)
{
    const char *signing_time = lesson->signing_time != NULL ? lesson->signing_time : no_time;
    int fd, rc = -1, saved;

    if (strlen(signing_time) != TIME_LEN || is_to_come(signing_time))
        return 0;
    if (fdio_make_dirs(folder, 0750) != 0 || (fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        return -1;
    /* several workers may have something newer at once */
    if (flock(fd, LOCK_EX) == 0)
        rc = store_all(folder, lesson, signing_time);
    saved = errno;
    fdio_close(&fd);
    errno = saved;
    return rc;
}

bool learnt_find(const char *folder, const char *fingerprint, const char *address, struct buf *capabilities_r)
{
    char *path = certificate_path(folder, fingerprint), *form;
    char ignored[TIME_LEN + 1];
    bool found = read_file(path, ignored, capabilities_r);

    free(path);
    form = found || address == NULL ? NULL : address_normalise(address);
    if (form != NULL) {
        path = address_path(folder, form);
        found = read_file(path, ignored, capabilities_r);
        free(path);
    }
    free(form);
    return found;
}
