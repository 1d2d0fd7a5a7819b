#include "modules/trust/validate_write.h"

#include <stdlib.h>

#include "modules/areas/fields.h"
#include "modules/trust/certificate.h"
#include "util/base64.h"
#include "util/sha256.h"

/* Addresses told for one certificate; all of them count when one is asked for. */
#define ADDRESSES_MAX 100

static void put_name(struct xml_writer *writer, const char *attribute, const X509_NAME *name)
{
    char *text = certificate_name(name);

    xml_put(writer, attribute, text);
    free(text);
}

static void put_identifiers(struct xml_writer *writer, const X509 *certificate)
{
    struct buf serial = {0}, issuer = {0}, ski = {0}, text = {0};

    put_name(writer, "subject", X509_get_subject_name(certificate));
    put_name(writer, "issuer", X509_get_issuer_name(certificate));
    areas_fields_certificate_serial(certificate, &serial);
    xml_put_hex(writer, "serial", buf_text(&serial), serial.len);
    certificate_issuer_der(certificate, &issuer);
    base64_encode_buf(&text, buf_text(&issuer), issuer.len);
    xml_put(writer, "issuer-der", buf_text(&text));
    if (certificate_ski(certificate, &ski))
        xml_put_hex(writer, "ski", buf_text(&ski), ski.len);
    buf_free(&serial);
    buf_free(&issuer);
    buf_free(&ski);
    buf_free(&text);
}

static void put_properties(struct xml_writer *writer, const X509 *certificate)
{
    char text[ISO_TIME_SIZE];

    certificate_asn1_iso(X509_get0_notBefore(certificate), text);
    xml_put(writer, "not-before", text);
    certificate_asn1_iso(X509_get0_notAfter(certificate), text);
    xml_put(writer, "not-after", text);
    xml_put(writer, "key", certificate_key(certificate));
    xml_put_number(writer, "bits", certificate_bits(certificate));
}

static void write_path(struct xml_writer *writer, const struct judgement *judgement)
{
    for (size_t i = 0; i < judgement->path_count; i++) {
        char fingerprint[FINGERPRINT_SIZE];
        certificate_fingerprint(judgement->path[i], fingerprint);
        xml_open(writer, "path");
        xml_put(writer, "fingerprint", fingerprint);
        put_name(writer, "subject", X509_get_subject_name(judgement->path[i]));
        xml_close(writer);
    }
}

static void write_evidence(struct xml_writer *writer, const struct evidence_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct evidence *evidence = &list->items[i];
        char when[ISO_TIME_SIZE];
        certificate_iso_time(evidence->when, when);
        xml_open(writer, "evidence");
        xml_put(writer, "kind", evidence_kind_name(evidence->kind));
        xml_put(writer, "time", evidence->when != 0 ? when : NULL);
        xml_text(writer, evidence->text);
        xml_close(writer);
    }
}

void validate_write_verdict(struct xml_writer *writer, uint64_t n, X509 *certificate,
                            const struct judgement *judgement)
{
    char fingerprint[FINGERPRINT_SIZE];

    certificate_fingerprint(certificate, fingerprint);
    xml_open(writer, "verdict");
    xml_put_number(writer, "n", n);
    xml_put(writer, "verdict", verdict_name(judgement->verdict));
    xml_put(writer, "reason", judgement->reason);
    xml_put(writer, "fingerprint", fingerprint);
    xml_put(writer, "area", judgement->area);
    put_identifiers(writer, certificate);
    put_properties(writer, certificate);
    xml_put(writer, "deciding", judgement->deciding[0] != '\0' ? judgement->deciding : NULL);
    for (size_t i = 0; i < judgement->addresses.count && i < ADDRESSES_MAX; i++) {
        xml_open(writer, "address");
        xml_text(writer, judgement->addresses.items[i]);
        xml_close(writer);
    }
    write_path(writer, judgement);
    write_evidence(writer, &judgement->evidence);
    xml_close(writer);
}

void validate_write_unreadable(struct xml_writer *writer, uint64_t n, const struct buf *octets)
{
    static const char never[] = "1970-01-01T00:00:00Z";
    static const char *const empty[] = {"subject", "issuer", "serial", "issuer-der"};
    char fingerprint[SHA256_HEX_LEN + 1];

    areas_fields_fingerprint(buf_text(octets), octets->len, fingerprint);
    xml_open(writer, "verdict");
    xml_put_number(writer, "n", n);
    xml_put(writer, "verdict", verdict_name(VERDICT_NO_PATH));
    xml_put(writer, "reason",
            octets->len > CERTIFICATE_MAX ? "too large for a certificate"
                                          : "not a certificate: its encoding is damaged");
    xml_put(writer, "fingerprint", fingerprint);
    for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
        xml_put(writer, empty[i], "");
    xml_put(writer, "not-before", never);
    xml_put(writer, "not-after", never);
    xml_put(writer, "key", "other");
    xml_put_number(writer, "bits", 0);
    xml_close(writer);
}
