/* The two header sections of a message that is signed or encrypted: what stays outside, and the MIME entity
 * that goes inside. */
#ifndef JULIA_ENTITY_H
#define JULIA_ENTITY_H

#include "core/message.h"
#include "outgoing/trigger.h"

/* Octets [offset, offset+length) of a file; several in order make an entity. */
struct entity_piece {
    int fd;
    uint64_t offset, length;
};
#define ENTITY_PIECES_MAX 2
struct entity {
    struct entity_piece pieces[ENTITY_PIECES_MAX];
    size_t count;
    int own_fd;   /* -1, or a file that entity_free() closes */
    bool fragile; /* relays would still change something in it: it must not be signed in clear */
};
void entity_free(struct entity *entity);
uint64_t entity_length(const struct entity *entity);

/* How the header is shown and protected (HEADER_PROTECTION, RFC 9788). */
struct entity_header {
    const struct message *message;
    const struct message *content; /* whose Content-* fields and body go inside; NULL: the message's own */
    struct trigger trigger;        /* which triggers to remove from Subject */
    enum config_protection protection;
    bool encrypted;   /* the entity is encrypted: hp="cipher", and what `protection` hides is hidden */
    bool kept_inside; /* the fields stand inside already, where somebody signed them: no copies are made */
    const bool *left_out; /* one for each header field: it ends here; NULL: none */
};

/* What stands in front of the S/MIME entity's own Content-Type: all fields octet for octet (NUL and bare CR
   become blanks), except Content-*, Bcc, HP-Outer, the triggers in Subject, a second MIME-Version, and what
   is hidden (hcp.h). Ends with a line end, not with the empty line. */
void entity_outer_header(const struct entity_header *how, struct buf *out);
/* The header of a message that is neither signed nor encrypted: all fields, triggers removed, fields left
 * out. */
void entity_clear_header(const struct entity_header *how, struct buf *out);
/* The header of the entity inside: the Content-* fields (text/plain if there is none). With protection, as
   RFC 9788 5.2.1 composes it: copies of the fields that hcp.h protects, each HP-Outer of an encrypted entity,
   and the parameter hp. */
void entity_inner_header(const struct entity_header *how, struct buf *out);

/* The entity as it is: for encryption alone. false: outcome filled in. */
bool entity_plain(const struct entity_header *how, struct entity *entity_r, struct outcome *outcome);
/* The entity as relays will leave it (prepare.c): for signing. */
bool entity_prepared(const struct entity_header *how, struct entity *entity_r, struct outcome *outcome);

#endif
