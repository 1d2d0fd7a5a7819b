#include "outgoing/select.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/explain.h"
#include "core/verifylog.h"
#include "mail/address.h"
#include "util/mem.h"

/* A choice for every profile, and one for those that are strict. */
enum { KIND_ANY, KIND_STRICT, KINDS };

struct want {
    enum select_use use;
    char *address;
    char *form; /* for comparison */
    struct ask_query query;
    struct select_candidate *candidates;
    size_t candidate_count;
    struct select_choice choices[KINDS];
    char *texts[KINDS]; /* behind their details */
};

struct select {
    struct want *wants;
    size_t count;
    char *unchecked; /* why validate failed; NULL: it did not */
};

struct select *select_new(void)
{
    return mem_alloc(sizeof(struct select));
}

void select_free(struct select *select)
{
    if (select == NULL)
        return;
    for (size_t i = 0; i < select->count; i++) {
        struct want *want = &select->wants[i];
        for (size_t k = 0; k < want->candidate_count; k++)
            ask_verdict_free(&want->candidates[k].verdict);
        free(want->candidates);
        ask_query_free(&want->query);
        free(want->address);
        free(want->form);
        for (int kind = 0; kind < KINDS; kind++)
            free(want->texts[kind]);
    }
    free(select->wants);
    free(select->unchecked);
    free(select);
}

size_t select_want(struct select *select, enum select_use use, const char *address)
{
    char *form = address_normalise(address);
    if (form == NULL)
        form = mem_strdup(address);
    for (size_t i = 0; i < select->count; i++)
        if (select->wants[i].use == use && strcmp(select->wants[i].form, form) == 0) {
            free(form);
            return i;
        }
    struct want *want = mem_push(&select->wants, &select->count, sizeof(*want));
    want->use = use;
    want->address = mem_strdup(address);
    want->form = form;
    return select->count - 1;
}

static const char *now_text(void)
{
    static char text[32];
    time_t now = time(NULL);
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    return text;
}

static bool verdict_is(const struct ask_verdict *verdict, const char *word)
{
    return verdict->verdict != NULL && strcmp(verdict->verdict, word) == 0;
}

/* An own certificate signs even when this host cannot build its path (the CA need not lie in `ca` for that):
 * the receiver judges it. */
static bool good_enough_to_sign(const struct ask_verdict *verdict, const char *now)
{
    if (!verdict_is(verdict, "no-path") && !verdict_is(verdict, "untrusted-root") &&
        !verdict_is(verdict, "status-unknown"))
        return false;
    return verdict->not_before != NULL && verdict->not_after != NULL &&
           strcmp(verdict->not_before, now) <= 0 && strcmp(now, verdict->not_after) <= 0;
}

static bool out_of_time(const struct ask_verdict *verdict, const char *now)
{
    return (verdict->not_before != NULL && strcmp(now, verdict->not_before) < 0) ||
           (verdict->not_after != NULL && strcmp(verdict->not_after, now) < 0);
}

/* By the schemes of julia-module(7). */
static bool key_signs(const struct ask_verdict *verdict)
{
    static const char *const kinds[] = {"rsa", "rsa-pss", "ec", "ed25519"};
    for (size_t i = 0; verdict->key != NULL && i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i], verdict->key) == 0)
            return true;
    return verdict->key == NULL;
}

unsigned int select_rank(enum select_use use, const struct ask_entry *entry,
                         const struct ask_verdict *verdict, const char *now)
{
    if (use == SELECT_SIGN && (entry->key == NULL || !key_signs(verdict)))
        return 0;
    if (!verdict_is(verdict, "valid"))
        return use == SELECT_SIGN && good_enough_to_sign(verdict, now) ? 1 : 0;
    bool trusted = (verdict->area != NULL && strcmp(verdict->area, "trusted") == 0) ||
                   (entry->area != NULL && strcmp(entry->area, "trusted") == 0);
    if (out_of_time(verdict, now)) /* only trust makes it usable: it blocks no other one */
        return 1;
    unsigned int rank = trusted ? 3 : 2;
    return use == SELECT_INSIDE && entry->key != NULL ? rank + 2 : rank;
}

