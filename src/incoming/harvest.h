/* Learning partners' certificates from valid signatures (HARVEST, DESIGN section 4, incoming 4). */
#ifndef JULIA_HARVEST_H
#define JULIA_HARVEST_H

#include "incoming/layer.h"

/* Gives the certificates of all valid signers of this layer, with their SMIMECapabilities, to the first key
   module that stores them: to area public or review, as configured. Faults are logged only. */
void harvest_layer(struct message *message, const struct layer *layer);

#endif
