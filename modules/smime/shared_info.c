#include "modules/smime/shared_info.h"

#include "modules/smime/asn1_types.h"
#include "modules/smime/der.h"

bool shared_info_append(struct buf *out, X509_ALGOR *wrap, ASN1_OCTET_STRING *ukm, size_t kek_len)
{
    unsigned int kek_bits = (unsigned int)kek_len * 8;
    unsigned char octets[4] = {0, 0, (unsigned char)(kek_bits >> 8), (unsigned char)kek_bits};
    ASN1_OCTET_STRING *bits = ASN1_OCTET_STRING_new();
    SharedInfo info = {wrap, ukm, bits};
    bool ok = bits != NULL && ASN1_OCTET_STRING_set(bits, octets, sizeof(octets)) &&
              der_append(out, &info, ASN1_ITEM_rptr(SharedInfo));

    ASN1_OCTET_STRING_free(bits);
    return ok;
}
