/* The whole unwrap operation of the smime module: BER reader, ASN.1 templates, decryption, verification,
   decompression. The first octet chooses: 1 weak algorithms accepted, 2 the rest is a detached signature, 4
   it is base64. In place of a key module every content key is 0x42 repeated, so that seeds can be made that
   are decrypted to their end. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "modules/smime/keychannel.h"
#include "modules/smime/operations.h"
#include "tests/fuzz/fuzz.h"
#include "util/base64.h"

static const char rsa_certificate[] =
    "MIIDXzCCAkegAwIBAgIUGTJJvIeHFBrzUUXM1wc2x9oPhdMwDQYJKoZIhvcNAQELBQAwITENMAsGA1UECgwEVGVzdDEQMA4G"
    "A1UEAwwHVGVzdCBDQTAeFw0yNjExMjEyMjQ1NDFaFw0zNTAyMDcyMjQ1NDFaMB0xDTALBgNVBAoMBFRlc3QxDDAKBgNVBAMM"
    "A3JzYTCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBAM9LGZjHy22ByxDxAmAfX9mFnKovn+Qk9zipA69fBv9JksjR"
    "Etly9QqhwMO/zG3gCEcKwbuHZ40gh7waC+L1ZyCdc0NN9ZVzSAMyTUEk0KAtMsqCT1+X08OgH0ANnVjeuM7wJlmAxQmluBLi"
    "bQOyfUpif4kSpr67pAjv6QyRh4WX/mdqMctuYm4UTGYjmKlx1mjyf0chteR+8o5NZ84i92qE5lBg0TmdeEfaCxDHWMUOixZo"
    "t6nFNSbfHJwZ+B8/87xulupQP0Hfh5PEezAE+PUXETYAXG2KURyq+UK59NNCCVM6DGsR7fsak7eVuNSBuUY2/3obpDZ0ik+u"
    "Wxo/wbsCAwEAAaOBkjCBjzAMBgNVHRMBAf8EAjAAMA4GA1UdDwEB/wQEAwIDqDATBgNVHSUEDDAKBggrBgEFBQcDBDAdBgNV"
    "HQ4EFgQUqM/8+9YaMeRd9x2eR0vU285Jo2gwHwYDVR0jBBgwFoAU/Va8lajnrc6pxY7lMsNormKjvNAwGgYDVR0RBBMwEYEP"
    "cnNhQGV4YW1wbGUub3JnMA0GCSqGSIb3DQEBCwUAA4IBAQB4gZYNROxyf934yBrIbIfm4fQmE87njY4GB1ASanhDzjPO1naQ"
    "QyS8cEuVtVD1HgolSn0V4qLjuRfsZ4LqRAtg1z4jqFJw1VR5RxzAtlt3h9j+SEmLtwIsqUhkQBgn4uK7rE+7cIWdeNtVBM/u"
    "oWClY3DgFMtnQqY+T7vM/88+6LeMkx6LrYwzZLRmEcXS2XPIFnQnOt4ascQnqSjqLDnKovjGyok0bNoqH4VTJxVNlI3eMA5Z"
    "T+l9atclCM70yi1f/5wt4vveo56Mj7/BVT4nL8YNtJ8Asy60HVuahUGw4/KwOE+7EfdWY0rhP/3vYrvV7jPUheUcFMBYPFY2"
    "Pqhi";

static const char ec_certificate[] =
    "MIICljCCAX6gAwIBAgIUGTJJvIeHFBrzUUXM1wc2x9oPhdQwDQYJKoZIhvcNAQELBQAwITENMAsGA1UECgwEVGVzdDEQMA4G"
    "A1UEAwwHVGVzdCBDQTAeFw0yNjExMjEyMjQ1NDFaFw0zNTAyMDcyMjQ1NDFaMB4xDTALBgNVBAoMBFRlc3QxDTALBgNVBAMM"
    "BHAyNTYwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASKqLMwK5M4S1r+ilkYPjA872e+rRKQV4zF9feUfu0CevH1EdP4Smt3"
    "V7lETN7mFIl0oKucJLNgg0eylLY3mpdjo4GTMIGQMAwGA1UdEwEB/wQCMAAwDgYDVR0PAQH/BAQDAgOoMBMGA1UdJQQMMAoG"
    "CCsGAQUFBwMEMB0GA1UdDgQWBBRI4amLGHddSjw7U/yU38sCiVRkNTAfBgNVHSMEGDAWgBT9VryVqOetzqnFjuUyw2iuYqO8"
    "0DAbBgNVHREEFDASgRBwMjU2QGV4YW1wbGUub3JnMA0GCSqGSIb3DQEBCwUAA4IBAQCAa6qzSHOcDs951y6iBdyU4uAMBSJ3"
    "+RRMD0SLUm85S16+Eb44JK6JlSD2EZszng2OANd0rRlZdSqDh+Zm5S0VuT2Fl/MM5VqKQJwItvaB5IKmc3gNZo9Gltq6x9mA"
    "i6KvULj58E2dnc3O19zFHsZpO8YrhPDFcOiOBy/9wSUvke+/DXosi2kRaBmzMH+nqNRyBrL8C0H7CzCNZCrMKd2/1l4G4Wbg"
    "+wgCrqVgNVW2+wmyC5Ctr1blP/+qNBnYJaIPD7pNohO5o5Pjtr9ZgGz3Rala0h1oOuNIQ0Ah8hSxNVqT4bmOx+4QSvszkfFe"
    "cQf13FeQrhWVwUFtcIdgExdD";

static const char x25519_certificate[] =
    "MIICazCCAVOgAwIBAgIUTrPrrxDTEEDof1/vRluAMAxmuJYwDQYJKoZIhvcNAQELBQAwITENMAsGA1UECgwEVGVzdDEQMA4G"
    "A1UEAwwHVGVzdCBDQTAeFw0yNjExMjkyMTU2NDhaFw0zNTAyMTUyMTU2NDhaMCAxDTALBgNVBAoMBFRlc3QxDzANBgNVBAMM"
    "BngyNTUxOTAqMAUGAytlbgMhAF8KfbemrqQq+wROmhyCpbQmdUxXq5APwEGB78EaukQ0o4GVMIGSMAwGA1UdEwEB/wQCMAAw"
    "DgYDVR0PAQH/BAQDAgOoMBMGA1UdJQQMMAoGCCsGAQUFBwMEMB0GA1UdDgQWBBTacqLGumviX1M7QcDqR7PE6lAzCTAfBgNV"
    "HSMEGDAWgBTKilxFY86DAgqd0C/w3OIaVWtPGzAdBgNVHREEFjAUgRJ4MjU1MTlAZXhhbXBsZS5vcmcwDQYJKoZIhvcNAQEL"
    "BQADggEBAIvFeKypEZveQR6Ei9gLjienGm35CMjs4HM3xomOmJNxI3B0UbuTh0kex5yqpnOvAgpZh1PK4jpwHlfw7lGWacUV"
    "+4zSXCfZ4aEIibNXm6emp2gOkINhP4OQfKXEHZLHx3jkcAGAteEFS36igv+8L3gjsiJSQuZFC0Mo3dEVxmgkk/J/ncHHrtQ6"
    "xaOdvAz3cDDcFPY7tWWlTikjSEtJRwnjMHyZWYcnoVFqCp1chrT67oY24QEGcWZe2MUWE7zjCkbT2Fr1xrfkab49pHDaC7/Q"
    "2QMoITbRTxSo3giJVYlmC2mI5Rk5iRZemUw/50KVPr8S5/reUrMiCtLbR+zusE8=";

static const char text[] =
    "Content-Type: text/plain\r\n\r\nHello\r\n"; /* of the seeds with an authenticated cipher */
