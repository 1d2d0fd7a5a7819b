#include "delivery/hold.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "delivery/hold_private.h"
#include "mail/address.h"
#include "util/fdio.h"
#include "util/mem.h"

#define RECORD_MAX (4u << 20) /* 2000 recipients of ADDRESS_MAX, twice */
#define WORDS_MAX  2000       /* of what the scanner said */

struct number { /* a recipient's number as claims have it */
    char text[24];
};

static struct number number_text(size_t number)
{
    struct number text;

    snprintf(text.text, sizeof(text.text), "%zu", number);
    return text;
}

static bool read_record(struct hold *hold)
{
    struct buf text = {0};
    int fd = hold_open_file(hold->dir, HOLD_RECORD);
    bool fine = false;

    if (fd >= 0 && fdio_read_fd(fd, RECORD_MAX, &text) == 0) {
        errno = EINVAL;
        fine = strlen(buf_text(&text)) == text.len && hold_record_parse(buf_text(&text), &hold->record);
    }
    fdio_close(&fd);
    buf_free(&text);
    return fine;
}

/* Where no id was ever made none can be unknown: the directory that made it is not there today. */
static bool is_used(struct hold_store *store, struct outcome *outcome)
{
    struct strlist ids = {0};
    bool used = hold_there(store->dir, HOLD_KEY) == 1 || (hold_list(store, &ids) == 0 && ids.count > 0);

    strlist_free(&ids);
    if (!used)
        outcome_temporary(outcome, "4.3.5", "HOLD_DIR %s has never held anything; is it mounted?",
                          store->config->hold_dir);
    return used;
}

enum hold_found hold_open(struct hold_store *store, const char *id, struct hold **hold_r,
                          struct outcome *outcome)
{
    struct hold *hold;
    int dir;

    *hold_r = NULL;
    if (!hold_id_valid(id))
        return HOLD_UNKNOWN;
    dir = hold_open_dir(store->dir, id);
    if (dir < 0 && errno == ENOENT)
        return is_used(store, outcome) ? HOLD_UNKNOWN : HOLD_FAILED;
    hold = mem_alloc(sizeof(*hold));
    hold->store = store;
    hold->dir = dir;
    if (dir < 0 || !read_record(hold)) {
        outcome_temporary(outcome, "4.3.0", "the entry %s in HOLD_DIR %s cannot be used: %s", id,
                          store->config->hold_dir, strerror(errno));
        hold_close(hold);
        return HOLD_FAILED;
    }
    memcpy(hold->record.id, id, HOLD_ID_LEN + 1);
    hold->claims = mem_array(hold->record.recipients.count, sizeof(*hold->claims));
    for (size_t i = 0; i < hold->record.recipients.count; i++)
        hold->claims[i] = -1;
    *hold_r = hold;
    return HOLD_FOUND;
}

void hold_close(struct hold *hold)
{
    if (hold == NULL)
        return;
    hold_unclaim(hold);
    fdio_close(&hold->dir);
    hold_record_free(&hold->record);
    free(hold->claims);
    free(hold);
}

const struct hold_record *hold_record(const struct hold *hold)
{
    return &hold->record;
}

bool hold_finished(const struct hold *hold, size_t number, enum hold_how *how_r)
{
    return hold_claim_finished(hold->dir, number_text(number).text, how_r, NULL) == 1;
}

long long hold_finished_at(const struct hold *hold, size_t number)
{
    long long when;

    return hold_claim_finished(hold->dir, number_text(number).text, NULL, &when) == 1 ? when : 0;
}

static bool all_finished(const struct hold *hold)
{
    for (size_t i = 0; i < hold->record.recipients.count; i++)
        if (!hold_finished(hold, i, NULL))
            return false;
    return true;
}

enum hold_state hold_state(const struct hold *hold)
{
    int refused;

    if (all_finished(hold))
        return HOLD_GONE;
    refused = hold_there(hold->dir, HOLD_MARK_REFUSED);
    if (refused != 0)
        return refused > 0 ? HOLD_REFUSED : HOLD_UNSURE;
    return hold_there(hold->dir, HOLD_MARK_EXPIRED) == 1 ? HOLD_EXPIRED : HOLD_HELD;
}

const char *hold_state_name(const struct hold *hold)
{
    enum hold_state state = hold_state(hold);

    if (state == HOLD_GONE)
        return "gone";
    if (state == HOLD_REFUSED)
        return "refused";
    if (state == HOLD_UNSURE)
        return "unsure";
    if (hold->record.kind != HOLD_ORIGINAL)
        return hold_kind_name(hold->record.kind);
    return state == HOLD_EXPIRED ? "expired" : "held";
}

