/* The message that this run is about: envelope, spooled octets, structure. One per process. */
#ifndef JULIA_MESSAGE_H
#define JULIA_MESSAGE_H

#include "core/config.h"
#include "mail/mime.h"
#include "module/call.h"
#include "util/outcome.h"
#include "util/sha256.h"

struct message_envelope {
    char *client;   /* -client, may be "" */
    char *peer;     /* -peer or NULL */
    char *sender;   /* -sender, "" is the null sender; NULL: not given (the From_ line decides) */
    char *auth;     /* -auth or NULL */
    char *queue_id; /* -queue-id or NULL */
    char *dsn_notify, *dsn_ret, *dsn_envid; /* -dsn, each NULL when empty */
    struct strlist recipients;              /* as given, duplicates removed */
};

struct message {
    const struct config *config;
    struct message_envelope envelope;
    int fd;                           /* unlinked spool file */
    uint64_t offset;                  /* behind a leading "From " line */
    uint64_t size;                    /* octets from offset to the end */
    unsigned char digest[SHA256_LEN]; /* SHA-256 of sender, NUL, message without a leading From_ line: the
                                         journal's key */
    struct mime mime;                 /* parsed from offset; positions are offsets into fd */
    const char *eol;                  /* "\n" or "\r\n": that of the message */
    struct strlist header_from;       /* addresses of all From fields */
    bool subject_hidden;              /* Subject came encrypted: no notice may quote it */
    deadline until;                   /* DEADLINE of this run */
    struct call_module **keys;        /* one per MODULES_KEYS */
    size_t key_modules;
    struct call_module *trust, *smime;
};

/* Spools standard input (`fd_in`) to its end and parses it. Faults are outcomes: unreadable input, full disk:
   temporary, and so is no input at all, which no MTA means; larger than MAX_SIZE: permanent 5.3.4 (still read
   to its end). */
void message_read(struct message *message, int fd_in, struct outcome *outcome);
/* Goes on with the octets of `fd` (taken over) in the place of the message's own. What identifies the message
   to the journal stays. */
void message_replace(struct message *message, int fd, struct outcome *outcome);
/* The same message with the octets of `fd` (borrowed) in the place of its own: a finished message that is
   worked on further. Envelope, modules and digest are shared. False: outcome filled in. In either case it is
   freed with message_view_free(). */
bool message_view(const struct message *message, int fd, struct message *view_r, struct outcome *outcome);
void message_view_free(struct message *view);
/* Opens the module connections' descriptions (no process is started before it is needed). */
void message_modules_open(struct message *message);
void message_free(struct message *message);
void message_envelope_free(struct message_envelope *envelope); /* its members; it is empty afterwards */
/* A new unlinked output file, sized like the message. -1: outcome filled in. */
int message_output(const struct message *message, uint64_t expect, struct outcome *outcome);

#endif
