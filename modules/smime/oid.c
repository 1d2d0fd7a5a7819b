#include "modules/smime/oid.h"

#include <string.h>

/* id-smime-alg and its last arc */
#define SMIME_ALG(arc)                                                                                       \
    {                                                                                                        \
        0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x03, arc                                      \
    }

static const struct own_oid {
    int number;
    const char *dotted;
    size_t len;
    unsigned char octets[11];
} own[] = {
    {OID_CHACHA20_POLY1305, "1.2.840.113549.1.9.16.3.18", 11, SMIME_ALG(18)},
    {OID_HKDF_SHA256, "1.2.840.113549.1.9.16.3.19", 11, SMIME_ALG(19)},
    {OID_HKDF_SHA384, "1.2.840.113549.1.9.16.3.20", 11, SMIME_ALG(20)},
    {OID_HKDF_SHA512, "1.2.840.113549.1.9.16.3.21", 11, SMIME_ALG(21)},
    {OID_SHAKE256_LEN, "2.16.840.1.101.3.4.2.18", 9, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x12}},
};

int oid_number(const ASN1_OBJECT *oid)
{
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (OBJ_length(oid) == own[i].len && memcmp(OBJ_get0_data(oid), own[i].octets, own[i].len) == 0)
            return own[i].number;
    return OBJ_obj2nid(oid);
}

ASN1_OBJECT *oid_object(int number)
{
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (own[i].number == number)
            return OBJ_txt2obj(own[i].dotted, 1);
    return OBJ_nid2obj(number);
}
