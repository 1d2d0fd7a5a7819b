/* Does an opened copy show all that readers may see in the message as it came? What the virus scanner looked
   into must be what is delivered in the end. */
#ifndef JULIA_ALIKE_H
#define JULIA_ALIKE_H

#include "incoming/unwrap.h"

/* `node`: what the copy consists of. 1; 0: one of the layers around it, or its own header, can be read in
   different ways, or has something that the copy leaves out and that some readers show; -1: errno. */
int alike(const struct message *message, const struct unwrap_node *node);
/* The layers around `node` alone: does everybody who can open them see `node` there, and nothing else? */
int alike_layers(const struct message *message, const struct unwrap_node *node);

#endif
