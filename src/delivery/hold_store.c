#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "delivery/hold_private.h"
#include "mail/address.h"
#include "util/base64.h"
#include "util/fdio.h"
#include "util/mem.h"

#define KEY_LEN 32

/* Is this ours: the right type, our own, and writable by nobody else? 0, or -1 with errno EPERM. */
static int check_owner(const struct stat *st, mode_t type)
{
    if ((st->st_mode & S_IFMT) == type && st->st_uid == geteuid() && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0)
        return 0;
    errno = EPERM;
    return -1;
}

static int open_checked(int dir, const char *name, int flags, mode_t type)
{
    struct stat st;
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | flags);

    if (fd >= 0 && (fstat(fd, &st) != 0 || check_owner(&st, type) != 0))
        fdio_close(&fd);
    return fd;
}

int hold_open_dir(int dir, const char *name)
{
    return open_checked(dir, name, O_DIRECTORY, S_IFDIR);
}

int hold_open_file(int dir, const char *name)
{
    return open_checked(dir, name, 0, S_IFREG);
}

int hold_there(int dir, const char *name)
{
    struct stat st;

    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return 1;
    return errno == ENOENT ? 0 : -1;
}

char *hold_unique(const char *prefix)
{
    struct buf name = {0};
    struct timespec now = {0};
    uint64_t number = 0;

    if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number)) {
        clock_gettime(CLOCK_REALTIME, &now);
        number = (uint64_t)now.tv_nsec << 32 ^ (uint64_t)now.tv_sec << 20 ^ (uint64_t)getpid();
    }
    buf_add_text(&name, prefix);
    hex_encode_buf(&name, &number, sizeof(number));
    return buf_take(&name);
}

int hold_create(int dir, const char *name, const void *data, size_t len)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, HOLD_FILE_MODE), saved;

    if (fd < 0 || fdio_write_all(fd, data, len) == 0)
        return fd;
    saved = errno;
    unlinkat(dir, name, 0);
    fdio_close(&fd);
    errno = saved;
    return -1;
}

int hold_write_once(int dir, const char *name, const void *data, size_t len)
{
    char *try = hold_unique(HOLD_TRY);
    int fd = hold_create(dir, try, data, len), rc = -1, saved;

    if (fd >= 0 && fsync(fd) == 0 && (linkat(dir, try, dir, name, 0) == 0 || errno == EEXIST))
        rc = 0;
    saved = errno;
    if (fd >= 0)
        unlinkat(dir, try, 0);
    fdio_close(&fd);
    free(try);
    errno = saved;
    return rc;
}

void hold_remove_dir(int dir, const char *name)
{
    int fd = hold_open_dir(dir, name);
    DIR *listing = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;

    if (listing == NULL) {
        fdio_close(&fd);
        return;
    }
    while ((entry = readdir(listing)) != NULL)
        unlinkat(fd, entry->d_name, 0);
    closedir(listing);
    unlinkat(dir, name, AT_REMOVEDIR);
}

struct hold_store *hold_store_open(const struct config *config, struct outcome *outcome)
{
    struct hold_store *store = mem_alloc(sizeof(*store));

    store->config = config;
    store->dir = -1;
    if (fdio_make_dirs(config->hold_dir, HOLD_DIR_MODE) == 0)
        store->dir = hold_open_dir(AT_FDCWD, config->hold_dir);
    if (store->dir < 0) {
        outcome_temporary(outcome, "4.3.5", "HOLD_DIR %s: %s", config->hold_dir,
                          errno == EPERM ? "must belong to the user of julia, and nobody else may write there"
                                         : strerror(errno));
        hold_store_close(store);
        return NULL;
    }
    store->process = hold_process_name(config);
    return store;
}

void hold_store_close(struct hold_store *store)
{
    if (store == NULL)
        return;
    fdio_close(&store->dir);
    free(store->process);
    free(store);
}

const struct config *hold_store_config(const struct hold_store *store)
{
    return store->config;
}

bool hold_id_valid(const char *id)
{
    return strlen(id) == HOLD_ID_LEN && strspn(id, "0123456789abcdef") == HOLD_ID_LEN;
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int hold_list(struct hold_store *store, struct strlist *ids)
{
    int fd = openat(store->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;

    if (listing == NULL) {
        fdio_close(&fd);
        return -1;
    }
    while ((entry = readdir(listing)) != NULL)
        if (hold_id_valid(entry->d_name))
            strlist_add(ids, entry->d_name);
    closedir(listing);
    if (ids->count > 0)
        qsort(ids->items, ids->count, sizeof(*ids->items), compare_ids);
    return 0;
}

/* All nodes use one key: that of whoever came first. */
static int read_key(struct hold_store *store, unsigned char key[KEY_LEN])
{
    int fd = hold_open_file(store->dir, HOLD_KEY), rc;

    if (fd < 0 && errno == ENOENT) {
        if (getrandom(key, KEY_LEN, 0) != KEY_LEN ||
            hold_write_once(store->dir, HOLD_KEY, key, KEY_LEN) != 0 || fsync(store->dir) != 0)
            return -1;
        fd = hold_open_file(store->dir, HOLD_KEY);
    }
    if (fd < 0)
        return -1;
    rc = fdio_pread_all(fd, key, KEY_LEN, 0);
    fdio_close(&fd);
    return rc;
}

static char **sorted_recipients(const struct strlist *recipients)
{
    char **sorted = mem_array(recipients->count + 1, sizeof(*sorted));

    for (size_t i = 0; i < recipients->count; i++) {
        sorted[i] = address_normalise(recipients->items[i]);
        if (sorted[i] == NULL)
            sorted[i] = mem_strdup(recipients->items[i]);
    }
    qsort(sorted, recipients->count, sizeof(*sorted), compare_ids);
    return sorted;
}

bool hold_id(struct hold_store *store, const struct message *message, enum hold_kind kind,
             const struct strlist *recipients, char id_r[HOLD_ID_LEN + 1], struct outcome *outcome)
{
    unsigned char key[KEY_LEN], digest[SHA256_LEN], kind_octet = (unsigned char)kind;
    struct sha256 *sha;
    char **sorted;
    struct buf text = {0};

    if (read_key(store, key) != 0) {
        outcome_temporary(outcome, "4.3.5", "the key in HOLD_DIR %s: %s", store->config->hold_dir,
                          strerror(errno));
        return false;
    }
    sorted = sorted_recipients(recipients);
    sha = sha256_new();
    sha256_update(sha, key, sizeof(key));
    sha256_update(sha, message->digest, SHA256_LEN);
    sha256_update(sha, &kind_octet, 1);
    for (size_t i = 0; i < recipients->count; i++) {
        sha256_update(sha, sorted[i], strlen(sorted[i]) + 1);
        free(sorted[i]);
    }
    sha256_final(sha, digest);
    sha256_free(sha);
    free(sorted);
    hex_encode_buf(&text, digest, HOLD_ID_LEN / 2);
    snprintf(id_r, HOLD_ID_LEN + 1, "%s", buf_text(&text));
    buf_free(&text);
    mem_wipe(key, sizeof(key));
    return true;
}
