/* Actions, what stands behind "(do)". Private to rules/. */
#ifndef JULIA_RULE_ACTION_H
#define JULIA_RULE_ACTION_H

#include <stdbool.h>
#include <stddef.h>

enum action_kind { ACTION_FS, ACTION_SIP, ACTION_NS, ACTION_FE, ACTION_EIP, ACTION_NE, ACTION_REJECT };

struct action {
    enum action_kind kind;
    char *address; /* "=ADDRESS" of FS, SIP, FE, EIP; NULL: bare */
    char *profile; /* ":NAME" of the same; NULL: none named */
    char *text;    /* of REJECT */
    size_t at;     /* where it stands in its line */
};

void action_free(struct action *action);
const char *action_name(enum action_kind kind);
bool action_find(const char *name, size_t len, enum action_kind *kind_r); /* case ignored */
bool action_signs(enum action_kind kind);                                 /* FS, SIP */
bool action_encrypts(enum action_kind kind);                              /* FE, EIP */

#endif
