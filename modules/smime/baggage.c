#include "modules/smime/baggage.h"

#include <stdlib.h>
#include <string.h>

#include "modules/smime/der.h"
#include "util/mem.h"

/* Keeps an X.509 certificate; other forms (attribute certificates and the like) are passed over. */
static enum baggage_result take_certificate(struct baggage *baggage, struct buf *der)
{
    X509 *certificate = der->data[0] == 0x30 ? der_certificate(der->data, der->len) : NULL;
    struct buf *kept;

    if (certificate == NULL)
        return BAGGAGE_OK;
    if (baggage->certificate_count == BAGGAGE_CERTIFICATES_MAX ||
        der->len > BAGGAGE_OCTETS_MAX - baggage->certificate_octets) {
        X509_free(certificate);
        return BAGGAGE_TOO_MUCH;
    }
    if (baggage->certificates == NULL)
        baggage->certificates = sk_X509_new_null();
    if (!sk_X509_push(baggage->certificates, certificate)) {
        X509_free(certificate);
        return BAGGAGE_TOO_MUCH;
    }
    baggage->certificate_octets += der->len;
    kept = mem_push(&baggage->certificate_ders, &baggage->certificate_count, sizeof(*kept));
    buf_add(kept, der->data, der->len);
    return BAGGAGE_OK;
}

static enum baggage_result take_crl(struct baggage *baggage, struct buf *der)
{
    struct buf *kept;

    if (der->data[0] != 0x30 || der->len > BAGGAGE_OCTETS_MAX - baggage->crl_octets)
        return BAGGAGE_OK;
    baggage->crl_octets += der->len;
    kept = mem_push(&baggage->crl_ders, &baggage->crl_count, sizeof(*kept));
    buf_add(kept, der->data, der->len);
    return BAGGAGE_OK;
}

static enum baggage_result read_set(struct baggage *baggage, struct ber *ber, unsigned char id,
                                    enum baggage_result (*take)(struct baggage *, struct buf *))
{
    enum baggage_result result = BAGGAGE_OK;
    struct buf der = {0};

    if (ber_peek(ber) != id)
        return BAGGAGE_OK;
    if (!ber_enter(ber, id, NULL))
        return BAGGAGE_DAMAGED;
    while (result == BAGGAGE_OK && ber_more(ber)) {
        buf_clear(&der);
        result = ber_copy(ber, &der) ? take(baggage, &der) : BAGGAGE_DAMAGED;
    }
    buf_free(&der);
    return result == BAGGAGE_OK && !ber_leave(ber) ? BAGGAGE_DAMAGED : result;
}

enum baggage_result baggage_read(struct baggage *baggage, struct ber *ber)
{
    enum baggage_result result = read_set(baggage, ber, 0xa0, take_certificate);

    return result == BAGGAGE_OK ? read_set(baggage, ber, 0xa1, take_crl) : result;
}

static void put_all(const struct buf *ders, size_t count, const char *name, struct xml_writer *w)
{
    for (size_t i = 0; i < count; i++)
        xml_add_base64(w, name, ders[i].data, ders[i].len);
}

void baggage_put(const struct baggage *baggage, struct xml_writer *w)
{
    put_all(baggage->certificate_ders, baggage->certificate_count, "certificate", w);
    put_all(baggage->crl_ders, baggage->crl_count, "crl", w);
}

static void free_all(struct buf *ders, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_free(&ders[i]);
    free(ders);
}

void baggage_free(struct baggage *baggage)
{
    sk_X509_pop_free(baggage->certificates, X509_free);
    free_all(baggage->certificate_ders, baggage->certificate_count);
    free_all(baggage->crl_ders, baggage->crl_count);
    memset(baggage, 0, sizeof(*baggage));
}
