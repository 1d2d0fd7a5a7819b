#include "outgoing/group.h"

#include <stdlib.h>
#include <string.h>

#include "core/trace.h"
#include "util/mem.h"

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_reason(const struct plan_recipient *a, const struct plan_recipient *b)
{
    return same_text(a->reason, b->reason) && same_text(a->detail, b->detail);
}

/* May `recipient` get the octets that `group` gets? */
static bool belongs(const struct group *group, const struct plan_recipient *recipient)
{
    const struct plan_recipient *first = group->members[0];
    if (group->end != recipient->end)
        return false;
    if (group->end != PLAN_SEND)
        return same_reason(first, recipient);
    const struct select_candidate *signer = recipient->signer != NULL ? recipient->signer->chosen : NULL;
    bool encrypted = recipient->certificate != NULL;
    if (group->signer != signer || encrypted != (first->certificate != NULL))
        return false;
    if ((signer != NULL || encrypted) && group->profile != recipient->profile)
        return false;
    if (!encrypted)
        return true;
    if (first->common || recipient->common)
        return first->common && recipient->common &&
               first->certificate->chosen == recipient->certificate->chosen;
    return !first->hidden && !recipient->hidden && group->count < GROUP_RECIPIENTS_MAX;
}

static void add_certificate(struct group *group, const struct select_candidate *certificate)
{
    for (size_t i = 0; i < group->certificate_count; i++)
        if (strcmp(group->certificates[i]->entry->fingerprint, certificate->entry->fingerprint) == 0)
            return;
    const struct select_candidate **slot =
        mem_push(&group->certificates, &group->certificate_count, sizeof(*group->certificates));
    *slot = certificate;
}

static struct group *group_new(struct group_list *list, const struct plan_recipient *recipient)
{
    struct group *group = mem_push(&list->items, &list->count, sizeof(*group));
    group->end = recipient->end;
    group->profile = recipient->profile;
    if (recipient->signer != NULL) {
        group->signer = recipient->signer->chosen;
        group->signer_address = recipient->signer->address;
    }
    return group;
}

static void add_member(const struct plan *plan, struct group *group, struct plan_recipient *recipient)
{
    struct plan_recipient **slot = mem_push(&group->members, &group->count, sizeof(*group->members));
    *slot = recipient;
    if (recipient->certificate == NULL)
        return;
    add_certificate(group, recipient->certificate->chosen);
    for (size_t i = 0; i < plan->also_count; i++)
        add_certificate(group, select_get(plan->select, plan->also[i], recipient->profile)->chosen);
}

void group_make(struct plan *plan, struct group_list *list_r)
{
    memset(list_r, 0, sizeof(*list_r));
    for (size_t i = 0; i < plan->count; i++) {
        struct plan_recipient *recipient = &plan->recipients[i];
        size_t g = 0;
        while (g < list_r->count && !belongs(&list_r->items[g], recipient))
            g++;
        add_member(plan, g < list_r->count ? &list_r->items[g] : group_new(list_r, recipient), recipient);
    }
}

void group_free(struct group_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].certificates);
        free(list->items[i].members);
    }
    free(list->items);
    memset(list, 0, sizeof(*list));
}

void group_recipients(const struct group *group, struct strlist *recipients)
{
    for (size_t i = 0; i < group->count; i++)
        strlist_add(recipients, group->members[i]->address);
}

static int compare_lines(const void *a, const void *b)
{
    const unsigned int *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

void group_lines(const struct group *group, struct buf *out)
{
    unsigned int *lines = NULL, last = 0;
    size_t count = 0;
    for (size_t i = 0; i < group->count; i++)
        for (size_t k = 0; k < group->members[i]->wish.line_count; k++)
            *(unsigned int *)mem_push(&lines, &count, sizeof(*lines)) = group->members[i]->wish.lines[k];
    if (count > 0)
        qsort(lines, count, sizeof(*lines), compare_lines);
    bool any = false;
    for (size_t i = 0; i < count; last = lines[i++])
        if (lines[i] != last) {
            buf_printf(out, "%s%u", any ? "," : "", lines[i]);
            any = true;
        }
    if (!any)
        buf_add_char(out, '-');
    free(lines);
}

void group_trace(const struct group *group, enum config_target target, bool made)
{
    struct buf lines = {0};
    group_lines(group, &lines);
    trace_add_lines(buf_text(&lines));
    if (group->end == PLAN_SEND)
        trace_add(TRACE_TARGET, config_target_name(target));
    if (made && group->signer != NULL)
        trace_add(TRACE_SIGN, group->signer_address);
    for (size_t i = 0; made && i < group->certificate_count; i++) {
        char *short_name = mem_strndup(group->certificates[i]->entry->fingerprint, 16);
        trace_add(TRACE_ENCRYPT, short_name);
        free(short_name);
    }
    buf_free(&lines);
}
