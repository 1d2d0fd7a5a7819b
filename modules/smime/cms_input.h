/* A CMS object in a file range, read as a stream: transfer encoding, BER, and the frame every object has. */
#ifndef SMIME_CMS_INPUT_H
#define SMIME_CMS_INPUT_H

#include <stdbool.h>

#include "mail/ber.h"
#include "mail/source.h"
#include "module/serve.h"
#include "modules/smime/pieces.h"

struct cms_input {
    struct piece piece;
    enum mime_encoding encoding;
    deadline until;
    struct source *source;
    struct ber *ber;
    int read_error; /* errno of a failed read, ETIMEDOUT when the caller waits no longer; 0: none */
};

/* Takes the <content> element. False: `answer` is filled in. */
bool cms_input_parse(struct cms_input *input, const struct serve_request *request,
                     const struct xml_node *content, struct serve_answer *answer);
void cms_input_free(struct cms_input *input);

/* From the beginning, possibly anew: enters ContentInfo and its content. type_nid_r: the content type,
 * NID_undef if unknown. */
bool cms_input_begin(struct cms_input *input, int *type_nid_r);
/* The end of both: nothing more inside, nothing behind (but one line end, in binary transfer encoding). */
bool cms_input_end(struct cms_input *input);

/* For use inside; all false (or NID_undef) on damage. */
bool cms_input_version(struct cms_input *input, long min, long max);
int cms_input_oid(struct cms_input *input);
/* Leaves the element entered last, in which nothing may be left. */
bool cms_input_leave(struct cms_input *input);

/* Fills in `answer` after something above returned false: permanent "damaged", or temporary when the file
 * could not be read. */
void cms_input_fail(const struct cms_input *input, struct serve_answer *answer);

#endif
