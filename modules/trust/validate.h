/* The operation validate (julia-module(7)): reads the request, judges each certificate, writes the answer. */
#ifndef JULIA_TRUST_VALIDATE_H
#define JULIA_TRUST_VALIDATE_H

#include "module/serve.h"
#include "modules/trust/settings.h"
#include "modules/trust/store.h"

struct validate_module {
    const struct settings *settings;
    struct store *store;
};

/* `module` is a struct validate_module. */
void validate_run(const struct serve_request *request, struct serve_answer *answer, void *module);

#endif