/* Later beginning of validity wins; the fingerprint makes the choice the same every time. */
static bool newer(const struct select_candidate *a, const struct select_candidate *b)
{
    const char *x = a->verdict.not_before != NULL ? a->verdict.not_before : "";
    const char *y = b->verdict.not_before != NULL ? b->verdict.not_before : "";
    int order = strcmp(x, y);
    return order != 0 ? order > 0 : strcmp(a->entry->fingerprint, b->entry->fingerprint) < 0;
}

/* Reasons in the order in which a person would want to hear them: the nearest miss first. */
static unsigned int nearness(const char *verdict)
{
    static const char *const order[] = {"wrong-address", "wrong-use", "no-path",       "untrusted-root",
                                        "bad-signature", "weak",      "distrusted",    "not-yet-valid",
                                        "revoked",       "expired",   "status-unknown"};
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        if (strcmp(order[i], verdict) == 0)
            return (unsigned int)i + 1;
    return 0;
}

static bool wrong_key(const struct want *want, const struct ask_verdict *verdict)
{
    return want->use == SELECT_SIGN && !key_signs(verdict);
}

/* What stands against a candidate: its key, or its verdict. */
static const char *objection(const struct want *want, const struct select_candidate *candidate)
{
    return wrong_key(want, &candidate->verdict) ? "wrong-use" : candidate->verdict.verdict;
}

static char *reason_detail(const struct want *want, const struct ask_verdict *verdict)
{
    if (wrong_key(want, verdict))
        return mem_printf("no signatures are made by keys of this kind (%s)", verdict->key);
    if (verdict_is(verdict, "expired") && verdict->not_after != NULL)
        return mem_strndup(verdict->not_after, 10);
    if (verdict_is(verdict, "not-yet-valid") && verdict->not_before != NULL)
        return mem_strndup(verdict->not_before, 10);
    return mem_strdup(verdict->reason);
}

/* May this kind of profile use the key of a certificate that is usable otherwise? */
static bool key_fits(int kind, const struct ask_verdict *verdict)
{
    return kind == KIND_ANY || (verdict->key != NULL &&
                                (strcmp(verdict->key, "rsa") == 0 || strcmp(verdict->key, "rsa-pss") == 0));
}

/* None is usable: the verdict to tell people. */
static void explain_none(struct want *want, int kind, const char *unchecked)
{
    struct select_choice *choice = &want->choices[kind];
    const struct select_candidate *nearest = NULL, *other = NULL;
    char **text = &want->texts[kind];
    bool unknown = false;
    choice->reason = want->use == SELECT_SIGN ? "no-key" : "no-certificate";
    for (size_t i = 0; i < want->candidate_count; i++) {
        const struct select_candidate *candidate = &want->candidates[i];
        if (candidate->verdict.verdict == NULL || (want->use == SELECT_SIGN && candidate->entry->key == NULL))
            continue;
        if (candidate->rank > 0) /* usable, but not chosen */
            other = candidate;
        unknown = unknown ||
                  (verdict_is(&candidate->verdict, "status-unknown") && key_fits(kind, &candidate->verdict));
        if (nearest == NULL || nearness(objection(want, candidate)) > nearness(objection(want, nearest)))
            nearest = candidate;
    }
    choice->wrong_key = other != NULL;
    if (other != NULL) {
        choice->reason = "wrong-key";
        *text = mem_strdup(other->verdict.key);
    } else if (nearest != NULL) {
        choice->reason = objection(want, nearest);
        *text = reason_detail(want, &nearest->verdict);
    }
    if (want->query.uncertain || (unchecked != NULL && want->candidate_count > 0)) {
        choice->uncertain = true;
        choice->reason = "temporary";
        free(*text);
        *text = mem_strdup(want->query.uncertain ? want->query.uncertain_text : unchecked);
    } else if (unknown) {
        choice->uncertain = choice->status_unknown = true;
    }
    choice->detail = *text;
}

