#include "tests/unit/hold_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/fdio.h"
#include "util/mem.h"

const unsigned char hold_fixture_digest[SHA256_LEN] = {0xaa, 0xbb, 1, 2, 3};

void hold_fixture_set_up(struct hold_fixture *f)
{
    memset(f, 0, sizeof(*f));
    fixture_set_up(&f->base, HOLD_FIXTURE_MESSAGE, "a@partner.example");
    f->base.message.envelope.queue_id = mem_strdup("QUEUE1");
    f->base.message.envelope.dsn_notify = mem_strdup("FAILURE");
    strlist_add(&f->recipients, "x@behoerde.de");
    strlist_add(&f->recipients, "y@behoerde.de");
    strlist_add(&f->recipients, "z@behoerde.de");
    f->entry = (struct hold_new){.kind = HOLD_ORIGINAL,
                                 .recipients = &f->recipients,
                                 .fd = f->base.message.fd,
                                 .digest = hold_fixture_digest};
    f->store = hold_store_open(&f->base.config, &f->base.outcome);
    ck_assert_msg(f->store != NULL, "%s", f->base.outcome.text);
}

void hold_fixture_tear_down(struct hold_fixture *f)
{
    hold_store_close(f->store);
    strlist_free(&f->recipients);
    fixture_tear_down(&f->base);
}

void hold_fixture_keep(struct hold_fixture *f)
{
    struct outcome *outcome = &f->base.outcome;

    ck_assert_msg(hold_keep(f->store, &f->base.message, &f->entry, outcome), "%s", outcome->text);
    ck_assert(hold_id(f->store, &f->base.message, f->entry.kind, f->entry.recipients, f->id, outcome));
}

struct hold *hold_fixture_open(struct hold_fixture *f, struct hold_store *store)
{
    struct hold *hold;

    ck_assert_msg(hold_open(store, f->id, &hold, &f->base.outcome) == HOLD_FOUND, "%s", f->base.outcome.text);
    return hold;
}

struct hold_store *hold_fixture_node(struct hold_fixture *f, const char *name, struct config *config_r)
{
    struct hold_store *store;

    *config_r = f->base.config;
    config_r->myhostname = mem_strdup(name);
    store = hold_store_open(config_r, &f->base.outcome);
    ck_assert_ptr_nonnull(store);
    return store;
}

int hold_fixture_shell(const struct hold_fixture *f, const char *command)
{
    char *line = mem_printf("cd %s && ID='%s' && { %s; }", f->base.config.hold_dir, f->id, command);
    int status = system(line);

    free(line);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int hold_fixture_count(const struct hold_fixture *f, const char *pattern)
{
    char *line = mem_printf("cd %s && ls -d %s 2>/dev/null | wc -l", f->base.config.hold_dir, pattern);
    FILE *pipe = popen(line, "re");
    int count = -1;

    ck_assert_ptr_nonnull(pipe);
    ck_assert_int_eq(fscanf(pipe, "%d", &count), 1);
    pclose(pipe);
    free(line);
    return count;
}

int hold_fixture_kill(int (*what)(void), int number)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        _exit(what());
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSTOPPED(status));
    for (int stop = 0; WIFSTOPPED(status); stop++) {
        /* other stops are signals of its own children */
        int signal_number = WSTOPSIG(status) == SIGTRAP || WSTOPSIG(status) == SIGSTOP ? 0 : WSTOPSIG(status);

        if (stop == number)
            kill(pid, SIGKILL);
        ptrace(PTRACE_SYSCALL, pid, NULL, signal_number);
        waitpid(pid, &status, 0);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
