/* The tables of module/schema.h, in the order of modules/protocol.rng. */
#include <string.h>

#include "module/schema.h"

#define AREA   "public|trusted|untrusted|private|ca"
#define STATUS "status=ok|none|temporary|permanent|interaction reason?=word text?=text"
#define SIGN_SCHEMES                                                                                         \
    "rsa-pkcs1-sha256|rsa-pkcs1-sha384|rsa-pkcs1-sha512|rsa-pss-sha256|rsa-pss-sha384|rsa-pss-sha512|"       \
    "ecdsa-sha256|ecdsa-sha384|ecdsa-sha512|ed25519"
#define OPEN_SCHEMES                                                                                         \
    "rsa-pkcs1|rsa-oaep-sha1|rsa-oaep-sha224|rsa-oaep-sha256|rsa-oaep-sha384|rsa-oaep-sha512|"               \
    "ecdh-sha1|ecdh-sha224|ecdh-sha256|ecdh-sha384|ecdh-sha512|"                                             \
    "ecdh-hkdf-sha256|ecdh-hkdf-sha384|ecdh-hkdf-sha512"
#define HASHES "sha1|sha224|sha256|sha384|sha512"

#define CHILDREN(...)                                                                                        \
    (const struct schema_child[])                                                                            \
    {                                                                                                        \
        __VA_ARGS__,                                                                                         \
        {                                                                                                    \
            NULL, 0                                                                                          \
        }                                                                                                    \
    }

const struct schema_element schema_request = {"request", "id=id deadline=number", SCHEMA_EMPTY, NULL, NULL};
const struct schema_element schema_answer = {"answer", "id=text " STATUS, SCHEMA_EMPTY, NULL, NULL};

/* ---- what several operations use ---- */

static const char *check_identifier(const struct xml_node *node)
{
    bool by_issuer = xml_attribute(node, "issuer") != NULL;
    bool by_serial = xml_attribute(node, "serial") != NULL;
    bool by_ski = xml_attribute(node, "ski") != NULL;

    return by_issuer != by_serial || by_issuer == by_ski ? "either issuer and serial or ski" : NULL;
}

static const struct schema_element certificate = {"certificate", "", SCHEMA_BASE64, NULL, NULL};
static const struct schema_element capabilities = {"capabilities", "", SCHEMA_BASE64, NULL, NULL};
static const struct schema_element crl = {"crl", "", SCHEMA_BASE64, NULL, NULL};
static const struct schema_element address = {"address", "", SCHEMA_TEXT, NULL, NULL};
static const struct schema_element piece = {"piece", "fd=number offset=number length=number", SCHEMA_EMPTY,
                                            NULL, NULL};
static const struct schema_element identifier = {"identifier", "issuer?=base64 serial?=hex ski?=hex",
                                                 SCHEMA_EMPTY, NULL, check_identifier};

/* ---- hello ---- */

static const struct schema_element hello_operation = {"operation", "name=text", SCHEMA_EMPTY, NULL, NULL};
static const struct schema_element hello_request = {"hello", "version=1", SCHEMA_EMPTY, NULL, NULL};
static const struct schema_element hello_answer = {"hello", "version=1 role=keys|trust|smime name=text",
                                                   SCHEMA_EMPTY, CHILDREN({&hello_operation, '+'}), NULL};

/* ---- keys ---- */

static const char *check_query(const struct xml_node *node)
{
    bool by_address = xml_attribute(node, "address") != NULL;

    return by_address == (node->children != NULL) ? "either address or identifier elements" : NULL;
}

static const struct schema_element query = {"query", "n=number use=encrypt|sign|decrypt|signer address?=text",
                                            SCHEMA_EMPTY, CHILDREN({&identifier, '*'}), check_query};
static const struct schema_element find_request = {"find", "", SCHEMA_EMPTY, CHILDREN({&query, '+'}), NULL};
static const struct schema_element issuer_certificate = {"issuer-certificate", "", SCHEMA_BASE64, NULL, NULL};
static const struct schema_element entry = {
    "entry", "fingerprint=sha256 area=" AREA " key?=text scope?=personal|gateway source?=text", SCHEMA_EMPTY,
    CHILDREN({&address, '*'}, {&certificate, '1'}, {&issuer_certificate, '*'}, {&capabilities, '?'}), NULL};
static const struct schema_element result = {"result", "n=number " STATUS, SCHEMA_EMPTY,
                                             CHILDREN({&entry, '*'}), NULL};
static const struct schema_element find_answer = {"find", "", SCHEMA_EMPTY, CHILDREN({&result, '*'}), NULL};

static const struct schema_element allow = {"allow", "key=text operation=sign|open count=number",
                                            SCHEMA_EMPTY, NULL, NULL};
