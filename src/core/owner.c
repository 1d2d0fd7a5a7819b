#include "core/owner.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

bool owner_become(const char *directory)
{
    struct stat st;
    if (geteuid() != 0 || stat(directory, &st) != 0 || st.st_uid == 0)
        return true;
    const struct passwd *user = getpwuid(st.st_uid);
    gid_t group = user != NULL ? user->pw_gid : st.st_gid;
    int groups = user != NULL ? initgroups(user->pw_name, group) : setgroups(0, NULL);
    return groups == 0 && setgid(group) == 0 && setuid(st.st_uid) == 0;
}
