/* A message, a configuration in a temporary folder, and small scripts as targets. */
#ifndef JULIA_DELIVERY_FIXTURE_H
#define JULIA_DELIVERY_FIXTURE_H

#include "core/message.h"

#define FIXTURE_STORE "printf '%s\\n' \"$@\" >>%1$s/args; cat >>%1$s/body; env >%1$s/env; echo x >>%1$s/calls"

struct fixture {
    char *folder;
    struct config config;
    struct message message;
    struct outcome outcome;
};

/* `sender` NULL: the From_ line decides. The message is read by message_read(). */
void fixture_set_up(struct fixture *f, const char *text, const char *sender);
/* The same configuration, another message. */
void fixture_message(struct fixture *f, const char *text, size_t len, const char *sender);
void fixture_tear_down(struct fixture *f);
/* A shell script becomes the target; %1$s in it is the folder. */
void fixture_target(struct fixture *f, enum config_target target, const char *script);
/* A file in the folder; "" if there is none. The caller frees. */
char *fixture_file(const struct fixture *f, const char *name);
void fixture_remove(const struct fixture *f, const char *name);

#endif
