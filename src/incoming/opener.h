/* Opening an encrypted layer for the recipients who may have it opened. */
#ifndef JULIA_OPENER_H
#define JULIA_OPENER_H

#include "incoming/unwrap.h"

/* Splits strand number `index`: those for whom a key opened the layer go on inside, in new strands (one for
   each key that was needed, unless it opened the layer to the same octets); the others stop here. With
   unwrap->profile, a layer that everybody can see stops all of them if its form is another one (UNWRAP_FORM),
   before any key is looked for. false: outcome filled in (temporary). */
bool opener_run(struct unwrap *unwrap, size_t index, const struct layer_look *look, struct outcome *outcome);

#endif
