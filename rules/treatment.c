#include <stdlib.h>
#include <string.h>

#include "rules/ruleset.h"
#include "util/buf.h"

void ruleset_treatment_free(struct ruleset_treatment *treatment)
{
    free(treatment->sign_own);
    free(treatment->sign_as);
    free(treatment->sign_fallback);
    free(treatment->encrypt_to);
    free(treatment->profile);
    free(treatment->reject);
    free(treatment->lines);
    memset(treatment, 0, sizeof *treatment);
}

static const char *wish_name(enum ruleset_wish wish)
{
    return wish == RULESET_FORCE ? "force" : wish == RULESET_POSSIBLE ? "possible" : "no";
}

static void print_sign(const struct ruleset_treatment *treatment, struct buf *out)
{
    const char *key = treatment->sign_as ? treatment->sign_as : treatment->sign_own;
    if (!key) /* nobody's own key: the fallback is all there is */
        key = treatment->sign_fallback;
    buf_printf(out, "sign=%s", wish_name(treatment->sign));
    if (treatment->sign == RULESET_NO || !key)
        return;
    buf_printf(out, ":%s", key);
    if (treatment->sign_fallback && key != treatment->sign_fallback)
        buf_printf(out, ",fallback %s", treatment->sign_fallback);
}

void ruleset_treatment_print(const struct ruleset_treatment *treatment, struct buf *out)
{
    if (treatment->reject) {
        buf_printf(out, "reject=%s", treatment->reject);
    } else {
        print_sign(treatment, out);
        buf_printf(out, "\tencrypt=%s", wish_name(treatment->encrypt));
        if (treatment->encrypt_to)
            buf_printf(out, ":%s", treatment->encrypt_to);
        buf_printf(out, "\tprofile=%s", treatment->profile ? treatment->profile : "default");
    }
    buf_add_text(out, "\tlines=");
    for (size_t i = 0; i < treatment->line_count; i++)
        buf_printf(out, i ? ",%u" : "%u", treatment->lines[i]);
}
