/* Whom a RecipientInfo or SignerInfo names: by issuer and serial number, or by subject key identifier. */
#ifndef SMIME_ENTITY_ID_H
#define SMIME_ENTITY_ID_H

#include <stdbool.h>

#include "modules/smime/asn1_types.h"

/* Does the identifier name this certificate? */
bool entity_names(const EntityId *id, X509 *certificate);
bool issuer_serial_names(const IssuerAndSerial *id, X509 *certificate);
bool key_id_names(const ASN1_OCTET_STRING *id, X509 *certificate);

/* The identifier of this certificate; NULL when out of memory. */
IssuerAndSerial *issuer_serial_new(X509 *certificate);

#endif
