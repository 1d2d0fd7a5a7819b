/* The last check: whatever a broken or hostile smime module wrote, what passes is the header that was meant
   and, behind it, nothing but base64 or the entity that was given to be signed. The input: one octet that
   chooses the form, then the outer header, the entity and the output with "%%" between them. */
#include <string.h>
#include <unistd.h>

#include "outgoing/lastcheck.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_message.h"

#define ISSUER "\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02\x43\x41" /* CN=CA */

struct pieces {
    const uint8_t *outer, *entity, *output;
    size_t outer_len, entity_len, output_len;
};

/* Two recipients: CA with serial number 1, and key identifier "id". */
static const struct select_candidate *const *recipients(void)
{
    static char issuer[] = ISSUER, serial[] = "\1", ski[] = "id";
    static const struct select_candidate first = {
        .verdict = {.issuer_der = {issuer, sizeof(issuer) - 1, 0}, .serial = {serial, 1, 0}}};
    static const struct select_candidate second = {.verdict = {.ski = {ski, 2, 0}}};
    static const struct select_candidate *const both[] = {&first, &second};

    return both;
}

static const char *run(const struct pieces *p, enum lastcheck_form form)
{
    static const struct mime_limits limits = {.max_depth = 20, .max_parts = 50};
    struct buf outer = {0};
    int entity_fd = fuzz_file(p->entity, p->entity_len), fd = fuzz_file(p->output, p->output_len);
    struct entity entity = {.pieces = {{entity_fd, 0, p->entity_len}}, .count = 1, .own_fd = -1};
    struct lastcheck check = {.form = form,
                              .fd = fd,
                              .outer = &outer,
                              .entity = &entity,
                              .recipients = recipients(),
                              .recipient_count = 2,
                              .limits = &limits};
    const char *fault;

    buf_add(&outer, p->outer, p->outer_len);
    fault = lastcheck_run(&check);
    buf_free(&outer);
    close(entity_fd);
    close(fd);
    return fault;
}

static const uint8_t *find_body(const uint8_t *data, size_t len)
{
    for (size_t i = 0; i + 1 < len; i++)
        if (data[i] == '\n' && (data[i + 1] == '\n' || (i + 2 < len && memcmp(data + i + 1, "\r\n", 2) == 0)))
            return data + i + 1;
    return data + len;
}

static void check_passed(const struct pieces *p, enum lastcheck_form form)
{
    const uint8_t *body = find_body(p->output, p->output_len), *end = p->output + p->output_len;

    FUZZ_HOLDS(p->output_len >= p->outer_len && memcmp(p->output, p->outer, p->outer_len) == 0);
    if (form == LASTCHECK_CLEAR) {
        FUZZ_HOLDS(p->entity_len == 0 || memmem(p->output, p->output_len, p->entity, p->entity_len) != NULL);
        return;
    }
    for (; body < end; body++)
        FUZZ_HOLDS(*body != '\0' &&
                   strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= \t\r\n",
                          *body) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pieces p = {0};
    enum lastcheck_form form;

    if (size == 0)
        return 0;
    form = (enum lastcheck_form)(data[0] % (LASTCHECK_ENCRYPTED + 1));
    data++;
    size--;
    p.outer = fuzz_piece(&data, &size, &p.outer_len);
    p.entity = fuzz_piece(&data, &size, &p.entity_len);
    p.output = data;
    p.output_len = size;
    if (run(&p, form) == NULL)
        check_passed(&p, form);
    return 0;
}
