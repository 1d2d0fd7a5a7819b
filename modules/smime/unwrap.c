/* The operation unwrap: one layer. */
#include <string.h>

#include <openssl/objects.h>

#include "modules/smime/fields.h"
#include "modules/smime/operations.h"
#include "modules/smime/unwrapping.h"

void unwrapping_note_weak(struct unwrapping *u, const char *name)
{
    if (strstr(buf_text(&u->weak_used), name) != NULL)
        return;
    if (u->weak_used.len > 0)
        buf_add_char(&u->weak_used, ' ');
    buf_add_text(&u->weak_used, name);
}

void unwrapping_put_weak(const struct unwrapping *u, struct serve_answer *answer)
{
    xml_put(&answer->writer, "weak", u->weak_used.len > 0 ? u->weak_used.data : NULL);
}

bool unwrapping_needs_output(const struct unwrapping *u, struct serve_answer *answer)
{
    if (u->output.fd < 0)
        serve_fail(answer, ANSWER_PERMANENT, "invalid",
                   "this layer has content, but the request names no output");
    return u->output.fd >= 0;
}

static bool read_request(struct unwrapping *u, struct serve_answer *answer)
{
    const struct xml_node *body = u->request->body;

    u->weak = fields_is(body, "weak", "yes");
    if (xml_attribute(body, "output") != NULL && !output_open(&u->output, u->request, body, answer))
        return false;
    if (!xml_attribute_number(body, "limit", UINT64_MAX, &u->output.limit)) {
        serve_fail(answer, ANSWER_PERMANENT, "invalid", "unwrap needs a limit");
        return false;
    }
    return cms_input_parse(&u->input, u->request, xml_child(body, "content"), answer);
}

static void fail_unsupported(int type, struct serve_answer *answer)
{
    serve_fail(answer, ANSWER_PERMANENT, "unsupported", "content type %s is not supported",
               type == NID_undef ? "(unknown)" : OBJ_nid2ln(type));
}

static void unwrap_layer(struct unwrapping *u, struct serve_answer *answer)
{
    int type;

    if (!cms_input_begin(&u->input, &type)) {
        cms_input_fail(&u->input, answer);
        return;
    }
    switch (type) {
    case NID_pkcs7_enveloped:
        enveloped_unwrap(u, false, answer);
        break;
    case NID_id_smime_ct_authEnvelopedData:
        enveloped_unwrap(u, true, answer);
        break;
    case NID_pkcs7_signed:
        signed_unwrap(u, answer);
        break;
    case NID_id_smime_ct_compressedData:
        compressed_unwrap(u, answer);
        break;
    default:
        fail_unsupported(type, answer);
    }
}

void smime_unwrap(const struct serve_request *request, struct serve_answer *answer, void *module)
{
    struct unwrapping u = {.request = request, .output = {.fd = -1}};

    (void)module;
    if (read_request(&u, answer)) {
        unwrap_layer(&u, answer);
        if (answer->status != ANSWER_OK)
            output_undo(&u.output);
    }
    cms_input_free(&u.input);
    buf_free(&u.weak_used);
}
