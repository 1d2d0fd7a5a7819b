#include "modules/trust/path_check.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <string.h>

#include "modules/trust/certificate.h"
#include "modules/trust/form.h"
#include "modules/trust/mailbox.h"
#include "util/mem.h"

static enum verdict verdict_of(int error)
{
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return VERDICT_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return VERDICT_NOT_YET_VALID;
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE:
    case X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY:
        return VERDICT_BAD_SIGNATURE;
    default:
        return VERDICT_NO_PATH;
    }
}

/* "issuer CN=X" where the fault is not the certificate's own, else ""; newly allocated. */
static char *whose(const X509 *certificate, int depth)
{
    char *subject, *text;

    if (depth == 0 || certificate == NULL)
        return mem_strdup("");
    subject = certificate_subject(certificate);
    text = mem_printf("issuer %s", subject);
    free(subject);
    return text;
}

static void add_fault(struct faults *faults, int error, int depth, const X509 *certificate)
{
    enum verdict verdict = verdict_of(error);
    char *who = whose(certificate, depth);
    const char *blank = who[0] == '\0' ? "" : " ", *colon = who[0] == '\0' ? "" : ": ";
    char day[ISO_TIME_SIZE] = "";
    time_t when = 0;

    if (verdict == VERDICT_EXPIRED && certificate_time(X509_get0_notAfter(certificate), &when)) {
        certificate_day(when, day);
        faults_add(faults, verdict, FAULT_OF_PATH, certificate, "%s%sexpired on %s", who, blank, day);
    } else if (verdict == VERDICT_NOT_YET_VALID &&
               certificate_time(X509_get0_notBefore(certificate), &when)) {
        certificate_day(when, day);
        faults_add(faults, verdict, FAULT_OF_PATH, certificate, "%s%snot valid before %s", who, blank, day);
    } else {
        faults_add(faults, verdict, FAULT_OF_PATH, certificate, "%s%s%s", who, colon,
                   X509_verify_cert_error_string(error));
    }
    free(who);
}

struct check {
    time_t at;
    struct faults *faults;
};

/* RFC 5280 4.1.2.5: up to notAfter inclusive. For OpenSSL that very second is over. */
static bool is_last_second(int error, const X509 *certificate, time_t at)
{
    time_t until;

    return error == X509_V_ERR_CERT_HAS_EXPIRED &&
           certificate_time(X509_get0_notAfter(certificate), &until) && until == at;
}

/* Notes every fault and goes on, so that the most serious one can be told. */
static int note_fault(int ok, X509_STORE_CTX *context)
{
    const struct check *check = X509_STORE_CTX_get_app_data(context);
    const X509 *certificate = X509_STORE_CTX_get_current_cert(context);
    int error = X509_STORE_CTX_get_error(context);

    if (!ok && !is_last_second(error, certificate, check->at))
        add_fault(check->faults, error, X509_STORE_CTX_get_error_depth(context), certificate);
    return 1;
}

static bool add_policy(X509_VERIFY_PARAM *param, const char *oid)
{
    ASN1_OBJECT *policy = OBJ_txt2obj(oid, 1);

    if (policy != NULL && X509_VERIFY_PARAM_add0_policy(param, policy) == 1)
        return true;
    ASN1_OBJECT_free(policy);
    return false;
}

/* "Any" must be said to OpenSSL: without, a path that requires a policy of itself fits nobody's wish. */
static bool set_policies(X509_VERIFY_PARAM *param, const struct settings *settings)
{
    static const char any_policy[] = "2.5.29.32.0";
    unsigned long flags = X509_V_FLAG_POLICY_CHECK;

    flags |= settings->explicit_policy ? X509_V_FLAG_EXPLICIT_POLICY : 0;
    flags |= settings->inhibit_mapping ? X509_V_FLAG_INHIBIT_MAP : 0;
    flags |= settings->inhibit_any_policy ? X509_V_FLAG_INHIBIT_ANY : 0;
    for (size_t i = 0; i < settings->policies.count; i++)
        if (!add_policy(param, settings->policies.items[i]))
            return false;
    if (settings->policies.count == 0 && !add_policy(param, any_policy))
        return false;
    return X509_VERIFY_PARAM_set_flags(param, flags) == 1;
}

/* Algorithm strength is judged elsewhere, by trust.conf: hence the authentication level 0. */
static bool set_terms(X509_STORE_CTX *context, const struct terms *terms, bool policies)
{
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);
    unsigned long flags = X509_V_FLAG_TRUSTED_FIRST;

    flags |= terms->settings->partial_chain ? X509_V_FLAG_PARTIAL_CHAIN : 0;
    flags |= terms->settings->strict ? X509_V_FLAG_X509_STRICT : 0;
    X509_VERIFY_PARAM_set_time(param, terms->at);
    X509_VERIFY_PARAM_set_depth(param, (int)terms->settings->max_depth);
    X509_VERIFY_PARAM_set_auth_level(param, 0);
    return X509_VERIFY_PARAM_set_flags(param, flags) == 1 &&
           (!policies || set_policies(param, terms->settings));
}

