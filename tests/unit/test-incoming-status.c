#include "unit.h"

#include <string.h>

#include "incoming/signerstatus.h"
#include "incoming/status.h"
#include "mail/header.h"
#include "util/mem.h"

/* DESIGN section 10a. */
static const struct {
    enum layer_signature result;
    const char *verdict;
    bool own;
    const char *word, *smime;
} words[] = {
    {LAYER_SIGNATURE_GOOD, "valid", true, "valid", "pass"},
    {LAYER_SIGNATURE_GOOD, "valid", false, "valid-other-address", "policy"},
    {LAYER_SIGNATURE_GOOD, "wrong-address", false, "valid-other-address", "policy"},
    {LAYER_SIGNATURE_GOOD, "expired", true, "expired", "policy"},
    {LAYER_SIGNATURE_GOOD, "not-yet-valid", true, "expired", "policy"},
    {LAYER_SIGNATURE_GOOD, "revoked", true, "revoked", "fail"},
    {LAYER_SIGNATURE_GOOD, "status-unknown", true, "unknown", "temperror"},
    {LAYER_SIGNATURE_GOOD, "distrusted", true, "untrusted", "policy"},
    {LAYER_SIGNATURE_GOOD, "no-path", true, "untrusted", "policy"},
    {LAYER_SIGNATURE_GOOD, "untrusted-root", true, "untrusted", "policy"},
    {LAYER_SIGNATURE_GOOD, "bad-signature", true, "untrusted", "policy"},
    {LAYER_SIGNATURE_GOOD, "wrong-use", true, "untrusted", "policy"},
    {LAYER_SIGNATURE_GOOD, "weak", true, "untrusted", "policy"},
    {LAYER_SIGNATURE_GOOD, "a-word-of-tomorrow", true, "untrusted", "policy"},
    {LAYER_SIGNATURE_GOOD, NULL, true, "unknown", "temperror"},
    {LAYER_SIGNATURE_BAD, "valid", true, "invalid", "fail"},
    {LAYER_SIGNATURE_BAD, NULL, true, "invalid", "fail"},
    {LAYER_SIGNATURE_UNSUPPORTED, "valid", true, "unsupported", "neutral"},
};

START_TEST(test_words)
{
    for (size_t i = 0; i < ROWS(words); i++) {
        struct layer_signer signer = {.result = words[i].result};
        enum status_signature word;

        signer.verdict.verdict = mem_strdup(words[i].verdict);
        word = signerstatus_word(&signer, words[i].own);
        ck_assert_msg(strcmp(status_signature_word(word), words[i].word) == 0, "row %zu: %s", i,
                      status_signature_word(word));
        ck_assert_msg(strcmp(status_smime_result(word, false), words[i].smime) == 0, "row %zu", i);
        free(signer.verdict.verdict);
    }
}
END_TEST

START_TEST(test_missing_certificate)
{
    struct layer_signer signer = {.result = LAYER_SIGNATURE_UNSUPPORTED, .missing = true};

    ck_assert_str_eq(status_signature_word(signerstatus_word(&signer, true)), "unknown");
    ck_assert_str_eq(status_smime_result(STATUS_UNKNOWN, true), "permerror");
}
END_TEST

START_TEST(test_unjudged)
{
    struct layer_signer signer = {.verdict.verdict = (char[]){"valid"}};

    ck_assert_str_eq(status_signature_word(signerstatus_word(&signer, true)), "invalid");
}
END_TEST

static struct layer_signer make_signer(enum layer_signature result, const char *verdict, const char *address)
{
    struct layer_signer signer = {.result = result};

    signer.fingerprint = mem_strdup("ab");
    if (result == LAYER_SIGNATURE_GOOD)
        signer.verdict.verdict = mem_strdup(verdict);
    if (result == LAYER_SIGNATURE_GOOD && address != NULL)
        strlist_add(&signer.verdict.addresses, address);
    return signer;
}

/* Two signers: verdict and address of each ("bad": the signature is), From and Sender, and what comes of it.
 */
