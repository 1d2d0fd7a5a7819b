#include "modules/smime/setup.h"

#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

bool setup_openssl(void)
{
    unsigned char octet;

    /* Loading OpenSSL's texts and tidying up at the end cost more than most requests. */
    if (!OPENSSL_init_crypto(
            OPENSSL_INIT_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS | OPENSSL_INIT_NO_ATEXIT, NULL) ||
        OSSL_PROVIDER_load(NULL, "default") == NULL || RAND_bytes(&octet, 1) <= 0 ||
        RAND_priv_bytes(&octet, 1) <= 0) {
        fprintf(stderr, "smime: OpenSSL does not start (openssl errstr %lX tells why)\n", ERR_get_error());
        return false;
    }
    /* RC2; without it such mail is "unsupported" */
    (void)OSSL_PROVIDER_load(NULL, "legacy");
    ERR_clear_error();
    tzset();
    return true;
}

void setup_memory(void)
{
    const struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
#if defined(M_PERTURB) && !defined(__SANITIZE_ADDRESS__)
    (void)mallopt(M_PERTURB, 0xa5);
#endif
}
