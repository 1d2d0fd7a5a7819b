/* What the fuzz targets share. */
#ifndef JULIA_FUZZ_H
#define JULIA_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold whatever the input is. */
#define FUZZ_HOLDS(condition)                                                                                \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                   \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

/* An unlinked file with these octets, position 0. */
int fuzz_file(const void *data, size_t len);
/* What is in a file, from the start. */
void fuzz_slurp(int fd, struct buf *out);

/* A folder of this process, removed at its end; the same one each time. */
const char *fuzz_folder(void);
/* A file FOLDER/NAME with these octets that nobody else can read; folders on the way are made. */
void fuzz_folder_file(const char *name, const void *data, size_t len);

/* Inputs of several pieces: the octets up to the next line "%%", or all that are left; `rest` and `rest_len`
   go behind it. */
#define FUZZ_BETWEEN "%%\n"
const uint8_t *fuzz_piece(const uint8_t **rest, size_t *rest_len, size_t *len_r);
/* The same as text, newly allocated; it ends at the first NUL. */
char *fuzz_piece_text(const uint8_t **rest, size_t *rest_len);

#endif
