/* A bounded pull reader for BER and DER (X.690), definite and indefinite lengths, over any octet stream.
   Memory does not depend on the input. Used by the smime module for reading CMS and by the core's last check.
 */
#ifndef JULIA_BER_H
#define JULIA_BER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/buf.h"

#define BER_DEPTH_MAX   32         /* nested constructed elements; CMS needs about 12 */
#define BER_ELEMENT_MAX (4u << 20) /* ber_copy(): everything that is not content is smaller */

/* Gives up to `size` octets; 0 at the end, -1 on error. source_read() fits through a one-line adapter. */
typedef ssize_t ber_read_fn(void *context, void *out, size_t size);

struct ber;
struct ber *ber_new(ber_read_fn *read, void *context);
void ber_free(struct ber *ber);

struct ber_tag {
    unsigned char id; /* identifier octet; high tag numbers are refused */
    bool indefinite;
    uint64_t length; /* of the contents, when definite */
};

/* All: true, or false when the input is damaged or ends (ber_error() says why, static text). */
/* Identifier octet of the next element; -1 at the end or on damage. */
int ber_peek(struct ber *ber);
/* Enters the next element, which must have this identifier. tag_r may be NULL. */
bool ber_enter(struct ber *ber, unsigned char id, struct ber_tag *tag_r);
/* Inside the element entered last: is there another element before its end? */
bool ber_more(struct ber *ber);
/* Skips what is left of the element entered last. */
bool ber_leave(struct ber *ber);
/* For an element that may be damaged inside: ber_depth() before it is entered, and ber_give_up() with that
   when reading it failed. True: the damage is forgotten and the element, of definite length, is behind us.
   False: not entered, of indefinite length, or the input ends in it. */
unsigned int ber_depth(const struct ber *ber);
bool ber_give_up(struct ber *ber, unsigned int depth);
/* Skips one whole element. */
bool ber_skip(struct ber *ber);
/* Appends one whole element, its octets as they are (BER stays BER). */
bool ber_copy(struct ber *ber, struct buf *out);
/* Primitive contents of the next element, at most max octets. */
bool ber_primitive(struct ber *ber, unsigned char id, size_t max, struct buf *out);
/* An OCTET STRING (id 0x04/0x24) or implicitly tagged one (0x80/0xa0), primitive or constructed (nested too):
   enter it, then read its octets; 0 at its end (then it is left already), -1 damaged. */
bool ber_octets_enter(struct ber *ber, unsigned char primitive_id);
ssize_t ber_octets_read(struct ber *ber, void *out, size_t size);
/* Nothing follows (zero octets of padding do count as something). */
bool ber_at_end_of_input(struct ber *ber);
/* What follows the outermost element, up to `size` octets; fewer only at the end of the input. It stays where
 * it is. */
size_t ber_rest(struct ber *ber, void *out, size_t size);
const char *ber_error(const struct ber *ber); /* NULL when nothing went wrong */

#endif
