/* Signing and encrypting one entity by the smime module. The private key stays in its key module: a grant for
   one signature is what smime gets. */
#ifndef JULIA_PROTECT_H
#define JULIA_PROTECT_H

#include "module/frame.h"
#include "outgoing/entity.h"
#include "outgoing/select.h"

/* Descriptors that go along with a request, named by their place. */
struct protect_fds {
    int items[FRAME_FDS_MAX];
    size_t count;
};
void protect_put_fd(struct protect_fds *fds, struct xml_writer *w, const char *attribute, int fd);
void protect_put_piece(struct protect_fds *fds, struct xml_writer *w, const struct entity_piece *piece);

enum protect_result {
    PROTECT_DONE,
    PROTECT_FAILED, /* temporary, as everything: nothing that a module says makes a message undeliverable */
    PROTECT_DIED    /* the smime module ended while it worked on this message */
};
/* Both append a whole MIME entity to `out` (which may hold the outer header already). Not done: outcome
 * filled in. */
enum protect_result protect_sign(struct message *message, const struct entity *entity,
                                 const struct select_candidate *signer, const struct config_profile *profile,
                                 bool opaque, int out, struct outcome *outcome);
enum protect_result protect_encrypt(struct message *message, const struct entity *entity,
                                    const struct select_candidate *const *recipients, size_t count,
                                    const struct config_profile *profile, int out, struct outcome *outcome);

#endif
