/* Private keys: PKCS#8, plain or encrypted under the central pass phrase, and the older forms of RSA and EC.
 */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <string.h>

#include "modules/areas/file_private.h"

static bool read_encrypted(struct file_work *work, const unsigned char *der, size_t len)
{
    const unsigned char *p = der;
    const char *phrase = areas_file_pass_phrase(work);
    X509_SIG *sealed = d2i_X509_SIG(NULL, &p, (long)len);
    PKCS8_PRIV_KEY_INFO *info = NULL;
    EVP_PKEY *key = NULL;

    if (sealed == NULL || p != der + len) {
        X509_SIG_free(sealed);
        return false;
    }
    if (phrase != NULL)
        info = PKCS8_decrypt(sealed, phrase, (int)strlen(phrase));
    if (info != NULL)
        key = EVP_PKCS82PKEY(info);
    if (key != NULL) {
        areas_file_add_key(work, key);
    } else {
        areas_file_fault(work->content, phrase == NULL
                                            ? "private key is encrypted, but no pass phrase is configured"
                                            : "private key cannot be decrypted with the central pass phrase");
        work->content->pass_phrase = true;
    }
    PKCS8_PRIV_KEY_INFO_free(info);
    X509_SIG_free(sealed);
    return true;
}

bool areas_file_read_key(struct file_work *work, const unsigned char *der, size_t len, bool encrypted)
{
    const unsigned char *p = der;
    EVP_PKEY *key;

    if (encrypted) {
        const unsigned char *q = der;
        X509_SIG *sealed = d2i_X509_SIG(NULL, &q, (long)len);

        X509_SIG_free(sealed);
        return sealed != NULL && q == der + len &&
               (!areas_file_keys_allowed(work) || read_encrypted(work, der, len));
    }
    key = d2i_AutoPrivateKey(NULL, &p, (long)len);
    ERR_clear_error();
    if (key == NULL || p != der + len) {
        EVP_PKEY_free(key);
        return false;
    }
    if (areas_file_keys_allowed(work))
        areas_file_add_key(work, key);
    else
        EVP_PKEY_free(key);
    return true;
}
