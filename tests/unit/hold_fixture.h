/* A hold store in a temporary folder, and a message to be kept there. */
#ifndef JULIA_HOLD_FIXTURE_H
#define JULIA_HOLD_FIXTURE_H

#include <check.h>

#include "delivery/hold.h"
#include "tests/unit/delivery_fixture.h"

#define HOLD_FIXTURE_MESSAGE                                                                                 \
    "From: a@partner.example\nTo: x@behoerde.de\nMessage-ID: <1@partner.example>\n\nsecret\n"
extern const unsigned char hold_fixture_digest[SHA256_LEN];

struct hold_fixture {
    struct fixture base; /* config, message, outcome, targets */
    struct hold_store *store;
    struct strlist recipients; /* x@, y@ and z@behoerde.de */
    struct hold_new entry;     /* what hold_fixture_keep() keeps */
    char id[HOLD_ID_LEN + 1];
};

void hold_fixture_set_up(struct hold_fixture *f);
void hold_fixture_tear_down(struct hold_fixture *f);
void hold_fixture_keep(struct hold_fixture *f); /* must succeed; fills in id */
struct hold *hold_fixture_open(struct hold_fixture *f, struct hold_store *store); /* must be there */
/* The store as another node sees it: its own configuration, for hold_store_close() and free(). */
struct hold_store *hold_fixture_node(struct hold_fixture *f, const char *name, struct config *config_r);
/* Runs a shell command with the hold directory as working directory; its exit status. $ID is the entry. */
int hold_fixture_shell(const struct hold_fixture *f, const char *command);
/* How many things in the hold directory match the shell pattern. */
int hold_fixture_count(const struct hold_fixture *f, const char *pattern);

/* Runs `what` in a child that is killed at one of its system calls: `number` counts the moments before and
   behind each. What it returned, or -1: killed. */
int hold_fixture_kill(int (*what)(void), int number);

#endif
