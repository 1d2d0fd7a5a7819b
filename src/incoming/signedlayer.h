/* Opening a layer of an incoming message for which no key is needed: signed, compressed, or of another kind.
 */
#ifndef JULIA_SIGNEDLAYER_H
#define JULIA_SIGNEDLAYER_H

#include "incoming/unwrap.h"

/* The strand goes on inside, or stops. What a virus scanner must see is taken out of a signed layer that
   nobody can check, too (unwrap_looks_inside()). false: outcome filled in. */
bool signedlayer_run(struct unwrap *unwrap, size_t index, const struct layer_look *look,
                     struct outcome *outcome);

#endif
