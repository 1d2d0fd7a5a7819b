#include "util/conf.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "util/fdio.h"
#include "util/mem.h"

struct settings {
    char *base, *text, *empty, *path, *none;
    struct strlist words, items, profiles;
    bool flag;
    uint64_t number, duration, size;
    struct network_list networks;
    int choice;
};

static const char *no_blank(const char *value)
{
    return strchr(value, ' ') != NULL ? "must be one word" : NULL;
}

static const struct conf_entry table[] = {
    {.name = "BASE", .type = CONF_PATH, .default_value = "/opt/x", .offset = offsetof(struct settings, base)},
    {.name = "TEXT",
     .type = CONF_TEXT,
     .default_value = "some text",
     .offset = offsetof(struct settings, text)},
    {.name = "EMPTY", .type = CONF_TEXT, .offset = offsetof(struct settings, empty), .check = no_blank},
    {.name = "PATH",
     .type = CONF_PATH,
     .default_value = "etc/file",
     .offset = offsetof(struct settings, path)},
    {.name = "NONE", .type = CONF_PATH, .offset = offsetof(struct settings, none)},
    {.name = "WORDS", .type = CONF_WORDS, .default_value = "a b", .offset = offsetof(struct settings, words)},
    {.name = "ITEMS", .type = CONF_ITEMS, .offset = offsetof(struct settings, items)},
    {.name = "PROFILE_*", .type = CONF_TEXT, .offset = offsetof(struct settings, profiles)},
    {.name = "FLAG", .type = CONF_YESNO, .default_value = "yes", .offset = offsetof(struct settings, flag)},
    {.name = "NUMBER",
     .type = CONF_NUMBER,
     .default_value = "5",
     .offset = offsetof(struct settings, number),
     .min = 1,
     .max = 100},
    {.name = "DURATION",
     .type = CONF_DURATION,
     .default_value = "4h",
     .offset = offsetof(struct settings, duration),
     .min = 60,
     .max = 864000},
    {.name = "SIZE", .type = CONF_SIZE, .default_value = "64k", .offset = offsetof(struct settings, size)},
    {.name = "NETWORKS",
     .type = CONF_NETWORKS,
     .default_value = "127.0.0.0/8 [::1]",
     .offset = offsetof(struct settings, networks)},
    {.name = "CHOICE",
     .type = CONF_CHOICE,
     .default_value = "one",
     .offset = offsetof(struct settings, choice),
     .choices = "none|one|two"},
};

static struct settings settings;
static struct conf_faults faults;
static unsigned int lines[ROWS(table)];
static const char path[] = "test-conf.tmp"; /* tests run in their own process, one after the other */

static bool load(const char *text, size_t len)
{
    bool right;

    conf_free(table, ROWS(table), &settings);
    memset(&settings, 0, sizeof(settings));
    conf_faults_free(&faults);
    ck_assert_int_eq(fdio_replace_file(path, text, len, 0600), 0);
    right = conf_load(path, table, ROWS(table), &settings, NULL, &faults, lines);
    unlink(path);
    ck_assert(right == (faults.lines.count == 0));
    return right;
}

static bool load_text(const char *text)
{
    return load(text, strlen(text));
}

static void drop(void)
{
    conf_free(table, ROWS(table), &settings);
    conf_faults_free(&faults);
}

START_TEST(defaults)
{
    ck_assert(load_text("# nothing but a comment\n\n   \n"));
    ck_assert_str_eq(settings.base, "/opt/x");
    ck_assert_str_eq(settings.text, "some text");
    ck_assert_ptr_null(settings.empty);
    ck_assert_str_eq(settings.path, "/opt/x/etc/file");
    ck_assert_ptr_null(settings.none);
    ck_assert_uint_eq(settings.words.count, 2);
    ck_assert_uint_eq(settings.items.count, 0);
    ck_assert(settings.flag);
    ck_assert_uint_eq(settings.number, 5);
    ck_assert_uint_eq(settings.duration, 14400);
    ck_assert_uint_eq(settings.size, 65536);
    ck_assert_uint_eq(settings.networks.count, 2);
    ck_assert_int_eq(settings.choice, 1);
    ck_assert_uint_eq(lines[1], 0);
    drop();
}
END_TEST

START_TEST(every_type)
{
    ck_assert(
        load_text("\xEF\xBB\xBF"
                  "BASE=/srv/a\r\n"
                  "TEXT =  two  words, [#1] #tag # and a comment\r\n"
                  "EMPTY=#one\n"
                  "PATH = /abs\n"
                  "NONE=rel/x\n"
                  "WORDS = c\n"
                  "   d # the fourth\n"
                  "# between\n"
                  "\te\n"
                  "ITEMS = 10.0.0.0/8 a@b ;; x ;  y z ;\n"
                  "PROFILE_one = cipher=auto\n"
                  "PROFILE_two = form=clear\n"
                  "FLAG = no\nNUMBER = 100\nDURATION=10d\nSIZE=2G\nNETWORKS = 192.0.2.0/24\nCHOICE=two"));
    ck_assert_str_eq(settings.base, "/srv/a");
    ck_assert_str_eq(settings.text, "two  words, [#1] #tag");
    ck_assert_str_eq(settings.empty, "#one");
    ck_assert_str_eq(settings.path, "/abs");
    ck_assert_str_eq(settings.none, "/srv/a/rel/x");
    ck_assert_uint_eq(settings.words.count, 3);
    ck_assert_str_eq(settings.words.items[2], "e");
    ck_assert_uint_eq(settings.items.count, 3);
    ck_assert_str_eq(settings.items.items[0], "10.0.0.0/8 a@b");
    ck_assert_str_eq(settings.items.items[2], "y z");
    ck_assert_uint_eq(settings.profiles.count, 2);
    ck_assert_str_eq(settings.profiles.items[1], "PROFILE_two=form=clear");
    ck_assert(!settings.flag);
    ck_assert_uint_eq(settings.size, 2147483648);
    ck_assert_uint_eq(settings.networks.count, 1);
    ck_assert_int_eq(settings.choice, 2);
    ck_assert_uint_eq(lines[1], 2);
    ck_assert_uint_eq(lines[6], 10);
    drop();
}
END_TEST

