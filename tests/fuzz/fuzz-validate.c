/* The trust module over a certificate from strangers, with what they sent along: certificates (behind an E)
   and CRLs (behind a C), "%%" between all of them. Whatever it is, there is one verdict; and nothing is valid
   that does not come from the one CA. The first octet chooses the terms. */
#include <string.h>

#include "module/schema.h"
#include "module/serve_private.h"
#include "modules/trust/validate.h"
#include "tests/fuzz/fuzz.h"
#include "util/base64.h"
#include "util/mem.h"

/* Made for this test. */
static const char ca_pem[] = "-----BEGIN CERTIFICATE-----\n"
                             "MIIBqjCCAU+gAwIBAgIBATAKBggqhkjOPQQDAjAcMQswCQYDVQQDDAJDQTENMAsG\n"
                             "A1UECgwERnV6ejAeFw0yNjExMjkyMTI4NTRaFw0zNjExMjYyMTI4NTRaMBwxCzAJ\n"
                             "BgNVBAMMAkNBMQ0wCwYDVQQKDARGdXp6MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD\n"
                             "QgAEcgqime9wvRGjvVR/xGsTa3pA6bE1o7gTkn0od0HG737wYLAGPpDVuAuXpp4P\n"
                             "mPwqwllQbTz6KaLIuMnU7TRRSqOBgTB/MBIGA1UdEwEB/wQIMAYBAf8CAQEwDgYD\n"
                             "VR0PAQH/BAQDAgEGMB0GA1UdDgQWBBQ6uCNCqWxORfdJvE3oRRNjj20ynzAnBgNV\n"
                             "HR4EIDAeoA0wC4EJeC5leGFtcGxloQ0wC4EJeS5leGFtcGxlMBEGA1UdIAQKMAgw\n"
                             "BgYEVR0gADAKBggqhkjOPQQDAgNJADBGAiEA4UaApUHj328wKFyeHJ15FKuFBzi+\n"
                             "ls87hLQIyThTi5wCIQDbFc01trXCg2SjADVWlZNt0W+mMGvHmzIiriLKrDt/fQ==\n"
                             "-----END CERTIFICATE-----\n";
/* Who can be valid: that CA itself, one below it, and the two persons to whom they gave certificates. */
static const char *const known[] = {
    "f4436329cb75c43f7a59318bc4e78fc8c2a9239b0d302c54c7161197ba3ce08c",
    "997689b6fa141d5e210fdef3abc27c9bca5bac8559d818e60dbf9d71f58eeb9f",
    "4f6ad90eb705782338885da03e1fba3a7b6335b161dbd7826e3b35c1ae2f7da1",
    "613d2c64b6d59e4abc6ddff4cac616ea0d3d0230adf91ac272ed5d53264fd382",
};

static struct settings settings;
static struct validate_module validate = {.settings = &settings};
static const struct serve_operation operations[] = {{"validate", validate_run}, {NULL, NULL}};
static const struct serve_module served = {
    .name = "trust", .role = "trust", .operations = operations, .module = &validate};

static void set_up(void)
{
    struct conf_faults faults = {0};
    char error[300];

    if (validate.store != NULL)
        return;
    fuzz_folder_file("etc/ca/ca.pem", ca_pem, sizeof(ca_pem) - 1);
    fuzz_folder_file("etc/trusted/none", "", 0);
    fuzz_folder_file("etc/untrusted/none", "", 0);
    FUZZ_HOLDS(settings_load("/dev/null", fuzz_folder(), &settings, &faults));
    validate.store = store_open(&settings, error, sizeof(error));
    FUZZ_HOLDS(validate.store != NULL);
}

/* Of an empty one the contract knows nothing: then one octet. */
static void put(struct buf *xml, const char *name, const uint8_t **data, size_t *size)
{
    size_t len;
    const uint8_t *piece = fuzz_piece(data, size, &len);

    buf_printf(xml, "<%s>", name);
    base64_encode_buf(xml, len > 0 ? (const void *)piece : "0", len > 0 ? len : 1);
    buf_printf(xml, "</%.*s>", (int)strcspn(name, " "), name);
}

static void make_request(struct buf *xml, const uint8_t *data, size_t size)
{
    static const char *const revocations[] = {"require", "prefer", "off", "require"};
    static const char *const uses[] = {"sign", "encrypt", "any", "sign"};
    uint8_t choice = data[0];
    struct buf crls = {0}; /* go last */
    char *certificate;

    data++;
    size--;
    buf_printf(xml,
               "<request xmlns=\"%s\" id=\"1\" deadline=\"30000\"><validate revocation=\"%s\" weak=\"%s\" "
               "time=\"2027-01-01T00:00:00Z\">",
               XML_NAMESPACE, revocations[choice & 3], (choice & 4) != 0 ? "yes" : "no");
    certificate = mem_printf("certificate n=\"0\" use=\"%s\"%s", uses[choice / 8 & 3],
                             (choice & 32) != 0 ? " address=\"a@x.example\"" : "");
    put(xml, certificate, &data, &size);
    free(certificate);
    while (size > 0) {
        bool crl = data[0] == 'C';

        data++;
        size--;
        put(crl ? &crls : xml, crl ? "crl" : "extra", &data, &size);
    }
    buf_printf(xml, "%s</validate></request>", buf_text(&crls));
    buf_free(&crls);
}

static bool is_known(const char *fingerprint)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(known[i], fingerprint) == 0)
            return true;
    return false;
}

static void check(const struct buf *out)
{
    char error[300];
    struct xml_node *root = xml_parse(out->data, out->len, error, sizeof(error));
    const struct xml_node *verdict;
    const char *fingerprint;

    FUZZ_HOLDS(root != NULL && strcmp(xml_attribute(root, "status"), "ok") == 0);
    FUZZ_HOLDS(schema_check(schema_find("trust", "validate")->answer, root->children, error, sizeof(error)));
    verdict = xml_child(root->children, "verdict");
    FUZZ_HOLDS(verdict != NULL && xml_next(verdict, "verdict") == NULL);
    fingerprint = xml_attribute(verdict, "fingerprint");
    if (strcmp(xml_attribute(verdict, "verdict"), "valid") == 0)
        FUZZ_HOLDS(fingerprint != NULL && is_known(fingerprint));
    xml_free(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct serve_connection connection = {.module = &served, .fd = -1};
    struct buf xml = {0}, out = {0};
    int fds[1] = {-1};

    set_up();
    if (size == 0)
        return 0;
    make_request(&xml, data, size);
    FUZZ_HOLDS(serve_request_run(&connection, &xml, fds, 0, &out));
    check(&out);
    buf_free(&xml);
    buf_free(&out);
    return 0;
}
