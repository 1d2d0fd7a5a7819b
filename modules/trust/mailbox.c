#include "modules/trust/mailbox.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "mail/address.h"
#include "modules/areas/fields.h"
#include "util/mem.h"

static char *text_of(const ASN1_STRING *string)
{
    return mem_strndup((const char *)ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
}

static bool is_ascii(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] >= 0x80)
            return false;
    return true;
}

/* Does the CA exclude mail of this domain? A whole mailbox cannot be meant: rfc822Name has no other than
 * ASCII. */
static bool excluded_by(const X509 *ca, const char *domain)
{
    NAME_CONSTRAINTS *constraints = X509_get_ext_d2i(ca, NID_name_constraints, NULL, NULL);
    bool excluded = false;

    for (int i = 0; constraints != NULL && i < sk_GENERAL_SUBTREE_num(constraints->excludedSubtrees); i++) {
        const GENERAL_NAME *base = sk_GENERAL_SUBTREE_value(constraints->excludedSubtrees, i)->base;
        char *text;
        if (base->type != GEN_EMAIL)
            continue;
        text = text_of(base->d.rfc822Name);
        if (strchr(text, '@') == NULL && (text[0] == '\0' || address_domain_matches(domain, text)))
            excluded = true;
        free(text);
    }
    NAME_CONSTRAINTS_free(constraints);
    return excluded;
}

/* Does the CA exclude one of these mailboxes? Here letter case never tells two mailboxes apart, while OpenSSL
   compares local parts to the letter: a CA could issue what it must not by writing it in capitals. */
static bool excludes_one_of(const X509 *ca, const struct strlist *addresses)
{
    NAME_CONSTRAINTS *constraints = X509_get_ext_d2i(ca, NID_name_constraints, NULL, NULL);
    bool excluded = false;

    for (int i = 0; constraints != NULL && i < sk_GENERAL_SUBTREE_num(constraints->excludedSubtrees); i++) {
        const GENERAL_NAME *base = sk_GENERAL_SUBTREE_value(constraints->excludedSubtrees, i)->base;
        char *text = base->type == GEN_EMAIL ? text_of(base->d.rfc822Name) : NULL;
        char *mailbox = text != NULL && strchr(text, '@') != NULL ? address_normalise(text) : NULL;
        if (mailbox != NULL && strlist_has(addresses, mailbox))
            excluded = true;
        free(mailbox);
        free(text);
    }
    NAME_CONSTRAINTS_free(constraints);
    return excluded;
}

static void check_mailboxes(const struct path *path, struct faults *faults)
{
    const X509 *certificate = path->items[0]->certificate;
    struct strlist addresses = {0};

    areas_fields_addresses(certificate, &addresses);
    for (size_t i = 1; i < path->count; i++)
        if (addresses.count > 0 && excludes_one_of(path->items[i]->certificate, &addresses))
            faults_add(faults, VERDICT_NO_PATH, FAULT_OF_PATH, certificate,
                       "excluded subtree violation (a mailbox)");
    strlist_free(&addresses);
}

static const char *fault_of(const struct path *path, size_t index, const ASN1_STRING *mailbox)
{
    char *text = text_of(mailbox);
    const char *domain = address_domain(text), *fault = NULL;

    if (strlen(text) != (size_t)ASN1_STRING_length(mailbox) || !address_valid(text, false))
        fault = "a SmtpUTF8Mailbox that is no mail address";
    else if (is_ascii(text, (size_t)(domain - text)))
        fault = "a SmtpUTF8Mailbox with an ASCII local part (RFC 9598, section 3)";
    for (size_t i = index + 1; i < path->count && fault == NULL; i++)
        if (excluded_by(path->items[i]->certificate, domain))
            fault = "excluded subtree violation (SmtpUTF8Mailbox)";
    free(text);
    return fault;
}

static void check_names(const struct path *path, size_t index, struct faults *faults)
{
    const X509 *certificate = path->items[index]->certificate;
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        const char *fault;
        if (name->type != GEN_OTHERNAME ||
            OBJ_obj2nid(name->d.otherName->type_id) != NID_id_on_SmtpUTF8Mailbox)
            continue;
        fault = name->d.otherName->value->type == V_ASN1_UTF8STRING
                    ? fault_of(path, index, name->d.otherName->value->value.utf8string)
                    : "a SmtpUTF8Mailbox that is no UTF-8";
        if (fault != NULL)
            faults_add(faults, VERDICT_NO_PATH, FAULT_OF_PATH, certificate, "%s", fault);
    }
    GENERAL_NAMES_free(names);
}

void mailbox_check(const struct path *path, struct faults *faults)
{
    check_mailboxes(path, faults);
    for (size_t i = 0; i < path->count; i++)
        check_names(path, i, faults);
    ERR_clear_error();
}
