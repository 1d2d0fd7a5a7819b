#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "util/fdio.h"
#include "util/mem.h"

int fuzz_file(const void *data, size_t len)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    FUZZ_HOLDS(fd >= 0 && fdio_write_all(fd, data, len) == 0 && lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

void fuzz_slurp(int fd, struct buf *out)
{
    uint64_t size;
    char *data;

    FUZZ_HOLDS(fdio_size(fd, &size) == 0);
    data = mem_alloc(size);
    FUZZ_HOLDS(fdio_pread_all(fd, data, size, 0) == 0);
    buf_add(out, data, size);
    free(data);
}

static char folder[] = "/tmp/fuzz.XXXXXX";

static void remove_folder(void)
{
    char command[sizeof(folder) + 10];

    snprintf(command, sizeof(command), "rm -rf %s", folder);
    if (system(command) != 0)
        perror(folder);
}

const char *fuzz_folder(void)
{
    if (strstr(folder, "XXXXXX") != NULL && mkdtemp(folder) != NULL)
        atexit(remove_folder);
    FUZZ_HOLDS(access(folder, W_OK) == 0);
    return folder;
}

void fuzz_folder_file(const char *name, const void *data, size_t len)
{
    char *path = mem_printf("%s/%s", fuzz_folder(), name), *slash = strrchr(path, '/');

    *slash = '\0';
    FUZZ_HOLDS(fdio_make_dirs(path, 0700) == 0);
    *slash = '/';
    FUZZ_HOLDS(fdio_replace_file(path, data, len, 0600) == 0);
    free(path);
}

const uint8_t *fuzz_piece(const uint8_t **rest, size_t *rest_len, size_t *len_r)
{
    const uint8_t *piece = *rest;
    const uint8_t *mark = memmem(piece, *rest_len, FUZZ_BETWEEN, strlen(FUZZ_BETWEEN));
    size_t used;

    *len_r = mark != NULL ? (size_t)(mark - piece) : *rest_len;
    used = mark != NULL ? *len_r + strlen(FUZZ_BETWEEN) : *len_r;
    *rest += used;
    *rest_len -= used;
    return piece;
}

char *fuzz_piece_text(const uint8_t **rest, size_t *rest_len)
{
    size_t len;
    const uint8_t *piece = fuzz_piece(rest, rest_len, &len);

    return mem_strndup((const char *)piece, len);
}
