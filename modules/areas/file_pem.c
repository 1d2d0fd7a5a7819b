/* PEM (RFC 7468): any number of blocks with text around them. */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "modules/areas/file_private.h"

struct pem_block {
    char *name, *header;
    unsigned char *data;
    long len;
};

static void block_free(struct pem_block *block)
{
    OPENSSL_secure_free(block->name);
    OPENSSL_secure_free(block->header);
    OPENSSL_secure_clear_free(block->data, block->len > 0 ? (size_t)block->len : 0);
    memset(block, 0, sizeof(*block));
}

static void read_certificate(struct file_work *work, const struct pem_block *block)
{
    const unsigned char *p = block->data;
    X509 *certificate = strcmp(block->name, PEM_STRING_X509_TRUSTED) == 0 ? d2i_X509_AUX(NULL, &p, block->len)
                                                                          : d2i_X509(NULL, &p, block->len);

    if (certificate == NULL || p != block->data + block->len) {
        areas_file_fault(work->content, "damaged certificate");
        X509_free(certificate);
        return;
    }
    areas_file_add_certificate(work, certificate);
}

static void read_crl(struct file_work *work, const struct pem_block *block)
{
    const unsigned char *p = block->data;
    struct areas_crl *crl = block->len > 0 ? areas_crl_parse(&p, (size_t)block->len) : NULL;

    if (crl == NULL || p != block->data + block->len) {
        areas_file_fault(work->content, "damaged CRL");
        areas_crl_free(crl);
        return;
    }
    areas_file_add_crl(work, crl);
}

/* They belong to the certificate in front of them. */
static void read_capabilities(struct file_work *work, const struct pem_block *block)
{
    struct file_content *content = work->content;

    if (content->certificate_count == 0 || block->len <= 0 || block->data[0] != 0x30) {
        areas_file_fault(content, "SMIME CAPABILITIES without a certificate in front, or damaged");
        return;
    }
    buf_clear(&content->certificates[content->certificate_count - 1].capabilities);
    buf_add(&content->certificates[content->certificate_count - 1].capabilities, block->data,
            (size_t)block->len);
}

static int give_pass_phrase(char *buffer, int size, int writing, void *context)
{
    const char *phrase = areas_file_pass_phrase(context);
    size_t len = phrase != NULL ? strlen(phrase) : 0;

    (void)writing;
    if (phrase == NULL || size < 0 || len > (size_t)size)
        return -1;
    memcpy(buffer, phrase, len);
    return (int)len;
}

/* Undoes the encryption of RFC 1421 ("Proc-Type: 4,ENCRYPTED"), which OpenSSL used before PKCS#8. */
static bool decrypt_block(struct file_work *work, struct pem_block *block)
{
    EVP_CIPHER_INFO cipher;

    if (block->header == NULL || block->header[0] == '\0')
        return true;
    if (PEM_get_EVP_CIPHER_INFO(block->header, &cipher) == 1 &&
        PEM_do_header(&cipher, block->data, &block->len, give_pass_phrase, work) == 1)
        return true;
    areas_file_fault(work->content, "private key cannot be decrypted with the central pass phrase");
    work->content->pass_phrase = true;
    return false;
}

static void read_key(struct file_work *work, struct pem_block *block)
{
    bool encrypted = strcmp(block->name, PEM_STRING_PKCS8) == 0;

    if (!areas_file_keys_allowed(work) || !decrypt_block(work, block))
        return;
    if (!areas_file_read_key(work, block->data, (size_t)block->len, encrypted))
        areas_file_fault(work->content, "damaged private key");
}

static void read_block(struct file_work *work, struct pem_block *block)
{
    size_t len = strlen(block->name);

    if (strcmp(block->name, PEM_STRING_X509) == 0 || strcmp(block->name, PEM_STRING_X509_OLD) == 0 ||
        strcmp(block->name, PEM_STRING_X509_TRUSTED) == 0)
        read_certificate(work, block);
    else if (strcmp(block->name, PEM_STRING_X509_CRL) == 0)
        read_crl(work, block);
    else if (strcmp(block->name, FILE_PEM_CAPABILITIES) == 0)
        read_capabilities(work, block);
    else if (len >= 11 && strcmp(block->name + len - 11, "PRIVATE KEY") == 0)
        read_key(work, block);
    else if (strcmp(block->name, PEM_STRING_PKCS7) == 0 || strcmp(block->name, PEM_STRING_CMS) == 0)
        areas_file_fault(work->content, "%s block: unpack it with openssl pkcs7 -print_certs", block->name);
}

void areas_file_read_pem(struct file_work *work)
{
    BIO *bio = BIO_new_mem_buf(work->data, (int)work->len);
    /* The secure heap is small: only files that may hold keys are unpacked there. */
    unsigned int secure = (work->reader->want & FILE_WANT_KEYS) != 0 ? PEM_FLAG_SECURE : 0;
    unsigned int flags = secure | PEM_FLAG_EAY_COMPATIBLE;
    struct pem_block block = {0};
    unsigned long error;

    ERR_clear_error();
    while (bio != NULL) {
        if (PEM_read_bio_ex(bio, &block.name, &block.header, &block.data, &block.len, flags) == 1) {
            read_block(work, &block);
            block_free(&block);
            continue;
        }
        error = ERR_peek_last_error();
        ERR_clear_error();
        if (ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE)
            break; /* the end */
        areas_file_fault(work->content, "damaged or incomplete PEM block");
    }
    ERR_clear_error();
    BIO_free(bio);
}