static const struct schema_element grant_request = {"grant", "", SCHEMA_EMPTY, CHILDREN({&allow, '+'}), NULL};

static const char *check_sign(const struct xml_node *node)
{
    bool message = strcmp(xml_attribute(node, "scheme"), "ed25519") == 0;

    return (xml_child(node, "message") != NULL) != message ||
                   (xml_attribute(node, "digest") != NULL) == message
               ? "ed25519 signs a message, the other schemes a digest"
               : NULL;
}

static const struct schema_element signature = {"signature", "", SCHEMA_BASE64, NULL, NULL};
static const struct schema_element message = {"message", "", SCHEMA_BASE64, NULL, NULL};
static const struct schema_element key_sign_request = {"sign", "key=text scheme=" SIGN_SCHEMES " digest?=hex",
                                                       SCHEMA_EMPTY, CHILDREN({&message, '?'}), check_sign};
static const struct schema_element key_sign_answer = {"sign", "", SCHEMA_EMPTY, CHILDREN({&signature, '1'}),
                                                      NULL};

static bool scheme_is(const struct xml_node *node, const char *family)
{
    return strncmp(xml_attribute(node, "scheme"), family, strlen(family)) == 0;
}

static const char *check_open(const struct xml_node *node)
{
    bool ecdh = scheme_is(node, "ecdh-");

    if (!scheme_is(node, "rsa-oaep-") &&
        (xml_attribute(node, "mgf1") != NULL || xml_attribute(node, "label") != NULL))
        return "mgf1 and label belong to the rsa-oaep schemes";
    if (!scheme_is(node, "ecdh-hkdf-") && xml_attribute(node, "salt") != NULL)
        return "salt belongs to the ecdh-hkdf schemes";
    if ((xml_attribute(node, "wrap") != NULL) != ecdh || (xml_child(node, "originator") != NULL) != ecdh ||
        (xml_child(node, "shared-info") != NULL) != ecdh)
        return "wrap, originator and shared-info belong to the ecdh schemes, all three";
    return NULL;
}

static const struct schema_element originator = {"originator", "", SCHEMA_BASE64, NULL, NULL};
static const struct schema_element shared_info = {"shared-info", "", SCHEMA_BASE64, NULL, NULL};
static const struct schema_element encrypted = {"encrypted", "", SCHEMA_BASE64, NULL, NULL};
static const struct schema_element content_key = {"content-key", "", SCHEMA_BASE64, NULL, NULL};
static const struct schema_element key_open_request = {
    "open",
    "key=text length=number scheme=" OPEN_SCHEMES " mgf1?=" HASHES
    " label?=hex salt?=hex wrap?=aes128|aes192|aes256|des-ede3",
    SCHEMA_EMPTY, CHILDREN({&originator, '?'}, {&shared_info, '?'}, {&encrypted, '1'}), check_open};
static const struct schema_element key_open_answer = {"open", "", SCHEMA_EMPTY, CHILDREN({&content_key, '1'}),
                                                      NULL};

static const struct schema_element store_request = {
    "store", "area=public|review signing-time?=time", SCHEMA_EMPTY,
    CHILDREN({&certificate, '1'}, {&capabilities, '?'}), NULL};
static const struct schema_element store_answer = {"store", "fingerprint=sha256", SCHEMA_EMPTY, NULL, NULL};
static const struct schema_element list_request = {"list", "area=" AREA " after?=sha256", SCHEMA_EMPTY, NULL,
                                                   NULL};
static const struct schema_element list_answer = {"list", "more=yes|no", SCHEMA_EMPTY,
                                                  CHILDREN({&entry, '*'}), NULL};

/* ---- trust ---- */

static const struct schema_element to_validate = {
    "certificate", "n=number use=encrypt|sign|any address?=text", SCHEMA_BASE64, NULL, NULL};
static const struct schema_element extra = {"extra", "", SCHEMA_BASE64, NULL, NULL};
static const struct schema_element validate_request = {
    "validate", "revocation=require|prefer|off time?=time weak?=yes|no", SCHEMA_EMPTY,
    CHILDREN({&to_validate, '+'}, {&extra, '*'}, {&crl, '*'}), NULL};
static const struct schema_element path = {"path", "fingerprint=sha256 subject=text", SCHEMA_EMPTY, NULL,
                                           NULL};
static const struct schema_element evidence = {"evidence", "kind=crl|ocsp|area|none time?=time", SCHEMA_TEXT,
                                               NULL, NULL};
static const struct schema_element verdict = {
    "verdict",
    "n=number "
    "verdict=valid|expired|not-yet-valid|revoked|distrusted|no-path|untrusted-root|bad-signature|wrong-use|"
    "wrong-address|weak|status-unknown reason?=text fingerprint=sha256 area?=" AREA
    " subject=text issuer=text serial=hex issuer-der=base64 ski?=hex not-before=time not-after=time "
    "key=rsa|rsa-pss|ec|ed25519|ed448|x25519|x448|other bits=number deciding?=sha256",
    SCHEMA_EMPTY, CHILDREN({&address, '*'}, {&path, '*'}, {&evidence, '*'}), NULL};
