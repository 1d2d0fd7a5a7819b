/* <verdict> elements (modules/protocol.rng). */
#ifndef JULIA_TRUST_VALIDATE_WRITE_H
#define JULIA_TRUST_VALIDATE_WRITE_H

#include <stdint.h>

#include "module/xml.h"
#include "modules/trust/judge.h"

void validate_write_verdict(struct xml_writer *writer, uint64_t n, X509 *certificate,
                            const struct judgement *judgement);
/* For octets that are no certificate: no-path, with their fingerprint and nothing else. */
void validate_write_unreadable(struct xml_writer *writer, uint64_t n, const struct buf *octets);

#endif
