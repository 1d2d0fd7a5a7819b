/* The digest of a copy that comes back from the virus scanner: the same when only line ends changed. */
#include <string.h>
#include <unistd.h>

#include "incoming/copydigest.h"
#include "tests/fuzz/fuzz.h"

static void digest(const struct buf *octets, unsigned char digest_r[SHA256_LEN])
{
    int fd = fuzz_file(buf_text(octets), octets->len);

    FUZZ_HOLDS(copydigest(fd, 0, octets->len, digest_r) == 0);
    close(fd);
}

static void with_line_ends(const struct buf *text, const char *eol, struct buf *out)
{
    for (size_t i = 0; i < text->len; i++)
        if (text->data[i] == '\n')
            buf_add_text(out, eol);
        else
            buf_add_char(out, text->data[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char of_lf[SHA256_LEN], of_crlf[SHA256_LEN], of_all[SHA256_LEN];
    struct buf text = {0}, lf = {0}, crlf = {0}, all = {0};

    buf_add(&all, data, size);
    digest(&all, of_all);
    for (size_t i = 0; i < size; i++) /* neither CR nor NUL: readers disagree about these */
        if (data[i] != '\r' && data[i] != '\0')
            buf_add_char(&text, (char)data[i]);
    buf_add_char(&text, '\n');
    with_line_ends(&text, "\n", &lf);
    with_line_ends(&text, "\r\n", &crlf);
    digest(&lf, of_lf);
    digest(&crlf, of_crlf);
    FUZZ_HOLDS(memcmp(of_lf, of_crlf, sizeof(of_lf)) == 0);
    buf_free(&all);
    buf_free(&text);
    buf_free(&lf);
    buf_free(&crlf);
    return 0;
}
