/* An incoming message as it is delivered: the message and, behind "%%", the entity that came out of it. What
   is written has the gateway's own fields exactly once, in every reading, whatever the two contain. The first
   octet chooses whether Subject is replaced and a report added. */
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "incoming/assemble.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_message.h"

struct input {
    struct message message;
    struct unwrap_node outer, inner;
    struct unwrap_strand strand;
    struct protected protected;
};

static void open_input(struct input *in, const uint8_t *data, size_t size)
{
    size_t len;
    const uint8_t *outer = fuzz_piece(&data, &size, &len);

    memset(in, 0, sizeof(*in));
    fuzz_message(&in->message, outer, len, "a@y.example");
    in->outer.entity = (struct layer_entity){in->message.fd, 0, in->message.size};
    in->strand.inner = &in->outer;
    in->inner.entity.fd = -1;
    if (size > 0) {
        in->inner.outer = &in->outer;
        in->inner.layer.kind = LAYER_ENCRYPTED;
        in->inner.entity = (struct layer_entity){fuzz_file(data, size), 0, size};
        in->strand.inner = &in->inner;
    }
    FUZZ_HOLDS(protected_read(&in->protected, &in->message, &in->strand) == 0);
}

static void close_input(struct input *in)
{
    protected_free(&in->protected);
    if (in->inner.entity.fd >= 0)
        close(in->inner.entity.fd);
    message_free(&in->message);
}

/* Names of fields as a reader sees them who takes CR, or LF, or both for line ends. */
static size_t count_own(const struct buf *out, size_t end)
{
    size_t own = 0;

    for (size_t at = 0; at < end; at++) {
        if (at > 0 && out->data[at - 1] != '\n' && out->data[at - 1] != '\r')
            continue;
        own += end - at > 8 && strncasecmp(out->data + at, "X-JULIA-", 8) == 0 &&
               strncasecmp(out->data + at, "X-JULIA-Folded:", 15) != 0;
    }
    return own;
}

static void check(const struct input *in, const struct buf *out, bool report)
{
    int fd = fuzz_file(out->data, out->len);
    const struct mime_part *root;
    struct mime mime;
    char *word;

    FUZZ_HOLDS(mime_parse(&mime, fd, 0, out->len, NULL) == 0);
    root = mime.root;
    FUZZ_HOLDS(header_count(&root->header, "X-JULIA-Encryption") == 1);
    FUZZ_HOLDS(count_own(out, root->body) == 1);
    word = header_value_of(&root->header, "X-JULIA-Encryption");
    FUZZ_HOLDS(strcmp(word, "decrypted") == 0);
    free(word);
    if (in->inner.outer != NULL) {
        FUZZ_HOLDS(header_count(&root->header, "MIME-Version") == 1);
        if (report)
            FUZZ_HOLDS(header_count(&root->header, "Content-Type") == 1 && root->closed);
    }
    mime_free(&mime);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf fields = {0}, out = {0}, report = {0};
    struct outcome outcome;
    struct input in;
    int to;

    if (size == 0)
        return 0;
    open_input(&in, data + 1, size - 1);
    buf_printf(&fields, "X-JULIA-Encryption: decrypted%s", in.message.eol);
    buf_printf(&report, "Content-Type: text/plain%s%sGreen%s", in.message.eol, in.message.eol,
               in.message.eol);
    struct assemble a = {.message = &in.message,
                         .node = in.strand.inner,
                         .protected = &in.protected,
                         .fields = &fields,
                         .subject = (data[0] & 1) != 0 ? "[x] new \303\274" : NULL,
                         .report = (data[0] & 2) != 0 ? &report : NULL};
    to = fuzz_file("", 0);
    outcome_done(&outcome);
    FUZZ_HOLDS(assemble_write(&a, to, &outcome) == 0 && outcome.kind == OUTCOME_DONE);
    fuzz_slurp(to, &out);
    check(&in, &out, a.report != NULL);
    close(to);
    close_input(&in);
    buf_free(&fields);
    buf_free(&report);
    buf_free(&out);
    return 0;
}
