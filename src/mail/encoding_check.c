#include "mail/encoding_check.h"

#include <string.h>

#include "mail/source.h"

struct check {
    bool correct;
    enum { TEXT, ESCAPE, HEX, BLANK, CR } qp; /* what came before */
    unsigned long long digits;                /* base64: octets of the alphabet */
    unsigned int padding;
};

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

/* An octet that stands for itself, or begins something. */
static void take_qp_text(struct check *check, char c)
{
    if (c == '=')
        check->qp = ESCAPE;
    else if (c == ' ' || c == '\t')
        check->qp = BLANK;
    else if (c == '\r')
        check->qp = CR;
    else if (c == '\n' || (c > ' ' && c <= '~'))
        check->qp = TEXT;
    else
        check->correct = false;
}

static void take_qp(struct check *check, char c)
{
    switch (check->qp) {
    case TEXT:
        take_qp_text(check, c);
        break;
    case BLANK: /* at the end of a line it is lost on the way, or not */
        check->correct = check->correct && c != '\n' && c != '\r';
        take_qp_text(check, c);
        break;
    case ESCAPE:
        check->correct = check->correct && (is_hex(c) || c == '\r' || c == '\n');
        check->qp = c == '\n' ? TEXT : c == '\r' ? CR : HEX;
        break;
    case HEX:
        check->correct = check->correct && is_hex(c);
        check->qp = TEXT;
        break;
    case CR:
        check->correct = check->correct && c == '\n';
        check->qp = TEXT;
        break;
    }
}

static void take_base64(struct check *check, char c)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
        return;
    if (c == '=')
        check->padding++;
    else if (c != '\0' && strchr(alphabet, c) != NULL && check->padding == 0)
        check->digits++;
    else
        check->correct = false;
}

static bool ends_correctly(const struct check *check, enum mime_encoding encoding)
{
    if (encoding == MIME_QP)
        return check->qp == TEXT;
    return check->padding <= 2 && (check->digits + check->padding) % 4 == 0;
}

int encoding_check(int fd, uint64_t offset, uint64_t len, enum mime_encoding encoding, bool *correct_r)
{
    struct check check = {.correct = true};
    struct source *source;
    char chunk[4096];
    ssize_t n = 0;

    *correct_r = encoding != MIME_ENCODING_UNKNOWN;
    if (encoding != MIME_QP && encoding != MIME_BASE64)
        return 0;
    source = source_new(fd, offset, len, MIME_BINARY, SOURCE_EOL_KEEP);
    while (check.correct && (n = source_read(source, chunk, sizeof(chunk))) > 0)
        for (ssize_t i = 0; i < n; i++)
            if (encoding == MIME_QP)
                take_qp(&check, chunk[i]);
            else
                take_base64(&check, chunk[i]);
    source_free(source);
    *correct_r = check.correct && ends_correctly(&check, encoding);
    return n < 0 ? -1 : 0;
}
