/* What characters look like: text from outside must not look like something else than it is. Not all of
   Unicode's confusables (UTS 39), but what is at hand for imitating Latin text. */
#ifndef JULIA_GLYPH_H
#define JULIA_GLYPH_H

#include <stdbool.h>
#include <stdint.h>

/* Shows nothing, ends the line, or moves what stands around it: controls, soft hyphen, zero-width and
   directional characters, variation selectors, fillers, tags. */
bool glyph_invisible(uint32_t code);
/* A blank of whatever width. */
bool glyph_blank(uint32_t code);
/* Is drawn over the character before it (combining mark). */
bool glyph_mark(uint32_t code);

/* Full-width and small forms and other dots as the ASCII character that they are forms of; others unchanged.
 */
uint32_t glyph_plain(uint32_t code);
/* The small ASCII letter that this one looks like: plain forms, styled letters, umlauts without their dots,
   some Cyrillic, Greek and Armenian ones, square brackets of other makes as "[" and "]". Others in lower
   case. */
uint32_t glyph_skeleton(uint32_t code);

#endif
