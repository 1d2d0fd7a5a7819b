#include "module/environment.h"

#include <stdlib.h>

#include "util/mem.h"

void environment_make(struct strlist *env, const char *base)
{
    strlist_add_take(env, mem_printf("JULIA_BASE=%s", base));
    strlist_add(env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    strlist_add(env, "LANG=C.UTF-8");
}

char *environment_program(const char *base, const char *name)
{
    return name[0] == '/' ? mem_strdup(name) : mem_printf("%s/lib/modules/%s", base, name);
}

void environment_command(struct strlist *argv, const char *base, const char *command)
{
    strlist_split(argv, command);
    if (argv->count > 0) {
        char *name = argv->items[0];

        argv->items[0] = environment_program(base, name);
        free(name);
    }
}
