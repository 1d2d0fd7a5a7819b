/* Opening an encrypted content key, as strangers send them: with whatever scheme, point or octets. What comes
   out has the length that was asked for; for PKCS#1 v1.5 nobody can tell from outside whether it was right.
   The first octet chooses the scheme; "%%" stands between encrypted key, originator's point and shared info.
 */
#include <openssl/x509.h>
#include <string.h>

#include "modules/keys-file/opening.h"
#include "tests/fuzz/fuzz.h"
#include "util/base64.h"

/* Made for this test. */
static const char rsa_key[] =
    "MIICXAIBAAKBgQCksb0/vCssvAQcc4vySkgDW1fOpDlXDOomnuT7E9FMC6c1CHHh8z+WTFr7dwiOUAnqJzMUNijHkStQyN66"
    "9DrBsUbB1XxNUJC70tQrsVra3rXJp8Hthme0qrXxLvpxShXeeDTQMOZTmcbb6B+wRWTGYbZqIcSSlm+499UguyZ43QIDAQAB"
    "AoGBAKDvUlg6nxH6tCW9P27G6XHmS3qQ/bsz0odk06sJ5YbjCESJeQdrtKJBANMjsUenrNiT75T7i4PgNqydbRDRYaucwYgQ"
    "Jvqcvhc3aydcGxzsk2Jmj8zb+rIdggEVfW2JjTvTFVyitzhB1+tEDKm/pCUq1FfOLn9TH0ARhF+hNE0hAkEA1utK+xi7KT3o"
    "hZ4k7Ap0LGMm4x6aEYDBuVYDQP01uVYspUbcyQmi/PeUbT50e015ZBDNlRrzK2cbFfsbmb/b1QJBAMQsx2YUTHONSLt6mniZ"
    "8BwbFV/6SNw94YRodioVqz3xWWxdz/Crxv95SS7bV5Yd4qKSO7/XMQa+XRCPWOgP1OkCQDO5q3ElcZ4qbTUDa8V3eqBYOLq+"
    "2bvOrlFJ1zyj9HMnv1UD6g1kiVqyx4FHX8dxTP79YE07kDzo8sbmia0GVQUCQHocTXozBGug9DcO1/xeBeHY0fNOPfAp7KiY"
    "xYTovBDwnHMh6f+rTVFU08MA8YIV1C7Ry7NcZb4G3LMkJ3k78ZECQGjdNxieib8vTAyg8uFgk1v8t1zR8zqEXesJpfp1PssK"
    "UM+xThcMe+74Wn0rvdvxIDxQET0DGTyejcFPH8qghIg=";
static const char ec_key[] =
    "MHcCAQEEIO3mOwEeF2cgfyJdowA/tzHxpEzfq03kgXJGdA11LfnFoAoGCCqGSM49AwEHoUQDQgAEQZGdy76NinYLyM4EASUJ"
    "xHcE09OEOiuD+WP3L47j5ILyscmfgICaqiXRHB/zEFB4wEM4S7HvO2Y2KLln9OjkIQ==";

static EVP_PKEY *read_key(const char *base64)
{
    struct buf der = {0};
    const unsigned char *p;
    EVP_PKEY *key;

    FUZZ_HOLDS(base64_decode_buf(&der, base64));
    p = (const unsigned char *)der.data;
    key = d2i_AutoPrivateKey(NULL, &p, (long)der.len);
    FUZZ_HOLDS(key != NULL);
    buf_free(&der);
    return key;
}

static void take(struct buf *out, const uint8_t **data, size_t *size)
{
    size_t len;
    const uint8_t *piece = fuzz_piece(data, size, &len);

    buf_add(out, piece, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const schemes[] = {
        "rsa-pkcs1",   "rsa-oaep-sha1", "rsa-oaep-sha256", "rsa-oaep-sha512-mgf1-sha1",
        "ecdh-sha256", "ecdh-sha1",     "ecdh-sha512",     "nonsense"};
    static const char *const wraps[] = {"aes128", "aes256", "aes192", NULL};
    static const size_t lengths[] = {32, 16, 24, OPENING_KEY_MAX};
    static EVP_PKEY *rsa, *ec;
    unsigned char content_key[OPENING_KEY_MAX];
    struct opening opening = {0};
    enum opening_result result;
    bool ecdh;

    if (rsa == NULL) {
        rsa = read_key(rsa_key);
        ec = read_key(ec_key);
    }
    if (size == 0)
        return 0;
    opening.scheme = schemes[data[0] % 8];
    opening.wrap = wraps[data[0] / 8 % 4];
    opening.length = lengths[data[0] / 32 % 4];
    ecdh = strncmp(opening.scheme, "ecdh", 4) == 0;
    data++;
    size--;
    take(&opening.encrypted, &data, &size);
    take(&opening.originator, &data, &size);
    take(&opening.shared_info, &data, &size);
    result = opening_rsa(ecdh ? ec : rsa, &opening, content_key);
    FUZZ_HOLDS(ecdh ? result == OPENING_WRONG_SCHEME
                    : strcmp(opening.scheme, "rsa-pkcs1") != 0 || result == OPENING_OK);
    result = opening_ecdh(ecdh ? ec : rsa, &opening, content_key);
    FUZZ_HOLDS(ecdh || result == OPENING_WRONG_SCHEME);
    buf_free(&opening.encrypted);
    buf_free(&opening.originator);
    buf_free(&opening.shared_info);
    return 0;
}
