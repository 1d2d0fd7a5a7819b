/* Mail that is quoted in a report which leaves for outside. Relays and mail servers inside return what julia
   delivered to them, decrypted and with its findings in the header; none of that may travel back: not what
   was inside, and not whether it could be opened, for who asks again and again would have an oracle. */
#ifndef JULIA_QUOTED_H
#define JULIA_QUOTED_H

#include "core/message.h"

/* In a message with the null sender, or a multipart/report: of each quoted mail that came encrypted (by the
   X-JULIA-Encryption that this gateway wrote) only Message-ID is left; from others the fields that only this
   gateway writes are taken. `message` then goes on with the new octets. Unchanged if there is nothing of that
   kind. false: outcome filled in; permanent when there is more in the report than can be looked at (a quoted
   mail in which there is, is only named). */
bool quoted_clean(struct message *message, struct outcome *outcome);

/* Is this a part for a mail that is quoted, or for its header? */
bool quoted_is_quoting(const struct mime_part *part);

#endif
