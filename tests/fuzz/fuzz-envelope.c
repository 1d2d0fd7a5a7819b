/* What MTAs say of a message's envelope: the line "From " in front of it, and the map of logins. The first
   octet chooses; for the map, "%%" stands between the login, the address and the file. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/envelope_line.h"
#include "outgoing/signer.h"
#include "tests/fuzz/fuzz.h"

static void check_line(const uint8_t *data, size_t size)
{
    char *sender = NULL;
    uint64_t used = envelope_line_parse((const char *)data, size, &sender);

    FUZZ_HOLDS(used <= size && used <= ENVELOPE_LINE_MAX && (used > 0) == (sender != NULL));
    FUZZ_HOLDS(used == 0 || (memcmp(data, "From ", 5) == 0 && data[used - 1] == '\n'));
    FUZZ_HOLDS(sender == NULL || strchr(sender, '\n') == NULL);
    free(sender);
}

static void check_map(const uint8_t *data, size_t size)
{
    char *login = fuzz_piece_text(&data, &size), *address = fuzz_piece_text(&data, &size), path[32];
    int fd = fuzz_file(data, size);

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (login[0] == '\0')
        FUZZ_HOLDS(!signer_login_may(path, login, address));
    else
        (void)signer_login_may(path, login, address);
    close(fd);
    free(login);
    free(address);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if ((data[0] & 1) == 0)
        check_line(data + 1, size - 1);
    else
        check_map(data + 1, size - 1);
    return 0;
}
