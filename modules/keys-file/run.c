/* The module from its configuration to its last connection. */
#include "modules/keys-file/run.h"

#include <openssl/crypto.h>
#include <sysexits.h>

#include "modules/keys-file/grant.h"
#include "modules/keys-file/module.h"
#include "modules/keys-file/private_key.h"
#include "util/log.h"

/* Locked memory, never written to swap space nor to core dumps, wiped when freed: private numbers and the
   pass phrase. Room for PRIVATE_KEYS_MAX keys of 4096 bits, and for those being read. */
#define SECURE_HEAP (512u << 10)
#define SECURE_MIN  32

static void tell_unlocked(void)
{
    log_event(LOG_LEVEL_WARNING, "memory-not-locked", "text",
              "keys may be written to swap space: raise the limit of locked memory (LimitMEMLOCK, ulimit -l)",
              (char *)NULL);
}

int run(void)
{
    static const struct serve_operation operations[] = {
        {"find", find_run},   {"grant", grant_run}, {"sign", sign_run}, {"open", open_run},
        {"store", store_run}, {"list", list_run},   {NULL, NULL},
    };
    struct module module = {0};
    const struct serve_module served = {.name = MODULE_NAME,
                                        .role = "keys",
                                        .operations = operations,
                                        .module = &module,
                                        .connection_open = grant_connection_open,
                                        .connection_close = grant_connection_close,
                                        .connection_waits = grant_connection_waits,
                                        .admit = grant_admit};
    bool locked;
    int status;

    /* Each of these costs more than most requests, and nobody here asks for it: openssl.cnf, OpenSSL's texts,
       and tidying up at the end, when the keys are freed already. */
    OPENSSL_init_crypto(
        OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS | OPENSSL_INIT_NO_ATEXIT, NULL);
    locked = CRYPTO_secure_malloc_init(SECURE_HEAP, SECURE_MIN) == 1;
    if (!module_load(&module))
        return EX_TEMPFAIL;
    log_open(module.settings.log, MODULE_NAME);
    if (!locked)
        tell_unlocked();
    status = module_serve(&served);
    module_free(&module);
    log_close();
    return status;
}
