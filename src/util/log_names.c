#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/base64.h"
#include "util/fdio.h"
#include "util/log_private.h"
#include "util/mem.h"
#include "util/sha256.h"

#define KEY_LEN    32
#define HMAC_BLOCK 64
#define HASH_SHOWN 8 /* octets, 16 digits */

static enum log_names names_mode = LOG_NAMES_YES;
static unsigned char names_key[KEY_LEN];

/* 0, or -1: missing (ENOENT), readable by others (EACCES), or not a key (EINVAL). */
static int read_key(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    int rc = -1;

    if (fd < 0)
        return -1;
    if (fstat(fd, &st) != 0)
        rc = -1;
    else if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        errno = EACCES;
    else if (st.st_size != KEY_LEN)
        errno = EINVAL;
    else
        rc = fdio_pread_all(fd, names_key, KEY_LEN, 0);
    fdio_close(&fd);
    return rc;
}

/* Several processes may do this at once: link() lets the first one win, all read what won. */
static int make_key(const char *path)
{
    char *temporary = mem_printf("%s.XXXXXX", path);
    int fd = mkostemp(temporary, O_CLOEXEC);
    unsigned char fresh[KEY_LEN];
    int rc = -1;

    if (fd >= 0 && getrandom(fresh, sizeof(fresh), 0) == (ssize_t)sizeof(fresh) &&
        fdio_write_all(fd, fresh, sizeof(fresh)) == 0 && fsync(fd) == 0)
        rc = link(temporary, path) == 0 || errno == EEXIST ? 0 : -1;
    if (fd >= 0)
        unlink(temporary);
    fdio_close(&fd);
    free(temporary);
    mem_wipe(fresh, sizeof(fresh));
    return rc;
}

void log_set_names(enum log_names mode, const char *key_file)
{
    int rc = 0;

    names_mode = mode;
    if (mode != LOG_NAMES_HASH)
        return;
    rc = key_file == NULL ? -1 : read_key(key_file);
    if (rc != 0 && key_file != NULL && errno == ENOENT && make_key(key_file) == 0)
        rc = read_key(key_file);
    if (rc == 0)
        return;
    names_mode = LOG_NAMES_NO; /* rather no name than one in clear */
    log_event(LOG_LEVEL_WARNING, "log-names", "file", key_file, "fault", strerror(errno), "action",
              "addresses are not logged; the file must hold 32 octets and have mode 0600", (char *)NULL);
}

/* HMAC-SHA-256 (RFC 2104) of `text`. */
static void keyed_hash(const char *text, size_t len, unsigned char digest[SHA256_LEN])
{
    unsigned char inner[HMAC_BLOCK], outer[HMAC_BLOCK];
    struct sha256 *s = sha256_new();

    for (size_t i = 0; i < HMAC_BLOCK; i++) {
        unsigned char k = i < KEY_LEN ? names_key[i] : 0;

        inner[i] = k ^ 0x36;
        outer[i] = k ^ 0x5c;
    }
    sha256_update(s, inner, sizeof(inner));
    sha256_update(s, text, len);
    sha256_final(s, digest);
    sha256_update(s, outer, sizeof(outer));
    sha256_update(s, digest, SHA256_LEN);
    sha256_final(s, digest);
    sha256_free(s);
}

const char *log_address(struct buf *scratch, const char *address)
{
    const char *at = strrchr(address, '@');
    unsigned char digest[SHA256_LEN];

    if (names_mode == LOG_NAMES_YES || *address == '\0')
        return address;
    if (names_mode == LOG_NAMES_NO)
        return "-";
    keyed_hash(address, at != NULL ? (size_t)(at - address) : strlen(address), digest);
    buf_clear(scratch);
    hex_encode_buf(scratch, digest, HASH_SHOWN);
    if (at != NULL)
        buf_add_text(scratch, at);
    return buf_text(scratch);
}

char *log_addresses(const struct strlist *addresses)
{
    struct buf names = {0}, scratch = {0};

    for (size_t i = 0; i < addresses->count; i++)
        buf_printf(&names, "%s%s", i > 0 ? "," : "", log_address(&scratch, addresses->items[i]));
    buf_free(&scratch);
    return buf_take(&names);
}
