/* The file a request names for results: appended to from its end, and cut back to what it was unless the
   request succeeds. */
#ifndef SMIME_OUTPUT_H
#define SMIME_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "module/serve.h"
#include "util/base64.h"

struct output {
    int fd; /* -1: nothing is written, octets are only counted */
    uint64_t start;
    uint64_t written;
    uint64_t limit;
    const char *eol; /* of the lines written here */
};

/* The descriptor named by the attribute `output` of `node`. False: `answer` is filled in. */
bool output_open(struct output *output, const struct serve_request *request, const struct xml_node *node,
                 struct serve_answer *answer);
/* All of the octets, or false with errno; EFBIG: more than limit. */
bool output_put(struct output *output, const void *data, size_t len);
/* Text with '\n' written as eol. */
bool output_text(struct output *output, const char *text);
/* Forgets everything written since output_open(). */
void output_undo(struct output *output);
/* Fills in `answer` for a failed write (errno): too-large is permanent, all else temporary. */
void output_fail(const struct output *output, struct serve_answer *answer);

/* Base64 in lines of 76 into an output. */
#define ARMOUR_CHUNK 49152
struct armour {
    struct output *output;
    struct base64_encoder encoder;
    char text[BASE64_ENCODE_MAX(ARMOUR_CHUNK)];
};
void armour_begin(struct armour *armour, struct output *output);
bool armour_put(struct armour *armour, const void *data, size_t len);
bool armour_end(struct armour *armour);

#endif
