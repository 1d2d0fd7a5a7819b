/* The checks, by what they try. Each reports for itself. */
#ifndef JULIA_CHECK_CHECKS_H
#define JULIA_CHECK_CHECKS_H

#include "modules/check/peer.h"

/* Fills in name, role and operations. false: there is no talking to this module, nothing else makes sense. */
bool check_hello(struct target *target);
void check_frames(struct target *target);      /* damaged frames and documents */
void check_descriptors(struct target *target); /* too many, and ones that nobody asked for */
void check_keys(struct target *target);        /* find and list */
void check_grant(struct target *target);       /* grant, sign and open */
void check_trust(struct target *target);       /* validate */
void check_smime(struct target *target);       /* sign, encrypt and unwrap */

#endif
