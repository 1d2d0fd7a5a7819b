#include "util/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* No stdio and no allocation on this way out. The text is what the MTA shows in its queue. */
static _Noreturn void mem_exhausted(void)
{
    static const char text[] = "4.3.0 out of memory, the mail stays in the queue\n";

    if (write(STDOUT_FILENO, text, sizeof(text) - 1) < 0)
        _exit(EX_TEMPFAIL);
    _exit(EX_TEMPFAIL);
}

void *mem_alloc(size_t size)
{
    return mem_array(1, size);
}

void *mem_array(size_t count, size_t size)
{
    size_t total;
    void *data;

    if (__builtin_mul_overflow(count, size, &total))
        mem_exhausted();
    data = calloc(1, total > 0 ? total : 1);
    if (data == NULL)
        mem_exhausted();
    return data;
}

void *mem_resize(void *old, size_t size)
{
    void *data = realloc(old, size > 0 ? size : 1);

    if (data == NULL)
        mem_exhausted();
    return data;
}

char *mem_strdup(const char *text)
{
    return text == NULL ? NULL : mem_dup(text, strlen(text));
}

char *mem_strndup(const char *text, size_t len)
{
    return text == NULL ? NULL : mem_dup(text, strnlen(text, len));
}

void *mem_dup(const void *data, size_t len)
{
    char *copy;

    if (len == SIZE_MAX)
        mem_exhausted();
    copy = mem_resize(NULL, len + 1);
    if (len > 0)
        memcpy(copy, data, len);
    copy[len] = '\0';
    return copy;
}

char *mem_vprintf(const char *format, va_list ap)
{
    char *text = NULL;

    if (vasprintf(&text, format, ap) < 0)
        mem_exhausted();
    return text;
}

char *mem_printf(const char *format, ...)
{
    va_list ap;
    char *text;

    va_start(ap, format);
    text = mem_vprintf(format, ap);
    va_end(ap);
    return text;
}

void mem_wipe(void *data, size_t len)
{
    if (data != NULL)
        explicit_bzero(data, len);
}

/* The capacity is not stored: it is always the count rounded up to a power of two. */
void *mem_push(void *items, size_t *count, size_t size)
{
    char *data;
    size_t n = *count;

    memcpy(&data, items, sizeof(data));
    if ((n & (n - 1)) == 0) { /* 0, 1, 2, 4, ...: full */
        size_t capacity = n == 0 ? 1 : n * 2;

        if (size > 0 && capacity > SIZE_MAX / size)
            mem_exhausted();
        data = mem_resize(data, capacity * size);
        memcpy(items, &data, sizeof(data));
    }
    *count = n + 1;
    return memset(data + n * size, 0, size);
}
