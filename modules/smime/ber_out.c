#include "modules/smime/ber_out.h"

bool ber_out_segment(struct armour *armour, const void *data, size_t len)
{
    unsigned char head[5] = {0x04};
    size_t head_len;

    if (len == 0)
        return true;
    if (len < 0x80) {
        head[1] = (unsigned char)len;
        head_len = 2;
    } else if (len < 0x100) {
        head[1] = 0x81;
        head[2] = (unsigned char)len;
        head_len = 3;
    } else if (len < 0x10000) {
        head[1] = 0x82;
        head[2] = (unsigned char)(len >> 8);
        head[3] = (unsigned char)len;
        head_len = 4;
    } else {
        head[1] = 0x83;
        head[2] = (unsigned char)(len >> 16);
        head[3] = (unsigned char)(len >> 8);
        head[4] = (unsigned char)len;
        head_len = 5;
    }
    return armour_put(armour, head, head_len) && armour_put(armour, data, len);
}