static const struct {
    const char *verdicts[2], *addresses[2];
    const char *from, *sender, *word, *shown;
} judgements[] = {
    {{"valid", NULL}, {"A@x.example", NULL}, "a@x.example", NULL, "valid", "A@x.example"},
    {{"valid", NULL}, {"b@x.example", NULL}, "a@x.example", NULL, "valid-other-address", "b@x.example"},
    {{"valid", NULL}, {NULL, NULL}, "a@x.example", NULL, "valid-other-address", NULL},
    {{"valid", NULL}, {"a@x.example", NULL}, NULL, NULL, "valid-other-address", "a@x.example"},
    {{"valid", NULL},
     {"s@x.example", NULL},
     "a@x.example",
     "s@x.example",
     "valid-other-address",
     "s@x.example"},
    {{"valid", "valid"}, {"b@x.example", "a@x.example"}, "a@x.example", NULL, "valid", "a@x.example"},
    {{"valid", "valid"}, {"a@x.example", "b@x.example"}, "a@x.example", NULL, "valid", "a@x.example"},
    {{"valid", "expired"},
     {"b@x.example", "a@x.example"},
     "a@x.example",
     NULL,
     "valid-other-address",
     "b@x.example"},
    {{"valid", "bad"}, {"a@x.example", NULL}, "a@x.example", NULL, "invalid", NULL},
    {{"bad", "valid"}, {NULL, "a@x.example"}, "a@x.example", NULL, "invalid", NULL},
    {{"revoked", "no-path"}, {"a@x.example", "a@x.example"}, "a@x.example", NULL, "revoked", "a@x.example"},
};

START_TEST(test_judge)
{
    for (size_t i = 0; i < ROWS(judgements); i++) {
        struct signerstatus_author author = {judgements[i].from, judgements[i].sender};
        struct status status = {0};
        struct layer layer = {0};

        for (int k = 0; k < 2 && judgements[i].verdicts[k] != NULL; k++) {
            const char *verdict = judgements[i].verdicts[k];
            struct layer_signer *signer = mem_push(&layer.signers, &layer.signer_count, sizeof(*signer));

            *signer = make_signer(strcmp(verdict, "bad") == 0 ? LAYER_SIGNATURE_BAD : LAYER_SIGNATURE_GOOD,
                                  verdict, judgements[i].addresses[k]);
        }
        signerstatus_judge(&layer, &author, &status);
        ck_assert_msg(strcmp(status_signature_word(status.signature), judgements[i].word) == 0, "row %zu: %s",
                      i, status_signature_word(status.signature));
        if (judgements[i].shown != NULL)
            ck_assert_msg(status.address != NULL && strcmp(status.address, judgements[i].shown) == 0,
                          "row %zu", i);
        ck_assert_msg((status.signer == NULL) == (status.signature == STATUS_INVALID), "row %zu", i);
        ck_assert_msg(
            signerstatus_vouches(&layer, judgements[i].from == NULL ? "a@x.example" : judgements[i].from) ==
                (strcmp(judgements[i].word, "valid") == 0 || judgements[i].from == NULL),
            "row %zu: vouches", i);
        layer_free(&layer);
    }
}
END_TEST

START_TEST(test_no_signer)
{
    struct signerstatus_author author = {0};
    struct status status = {0};
    struct layer layer = {0};

    signerstatus_judge(&layer, &author, &status);
    ck_assert_str_eq(status_signature_word(status.signature), "unsupported");
}
END_TEST

/* A chain of layers from the outside in: e CBC-encrypted, E authenticated, s signed, c compressed. */
static const struct {
    const char *layers;
    enum unwrap_stop stop;
    const char *encryption;
    size_t signed_at; /* place of the signed layer that counts; 0: none */
} chains[] = {
    {"", UNWRAP_CLEAN, "none", 0},
    {"s", UNWRAP_CLEAN, "none", 1},
    {"E", UNWRAP_CLEAN, "decrypted", 0},
    {"e", UNWRAP_CLEAN, "not-integrity-protected", 0},
    {"Es", UNWRAP_CLEAN, "decrypted", 2},
    {"sE", UNWRAP_CLEAN, "decrypted", 1},
    {"sEs", UNWRAP_CLEAN, "decrypted", 1},
    {"Ee", UNWRAP_CLEAN, "not-integrity-protected", 0},
    {"eE", UNWRAP_CLEAN, "not-integrity-protected", 0},
    {"cs", UNWRAP_CLEAN, "none", 2},
    {"E", UNWRAP_UNDECRYPTABLE, "undecryptable", 0},
    {"", UNWRAP_UNSUPPORTED, "unsupported", 0},
    {"s", UNWRAP_LIMIT, "unsupported", 1},
    {"E", UNWRAP_BROKEN, "decrypted", 0},
};

