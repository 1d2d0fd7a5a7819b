/* Mail addresses: envelope (RFC 5321 4.1.2, RFC 6531) and header lists (RFC 5322 3.4). */
#ifndef JULIA_ADDRESS_H
#define JULIA_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "util/strlist.h"

/* Limits: RFC 5321 4.5.3.1 says 64 and 255; longer local parts exist in the wild, so the whole address
 * counts. */
#define ADDRESS_MAX 1000

/* A usable envelope address: local@domain, valid UTF-8, no control characters, no blanks outside a quoted
   local part, not beginning with '-' unless quoted... "" (the null sender) is not an address here. A bare
   local part (no '@') is accepted only with allow_local. */
bool address_valid(const char *address, bool allow_local);

/* The form all comparisons use, newly allocated: quotes removed where not needed, domain as lower-case
   A-labels (RFC 3492/5891: U-labels and A-labels compare equal), local part lower-cased (ASCII and simple
   UTF-8 case). NULL if not valid. */
char *address_normalise(const char *address);
const char *address_domain(const char *address);  /* behind the last '@' outside quotes; "" if none */
bool address_equal(const char *a, const char *b); /* by normalised form */

/* An envelope address as an MTA gives it, newly allocated: itself when it is valid (allow_local), else with
   what stands before the last '@' put in quotes. Sendmail strips those of recipients for a mailer with flag
   s, and gives -x@x.example as it is: in quotes it can be taken for no option. NULL: no address either way.
 */
char *address_given(const char *given);

/* "x.example" matches exactly, ".x.example" it and everything below, "." everything. Case and IDN form do not
 * matter. */
bool address_domain_matches(const char *domain, const char *pattern);
bool address_in_domains(const char *address, const struct strlist *patterns);

/* Domain name to lower-case A-labels; NULL if it cannot be one. Newly allocated. */
char *address_domain_ascii(const char *domain);

/* The addresses in the value of From, To, Cc, Sender...: groups opened, comments and display names dropped,
   encoded words ignored. `clean_r` (may be NULL) is false when anything in the value could not be understood;
   what was understood is still listed. */
void address_list_parse(const char *value, size_t len, struct strlist *addresses, bool *clean_r);
/* Is the value (From, Sender) written so that all readers see this address, the only one that
   address_list_parse() found in it? "address", "<address>" or "text <address>", comments beside it. Not:
   blanks or comments inside of the address, groups, routes, comments in comments, control characters,
   anything in the text that has to be quoted and is not, but for pairs of square brackets. Names in the text
   are not looked at. */
bool address_is_plain(const char *value, const char *address);

#endif
