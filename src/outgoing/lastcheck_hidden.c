/* What is hidden by HEADER_PROTECTION must not stand outside. The finished header is looked at, whoever wrote
   it: a Subject that is found in it is worse than one that is late. */
#include <stdlib.h>
#include <string.h>

#include "outgoing/hcp.h"
#include "outgoing/lastcheck.h"

static bool is_placeholder(const struct header *header, size_t index)
{
    char *value = header_value(header, index);
    bool same = strcmp(value, HCP_SUBJECT) == 0;
    free(value);
    return same;
}

static const char *check_field(const struct hcp *hcp, const struct header *outer, size_t index)
{
    if (header_field_is(outer, index, "Subject") && !is_placeholder(outer, index))
        return "the Subject, which must be hidden, stands outside";
    if (hcp_repeats_subject(hcp, outer, index))
        return "a header field outside says what the hidden Subject says";
    if (hcp_inside_only(outer, index))
        return "a header field stands outside that must be hidden";
    if (hcp->policy == CONFIG_PROTECTION_SHY && hcp_shows_names(outer, index))
        return "a name stands outside that must be hidden";
    if (hcp->policy == CONFIG_PROTECTION_SHY && hcp_shows_zone(outer, index))
        return "a time zone stands outside that must be hidden";
    return NULL;
}

const char *lastcheck_hidden(const struct header *outer, const struct header *original,
                             enum config_protection protection)
{
    const char *fault = NULL;
    struct hcp hcp;
    if (!hcp_hides(protection))
        return NULL;
    hcp_begin(&hcp, protection, original);
    for (size_t i = 0; i < outer->count && fault == NULL; i++)
        fault = check_field(&hcp, outer, i);
    hcp_free(&hcp);
    return fault;
}
