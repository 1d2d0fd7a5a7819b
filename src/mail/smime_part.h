/* Finds S/MIME in a MIME tree (RFC 8551 section 3): by content type, by file name, and by the DER itself,
   never by a label alone. */
#ifndef JULIA_SMIME_PART_H
#define JULIA_SMIME_PART_H

#include "mail/cms.h"
#include "mail/mime.h"

enum smime_shape {
    SMIME_SHAPE_NONE,
    SMIME_SHAPE_OPAQUE, /* application/(x-)pkcs7-mime, or application/octet-stream named .p7m, .p7c or .p7z */
    SMIME_SHAPE_DETACHED /* multipart/signed with exactly two parts, and protocol
                            application/(x-)pkcs7-signature or none */
};

/* The outermost layer of `part`: only the part itself is looked at, never what lies inside other parts. A
   multipart/signed goes by its second part's type and name, which must be those of a signature, too; with
   another protocol (OpenPGP) it is never S/MIME. */
enum smime_shape smime_part_shape(const struct mime_part *part);

#endif
