#include "core/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/log.h"
#include "util/mem.h"

static struct strlist lists[TRACE_KEYS];

static int compare_numbers(const void *a, const void *b)
{
    return atoi(*(char *const *)a) - atoi(*(char *const *)b);
}

void trace_add_lines(const char *lines)
{
    char *copy = mem_strdup(lines), *state = NULL;
    for (const char *line = strtok_r(copy, ",-", &state); line != NULL; line = strtok_r(NULL, ",-", &state))
        trace_add(TRACE_LINES, line);
    if (lists[TRACE_LINES].count > 0)
        qsort(lists[TRACE_LINES].items, lists[TRACE_LINES].count, sizeof(char *), compare_numbers);
    free(copy);
}

void trace_add(enum trace_key key, const char *value)
{
    if (!strlist_has(&lists[key], value))
        strlist_add(&lists[key], value);
}

static char *joined(const struct message *message, enum trace_key key)
{
    struct buf text = {0};
    if (key == TRACE_CLIENT && lists[key].count == 0)
        return mem_strdup(message->envelope.client);
    for (size_t i = 0; i < lists[key].count; i++)
        buf_printf(&text, "%s%s", i > 0 ? "," : "", lists[key].items[i]);
    if (text.len == 0)
        buf_add_text(&text, key == TRACE_LINES ? "-" : "no");
    strlist_free(&lists[key]);
    return buf_take(&text);
}

void trace_write(const struct message *message, const struct outcome *outcome)
{
    char *texts[TRACE_KEYS], rcpts[24], size[24];
    for (int i = 0; i < TRACE_KEYS; i++)
        texts[i] = joined(message, (enum trace_key)i);
    snprintf(rcpts, sizeof(rcpts), "%zu", message->envelope.recipients.count);
    snprintf(size, sizeof(size), "%llu", (unsigned long long)message->size);
    log_event(outcome->kind == OUTCOME_DONE ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "message", "direction",
              texts[TRACE_DIRECTION], "client", texts[TRACE_CLIENT], "size", size, "rcpts", rcpts, "sign",
              texts[TRACE_SIGN], "encrypt", texts[TRACE_ENCRYPT], "targets", texts[TRACE_TARGET], "lines",
              texts[TRACE_LINES], "result", outcome->dsn, "text",
              outcome->text[0] != '\0' ? outcome->text : NULL, (char *)NULL);
    for (int i = 0; i < TRACE_KEYS; i++)
        free(texts[i]);
}