START_TEST(single_faults)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"TEXTS = x\n", "1: TEXTS: there is no such parameter, did you mean TEXT?"},
        {"\ntext = x\n", "2: text: there is no such parameter, did you mean TEXT?"},
        {"OTHER = x\n", "1: OTHER: there is no such parameter"},
        {"TEXT = x\nFLAG = yes\nTEXT = y\n",
         "3: TEXT: is set a second time (first in line 1), remove one of the two"},
        {"PROFILE_a = x\nPROFILE_a = y\n", "2: PROFILE_a: is set a second time, remove one of the two"},
        {"PROFILE_ = x\n", "1: PROFILE_: there is no such parameter, did you mean PROFILE_*?"},
        {"TEXT x\n", "1: \"TEXT x\": a line must read NAME = value"},
        {"= x\n", "1: \"= x\": a line must read NAME = value"},
        {"  TEXT = x\n", "1: a line that begins with a blank continues the one above, but there is none"},
        {"FLAG = maybe\n", "1: FLAG: \"maybe\" is neither yes nor no"},
        {"FLAG =\n", "1: FLAG: \"\" is neither yes nor no"},
        {"NUMBER = 0\n", "1: NUMBER: 0 is too small, at least 1 is needed"},
        {"NUMBER = 101\n", "1: NUMBER: 101 is too large, at most 100 is possible"},
        {"NUMBER = 7k\n", "1: NUMBER: \"7k\" is not a number"},
        {"NUMBER = -7\n", "1: NUMBER: \"-7\" is not a number"},
        {"DURATION = 4 hours\n",
         "1: DURATION: \"4 hours\" is not a duration, write one as 10s, 5m, 4h or 10d"},
        {"DURATION = 5\n", "1: DURATION: 5 is too small, at least 60s is needed"},
        {"DURATION = 2w\n", "1: DURATION: 2w is too large, at most 864000s is possible"},
        {"SIZE = 1.5M\n", "1: SIZE: \"1.5M\" is not a size, write one as 64k, 50M or 2G"},
        {"NETWORKS = ::1 10.0.0.1/8\n",
         "1: NETWORKS: \"10.0.0.1/8\" has host bits set beyond the prefix length"},
        {"CHOICE = three\n", "1: CHOICE: \"three\" is not one of none|one|two"},
        {"CHOICE = on\n", "1: CHOICE: \"on\" is not one of none|one|two"},
        {"EMPTY = a b\n", "1: EMPTY: must be one word"},
        {"PATH =\n", "1: PATH: needs a path"},
        {"BASE = rel\n", "1: BASE: must be an absolute path"},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        char *wanted = mem_printf("%s:%s", path, rows[i].message);

        ck_assert_msg(!load_text(rows[i].text), "row %zu", i);
        ck_assert_msg(faults.lines.count == 1, "row %zu: %zu faults", i, faults.lines.count);
        ck_assert_msg(strcmp(faults.lines.items[0], wanted) == 0, "row %zu: %s", i, faults.lines.items[0]);
        free(wanted);
        drop();
    }
}
END_TEST

START_TEST(all_faults_at_once)
{
    ck_assert(!load_text("FLAG = x\nSIZE = y\nNOPE = z\nTEXT = kept\nNUMBER = 1000\n"));
    ck_assert_uint_eq(faults.lines.count, 4);
    ck_assert_str_eq(settings.text, "kept");
    ck_assert_uint_eq(settings.number, 5);
    drop();
}
END_TEST

START_TEST(hostile_files)
{
    ck_assert(!load("TEXT = a\0b\n", 11));
    ck_assert_str_eq(faults.lines.items[0], "test-conf.tmp:1: the line contains a NUL octet");
    drop();
    ck_assert(!conf_load("/nonexistent/x.conf", table, ROWS(table), &settings, NULL, &faults, NULL));
    ck_assert_str_eq(faults.lines.items[0], "/nonexistent/x.conf: cannot be read: No such file or directory");
    ck_assert_str_eq(settings.path, "/opt/x/etc/file");
    drop();
    ck_assert(load("", 0));
    ck_assert(load_text("TEXT = ends with the file"));
    ck_assert_str_eq(settings.text, "ends with the file");
    ck_assert(load_text("TEXT =\nNONE =\nWORDS =\n"));
    ck_assert_str_eq(settings.text, "");
    ck_assert_ptr_null(settings.none);
    ck_assert_uint_eq(settings.words.count, 0);
    drop();
}
END_TEST

UNIT_MAIN("conf", defaults, every_type, single_faults, all_faults_at_once, hostile_files)
