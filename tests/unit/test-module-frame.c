/* Frames: what goes in comes out, and nothing that a hostile peer sends gets further than its limit. */
#include "module/frame.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "util/mem.h"

#define SOON_MS  200   /* for what does not come */
#define COMES_MS 20000 /* not for ever */

static int ends[2];

static void open_pair(void)
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
}

/* How many descriptors this process has open. */
static int open_count(void)
{
    int count = 0;

    for (int fd = 0; fd < 1000; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static enum frame_result receive(struct buf *xml, int *fds, size_t *fd_count, int64_t limit_ms)
{
    return frame_receive(ends[1], xml, fds, fd_count, deadline_in(limit_ms));
}

/* Sends octets with descriptors, as no well-behaved peer would. */
static void send_raw(const char *octets, size_t len, size_t fd_count)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(64 * sizeof(int))];
    } control = {0};
    struct iovec part = {.iov_base = mem_dup(octets, len), .iov_len = len};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (fd_count > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        CMSG_FIRSTHDR(&message)->cmsg_level = SOL_SOCKET;
        CMSG_FIRSTHDR(&message)->cmsg_type = SCM_RIGHTS;
        CMSG_FIRSTHDR(&message)->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        for (size_t i = 0; i < fd_count; i++)
            memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)) + i * sizeof(int), &ends[0], sizeof(int));
    }
    ck_assert_int_eq(sendmsg(ends[0], &message, MSG_NOSIGNAL), len);
    free(part.iov_base);
}

START_TEST(there_and_back)
{
    int fds[FRAME_FDS_MAX], sent[3], before;
    size_t fd_count;
    struct buf xml = {0};

    open_pair();
    sent[0] = sent[1] = sent[2] = ends[0];
    before = open_count();
    for (size_t n = 0; n <= 3;
         n++) { /* all are waiting before the first one is read: none takes another's descriptors */
        char *text = mem_printf("<a%zu/>", n);

        ck_assert_int_eq(frame_send(ends[0], text, strlen(text), sent, n, deadline_in(COMES_MS)), FRAME_OK);
        free(text);
    }
    for (size_t n = 0; n <= 3; n++) {
        char *text = mem_printf("<a%zu/>", n);

        ck_assert_int_eq(receive(&xml, fds, &fd_count, COMES_MS), FRAME_OK);
        ck_assert_str_eq(buf_text(&xml), text);
        ck_assert_uint_eq(fd_count, n);
        while (fd_count > 0) {
            ck_assert_int_eq(fcntl(fds[--fd_count], F_GETFD), FD_CLOEXEC);
            close(fds[fd_count]);
        }
        free(text);
    }
    ck_assert_int_eq(open_count(), before);
    ck_assert_int_eq(receive(&xml, fds, &fd_count, SOON_MS), FRAME_TIMEOUT);
    close(ends[0]);
    ck_assert_int_eq(receive(&xml, fds, &fd_count, COMES_MS), FRAME_EOF);
    ck_assert_int_eq(frame_send(ends[1], "x", 1, NULL, 0, deadline_in(COMES_MS)), FRAME_ERROR);
    ck_assert_int_eq(errno, EPIPE);
    buf_free(&xml);
}
END_TEST

/* The largest frame, far beyond the socket's buffer, with the reader slower than the writer. */
START_TEST(largest)
{
    char *big = mem_alloc(FRAME_MAX + 1);
    int fds[FRAME_FDS_MAX];
    size_t fd_count;
    struct buf xml = {0};

    memset(big, 'x', FRAME_MAX);
    open_pair();
    if (fork() == 0)
        _exit(frame_send(ends[0], big, FRAME_MAX, &ends[1], 1, deadline_in(COMES_MS)));
    ck_assert_int_eq(frame_receive(ends[1], &xml, fds, &fd_count, deadline_in(COMES_MS)), FRAME_OK);
    ck_assert_uint_eq(xml.len, FRAME_MAX);
    ck_assert_uint_eq(fd_count, 1);
    ck_assert_int_eq(memcmp(xml.data, big, FRAME_MAX), 0);
    ck_assert_int_eq(frame_send(ends[0], big, FRAME_MAX + 1, NULL, 0, deadline_in(COMES_MS)), FRAME_ERROR);
    ck_assert_int_eq(frame_send(ends[0], big, 0, NULL, 0, deadline_in(COMES_MS)), FRAME_ERROR);
    ck_assert_int_eq(frame_send(ends[0], big, 1, fds, FRAME_FDS_MAX + 1, deadline_in(COMES_MS)), FRAME_ERROR);
    /* Nobody reads: the deadline holds in the middle of a frame. */
    ck_assert_int_eq(frame_send(ends[0], big, FRAME_MAX, NULL, 0, deadline_in(SOON_MS)), FRAME_TIMEOUT);
    buf_free(&xml);
    free(big);
}
END_TEST

