/* The operations of the role smime (julia-module(7)). */
#ifndef SMIME_OPERATIONS_H
#define SMIME_OPERATIONS_H

#include "module/serve.h"

void smime_sign(const struct serve_request *request, struct serve_answer *answer, void *module);
void smime_encrypt(const struct serve_request *request, struct serve_answer *answer, void *module);
void smime_inspect(const struct serve_request *request, struct serve_answer *answer, void *module);
void smime_unwrap(const struct serve_request *request, struct serve_answer *answer, void *module);

#endif
