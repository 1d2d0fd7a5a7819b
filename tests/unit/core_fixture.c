#include "tests/unit/core_fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/fdio.h"
#include "util/mem.h"
#include "util/tmpfile.h"

static const char standard[] = "ADMIN = admin@behoerde.de\n"
                               "MYHOSTNAME = gw.behoerde.de\n"
                               "INTERNAL_DOMAINS = behoerde.de .intern.example\n"
                               "INTERNAL_CLIENTS = 10.0.0.0/8 2001:db8:1::/48\n"
                               "SCANNER_CLIENTS = 10.9.9.9 192.0.2.99\n"
                               "TARGET_EXTERNAL = /bin/true\n"
                               "TARGET_SCANNER = /bin/true\n"
                               "TARGET_INTERNAL = /bin/true\n";

static void write_file(const char *folder, const char *name, const char *text)
{
    char *path = mem_printf("%s/%s", folder, name);
    ck_assert_int_eq(fdio_replace_file(path, text, strlen(text), 0644), 0);
    free(path);
}

void core_set_up_conf(struct core *core, const char *whole, const char *rules)
{
    *core = (struct core){.folder = mem_strdup("/tmp/test-core.XXXXXX"), .message.fd = -1};
    ck_assert_ptr_nonnull(mkdtemp(core->folder));
    write_file(core->folder, "julia.conf", whole);
    if (rules != NULL)
        write_file(core->folder, "julia.rules", rules);
    char *path = mem_printf("%s/julia.conf", core->folder);
    core->loaded = config_load(&core->config, path, &core->faults);
    free(path);
}

void core_set_up(struct core *core, const char *conf, const char *rules)
{
    char folder[] = "/tmp/test-core-base.XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    char *etc = mem_printf("%s/etc", folder);
    ck_assert_int_eq(fdio_make_dirs(etc, 0755), 0);
    write_file(etc, "julia.rules", rules != NULL ? rules : "");
    char *whole = mem_printf("BASE = %s\nSPOOL = /tmp\n%s%s", folder, standard, conf);
    core_set_up_conf(core, whole, NULL);
    char *command = mem_printf("mv %s %s/base", folder, core->folder);
    ck_assert_int_eq(system(command), 0);
    for (size_t i = 0; i < core->faults.lines.count; i++)
        fprintf(stderr, "%s\n", core->faults.lines.items[i]);
    ck_assert(core->loaded);
    free(command);
    free(whole);
    free(etc);
}

void core_message(struct core *core, const char *text, size_t len, const char *client, const char *sender)
{
    int fd = core_file(text, len);
    message_free(&core->message);
    core->message = (struct message){.config = &core->config, .fd = -1, .until = deadline_in(20000)};
    core->message.envelope.client = mem_strdup(client);
    core->message.envelope.sender = mem_strdup(sender);
    outcome_done(&core->outcome);
    message_read(&core->message, fd, &core->outcome);
    ck_assert_msg(core->outcome.kind == OUTCOME_DONE, "%s", core->outcome.text);
    fdio_close(&fd);
}

void core_recipients(struct core *core, const char *blank_separated)
{
    strlist_free(&core->message.envelope.recipients);
    strlist_split(&core->message.envelope.recipients, blank_separated);
}

void core_tear_down(struct core *core)
{
    char *command = mem_printf("rm -rf %s", core->folder);
    ck_assert_int_eq(system(command), 0);
    free(command);
    message_free(&core->message);
    config_free(&core->config);
    conf_faults_free(&core->faults);
    free(core->folder);
}

char *core_faults(const struct core *core)
{
    struct buf out = {0};
    for (size_t i = 0; i < core->faults.lines.count; i++) {
        const char *line = core->faults.lines.items[i];
        size_t len = strlen(core->folder);
        if (strncmp(line, core->folder, len) == 0)
            line += len + 1;
        buf_printf(&out, "%s\n", line);
    }
    return out.len > 0 ? buf_take(&out) : mem_strdup("");
}

int core_file(const void *data, size_t len)
{
    int fd = tmpfile_open("/tmp", len, 64u << 20);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fdio_write_all(fd, data, len), 0);
    ck_assert_int_eq((int)lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

void core_slurp(int fd, struct buf *out)
{
    uint64_t size;
    ck_assert_int_eq(fdio_size(fd, &size), 0);
    char *data = mem_alloc(size + 1);
    ck_assert_int_eq(fdio_pread_all(fd, data, size, 0), 0);
    buf_add(out, data, size);
    free(data);
}
