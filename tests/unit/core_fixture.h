/* A BASE in a temporary folder with julia.conf and julia.rules, and a message read with it. */
#ifndef JULIA_CORE_FIXTURE_H
#define JULIA_CORE_FIXTURE_H

#include "core/message.h"

struct core {
    char *folder;
    struct config config;
    struct conf_faults faults;
    bool loaded;
    struct message message;
    struct outcome outcome;
};

/* `conf` is appended to a small working julia.conf; `rules` may be NULL. */
void core_set_up(struct core *core, const char *conf, const char *rules);
/* The whole file. */
void core_set_up_conf(struct core *core, const char *whole, const char *rules);
void core_message(struct core *core, const char *text, size_t len, const char *client, const char *sender);
void core_recipients(struct core *core, const char *blank_separated);
void core_tear_down(struct core *core);
/* The faults without the folder's name, one a line. Newly allocated. */
char *core_faults(const struct core *core);
/* A file with these octets, position 0. */
int core_file(const void *data, size_t len);
/* What is in a file, from the start. */
void core_slurp(int fd, struct buf *out);

#endif
