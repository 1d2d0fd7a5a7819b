/* Header confidentiality policies (RFC 9788 3): which header fields go inside of what is signed or encrypted,
   and what of them stays outside of what is encrypted. */
#ifndef JULIA_HCP_H
#define JULIA_HCP_H

#include "core/config.h"
#include "mail/header.h"

#define HCP_SUBJECT "[...]" /* what stands outside instead of a hidden Subject */

struct hcp {
    enum config_protection policy;
    struct strlist subjects; /* what the Subjects say that are hidden */
};
/* The policy for a message with this header, if it is encrypted. */
void hcp_begin(struct hcp *hcp, enum config_protection policy, const struct header *header);
/* One more text that a hidden Subject has: the field, octets as they stand. */
void hcp_add_subject(struct hcp *hcp, const struct buf *field);
void hcp_free(struct hcp *hcp);

/* Does a policy hide anything at all? */
bool hcp_hides(enum config_protection policy);

/* Is a copy of the field to go inside: everything that says something about the message? Not what describes
   its form (RFC 9787 1.1.1), nor what relays write on its way, nor Bcc, nor what nobody but this gateway may
   write. */
bool hcp_protects(const struct header *header, size_t index);

/* Appends what stands outside instead of the field; nothing: it is inside only.
   CLEAR: all as it is. BASELINE (RFC 9788 3.2.1): Subject becomes "[...]", Comments and Keywords are inside
   only; and so are, here, fields that repeat the Subject: Outlook's Thread-Topic, and what mail filters make
   of it. SHY (3.2.2): of From, To, Cc only addresses stay, Date is written in UTC; and here Sender and
   Reply-To, which have the same names in them, are like From. A value that is no list of addresses, or no
   date, stays as it is, as in the RFC. */
void hcp_outside(const struct hcp *hcp, const struct header *header, size_t index, struct buf *out);

/* Is this a field that has no reason of its own to say what a hidden Subject says, and does so? */
bool hcp_repeats_subject(const struct hcp *hcp, const struct header *header, size_t index);

/* What hcp_outside() leaves nothing of, asked of any header: a field that is inside only; a list of addresses
   with more than addresses in it; a date in another zone than UTC. */
bool hcp_inside_only(const struct header *header, size_t index);
bool hcp_shows_names(const struct header *header, size_t index);
bool hcp_shows_zone(const struct header *header, size_t index);

#endif
