/* A module written with module_serve(): every frame that either side writes fits modules/protocol.rng,
   hostile requests never reach an operation, and a service survives its callers. */
#include "module/serve.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "module/call.h"
#include "tests/unit/module_rng.h"
#include "tests/unit/unit.h"
#include "util/mem.h"

#define NS         "xmlns=\"" XML_NAMESPACE "\""
#define TIMEOUT_MS 20000 /* not for ever */

/* ---- a module ---- */

struct state {
    int opened, closed;
};

static void run_find(const struct serve_request *request, struct serve_answer *answer, void *module)
{
    struct xml_writer *w = &answer->writer;

    (void)module;
    xml_open(w, "find");
    for (const struct xml_node *q = request->body->children; q != NULL; q = q->next) {
        const char *address = xml_attribute(q, "address");

        xml_open(w, "result");
        xml_put(w, "n", xml_attribute(q, "n"));
        xml_put(w, "status", address != NULL ? "none" : "temporary");
        xml_put(w, "text", address);
        xml_close(w);
    }
    xml_close(w);
}

static void run_list(const struct serve_request *request, struct serve_answer *answer, void *module)
{
    const char *area = xml_attribute(request->body, "area");

    (void)module;
    xml_open(&answer->writer, "list");
    if (strcmp(area, "public") == 0) {
        serve_fail(answer, ANSWER_INTERACTION, "passphrase", "somebody must come: <%s> & soon \x01", area);
    } else if (strcmp(area, "ca") == 0) {
        xml_put(&answer->writer, "more", "no"); /* and never closed */
    } else if (strcmp(area, "trusted") == 0) {
        char *big = mem_alloc(FRAME_MAX + 1);

        memset(big, 'x', FRAME_MAX);
        xml_put(&answer->writer, "more", big);
        xml_close(&answer->writer);
        free(big);
    } else {
        xml_put(&answer->writer, "more", "no");
        xml_close(&answer->writer);
    }
}

/* Says what it was given: as a grant's answer is a bare status, by reason. */
static void run_grant(const struct serve_request *request, struct serve_answer *answer, void *module)
{
    const struct state *state = module;

    if (request->peer_uid != getuid() || state->opened != state->closed + 1)
        serve_fail(answer, ANSWER_PERMANENT, "wrong-state", "opened %d, closed %d", state->opened,
                   state->closed);
}

/* Its length names a descriptor that must be a file, its key one that must be a socket. */
static void run_open(const struct serve_request *request, struct serve_answer *answer, void *module)
{
    (void)module;
    if (strcmp(xml_attribute(request->body, "key"), "end") == 0) {
        raise(SIGTERM);
    } else if (strcmp(xml_attribute(request->body, "key"), "reload") == 0) {
        raise(SIGHUP);
    } else if (strcmp(xml_attribute(request->body, "key"), "socket") == 0
                   ? serve_fd_socket(request, request->body, "length", answer) < 0
                   : serve_fd_regular(request, request->body, "length", answer) < 0) {
        return;
    }
    xml_open(&answer->writer, "open");
    xml_open(&answer->writer, "content-key");
    xml_put_base64(&answer->writer, "key", 3);
    xml_close(&answer->writer);
    xml_close(&answer->writer);
}

static void *on_open(void *module, uid_t uid)
{
    (void)uid;
    ((struct state *)module)->opened++;
    return module;
}

static void on_close(void *module, void *connection)
{
    if (module == connection)
        ((struct state *)module)->closed++;
}

static bool admit(const char *operation, unsigned int number, const struct serve_request *request,
                  struct serve_answer *answer, void *module)
{
    (void)module;
    if (strcmp(operation, "grant") != 0 || (number == 0 && request->connection == module))
        return true;
    serve_fail(answer, ANSWER_PERMANENT, "not-first", "frame %u", number);
    return false;
}

static int run_module(void)
{
    static const struct serve_operation operations[] = {
        {"find", run_find}, {"list", run_list}, {"grant", run_grant}, {"open", run_open}, {NULL, NULL}};
    struct state state = {0};
    struct serve_module module = {.name = "test",
                                  .role = "keys",
                                  .operations = operations,
                                  .module = &state,
                                  .connection_open = on_open,
                                  .connection_close = on_close,
                                  .admit = admit};

    return module_serve(&module);
}

