/* The keys-file module in a process of its own behind a socket pair, over the areas of a fixture. Every frame
   in both directions is checked against modules/protocol.rng. */
#ifndef JULIA_KEYS_FILE_CLIENT_H
#define JULIA_KEYS_FILE_CLIENT_H

#include <sys/types.h>

#include "module/xml.h"
#include "tests/unit/areas_fixture.h"
#include "tests/unit/unit.h"

struct client {
    struct fixture fixture;
    struct buf conf; /* further lines of keys-file.conf, to be set before client_connect() */
    int fd;
    pid_t pid;
};

void client_start(struct client *client); /* directories only */
void client_end(struct client *client);
/* A new module process and a connection to it, in the place of the last one. */
void client_connect(struct client *client);
/* The same, but the other end seems to belong to this user. Needs root. */
void client_connect_as(struct client *client, uid_t uid);
/* Sends one operation element (without namespace: it is added) and returns the answer, to be released with
 * xml_free(). */
struct xml_node *client_ask(struct client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Asks, and compares status and reason ("" for none). */
void client_expect(struct client *client, const char *status, const char *reason, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The `index`-th result of a find, or entry of a result or list; NULL. */
const struct xml_node *nth(const struct xml_node *parent, const char *name, size_t index);
size_t how_many(const struct xml_node *parent, const char *name);

#endif
