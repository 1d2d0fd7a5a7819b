/* Between the files of SHA-256. */
#ifndef JULIA_SHA256_PRIVATE_H
#define JULIA_SHA256_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The processor's own SHA-256 instructions: about twenty times as fast as portable code, which decides what a
   large message costs the core. False where the processor, or this program as it was built, has none. */
bool sha256_cpu_has(void);
/* Takes in whole blocks of 64 octets. To be called only where sha256_cpu_has(). */
void sha256_cpu_compress(uint32_t state[8], const unsigned char *data, size_t blocks);

#endif
