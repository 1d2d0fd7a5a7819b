#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "modules/check/checks.h"
#include "util/fdio.h"
#include "util/tmpfile.h"

#define CERTIFICATE "<certificate>cnViYmlzaA==</certificate>"
#define PIECE(fd)   "<piece fd=\"" fd "\" offset=\"0\" length=\"7\"/>"

/* The descriptors that go with each request: 0 content, 1 output (both files), 2 and up what they must not
 * be. */
enum { FD_CONTENT, FD_OUTPUT, FD_PIPE, FD_DIRECTORY, FD_DEVICE, FD_SOCKET, FD_COUNT };

static bool open_descriptors(int fds[FD_COUNT], int others[2])
{
    int pipe_ends[2], sockets[2];

    for (int i = 0; i < FD_COUNT; i++)
        fds[i] = -1;
    fds[FD_CONTENT] = tmpfile_open("/tmp", 100, 100);
    fds[FD_OUTPUT] = tmpfile_open("/tmp", 100, 100);
    fds[FD_DIRECTORY] = open("/", O_RDONLY | O_CLOEXEC);
    fds[FD_DEVICE] = open("/dev/zero", O_RDWR | O_CLOEXEC);
    if (pipe2(pipe_ends, O_CLOEXEC) != 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
        return false;
    fds[FD_PIPE] = pipe_ends[0];
    fds[FD_SOCKET] = sockets[0];
    others[0] = pipe_ends[1];
    others[1] = sockets[1];
    return fdio_write_all(fds[FD_CONTENT], "rubbish", 7) == 0 && fds[FD_OUTPUT] >= 0 &&
           fds[FD_DIRECTORY] >= 0 && fds[FD_DEVICE] >= 0;
}

#define UNWRAP(output, piece)                                                                                \
    "<unwrap output=\"" output "\" weak=\"no\" limit=\"1000\"><content encoding=\"binary\">" piece           \
    "</content></unwrap>"
#define INSPECT(piece) "<inspect><content encoding=\"binary\">" piece "</content></inspect>"
#define ENCRYPT(output, piece)                                                                               \
    "<encrypt cipher=\"auto\" keytrans=\"rsa-pkcs1\" output=\"" output                                       \
    "\" eol=\"lf\"><recipient>" CERTIFICATE "</recipient>" piece "</encrypt>"
#define SIGN(channel, output, piece)                                                                         \
    "<sign form=\"clear\" rsa=\"pkcs1\" digest=\"sha256\" key=\"keys:1\" channel=\"" channel                 \
    "\" output=\"" output "\" eol=\"lf\">" CERTIFICATE piece "</sign>"

static const struct {
    const char *operation, *name, *body;
} refused[] = {
    {"unwrap", "content that is no CMS is not opened", UNWRAP("1", PIECE("0"))},
    {"unwrap", "content in a pipe is refused", UNWRAP("1", PIECE("2"))},
    {"unwrap", "content in a directory is refused", UNWRAP("1", PIECE("3"))},
    {"unwrap", "content in a device is refused", UNWRAP("1", PIECE("4"))},
    {"unwrap", "content in a socket is refused", UNWRAP("1", PIECE("5"))},
    {"unwrap", "content in a descriptor that did not come is refused", UNWRAP("1", PIECE("6"))},
    {"unwrap", "content in descriptor 2^53 - 1 is refused", UNWRAP("1", PIECE("9007199254740991"))},
    {"unwrap", "output to a pipe is refused", UNWRAP("2", PIECE("0"))},
    {"unwrap", "output to a device is refused", UNWRAP("4", PIECE("0"))},
    {"unwrap", "a piece beyond the end of the file is refused",
     UNWRAP("1", "<piece fd=\"0\" offset=\"5\" length=\"7\"/>")},
    {"unwrap", "a piece at the end of all numbers is refused",
     UNWRAP("1", "<piece fd=\"0\" offset=\"9007199254740991\" length=\"9007199254740991\"/>")},
    {"unwrap", "unwrap without content is refused", "<unwrap output=\"1\" weak=\"no\" limit=\"1\"/>"},
    {"inspect", "content that is no CMS is not inspected", INSPECT(PIECE("0"))},
    {"inspect", "inspecting a pipe is refused", INSPECT(PIECE("2"))},
    {"inspect", "inspecting a device is refused", INSPECT(PIECE("4"))},
    {"inspect", "inspecting a descriptor that did not come is refused", INSPECT(PIECE("6"))},
    {"encrypt", "a recipient whose certificate is none is refused", ENCRYPT("1", PIECE("0"))},
    {"encrypt", "encrypting a pipe is refused", ENCRYPT("1", PIECE("2"))},
    {"encrypt", "encrypting to a device is refused", ENCRYPT("4", PIECE("0"))},
    {"encrypt", "encrypt without a recipient is refused",
     "<encrypt cipher=\"auto\" keytrans=\"rsa-pkcs1\" output=\"1\" eol=\"lf\">" PIECE("0") "</encrypt>"},
    {"encrypt", "a weak cipher is refused",
     "<encrypt cipher=\"des-ede3-cbc\" keytrans=\"rsa-pkcs1\" output=\"1\" eol=\"lf\"><recipient>" CERTIFICATE
     "</recipient>" PIECE("0") "</encrypt>"},
    {"sign", "a signer whose certificate is none is refused", SIGN("5", "1", PIECE("0"))},
    {"sign", "a channel that is a file is refused", SIGN("0", "1", PIECE("0"))},
    {"sign", "a channel that is a pipe is refused", SIGN("2", "1", PIECE("0"))},
    {"sign", "signing a directory is refused", SIGN("5", "1", PIECE("3"))},
    {"sign", "signing to a socket is refused", SIGN("5", "5", PIECE("0"))},
};

static void check_refused(struct target *target, const char *name, const char *body, const int fds[FD_COUNT])
{
    struct channel *channel = peer_open(target);
    struct reply reply;

    peer_ask_body(target, channel, body, fds, FD_COUNT, &reply);
    if (peer_reply_is(&reply, ANSWER_PERMANENT))
        report_good(&target->report, name);
    else
        report_bad(&target->report, name, "expected permanent, got: %s", peer_reply_text(&reply));
    peer_reply_free(&reply);
    peer_close(channel);
}

void check_smime(struct target *target)
{
    static const char untouched[] = "nothing of all that was written to the content";
    int fds[FD_COUNT], others[2] = {-1, -1};
    uint64_t size = 0;

    if (!open_descriptors(fds, others)) {
        report_bad(&target->report, "descriptors to try with", "cannot be opened here");
        return;
    }
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (peer_has(target, refused[i].operation))
            check_refused(target, refused[i].name, refused[i].body, fds);
        else
            report_skip(&target->report, refused[i].name, "no such operation");
    }
    if (fdio_size(fds[FD_CONTENT], &size) == 0 && size == strlen("rubbish"))
        report_good(&target->report, untouched);
    else
        report_bad(&target->report, untouched, "it has another size now");
    peer_expect(target, "after that, a new caller is served", "<hello version=\"1\"/>", ANSWER_OK);
    for (int i = 0; i < FD_COUNT; i++)
        fdio_close(&fds[i]);
    fdio_close(&others[0]);
    fdio_close(&others[1]);
}
