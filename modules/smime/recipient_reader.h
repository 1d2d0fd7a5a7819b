/* Which of the candidates' keys can open a message: RecipientInfos against candidate certificates. Algorithms
   and parameters are judged here, from the ASN.1, before anything is decrypted: OpenSSL 3.0 takes damaged
   OAEP parameters for v1.5. */
#ifndef SMIME_RECIPIENT_READER_H
#define SMIME_RECIPIENT_READER_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/x509.h>

#include "mail/cms.h"
#include "module/xml.h"
#include "modules/smime/keychannel.h"

#define CANDIDATES_MAX 64

struct serve_answer;

/* What one RecipientInfo says about the content key. */
struct opening {
    char keytrans[40];
    const char *weak; /* the weak algorithm in it, NULL: none */
    struct keychannel_open open;
};

struct candidate {
    const char *key; /* reference, borrowed from the request */
    X509 *certificate;
    bool named;                                      /* some RecipientInfo names this certificate */
    struct opening openings[CMS_SAME_RECIPIENT_MAX]; /* of those that do, what can be opened */
    size_t opening_count;
};

struct candidates {
    struct candidate *items;
    size_t count;
};

/* All <candidate> children of an unwrap request, best first. Free them in any case. False: `answer` is filled
 * in. */
bool candidates_parse(struct candidates *candidates, const struct xml_node *body,
                      struct serve_answer *answer);
void candidates_free(struct candidates *candidates);

/* Looks through one RecipientInfo as it came. What cannot be decoded or names nobody is passed over. A
   candidate keeps the first few different ones that it can open; without `weak` a weak key wrap cannot be. */
void candidates_match(struct candidates *candidates, const void *recipient_info, size_t len, bool weak);

/* Names the key transport or agreement of one RecipientInfo, whoever it is for: as in opening.keytrans, or
   "rsa-oaep-other" (with a label, or parameters that are not supported), "kek", "password", "other",
   "damaged", or the name of an algorithm that is not supported. */
void recipient_info_name(const void *recipient_info, size_t len, char *name_r, size_t size);

#endif
