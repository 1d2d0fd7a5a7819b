/* Certificates and CRLs that come along in a SignedData, kept as they are, bounded. */
#ifndef SMIME_BAGGAGE_H
#define SMIME_BAGGAGE_H

#include <stdbool.h>

#include "modules/smime/asn1_types.h"

#include "mail/ber.h"
#include "module/xml.h"

#define BAGGAGE_CERTIFICATES_MAX 100        /* whole chains of a dozen signers */
#define BAGGAGE_OCTETS_MAX       (1u << 20) /* of either kind; in base64 both fit into one frame */

struct baggage { /* zero it to begin */
    x509_list *certificates;
    struct buf *certificate_ders; /* in the same order */
    size_t certificate_count;
    size_t certificate_octets;
    struct buf *crl_ders;
    size_t crl_count;
    size_t crl_octets;
};

enum baggage_result { BAGGAGE_OK, BAGGAGE_DAMAGED, BAGGAGE_TOO_MUCH };

/* The elements [0] certificates and [1] crls at the reader's place, each if it is there. CRLs that do not fit
   any more are left out, certificates never. */
enum baggage_result baggage_read(struct baggage *baggage, struct ber *ber);
/* Writes <certificate> and <crl> elements. */
void baggage_put(const struct baggage *baggage, struct xml_writer *w);
void baggage_free(struct baggage *baggage);

#endif
