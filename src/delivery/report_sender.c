#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "delivery/report_private.h"
#include "mail/address.h"
#include "util/base64.h"
#include "util/fdio.h"
#include "util/log.h"
#include "util/mem.h"

#define SENDERS_MAX                                                                                          \
    100 /* reports to different senders in SENDER_TIME: a flood of forged mail is not passed on */
#define SENDER_TIME 3600 /* seconds */
#define STATE_MAX   65536

/* A report that was sent: to whom, about what. Both are digests: nobody reads addresses here. */
struct answered {
    long long when;
    char sender[SHA256_HEX_LEN + 1], message[SHA256_HEX_LEN + 1];
};

static void name_report(const struct message *message, struct answered *one)
{
    char *form = address_normalise(message->envelope.sender);
    const char *sender = form != NULL ? form : message->envelope.sender;
    struct buf hex = {0};

    one->when = (long long)time(NULL);
    sha256_hex(sender, strlen(sender), one->sender);
    hex_encode_buf(&hex, message->digest, sizeof(message->digest));
    snprintf(one->message, sizeof(one->message), "%s", buf_text(&hex));
    buf_free(&hex);
    free(form);
}

/* Those of the last hour, at most SENDERS_MAX. */
static size_t read_state(int fd, long long now, struct answered list[SENDERS_MAX])
{
    uint64_t size = 0;
    size_t count = 0;
    char *text, *state = NULL;

    if (fdio_size(fd, &size) != 0 || size > STATE_MAX)
        return 0;
    text = mem_alloc((size_t)size + 1);
    if (fdio_pread_all(fd, text, (size_t)size, 0) == 0)
        for (char *line = strtok_r(text, "\n", &state); line != NULL && count < SENDERS_MAX;
             line = strtok_r(NULL, "\n", &state)) {
            struct answered *one = &list[count];

            if (sscanf(line, "%lld %64[0-9a-f] %64[0-9a-f]", &one->when, one->sender, one->message) == 3 &&
                one->when <= now && now - one->when < SENDER_TIME)
                count++;
        }
    free(text);
    return count;
}

static bool write_state(int fd, const struct answered *list, size_t count)
{
    struct buf text = {0};
    bool written;

    for (size_t i = 0; i < count; i++)
        buf_printf(&text, "%lld %s %s\n", list[i].when, list[i].sender, list[i].message);
    written =
        pwrite(fd, buf_text(&text), text.len, 0) == (ssize_t)text.len && ftruncate(fd, (off_t)text.len) == 0;
    buf_free(&text);
    return written;
}

/* Adds `one` if there is room and its sender has had none; the same message again is allowed as before. */
static bool count_in(int fd, const struct answered *one)
{
    struct answered *list = mem_array(SENDERS_MAX, sizeof(*list));
    size_t count = read_state(fd, one->when, list);
    bool before = false, allowed = count < SENDERS_MAX;

    for (size_t i = 0; i < count && !before; i++)
        if (strcmp(list[i].sender, one->sender) == 0) {
            allowed = before = strcmp(list[i].message, one->message) == 0;
            if (!before)
                break;
        }
    if (allowed && !before) {
        list[count] = *one;
        allowed = write_state(fd, list, count + 1);
    }
    free(list);
    return allowed;
}

bool report_sender_allow(const struct message *message)
{
    struct answered one;
    int fd = report_state_open(message->config, "reports");
    bool allowed;

    if (fd < 0) {
        log_event(LOG_LEVEL_ERROR, "report-rate", "fault", strerror(errno), (char *)NULL);
        return false;
    }
    name_report(message, &one);
    allowed = count_in(fd, &one);
    fdio_close(&fd);
    return allowed;
}
