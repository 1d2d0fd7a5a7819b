/* All layers of an incoming message, opened one by one (DESIGN section 4, incoming 2 and 3). Who may read
   what differs, so the recipients part where a key may decrypt for some of them only. */
#ifndef JULIA_UNWRAP_H
#define JULIA_UNWRAP_H

#include "incoming/layer.h"

enum unwrap_stop {
    UNWRAP_CLEAN,         /* no layer is left */
    UNWRAP_UNDECRYPTABLE, /* one that nobody here can, or may, decrypt for these recipients */
    UNWRAP_UNSUPPORTED,   /* one that cannot be read */
    UNWRAP_BROKEN,        /* a signature that is no readable one */
    UNWRAP_UNCHECKED,     /* a signature of an unsupported kind */
    UNWRAP_UNASKED,       /* a signature that could not be checked in time (GIVE_UP) */
    UNWRAP_LIMIT,         /* MAX_DEPTH, MAX_PARTS, MAX_SIZE */
    UNWRAP_FORM           /* an encrypted one whose form is not the one demanded: never opened */
};

/* An entity, and how it came out of the one around it. */
struct unwrap_node {
    struct unwrap_node *outer; /* NULL: the message itself */
    struct layer_entity entity;
    int own_fd;                /* -1, or a file closed with the node */
    struct layer layer;        /* what opening `outer` told; kind LAYER_NONE for the message itself */
    struct strlist other_keys; /* fingerprints of further keys that opened it to the same octets */
    uint64_t written;          /* octets written for it and those around it */
    unsigned int depth;        /* layers opened so far */
    enum unwrap_stop reason;   /* LAYER_DISPUTED: why it is nobody's signature */
};

/* Recipients for whom the same layers were opened. */
struct unwrap_strand {
    struct strlist recipients;
    struct unwrap_node *inner; /* the innermost entity reached */
    enum unwrap_stop stop;     /* why not further */
    bool done;
};

struct unwrap {
    struct message *message;
    struct unwrap_node **nodes; /* all of them; nodes[0] is the message */
    size_t node_count;
    struct unwrap_strand *strands;
    size_t strand_count;
    struct strlist notes;                 /* what happened, for -explain: one line each */
    const struct config_profile *profile; /* the form that is demanded (demand.h); NULL: none */
    char *wrong;                          /* UNWRAP_FORM: what was found instead, for people */
};

/* One strand with all recipients and nothing opened. */
void unwrap_begin(struct unwrap *unwrap, struct message *message, const struct strlist *recipients);
/* The same, then opens everything. With a `profile`, an encrypted layer that everybody can see has its form,
   or stays closed. For a virus scanner that gets what is inside of signatures (MODE=gateway with
   DELIVER=original or STRIP_SIGNATURES), layers that mail programs may take apart differently or show in
   spite of their damage are opened, too (LAYER_DISPUTED); with them and behind them nobody signed, and
   nothing of them is kept. false: outcome filled in (temporary: a module or the spool failed). Free it in
   either case. */
bool unwrap_run(struct unwrap *unwrap, struct message *message, const struct strlist *recipients,
                const struct config_profile *profile, struct outcome *outcome);
void unwrap_free(struct unwrap *unwrap);

/* The nodes from the message to `inner`: the outermost signed layer opened on the way (NULL if none), the
   innermost encrypted one, and the innermost node with no disputed layer around it. */
const struct unwrap_node *unwrap_signed(const struct unwrap_node *inner);
const struct unwrap_node *unwrap_encrypted(const struct unwrap_node *inner);
const struct unwrap_node *unwrap_undisputed(const struct unwrap_node *inner);
/* Why no signature further in than unwrap_undisputed() counts. */
enum unwrap_stop unwrap_reason(const struct unwrap_strand *strand);

/* Parses a node's entity anew with the configured limits. 0, or -1 with errno. */
int unwrap_parse(const struct message *message, const struct unwrap_node *node, struct mime *mime_r);
/* The message's own parse, or one made anew in `own` (zeroed; free it in any case). NULL: errno. */
const struct mime *unwrap_mime(const struct message *message, const struct unwrap_node *node,
                               struct mime *own);

/* Does a virus scanner get what is inside of signatures, rather than the objects? */
bool unwrap_looks_inside(const struct unwrap *unwrap);

/* For opener.c and signedlayer.c: a new node inside `outer`, with a file of its own to write to. NULL:
 * outcome filled in. */
struct unwrap_node *unwrap_node_new(struct unwrap *unwrap, struct unwrap_node *outer, bool own_file,
                                    struct outcome *outcome);
/* After its layer was opened: the octets of its file are its entity. */
bool unwrap_node_settle(struct unwrap_node *node, struct outcome *outcome);
void unwrap_node_drop(struct unwrap *unwrap, struct unwrap_node *node); /* the one made last */
uint64_t unwrap_limit(const struct unwrap *unwrap,
                      const struct unwrap_node *outer); /* for what comes out of it */
void unwrap_note(struct unwrap *unwrap, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
