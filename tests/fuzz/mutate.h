/* Inputs made of others: what libFuzzer does, without its feedback and always the same. */
#ifndef JULIA_FUZZ_MUTATE_H
#define JULIA_FUZZ_MUTATE_H

#include <stdbool.h>
#include <stdint.h>

#include "util/buf.h"

struct mutate_seed {
    char *file;
    struct buf octets;
};

struct mutate { /* zero it to begin */
    struct mutate_seed *seeds;
    size_t seed_count;
    struct buf *words; /* of the dictionary */
    size_t word_count;
    uint64_t state;
    size_t max_len;
    struct buf out; /* the input made last */
};

/* Takes `octets` over. */
void mutate_add_seed(struct mutate *mutate, const char *file, struct buf *octets);
/* A dictionary as libFuzzer and AFL read it: NAME="word" or "word", \\ \" \xAB inside, # comments. */
bool mutate_read_dict(struct mutate *mutate, const char *path);
/* The same number gives the same inputs again. Seeds longer than max_len are cut. */
void mutate_begin(struct mutate *mutate, uint64_t number, size_t max_len);
/* Makes mutate->out; returns the seed that it was made of. */
const struct mutate_seed *mutate_next(struct mutate *mutate);
void mutate_free(struct mutate *mutate);

#endif