/* ---- starting it ---- */

static pid_t start_on(int fd)
{
    pid_t pid = fork();

    if (pid == 0) {
        dup2(fd, STDIN_FILENO);
        for (int i = 3; i < 100; i++)
            close(i);
        _exit(run_module());
    }
    return pid;
}

static int connected(pid_t *pid_r)
{
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    *pid_r = start_on(ends[1]);
    close(ends[1]);
    return ends[0];
}

static int exit_status(pid_t pid)
{
    int status = -1;

    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status), "it was killed by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

static char socket_dir[] = "/tmp/julia-test-XXXXXX";
static struct sockaddr_un socket_address = {.sun_family = AF_UNIX};

static int listening_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_ptr_nonnull(mkdtemp(socket_dir));
    snprintf(socket_address.sun_path, sizeof socket_address.sun_path, "%s/s", socket_dir);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&socket_address, sizeof socket_address), 0);
    ck_assert_int_eq(listen(fd, 10), 0);
    return fd;
}

static int connect_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(connect(fd, (struct sockaddr *)&socket_address, sizeof socket_address), 0);
    return fd;
}

static void remove_socket(void)
{
    unlink(socket_address.sun_path);
    rmdir(socket_dir);
}

/* ---- asking it, frame by frame ---- */

/* The answer to one frame as "STATUS REASON ID", "closed", or "damaged". */
static const char *exchange(int fd, const char *xml, const int *fds, size_t fd_count)
{
    static char result[300];
    struct buf answer = {0};
    int got[FRAME_FDS_MAX];
    size_t got_count;
    char error[300];
    struct xml_node *root;

    if (frame_send(fd, xml, strlen(xml), fds, fd_count, deadline_in(TIMEOUT_MS)) != FRAME_OK ||
        frame_receive(fd, &answer, got, &got_count, deadline_in(TIMEOUT_MS)) != FRAME_OK)
        return "closed";
    ck_assert_msg(module_rng_valid(answer.data, answer.len), "%s", answer.data);
    root = xml_parse(answer.data, answer.len, error, sizeof error);
    ck_assert_msg(root != NULL, "%s", error);
    snprintf(result, sizeof result, "%s %s %s", xml_attribute(root, "status"),
             xml_attribute(root, "reason") != NULL ? xml_attribute(root, "reason") : "-",
             xml_attribute(root, "id"));
    xml_free(root);
    buf_free(&answer);
    return result;
}

#define REQUEST(body) "<request " NS " id=\"a\" deadline=\"20000\">" body "</request>"
#define FIND          "<find><query n=\"0\" use=\"sign\" address=\"a@b.example\"/></find>"
#define GRANT         "<grant><allow key=\"test:1\" operation=\"sign\" count=\"1\"/></grant>"
#define OPEN(key, descriptor)                                                                                \
    "<open key=\"" key "\" length=\"" descriptor "\" "                                                       \
    "scheme=\"rsa-pkcs1\"><encrypted>eA==</encrypted></open>"

