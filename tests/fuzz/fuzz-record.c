/* Records on disk: of the hold store, and of the journal. What is understood is written again as it was; a
   record that was cut off neither counts nor spoils others. The first octet chooses. */
#include <string.h>
#include <unistd.h>

#include "delivery/hold_private.h"
#include "delivery/journal_file.h"
#include "tests/fuzz/fuzz.h"
#include "util/mem.h"

static void check_hold(const uint8_t *data, size_t size)
{
    char *text = mem_strndup((const char *)data, size);
    struct hold_record record = {0}, again = {0};
    struct buf out = {0}, once_more = {0};

    if (hold_record_parse(text, &record)) {
        hold_record_compose(&record, &out);
        FUZZ_HOLDS(hold_record_parse(out.data, &again));
        hold_record_compose(&again, &once_more);
        FUZZ_HOLDS(strcmp(out.data, once_more.data) == 0);
        out.data[out.len - 1] = '\0'; /* cut off */
        hold_record_free(&again);
        FUZZ_HOLDS(!hold_record_parse(out.data, &again));
    }
    hold_record_free(&record);
    hold_record_free(&again);
    buf_free(&out);
    buf_free(&once_more);
    free(text);
}

struct journal {
    struct buf records;
    size_t count;
};

static void each(void *context, const struct strlist *fields)
{
    struct journal *journal = context;

    FUZZ_HOLDS(fields->count > 0);
    journal_file_compose(&journal->records, (const char *const *)fields->items, fields->count);
    journal->count++;
}

static void read_journal(const void *data, size_t size, struct journal *journal)
{
    struct journal_file file = {.fd = fuzz_file(data, size)};

    FUZZ_HOLDS(journal_file_read(&file, each, journal) == 0);
    FUZZ_HOLDS(file.seen <= size);
    journal_file_close(&file);
}

static void check_journal(const uint8_t *data, size_t size)
{
    struct journal first = {0}, second = {0}, behind = {0};
    struct buf joined = {0};

    read_journal(data, size, &first);
    read_journal(buf_text(&first.records), first.records.len, &second);
    FUZZ_HOLDS(second.count == first.count && second.records.len == first.records.len);
    FUZZ_HOLDS(first.records.len == 0 ||
               memcmp(first.records.data, second.records.data, first.records.len) == 0);
    buf_add(&joined, data, size); /* something cut off in front */
    buf_add_text(&joined, "\ndone 1 deliver:a@x.example internal .\n");
    read_journal(joined.data, joined.len, &behind);
    FUZZ_HOLDS(behind.count >= first.count + 1);
    buf_free(&joined);
    buf_free(&first.records);
    buf_free(&second.records);
    buf_free(&behind.records);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if ((data[0] & 1) == 0)
        check_hold(data + 1, size - 1);
    else
        check_journal(data + 1, size - 1);
    return 0;
}
