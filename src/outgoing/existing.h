/* S/MIME that a message has already when it comes from inside (DESIGN section 4, outgoing 7). */
#ifndef JULIA_EXISTING_H
#define JULIA_EXISTING_H

#include "core/message.h"

enum existing_kind { EXISTING_NONE, EXISTING_SIGNED, EXISTING_ENCRYPTED };

struct existing {
    enum existing_kind kind; /* by its DER, never by its label */
    bool kept;               /* a user's signature that stays: it verifies for header From, and RESIGN=no */
    bool uncertain;          /* whether it verifies could not be found out (a module is down) */
    char *how;               /* why it stays, does not stay or is uncertain; NULL when nothing was signed */
    char *scheme, *mgf1;     /* of the signature that stays, as in core/form.h */
    uint64_t salt;
};

/* Reads the outermost entity only; asks nobody. false: outcome filled in (read error). */
bool existing_look(const struct message *message, struct existing *existing_r, struct outcome *outcome);
/* Decides `kept` for EXISTING_SIGNED by the smime and trust modules. */
void existing_verify(struct message *message, struct existing *existing);
void existing_free(struct existing *existing);

#endif