static const struct {
    int line;
    const char *xml, *answer;
    bool ends; /* the connection, afterwards */
} requests[] = {
    {__LINE__, REQUEST("<hello version=\"1\"/>"), "ok - a", false},
    {__LINE__, REQUEST("<hello version=\"2\"/>"), "permanent version a", false},
    {__LINE__, REQUEST("<hello/>"), "permanent invalid a", false},
    {__LINE__, REQUEST(FIND), "ok - a", false},
    {__LINE__, REQUEST("<find><query n=\"0\" use=\"sign\" address=\"\xC3\xBC@b\"/></find>"), "ok - a", false},
    {__LINE__, REQUEST("<find/>"), "permanent invalid a", false},
    {__LINE__, REQUEST("<find x=\"y\"/>"), "permanent invalid a", false},
    {__LINE__, REQUEST("<dance/>"), "permanent unknown-operation a", false},
    {__LINE__, REQUEST("<store area=\"public\"><certificate/></store>"), "permanent unknown-operation a",
     false},
    {__LINE__, REQUEST("<validate/>"), "permanent unknown-operation a", false},
    {__LINE__, REQUEST("<list area=\"private\"/>"), "ok - a", false},
    {__LINE__, REQUEST("<list area=\"public\"/>"), "interaction passphrase a", false},
    {__LINE__, REQUEST("<list area=\"ca\"/>"), "temporary internal a", false},
    {__LINE__, REQUEST("<list area=\"trusted\"/>"), "temporary too-large a", false},
    {__LINE__, "<request " NS " id=\"a\" deadline=\"0\">" FIND "</request>", "temporary timeout a", false},
    {__LINE__, REQUEST(GRANT), "ok - a", false},
    {__LINE__, REQUEST(OPEN("file", "0")), "permanent invalid a", false},
    {__LINE__, "<request " NS " id=\"a\">" FIND "</request>", "permanent invalid ", true},
    {__LINE__, "<request " NS " id=\"a b\" deadline=\"1\">" FIND "</request>", "permanent invalid ", true},
    {__LINE__, "<request " NS " id=\"a\" deadline=\"-1\">" FIND "</request>", "permanent invalid ", true},
    {__LINE__, REQUEST(""), "permanent invalid ", true},
    {__LINE__, REQUEST(FIND FIND), "permanent invalid ", true},
    {__LINE__, REQUEST("text" FIND), "permanent invalid ", true},
    {__LINE__, "<answer " NS " id=\"a\" status=\"ok\"/>", "permanent invalid ", true},
    {__LINE__, "<request id=\"a\" deadline=\"1\">" FIND "</request>", "permanent invalid ", true},
    {__LINE__, "rubbish", "permanent invalid ", true},
    {__LINE__, "<!DOCTYPE x [<!ENTITY a \"aaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]><request>&b;</request>",
     "permanent invalid ", true},
};

START_TEST(every_request)
{
    pid_t pid;
    int fd = connected(&pid);
    const char *answer = exchange(fd, requests[_i].xml, NULL, 0);

    ck_assert_msg(strcmp(answer, requests[_i].answer) == 0, "line %d: %s", requests[_i].line, answer);
    answer = exchange(fd, REQUEST(FIND), NULL, 0);
    ck_assert_msg(strcmp(answer, requests[_i].ends ? "closed" : "ok - a") == 0, "line %d, then: %s",
                  requests[_i].line, answer);
    close(fd);
    ck_assert_int_eq(exit_status(pid), 0);
}
END_TEST

START_TEST(damaged_frames)
{
    static const char *const octets[] = {"4194305\n", "x", "\n", "GET / HTTP/1.0\r\n\r\n", "-5\n"};

    for (size_t i = 0; i < ROWS(octets); i++) {
        pid_t pid;
        int fd = connected(&pid), got[FRAME_FDS_MAX];
        size_t got_count;
        struct buf answer = {0};

        ck_assert_int_gt(send(fd, octets[i], strlen(octets[i]), MSG_NOSIGNAL), 0);
        ck_assert_int_eq(frame_receive(fd, &answer, got, &got_count, deadline_in(TIMEOUT_MS)), FRAME_OK);
        ck_assert_ptr_nonnull(strstr(buf_text(&answer), "reason=\"damaged\""));
        ck_assert(module_rng_valid(answer.data, answer.len));
        ck_assert_str_eq(exchange(fd, REQUEST(FIND), NULL, 0), "closed");
        buf_free(&answer);
        close(fd);
        ck_assert_int_eq(exit_status(pid), 0);
    }
}
END_TEST

