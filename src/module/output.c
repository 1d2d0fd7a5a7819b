#include "module/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/fdio.h"
#include "util/log.h"
#include "util/mem.h"

#define READS_MAX 16 /* in one go, so that a flood cannot keep its reader from looking at the time */

struct output {
    int fd;
    const char *name;
    struct buf line;
    unsigned int lines;
};

struct output *output_new(int fd, const char *name)
{
    struct output *output = mem_alloc(sizeof *output);

    output->fd = fd;
    output->name = name;
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    return output;
}

int output_fd(const struct output *output)
{
    return output->fd;
}

static void end_line(struct output *output)
{
    output->lines++;
    if (output->lines <= OUTPUT_LINES_MAX)
        log_event(LOG_LEVEL_INFO, "module-output", "module", output->name, "text", buf_text(&output->line),
                  (char *)NULL);
    else if (output->lines == OUTPUT_LINES_MAX + 1)
        log_event(LOG_LEVEL_WARNING, "module-output", "module", output->name, "text",
                  "(too many lines; the rest is dropped)", (char *)NULL);
    buf_clear(&output->line);
}

bool output_read(void *context)
{
    struct output *output = context;
    char data[4096];

    for (int i = 0; i < READS_MAX; i++) {
        ssize_t n = read(output->fd, data, sizeof data);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return true;
        if (n <= 0) {
            fdio_close(&output->fd);
            return false;
        }
        for (ssize_t k = 0; k < n; k++) {
            if (data[k] == '\n')
                end_line(output);
            else if (output->line.len < OUTPUT_LINE_MAX && output->lines <= OUTPUT_LINES_MAX)
                buf_add_char(&output->line, data[k]);
        }
    }
    return true;
}

void output_free(struct output *output)
{
    if (output == NULL)
        return;
    if (output->fd >= 0)
        (void)output_read(output);
    if (output->line.len > 0)
        end_line(output);
    fdio_close(&output->fd);
    buf_free(&output->line);
    free(output);
}
