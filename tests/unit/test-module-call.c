/* Whatever a module does wrong, the core gets ANSWER_TEMPORARY with the right reason, in time, and nothing
   stays behind. The module is this program itself, started again as "peer BEHAVIOUR". */
#include "module/call.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "module/frame.h"
#include "tests/unit/unit.h"
#include "util/log.h"
#include "util/mem.h"

#define NS         "xmlns=\"" XML_NAMESPACE "\""
#define LATE_MS    400   /* for peers that never answer */
#define ANSWERS_MS 20000 /* for those that do, or end: not for ever */

/* ---- the peer ---- */

static void send_text(const char *text)
{
    (void)frame_send(STDIN_FILENO, text, strlen(text), NULL, 0, deadline_in(5000));
}

static void send_octets(const char *octets, size_t len)
{
    (void)send(STDIN_FILENO, octets, len, MSG_NOSIGNAL);
}

static char *answer(const char *id, const char *status, const char *body)
{
    return mem_printf("<answer " NS " id=\"%s\" status=\"%s\">%s</answer>", id, status, body);
}

static void send_answer(const char *id, const char *status, const char *body)
{
    char *text = answer(id, status, body);

    send_text(text);
    free(text);
}

static void flood_log(void)
{
    for (int i = 0; i < 20000; i++)
        fprintf(stderr, "line %d of a module that talks too much\n", i);
}

static void send_too_much(void)
{
    static const char block[65536];

    send_octets("4194305\n", 8);
    for (int i = 0; i < 80; i++)
        send_octets(block, sizeof block);
}

static void send_with_descriptor(const char *id)
{
    char *text = answer(id, "ok", "<find/>");
    int fd = STDIN_FILENO;

    (void)frame_send(STDIN_FILENO, text, strlen(text), &fd, 1, deadline_in(5000));
    free(text);
}

static void send_twice(const char *id)
{
    char *text = answer(id, "ok", "<find/>");
    char *both = mem_printf("%zu\n%s%zu\n%s", strlen(text), text, strlen(text), text);

    send_octets(both, strlen(both));
    pause();
}

/* Two sides of one process's start: the caller makes the file, the peer removes it when it has sent more. */
static char *go_file(const char *pid)
{
    return mem_printf("/tmp/julia-test-late.%s", pid);
}

static void send_late(const char *id, const char *pid)
{
    char *go = go_file(pid);

    send_answer(id, "ok", "<find/>");
    while (access(go, F_OK) != 0)
        usleep(1000);
    send_answer("99", "ok", "<find/>");
    unlink(go);
    free(go);
}

/* A child that outlives its parent, ignores SIGTERM and holds everything open. */
static void leave_child(void)
{
    if (fork() == 0) {
        signal(SIGTERM, SIG_IGN);
        for (;;)
            pause();
    }
    _exit(3);
}

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* Ways to end instead of answering. */
static void break_off(const char *how)
{
    if (is(how, "die"))
        _exit(9);
    if (is(how, "die-aloud")) {
        fprintf(stderr, "the end is near");
        _exit(9);
    }
    if (is(how, "crash"))
        kill(getpid(), SIGKILL);
    if (is(how, "leave-child"))
        leave_child();
    if (is(how, "hang"))
        pause();
    if (is(how, "stubborn")) {
        signal(SIGTERM, SIG_IGN);
        for (;;)
            pause();
    }
    if (is(how, "die-mid-frame")) {
        send_octets("100\n<answer", 11);
        _exit(0);
    }
    if (is(how, "hang-mid-frame")) {
        send_octets("100\n<answer", 11);
        pause();
    }
}