long hold_recipient(const struct hold *hold, const char *address)
{
    const struct strlist *recipients = &hold->record.recipients;
    char *wanted;
    long found = -1;

    for (size_t i = 0; i < recipients->count; i++)
        if (strcmp(recipients->items[i], address) == 0)
            return (long)i;
    /* Hardly ever: somebody wrote it in another form. */
    wanted = address_normalise(address);
    for (size_t i = 0; wanted != NULL && found < 0 && i < recipients->count; i++) {
        char *form = address_normalise(recipients->items[i]);

        if (form != NULL && strcmp(form, wanted) == 0)
            found = (long)i;
        free(form);
    }
    free(wanted);
    return found;
}

int hold_is_copy(const struct hold *hold, const unsigned char digest[SHA256_LEN])
{
    char *name = hold_copy_name(digest);
    int known = hold_there(hold->dir, name);

    free(name);
    return known;
}

int hold_message(const struct hold *hold)
{
    int fd = hold_open_file(hold->dir, HOLD_MESSAGE);
    uint64_t size;

    if (fd >= 0 && (fdio_size(fd, &size) != 0 || size != hold->record.size)) {
        fdio_close(&fd);
        errno = EIO;
    }
    return fd;
}

long long hold_age_of(const struct hold *hold)
{
    struct stat st;

    if (fstatat(hold->dir, HOLD_RECORD, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return 0;
    return (long long)(time(NULL) - st.st_mtime);
}

enum hold_claim hold_claim_any(struct hold *hold, size_t number)
{
    if (hold->claims[number] >= 0)
        return HOLD_CLAIMED;
    return hold_claim_take(hold->store, hold->dir, number_text(number).text, &hold->claims[number]);
}

enum hold_claim hold_claim(struct hold *hold, size_t number)
{
    enum hold_claim claim = hold_claim_any(hold, number);
    enum hold_state state = claim == HOLD_CLAIMED ? hold_state(hold) : HOLD_HELD;
    int saved = errno;

    if (state != HOLD_REFUSED && state != HOLD_UNSURE)
        return claim;
    hold_claim_give_back(hold->store, hold->dir, number_text(number).text, hold->claims[number]);
    hold->claims[number] = -1;
    errno = saved;
    return state == HOLD_REFUSED ? HOLD_CLAIM_REFUSED : HOLD_CLAIM_FAILED;
}

void hold_unclaim(struct hold *hold)
{
    for (size_t i = 0; hold->claims != NULL && i < hold->record.recipients.count; i++)
        if (hold->claims[i] >= 0) {
            hold_claim_give_back(hold->store, hold->dir, number_text(i).text, hold->claims[i]);
            hold->claims[i] = -1;
        }
}

void hold_forget_message(const struct hold *hold)
{
    if (all_finished(hold))
        unlinkat(hold->dir, HOLD_MESSAGE, 0);
}

int hold_done(struct hold *hold, enum hold_how how)
{
    int rc = 0, saved = 0;

    for (size_t i = 0; i < hold->record.recipients.count; i++) {
        if (hold->claims[i] < 0)
            continue;
        if (hold_claim_finish(hold->store, hold->dir, number_text(i).text, hold->claims[i], how) != 0) {
            saved = errno;
            rc = -1;
        } else {
            hold->claims[i] = -1;
        }
    }
    if (fsync(hold->dir) != 0 && rc == 0) {
        saved = errno;
        rc = -1;
    }
    if (rc == 0)
        hold_forget_message(hold);
    errno = saved;
    return rc;
}

int hold_refuse(struct hold *hold, const char *words)
{
    struct buf text = {0};
    int rc;

    for (size_t i = 0; words[i] != '\0' && i < WORDS_MAX; i++)
        buf_add_char(&text, (unsigned char)words[i] < ' ' || words[i] == 0x7f ? ' ' : words[i]);
    buf_add_char(&text, '\n');
    rc = hold_write_once(hold->dir, HOLD_MARK_REFUSED, text.data, text.len);
    buf_free(&text);
    return rc == 0 ? fsync(hold->dir) : -1;
}

char *hold_refusal(const struct hold *hold)
{
    struct buf text = {0};
    int fd = hold_open_file(hold->dir, HOLD_MARK_REFUSED);

    if (fd < 0)
        return NULL;
    if (fdio_read_fd(fd, WORDS_MAX + 1, &text) == 0 && text.len > 0)
        text.data[strcspn(text.data, "\n")] = '\0';
    fdio_close(&fd);
    return text.data != NULL ? buf_take(&text) : mem_strdup("");
}
