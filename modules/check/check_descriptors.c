#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "modules/check/checks.h"
#include "util/fdio.h"
#include "util/mem.h"

#define HELLO    "<hello version=\"1\"/>"
#define TOO_MANY (FRAME_FDS_MAX + 1)

/* Sends a frame with more descriptors than frame_send() would. */
static bool send_many(struct channel *channel, const char *xml, int fd, size_t count)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(TOO_MANY * sizeof(int))];
    } control = {0};
    char *frame = mem_printf("%zu\n%s", strlen(xml), xml);
    struct iovec part = {.iov_base = frame, .iov_len = strlen(frame)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    bool sent;

    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(count * sizeof(int));
    for (size_t i = 0; i < count; i++)
        memcpy(CMSG_DATA(head) + i * sizeof(int), &fd, sizeof(int));
    sent = sendmsg(channel_fd(channel), &message, MSG_NOSIGNAL) == (ssize_t)part.iov_len;
    free(frame);
    return sent;
}

/* Sends the writing end of a pipe `count` times; when all copies are closed, the reading end says so. */
static void check_closed(struct target *target, const char *name, const char *xml, size_t count, bool refused)
{
    struct channel *channel = peer_open(target);
    int ends[2] = {-1, -1};
    struct pollfd polled = {.events = POLLIN};
    struct reply reply = {.kind = REPLY_LATE};

    if (pipe2(ends, O_CLOEXEC) == 0 && send_many(channel, xml, ends[1], count))
        peer_receive(target, channel, &reply);
    fdio_close(&ends[1]);
    polled.fd = ends[0];
    if (refused && reply.kind != REPLY_CLOSED && !peer_reply_is(&reply, ANSWER_PERMANENT))
        report_bad(&target->report, name, "expected permanent or a closed connection, got: %s",
                   peer_reply_text(&reply));
    else if (!refused && reply.kind != REPLY_ANSWER)
        report_bad(&target->report, name, "%s", peer_reply_text(&reply));
    else if (poll(&polled, 1, (int)target->timeout_ms) != 1)
        report_bad(&target->report, name, "some are still open");
    else
        report_good(&target->report, name);
    fdio_close(&ends[0]);
    peer_reply_free(&reply);
    peer_close(channel);
}

void check_descriptors(struct target *target)
{
    check_closed(target, "17 descriptors with one frame are refused and closed",
                 PEER_REQUEST HELLO "</request>", TOO_MANY, true);
    check_closed(target, "16 descriptors that nobody needs are closed after the request",
                 PEER_REQUEST HELLO "</request>", FRAME_FDS_MAX, false);
    check_closed(target, "descriptors of an unknown operation are closed", PEER_REQUEST "<dance/></request>",
                 3, false);
    check_closed(target, "descriptors of a document that is no XML are closed", "rubbish", 3, true);
    peer_expect(target, "after that, a new caller is served", HELLO, ANSWER_OK);
}
