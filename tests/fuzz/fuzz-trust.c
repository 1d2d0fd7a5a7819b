/* Certificates and CRLs from strangers: nothing in them may crash a check, whatever verdict comes of it; and
   no CRL that nobody has signed may say anything. The first octet chooses. */
#include "modules/trust/certificate.h"
#include "modules/trust/crl.h"
#include "modules/trust/form.h"
#include "modules/trust/mailbox.h"
#include "modules/trust/path_check.h"
#include "modules/trust/strength.h"
#include "modules/trust/use.h"
#include "tests/fuzz/fuzz.h"

static struct settings settings;

static void check_certificate(const struct buf *der)
{
    struct terms terms = {.settings = &settings, .until = DEADLINE_NEVER};
    struct ca ca = {.certificate = certificate_parse(der), .anchor = true};
    struct path path = {.items = {&ca, &ca}, .count = 2};
    struct faults faults = {0};
    char *subject;

    if (ca.certificate == NULL)
        return;
    certificate_fingerprint(ca.certificate, ca.fingerprint);
    path_check(&terms, &path, &faults);
    path.end = PATH_NO_ISSUER;
    path_explain_end(&terms, &path, &faults);
    use_check(USE_SIGN, &path, &faults);
    use_check(USE_ENCRYPT, &path, &faults);
    strength_check(&settings, &path, &faults);
    subject = certificate_subject(ca.certificate);
    free(subject);
    faults_free(&faults);
    X509_free(ca.certificate);
}

static void check_crl(const struct buf *der)
{
    struct crl *crl = crl_parse(der);
    X509 *certificate;
    struct crl_entry entry;

    if (crl == NULL)
        return;
    certificate = X509_new();
    X509_set_issuer_name(certificate, crl_issuer(crl));
    (void)crl_reasons(crl, NULL, certificate);
    (void)crl_look_up(crl, certificate, &entry);
    (void)strength_of_crl(&settings, crl);
    (void)crl_is_delta_to(crl, crl);
    FUZZ_HOLDS(!crl_verify(crl, certificate, "nobody"));
    X509_free(certificate);
    crl_free(crl);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf der = {0};

    if (settings.log == NULL) {
        struct conf_faults faults = {0};
        settings_load("/dev/null", "/tmp", &settings, &faults);
    }
    if (size < 2)
        return 0;
    buf_add(&der, data + 1, size - 1);
    if (data[0] % 2 == 0)
        check_certificate(&der);
    else
        check_crl(&der);
    buf_free(&der);
    return 0;
}
