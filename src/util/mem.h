/* Memory that never comes back NULL. Out of memory ends the process at once with EX_TEMPFAIL (75), so that
   the MTA keeps the mail; no caller has a path for it. */
#ifndef JULIA_MEM_H
#define JULIA_MEM_H

#include <stdarg.h>
#include <stddef.h>

void *mem_alloc(size_t size);               /* zero-filled; release with free() */
void *mem_array(size_t count, size_t size); /* zero-filled, overflow checked */
void *mem_resize(void *old, size_t size);   /* new octets are not initialised */
char *mem_strdup(const char *text);         /* NULL stays NULL */
char *mem_strndup(const char *text, size_t len);
void *mem_dup(const void *data, size_t len); /* with one NUL octet behind it */
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *mem_vprintf(const char *format, va_list ap) __attribute__((format(printf, 1, 0)));

/* Overwrites `len` octets in a way the compiler keeps (pass phrases, keys). */
void mem_wipe(void *data, size_t len);

/* Appends one zeroed element to a growing array: `*items` is reallocated as needed (capacity doubles),
   `*count` grows by one, the new element is returned. */
void *mem_push(void *items, size_t *count, size_t size);

#endif
