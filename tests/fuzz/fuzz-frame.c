/* Octets from a hostile peer, up to the end of the stream. */
#include <sys/socket.h>
#include <unistd.h>

#include "module/frame.h"
#include "tests/fuzz/fuzz.h"

#define SOCKET_ROOM 100000 /* fits a socket's buffer, so that nobody has to read meanwhile */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf xml = {0};
    int ends[2], fds[FRAME_FDS_MAX];
    size_t fd_count;
    deadline until = deadline_in(1000);

    if (size > SOCKET_ROOM || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return 0;
    if (send(ends[0], data, size, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)size) {
        shutdown(ends[0], SHUT_WR);
        while (frame_receive(ends[1], &xml, fds, &fd_count, until) == FRAME_OK)
            FUZZ_HOLDS(xml.len > 0 && xml.len <= size && fd_count == 0);
    }
    close(ends[0]);
    close(ends[1]);
    buf_free(&xml);
    return 0;
}
