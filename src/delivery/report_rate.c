#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "delivery/report_private.h"
#include "util/fdio.h"
#include "util/log.h"
#include "util/mem.h"

#define NOTICE_RATE  10   /* notices of one kind in NOTICE_HOUR, all messages together */
#define NOTICE_HOUR  3600 /* seconds */
#define STATE_FORMAT "%020lld %010lu %010lu\n"
#define STATE_LEN    43

struct rate_state {
    long long since;         /* when the hour began */
    unsigned long sent;      /* in this hour */
    unsigned long held_back; /* since the last one sent */
};

/* Where such files may lie; the first that can be had is used. */
static void state_folders(const struct config *config, struct strlist *folders)
{
    char *run = mem_printf("%s/var/run", config->base);

    strlist_add(folders, run);
    if (config->journal_dir != NULL)
        strlist_add(folders, config->journal_dir);
    free(run);
}

int report_state_open(const struct config *config, const char *name)
{
    struct strlist folders = {0};
    int fd = -1;

    state_folders(config, &folders);
    for (size_t i = 0; fd < 0 && i < folders.count; i++) {
        if (fdio_make_dirs(folders.items[i], 0700) == 0) {
            char *path = mem_printf("%s/%s", folders.items[i], name);

            fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
            free(path);
        }
    }
    strlist_free(&folders);
    if (fd >= 0 && flock(fd, LOCK_EX) != 0)
        fdio_close(&fd);
    return fd;
}

void report_state_list(const struct config *config, const char *prefix, struct strlist *names)
{
    struct strlist folders = {0};

    state_folders(config, &folders);
    for (size_t i = 0; i < folders.count; i++) {
        DIR *dir = opendir(folders.items[i]);
        struct dirent *entry;

        while (dir != NULL && (entry = readdir(dir)) != NULL)
            if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 && !strlist_has(names, entry->d_name))
                strlist_add(names, entry->d_name);
        if (dir != NULL)
            closedir(dir);
    }
    strlist_free(&folders);
}

static void read_state(int fd, struct rate_state *state)
{
    char text[STATE_LEN + 1] = "";
    long long now = (long long)time(NULL);

    *state = (struct rate_state){.since = now};
    if (fdio_pread_all(fd, text, STATE_LEN, 0) == 0 &&
        sscanf(text, "%lld %lu %lu", &state->since, &state->sent, &state->held_back) != 3)
        *state = (struct rate_state){.since = now};
    if (state->since > now || now - state->since >= NOTICE_HOUR) {
        state->since = now;
        state->sent = 0;
    }
}

static int write_state(int fd, const struct rate_state *state)
{
    char text[STATE_LEN + 20];

    snprintf(text, sizeof(text), STATE_FORMAT, state->since, state->sent, state->held_back);
    return pwrite(fd, text, STATE_LEN, 0) == STATE_LEN ? 0 : -1;
}

static int open_kind(const struct config *config, const char *kind)
{
    char *name = mem_printf(REPORT_RATE_PREFIX "%s", kind);
    int fd = report_state_open(config, name);

    if (fd < 0)
        log_event(LOG_LEVEL_ERROR, "notice-rate", "kind", kind, "fault", strerror(errno), (char *)NULL);
    free(name);
    return fd;
}

/* Without a count that can be kept nothing is sent: a flood of notices would be worse, and the log has each
 * one. */
bool report_rate_allow(const struct config *config, const char *kind, unsigned long *held_back_r)
{
    int fd = open_kind(config, kind);
    struct rate_state state;
    bool allowed = false;

    *held_back_r = 0;
    if (fd < 0)
        return false;
    read_state(fd, &state);
    allowed = state.sent < NOTICE_RATE;
    if (allowed) {
        *held_back_r = state.held_back;
        state.held_back = 0;
        state.sent++;
    } else {
        state.held_back++;
    }
    if (write_state(fd, &state) != 0)
        allowed = false;
    fdio_close(&fd);
    return allowed;
}

unsigned long report_rate_take(const struct config *config, const char *kind)
{
    int fd = open_kind(config, kind);
    struct rate_state state;
    unsigned long taken = 0;

    if (fd < 0)
        return 0;
    read_state(fd, &state);
    if (state.sent == 0 && state.held_back > 0) { /* the hour is over */
        taken = state.held_back;
        state.held_back = 0;
        if (write_state(fd, &state) != 0)
            taken = 0;
    }
    fdio_close(&fd);
    return taken;
}

void report_rate_untake(const struct config *config, const char *kind, unsigned long count)
{
    int fd = open_kind(config, kind);
    struct rate_state state;

    if (fd < 0)
        return;
    read_state(fd, &state);
    state.held_back += count;
    if (write_state(fd, &state) != 0)
        log_event(LOG_LEVEL_ERROR, "notice-rate", "kind", kind, "fault", strerror(errno), (char *)NULL);
    fdio_close(&fd);
}
