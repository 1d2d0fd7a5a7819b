#include "tests/unit/keys_file_client.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "module/frame.h"
#include "modules/keys-file/run.h"
#include "tests/unit/module_rng.h"
#include "util/mem.h"

void client_start(struct client *client)
{
    char *etc;

    memset(client, 0, sizeof(*client));
    client->fd = -1;
    fixture_start(&client->fixture);
    etc = mem_printf("%s/etc", client->fixture.root);
    ck_assert_int_eq(mkdir(etc, 0755), 0);
    free(etc);
}

static void disconnect(struct client *client)
{
    int status;

    if (client->fd < 0)
        return;
    close(client->fd);
    client->fd = -1;
    ck_assert_int_eq(waitpid(client->pid, &status, 0), client->pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "module ended with %x",
                  (unsigned int)status);
}

void client_end(struct client *client)
{
    disconnect(client);
    buf_free(&client->conf);
    fixture_end(&client->fixture);
}

static void write_conf(struct client *client)
{
    struct buf text = {0};
    const char *root = client->fixture.root;

    buf_printf(&text, "PUBLIC = %s/public\nTRUSTED = %s/trusted\nUNTRUSTED = %s/untrusted\n", root, root,
               root);
    buf_printf(&text, "PRIVATE = %s/private\nCA = %s/ca\nLOG = %s/log\n%s", root, root, root,
               buf_text(&client->conf));
    put_file(&client->fixture, "etc/keys-file.conf", text.data, text.len, 0);
    buf_free(&text);
}

static void serve(struct client *client, int fd)
{
    dup2(fd, STDIN_FILENO);
    if (fd != STDIN_FILENO)
        close(fd);
    setenv("JULIA_BASE", client->fixture.root, 1);
    exit(run());
}

static void connect_pair(struct client *client, int pair[2])
{
    write_conf(client);
    client->pid = fork();
    ck_assert_int_ge(client->pid, 0);
    if (client->pid == 0) {
        close(pair[0]);
        serve(client, pair[1]);
    }
    close(pair[1]);
    client->fd = pair[0];
}

void client_connect(struct client *client)
{
    int pair[2];

    disconnect(client);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    connect_pair(client, pair);
}

void client_connect_as(struct client *client, uid_t uid)
{
    int pair[2];

    disconnect(client);
    ck_assert_int_eq(seteuid(uid), 0); /* the kernel notes who made the pair */
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    ck_assert_int_eq(seteuid(0), 0);
    connect_pair(client, pair);
}

static struct xml_node *exchange(struct client *client, const struct buf *request)
{
    struct buf answer = {0};
    int fds[FRAME_FDS_MAX];
    size_t fd_count = 0;
    char error[300];
    struct xml_node *root;

    ck_assert_msg(module_rng_valid(request->data, request->len), "%s", request->data);
    ck_assert_int_eq(frame_send(client->fd, request->data, request->len, NULL, 0, deadline_in(20000)),
                     FRAME_OK);
    ck_assert_int_eq(frame_receive(client->fd, &answer, fds, &fd_count, deadline_in(20000)), FRAME_OK);
    ck_assert_msg(module_rng_valid(answer.data, answer.len), "%s", answer.data);
    root = xml_parse(answer.data, answer.len, error, sizeof(error));
    ck_assert_msg(root != NULL, "%s", error);
    ck_assert_str_eq(xml_attribute(root, "id"), "t1");
    buf_free(&answer);
    return root;
}

__attribute__((format(printf, 2, 0))) static struct xml_node *ask_list(struct client *client,
                                                                       const char *format, va_list ap)
{
    struct buf request = {0};
    struct xml_node *root;

    buf_add_text(&request, "<request xmlns=\"" XML_NAMESPACE "\" id=\"t1\" deadline=\"20000\">");
    buf_vprintf(&request, format, ap);
    buf_add_text(&request, "</request>");
    root = exchange(client, &request);
    buf_free(&request);
    return root;
}

struct xml_node *client_ask(struct client *client, const char *format, ...)
{
    struct xml_node *root;
    va_list ap;

    va_start(ap, format);
    root = ask_list(client, format, ap);
    va_end(ap);
    return root;
}

void client_expect(struct client *client, const char *status, const char *reason, const char *format, ...)
{
    struct xml_node *root;
    const char *given;
    va_list ap;

    va_start(ap, format);
    root = ask_list(client, format, ap);
    va_end(ap);
    given = xml_attribute(root, "reason");
    ck_assert_str_eq(xml_attribute(root, "status"), status);
    ck_assert_str_eq(given != NULL ? given : "", reason);
    xml_free(root);
}

const struct xml_node *nth(const struct xml_node *parent, const char *name, size_t index)
{
    const struct xml_node *node = xml_child(parent, name);

    while (node != NULL && index-- > 0)
        node = xml_next(node, name);
    return node;
}

size_t how_many(const struct xml_node *parent, const char *name)
{
    size_t count = 0;

    for (const struct xml_node *node = xml_child(parent, name); node != NULL; node = xml_next(node, name))
        count++;
    return count;
}
