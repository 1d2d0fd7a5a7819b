#include "modules/areas/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "modules/areas/file_private.h"
#include "util/fdio.h"
#include "util/mem.h"

bool areas_file_is_secret(const struct stat *st)
{
    return (st->st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

void areas_file_fault(struct file_content *content, const char *format, ...)
{
    va_list ap;

    if (content->faults.len > 400) /* the first ones say enough */
        return;
    if (content->faults.len > 0)
        buf_add_text(&content->faults, "; ");
    va_start(ap, format);
    buf_vprintf(&content->faults, format, ap);
    va_end(ap);
}

static bool has_room(struct file_work *work)
{
    const struct file_content *c = work->content;

    if (c->certificate_count + c->crl_count + c->key_count < FILE_OBJECTS_MAX)
        return true;
    areas_file_fault(work->content, "more than %u objects in one file: split it", FILE_OBJECTS_MAX);
    return false;
}

void areas_file_add_certificate(struct file_work *work, X509 *certificate)
{
    struct file_certificate *item;

    if (!has_room(work)) {
        X509_free(certificate);
        return;
    }
    item = mem_push(&work->content->certificates, &work->content->certificate_count, sizeof(*item));
    item->certificate = certificate;
}

void areas_file_add_crl(struct file_work *work, struct areas_crl *crl)
{
    struct areas_crl **item;

    if ((work->reader->want & FILE_WANT_CRLS) == 0)
        areas_file_fault(work->content, "holds a CRL, which belongs into the ca area");
    else if (has_room(work)) {
        item = mem_push(&work->content->crls, &work->content->crl_count, sizeof(*item));
        *item = crl;
        return;
    }
    areas_crl_free(crl);
}

void areas_file_add_key(struct file_work *work, EVP_PKEY *key)
{
    EVP_PKEY **item;

    if (!has_room(work)) {
        EVP_PKEY_free(key);
        return;
    }
    item = mem_push(&work->content->keys, &work->content->key_count, sizeof(EVP_PKEY *));
    *item = key;
}

bool areas_file_keys_allowed(struct file_work *work)
{
    if ((work->reader->want & FILE_WANT_KEYS) == 0)
        areas_file_fault(work->content,
                         "holds a private key, which belongs into the private area only: move it there");
    else if (work->secret)
        return true;
    else {
        areas_file_fault(work->content, "private key refused, others can read it (mode %04o): chmod 600",
                         work->mode);
        work->content->refused = true;
    }
    return false;
}

const char *areas_file_pass_phrase(const struct file_work *work)
{
    return work->reader->pass_phrase != NULL ? work->reader->pass_phrase(work->reader->context) : NULL;
}

static void understand(struct file_work *work)
{
    struct file_content *content = work->content;

    if (work->len >= 3 && memcmp(work->data, "\xef\xbb\xbf", 3) == 0) { /* an editor's byte order mark */
        work->data += 3;
        work->len -= 3;
    }
    if (memmem(work->data, work->len, "-----BEGIN ", 11) != NULL)
        areas_file_read_pem(work);
    else
        areas_file_read_der(work);
    if (content->faults.len == 0 && content->certificate_count + content->crl_count + content->key_count == 0)
        areas_file_fault(content, "no certificate, key or CRL in it");
}

static void read_open_file(struct file_work *work, int fd, const struct stat *st)
{
    size_t size = (size_t)st->st_size;
    unsigned char *data;

    if (size > FILE_SIZE_MAX) {
        areas_file_fault(work->content, "larger than %u octets", FILE_SIZE_MAX);
        return;
    }
    data = mem_alloc(size + 1); /* one piece: nothing is left behind by growing */
    if (fdio_pread_all(fd, data, size, 0) != 0) {
        areas_file_fault(work->content, "cannot be read: %s", strerror(errno));
        work->content->unseen = true;
    } else {
        work->data = data;
        work->len = size;
        understand(work);
    }
    mem_wipe(data, size);
    free(data);
}

void areas_file_read(const struct file_reader *reader, int dirfd, const char *name,
                     struct file_content *content)
{
    struct file_work work = {.reader = reader, .content = content};
    struct stat st;
    int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    memset(content, 0, sizeof(*content));
    if (fd < 0 || fstat(fd, &st) != 0) {
        /* a link to nothing is nothing */
        content->unseen = errno != ENOENT && errno != ELOOP && errno != ENOTDIR && errno != ENXIO;
        areas_file_fault(content, "cannot be opened: %s", strerror(errno));
        if (fstatat(dirfd, name, &st, 0) == 0)
            areas_stamp_from_stat(&content->stamp, &st);
    } else if (!S_ISREG(st.st_mode)) {
        areas_stamp_from_stat(&content->stamp, &st);
        areas_file_fault(content, "not a regular file");
    } else {
        areas_stamp_from_stat(&content->stamp, &st);
        work.secret = areas_file_is_secret(&st);
        work.mode = (unsigned int)(st.st_mode & 07777);
        read_open_file(&work, fd, &st);
    }
    fdio_close(&fd);
}

void areas_file_content_free(struct file_content *content)
{
    for (size_t i = 0; i < content->certificate_count; i++) {
        X509_free(content->certificates[i].certificate);
        buf_free(&content->certificates[i].capabilities);
    }
    for (size_t i = 0; i < content->crl_count; i++)
        areas_crl_free(content->crls[i]);
    for (size_t i = 0; i < content->key_count; i++)
        EVP_PKEY_free(content->keys[i]);
    free(content->certificates);
    free(content->crls);
    free(content->keys);
    buf_free(&content->faults);
    memset(content, 0, sizeof(*content));
}
