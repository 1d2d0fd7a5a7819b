/* Root's hands off julia's files. */
#ifndef JULIA_OWNER_H
#define JULIA_OWNER_H

#include <stdbool.h>

/* Started by root (an administrator's julia -check), the process goes on as the user whom `directory` belongs
   to, with that user's groups: what root wrote, a log or the index of a module, julia's own user could not
   open, and mail would wait for it. Nothing happens to other users, nor when the directory is missing or
   root's own. False with errno when the user could not be taken on. */
bool owner_become(const char *directory);

#endif
