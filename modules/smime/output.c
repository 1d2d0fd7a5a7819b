#include "modules/smime/output.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "util/fdio.h"

bool output_open(struct output *output, const struct serve_request *request, const struct xml_node *node,
                 struct serve_answer *answer)
{
    off_t end;

    memset(output, 0, sizeof(*output));
    output->limit = UINT64_MAX;
    output->eol = "\n";
    output->fd = serve_fd_regular(request, node, "output", answer);
    if (output->fd < 0)
        return false;
    end = lseek(output->fd, 0, SEEK_END);
    if (end < 0) {
        serve_fail(answer, ANSWER_TEMPORARY, "output", "cannot write the result: %s", strerror(errno));
        return false;
    }
    output->start = (uint64_t)end;
    return true;
}

bool output_put(struct output *output, const void *data, size_t len)
{
    if (len > output->limit - output->written) {
        errno = EFBIG;
        return false;
    }
    if (output->fd >= 0 && fdio_write_all(output->fd, data, len) != 0)
        return false;
    output->written += len;
    return true;
}

bool output_text(struct output *output, const char *text)
{
    struct buf lines = {0};
    bool ok;

    for (; *text != '\0'; text++)
        if (*text == '\n')
            buf_add_text(&lines, output->eol);
        else
            buf_add_char(&lines, *text);
    ok = output_put(output, buf_text(&lines), lines.len);
    buf_free(&lines);
    return ok;
}

void output_undo(struct output *output)
{
    if (output->fd >= 0 && ftruncate(output->fd, (off_t)output->start) == 0)
        lseek(output->fd, (off_t)output->start, SEEK_SET);
    output->written = 0;
}

void output_fail(const struct output *output, struct serve_answer *answer)
{
    if (errno == EFBIG && output->limit != UINT64_MAX)
        serve_fail(answer, ANSWER_PERMANENT, "too-large", "more than %" PRIu64 " octets", output->limit);
    else
        serve_fail(answer, ANSWER_TEMPORARY, "output", "cannot write the result: %s", strerror(errno));
}

void armour_begin(struct armour *armour, struct output *output)
{
    memset(&armour->encoder, 0, sizeof(armour->encoder));
    armour->encoder.eol = output->eol;
    armour->output = output;
}

bool armour_put(struct armour *armour, const void *data, size_t len)
{
    const unsigned char *p = data;
    size_t part, text_len;

    for (; len > 0; p += part, len -= part) {
        part = len < ARMOUR_CHUNK ? len : ARMOUR_CHUNK;
        text_len = base64_encode_update(&armour->encoder, p, part, armour->text);
        if (!output_put(armour->output, armour->text, text_len))
            return false;
    }
    return true;
}

bool armour_end(struct armour *armour)
{
    size_t len = base64_encode_final(&armour->encoder, armour->text);

    return output_put(armour->output, armour->text, len);
}
