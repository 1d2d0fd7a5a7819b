#include "mail/ber.h"

#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

#define BER_WINDOW  4096
#define CONSTRUCTED 0x20

struct level {
    bool indefinite;
    uint64_t end; /* offset behind the contents, when definite */
};

struct ber {
    ber_read_fn *read;
    void *context;
    unsigned char window[BER_WINDOW];
    size_t at, filled;
    uint64_t offset; /* of window[at] in the input */
    struct level levels[BER_DEPTH_MAX];
    unsigned int depth;
    const char *error;
    /* octet string being read */
    unsigned int octets_base; /* depth outside it */
    uint64_t octets_left;     /* of the current primitive piece */
    bool octets_open;
};

struct ber *ber_new(ber_read_fn *read, void *context)
{
    struct ber *ber = mem_alloc(sizeof(*ber));

    ber->read = read;
    ber->context = context;
    return ber;
}

void ber_free(struct ber *ber)
{
    free(ber);
}

const char *ber_error(const struct ber *ber)
{
    return ber->error;
}

/* Keeps the first fault; false. */
static bool damaged(struct ber *ber, const char *text)
{
    if (ber->error == NULL)
        ber->error = text;
    return false;
}

/* Has at least `want` octets in the window, fewer only at the end of the input. */
static size_t have(struct ber *ber, size_t want)
{
    ssize_t n;

    while (ber->filled - ber->at < want) {
        if (ber->at + want > sizeof(ber->window) || ber->at == ber->filled) {
            memmove(ber->window, ber->window + ber->at, ber->filled - ber->at);
            ber->filled -= ber->at;
            ber->at = 0;
        }
        n = ber->read(ber->context, ber->window + ber->filled, sizeof(ber->window) - ber->filled);
        if (n < 0)
            damaged(ber, "cannot be read");
        if (n <= 0)
            break;
        ber->filled += (size_t)n;
    }
    return ber->filled - ber->at;
}

static void advance(struct ber *ber, size_t n)
{
    ber->at += n;
    ber->offset += n;
}

/* Octets that the innermost definite element still allows. */
static uint64_t room(const struct ber *ber)
{
    for (unsigned int i = ber->depth; i-- > 0;)
        if (!ber->levels[i].indefinite)
            return ber->levels[i].end - ber->offset;
    return UINT64_MAX;
}

/* Parses identifier and length at the current place without consuming them. Returns how many octets they
 * take, 0 on damage. */
static size_t parse_tag(struct ber *ber, struct ber_tag *tag)
{
    size_t got = have(ber, 10), used = 2, octets;
    const unsigned char *p = ber->window + ber->at;

    memset(tag, 0, sizeof(*tag));
    if (ber->error != NULL)
        return 0;
    if (got < 2)
        return damaged(ber, "ends inside an element"), 0;
    tag->id = p[0];
    if ((p[0] & 0x1f) == 0x1f)
        return damaged(ber, "high tag number"), 0;
    if (p[1] == 0x80) {
        tag->indefinite = true;
        if ((p[0] & CONSTRUCTED) == 0)
            return damaged(ber, "indefinite length of a primitive element"), 0;
    } else if (p[1] < 0x80) {
        tag->length = p[1];
    } else {
        octets = p[1] & 0x7f;
        used += octets;
        if (octets > 8)
            return damaged(ber, "length of more than eight octets"), 0;
        if (got < used)
            return damaged(ber, "ends inside an element"), 0;
        for (size_t i = 0; i < octets; i++)
            tag->length = (tag->length << 8) | p[2 + i];
    }
    if (room(ber) < used || (!tag->indefinite && tag->length > room(ber) - used))
        return damaged(ber, "element longer than the one around it"), 0;
    if (!tag->indefinite && tag->length > UINT64_MAX - ber->offset - used)
        return damaged(ber, "length out of range"), 0;
    return used;
}

