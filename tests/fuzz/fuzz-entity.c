/* The header sections of an outgoing message: outside stays nothing about the content and no Bcc, inside the
   entity has exactly one Content-Type; the entity for signing is what relays leave alone, or says that it is
   not. The first octet chooses the options. */
#include <string.h>

#include "outgoing/dkim.h"
#include "outgoing/entity.h"
#include "outgoing/prepare_field.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_message.h"
#include "util/fdio.h"

/* Longer ones are not signed or encrypted, since what is written must stay within the limits (outgoing.c). */
static bool is_too_long(const struct entity_header *how)
{
    const struct mime *mime = &how->message->mime;

    return mime->fault != MIME_OK || mime->root->header.len > HEADER_SECTION_MAX - 8192 ||
           mime->root->header.count > HEADER_FIELDS_MAX - 10;
}

static void check_outer(const struct entity_header *how)
{
    static const char *const never[] = {"Content-Type", "Content-Transfer-Encoding", "Content-Disposition",
                                        "Content-ID",   "Content-Description",       "Bcc",
                                        "Resent-Bcc"};
    struct buf out = {0};
    struct header header;

    entity_outer_header(how, &out);
    header_parse(&header, out.data, out.len);
    FUZZ_HOLDS(out.len > 0 && out.data[out.len - 1] == '\n');
    FUZZ_HOLDS(!header_has_controls(&header));
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
        FUZZ_HOLDS(header_count(&header, never[i]) == 0);
    FUZZ_HOLDS(header_count(&header, "MIME-Version") == 1);
    if (how->encrypted && how->confidential)
        FUZZ_HOLDS(header_count(&header, "Subject") <= 1 && header_count(&header, "Comments") == 0);
    header_free(&header);
    buf_free(&out);
}

static void check_inner(const struct entity_header *how)
{
    const struct header *before = &how->message->mime.root->header;
    size_t types = header_count(before, "Content-Type");
    struct buf out = {0};
    struct header header;

    entity_inner_header(how, &out);
    header_parse(&header, out.data, out.len);
    FUZZ_HOLDS(out.len > 0 && out.data[out.len - 1] == '\n');
    FUZZ_HOLDS(header_count(&header, "Content-Type") == (types > 0 ? types : 1));
    FUZZ_HOLDS(header_count(&header, "Bcc") == 0 && header_count(&header, "Content-Length") == 0);
    header_free(&header);
    buf_free(&out);
}

static void check_prepared(const struct entity_header *how)
{
    const struct message *message = how->message;
    bool crlf = message->eol[0] == '\r';
    struct entity entity;
    struct outcome outcome;
    struct buf text = {0};
    uint64_t size;

    outcome_done(&outcome);
    FUZZ_HOLDS(entity_prepared(how, &entity, &outcome));
    for (size_t i = 0; i < entity.count; i++) {
        struct buf piece = {0};

        FUZZ_HOLDS(fdio_size(entity.pieces[i].fd, &size) == 0);
        fuzz_slurp(entity.pieces[i].fd, &piece);
        FUZZ_HOLDS(entity.pieces[i].offset + entity.pieces[i].length <= size);
        buf_add(&text, piece.data + entity.pieces[i].offset, entity.pieces[i].length);
        buf_free(&piece);
    }
    FUZZ_HOLDS(text.len == entity_length(&entity));
    if (!entity.fragile)
        FUZZ_HOLDS(!prepare_text_unsafe(text.data, text.len, crlf));
    buf_free(&text);
    entity_free(&entity);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message message;
    struct entity_header how = {.message = &message};
    struct buf clear = {0};
    bool *broken;

    if (size == 0)
        return 0;
    fuzz_message(&message, data + 1, size - 1, "a@x.example");
    trigger_find(&message, &how.trigger);
    how.protect = (data[0] & 1) != 0;
    how.encrypted = (data[0] & 2) != 0;
    how.confidential = (data[0] & 4) != 0;
    if (!is_too_long(&how)) {
        check_outer(&how);
        check_inner(&how);
    }
    check_prepared(&how);
    entity_clear_header(&how, &clear);
    buf_free(&clear);
    broken = dkim_broken(&how, (data[0] & 8) != 0);
    how.left_out = broken;
    if (!is_too_long(&how))
        check_outer(&how);
    free(broken);
    message_free(&message);
    return 0;
}
