/* The module smime: julia-smime(8). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "modules/smime/operations.h"
#include "modules/smime/sandbox.h"
#include "modules/smime/setup.h"

#define EXIT_TEMPORARY 75

static const struct serve_operation operations[] = {{"sign", smime_sign},
                                                    {"encrypt", smime_encrypt},
                                                    {"inspect", smime_inspect},
                                                    {"unwrap", smime_unwrap},
                                                    {NULL, NULL}};

static const struct serve_module module = {.name = "smime", .role = "smime", .operations = operations};

int main(void)
{
    setup_memory();
    if (!setup_openssl())
        return EXIT_TEMPORARY;
    if (!sandbox_enter()) {
        fprintf(stderr, "smime: no seccomp filter can be installed: %s\n", strerror(errno));
        return EXIT_TEMPORARY;
    }
    return module_serve(&module);
}
