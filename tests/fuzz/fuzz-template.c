/* Texts of mails to people: values put into a template never add a line, a control character or what is no
   UTF-8. The input: the template, then three values, with "%%" between them. */
#include <string.h>

#include "delivery/report_private.h"
#include "mail/utf8.h"
#include "tests/fuzz/fuzz.h"

static size_t count_lines(const char *text)
{
    size_t lines = 0;

    for (; *text != '\0'; text += *text == '\n') {
        text += strcspn(text, "\n");
        lines++;
    }
    return lines;
}

static bool has_controls(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' && *text != '\n')
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_piece_text(&data, &size), *a = fuzz_piece_text(&data, &size),
         *b = fuzz_piece_text(&data, &size), *block = fuzz_piece_text(&data, &size);
    const char *const pairs[] = {"SENDER", a, "SUBJECT", b, "NOTHING", NULL, NULL};
    const char *const blocks[] = {"LIST", block, NULL};
    char *plain = report_fill(text, pairs, NULL, false), *with = report_fill(text, pairs, blocks, false);
    char *html = report_fill(text, pairs, blocks, true);

    FUZZ_HOLDS(count_lines(plain) <= count_lines(text));
    FUZZ_HOLDS(has_controls(text) || !has_controls(plain));
    FUZZ_HOLDS(!utf8_valid(text, strlen(text)) || utf8_valid(plain, strlen(plain)));
    FUZZ_HOLDS(strstr(text, "${LIST}") != NULL || strcmp(plain, with) == 0);
    FUZZ_HOLDS(!utf8_valid(text, strlen(text)) || !utf8_valid(block, strlen(block)) ||
               utf8_valid(html, strlen(html)));
    free(html);
    free(plain);
    free(with);
    free(text);
    free(a);
    free(b);
    free(block);
    return 0;
}
