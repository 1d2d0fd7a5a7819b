#include "core/explain.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "outgoing/dkim.h"

static void put_clean(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++)
        buf_add_char(out, (unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
}

void explain_note(struct buf *out, const char *format, ...)
{
    struct buf text = {0};
    va_list ap;
    va_start(ap, format);
    buf_vprintf(&text, format, ap);
    va_end(ap);
    buf_add_text(out, "# ");
    put_clean(out, buf_text(&text));
    buf_add_char(out, '\n');
    buf_free(&text);
}

static void put_recipients(struct buf *out, const struct strlist *recipients)
{
    for (size_t i = 0; i < recipients->count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        put_clean(out, recipients->items[i]);
    }
}

void explain_plain(const char *direction, const char *target, const struct strlist *recipients,
                   const char *refuse, struct buf *out)
{
    buf_printf(out, "%s\t%s\t", direction, target != NULL ? target : "-");
    put_recipients(out, recipients);
    buf_add_text(out, "\tsign=no\tencrypt=no\tprofile=-\tlines=-");
    if (refuse != NULL) {
        buf_add_text(out, "\trefuse=");
        put_clean(out, refuse);
    }
    buf_add_char(out, '\n');
}

static void put_treatment(struct buf *out, const struct group *group)
{
    bool changed = group->signer != NULL || group->certificate_count > 0;
    buf_add_text(out, "\tsign=");
    put_clean(out, group->signer != NULL ? group->signer_address : "no");
    buf_add_text(out, "\tencrypt=");
    for (size_t i = 0; i < group->certificate_count; i++)
        buf_printf(out, "%s%s", i > 0 ? "," : "", group->certificates[i]->entry->fingerprint);
    if (group->certificate_count == 0)
        buf_add_text(out, "no");
    buf_printf(out, "\tprofile=%s\tlines=", changed ? group->profile->name : "-");
    group_lines(group, out);
}

static void put_end(struct buf *out, const struct group *group)
{
    const struct plan_recipient *first = group->members[0];
    if (group->end == PLAN_SEND)
        return;
    buf_add_text(out, group->end == PLAN_REFUSE ? "\trefuse=" : "\twait=");
    if (group->end == PLAN_REFUSE)
        put_clean(out, first->reason);
    if (group->end == PLAN_REFUSE && first->detail != NULL)
        buf_add_text(out, ": ");
    if (first->detail != NULL)
        put_clean(out, first->detail);
}

static void note_member(const struct plan *plan, const struct plan_recipient *member, struct buf *out)
{
    struct buf wish = {0};
    ruleset_treatment_print(&member->wish, &wish);
    for (size_t i = 0; i < wish.len; i++)
        if (wish.data[i] == '\t')
            wish.data[i] = ' ';
    explain_note(out, "%s: wanted: %s%s", member->address, buf_text(&wish),
                 member->hidden ? "; named in no To or Cc" : "");
    if (plan->trigger.sign || plan->trigger.encrypt)
        explain_note(out, "%s: subject triggers ask for%s%s", member->address,
                     plan->trigger.sign ? " FS" : "", plan->trigger.encrypt ? " FE" : "");
    if (member->no_sign_why != NULL)
        explain_note(out, "%s: no signing key is looked up: %s", member->address, member->no_sign_why);
    else if (member->want_sign != PLAN_NO_WANT && member->wish.sign_as == NULL)
        explain_note(out, "%s: the sender's own key may sign: %s", member->address, plan->signer.own_how);
    if (member->user_signed)
        explain_note(out, "%s: the user's own signature stays", member->address);
    else if (plan->existing.kept && member->wish.sign != RULESET_NO)
        explain_note(out, "%s: the user's own signature has another form than profile %s: signed once more",
                     member->address, member->profile->name);
    buf_free(&wish);
}

/* What becomes of the message's own DKIM-Signature fields. */
static void note_dkim(const struct plan *plan, const struct group *group, struct buf *out)
{
    const struct header *header = &plan->message->mime.root->header;
    bool *broken = NULL;
    if (group->end == PLAN_SEND)
        broken = dkim_broken_by(plan, group->profile, group->signer != NULL, group->certificate_count > 0);
    for (size_t i = 0; broken != NULL && i < header->count; i++)
        if (broken[i]) {
            char *domain = dkim_domain(header, i);
            explain_note(out, "the DKIM-Signature of %s would not hold any more, and is %s", domain,
                         plan->dkim == CONFIG_DKIM_REMOVE ? "removed" : "kept (DKIM_BROKEN)");
            free(domain);
        }
    free(broken);
}

static void note_protection(const struct plan *plan, const struct group *group, struct buf *out)
{
    enum config_protection protection = plan_protection(plan, group->profile);
    bool encrypted = group->certificate_count > 0;
    if (group->end != PLAN_SEND || protection == CONFIG_PROTECTION_NO ||
        (!encrypted && group->signer == NULL))
        return;
    explain_note(out, "header protection: %s",
                 config_protection_word(encrypted ? protection : CONFIG_PROTECTION_CLEAR));
}

/* Each look-up once per group. */
static void note_wants(const struct plan *plan, const struct group *group, struct buf *out)
{
    struct strlist seen = {0};
    for (size_t i = 0; i < group->count; i++) {
        const struct plan_recipient *member = group->members[i];
        const size_t wants[] = {member->want_sign, member->want_sign_fallback, member->want_encrypt};
        for (size_t k = 0; k < sizeof(wants) / sizeof(wants[0]); k++) {
            struct buf lines = {0};
            if (wants[k] == PLAN_NO_WANT ||
                select_get(plan->select, wants[k], member->profile)->address == NULL)
                continue;
            select_explain(plan->select, wants[k], member->profile, &lines);
            if (!strlist_has(&seen, buf_text(&lines))) {
                strlist_add(&seen, buf_text(&lines));
                buf_add(out, lines.data, lines.len);
            }
            buf_free(&lines);
        }
    }
    for (size_t i = 0; group->certificate_count > 0 && i < plan->also_count; i++)
        select_explain(plan->select, plan->also[i], group->profile, out);
    strlist_free(&seen);
}

void explain_treatment(const struct group *group, const char *direction, enum config_target target,
                       struct buf *out)
{
    struct strlist recipients = {0};
    group_recipients(group, &recipients);
    buf_printf(out, "%s\t%s\t", direction, group->end == PLAN_SEND ? config_target_name(target) : "-");
    put_recipients(out, &recipients);
    put_treatment(out, group);
    put_end(out, group);
    buf_add_char(out, '\n');
    strlist_free(&recipients);
}

void explain_group(const struct plan *plan, const struct group *group, const char *direction, struct buf *out)
{
    explain_treatment(group, direction, CONFIG_TARGET_EXTERNAL, out);
    if (plan->existing.kind == EXISTING_ENCRYPTED)
        explain_note(out, "the message is encrypted already and passes unchanged");
    if (plan->existing.how != NULL)
        explain_note(out, "the message is signed already: %s", plan->existing.how);
    for (size_t i = 0; i < group->count; i++)
        note_member(plan, group->members[i], out);
    note_wants(plan, group, out);
    note_protection(plan, group, out);
    note_dkim(plan, group, out);
}
