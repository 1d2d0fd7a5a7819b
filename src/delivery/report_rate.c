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

int report_state_open(const struct config *config, const char *name)
{
    char *dirs[] = {mem_printf("%s/var/run", config->base), mem_strdup(config->journal_dir)};
    int fd = -1;

    for (size_t i = 0; i < 2; i++) {
        if (fd < 0 && dirs[i] != NULL && fdio_make_dirs(dirs[i], 0700) == 0) {
            char *path = mem_printf("%s/%s", dirs[i], name);

            fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
            free(path);
        }
        free(dirs[i]);
    }
    if (fd >= 0 && flock(fd, LOCK_EX) != 0)
        fdio_close(&fd);
    return fd;
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

/* Without a count that can be kept nothing is sent: a flood of notices would be worse, and the log has each
 * one. */
bool report_rate_allow(const struct config *config, const char *kind, unsigned long *held_back_r)
{
    char *name = mem_printf("notice-%s", kind);
    int fd = report_state_open(config, name);
    struct rate_state state;
    bool allowed = false;

    free(name);
    *held_back_r = 0;
    if (fd < 0) {
        log_event(LOG_LEVEL_ERROR, "notice-rate", "kind", kind, "fault", strerror(errno), (char *)NULL);
        return false;
    }
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
