/* Private keys: read from their file when they are needed, never kept here. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "modules/areas/areas_private.h"
#include "modules/areas/fields.h"

static EVP_PKEY *matching_key(const struct file_content *content, X509 *certificate)
{
    unsigned char wanted[SHA256_LEN], digest[SHA256_LEN];

    if (!areas_fields_certificate_key_digest(certificate, wanted))
        return NULL;
    for (size_t i = 0; i < content->key_count; i++)
        if (areas_fields_key_digest(content->keys[i], digest) && memcmp(wanted, digest, SHA256_LEN) == 0 &&
            EVP_PKEY_up_ref(content->keys[i]) == 1)
            return content->keys[i];
    return NULL;
}

EVP_PKEY *areas_private_key(struct areas *areas, const struct areas_certificate *certificate, char *error_r,
                            size_t size)
{
    struct file_reader reader = areas_reader(areas, AREA_PRIVATE);
    struct file_content content;
    EVP_PKEY *key;

    if (certificate->key_file == NULL) {
        snprintf(error_r, size, "no private key for %s", certificate->fingerprint);
        return NULL;
    }
    areas_index_shrink(areas->index); /* the key comes last and needs the most */
    areas_file_read(&reader, AT_FDCWD, certificate->key_file, &content);
    key = matching_key(&content, certificate->certificate);
    if (key == NULL)
        snprintf(error_r, size, "%s: %s", certificate->key_file,
                 content.faults.len > 0 ? content.faults.data
                                        : "does not hold the key of this certificate any more");
    areas_file_content_free(&content);
    return key;
}