static void answer_as(const char *how, const char *id, const char *pid)
{
    break_off(how);
    if (is(how, "rubbish"))
        send_octets("HTTP/1.1 400 Bad Request\r\n\r\n", 28);
    else if (is(how, "no-xml"))
        send_text("<answer");
    else if (is(how, "doctype"))
        send_text("<!DOCTYPE answer [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><answer>&x;</answer>");
    else if (is(how, "too-much"))
        send_too_much();
    else if (is(how, "wrong-id"))
        send_answer("4711", "ok", "<find/>");
    else if (is(how, "no-id"))
        send_answer("", "permanent", "");
    else if (is(how, "wrong-body"))
        send_answer(id, "ok", "<list more=\"no\"/>");
    else if (is(how, "no-body"))
        send_answer(id, "ok", "");
    else if (is(how, "two-bodies"))
        send_answer(id, "ok", "<find/><find/>");
    else if (is(how, "body-with-none"))
        send_answer(id, "none", "<find/>");
    else if (is(how, "unknown-element"))
        send_answer(id, "ok", "<find><surprise/></find>");
    else if (is(how, "missing-attribute"))
        send_answer(id, "ok", "<find><result n=\"0\"/></find>");
    else if (is(how, "unknown-status"))
        send_answer(id, "splendid", "");
    else if (is(how, "request"))
        send_text("<request " NS " id=\"1\" deadline=\"1\"><find/></request>");
    else if (is(how, "descriptor"))
        send_with_descriptor(id);
    else if (is(how, "twice"))
        send_twice(id);
    else if (is(how, "busy"))
        send_answer(id, "temporary", "");
    else if (is(how, "loud"))
        flood_log();
    if (is(how, "loud") || is(how, "good") || is(how, "no-hello") || is(how, "die-after"))
        send_answer(id, "ok", "<find/>");
    if (is(how, "late-second"))
        send_late(id, pid);
    if (is(how, "die-after"))
        _exit(0);
}

static void answer_hello(const char *how, const char *id)
{
    break_off(strncmp(how, "hello-", 6) == 0 ? how + 6 : "");
    if (is(how, "wrong-role"))
        send_answer(id, "ok",
                    "<hello version=\"1\" role=\"smime\" name=\"x\"><operation name=\"sign\"/></hello>");
    else if (is(how, "wrong-version"))
        send_answer(id, "ok",
                    "<hello version=\"2\" role=\"keys\" name=\"x\"><operation name=\"find\"/></hello>");
    else if (is(how, "refuses"))
        send_answer(id, "permanent", "");
    else
        send_answer(id, "ok",
                    "<hello version=\"1\" role=\"keys\" name=\"peer\"><operation name=\"find\"/></hello>");
}

static int peer(const char *how, const char *pid)
{
    struct buf xml = {0};
    int fds[FRAME_FDS_MAX];
    size_t fd_count;

    if (is(how, "never-read"))
        pause();
    while (frame_receive(STDIN_FILENO, &xml, fds, &fd_count, DEADLINE_NEVER) == FRAME_OK) {
        char error[300];
        struct xml_node *root = xml_parse(xml.data, xml.len, error, sizeof error);

        if (root == NULL)
            return 1;
        if (xml_is(root->children, "hello"))
            answer_hello(how, xml_attribute(root, "id"));
        else if (xml_is(root->children, "grant"))
            send_answer(xml_attribute(root, "id"), is(how, "no-grant") ? "permanent" : "ok", "");
        else
            answer_as(how, xml_attribute(root, "id"), pid);
        xml_free(root);
    }
    buf_free(&xml);
    return 0;
}

/* ---- the core ---- */

static char program[4096];

/* The last word marks the processes of this test. */
static char *spec_for(const char *how)
{
    return mem_printf("%s peer %s %ld", program, how, (long)getpid());
}

static struct call_module *module_within(const char *how, int64_t timeout)
{
    char *spec = spec_for(how);
    struct call_module *module = call_module_new(spec, "keys", "/nonexistent", timeout, DEADLINE_NEVER);

    free(spec);
    return module;
}

static struct call_module *module_for(const char *how)
{
    return module_within(how, ANSWERS_MS);
}

static void ask_find(struct call_module *module, struct call_answer *a)
{
    static const char find[] = "<find " NS "><query n=\"0\" use=\"sign\" address=\"a@b.example\"/></find>";
    struct buf body = {0};

    buf_add_text(&body, find);
    call_ask(module, "find", &body, NULL, 0, a);
    buf_free(&body);
}

/* Is that a process's command line, "program NUL peer NUL how NUL pid", and the pid ours? */
static bool is_peer(const char *line, size_t len)
{
    char *own = mem_printf("%ld", (long)getpid());
    size_t tail = strlen(own) + 1;
    bool found = len > tail && memcmp(line + len - tail, own, tail) == 0 && strcmp(line, program) == 0;

    free(own);
    return found;
}

static int count_peers(void)
{
    DIR *dir = opendir("/proc");
    struct dirent *entry;
    int count = 0;

    while ((entry = readdir(dir)) != NULL) {
        char path[300], line[8192] = "";
        FILE *file;

        snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
        file = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? fopen(path, "r") : NULL;
        if (file == NULL)
            continue;
        count += is_peer(line, fread(line, 1, sizeof line - 1, file));
        fclose(file);
    }
    closedir(dir);
    return count;
}

/* Processes of this test that are still there: none may outlive its module. Those killed last may take a
 * moment to go. */