static void choose(struct want *want, int kind, const char *unchecked)
{
    struct select_candidate *best = NULL;
    for (size_t i = 0; i < want->candidate_count; i++) {
        struct select_candidate *candidate = &want->candidates[i];
        if (candidate->rank > 0 && key_fits(kind, &candidate->verdict) &&
            (best == NULL || candidate->rank > best->rank ||
             (candidate->rank == best->rank && newer(candidate, best))))
            best = candidate;
    }
    want->choices[kind].address = want->address;
    want->choices[kind].chosen = best;
    if (best == NULL)
        explain_none(want, kind, unchecked);
}

static void rank_and_choose(struct want *want, const char *unchecked, const char *now)
{
    for (size_t i = 0; i < want->candidate_count; i++)
        want->candidates[i].rank =
            select_rank(want->use, want->candidates[i].entry, &want->candidates[i].verdict, now);
    for (int kind = 0; kind < KINDS; kind++)
        choose(want, kind, unchecked);
}

static void find_all(struct select *select, struct message *message)
{
    struct ask_query *queries = mem_array(select->count, sizeof(*queries));
    for (size_t i = 0; i < select->count; i++)
        queries[i] = (struct ask_query){.use = select->wants[i].use == SELECT_SIGN ? "sign" : "encrypt",
                                        .address = select->wants[i].address};
    ask_find(message, queries, select->count);
    for (size_t i = 0; i < select->count; i++) {
        struct want *want = &select->wants[i];
        want->query = queries[i];
        want->candidate_count = queries[i].entry_count;
        want->candidates = mem_array(want->candidate_count + 1, sizeof(*want->candidates));
        for (size_t k = 0; k < want->candidate_count; k++)
            want->candidates[k].entry = &want->query.entries[k];
    }
    free(queries);
}

static struct ask_check *checks_make(const struct select *select, size_t *count_r)
{
    struct ask_check *checks = NULL;
    *count_r = 0;
    for (size_t i = 0; i < select->count; i++)
        for (size_t k = 0; k < select->wants[i].candidate_count; k++) {
            const struct want *want = &select->wants[i];
            struct ask_check *check = mem_push(&checks, count_r, sizeof(*check));
            check->certificate = &want->candidates[k].entry->certificate;
            check->use = want->use == SELECT_SIGN ? "sign" : "encrypt";
            check->address = want->address;
        }
    return checks;
}

/* Own keys come with their chains, which help to build paths. */
static struct buf *extras_make(const struct select *select, size_t *count_r)
{
    struct buf *extras = NULL;
    *count_r = 0;
    for (size_t i = 0; i < select->count; i++)
        for (size_t k = 0; k < select->wants[i].candidate_count; k++) {
            const struct ask_entry *entry = select->wants[i].candidates[k].entry;
            for (size_t c = 0; c < entry->chain_count; c++)
                *(struct buf *)mem_push(&extras, count_r, sizeof(struct buf)) =
                    entry->chain[c]; /* borrowed */
        }
    return extras;
}

static void validate_all(struct select *select, struct message *message)
{
    size_t count, extra_count, next = 0;
    struct ask_check *checks = checks_make(select, &count);
    struct buf *extras = extras_make(select, &extra_count);
    struct outcome outcome;
    outcome_done(&outcome);
    if (count > 0 && !ask_validate(message, checks, count, extras, extra_count, NULL, 0, &outcome))
        select->unchecked = mem_strdup(outcome.text);
    for (size_t i = 0; i < select->count; i++)
        for (size_t k = 0; k < select->wants[i].candidate_count; k++)
            select->wants[i].candidates[k].verdict = checks[next++].verdict;
    free(checks);
    free(extras);
}

