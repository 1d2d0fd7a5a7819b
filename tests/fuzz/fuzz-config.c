/* julia.conf as a whole: anything is either loaded or refused with a reason; what is loaded has what the
   program relies on. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/config.h"
#include "mail/address.h"
#include "tests/fuzz/fuzz.h"

static void check_loaded(const struct config *config)
{
    FUZZ_HOLDS(config->base[0] == '/' && config->spool[0] == '/' && config->journal_dir[0] == '/');
    FUZZ_HOLDS(address_valid(config->admin, true) && config->internal_domains.count > 0);
    FUZZ_HOLDS(config->module_timeout < config->deadline);
    FUZZ_HOLDS(config->policy == CONFIG_POLICY_SUBJECT || config->ruleset != NULL);
    for (size_t i = 0; i < config->internal_clients.count; i++)
        FUZZ_HOLDS(config->internal_clients.items[i].bits > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conf_faults faults = {0};
    struct config config;
    char path[32];
    bool loaded;
    int fd = fuzz_file(data, size);

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    loaded = config_load(&config, path, &faults);
    FUZZ_HOLDS(loaded == (faults.lines.count == 0));
    FUZZ_HOLDS(config_profile_find(&config, NULL) != NULL);
    if (loaded)
        check_loaded(&config);
    close(fd);
    config_free(&config);
    conf_faults_free(&faults);
    return 0;
}
