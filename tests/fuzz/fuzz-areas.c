/* A file in a certificate area: PEM, DER or PKCS#12, with anything in it. It never fails as a whole; what is
   understood has the fields that the index keeps. The first octet chooses what is welcome. */
#include <fcntl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mail/address.h"
#include "modules/areas/fields.h"
#include "modules/areas/file.h"
#include "tests/fuzz/fuzz.h"

#define DIRECTORY "/proc/self/fd"

static const char *pass_phrase(void *context)
{
    (void)context;
    return "secret";
}

static void check_certificate(X509 *certificate)
{
    struct buf ski = {0}, serial = {0}, capabilities = {0}, der = {0};
    unsigned char digest[SHA256_LEN];
    struct strlist addresses = {0};

    areas_fields_addresses(certificate, &addresses);
    for (size_t i = 0; i < addresses.count; i++) {
        char *normal = address_normalise(addresses.items[i]);

        FUZZ_HOLDS(normal != NULL && strcmp(normal, addresses.items[i]) == 0);
        free(normal);
    }
    areas_fields_ski(certificate, &ski);
    areas_fields_certificate_serial(certificate, &serial);
    areas_fields_capabilities(certificate, &capabilities);
    areas_fields_der(certificate, &der);
    FUZZ_HOLDS(der.len > 0);
    (void)areas_fields_name_hash(X509_get_subject_name(certificate));
    (void)areas_fields_certificate_key_digest(certificate, digest);
    strlist_free(&addresses);
    buf_free(&ski);
    buf_free(&serial);
    buf_free(&capabilities);
    buf_free(&der);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct file_reader reader = {.pass_phrase = pass_phrase};
    struct file_content content;
    char name[16];
    int folder, fd;

    if (size == 0)
        return 0;
    reader.want = data[0] & (FILE_WANT_CERTIFICATES | FILE_WANT_KEYS | FILE_WANT_CRLS);
    folder = open(DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fd = fuzz_file(data + 1, size - 1);
    FUZZ_HOLDS(folder >= 0 && fchmod(fd, (data[0] & 8) != 0 ? 0644 : 0600) == 0);
    snprintf(name, sizeof(name), "%d", fd);
    areas_file_read(&reader, folder, name, &content);
    FUZZ_HOLDS(content.faults.len > 0 ||
               content.certificate_count + content.crl_count + content.key_count > 0);
    FUZZ_HOLDS(!content.unseen);
    FUZZ_HOLDS(content.key_count == 0 || ((reader.want & FILE_WANT_KEYS) != 0 && (data[0] & 8) == 0));
    FUZZ_HOLDS(content.crl_count == 0 || (reader.want & FILE_WANT_CRLS) != 0);
    for (size_t i = 0; i < content.certificate_count; i++)
        check_certificate(content.certificates[i].certificate);
    areas_file_content_free(&content);
    close(fd);
    close(folder);
    return 0;
}
