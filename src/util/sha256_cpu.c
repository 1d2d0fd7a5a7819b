#include "util/sha256_private.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <cpuid.h>
#include <immintrin.h>

#define CPUID_FEATURES 7
#define CPUID_EBX_SHA  (1u << 29)
#define ROUNDS_OF_FOUR 16

/* FIPS 180-4 section 4.2.2 */
static const uint32_t constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

bool sha256_cpu_has(void)
{
    static int known = -1;

    if (known < 0) {
        unsigned int a, b = 0, c, d;

        known = __get_cpuid_count(CPUID_FEATURES, 0, &a, &b, &c, &d) != 0 && (b & CPUID_EBX_SHA) != 0 &&
                __builtin_cpu_supports("sse4.1");
    }
    return known == 1;
}

/* The instructions keep the eight words as (a b e f) and (c d g h), highest first. */
__attribute__((target("sha,sse4.1"))) static void compress_block(__m128i *abef, __m128i *cdgh,
                                                                 const unsigned char *data)
{
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    __m128i x = *abef, y = *cdgh, w[4];

#pragma GCC unroll 16
    for (int i = 0; i < ROUNDS_OF_FOUR; i++) {
        __m128i words;

        if (i < 4) {
            w[i] =
                _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(data + 16 * i)), big_endian);
        } else { /* section 6.2.2 step 1, four words at once */
            __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w[i % 4], w[(i + 1) % 4]),
                                        _mm_alignr_epi8(w[(i + 3) % 4], w[(i + 2) % 4], 4));

            w[i % 4] = _mm_sha256msg2_epu32(sum, w[(i + 3) % 4]);
        }
        words = _mm_add_epi32(w[i % 4], _mm_load_si128((const __m128i *)(const void *)(constants + 4 * i)));
        y = _mm_sha256rnds2_epu32(y, x, words);
        x = _mm_sha256rnds2_epu32(x, y, _mm_shuffle_epi32(words, 0x0e));
    }
    *abef = _mm_add_epi32(*abef, x);
    *cdgh = _mm_add_epi32(*cdgh, y);
}

__attribute__((target("sha,sse4.1"))) void sha256_cpu_compress(uint32_t state[8], const unsigned char *data,
                                                               size_t blocks)
{
    __m128i abef = _mm_set_epi32((int)state[0], (int)state[1], (int)state[4], (int)state[5]);
    __m128i cdgh = _mm_set_epi32((int)state[2], (int)state[3], (int)state[6], (int)state[7]);

    for (; blocks > 0; blocks--, data += 64)
        compress_block(&abef, &cdgh, data);
    state[0] = (uint32_t)_mm_extract_epi32(abef, 3);
    state[1] = (uint32_t)_mm_extract_epi32(abef, 2);
    state[4] = (uint32_t)_mm_extract_epi32(abef, 1);
    state[5] = (uint32_t)_mm_extract_epi32(abef, 0);
    state[2] = (uint32_t)_mm_extract_epi32(cdgh, 3);
    state[3] = (uint32_t)_mm_extract_epi32(cdgh, 2);
    state[6] = (uint32_t)_mm_extract_epi32(cdgh, 1);
    state[7] = (uint32_t)_mm_extract_epi32(cdgh, 0);
}

#else

bool sha256_cpu_has(void)
{
    return false;
}

void sha256_cpu_compress(uint32_t state[8], const unsigned char *data, size_t blocks)
{
    (void)state;
    (void)data;
    (void)blocks;
}

#endif
