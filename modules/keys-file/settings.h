/* keys-file.conf(5). */
#ifndef JULIA_KEYS_FILE_SETTINGS_H
#define JULIA_KEYS_FILE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/conf.h"
#include "util/strlist.h"

struct settings {
    char *public_area, *trusted, *untrusted, *private_area, *ca; /* directories */
    char *review;           /* where harvested certificates wait for a person */
    char *capabilities;     /* where it is kept what partners say of themselves */
    char *index;            /* derived, may be deleted */
    uint64_t rescan;        /* seconds */
    char *pass_phrase_file; /* NULL: none */
    char *core_user;        /* NULL: none besides the own user and root */
    uid_t core_uid;         /* of core_user */
    bool core_uid_known;
    struct strlist gateway; /* addresses and fingerprints */
    char *log;
};

/* Defaults where the file does not exist; false with faults otherwise. */
bool settings_load(const char *path, const char *base, struct settings *settings, struct conf_faults *faults);
void settings_free(struct settings *settings);

#endif
