/* CMS in base64 although the transfer encoding does not say so: as PEM (RFC 7468), or with the field lost on
   the way. Some clients and relays do that; the octets say what it is. */
#ifndef JULIA_ARMOUR_H
#define JULIA_ARMOUR_H

#include "incoming/layer.h"

/* Where the base64 stands in `body`: between the lines of a PEM block named PKCS7, CMS or PKCS #7 SIGNED
   DATA, else all of it. False: another kind of block, or a read error (errno). Nothing is decoded. */
bool armour_find(const struct layer_entity *body, struct layer_entity *base64_r);

#endif