static const char entity[] = "Hello\n";          /* of the detached signatures */

/* ---- the key module's place ---- */

void keychannel_open_key(struct keychannel *channel, const char *key, const struct keychannel_open *open,
                         size_t length, struct keychannel_answer *answer_r)
{
    (void)channel;
    (void)key;
    FUZZ_HOLDS(open->scheme != NULL);
    memset(answer_r, 0, sizeof(*answer_r));
    answer_r->status = ANSWER_OK;
    while (answer_r->value.len < length)
        buf_add_char(&answer_r->value, 0x42);
}

void keychannel_sign(struct keychannel *channel, const char *key, const char *scheme, bool is_message,
                     const void *input, size_t len, struct keychannel_answer *answer_r)
{
    (void)channel;
    (void)key;
    (void)scheme;
    (void)is_message;
    (void)input;
    (void)len;
    (void)answer_r;
    abort();
}

void keychannel_answer_free(struct keychannel_answer *answer)
{
    buf_free(&answer->text);
    buf_wipe(&answer->value);
}

void keychannel_open_free(struct keychannel_open *open)
{
    buf_free(&open->encrypted);
    buf_free(&open->originator);
    buf_free(&open->shared_info);
    buf_free(&open->label);
    buf_free(&open->salt);
}

void keychannel_pass_on(const struct keychannel_answer *from, struct serve_answer *to)
{
    serve_fail(to, from->status, "key", "refused");
}

