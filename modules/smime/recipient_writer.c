#include "modules/smime/recipient_writer.h"

#include <stdlib.h>

#include <openssl/evp.h>

#include "modules/smime/der.h"
#include "modules/smime/recipient_fill.h"
#include "util/mem.h"

struct recipient_writer {
    recipient_info_list *infos;
    bool agreed; /* one of them is a key agreement */
};

static void free_info(RecipientInfo *info)
{
    ASN1_item_free((ASN1_VALUE *)info, ASN1_ITEM_rptr(RecipientInfo));
}

struct recipient_writer *recipient_writer_new(void)
{
    struct recipient_writer *writer = mem_alloc(sizeof(*writer));

    writer->infos = sk_RecipientInfo_new_null();
    return writer;
}

void recipient_writer_free(struct recipient_writer *writer)
{
    if (writer != NULL)
        sk_RecipientInfo_pop_free(writer->infos, free_info);
    free(writer);
}

static void fail_for(X509 *certificate, enum answer_status status, const char *reason, const char *what,
                     struct serve_answer *answer)
{
    char subject[200];

    X509_NAME_oneline(X509_get_subject_name(certificate), subject, sizeof(subject));
    serve_fail(answer, status, reason, "%s: %s", subject, what);
}

bool recipient_writer_add(struct recipient_writer *writer, X509 *certificate,
                          const struct keytrans_scheme *keytrans, const unsigned char *key, size_t key_len,
                          struct serve_answer *answer)
{
    EVP_PKEY *public_key = X509_get0_pubkey(certificate);
    RecipientInfo *info;
    bool rsa = public_key != NULL && EVP_PKEY_is_a(public_key, "RSA");
    bool ok;

    if (public_key == NULL || (!rsa && !recipient_can_agree(public_key))) {
        fail_for(certificate, ANSWER_PERMANENT, "unsupported",
                 "nothing can be encrypted to the key in this certificate (RSA or elliptic curve needed)",
                 answer);
        return false;
    }
    info = (RecipientInfo *)ASN1_item_new(ASN1_ITEM_rptr(RecipientInfo));
    ok = info != NULL && (rsa ? recipient_fill_trans(info, certificate, keytrans, key, key_len)
                              : recipient_fill_agree(info, certificate, key, key_len));
    if (ok && sk_RecipientInfo_push(writer->infos, info)) {
        writer->agreed = writer->agreed || !rsa;
        return true;
    }
    free_info(info);
    fail_for(certificate, ANSWER_PERMANENT, "unsupported",
             "the content key cannot be encrypted to the key in this certificate", answer);
    return false;
}

bool recipient_writer_encode(const struct recipient_writer *writer, struct buf *der)
{
    return der_append(der, writer->infos, ASN1_ITEM_rptr(RecipientInfos));
}

unsigned char recipient_writer_version(const struct recipient_writer *writer)
{
    return writer->agreed ? 2 : 0;
}