START_TEST(test_chains)
{
    for (size_t i = 0; i < ROWS(chains); i++) {
        struct unwrap_node nodes[6] = {0};
        struct unwrap_strand strand = {.stop = chains[i].stop};
        size_t n = strlen(chains[i].layers);
        const struct unwrap_node *found;

        for (size_t k = 1; k <= n; k++) {
            char c = chains[i].layers[k - 1];

            nodes[k].outer = &nodes[k - 1];
            nodes[k].layer.kind = c == 's' ? LAYER_SIGNED : c == 'c' ? LAYER_COMPRESSED : LAYER_ENCRYPTED;
            nodes[k].layer.authenticated = c == 'E';
        }
        strand.inner = &nodes[n];
        ck_assert_msg(strcmp(status_encryption_word(status_encryption_of(&strand)), chains[i].encryption) ==
                          0,
                      "row %zu: %s", i, status_encryption_word(status_encryption_of(&strand)));
        found = unwrap_signed(&nodes[n]);
        ck_assert_msg(found == (chains[i].signed_at == 0 ? NULL : &nodes[chains[i].signed_at]), "row %zu", i);
    }
}
END_TEST

START_TEST(test_stops)
{
    ck_assert_str_eq(status_signature_word(status_signature_of_stop(UNWRAP_CLEAN)), "none");
    ck_assert_str_eq(status_signature_word(status_signature_of_stop(UNWRAP_BROKEN)), "invalid");
    ck_assert_str_eq(status_signature_word(status_signature_of_stop(UNWRAP_UNCHECKED)), "unsupported");
    ck_assert_str_eq(status_signature_word(status_signature_of_stop(UNWRAP_LIMIT)), "unsupported");
    ck_assert_str_eq(status_signature_word(status_signature_of_stop(UNWRAP_UNASKED)), "unknown");
    ck_assert_str_eq(status_signature_word(status_signature_of_stop(UNWRAP_UNDECRYPTABLE)), "none");
}
END_TEST

/* Names from certificates cannot add fields, nor results to Authentication-Results. */
START_TEST(test_fields)
{
    struct layer_signer signer = make_signer(LAYER_SIGNATURE_GOOD, "valid", "a@x.example");
    struct status status = {.encryption = STATUS_DECRYPTED, .signature = STATUS_VALID, .signer = &signer};
    struct buf out = {0};
    struct header header;
    char *value;

    status.address = signer.verdict.addresses.items[0];
    signer.verdict.issuer = mem_strdup("CN=\"x\"; smime=pass\r\nX-JULIA-Signature: valid\\,O=B\303\274ro");
    buf_add(&signer.verdict.serial, "\0\377", 2);
    status_fields(&status, "gw.example", "\n", &out);
    header_parse(&header, out.data, out.len);
    ck_assert_uint_eq(header.count, 4);
    ck_assert_uint_eq(header_count(&header, "X-JULIA-Signature"), 1);
    value = header_value_of(&header, "x-julia-encryption");
    ck_assert_str_eq(value, "decrypted");
    free(value);
    value = header_value_of(&header, "Authentication-Results");
    ck_assert_str_eq(value,
                     "gw.example; smime=pass body.smime-identifier=\"a@x.example\" body.smime-serial=00ff "
                     "body.smime-issuer=\"CN=\\\"x\\\"; smime=pass\\\\0D\\\\0AX-JULIA-Signature: "
                     "valid\\\\,O=B\\\\C3\\\\BCro\"");
    free(value);
    value = header_value_of(&header, "X-JULIA-Signer");
    ck_assert_msg(strstr(value, "serial=00ff; sha256=ab") != NULL, "%s", value);
    free(value);
    for (const char *line = out.data, *end; *line != '\0'; line = end + 1) {
        end = strchr(line, '\n');
        ck_assert_int_le(end - line, 998);
    }
    header_free(&header);
    buf_clear(&out);
    status = (struct status){.signature = STATUS_SIGNATURE_NONE};
    status_fields(&status, "gw.example", "\r\n", &out);
    ck_assert_str_eq(out.data, "X-JULIA-Encryption: none\r\nX-JULIA-Signature: none\r\n");
    buf_free(&out);
    struct layer layer = {.signers = mem_dup(&signer, sizeof(signer)), .signer_count = 1};
    layer_free(&layer);
}
END_TEST

UNIT_MAIN("incoming-status", test_words, test_missing_certificate, test_unjudged, test_judge, test_no_signer,
          test_chains, test_stops, test_fields)