static const struct schema_element validate_answer = {"validate", "", SCHEMA_EMPTY, CHILDREN({&verdict, '+'}),
                                                      NULL};

/* ---- smime ---- */

static const struct schema_element smime_sign_request = {
    "sign",
    "form=clear|opaque rsa=pkcs1|pss digest=sha256|sha384|sha512 key=text channel=number output=number "
    "eol=lf|crlf",
    SCHEMA_EMPTY, CHILDREN({&certificate, '+'}, {&piece, '+'}), NULL};
static const struct schema_element smime_sign_answer = {"sign", "scheme=" SIGN_SCHEMES " length=number",
                                                        SCHEMA_EMPTY, NULL, NULL};

static const struct schema_element recipient = {"recipient", "", SCHEMA_EMPTY,
                                                CHILDREN({&certificate, '1'}, {&capabilities, '?'}), NULL};
static const struct schema_element encrypt_request = {
    "encrypt",
    "cipher=auto|aes-128-cbc|aes-192-cbc|aes-256-cbc|aes-128-gcm|aes-192-gcm|aes-256-gcm "
    "keytrans=auto|rsa-pkcs1|rsa-oaep-sha1|rsa-oaep-sha256|rsa-oaep-sha384|rsa-oaep-sha512 output=number "
    "eol=lf|crlf",
    SCHEMA_EMPTY, CHILDREN({&recipient, '+'}, {&piece, '+'}), NULL};
static const struct schema_element encrypt_answer = {
    "encrypt", "type=enveloped|auth-enveloped cipher=text length=number", SCHEMA_EMPTY, NULL, NULL};

static const struct schema_element content = {"content", "encoding=base64|quoted-printable|binary",
                                              SCHEMA_EMPTY, CHILDREN({&piece, '1'}), NULL};
static const struct schema_element signed_entity = {"signed", "", SCHEMA_EMPTY, CHILDREN({&piece, '1'}),
                                                    NULL};
static const struct schema_element candidate = {"candidate", "key=text", SCHEMA_EMPTY,
                                                CHILDREN({&certificate, '1'}), NULL};
static const struct schema_element unwrap_request = {
    "unwrap", "output?=number channel?=number weak=yes|no limit=number", SCHEMA_EMPTY,
    CHILDREN({&content, '1'}, {&signed_entity, '?'}, {&candidate, '*'}, {&certificate, '*'}), NULL};
static const struct schema_element signer = {"signer",
                                             "result=good|bad|unsupported reason=text fingerprint?=sha256 "
                                             "digest?=text scheme?=text mgf1?=text salt?=number "
                                             "signing-time?=time",
                                             SCHEMA_EMPTY, CHILDREN({&identifier, '?'}, {&capabilities, '?'}),
                                             NULL};
static const struct schema_element inspect_request = {"inspect", "", SCHEMA_EMPTY, CHILDREN({&content, '1'}),
                                                      NULL};
static const struct schema_element inspected = {"recipient", "keytrans=text", SCHEMA_EMPTY, NULL, NULL};
static const struct schema_element inspect_answer = {"inspect", "type=enveloped|auth-enveloped cipher=text",
                                                     SCHEMA_EMPTY, CHILDREN({&inspected, '*'}), NULL};
static const struct schema_element unwrap_answer = {
    "unwrap",
    "type=signed|certs-only|enveloped|auth-enveloped|compressed length=number cipher?=text keytrans?=text "
    "key?=text "
    "authenticated?=yes|no weak?=text",
    SCHEMA_EMPTY, CHILDREN({&signer, '*'}, {&certificate, '*'}, {&crl, '*'}), NULL};

const struct schema_operation schema_operations[] = {
    {NULL, "hello", &hello_request, &hello_answer},
    {"keys", "find", &find_request, &find_answer},
    {"keys", "grant", &grant_request, NULL},
    {"keys", "sign", &key_sign_request, &key_sign_answer},
    {"keys", "open", &key_open_request, &key_open_answer},
    {"keys", "store", &store_request, &store_answer},
    {"keys", "list", &list_request, &list_answer},
    {"trust", "validate", &validate_request, &validate_answer},
    {"smime", "sign", &smime_sign_request, &smime_sign_answer},
    {"smime", "encrypt", &encrypt_request, &encrypt_answer},
    {"smime", "inspect", &inspect_request, &inspect_answer},
    {"smime", "unwrap", &unwrap_request, &unwrap_answer},
    {NULL, NULL, NULL, NULL},
};