/* Is the current place the end of the innermost open element (or of the input, when none is open)? */
static bool at_end(struct ber *ber)
{
    size_t got;

    if (ber->error != NULL)
        return true;
    if (ber->depth > 0 && !ber->levels[ber->depth - 1].indefinite)
        return ber->offset >= ber->levels[ber->depth - 1].end;
    if (room(ber) == 0) /* an indefinite one, but a definite one around it ends */
        return true;
    got = have(ber, 2);
    if (ber->depth == 0)
        return got == 0;
    if (got == 0)
        return true;
    return got >= 2 && ber->window[ber->at] == 0 && ber->window[ber->at + 1] == 0;
}

int ber_peek(struct ber *ber)
{
    if (at_end(ber))
        return -1;
    return have(ber, 1) > 0 ? ber->window[ber->at] : -1;
}

bool ber_more(struct ber *ber)
{
    return ber->error == NULL && !at_end(ber);
}

static bool push(struct ber *ber, const struct ber_tag *tag)
{
    if (ber->depth == BER_DEPTH_MAX)
        return damaged(ber, "nested too deeply");
    ber->levels[ber->depth].indefinite = tag->indefinite;
    ber->levels[ber->depth].end = ber->offset + tag->length;
    ber->depth++;
    return true;
}

bool ber_enter(struct ber *ber, unsigned char id, struct ber_tag *tag_r)
{
    struct ber_tag tag;
    size_t used;

    if (at_end(ber))
        return damaged(ber, "an element is missing");
    if ((used = parse_tag(ber, &tag)) == 0)
        return false;
    if (tag.id != id)
        return damaged(ber, "another element than expected");
    if (ber->depth == BER_DEPTH_MAX)
        return damaged(ber, "nested too deeply");
    advance(ber, used);
    if (tag_r != NULL)
        *tag_r = tag;
    return push(ber, &tag);
}

/* Consumes `len` octets, appending them to `out` if not NULL. */
static bool consume(struct ber *ber, uint64_t len, struct buf *out)
{
    while (len > 0) {
        size_t got = have(ber, 1);

        if (got == 0)
            return damaged(ber, "ends inside an element");
        if (got > len)
            got = (size_t)len;
        if (out != NULL)
            buf_add(out, ber->window + ber->at, got);
        advance(ber, got);
        len -= got;
    }
    return true;
}

/* The end of the innermost element, reached: takes the two zero octets of an indefinite one. */
static bool pop(struct ber *ber, struct buf *out)
{
    const struct level *level = &ber->levels[ber->depth - 1];

    if (level->indefinite && (room(ber) < 2 || have(ber, 2) < 2))
        return damaged(ber, "an indefinite element has no end");
    if (level->indefinite && !consume(ber, 2, out))
        return false;
    ber->depth--;
    return true;
}

/* One whole element, to `out` if not NULL (then at most `max` octets). Nested indefinite ones are entered,
 * not recursed into. */
static bool take_whole(struct ber *ber, struct buf *out, uint64_t max)
{
    unsigned int base = ber->depth;
    uint64_t begin = ber->offset;

    if (at_end(ber))
        return damaged(ber, "an element is missing");
    do {
        struct ber_tag tag;
        size_t used;

        if (ber->depth > base && at_end(ber)) {
            if (!pop(ber, out))
                return false;
            continue;
        }
        if ((used = parse_tag(ber, &tag)) == 0)
            return false;
        if (tag.id == 0)
            return damaged(ber, "end of an element that has not begun");
        if (ber->offset - begin + used > max || tag.length > max - (ber->offset - begin) - used)
            return damaged(ber, "element too large");
        if (!consume(ber, used, out))
            return false;
        if (tag.indefinite ? !push(ber, &tag) : !consume(ber, tag.length, out))
            return false;
    } while (ber->depth > base);
    return true;
}

bool ber_skip(struct ber *ber)
{
    return take_whole(ber, NULL, UINT64_MAX);
}

bool ber_copy(struct ber *ber, struct buf *out)
{
    return take_whole(ber, out, BER_ELEMENT_MAX);
}

