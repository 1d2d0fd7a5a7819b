#include <string.h>

#include "delivery/report_private.h"

/* What is sent when a template file is missing or damaged: less kind than the files, but nothing is lacking.
 */
static const struct {
    const char *name;
    const char *text;
} builtins[] = {
    {"undelivered", "Subject: Not delivered: ${SUBJECT}\n"
                    "\n"
                    "Your message was not delivered to the recipients below.\n"
                    "\n"
                    "    Subject: ${SUBJECT}\n"
                    "    Date: ${DATE}\n"
                    "\n"
                    "${REASONS}\n"
                    "Recipients who are not named here are not affected.\n"
                    "\n"
                    "If you need help: ${ADMIN}\n"
                    "Please quote: ${QUEUE_ID}\n"},
    {"reason", "${RECIPIENT}\n"
               "    The mail gateway could not send your message as its rules demand.\n"
               "    Reason: ${REASON}\n"
               "    Detail: ${DETAIL}\n"},
    {"notice", "Subject: julia on ${MYHOSTNAME}: ${KIND}\n"
               "\n"
               "The mail gateway julia reports: ${KIND}\n"
               "\n"
               "${VALUES}\n"
               "Not sent since the last notice of this kind: ${HELD_BACK}\n"},
    {"withheld", "Subject: A message for you was withheld\n"
                 "\n"
                 "A message for you was refused by the virus scanner and not delivered.\n"
                 "\n"
                 "    From: ${SENDER}\n"
                 "    Message-ID: ${MESSAGE_ID}\n"
                 "\n"
                 "If you need help: ${ADMIN}\n"
                 "Please quote: ${QUEUE_ID}\n"},
    {"incoming", "What the mail gateway ${MYHOSTNAME} found in this message:\n"
                 "\n"
                 "${SIGNATURE_WORDS}\n"
                 "${SIGNATURE_MEANING}\n"
                 "\n"
                 "${ENCRYPTION_WORDS}\n"
                 "${ENCRYPTION_MEANING}\n"
                 "\n"
                 "From: ${FROM}\n"
                 "Signed by: ${SIGNER}\n"
                 "Certificate issued by: \"${ISSUER}\"\n"
                 "Certificate (SHA-256): ${FINGERPRINT}\n"
                 "Certification path: \"${PATH}\"\n"
                 "Evidence: \"${EVIDENCE}\"\n"
                 "Cipher: ${CIPHER_SEALED}${CIPHER_OPEN}\n"
                 "Weak methods were used: ${WEAK}\n"
                 "Protected header fields: ${HEADER}\n"
                 "From outside of the encrypted part: ${OUTER_FROM}\n"
                 "From inside of the encrypted part: ${INNER_FROM}\n"
                 "Checked: ${CHECKED}\n"},
    {"signature", "Signature: ${SIGNATURE}\n"},
    {"encryption", "Encryption: ${ENCRYPTION}\n"},
    {"revocation", "${REVOCATION}\n"},
    {"key", "${KEY}\n"},
};

const char *report_builtin(const char *name)
{
    size_t len = strcspn(name, "-");

    for (size_t i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++)
        if (strlen(builtins[i].name) == len && strncmp(builtins[i].name, name, len) == 0)
            return builtins[i].text;
    return "";
}
