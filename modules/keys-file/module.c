#include "modules/keys-file/module.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "modules/keys-file/private_key.h"
#include "util/fdio.h"
#include "util/mem.h"

bool module_load(struct module *module)
{
    struct conf_faults faults = {0};
    char *path = mem_printf("%s/etc/keys-file.conf", serve_base());
    bool loaded = settings_load(path, serve_base(), &module->settings, &faults);

    for (size_t i = 0; i < faults.lines.count; i++)
        fprintf(stderr, "%s\n", faults.lines.items[i]);
    conf_faults_free(&faults);
    free(path);
    if (loaded) {
        module->phrase = pass_phrase_new(module->settings.pass_phrase_file);
        module->keys = private_keys_new();
    }
    return loaded;
}

void module_free(struct module *module)
{
    areas_close(module->areas);
    private_keys_free(module->keys);
    pass_phrase_free(module->phrase);
    settings_free(&module->settings);
    memset(module, 0, sizeof(*module));
}

static bool make_index_folder(const struct settings *settings, char *error_r, size_t size)
{
    char *folder = mem_strdup(settings->index), *slash = strrchr(folder, '/');
    bool ok = true;

    if (slash != NULL && slash != folder) {
        *slash = '\0';
        ok = fdio_make_dirs(folder, 0750) == 0;
        if (!ok)
            snprintf(error_r, size, "%s: %s: make it, writable for the user that runs " MODULE_NAME, folder,
                     strerror(errno));
    }
    free(folder);
    return ok;
}

static bool open_areas(struct module *module, char *error_r, size_t size)
{
    const struct settings *s = &module->settings;
    struct areas_settings settings = {
        .directories = {[AREA_PUBLIC] = s->public_area,
                        [AREA_TRUSTED] = s->trusted,
                        [AREA_UNTRUSTED] = s->untrusted,
                        [AREA_PRIVATE] = s->private_area,
                        [AREA_CA] = s->ca},
        .index_file = s->index,
        .rescan_seconds = (unsigned int)s->rescan,
        .pass_phrase = pass_phrase_get,
        .context = module->phrase,
    };

    if (!make_index_folder(s, error_r, size))
        return false;
    module->areas = areas_open(&settings, error_r, size);
    return module->areas != NULL;
}

struct areas *module_areas(struct module *module, struct serve_answer *answer)
{
    char error[MODULE_ERROR_MAX] = "";

    if ((module->areas != NULL || open_areas(module, error, sizeof(error))) &&
        areas_refresh(module->areas, error, sizeof(error)) == 0)
        return module->areas;
    serve_fail(answer, ANSWER_TEMPORARY, "store-unreadable", "%s", error);
    return NULL;
}

bool module_is_core(const struct module *module, uid_t uid)
{
    return uid == geteuid() || uid == 0 ||
           (module->settings.core_uid_known && uid == module->settings.core_uid);
}
