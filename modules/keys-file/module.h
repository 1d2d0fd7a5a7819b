/* What the operations of keys-file share. */
#ifndef JULIA_KEYS_FILE_MODULE_H
#define JULIA_KEYS_FILE_MODULE_H

#include <stdbool.h>
#include <sys/types.h>

#include "module/serve.h"
#include "modules/areas/areas.h"
#include "modules/keys-file/pass_phrase.h"
#include "modules/keys-file/settings.h"

#define MODULE_NAME      "keys-file"
#define MODULE_ERROR_MAX 512
#define MODULE_ALL_AREAS ((1u << AREA_COUNT) - 1)

struct private_keys;

struct module {
    struct settings settings;
    struct pass_phrase *phrase;
    struct areas *areas; /* opened when first needed */
    struct private_keys *keys;
};

/* BASE/etc/keys-file.conf; faults go to standard error. */
bool module_load(struct module *module);
void module_free(struct module *module);

/* The areas, up to date. NULL: `answer` is temporary and says why. */
struct areas *module_areas(struct module *module, struct serve_answer *answer);
/* The own user, root, or CORE_USER. */
bool module_is_core(const struct module *module, uid_t uid);

void find_run(const struct serve_request *request, struct serve_answer *answer, void *module);
void list_run(const struct serve_request *request, struct serve_answer *answer, void *module);
void grant_run(const struct serve_request *request, struct serve_answer *answer, void *module);
void sign_run(const struct serve_request *request, struct serve_answer *answer, void *module);
void open_run(const struct serve_request *request, struct serve_answer *answer, void *module);
void store_run(const struct serve_request *request, struct serve_answer *answer, void *module);

#endif