void select_run(struct select *select, struct message *message)
{
    if (select->count == 0)
        return;
    find_all(select, message);
    validate_all(select, message);
    for (size_t i = 0; i < select->count; i++)
        rank_and_choose(&select->wants[i], select->unchecked, now_text());
}

static int kind_of(const struct config_profile *profile)
{
    return config_profile_strict(profile) ? KIND_STRICT : KIND_ANY;
}

const struct select_choice *select_get(const struct select *select, size_t index,
                                       const struct config_profile *profile)
{
    return &select->wants[index].choices[kind_of(profile)];
}

static void explain_candidate(const struct want *want, int kind, const struct select_candidate *candidate,
                              struct buf *out)
{
    const struct ask_entry *entry = candidate->entry;
    const struct ask_verdict *v = &candidate->verdict;
    struct buf line = {0};
    buf_printf(&line, "  %s %s", candidate == want->choices[kind].chosen ? "chosen" : "not used",
               entry->fingerprint);
    if (want->use == SELECT_SIGN && entry->key == NULL)
        buf_add_text(&line, " no private key");
    if (wrong_key(want, v))
        buf_printf(&line, " its key (%s) cannot sign", v->key);
    buf_printf(&line, " %s", v->verdict != NULL ? v->verdict : "not checked");
    if (candidate->rank > 0 && !key_fits(kind, v))
        buf_printf(&line, " key=%s: the profile is strict, it takes RSA keys only",
                   v->key != NULL ? v->key : "?");
    if (v->reason != NULL && v->reason[0] != '\0')
        buf_printf(&line, " (%s)", v->reason);
    if (v->not_before != NULL && v->not_after != NULL)
        buf_printf(&line, " from %.10s to %.10s", v->not_before, v->not_after);
    buf_printf(&line, " area=%s", entry->area != NULL ? entry->area : "?");
    if (v->subject != NULL)
        buf_printf(&line, " subject=\"%s\"", v->subject);
    if (entry->source != NULL)
        buf_printf(&line, " in %s", entry->source);
    if (v->evidence != NULL)
        buf_printf(&line, " evidence: %s", v->evidence);
    explain_note(out, "%s", buf_text(&line));
    buf_free(&line);
}

void select_explain(const struct select *select, size_t index, const struct config_profile *profile,
                    struct buf *out)
{
    const int kind = kind_of(profile);
    const struct want *want = &select->wants[index];
    const struct select_choice *choice = &want->choices[kind];
    const char *what = want->use == SELECT_SIGN ? "signing key" : "certificate";
    if (choice->chosen != NULL)
        explain_note(out, "%s for %s: %s", what, want->address, choice->chosen->entry->fingerprint);
    else
        explain_note(out, "%s for %s: none (%s%s%s)", what, want->address, choice->reason,
                     choice->detail != NULL ? ": " : "", choice->detail != NULL ? choice->detail : "");
    for (size_t i = 0; i < want->candidate_count; i++)
        explain_candidate(want, kind, &want->candidates[i], out);
    if (want->query.uncertain)
        explain_note(out, "  not everything could be looked up: %s", want->query.uncertain_text);
}

void select_log(const struct select *select, const struct message *message)
{
    for (size_t i = 0; i < select->count; i++) {
        const struct want *want = &select->wants[i];
        for (size_t k = 0; k < want->candidate_count; k++) {
            const struct ask_verdict *v = &want->candidates[k].verdict;
            verifylog_write(message,
                            &(struct verifylog_line){.fingerprint = want->candidates[k].entry->fingerprint,
                                                     .address = want->address,
                                                     .use = want->use == SELECT_SIGN ? "sign" : "encrypt",
                                                     .verdict = v->verdict,
                                                     .reason = v->reason,
                                                     .evidence = v->evidence});
        }
    }
}