static int children_left(void)
{
    deadline until = deadline_in(ANSWERS_MS);

    while (count_peers() > 0 && !deadline_passed(until))
        usleep(20000);
    return count_peers();
}

static const struct {
    int line;
    const char *how, *reason, *text; /* part of it */
} faults[] = {
    {__LINE__, "hang", "timeout", "no answer to find within"},
    {__LINE__, "stubborn", "timeout", "no answer to find"},
    {__LINE__, "hang-mid-frame", "timeout", "no answer"},
    {__LINE__, "never-read", "timeout", "hello"},
    {__LINE__, "die", "died", "exit status 9"},
    {__LINE__, "die-aloud", "died", "exit status 9"},
    {__LINE__, "crash", "died", "signal 9"},
    {__LINE__, "leave-child", "timeout", "no answer"},
    {__LINE__, "die-mid-frame", "damaged", "early end"},
    {__LINE__, "rubbish", "damaged", "bad or too large length"},
    {__LINE__, "no-xml", "damaged", "no proper XML"},
    {__LINE__, "doctype", "damaged", "document type"},
    {__LINE__, "too-much", "damaged", "too large"},
    {__LINE__, "descriptor", "damaged", ""},
    {__LINE__, "twice", "damaged", ""},
    {__LINE__, "wrong-id", "wrong-id", "another request"},
    {__LINE__, "no-id", "refused", "could not read"},
    {__LINE__, "wrong-body", "invalid", "list"},
    {__LINE__, "no-body", "invalid", "exactly one"},
    {__LINE__, "two-bodies", "invalid", "exactly one"},
    {__LINE__, "body-with-none", "invalid", "has none"},
    {__LINE__, "unknown-element", "invalid", "surprise"},
    {__LINE__, "missing-attribute", "invalid", "status is missing"},
    {__LINE__, "unknown-status", "invalid", "status has a value"},
    {__LINE__, "request", "invalid", "no answer element"},
    {__LINE__, "wrong-role", "refused", "role smime"},
    {__LINE__, "wrong-version", "invalid", "version"},
    {__LINE__, "refuses", "refused", "refused to talk"},
    {__LINE__, "hello-hang", "timeout", "no answer to hello"},
    {__LINE__, "hello-die", "died", "hello"},
};

/* Part of what is to be said; where somebody waits in vain, a busy machine may not come as far as the
 * question.
 */
static bool says(const char *text, size_t row)
{
    return strstr(text, faults[row].text) != NULL ||
           (is(faults[row].reason, "timeout") && strstr(text, "no answer to hello") != NULL);
}

START_TEST(every_fault)
{
    bool late = is(faults[_i].reason, "timeout");
    struct call_module *module = module_within(faults[_i].how, late ? LATE_MS : ANSWERS_MS);
    struct call_answer a;
    deadline begun = deadline_in(0);

    for (int again = 0; again < 2; again++) { /* the second call finds a new process, and the same fault */
        ask_find(module, &a);
        ck_assert_msg(a.status == ANSWER_TEMPORARY, "line %d", faults[_i].line);
        ck_assert_msg(strcmp(a.reason, faults[_i].reason) == 0, "line %d: %s: %s", faults[_i].line, a.reason,
                      a.text);
        ck_assert_msg(says(a.text, (size_t)_i), "line %d: %s", faults[_i].line, a.text);
        ck_assert_ptr_null(a.root);
        ck_assert_ptr_null(a.body);
        call_answer_free(&a);
    }
    ck_assert_int_lt(deadline_in(0) - begun, ANSWERS_MS); /* not for ever */
    call_module_free(module);
    ck_assert_int_eq(children_left(), 0);
}
END_TEST

/* Until a child has ended, with its connections closed, and waits to be reaped. */
static void wait_for_end(void)
{
    siginfo_t info;

    ck_assert(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) == 0 || errno == ECHILD);
}

START_TEST(good_answers)
{
    static const char *const good[] = {"good", "loud", "die-after"};

    for (size_t i = 0; i < ROWS(good); i++) {
        struct call_module *module = module_for(good[i]);
        struct call_answer a;

        for (int again = 0; again < 3; again++) {
            ask_find(module, &a);
            ck_assert_msg(a.status == ANSWER_OK, "%s: %s", good[i], a.text);
            ck_assert(xml_is(a.body, "find"));
            call_answer_free(&a);
            if (is(good[i], "die-after"))
                wait_for_end();
        }
        ck_assert_int_eq(count_peers(), strcmp(good[i], "die-after") == 0 ? 0 : 1);
        ck_assert_str_eq(call_module_name(module), "peer");
        call_module_free(module);
    }
    ck_assert_int_eq(children_left(), 0);
}
END_TEST

