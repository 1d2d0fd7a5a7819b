#include "module/frame.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "util/mem.h"

#define HEAD_MAX    10u         /* decimal digits of the length */
#define STEP        (64u << 10) /* memory grows with what really came, not with what was announced */
#define CONTROL_MAX CMSG_SPACE(FRAME_FDS_MAX * sizeof(int))

union control { /* aligned for cmsghdr */
    struct cmsghdr align;
    char octets[CONTROL_MAX];
};

/* One frame while it comes in. */
struct intake {
    int fd;
    deadline until;
    struct frame_watch *watch;
    int *fds; /* received so far */
    size_t fd_count;
    bool surplus; /* more came than there is room for */
};

/* Waits until `fd` is ready for `events`, serving `watch` meanwhile. */
static enum frame_result wait_ready(int fd, short events, deadline until, struct frame_watch *watch)
{
    while (!deadline_passed(until)) {
        struct pollfd polled[2] = {{.fd = fd, .events = events},
                                   {.fd = watch != NULL ? watch->fd : -1, .events = POLLIN}};
        int n = poll(polled, 2, deadline_poll_timeout(until));

        if (n < 0 && errno != EINTR)
            return FRAME_ERROR;
        if (n > 0 && polled[1].revents != 0 && !watch->ready(watch->context))
            watch->fd = -1;
        if (n > 0 && polled[0].revents != 0)
            return FRAME_OK;
    }
    return FRAME_TIMEOUT;
}

static void attach(struct msghdr *message, union control *control, const int *fds, size_t fd_count)
{
    struct cmsghdr *head;

    if (fd_count == 0)
        return;
    memset(control, 0, sizeof *control);
    message->msg_control = control;
    message->msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
    head = CMSG_FIRSTHDR(message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
    memcpy(CMSG_DATA(head), fds, fd_count * sizeof(int));
}

/* Sends what `parts` still hold; moves them on by what was taken. */
static ssize_t send_some(int fd, struct iovec parts[2], const int *fds, size_t fd_count)
{
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    union control control;
    ssize_t n;
    size_t left;

    attach(&message, &control, fds, fd_count);
    n = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    left = n > 0 ? (size_t)n : 0;
    for (int i = 0; i < 2; i++) {
        size_t taken = left < parts[i].iov_len ? left : parts[i].iov_len;

        parts[i].iov_base = (char *)parts[i].iov_base + taken;
        parts[i].iov_len -= taken;
        left -= taken;
    }
    return n;
}

enum frame_result frame_send_watching(int fd, const void *xml, size_t len, const int *fds, size_t fd_count,
                                      deadline until, struct frame_watch *watch)
{
    union { /* sendmsg() does not write, but iov_base has no const */
        const void *in;
        void *out;
    } body = {.in = xml};
    char head[HEAD_MAX + 2];
    struct iovec parts[2] = {{.iov_base = head}, {.iov_base = body.out, .iov_len = len}};

    if (len == 0 || len > FRAME_MAX || fd_count > FRAME_FDS_MAX) {
        errno = EMSGSIZE;
        return FRAME_ERROR;
    }
    parts[0].iov_len = (size_t)snprintf(head, sizeof head, "%zu\n", len);
    while (parts[0].iov_len + parts[1].iov_len > 0) {
        enum frame_result result;

        if (deadline_passed(until))
            return FRAME_TIMEOUT;
        if (send_some(fd, parts, fds, fd_count) > 0) {
            fd_count = 0;
            continue;
        }
        if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)
            return FRAME_ERROR;
        result = wait_ready(fd, POLLOUT, until, watch);
        if (result != FRAME_OK)
            return result;
    }
    return FRAME_OK;
}

enum frame_result frame_send(int fd, const void *xml, size_t len, const int *fds, size_t fd_count,
                             deadline until)
{
    return frame_send_watching(fd, xml, len, fds, fd_count, until, NULL);
}

static void collect(struct intake *in, struct msghdr *message)
{
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head != NULL; head = CMSG_NXTHDR(message, head)) {
        size_t n;

        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
            continue;
        n = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int got;

            memcpy(&got, CMSG_DATA(head) + i * sizeof got, sizeof got);
            if (in->fd_count < FRAME_FDS_MAX) {
                in->fds[in->fd_count++] = got;
            } else {
                close(got);
                in->surplus = true;
            }
        }
    }
    if ((message->msg_flags & MSG_CTRUNC) != 0)
        in->surplus = true;
}

