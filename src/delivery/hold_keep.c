#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "delivery/hold_private.h"
#include "util/base64.h"
#include "util/fdio.h"
#include "util/log.h"
#include "util/mem.h"

char *hold_copy_name(const unsigned char digest[SHA256_LEN])
{
    struct buf name = {0};

    buf_add_text(&name, "copy-");
    hex_encode_buf(&name, digest, SHA256_LEN);
    return buf_take(&name);
}

/* A file of the directory that is being made: nobody else writes there. */
static int create(int dir, const char *name)
{
    return openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, HOLD_FILE_MODE);
}

static int sync_and_close(int fd, int rc)
{
    int saved = errno;

    if (rc == 0 && fsync(fd) != 0) {
        saved = errno;
        rc = -1;
    }
    fdio_close(&fd);
    errno = saved;
    return rc;
}

static int write_message(int dir, const struct hold_new *entry)
{
    uint64_t size;
    int fd = create(dir, HOLD_MESSAGE);

    if (fd < 0)
        return -1;
    return sync_and_close(fd, fdio_size(entry->fd, &size) == 0 && size >= entry->start
                                  ? fdio_copy_range(entry->fd, entry->start, size - entry->start, fd)
                                  : -1);
}

static int write_record(int dir, const struct message *message, const struct hold_new *entry)
{
    const struct message_envelope *envelope = &message->envelope;
    const struct mime_part *root = message->mime.root;
    char *message_id = root != NULL ? header_value_of(&root->header, "Message-ID") : NULL, none[] = "";
    struct hold_record record = {
        .kind = entry->kind,
        .time = (long long)time(NULL),
        .node = message->config->myhostname,
        .sender = envelope->sender != NULL ? envelope->sender : none,
        .recipients = *entry->recipients,
        .dsn_notify = envelope->dsn_notify,
        .dsn_ret = envelope->dsn_ret,
        .dsn_envid = envelope->dsn_envid,
        .queue_id = envelope->queue_id,
        .message_id = message_id,
        .of = entry->of != NULL ? mem_strdup(entry->of) : NULL,
    };
    struct buf text = {0};
    int fd = create(dir, HOLD_RECORD), rc = -1;
    bool sized;

    sized = fdio_size(entry->fd, &record.size) == 0 && record.size >= entry->start;
    record.size -= entry->start;
    hold_record_compose(&record, &text);
    if (fd >= 0)
        rc = sync_and_close(fd, sized ? fdio_write_all(fd, text.data, text.len) : -1);
    buf_free(&text);
    free(message_id);
    free(record.of);
    return rc;
}

static int add_copy(int dir, const unsigned char *digest)
{
    char *name;
    int fd, rc = -1;

    if (digest == NULL)
        return 0;
    name = hold_copy_name(digest);
    fd = create(dir, name);
    if (fd >= 0 || errno == EEXIST)
        rc = 0;
    fdio_close(&fd);
    free(name);
    return rc;
}

/* What the scanner refused stays refused when a copy of it comes back all the same. */
static int inherit_refusal(struct hold_store *store, int dir, const char *of)
{
    char *mark;
    int rc;

    if (of == NULL || !hold_id_valid(of))
        return 0;
    mark = mem_printf("%s/%s", of, HOLD_MARK_REFUSED);
    rc = linkat(store->dir, mark, dir, HOLD_MARK_REFUSED, 0);
    free(mark);
    return rc == 0 || errno == ENOENT ? 0 : -1;
}

/* Makes the whole entry under another name and renames it. 0; 1: somebody else was faster; -1: errno. */
static int make(struct hold_store *store, const char *id, const struct message *message,
                const struct hold_new *entry)
{
    char *name = hold_unique(HOLD_NEW);
    int dir = mkdirat(store->dir, name, HOLD_DIR_MODE) == 0 ? hold_open_dir(store->dir, name) : -1;
    int rc = -1, saved;

    if (dir >= 0 && write_message(dir, entry) == 0 && write_record(dir, message, entry) == 0 &&
        add_copy(dir, entry->digest) == 0 && inherit_refusal(store, dir, entry->of) == 0 && fsync(dir) == 0) {
        rc = renameat(store->dir, name, store->dir, id);
        if (rc != 0 && hold_there(store->dir, id) == 1)
            rc = 1;
    }
    saved = errno;
    if (rc != 0)
        hold_remove_dir(store->dir, name);
    if (rc == 0 && fsync(store->dir) != 0) {
        saved = errno;
        rc = -1;
    }
    fdio_close(&dir);
    free(name);
    errno = saved;
    return rc;
}

/* It is there; who made it may have died before its name was on disk. */
static int confirm(struct hold_store *store, struct hold *hold, const struct hold_new *entry)
{
    if (add_copy(hold->dir, entry->digest) != 0 || fsync(hold->dir) != 0)
        return -1;
    return fsync(store->dir);
}

static void log_kept(const struct hold_new *entry, const char *id)
{
    char number[24];

    snprintf(number, sizeof(number), "%zu", entry->recipients->count);
    log_event(LOG_LEVEL_INFO, "hold", "id", id, "kind", hold_kind_name(entry->kind), "rcpts", number, "of",
              entry->of, (char *)NULL);
}

bool hold_keep(struct hold_store *store, const struct message *message, const struct hold_new *entry,
               struct outcome *outcome)
{
    char id[HOLD_ID_LEN + 1];
    int rc = 1;

    if (!hold_id(store, message, entry->kind, entry->recipients, id, outcome))
        return false;
    for (int i = 0; i < 2 && rc == 1; i++) {
        struct hold *hold;
        enum hold_found found = hold_open(store, id, &hold, outcome);

        if (found == HOLD_FAILED)
            return false;
        rc = found == HOLD_FOUND ? confirm(store, hold, entry) : make(store, id, message, entry);
        if (found != HOLD_FOUND && rc == 0)
            log_kept(entry, id);
        hold_close(hold);
    }
    if (rc != 0)
        outcome_temporary(outcome, "4.3.1", "HOLD_DIR %s: %s", store->config->hold_dir,
                          rc < 0 ? strerror(errno) : "the entry comes and goes");
    return rc == 0;
}
