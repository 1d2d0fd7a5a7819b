/* DER: certificates one behind the other, a CRL, a private key, or a PKCS#12 object. */
#include <openssl/err.h>
#include <openssl/x509.h>

#include "modules/areas/file_private.h"

static bool read_certificates(struct file_work *work)
{
    const unsigned char *p = work->data, *end = p + work->len;
    X509 *certificate = d2i_X509(NULL, &p, (long)work->len);

    if (certificate == NULL)
        return false;
    while (certificate != NULL) {
        areas_file_add_certificate(work, certificate);
        certificate = p < end ? d2i_X509(NULL, &p, (long)(end - p)) : NULL;
    }
    if (p < end)
        areas_file_fault(work->content, "%zu octets behind the certificate are none", (size_t)(end - p));
    return true;
}

static bool read_crl(struct file_work *work)
{
    const unsigned char *p = work->data;
    struct areas_crl *crl = areas_crl_parse(&p, work->len);

    if (crl == NULL)
        return false;
    if (p != work->data + work->len)
        areas_file_fault(work->content, "octets behind the CRL");
    areas_file_add_crl(work, crl);
    return true;
}

void areas_file_read_der(struct file_work *work)
{
    if (work->len == 0)
        areas_file_fault(work->content, "empty");
    else if (work->data[0] != 0x30)
        areas_file_fault(work->content, "neither PEM nor DER");
    else if (!read_certificates(work) && !read_crl(work) && !areas_file_read_pkcs12(work) &&
             !areas_file_read_key(work, work->data, work->len, false) &&
             !areas_file_read_key(work, work->data, work->len, true))
        areas_file_fault(work->content,
                         "damaged, incomplete, or neither certificate, CRL, PKCS#12 nor private key");
    ERR_clear_error();
}