/* OpenSSL gave up: for lack of memory, it says. */
enum run { RUN_JUDGED, RUN_GAVE_UP, RUN_IMPOSSIBLE };

static enum run run(const struct terms *terms, X509 *leaf, STACK_OF(X509) * between, STACK_OF(X509) * anchor,
                    bool policies, struct faults *faults)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    struct check check = {.at = terms->at, .faults = faults};
    size_t before = faults->count;
    enum run found = RUN_IMPOSSIBLE;
    int result;

    if (context == NULL || X509_STORE_CTX_init(context, NULL, leaf, between) != 1)
        goto out;
    X509_STORE_CTX_set0_trusted_stack(context, anchor);
    X509_STORE_CTX_set_app_data(context, &check);
    X509_STORE_CTX_set_verify_cb(context, note_fault);
    if (!set_terms(context, terms, policies))
        goto out;
    result = X509_verify_cert(context);
    found = result < 0 ? RUN_GAVE_UP : RUN_JUDGED;
    if (result == 0 && faults->count == before)
        add_fault(faults, X509_STORE_CTX_get_error(context), X509_STORE_CTX_get_error_depth(context),
                  X509_STORE_CTX_get_current_cert(context));
out:
    X509_STORE_CTX_free(context);
    ERR_clear_error();
    return found;
}

/* OpenSSL also gives up when the policies of a path multiply beyond its limit; without them it judges then.
 */
static bool verify(const struct terms *terms, X509 *leaf, STACK_OF(X509) * between, STACK_OF(X509) * anchor,
                   struct faults *faults)
{
    enum run found = run(terms, leaf, between, anchor, true, faults);

    if (found != RUN_GAVE_UP || run(terms, leaf, between, anchor, false, faults) != RUN_JUDGED)
        return found == RUN_JUDGED;
    faults_add(faults, VERDICT_NO_PATH, FAULT_OF_PATH, leaf, "more policies than can be judged");
    return true;
}

bool path_check(const struct terms *terms, const struct path *path, struct faults *faults)
{
    STACK_OF(X509) *between = sk_X509_new_null(), *anchor = sk_X509_new_null();
    bool judged = between != NULL && anchor != NULL;

    for (size_t i = 1; i + 1 < path->count && judged; i++)
        judged = sk_X509_push(between, path->items[i]->certificate) > 0;
    judged = judged && sk_X509_push(anchor, path->items[path->count - 1]->certificate) > 0;
    /* Without a key of the certificate OpenSSL gives up as if it lacked memory; form_check() tells the fault.
     */
    if (judged && X509_get0_pubkey(path->items[0]->certificate) != NULL)
        judged = verify(terms, path->items[0]->certificate, between, anchor, faults);
    sk_X509_free(between);
    sk_X509_free(anchor);
    if (judged)
        mailbox_check(path, faults);
    for (size_t i = 0; i < path->count && judged; i++)
        form_check(terms->settings, path->items[i]->certificate, faults);
    return judged;
}

void path_explain_end(const struct terms *terms, const struct path *path, struct faults *faults)
{
    const X509 *last = path->items[path->count - 1]->certificate;
    char *subject = certificate_subject(last), *issuer = certificate_name(X509_get_issuer_name(last));

    switch (path->end) {
    case PATH_ANCHORED:
        break;
    case PATH_FOREIGN_ROOT:
        faults_add(faults, VERDICT_UNTRUSTED_ROOT, FAULT_OF_PATH, last, "root %s does not lie in area ca",
                   subject);
        break;
    case PATH_NO_ISSUER:
        faults_add(faults, VERDICT_NO_PATH, FAULT_OF_PATH, last, "no certificate of issuer %s", issuer);
        break;
    case PATH_UNFIT_ISSUER:
        faults_add(faults, VERDICT_NO_PATH, FAULT_OF_PATH, last,
                   "no certificate of issuer %s with the right key (or one of the two is damaged)", issuer);
        break;
    case PATH_BAD_SIGNATURE:
        faults_add(faults, VERDICT_BAD_SIGNATURE, FAULT_OF_PATH, last, "%s was not signed by the key of %s",
                   subject, issuer);
        break;
    case PATH_ISSUER_MAY_NOT:
        faults_add(faults, VERDICT_NO_PATH, FAULT_OF_PATH, last, "issuer %s may not sign certificates",
                   subject);
        break;
    case PATH_TOO_LONG:
        faults_add(faults, VERDICT_NO_PATH, FAULT_OF_PATH, last, "more than %llu CA certificates (MAX_DEPTH)",
                   (unsigned long long)terms->settings->max_depth);
        break;
    case PATH_GAVE_UP:
        faults_add(faults, VERDICT_NO_PATH, FAULT_OF_PATH, last, "too many possible paths");
        break;
    }
    for (size_t i = 0; i < path->count; i++)
        form_check(terms->settings, path->items[i]->certificate, faults);
    free(subject);
    free(issuer);
}
