/* Whose message it says it is: the one address in From or Sender that every reader sees. */
#ifndef JULIA_AUTHOR_H
#define JULIA_AUTHOR_H

#include "mail/header.h"

/* The address in the only field of that name, newly allocated. NULL when there is none, or when readers may
   see another one: several fields (one of them behind a bare CR, too), several addresses, parts that not
   everybody understands alike, or another address in what is shown beside it (display name, encoded or not,
   comment, a group's name), or something there that cannot be decoded. */
char *author_address(const struct header *header, const char *name);

#endif