/* Receives at least one octet; only if there is none yet, it waits. FRAME_EOF at the end of the stream. */
static enum frame_result receive_some(struct intake *in, void *data, size_t len, int flags, size_t *got_r)
{
    while (!deadline_passed(in->until)) {
        union control control;
        struct iovec part = {.iov_base = data, .iov_len = len};
        struct msghdr message = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
        enum frame_result result;
        ssize_t n;

        if ((flags & MSG_PEEK) != 0) /* it would copy the descriptors, too */
            message.msg_controllen = 0;
        n = recvmsg(in->fd, &message, flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n > 0) {
            if ((flags & MSG_PEEK) == 0)
                collect(in, &message);
            *got_r = (size_t)n;
            return FRAME_OK;
        }
        if (n == 0 || errno == ECONNRESET)
            return FRAME_EOF;
        if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)
            return FRAME_ERROR;
        result = wait_ready(in->fd, POLLIN, in->until, in->watch);
        if (result != FRAME_OK)
            return result;
    }
    return FRAME_TIMEOUT;
}

/* Receives at least one octet that is not the frame's first one: no descriptor belongs to it, and no end. */
static enum frame_result receive_more(struct intake *in, void *data, size_t len, size_t *got_r)
{
    size_t with_first = in->fd_count;
    enum frame_result result = receive_some(in, data, len, 0, got_r);

    if (result == FRAME_EOF || in->surplus || in->fd_count != with_first)
        return FRAME_DAMAGED;
    return result;
}

/* How many of the next octets (at most `max`) belong to the line before the document, its newline included.
 */
static enum frame_result peek_head(struct intake *in, size_t max, size_t *len_r)
{
    char ahead[HEAD_MAX];
    const char *newline;
    enum frame_result result = receive_some(in, ahead, max, MSG_PEEK, len_r);

    if (result != FRAME_OK)
        return result == FRAME_EOF ? FRAME_DAMAGED : result;
    newline = memchr(ahead, '\n', *len_r);
    if (newline != NULL)
        *len_r = (size_t)(newline - ahead) + 1;
    return FRAME_OK;
}

/* The line before the document, and not an octet more: what follows the frame belongs to the next one, with
   its descriptors. */
static enum frame_result receive_head(struct intake *in, char head[HEAD_MAX + 1])
{
    size_t len, got;
    enum frame_result result = receive_some(in, head, 1, 0, &len);

    if (result == FRAME_OK && in->surplus)
        return FRAME_DAMAGED;
    while (result == FRAME_OK && head[len - 1] != '\n') {
        if (head[len - 1] < '0' || head[len - 1] > '9' || len == HEAD_MAX + 1)
            return FRAME_DAMAGED;
        result = peek_head(in, HEAD_MAX + 1 - len, &got);
        if (result == FRAME_OK)
            result = receive_more(in, head + len, got, &got);
        len += result == FRAME_OK ? got : 0;
    }
    return result;
}

/* false: no number between 1 and FRAME_MAX. */
static bool read_length(const char *head, size_t *len_r)
{
    *len_r = 0;
    for (; *head >= '0' && *head <= '9'; head++) {
        *len_r = *len_r * 10 + (size_t)(*head - '0');
        if (*len_r > FRAME_MAX)
            return false;
    }
    return *head == '\n' && *len_r > 0;
}

static enum frame_result receive_body(struct intake *in, size_t len, struct buf *xml)
{
    char step[STEP];
    enum frame_result result = FRAME_OK;

    while (result == FRAME_OK && xml->len < len) {
        size_t left = len - xml->len, got;

        result = receive_more(in, step, left < STEP ? left : STEP, &got);
        if (result == FRAME_OK)
            buf_add(xml, step, got);
    }
    mem_wipe(step, len < STEP ? len : STEP); /* it may have been a content key */
    return result;
}

static enum frame_result receive_frame(struct intake *in, struct buf *xml)
{
    char head[HEAD_MAX + 1];
    size_t len;
    enum frame_result result = receive_head(in, head);

    if (result != FRAME_OK)
        return result;
    return read_length(head, &len) ? receive_body(in, len, xml) : FRAME_DAMAGED;
}

enum frame_result frame_receive_watching(int fd, struct buf *xml, int fds[FRAME_FDS_MAX], size_t *fd_count_r,
                                         deadline until, struct frame_watch *watch)
{
    struct intake in = {.fd = fd, .until = until, .watch = watch, .fds = fds};
    enum frame_result result;

    buf_clear(xml);
    result = receive_frame(&in, xml);
    while (result != FRAME_OK && in.fd_count > 0)
        close(fds[--in.fd_count]);
    *fd_count_r = in.fd_count;
    return result;
}

enum frame_result frame_receive(int fd, struct buf *xml, int fds[FRAME_FDS_MAX], size_t *fd_count_r,
                                deadline until)
{
    return frame_receive_watching(fd, xml, fds, fd_count_r, until, NULL);
}

const char *frame_result_text(enum frame_result result)
{
    switch (result) {
    case FRAME_OK:
        return "fine";
    case FRAME_EOF:
        return "the connection was closed";
    case FRAME_TIMEOUT:
        return "no answer in time";
    case FRAME_DAMAGED:
        return "the frame is damaged: bad or too large length, early end, or descriptors that do not belong "
               "to it";
    case FRAME_ERROR:
        break;
    }
    return "the connection failed";
}
