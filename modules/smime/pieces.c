#include "modules/smime/pieces.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/fdio.h"
#include "util/mem.h"

bool piece_parse(const struct serve_request *request, const struct xml_node *node, struct piece *piece_r,
                 struct serve_answer *answer)
{
    uint64_t size;

    piece_r->fd = serve_fd_regular(request, node, "fd", answer);
    if (piece_r->fd < 0)
        return false;
    if (xml_attribute_number(node, "offset", INT64_MAX, &piece_r->offset) &&
        xml_attribute_number(node, "length", INT64_MAX, &piece_r->length) &&
        fdio_size(piece_r->fd, &size) == 0 && piece_r->length <= size &&
        piece_r->offset <= size - piece_r->length)
        return true;
    serve_fail(answer, ANSWER_PERMANENT, "invalid", "a piece reaches beyond the end of its file");
    return false;
}

bool pieces_parse(struct pieces *pieces, const struct serve_request *request, const struct xml_node *parent,
                  struct serve_answer *answer)
{
    const struct xml_node *node = xml_child(parent, "piece");
    struct piece *piece;

    memset(pieces, 0, sizeof(*pieces));
    pieces->until = request->until;
    for (; node != NULL && pieces->count < PIECES_MAX; node = xml_next(node, "piece")) {
        piece = mem_push(&pieces->items, &pieces->count, sizeof(*piece));
        if (!piece_parse(request, node, piece, answer))
            return false;
    }
    if (node != NULL || pieces->count == 0) {
        serve_fail(answer, ANSWER_PERMANENT, "invalid", "1 to %d pieces, please", PIECES_MAX);
        return false;
    }
    pieces->raw = mem_alloc(PIECES_CHUNK);
    pieces->canonical = mem_alloc(2 * PIECES_CHUNK);
    return true;
}

void pieces_free(struct pieces *pieces)
{
    free(pieces->items);
    free(pieces->raw);
    free(pieces->canonical);
    memset(pieces, 0, sizeof(*pieces));
}

/* Converts pieces->raw; the state carries over from chunk to chunk and from piece to piece. */
static size_t make_canonical(struct pieces *pieces, size_t len)
{
    const unsigned char *in = pieces->raw, *end = in + len, *lf;
    unsigned char *out = pieces->canonical;
    size_t span;
    bool after_cr = pieces->after_cr;

    while (in < end) {
        lf = memchr(in, '\n', (size_t)(end - in));
        span = (size_t)((lf != NULL ? lf : end) - in);
        memcpy(out, in, span);
        out += span;
        if (span > 0)
            after_cr = in[span - 1] == '\r';
        in += span;
        if (lf == NULL)
            break;
        if (!after_cr)
            *out++ = '\r';
        *out++ = '\n';
        in++;
        after_cr = false;
    }
    pieces->after_cr = after_cr;
    return (size_t)(out - pieces->canonical);
}

/* Whether there is a piece with octets left. */
static bool advance(struct pieces *pieces)
{
    while (pieces->at < pieces->count && pieces->done == pieces->items[pieces->at].length) {
        pieces->at++;
        pieces->done = 0;
    }
    return pieces->at < pieces->count;
}

int pieces_next(struct pieces *pieces, struct pieces_chunk *chunk_r, struct serve_answer *answer)
{
    const struct piece *piece;
    uint64_t left;
    size_t len;

    if (!advance(pieces))
        return 0;
    if (deadline_passed(pieces->until)) {
        serve_fail(answer, ANSWER_TEMPORARY, "timeout", "the deadline passed during the operation");
        return -1;
    }
    piece = &pieces->items[pieces->at];
    left = piece->length - pieces->done;
    len = left < PIECES_CHUNK ? (size_t)left : PIECES_CHUNK;
    if (fdio_pread_all(piece->fd, pieces->raw, len, piece->offset + pieces->done) != 0) {
        serve_fail(answer, ANSWER_TEMPORARY, "input", "cannot read the message: %s", strerror(errno));
        return -1;
    }
    pieces->done += len;
    chunk_r->raw = pieces->raw;
    chunk_r->raw_len = len;
    chunk_r->canonical = pieces->canonical;
    chunk_r->canonical_len = make_canonical(pieces, len);
    return 1;
}
