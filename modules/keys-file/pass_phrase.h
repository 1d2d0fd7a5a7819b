/* The central pass phrase: the first line of a file that only its owner (root or this process's user) can
   read. Kept in locked memory, read again when the file changes, wiped at the end. */
#ifndef JULIA_KEYS_FILE_PASS_PHRASE_H
#define JULIA_KEYS_FILE_PASS_PHRASE_H

#include <stdbool.h>

struct pass_phrase;

/* `file` NULL: there is none. */
struct pass_phrase *pass_phrase_new(const char *file);
/* NULL if there is none or its file is refused; the log then says why, once per change of the file. Valid
   until the next call. Takes void * to serve as a callback. */
const char *pass_phrase_get(void *phrase);
/* There should be one, but its file cannot be used now: keys under it are not seen. */
bool pass_phrase_refused(struct pass_phrase *phrase);
void pass_phrase_free(struct pass_phrase *phrase);

#endif