/* What the module says itself arrives as it is. */
START_TEST(own_status)
{
    struct call_module *module = module_for("busy");
    struct call_answer a;

    ask_find(module, &a);
    ck_assert_int_eq(a.status, ANSWER_TEMPORARY);
    ck_assert_ptr_null(a.reason);
    ck_assert_ptr_nonnull(a.root);
    call_answer_free(&a);
    call_module_free(module);
}
END_TEST

/* An answer nobody asked for never meets a later question. */
START_TEST(late_second_answer)
{
    struct call_module *module = module_for("late-second");
    char *pid = mem_printf("%ld", (long)getpid()), *go = go_file(pid);
    deadline until = deadline_in(ANSWERS_MS);
    struct call_answer a;

    for (int again = 0; again < 3; again++) {
        ask_find(module, &a);
        ck_assert_msg(a.status == ANSWER_OK, "%s", a.text);
        call_answer_free(&a);
        close(open(go, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        while (access(go, F_OK) == 0 && !deadline_passed(until))
            usleep(1000);
    }
    call_module_free(module);
    free(go);
    free(pid);
}
END_TEST

START_TEST(not_started)
{
    static const struct {
        const char *spec, *text;
    } rows[] = {{"/nonexistent/module", "No such file"},
                {"keys-nothing", "/nonexistent/lib/modules/keys-nothing"},
                {"/etc/passwd", "Permission denied"},
                {"", "no command line"},
                {"unix:/nonexistent/socket", "is the service running"}};

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct call_module *module =
            call_module_new(rows[i].spec, "keys", "/nonexistent", ANSWERS_MS, DEADLINE_NEVER);
        struct call_answer a;

        ask_find(module, &a);
        ck_assert_int_eq(a.status, ANSWER_TEMPORARY);
        ck_assert_str_eq(a.reason, "not-started");
        ck_assert_msg(strstr(a.text, rows[i].text) != NULL, "%s", a.text);
        call_answer_free(&a);
        call_module_free(module);
    }
}
END_TEST

/* A service that listens and never accepts: connections wait in its backlog, callers only until their
 * deadline. */
START_TEST(full_backlog)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char dir[] = "/tmp/julia-test-XXXXXX";
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char *spec;

    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(address.sun_path, sizeof address.sun_path, "%s/s", dir);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(listener, 0), 0);
    spec = mem_printf("unix:%s", address.sun_path);
    for (int i = 0; i < 3; i++) {
        struct call_module *module = call_module_new(spec, "keys", "/x", 200, DEADLINE_NEVER);
        struct call_answer a;
        int held = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        deadline begun = deadline_in(0);

        (void)connect(held, (struct sockaddr *)&address, sizeof address);
        ask_find(module, &a);
        ck_assert_int_eq(a.status, ANSWER_TEMPORARY);
        ck_assert_int_lt(deadline_in(0) - begun, 20000); /* not for ever */
        call_answer_free(&a);
        call_module_free(module);
    }
    unlink(address.sun_path);
    rmdir(dir);
    free(spec);
}
END_TEST

/* The deadline of the whole run is stronger than the timeout of a call. */
START_TEST(overall_deadline)
{
    char *spec = spec_for("hang");
    struct call_module *module = call_module_new(spec, "keys", "/x", 60000, deadline_in(300));
    deadline begun = deadline_in(0);
    struct call_answer a;

    ask_find(module, &a);
    ck_assert_str_eq(a.reason, "timeout");
    ck_assert_int_lt(deadline_in(0) - begun, 30000); /* the timeout is 60000 */
    call_answer_free(&a);
    call_module_free(module);
    free(spec);
}
END_TEST

static struct call_grant *open_grant(struct call_module *module, struct call_answer *a)
{
    struct buf body = {0};
    struct call_grant *grant;

    buf_add_text(&body, "<grant " NS "><allow key=\"peer:1\" operation=\"sign\" count=\"1\"/></grant>");
    grant = call_grant_open(module, &body, a);
    buf_free(&body);
    return grant;
}

