/* Values of a request's elements. module_serve() has checked the request against the contract before; what is
   checked here is what a schema cannot say. */
#ifndef SMIME_FIELDS_H
#define SMIME_FIELDS_H

#include <stdbool.h>

#include "modules/smime/asn1_types.h"

#include "module/serve.h"

#define FIELDS_CERTIFICATES_MAX 500 /* of one request */

/* The attribute is there and has this value. */
bool fields_is(const struct xml_node *node, const char *attribute, const char *value);
/* "\r\n" or "\n", as the attribute `eol` says. */
const char *fields_eol(const struct xml_node *node);
/* The certificate in the element's text. NULL: `answer` is filled in. */
X509 *fields_certificate(const struct xml_node *node, struct serve_answer *answer);
/* All <certificate> children of `parent`, in order. NULL: `answer` is filled in. */
x509_list *fields_certificates(const struct xml_node *parent, struct serve_answer *answer);

#endif
