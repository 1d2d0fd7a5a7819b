/* Whoever started julia and waits for its exit status: the MTA. */
#ifndef JULIA_CALLER_H
#define JULIA_CALLER_H

#include <stdbool.h>

/* To be called first: remembers who it is. */
void caller_note(void);
/* Whether the caller has ended, or is just ending. The end of standard input is then no sign of a whole
   message: an MTA that is killed leaves us a piece of it. (A process closes its descriptors before it can be
   seen to be gone; what says that it is on this way is the flag PF_EXITING in /proc, Linux only.) False where
   this cannot be known. */
bool caller_is_gone(void);

#endif