static const struct {
    int line;
    const char *octets;
    size_t fd_count; /* with the first octet */
    bool closed;     /* the peer closes then */
    enum frame_result result;
} rubbish[] = {
    {__LINE__, "4194305\n", 0, false, FRAME_DAMAGED},
    {__LINE__, "9999999999\n", 0, false, FRAME_DAMAGED},
    {__LINE__, "18446744073709551617\nx", 0, false, FRAME_DAMAGED},
    {__LINE__, "00000000001\nx", 0, false, FRAME_DAMAGED},
    {__LINE__, "0\n", 0, false, FRAME_DAMAGED},
    {__LINE__, "-1\nx", 0, false, FRAME_DAMAGED},
    {__LINE__, "+1\nx", 0, false, FRAME_DAMAGED},
    {__LINE__, " 1\nx", 0, false, FRAME_DAMAGED},
    {__LINE__, "1 \nx", 0, false, FRAME_DAMAGED},
    {__LINE__, "1\r\nx", 0, false, FRAME_DAMAGED},
    {__LINE__, "0x1\nx", 0, false, FRAME_DAMAGED},
    {__LINE__, "\nx", 0, false, FRAME_DAMAGED},
    {__LINE__, "<request/>", 0, false, FRAME_DAMAGED},
    {__LINE__, "GET / HTTP/1.1\r\n", 0, false, FRAME_DAMAGED},
    {__LINE__, "5", 0, true, FRAME_DAMAGED},
    {__LINE__, "5\n", 0, true, FRAME_DAMAGED},
    {__LINE__, "5\nabcd", 0, true, FRAME_DAMAGED},
    {__LINE__, "5\nabcd", 0, false, FRAME_TIMEOUT},
    {__LINE__, "5", 0, false, FRAME_TIMEOUT},
    {__LINE__, "1\nx", FRAME_FDS_MAX + 1, false, FRAME_DAMAGED},
    {__LINE__, "1\nx", 64, false, FRAME_DAMAGED},
    {__LINE__, "x", 3, false, FRAME_DAMAGED},
    {__LINE__, "1\nx", FRAME_FDS_MAX, false, FRAME_OK},
    {__LINE__, "0000000001\nx", 0, false, FRAME_OK},
};

START_TEST(hostile)
{
    for (size_t i = 0; i < ROWS(rubbish); i++) {
        int fds[FRAME_FDS_MAX], before;
        size_t fd_count = 99;
        struct buf xml = {0};
        enum frame_result result;

        open_pair();
        before = open_count();
        send_raw(rubbish[i].octets, strlen(rubbish[i].octets), rubbish[i].fd_count);
        if (rubbish[i].closed)
            shutdown(ends[0], SHUT_WR);
        result = receive(&xml, fds, &fd_count, rubbish[i].result == FRAME_TIMEOUT ? SOON_MS : COMES_MS);
        ck_assert_msg(result == rubbish[i].result, "line %d: %s", rubbish[i].line, frame_result_text(result));
        ck_assert_msg(result == FRAME_OK || fd_count == 0, "line %d", rubbish[i].line);
        while (fd_count > 0)
            close(fds[--fd_count]);
        ck_assert_msg(open_count() == before, "line %d: a descriptor stayed open", rubbish[i].line);
        close(ends[0]);
        close(ends[1]);
        buf_free(&xml);
    }
}
END_TEST

/* Descriptors belong to the first octet and to nothing else. */
START_TEST(late_descriptors)
{
    static const char *const parts[][2] = {{"2", "\nxy"}, {"2\n", "xy"}, {"2\nx", "y"}};

    for (size_t i = 0; i < ROWS(parts); i++) {
        int fds[FRAME_FDS_MAX], before;
        size_t fd_count;
        struct buf xml = {0};

        open_pair();
        before = open_count();
        send_raw(parts[i][0], strlen(parts[i][0]), 0);
        send_raw(parts[i][1], strlen(parts[i][1]), 1);
        ck_assert_int_eq(receive(&xml, fds, &fd_count, COMES_MS), FRAME_DAMAGED);
        ck_assert_int_eq(open_count(), before);
        close(ends[0]);
        close(ends[1]);
        buf_free(&xml);
    }
}
END_TEST

/* A peer that sends an octet now and then does not stretch the deadline. */
START_TEST(trickle)
{
    int fds[FRAME_FDS_MAX];
    size_t fd_count;
    struct buf xml = {0};
    deadline begun = deadline_in(0);
    pid_t pid;

    open_pair();
    pid = fork();
    if (pid == 0) {
        send_raw("1000000\n", 8, 0);
        for (;;) {
            send_raw("x", 1, 0);
            usleep(1000);
        }
    }
    ck_assert_int_eq(receive(&xml, fds, &fd_count, SOON_MS), FRAME_TIMEOUT);
    ck_assert_int_lt(deadline_in(0) - begun, COMES_MS);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    buf_free(&xml);
}
END_TEST

static bool read_noise(void *context)
{
    char data[65536];
    ssize_t n = read(*(int *)context, data, sizeof data);

    return n > 0;
}

/* Whoever writes much to its log before it answers is not stopped by a full pipe. */
START_TEST(watching)
{
    int fds[FRAME_FDS_MAX], noise[2];
    size_t fd_count;
    struct buf xml = {0};
    struct frame_watch watch = {.ready = read_noise, .context = &noise[0]};

    open_pair();
    ck_assert_int_eq(pipe(noise), 0);
    watch.fd = noise[0];
    if (fork() == 0) {
        static const char block[65536];

        for (int i = 0; i < 20; i++)
            if (write(noise[1], block, sizeof block) < 0)
                _exit(1);
        close(noise[1]);
        _exit(frame_send(ends[0], "<done/>", 7, NULL, 0, deadline_in(COMES_MS)));
    }
    close(noise[1]);
    ck_assert_int_eq(frame_receive_watching(ends[1], &xml, fds, &fd_count, deadline_in(COMES_MS), &watch),
                     FRAME_OK);
    ck_assert_str_eq(buf_text(&xml), "<done/>");
    buf_free(&xml);
}
END_TEST

UNIT_MAIN("module-frame", there_and_back, largest, hostile, late_descriptors, trickle, watching)
