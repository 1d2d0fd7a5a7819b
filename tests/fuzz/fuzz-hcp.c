/* Whatever header comes in, what a policy leaves outside passes the last check: or the message would wait for
   ever. */
#include <stdint.h>
#include <stdlib.h>

#include "outgoing/hcp.h"
#include "outgoing/lastcheck.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct header *header, enum config_protection policy)
{
    struct buf out = {0};
    struct header outer;
    struct hcp hcp;
    hcp_begin(&hcp, policy, header);
    for (size_t i = 0; i < header->count; i++)
        hcp_outside(&hcp, header, i, &out);
    header_parse(&outer, buf_text(&out), out.len);
    if (lastcheck_hidden(&outer, header, policy) != NULL)
        abort();
    header_free(&outer);
    buf_free(&out);
    hcp_free(&hcp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct header header;
    header_parse(&header, data, size);
    if (!header_has_strays(&header)) { /* such a message is refused */
        check(&header, CONFIG_PROTECTION_BASELINE);
        check(&header, CONFIG_PROTECTION_SHY);
    }
    header_free(&header);
    return 0;
}