/* ---- one request ---- */

static struct xml_node *make_body(unsigned char choice, size_t len)
{
    struct buf xml = {0};
    struct xml_node *root;
    char error[200];

    buf_printf(&xml,
               "<unwrap xmlns=\"%s\" output=\"1\" channel=\"2\" weak=\"%s\" limit=\"100000\"><content "
               "encoding=\"%s\">"
               "<piece fd=\"0\" offset=\"0\" length=\"%zu\"/></content>",
               XML_NAMESPACE, (choice & 1) != 0 ? "yes" : "no", (choice & 4) != 0 ? "base64" : "binary", len);
    if ((choice & 2) != 0)
        buf_printf(&xml, "<signed><piece fd=\"3\" offset=\"0\" length=\"%zu\"/></signed>",
                   sizeof(entity) - 1);
    buf_printf(&xml,
               "<candidate key=\"a:rsa\"><certificate>%s</certificate></candidate>"
               "<candidate key=\"a:ec\"><certificate>%s</certificate></candidate>"
               "<candidate key=\"a:x\"><certificate>%s</certificate></candidate></unwrap>",
               rsa_certificate, ec_certificate, x25519_certificate);
    root = xml_parse(xml.data, xml.len, error, sizeof(error));
    FUZZ_HOLDS(root != NULL);
    buf_free(&xml);
    return root;
}

/* What an authenticated cipher gives out is what was encrypted; a failure leaves nothing. */
static void check(const struct serve_answer *answer, int output)
{
    char got[sizeof(text)];
    ssize_t n = pread(output, got, sizeof(got), 0);

    FUZZ_HOLDS(n >= 0 && (answer->status == ANSWER_OK || n == 0) && answer->writer.depth == 0);
    if (answer->status == ANSWER_OK && strstr(buf_text(&answer->body), "type=\"auth-enveloped\"") != NULL)
        FUZZ_HOLDS(n == sizeof(text) - 1 && memcmp(got, text, sizeof(text) - 1) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct serve_request request = {.until = DEADLINE_NEVER, .fd_count = 4};
    struct serve_answer answer = {.status = ANSWER_OK};
    struct xml_node *body;
    int sockets[2];

    if (size == 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0)
        return 0;
    body = make_body(data[0], size - 1);
    request.body = body;
    request.fds[0] = fuzz_file(data + 1, size - 1);
    request.fds[1] = fuzz_file("", 0);
    request.fds[2] = sockets[0];
    request.fds[3] = fuzz_file(entity, sizeof(entity) - 1);
    xml_begin(&answer.writer, &answer.body);
    smime_unwrap(&request, &answer, NULL);
    check(&answer, request.fds[1]);
    for (size_t i = 0; i < request.fd_count; i++)
        close(request.fds[i]);
    close(sockets[1]);
    buf_free(&answer.text);
    buf_free(&answer.body);
    xml_free(body);
    return 0;
}
