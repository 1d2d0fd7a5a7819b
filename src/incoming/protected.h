/* Header fields that came protected inside a message: RFC 9788, the older protected-headers="v1", and the
   whole message inside of RFC 8551 3.1 (wrapped.h). What readers are shown is what was protected (RFC 9788
   4.2), and where that is not what stood outside, they are told.

   They replace the outer ones when the message was encrypted: then the outer ones are what everybody on the
   way could read and write, and may be hidden ("[...]"). Those of a message that was only signed replace
   outer ones if the signature is valid and its certificate carries the address in the protected From; what is
   signed stays octet for octet either way.

   From is special: an outer From that differs is never silently replaced. The inner one is shown only if a
   valid signature's certificate carries it; the outer one is then told beside it (X-JULIA-Outer-From).
   Otherwise the outer one stays and the inner one is told (X-JULIA-Inner-From). */
#ifndef JULIA_PROTECTED_H
#define JULIA_PROTECTED_H

#include "incoming/unwrap.h"

enum protected_form {
    PROTECTED_NOT,
    PROTECTED_HP,     /* RFC 9788 */
    PROTECTED_V1,     /* protected-headers="v1" */
    PROTECTED_WRAPPED /* RFC 8551: a whole message is inside */
};

struct protected
{
    enum protected_form form;
    struct header inside; /* the protected fields */
    struct header said;   /* RFC 9788: what stood outside when it was sent (HP-Outer); count 0: not told */
    bool encrypted;       /* they came out of an encrypted layer */
    const struct layer *signature; /* the outermost signature over them; NULL */

    bool active;          /* they are shown */
    struct strlist names; /* active: the fields that are not the outer ones; without From when that stays */
    char *told; /* "protected; hidden: Subject; differs: From, To": the fields that the sender hid, or
                   wrote otherwise, outside, and those that stand outside otherwise than he says.
                   Only names from a list of julia's own. NULL: no form */
    char *outer_from,
        *inner_from; /* single addresses; NULL when there is not exactly one that all readers see */
    bool from_kept;  /* the outer From stays */
};

/* Finds protected fields in a strand and decides about them. 0, or -1 with errno. */
int protected_read(struct protected *protected, const struct message *message,
                   const struct unwrap_strand *strand);
/* The outer fields stay, as if nothing were protected inside; differences are still told. */
void protected_forgo(struct protected *protected);
void protected_free(struct protected *protected);

/* The From that the reader will see, one address or NULL. */
const char *protected_from(const struct protected *protected);
/* Did somebody sign a From that is not the one that the reader will see? */
bool protected_other_signed(const struct protected *protected);
/* Appends the restored fields with `eol`, Subject excepted when `skip_subject`. */
void protected_write(const struct protected *protected, bool skip_subject, const char *authserv_id,
                     const char *eol, struct buf *out);

/* Appends field `index` of `header` with its line ends as `eol`, one at its end in any case, and blanks for
   NUL and bare CR, which some readers take for the beginning of another field. */
void protected_put_field(const struct header *header, size_t index, const char *eol, struct buf *out);

/* What would have to be hidden again outside if the message, as it is shown, were encrypted once more. */
enum protected_hides { PROTECTED_HIDES_NOTHING, PROTECTED_HIDES_SUBJECT, PROTECTED_HIDES_NAMES };
enum protected_hides protected_hides(const struct protected *protected);

/* protected_find.c: fills in form, inside, said, encrypted, signature. 0, or -1 with errno. */
int protected_find(struct protected *protected, const struct message *message,
                   const struct unwrap_strand *strand);
/* protected_compare.c: fills in names and told by comparing with the outer header. */
void protected_compare(struct protected *protected, const struct header *outer);

#endif
