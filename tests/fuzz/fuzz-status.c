/* What a certificate says of its owner stands in header fields that the gateway writes: they stay the fields
   that were meant, in ASCII, whatever is in it. One octet chooses the status; then "%%" between address,
   issuer, fingerprint, weak algorithms, From outside and From inside; the serial number is the rest. */
#include <string.h>

#include "incoming/status.h"
#include "mail/header.h"
#include "tests/fuzz/fuzz.h"

static size_t expected(const struct status *status)
{
    return 2u + (status->signer != NULL) + (status->weak != NULL) + (status->outer_from != NULL) +
           (status->inner_from != NULL) + (status->signature != STATUS_SIGNATURE_NONE);
}

static void check(const struct status *status, const char *eol)
{
    struct buf out = {0};
    struct header header;
    char *value;

    status_fields(status, "gw.example", eol, &out);
    for (size_t i = 0; i < out.len; i++)
        FUZZ_HOLDS((out.data[i] >= ' ' && out.data[i] < 0x7f) || strchr("\r\n", out.data[i]) != NULL);
    header_parse(&header, out.data, out.len);
    FUZZ_HOLDS(header.count == expected(status));
    FUZZ_HOLDS(header_count(&header, "X-JULIA-Encryption") == 1 &&
               header_count(&header, "X-JULIA-Signature") == 1);
    value = header_value_of(&header, "X-JULIA-Signature");
    FUZZ_HOLDS(strcmp(value, status_signature_word(status->signature)) == 0);
    free(value);
    value = header_value_of(&header, "Authentication-Results");
    FUZZ_HOLDS(value == NULL || strncmp(value, "gw.example; smime=", 18) == 0);
    free(value);
    header_free(&header);
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct layer_signer signer = {0};
    struct status status = {0};
    char *texts[6];

    if (size == 0)
        return 0;
    status.encryption = (enum status_encryption)(data[0] % (STATUS_ENCRYPTION_UNSUPPORTED + 1));
    status.signature = (enum status_signature)(data[0] / 8 % (STATUS_SIGNATURE_UNSUPPORTED + 1));
    data++;
    size--;
    for (size_t i = 0; i < 6; i++)
        texts[i] = fuzz_piece_text(&data, &size);
    signer.verdict.issuer = texts[1];
    signer.fingerprint = texts[2];
    buf_add(&signer.verdict.serial, data, size);
    status.signer = status.signature != STATUS_SIGNATURE_NONE ? &signer : NULL;
    status.address = texts[0][0] != '\0' ? texts[0] : NULL;
    status.weak = texts[3][0] != '\0' ? texts[3] : NULL;
    status.outer_from = texts[4][0] != '\0' ? texts[4] : NULL;
    status.inner_from = texts[5][0] != '\0' ? texts[5] : NULL;
    check(&status, "\n");
    check(&status, "\r\n");
    buf_free(&signer.verdict.serial);
    for (size_t i = 0; i < 6; i++)
        free(texts[i]);
    return 0;
}
