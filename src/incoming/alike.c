#include "incoming/alike.h"

#include "incoming/readings.h"
#include "mail/encoding_check.h"

/* Fields are all that the copy takes over of an entity's header: a line that is none is where many readers
   begin the text, a bare CR where some begin another field. (Without any field of MIME everything is text.)
 */
static bool header_alike(const struct header *header)
{
    bool mime = false;

    for (size_t i = 0; i < header->count; i++)
        mime = mime || header_field_is_content(header, i);
    return !mime || (!header_has_strays(header) && !header_has_controls(header));
}

/* Of a layer that was opened nothing is left. Whoever does not take it for a CMS object, or reads on behind
   its end, finds what nobody looked into. */
static int layer_alike(const struct unwrap_node *node, const struct mime_part *part)
{
    int agree = readings_agree(node->entity.fd, part);
    bool correct = true;

    if (agree != 1)
        return agree;
    if (part->children == NULL &&
        encoding_check(node->entity.fd, part->body, part->end - part->body, part->encoding, &correct) != 0)
        return -1;
    return correct;
}

int alike_layers(const struct message *message, const struct unwrap_node *node)
{
    int rc = 1;

    for (const struct unwrap_node *at = node->outer; rc == 1 && at != NULL; node = at, at = at->outer) {
        struct mime own = {0};
        const struct mime *mime;

        if (node->layer.kind == LAYER_DISPUTED)
            return 0;
        mime = unwrap_mime(message, at, &own);
        rc = mime != NULL ? layer_alike(at, mime->root) : -1;
        mime_free(&own);
    }
    return rc;
}

int alike(const struct message *message, const struct unwrap_node *node)
{
    int rc = alike_layers(message, node);
    struct mime mime;

    if (rc != 1 || node->outer == NULL)
        return rc;
    if (unwrap_parse(message, node, &mime) != 0)
        return -1;
    rc = header_alike(&mime.root->header);
    mime_free(&mime);
    return rc;
}
