/* The trust module: validates certificates (julia-trust(8)). */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "module/serve.h"
#include "modules/trust/settings.h"
#include "modules/trust/validate.h"
#include "util/log.h"
#include "util/mem.h"

static bool load_settings(struct settings *settings)
{
    struct conf_faults faults = {0};
    char *path = mem_printf("%s/etc/trust.conf", serve_base());
    bool loaded = settings_load(path, serve_base(), settings, &faults);

    for (size_t i = 0; i < faults.lines.count; i++)
        fprintf(stderr, "%s\n", faults.lines.items[i]);
    conf_faults_free(&faults);
    free(path);
    return loaded;
}

int main(void)
{
    static const struct serve_operation operations[] = {{"validate", validate_run}, {NULL, NULL}};
    struct settings settings = {0};
    struct validate_module validate = {.settings = &settings};
    struct serve_module module = {
        .name = "trust", .role = "trust", .operations = operations, .module = &validate};
    char error[512];
    int status;

    /* Each of these costs more than most requests, and nobody here asks for it: openssl.cnf, OpenSSL's texts,
       and tidying up at the end. */
    OPENSSL_init_crypto(
        OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS | OPENSSL_INIT_NO_ATEXIT, NULL);
    if (!load_settings(&settings))
        return EX_TEMPFAIL;
    log_open(settings.log, "trust");
    validate.store = store_open(&settings, error, sizeof(error));
    if (validate.store == NULL) {
        fprintf(stderr, "trust: %s\n", error);
        return EX_TEMPFAIL;
    }
    status = module_serve(&module);
    store_close(validate.store);
    settings_free(&settings);
    log_close();
    return status;
}