bool ber_leave(struct ber *ber)
{
    const struct level *level;

    if (ber->error != NULL)
        return false;
    if (ber->depth == 0)
        return damaged(ber, "no element is open");
    level = &ber->levels[ber->depth - 1];
    if (!level->indefinite)
        return consume(ber, level->end - ber->offset, NULL) && pop(ber, NULL);
    while (!at_end(ber))
        if (!ber_skip(ber))
            return false;
    return ber->error == NULL && pop(ber, NULL);
}

unsigned int ber_depth(const struct ber *ber)
{
    return ber->depth;
}

bool ber_give_up(struct ber *ber, unsigned int depth)
{
    if (ber->depth <= depth || ber->levels[depth].indefinite)
        return false;
    ber->error = NULL;
    ber->octets_open = false;
    ber->depth = depth + 1;
    return ber_leave(ber);
}

bool ber_primitive(struct ber *ber, unsigned char id, size_t max, struct buf *out)
{
    struct ber_tag tag;
    size_t used;

    if (at_end(ber))
        return damaged(ber, "an element is missing");
    if ((used = parse_tag(ber, &tag)) == 0)
        return false;
    if (tag.id != id || tag.indefinite)
        return damaged(ber, "another element than expected");
    if (tag.length > max)
        return damaged(ber, "element too large");
    advance(ber, used);
    return consume(ber, tag.length, out);
}

bool ber_octets_enter(struct ber *ber, unsigned char primitive_id)
{
    struct ber_tag tag;
    int id = ber_peek(ber);

    if (id != primitive_id && id != (primitive_id | CONSTRUCTED))
        return damaged(ber, "an octet string is missing");
    ber->octets_base = ber->depth;
    ber->octets_left = 0;
    if (!ber_enter(ber, (unsigned char)id, &tag))
        return false;
    ber->octets_open = true;
    if (id == primitive_id)
        ber->octets_left = tag.length;
    return true;
}

/* Goes to the next octets: 1 there are some, 0 the end of the whole string, -1 damage. */
static int octets_next(struct ber *ber)
{
    struct ber_tag tag;
    size_t used;

    while (ber->octets_left == 0) {
        if (at_end(ber)) {
            if (ber->error != NULL || !pop(ber, NULL))
                return -1;
            if (ber->depth == ber->octets_base)
                return 0;
            continue;
        }
        if ((used = parse_tag(ber, &tag)) == 0)
            return -1;
        if (tag.id != 0x04 && tag.id != 0x24)
            return damaged(ber, "something else inside an octet string"), -1;
        advance(ber, used);
        if (tag.id == 0x04)
            ber->octets_left = tag.length;
        else if (!push(ber, &tag))
            return -1;
    }
    return 1;
}

ssize_t ber_octets_read(struct ber *ber, void *out, size_t size)
{
    size_t got;
    int next;

    if (ber->error != NULL)
        return -1;
    if (!ber->octets_open)
        return 0;
    next = octets_next(ber);
    if (next <= 0) {
        ber->octets_open = false;
        return next;
    }
    got = have(ber, 1);
    if (got == 0)
        return damaged(ber, "ends inside an element"), -1;
    if (got > size)
        got = size;
    if (got > ber->octets_left)
        got = (size_t)ber->octets_left;
    memcpy(out, ber->window + ber->at, got);
    advance(ber, got);
    ber->octets_left -= got;
    return (ssize_t)got;
}

bool ber_at_end_of_input(struct ber *ber)
{
    return ber->error == NULL && ber->depth == 0 && have(ber, 1) == 0 && ber->error == NULL;
}

size_t ber_rest(struct ber *ber, void *out, size_t size)
{
    size_t got = ber->error == NULL && ber->depth == 0 ? have(ber, size) : 0;

    if (got > size)
        got = size;
    memcpy(out, ber->window + ber->at, got);
    return ber->error == NULL ? got : 0;
}