START_TEST(grants)
{
    struct call_module *module = module_for("good");
    struct call_answer a;
    struct call_grant *grant = open_grant(module, &a);
    int held;
    char c;

    ck_assert_msg(grant != NULL, "%s", a.text);
    call_answer_free(&a);
    held = fcntl(call_grant_fd(grant), F_DUPFD_CLOEXEC, 3); /* as the smime module holds it */
    ck_assert_int_ge(held, 0);
    ck_assert_int_lt(recv(held, &c, 1, MSG_DONTWAIT), 0);
    call_grant_revoke(grant);
    ck_assert_int_eq(recv(held, &c, 1, MSG_DONTWAIT), 0);
    ck_assert_int_lt(send(held, "1", 1, MSG_NOSIGNAL), 0);
    close(held);
    call_grant_revoke(NULL);
    call_module_free(module);
    module = module_for("no-grant");
    ck_assert_ptr_null(open_grant(module, &a));
    ck_assert_int_eq(a.status, ANSWER_PERMANENT);
    call_answer_free(&a);
    call_module_free(module);
    module = call_module_new("/x", "smime", "/x", ANSWERS_MS, DEADLINE_NEVER);
    ck_assert_ptr_null(open_grant(module, &a));
    ck_assert_str_eq(a.reason, "invalid");
    call_answer_free(&a);
    call_module_free(module);
    ck_assert_int_eq(children_left(), 0);
}
END_TEST

/* The module's output stands in the log, bounded. */
START_TEST(output_is_logged)
{
    char path[] = "/tmp/julia-test-XXXXXX", text[200000];
    int fd = mkstemp(path);
    struct call_module *module = module_for("die-aloud");
    struct call_answer a;
    ssize_t n;

    log_open(path, "test");
    ask_find(module, &a);
    call_answer_free(&a);
    call_module_free(module);
    module = module_for("loud");
    ask_find(module, &a);
    ck_assert_int_eq(a.status, ANSWER_OK);
    call_answer_free(&a);
    call_module_free(module);
    log_close();
    n = read(fd, text, sizeof text - 1);
    ck_assert_int_gt(n, 0);
    text[n] = '\0';
    ck_assert_ptr_nonnull(strstr(text, "the\\x20end\\x20is\\x20near"));
    ck_assert_ptr_nonnull(strstr(text, "line\\x20199\\x20"));
    ck_assert_ptr_null(strstr(text, "line\\x20200\\x20"));
    ck_assert_ptr_nonnull(strstr(text, "too\\x20many\\x20lines"));
    close(fd);
    unlink(path);
}
END_TEST

/* Nothing but the three variables, and no descriptor but 0, 1 and 2. */
START_TEST(clean_surroundings)
{
    static const char script[] = "#!/bin/sh\nenv | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD= | sort\n"
                                 "echo \"fds $(ls /proc/$$/fd | tr '\\n' ' ')\"\necho args \"$@\"\n";
    char path[] = "/tmp/julia-test-XXXXXX", log[] = "/tmp/julia-test-XXXXXX", text[20000];
    int fd = mkstemp(path), log_fd = mkstemp(log);
    char *spec = mem_printf("%s two words", path);
    struct call_module *module;
    struct call_answer a;
    ssize_t n;

    ck_assert_int_eq(write(fd, script, sizeof script - 1), sizeof script - 1);
    fchmod(fd, 0700);
    close(fd);
    log_open(log, "test");
    module = call_module_new(spec, "keys", "/some/base", ANSWERS_MS, DEADLINE_NEVER);
    ask_find(module, &a);
    ck_assert_str_eq(a.reason, "died");
    call_answer_free(&a);
    call_module_free(module);
    log_close();
    n = read(log_fd, text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    ck_assert_msg(strstr(text, "JULIA_BASE\\x3D/some/base\n") != NULL, "%s", text);
    ck_assert_msg(strstr(text, "fds\\x200\\x201\\x20") != NULL, "%s", text);
    ck_assert_msg(strstr(text, "args\\x20two\\x20words") != NULL, "%s", text);
    unlink(path);
    unlink(log);
    free(spec);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("module-call");
    TCase *tcase = tcase_create("module-call");
    SRunner *runner;
    int failed;

    if (argc == 4 && is(argv[1], "peer"))
        return peer(argv[2], argv[3]);
    if (readlink("/proc/self/exe", program, sizeof program - 1) < 0)
        return EXIT_FAILURE;
    log_open("/dev/null", "test");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, every_fault, 0, ROWS(faults));
    tcase_add_test(tcase, good_answers);
    tcase_add_test(tcase, own_status);
    tcase_add_test(tcase, late_second_answer);
    tcase_add_test(tcase, not_started);
    tcase_add_test(tcase, full_backlog);
    tcase_add_test(tcase, overall_deadline);
    tcase_add_test(tcase, grants);
    tcase_add_test(tcase, output_is_logged);
    tcase_add_test(tcase, clean_surroundings);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
