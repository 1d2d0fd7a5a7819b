#include "modules/trust/form.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "modules/trust/certificate.h"

static bool has_extension(const X509 *certificate, int nid)
{
    return X509_get_ext_by_NID(certificate, nid, -1) >= 0;
}

static bool not_critical(const X509 *certificate, int nid)
{
    int at = X509_get_ext_by_NID(certificate, nid, -1);

    return at >= 0 && !X509_EXTENSION_get_critical(X509_get_ext(certificate, at));
}

/* 4.2: no extension may stand there twice. */
static bool has_repeated_extension(const X509 *certificate)
{
    int count = X509_get_ext_count(certificate);

    for (int i = 0; i < count; i++) {
        const ASN1_OBJECT *object = X509_EXTENSION_get_object(X509_get_ext(certificate, i));
        if (X509_get_ext_by_OBJ(certificate, object, i) >= 0)
            return true;
    }
    return false;
}

static const char *fault_of(const struct settings *settings, X509 *certificate)
{
    long version = X509_get_version(certificate);

    if (version < X509_VERSION_1 || version > X509_VERSION_3)
        return "unknown version of certificate"; /* 4.1.2.1 */
    if (version != X509_VERSION_3 && X509_get_ext_count(certificate) > 0)
        return "extensions in a certificate that is not of version 3"; /* 4.1.2.9 */
    if (has_repeated_extension(certificate))
        return "an extension stands there twice";
    if ((X509_get_extension_flags(certificate) & EXFLAG_INVALID) != 0)
        return "an extension is damaged";
    if (has_extension(certificate, NID_name_constraints) && !certificate_is_ca(certificate))
        return "name constraints in a certificate that is no CA's"; /* 4.2.1.10 */
    if (settings->critical_policy_constraints && (not_critical(certificate, NID_policy_constraints) ||
                                                  not_critical(certificate, NID_inhibit_any_policy)))
        return "policy constraints that are not critical (CRITICAL_POLICY_CONSTRAINTS)"; /* 4.2.1.11, 4.2.1.14
                                                                                          */
    if (settings->critical_name_constraints && not_critical(certificate, NID_name_constraints))
        return "name constraints that are not critical (CRITICAL_NAME_CONSTRAINTS)"; /* 4.2.1.10 */
    return NULL;
}

void form_check(const struct settings *settings, X509 *certificate, struct faults *faults)
{
    const char *fault = fault_of(settings, certificate);

    ERR_clear_error();
    if (fault != NULL)
        faults_add(faults, VERDICT_NO_PATH, FAULT_OF_PATH, certificate, "%s", fault);
}
