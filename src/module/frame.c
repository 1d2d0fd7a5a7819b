#include "module/frame.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define HEAD_MAX    10u         /* decimal digits of the length */
#define STEP        (64u << 10) /* memory grows with what really came, not with what was announced */
#define CONTROL_MAX CMSG_SPACE(FRAME_FDS_MAX * sizeof(int))

union control { /* aligned for cmsghdr */
    struct cmsghdr align;
    char octets[CONTROL_MAX];
};

/* Descriptors received with one frame. */
struct catch
{
    int *fds;
    size_t count;
    bool surplus;
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
        enum frame_result result = wait_ready(fd, POLLOUT, until, watch);

        if (result != FRAME_OK)
            return result;
        if (send_some(fd, parts, fds, fd_count) > 0)
            fd_count = 0;
        else if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)
            return FRAME_ERROR;
    }
    return FRAME_OK;
}

enum frame_result frame_send(int fd, const void *xml, size_t len, const int *fds, size_t fd_count,
                             deadline until)
{
    return frame_send_watching(fd, xml, len, fds, fd_count, until, NULL);
}

static void collect(struct msghdr *message, struct catch *caught)
{
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head != NULL; head = CMSG_NXTHDR(message, head)) {
        size_t n;

        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
            continue;
        n = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int got;

            memcpy(&got, CMSG_DATA(head) + i * sizeof got, sizeof got);
            if (caught->count < FRAME_FDS_MAX) {
                caught->fds[caught->count++] = got;
            } else {
                close(got);
                caught->surplus = true;
            }
        }
    }
    if ((message->msg_flags & MSG_CTRUNC) != 0)
        caught->surplus = true;
}

/* Receives at least one octet. FRAME_EOF at the end of the stream. */
static enum frame_result receive_some(int fd, void *data, size_t len, size_t *got_r, struct catch *caught,
                                      deadline until, struct frame_watch *watch)
{
    for (;;) {
        union control control;
        struct iovec part = {.iov_base = data, .iov_len = len};
        struct msghdr message = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
        enum frame_result result = wait_ready(fd, POLLIN, until, watch);
        ssize_t n;

        if (result != FRAME_OK)
            return result;
        n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n > 0) {
            collect(&message, caught);
            *got_r = (size_t)n;
            return FRAME_OK;
        }
        if (n == 0 || errno == ECONNRESET)
            return FRAME_EOF;
        if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)
            return FRAME_ERROR;
    }
}

/* The line before the document, octet by octet: whatever follows the frame belongs to the next one, with its
 * descriptors. */
static enum frame_result receive_head(int fd, size_t *len_r, struct catch *caught, deadline until,
                                      struct frame_watch *watch)
{
    size_t len = 0, first_count = 0;

    for (unsigned int i = 0; i <= HEAD_MAX; i++) {
        char c;
        size_t got;
        enum frame_result result = receive_some(fd, &c, 1, &got, caught, until, watch);

        if (result != FRAME_OK)
            return result == FRAME_EOF && i > 0 ? FRAME_DAMAGED : result;
        if (i == 0)
            first_count = caught->count;
        if (caught->surplus || caught->count != first_count)
            return FRAME_DAMAGED;
        if (c == '\n' && i > 0 && len > 0) {
            *len_r = len;
            return FRAME_OK;
        }
        if (c < '0' || c > '9')
            return FRAME_DAMAGED;
        len = len * 10 + (size_t)(c - '0');
        if (len > FRAME_MAX)
            return FRAME_DAMAGED;
    }
    return FRAME_DAMAGED;
}

static enum frame_result receive_body(int fd, size_t len, struct buf *xml, struct catch *caught,
                                      deadline until, struct frame_watch *watch)
{
    char step[STEP];
    size_t with_head = caught->count;

    while (xml->len < len) {
        size_t left = len - xml->len, got;
        enum frame_result result =
            receive_some(fd, step, left < STEP ? left : STEP, &got, caught, until, watch);

        if (result != FRAME_OK)
            return result == FRAME_EOF ? FRAME_DAMAGED : result;
        if (caught->surplus || caught->count != with_head)
            return FRAME_DAMAGED;
        buf_add(xml, step, got);
    }
    return FRAME_OK;
}

enum frame_result frame_receive_watching(int fd, struct buf *xml, int fds[FRAME_FDS_MAX], size_t *fd_count_r,
                                         deadline until, struct frame_watch *watch)
{
    struct catch caught = {.fds = fds};
    size_t len;
    enum frame_result result;

    buf_clear(xml);
    *fd_count_r = 0;
    result = receive_head(fd, &len, &caught, until, watch);
    if (result == FRAME_OK)
        result = receive_body(fd, len, xml, &caught, until, watch);
    if (result == FRAME_OK) {
        *fd_count_r = caught.count;
        return FRAME_OK;
    }
    while (caught.count > 0)
        close(fds[--caught.count]);
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
