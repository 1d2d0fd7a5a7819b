#include "modules/smime/cms_input.h"

#include <errno.h>
#include <string.h>

#include <openssl/objects.h>

#include "modules/smime/der.h"
#include "modules/smime/fields.h"

#define OID_MAX 64 /* octets */

static ssize_t read_octets(void *context, void *out, size_t size)
{
    struct cms_input *input = context;
    ssize_t n = -1;

    if (deadline_passed(input->until))
        errno = ETIMEDOUT;
    else
        n = source_read(input->source, out, size);
    if (n < 0)
        input->read_error = errno;
    return n;
}

bool cms_input_parse(struct cms_input *input, const struct serve_request *request,
                     const struct xml_node *content, struct serve_answer *answer)
{
    const struct xml_node *piece = content != NULL ? xml_child(content, "piece") : NULL;

    memset(input, 0, sizeof(*input));
    input->until = request->until;
    if (piece == NULL) {
        serve_fail(answer, ANSWER_PERMANENT, "invalid", "there is no content");
        return false;
    }
    input->encoding = fields_is(content, "encoding", "base64")             ? MIME_BASE64
                      : fields_is(content, "encoding", "quoted-printable") ? MIME_QP
                                                                           : MIME_BINARY;
    return piece_parse(request, piece, &input->piece, answer);
}

void cms_input_free(struct cms_input *input)
{
    ber_free(input->ber);
    source_free(input->source);
    input->ber = NULL;
    input->source = NULL;
}

bool cms_input_begin(struct cms_input *input, int *type_nid_r)
{
    cms_input_free(input);
    input->source = source_new(input->piece.fd, input->piece.offset, input->piece.length, input->encoding,
                               SOURCE_EOL_KEEP);
    input->ber = ber_new(read_octets, input);
    *type_nid_r = NID_undef;
    if (!ber_enter(input->ber, 0x30, NULL))
        return false;
    *type_nid_r = cms_input_oid(input);
    return ber_error(input->ber) == NULL && ber_enter(input->ber, 0xa0, NULL);
}

/* A message in binary transfer encoding may end with the line end of its last "line", one in quoted-printable
   with a last line that lacks the soft line break. */
static bool only_line_end_left(const struct cms_input *input)
{
    char octets[3];
    size_t left = input->encoding == MIME_BASE64 ? 0 : ber_rest(input->ber, octets, sizeof(octets));

    return (left == 1 && octets[0] == '\n') || (left == 2 && octets[0] == '\r' && octets[1] == '\n');
}

bool cms_input_end(struct cms_input *input)
{
    return cms_input_leave(input) && cms_input_leave(input) &&
           (ber_at_end_of_input(input->ber) || only_line_end_left(input));
}

bool cms_input_version(struct cms_input *input, long min, long max)
{
    struct buf octets = {0};
    bool ok = ber_primitive(input->ber, 0x02, 1, &octets) && octets.len == 1 && octets.data[0] >= min &&
              octets.data[0] <= max;

    buf_free(&octets);
    return ok;
}

int cms_input_oid(struct cms_input *input)
{
    struct buf octets = {0};
    ASN1_OBJECT *oid = NULL;
    int nid = NID_undef;

    if (ber_peek(input->ber) == 0x06 && ber_copy(input->ber, &octets) && octets.len <= OID_MAX)
        oid = der_decode(octets.data, octets.len, ASN1_ITEM_rptr(ASN1_OBJECT));
    if (oid != NULL)
        nid = OBJ_obj2nid(oid);
    ASN1_OBJECT_free(oid);
    buf_free(&octets);
    return nid;
}

bool cms_input_leave(struct cms_input *input)
{
    return !ber_more(input->ber) && ber_leave(input->ber);
}

void cms_input_fail(const struct cms_input *input, struct serve_answer *answer)
{
    const char *why = input->ber != NULL ? ber_error(input->ber) : NULL;

    if (input->read_error == ETIMEDOUT)
        serve_fail(answer, ANSWER_TEMPORARY, "timeout", "the deadline passed during the operation");
    else if (input->read_error != 0)
        serve_fail(answer, ANSWER_TEMPORARY, "input", "cannot read the message: %s",
                   strerror(input->read_error));
    else
        serve_fail(answer, ANSWER_PERMANENT, "damaged", "this is not readable as CMS: %s",
                   why != NULL ? why : "unexpected structure");
}
