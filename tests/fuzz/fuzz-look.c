/* What stands outermost in a message, by its octets and never by its label alone; and whether others may take
   it apart differently. */
#include "core/quoted.h"
#include "incoming/intact.h"
#include "incoming/layer.h"
#include "incoming/readings.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_message.h"

static void check_look(const struct layer_look *look, const struct message *message)
{
    const struct mime_part *root = message->mime.root;
    uint64_t size = message->size;

    FUZZ_HOLDS(look->content.offset + look->content.length <= size);
    FUZZ_HOLDS(look->covered.offset + look->covered.length <= size);
    FUZZ_HOLDS(look->kind != LAYER_NONE || look->outline.type != CMS_ENVELOPED);
    FUZZ_HOLDS(look->kind != LAYER_SIGNED || readings_agree(message->fd, root) == 1);
    FUZZ_HOLDS(!look->detached || (look->kind != LAYER_ENCRYPTED && look->kind != LAYER_COMPRESSED));
    FUZZ_HOLDS(look->kind != LAYER_ENCRYPTED || !look->readable || look->outline.complete);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message message;
    struct layer_look look;

    fuzz_message(&message, data, size, "a@y.example");
    FUZZ_HOLDS(layer_look(&look, message.fd, &message.mime) == 0);
    check_look(&look, &message);
    layer_look_free(&look);
    FUZZ_HOLDS(intact_entity(message.fd, &message.mime) >= 0);
    FUZZ_HOLDS(intact_text(&message.mime, message.fd, 0, message.size) >= 0);
    (void)quoted_is_quoting(message.mime.root);
    message_free(&message);
    return 0;
}
