#include "tests/unit/delivery_fixture.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/fdio.h"
#include "util/mem.h"
#include "util/tmpfile.h"

/* The only thing of config.c that is needed here. */
const char *config_target_name(enum config_target target)
{
    static const char *const names[] = {"external", "scanner", "internal"};

    return names[target];
}

static void fill_config(struct config *config, const char *folder)
{
    const char *source = getenv("JULIA_SOURCE");

    config->base = mem_strdup(folder);
    config->spool = mem_strdup(folder);
    config->spool_memory = 4096;
    config->max_size = 1 << 20;
    config->max_depth = 100;
    config->max_parts = 1000;
    config->journal_dir = mem_printf("%s/journal", folder);
    config->hold_dir = mem_printf("%s/hold", folder);
    config->hold_warn = 3600;
    config->hold_keep = 864000;
    config->journal_keep = 864000;
    config->deadline = 20;
    config->templates = mem_printf("%s/etc/templates", source != NULL ? source : ".");
    config->language = mem_strdup("en");
    config->myhostname = mem_strdup("gate.behoerde.de");
    config->admin = mem_strdup("postmaster@behoerde.de");
    strlist_add(&config->internal_domains, "behoerde.de");
}

void fixture_message(struct fixture *f, const char *text, size_t len, const char *sender)
{
    int fd = tmpfile_open("/tmp", len, len);

    message_free(&f->message);
    f->message = (struct message){.config = &f->config, .until = deadline_in(20000)};
    f->message.envelope.sender = mem_strdup(sender);
    strlist_add(&f->message.envelope.recipients, "partner@x.example");
    ck_assert_int_eq(fdio_write_all(fd, text, len), 0);
    ck_assert_int_eq((int)lseek(fd, 0, SEEK_SET), 0);
    outcome_done(&f->outcome);
    message_read(&f->message, fd, &f->outcome);
    fdio_close(&fd);
}

void fixture_set_up(struct fixture *f, const char *text, const char *sender)
{
    *f = (struct fixture){.folder = mem_strdup("/tmp/test-delivery.XXXXXX"), .message.fd = -1};
    ck_assert_ptr_nonnull(mkdtemp(f->folder));
    fill_config(&f->config, f->folder);
    fixture_message(f, text, strlen(text), sender);
}

void fixture_tear_down(struct fixture *f)
{
    struct config *config = &f->config;
    char *command = mem_printf("chmod -R u+rwx %s; rm -rf %s", f->folder, f->folder);

    ck_assert_int_eq(system(command), 0);
    free(command);
    message_free(&f->message);
    for (int i = 0; i < CONFIG_TARGET_COUNT; i++)
        strlist_free(&config->targets[i]);
    strlist_free(&config->internal_domains);
    free(config->base);
    free(config->spool);
    free(config->journal_dir);
    free(config->hold_dir);
    free(config->templates);
    free(config->language);
    free(config->myhostname);
    free(config->admin);
    free(f->folder);
}

void fixture_target(struct fixture *f, enum config_target target, const char *script)
{
    static unsigned int number;
    char *path = mem_printf("%s/target-%u", f->folder, number++);
    struct buf text = {0};

    buf_add_text(&text, "#!/bin/sh\n");
    for (const char *mark; (mark = strstr(script, "%1$s")) != NULL; script = mark + 4) {
        buf_add(&text, script, (size_t)(mark - script));
        buf_add_text(&text, f->folder);
    }
    buf_add_text(&text, script);
    ck_assert_int_eq(fdio_replace_file(path, text.data, text.len, 0755), 0);
    strlist_free(&f->config.targets[target]);
    strlist_add_take(&f->config.targets[target], path);
    strlist_add(&f->config.targets[target], "-C");
    buf_free(&text);
}

char *fixture_file(const struct fixture *f, const char *name)
{
    char *path = mem_printf("%s/%s", f->folder, name);
    struct buf text = {0};

    if (fdio_read_file(path, 1 << 24, &text) != 0)
        buf_clear(&text);
    free(path);
    return buf_take(&text);
}

void fixture_remove(const struct fixture *f, const char *name)
{
    char *path = mem_printf("%s/%s", f->folder, name);

    unlink(path);
    free(path);
}