/* Descriptors are what the document says they are, and none is left behind. */
START_TEST(descriptors)
{
    static const struct {
        int line;
        const char *xml, *answer;
    } rows[] = {
        {__LINE__, REQUEST(OPEN("file", "0")), "ok - a"},
        {__LINE__, REQUEST(OPEN("file", "1")), "permanent invalid a"}, /* a socket */
        {__LINE__, REQUEST(OPEN("file", "2")), "permanent invalid a"}, /* a directory */
        {__LINE__, REQUEST(OPEN("file", "3")), "permanent invalid a"}, /* a device */
        {__LINE__, REQUEST(OPEN("file", "4")), "permanent invalid a"}, /* none */
        {__LINE__, REQUEST(OPEN("file", "9007199254740991")), "permanent invalid a"},
        {__LINE__, REQUEST(OPEN("socket", "1")), "ok - a"},
        {__LINE__, REQUEST(OPEN("socket", "0")), "permanent invalid a"},
        {__LINE__, REQUEST("<dance/>"), "permanent unknown-operation a"},
    };
    pid_t pid;
    int fd = connected(&pid), fds[4] = {open("/etc/passwd", O_RDONLY), fd, open("/tmp", O_RDONLY), -1};

    fds[3] = open("/dev/null", O_RDWR);
    for (int round = 0; round < 100; round++) {
        for (size_t i = 0; i < ROWS(rows); i++) {
            const char *answer = exchange(fd, rows[i].xml, fds, 4);

            ck_assert_msg(strcmp(answer, rows[i].answer) == 0, "line %d, round %d: %s", rows[i].line, round,
                          answer);
        }
    }
    close(fd);
    /* fds[1] is the connection itself: the module held it open for nobody, or this would wait for ever */
    ck_assert_int_eq(exit_status(pid), 0);
}
END_TEST

START_TEST(grant_comes_first)
{
    static const char *const first[] = {REQUEST(FIND), REQUEST("<dance/>"), REQUEST("<find/>"),
                                        REQUEST(GRANT), REQUEST("<hello version=\"1\"/>")};

    for (size_t i = 0; i < ROWS(first); i++) {
        pid_t pid;
        int fd = connected(&pid);

        exchange(fd, first[i], NULL, 0);
        ck_assert_str_eq(exchange(fd, REQUEST(GRANT), NULL, 0), "permanent not-first a");
        close(fd);
        ck_assert_int_eq(exit_status(pid), 0);
    }
}
END_TEST

/* One worker, many callers; each of them may misbehave. */
START_TEST(listening)
{
    int listener = listening_socket();
    pid_t pid = start_on(listener);
    char *spec = mem_printf("unix:%s", socket_address.sun_path);
    struct call_module *modules[3];
    struct call_answer a;
    struct buf find = {0};

    buf_add_text(&find, "<find " NS "><query n=\"0\" use=\"sign\" address=\"a@b.example\"/></find>");
    for (int i = 0; i < 3; i++)
        modules[i] = call_module_new(spec, "keys", "/x", TIMEOUT_MS, DEADLINE_NEVER);
    for (int round = 0; round < 50; round++) { /* none of them keeps the only worker from the others */
        int rude = connect_socket();

        if (round % 2 == 0)
            (void)send(rude, "100\n<", 5, MSG_NOSIGNAL);
        close(rude);
        call_ask(modules[round % 3], "find", &find, NULL, 0, &a);
        ck_assert_msg(a.status == ANSWER_OK, "%s", a.text);
        call_answer_free(&a);
    }
    for (int i = 0; i < 3; i++)
        call_module_free(modules[i]);
    ck_assert_int_eq(kill(pid, SIGTERM), 0);
    ck_assert_int_eq(exit_status(pid), 0);
    buf_free(&find);
    free(spec);
    remove_socket();
}
END_TEST

/* SIGTERM waits for the running request, SIGHUP for the running connection. */
START_TEST(signals)
{
    int listener = listening_socket();

    for (int hangup = 0; hangup < 2; hangup++) {
        pid_t pid = start_on(listener);
        int fd = connect_socket();

        ck_assert_str_eq(exchange(fd, REQUEST(FIND), NULL, 0), "ok - a");
        ck_assert_str_eq(
            exchange(fd, hangup ? REQUEST(OPEN("reload", "0")) : REQUEST(OPEN("end", "0")), NULL, 0),
            "ok - a");
        ck_assert_str_eq(exchange(fd, REQUEST(FIND), NULL, 0), hangup ? "ok - a" : "closed");
        close(fd);
        ck_assert_int_eq(exit_status(pid), 0);
    }
    remove_socket();
}
END_TEST

