#include "modules/keys-file/pass_phrase.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "modules/areas/file.h"
#include "util/fdio.h"
#include "util/log.h"
#include "util/mem.h"

#define PHRASE_MAX 1023 /* octets; OpenSSL's own programs take no more either */

struct pass_phrase {
    char *file;
    struct areas_stamp stamp; /* of the file when it was read or refused */
    char *text;               /* PHRASE_MAX + 1 octets in the secure heap */
    bool usable;
};

struct pass_phrase *pass_phrase_new(const char *file)
{
    struct pass_phrase *phrase = mem_alloc(sizeof(*phrase));

    phrase->file = mem_strdup(file);
    phrase->text = OPENSSL_secure_zalloc(PHRASE_MAX + 1);
    return phrase;
}

static const char *check_owner(const struct stat *st)
{
    if (!S_ISREG(st->st_mode))
        return "is not a regular file";
    if (!areas_file_is_secret(st))
        return "can be read by group or others: chmod 600";
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return "belongs to somebody else than root or the user that runs keys-file: chown";
    if (st->st_size == 0)
        return "is empty: its first line is the pass phrase";
    return NULL;
}

static const char *read_line(struct pass_phrase *phrase, int fd)
{
    ssize_t n = pread(fd, phrase->text, PHRASE_MAX + 1, 0);
    size_t len;

    if (n < 0)
        return strerror(errno);
    if (n > PHRASE_MAX && memchr(phrase->text, '\n', (size_t)n) == NULL)
        return "has a first line of more than 1023 octets";
    phrase->text[n > PHRASE_MAX ? PHRASE_MAX : n] = '\0';
    len = strcspn(phrase->text, "\r\n");
    mem_wipe(phrase->text + len, PHRASE_MAX + 1 - len);
    return len > 0 ? NULL : "has an empty first line, which should be the pass phrase";
}

static void load(struct pass_phrase *phrase)
{
    int fd = open(phrase->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct areas_stamp stamp = {0};
    struct stat st;
    const char *fault;

    if (fd >= 0 && fstat(fd, &st) == 0)
        areas_stamp_from_stat(&stamp, &st);
    if (fd >= 0 && phrase->stamp.text[0] != '\0' && areas_stamp_equal(&stamp, phrase->stamp.text)) {
        close(fd);
        return;
    }
    mem_wipe(phrase->text, PHRASE_MAX + 1);
    fault = fd < 0 ? strerror(errno) : check_owner(&st);
    if (fault == NULL)
        fault = read_line(phrase, fd);
    if (fault != NULL && (phrase->usable || phrase->stamp.text[0] == '\0' || fd >= 0))
        log_event(LOG_LEVEL_ERROR, "pass-phrase-refused", "file", phrase->file, "text", fault, (char *)NULL);
    phrase->usable = fault == NULL;
    phrase->stamp = stamp;
    fdio_close(&fd);
}

const char *pass_phrase_get(void *context)
{
    struct pass_phrase *phrase = context;

    if (phrase->file == NULL || phrase->text == NULL)
        return NULL;
    load(phrase);
    return phrase->usable ? phrase->text : NULL;
}

bool pass_phrase_refused(struct pass_phrase *phrase)
{
    return phrase->file != NULL && pass_phrase_get(phrase) == NULL;
}

void pass_phrase_free(struct pass_phrase *phrase)
{
    if (phrase == NULL)
        return;
    OPENSSL_secure_clear_free(phrase->text, PHRASE_MAX + 1);
    free(phrase->file);
    free(phrase);
}
