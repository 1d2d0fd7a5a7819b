/* The operation inspect: what everybody can see of an encrypted object. No key is asked for anything. */
#include <stdlib.h>
#include <string.h>

#include <openssl/objects.h>

#include "modules/smime/enveloped.h"
#include "modules/smime/oid.h"
#include "modules/smime/operations.h"
#include "util/strlist.h"

#define NAME_MAX_LEN 80
#define NAMES_MAX    64 /* of different key transports: more than there are supported ones */

static void take_name(void *names, const void *recipient_info, size_t len)
{
    struct strlist *list = names;
    char name[NAME_MAX_LEN] = "";

    recipient_info_name(recipient_info, len, name, sizeof(name));
    if (list->count < NAMES_MAX && !strlist_has(list, name))
        strlist_add(list, name);
}

static void answer_inspected(const struct enveloped *e, const struct strlist *names,
                             const X509_ALGOR *algorithm, struct serve_answer *answer)
{
    struct xml_writer *w = &answer->writer;
    const struct cipher_algorithm *cipher;
    const ASN1_OBJECT *oid = NULL;
    char name[NAME_MAX_LEN] = "";

    X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
    cipher = cipher_by_nid(oid_number(oid));
    OBJ_obj2txt(name, sizeof(name), oid, 0);
    xml_open(w, "inspect");
    xml_put(w, "type", e->authenticated ? "auth-enveloped" : "enveloped");
    xml_put(w, "cipher", cipher != NULL ? cipher->name : name);
    for (size_t i = 0; i < names->count; i++) {
        xml_open(w, "recipient");
        xml_put(w, "keytrans", names->items[i]);
        xml_close(w);
    }
    xml_close(w);
}

static void inspect_enveloped(struct unwrapping *u, bool authenticated, struct serve_answer *answer)
{
    struct enveloped e = {.u = u, .authenticated = authenticated};
    struct strlist names = {0};
    X509_ALGOR *algorithm = NULL;
    int type;

    if (enveloped_enter(&e) && enveloped_recipients(&e, take_name, &names) &&
        enveloped_algorithm(&e, &type, &algorithm))
        answer_inspected(&e, &names, algorithm, answer);
    else
        enveloped_fail(&e, answer);
    X509_ALGOR_free(algorithm);
    strlist_free(&names);
}

void smime_inspect(const struct serve_request *request, struct serve_answer *answer, void *module)
{
    struct unwrapping u = {.request = request, .output = {.fd = -1}};
    int type;

    (void)module;
    if (cms_input_parse(&u.input, request, xml_child(request->body, "content"), answer)) {
        if (!cms_input_begin(&u.input, &type))
            cms_input_fail(&u.input, answer);
        else if (type == NID_pkcs7_enveloped || type == NID_id_smime_ct_authEnvelopedData)
            inspect_enveloped(&u, type != NID_pkcs7_enveloped, answer);
        else
            serve_fail(answer, ANSWER_PERMANENT, "unsupported", "this is not encrypted");
    }
    cms_input_free(&u.input);
}
