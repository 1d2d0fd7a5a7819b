/* Configuration files: anything is either loaded or refused with a reason, and faults leave the defaults. */
#include <stdio.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"
#include "util/conf.h"

struct settings {
    char *base, *text, *path;
    struct strlist words, items, profiles;
    bool flag;
    uint64_t number, duration, size;
    struct network_list networks;
    int choice;
};

#define AT(member) .offset = offsetof(struct settings, member)

static const struct conf_entry table[] = {
    {.name = "BASE", .type = CONF_PATH, .default_value = "/opt/x", AT(base)},
    {.name = "TEXT", .type = CONF_TEXT, .default_value = "x", AT(text)},
    {.name = "PATH", .type = CONF_PATH, AT(path)},
    {.name = "WORDS", .type = CONF_WORDS, AT(words)},
    {.name = "ITEMS", .type = CONF_ITEMS, AT(items)},
    {.name = "PROFILE_*", .type = CONF_TEXT, AT(profiles)},
    {.name = "FLAG", .type = CONF_YESNO, .default_value = "yes", AT(flag)},
    {.name = "NUMBER", .type = CONF_NUMBER, .default_value = "5", AT(number), .min = 1, .max = 100},
    {.name = "DURATION", .type = CONF_DURATION, AT(duration)},
    {.name = "SIZE", .type = CONF_SIZE, AT(size)},
    {.name = "NETWORKS", .type = CONF_NETWORKS, AT(networks)},
    {.name = "CHOICE", .type = CONF_CHOICE, .default_value = "one", AT(choice), .choices = "none|one|two"},
};
#define ENTRIES (sizeof(table) / sizeof(table[0]))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct settings settings = {0};
    struct conf_faults faults = {0};
    char path[32];
    bool loaded;
    int fd = fuzz_file(data, size);

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    loaded = conf_load(path, table, ENTRIES, &settings, NULL, &faults, NULL);
    FUZZ_HOLDS(loaded == (faults.lines.count == 0));
    FUZZ_HOLDS(settings.number >= 1 && settings.number <= 100);
    FUZZ_HOLDS(settings.choice >= 0 && settings.choice <= 2);
    FUZZ_HOLDS(!loaded || settings.path == NULL || settings.path[0] == '/');
    close(fd);
    conf_free(table, ENTRIES, &settings);
    conf_faults_free(&faults);
    return 0;
}
