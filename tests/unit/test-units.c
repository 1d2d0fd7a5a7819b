#include "util/units.h"

#include "tests/unit/unit.h"

struct row {
    const char *text;
    bool right;
    uint64_t value;
};

static void check_rows(const struct row *rows, size_t count, bool (*parse)(const char *, uint64_t *))
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value = 0;
        bool right = parse(rows[i].text, &value);

        ck_assert_msg(right == rows[i].right, "row %zu \"%s\"", i, rows[i].text);
        if (right)
            ck_assert_msg(value == rows[i].value, "row %zu \"%s\": %llu", i, rows[i].text,
                          (unsigned long long)value);
    }
}

START_TEST(durations)
{
    static const struct row rows[] = {
        {"10s", true, 10},
        {"5m", true, 300},
        {"4h", true, 14400},
        {"10d", true, 864000},
        {"2w", true, 1209600},
        {"0", true, 0},
        {"90", true, 90},
        {"18446744073709551615", true, UINT64_MAX},
        {"", false, 0},
        {"h", false, 0},
        {"-1", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1 h", false, 0},
        {"1hh", false, 0},
        {"1H", false, 0},
        {"1.5h", false, 0},
        {"18446744073709551616", false, 0},
        {"18446744073709551615s", true, UINT64_MAX},
        {"18446744073709551615m", false, 0},
        {"1x", false, 0},
    };

    check_rows(rows, ROWS(rows), units_duration);
}
END_TEST

START_TEST(sizes)
{
    static const struct row rows[] = {
        {"64k", true, 65536},     {"64K", true, 65536}, {"50M", true, 52428800},
        {"2G", true, 2147483648}, {"17", true, 17},     {"2T", false, 0},
        {"k", false, 0},          {"0x10", false, 0},   {"99999999999G", false, 0},
    };

    check_rows(rows, ROWS(rows), units_size);
}
END_TEST

UNIT_MAIN("units", durations, sizes)
