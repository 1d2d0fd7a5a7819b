/* MIME structure as byte ranges over a file, read once by pread in bounded memory (RFC 2045, 2046).
   Byte-exact: nothing is normalised. Tolerant: whatever comes is some tree; what is odd is flagged. */
#ifndef JULIA_MIME_H
#define JULIA_MIME_H

#include <stdbool.h>
#include <stdint.h>

#include "mail/header.h"

struct mime_limits {
    unsigned int max_depth; /* nested multiparts and message/rfc822; 0: 100 */
    unsigned int max_parts; /* 0: 1000 */
};

enum mime_fault {
    MIME_OK = 0,
    MIME_TOO_DEEP,       /* MAX_DEPTH */
    MIME_TOO_MANY_PARTS, /* MAX_PARTS */
    MIME_HEADER_TOO_LONG /* HEADER_SECTION_MAX or HEADER_FIELDS_MAX in some part */
};

enum mime_encoding { MIME_7BIT, MIME_8BIT, MIME_BINARY, MIME_QP, MIME_BASE64, MIME_ENCODING_UNKNOWN };

struct mime_part {
    struct mime_part *parent, *children, *next;
    uint64_t start; /* first octet of the part's header section */
    uint64_t body;  /* first octet of its body */
    uint64_t
        end; /* behind its last octet; the line end before a boundary is the boundary's (RFC 2046 5.1.1) */
    struct header header; /* of this part (root: of the message); an empty one has the message's line end */
    struct header_typed type; /* Content-Type; text/plain when absent (message/rfc822 in multipart/digest) */
    enum mime_encoding encoding;
    bool closed;           /* multipart: its closing boundary was found */
    bool truncated_header; /* no empty line ended the header section */
    bool header_cut;       /* `header` is not all of it */
    /* What relays would change, collected for leaves while reading (design section 4, outgoing 7): */
    bool has_8bit, has_nul, has_bare_cr, has_bare_lf;
    bool has_long_line;              /* over 998 octets without line end */
    bool preamble_epilogue_nonblank; /* multipart: text outside its parts */
    bool epilogue_nonblank;          /* ... behind its closing boundary */
    bool boundary_outside; /* ... lines that begin like its boundary: lenient readers see other parts there */
};

struct mime {
    struct mime_part *root;
    enum mime_fault fault; /* the first: the tree is complete up to the limit, deeper parts are leaves */
    bool incomplete;       /* there are parts beyond max_depth or max_parts, whichever fault was the first */
    bool eol_crlf;         /* the first line of the message ends in CRLF */
    unsigned int parts;
};

/* Parses octets [offset, offset+len) of `fd` as one entity (message or MIME part). Line ends are LF or CRLF.
   has_bare_lf is set only when the message's first line ends in CRLF and another line ends in LF alone.
   message/rfc822 bodies are parsed as parts too (children), unless base64 or quoted-printable. The header
   sections of all parts together may have twice what one may have. Returns 0, or -1 with errno on read
   errors. */
int mime_parse(struct mime *mime, int fd, uint64_t offset, uint64_t len, const struct mime_limits *limits);
void mime_free(struct mime *mime);
/* "multipart/signed"; "multipart/" is a prefix. */
bool mime_type_is(const struct mime_part *part, const char *type);
const char *mime_encoding_name(enum mime_encoding encoding);

#endif