START_TEST(not_a_socket)
{
    int ends[2], file = open("/etc/passwd", O_RDONLY);

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(exit_status(start_on(ends[0])), 2);
    ck_assert_int_eq(exit_status(start_on(file)), 2);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    ck_assert_int_eq(exit_status(start_on(ends[0])), 2);
}
END_TEST

/* ---- what the core writes ---- */

/* Validates every frame of both directions on its way. */
static void relay(int core, int module)
{
    struct buf xml = {0};

    for (;;) {
        struct pollfd polled[2] = {{.fd = core, .events = POLLIN}, {.fd = module, .events = POLLIN}};
        int fds[FRAME_FDS_MAX];
        size_t fd_count;

        if (poll(polled, 2, TIMEOUT_MS) <= 0)
            _exit(3);
        for (int i = 0; i < 2; i++) {
            if (polled[i].revents == 0)
                continue;
            if (frame_receive(polled[i].fd, &xml, fds, &fd_count, deadline_in(TIMEOUT_MS)) != FRAME_OK)
                _exit(0);
            if (!module_rng_valid(xml.data, xml.len)) {
                fprintf(stderr, "not valid: %s\n", xml.data);
                _exit(4);
            }
            (void)frame_send(polled[1 - i].fd, xml.data, xml.len, fds, fd_count, deadline_in(TIMEOUT_MS));
        }
    }
}

static int serve_relay(int listener, int connections)
{
    for (int i = 0; i < connections; i++) {
        int core = accept(listener, NULL, NULL), status;
        pid_t pid = fork();

        if (pid == 0) {
            pid_t module;
            int fd = connected(&module);

            relay(core, fd);
        }
        close(core);
        if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
            return 1;
    }
    return 0;
}

START_TEST(written_frames_are_valid)
{
    static const struct {
        const char *operation, *body;
    } rows[] = {
        {"find", FIND},
        {"find", "<find " NS "><query n=\"0\" use=\"decrypt\"><identifier ski=\"00\"/></query></find>"},
        {"list", "<list area=\"private\"/>"},
        {"list", "<list area=\"public\"/>"},
        {"list", "<list area=\"trusted\"/>"},
        {"open", "<open key=\"&lt;&#10;&quot;\" length=\"0\" scheme=\"rsa-pkcs1\"><encrypted/></open>"}};
    int listener = listening_socket();
    char *spec = mem_printf("unix:%s", socket_address.sun_path);
    struct call_module *module = call_module_new(spec, "keys", "/x", TIMEOUT_MS, DEADLINE_NEVER);
    struct call_grant *grant;
    struct call_answer a;
    struct buf body = {0};
    pid_t pid = fork();

    if (pid == 0)
        _exit(serve_relay(listener, ROWS(rows) + 1));
    for (size_t i = 0; i < ROWS(rows); i++) { /* the first one says hello on the same connection */
        buf_clear(&body);
        buf_add_text(&body, rows[i].body);
        call_ask(module, rows[i].operation, &body, NULL, 0, &a);
        ck_assert_msg(a.root != NULL, "row %zu: %s", i, a.text);
        call_answer_free(&a);
    }
    buf_clear(&body);
    buf_add_text(&body, GRANT);
    grant = call_grant_open(module, &body, &a);
    ck_assert_msg(grant != NULL, "%s", a.text);
    call_answer_free(&a);
    call_grant_revoke(grant);
    call_module_free(module);
    ck_assert_int_eq(exit_status(pid), 0);
    buf_free(&body);
    free(spec);
    remove_socket();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("module-serve");
    TCase *tcase = tcase_create("module-serve");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, every_request, 0, ROWS(requests));
    tcase_add_test(tcase, damaged_frames);
    tcase_add_test(tcase, descriptors);
    tcase_add_test(tcase, grant_comes_first);
    tcase_add_test(tcase, listening);
    tcase_add_test(tcase, signals);
    tcase_add_test(tcase, not_a_socket);
    tcase_add_test(tcase, written_frames_are_valid);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
