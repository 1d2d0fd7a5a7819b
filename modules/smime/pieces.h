/* The octets a request hands over: ranges of regular files, one after another, read by pread in constant
 * memory. */
#ifndef SMIME_PIECES_H
#define SMIME_PIECES_H

#include <stdbool.h>
#include <stdint.h>

#include "module/serve.h"

#define PIECES_MAX   10000 /* a range per leaf that was re-encoded, and between them */
#define PIECES_CHUNK 65536

struct piece {
    int fd;
    uint64_t offset, length;
};

struct pieces {
    struct piece *items;
    size_t count;
    size_t at;     /* piece being read */
    uint64_t done; /* octets of it already read */
    deadline until;
    bool after_cr; /* the last octet read was a CR */
    unsigned char *raw, *canonical;
};

/* The range that a <piece> element names, checked against its file. False: `answer` is filled in. */
bool piece_parse(const struct serve_request *request, const struct xml_node *node, struct piece *piece_r,
                 struct serve_answer *answer);
/* All <piece> children of `parent`. Free with pieces_free() in any case. */
bool pieces_parse(struct pieces *pieces, const struct serve_request *request, const struct xml_node *parent,
                  struct serve_answer *answer);

struct pieces_chunk {
    const unsigned char *raw; /* as it stands in the files */
    size_t raw_len;
    const unsigned char
        *canonical;       /* the form that is hashed and encrypted (RFC 8551 3.1.1): an LF without CR */
    size_t canonical_len; /* before it has become CRLF. At most 2 * PIECES_CHUNK octets. */
};
/* 1: the next chunk, borrowed until the next call; 0: the end; -1: `answer` is filled in. */
int pieces_next(struct pieces *pieces, struct pieces_chunk *chunk_r, struct serve_answer *answer);
void pieces_free(struct pieces *pieces);

#endif
