/* Does a CRL speak about a certificate, and for which reasons (RFC 5280, 6.3.3 (b) and (d))? */
#include "modules/trust/certificate.h"
#include "modules/trust/crl.h"

static bool names_have_directory(const GENERAL_NAMES *names, const X509_NAME *name)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *item = sk_GENERAL_NAME_value(names, i);
        if (item->type == GEN_DIRNAME && X509_NAME_cmp(item->d.directoryName, name) == 0)
            return true;
    }
    return false;
}

static bool names_meet(const GENERAL_NAMES *a, const GENERAL_NAMES *b)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(a); i++)
        for (int k = 0; k < sk_GENERAL_NAME_num(b); k++)
            if (GENERAL_NAME_cmp(sk_GENERAL_NAME_value(a, i), sk_GENERAL_NAME_value(b, k)) == 0)
                return true;
    return false;
}

/* A name relative to the CRL issuer stands in dpname once DIST_POINT_set_dpname() has been called (type 1).
 */
static bool points_meet(const DIST_POINT_NAME *a, const DIST_POINT_NAME *b)
{
    if (a->type == 0 && b->type == 0)
        return names_meet(a->name.fullname, b->name.fullname);
    if (a->type == 0)
        return b->dpname != NULL && names_have_directory(a->name.fullname, b->dpname);
    if (b->type == 0)
        return a->dpname != NULL && names_have_directory(b->name.fullname, a->dpname);
    return a->dpname != NULL && b->dpname != NULL && X509_NAME_cmp(a->dpname, b->dpname) == 0;
}

static bool scope_meets_point(const DIST_POINT_NAME *scope, const DIST_POINT *point)
{
    if (point == NULL)
        return false;
    if (point->distpoint != NULL)
        return points_meet(scope, point->distpoint);
    return point->CRLissuer != NULL && scope->type == 0 && names_meet(scope->name.fullname, point->CRLissuer);
}

static unsigned int reason_bits(const ASN1_BIT_STRING *flags)
{
    unsigned int reasons = 0;

    if (flags == NULL)
        return CRL_ALL_REASONS;
    for (int bit = 1; bit <= 8; bit++)
        if (ASN1_BIT_STRING_get_bit(flags, bit))
            reasons |= 1u << bit;
    return reasons;
}

/* 6.3.3 (b)(1): the CRL comes from the certificate's issuer, or from the one that the distribution point
 * names. */
static bool issuer_fits(const struct crl *crl, const DIST_POINT *point, const X509 *certificate)
{
    bool own = X509_NAME_cmp(crl_issuer(crl), X509_get_issuer_name(certificate)) == 0;

    if (point == NULL || point->CRLissuer == NULL)
        return own;
    if (!names_have_directory(point->CRLissuer, crl_issuer(crl)))
        return false;
    return own || (crl->scope != NULL && crl->scope->indirectCRL > 0);
}

unsigned int crl_reasons(const struct crl *crl, DIST_POINT *point, const X509 *certificate)
{
    const ISSUING_DIST_POINT *scope = crl->scope;
    unsigned int reasons = point == NULL ? CRL_ALL_REASONS : reason_bits(point->reasons);

    if (crl->damaged || !issuer_fits(crl, point, certificate))
        return 0;
    if (scope == NULL)
        return reasons;
    if (scope->onlyattr > 0 || (scope->onlyuser > 0 && certificate_is_ca(certificate)) ||
        (scope->onlyCA > 0 && !certificate_is_ca(certificate)))
        return 0;
    if (scope->distpoint != NULL && !scope_meets_point(scope->distpoint, point))
        return 0;
    return reasons & reason_bits(scope->onlysomereasons);
}
