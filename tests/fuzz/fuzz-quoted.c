/* A report that leaves for outside: afterwards no quoted mail in it, however it is wrapped up, has a field of
   ours that says that it was opened here; and there is nothing left to do. One with more parts than can be
   looked at does not leave. */
#include <string.h>
#include <strings.h>

#include "core/quoted.h"
#include "mail/source.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_message.h"
#include "util/fdio.h"

static void decoded(const struct message *message, const struct mime_part *part, struct buf *out)
{
    struct source *source =
        source_new(message->fd, part->body, part->end - part->body, part->encoding, SOURCE_EOL_KEEP);
    char chunk[512];
    ssize_t n;

    while ((n = source_read(source, chunk, sizeof(chunk))) > 0)
        buf_add(out, chunk, (size_t)n);
    source_free(source);
}

/* The first header in what is quoted. */
static void check_quoted(const struct message *message, const struct mime_part *part)
{
    struct buf text = {0};
    struct mime mime;
    int fd;

    decoded(message, part, &text);
    fd = fuzz_file(buf_text(&text), text.len);
    FUZZ_HOLDS(mime_parse(&mime, fd, 0, text.len, NULL) == 0);
    FUZZ_HOLDS(header_count(&mime.root->header, "X-JULIA-Encryption") == 0);
    FUZZ_HOLDS(!header_hides(&mime.root->header, "X-JULIA-Encryption"));
    mime_free(&mime);
    fdio_close(&fd);
    buf_free(&text);
}

static void check_parts(const struct message *message, const struct mime_part *part)
{
    for (; part != NULL; part = part->next) {
        if (quoted_is_quoting(part))
            check_quoted(message, part);
        check_parts(message, part->children);
    }
}

static void check_cleaned(struct message *message)
{
    struct outcome outcome;
    struct buf once = {0}, twice = {0};

    if (!message->mime.incomplete)
        check_parts(message, message->mime.root);
    fuzz_slurp(message->fd, &once);
    outcome_done(&outcome);
    FUZZ_HOLDS(quoted_clean(message, &outcome));
    fuzz_slurp(message->fd, &twice);
    FUZZ_HOLDS(once.len == twice.len && (once.len == 0 || memcmp(once.data, twice.data, once.len) == 0));
    buf_free(&once);
    buf_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message message;
    struct outcome outcome;

    fuzz_message(&message, data, size, "");
    outcome_done(&outcome);
    if (quoted_clean(&message, &outcome))
        check_cleaned(&message);
    else
        FUZZ_HOLDS(outcome.kind == OUTCOME_PERMANENT);
    message_free(&message);
    return 0;
}
