#include "unit.h"

#include <regex.h>
#include <string.h>
#include <unistd.h>

#include "incoming/reportpart.h"
#include "mail/mime.h"
#include "mail/utf8.h"
#include "mail_input.h"
#include "util/mem.h"

#define HOSTILE                                                                                              \
    "CN=\\\"<b>x</b>' \342\200\256boss@bank.example\\0D\\0A\\0D\\0A--=_julia_report\\0D\\0A"                 \
    "http://evil.example/ ${ADMIN} & Signature: valid"

static const char *const languages[] = {"en", "de"};
static char hostname[] = "gate.example", admin[] = "admin@gate.example", language[3];

/* An encrypted and signed message, and everything that can be told about it. */
struct fixture {
    struct config config;
    struct unwrap_node root, encrypted, sealed;
    struct unwrap_strand strand;
    struct layer_signer signer;
    struct status status;
};

static void fixture_open(struct fixture *f, const char *templates)
{
    struct ask_verdict *verdict = &f->signer.verdict;
    const char *source = getenv("JULIA_SOURCE");

    memset(f, 0, sizeof(*f));
    f->config.templates = templates != NULL ? mem_strdup(templates)
                                            : mem_printf("%s/etc/templates", source != NULL ? source : ".");
    f->config.myhostname = hostname;
    f->config.admin = admin;
    f->config.language = language;
    f->config.report = CONFIG_REPORT_HTML;
    f->config.revocation = CONFIG_REVOCATION_PREFER;
    strcpy(language, "en");
    f->encrypted.outer = &f->root;
    f->encrypted.layer.kind = LAYER_ENCRYPTED;
    f->encrypted.layer.cipher = mem_strdup("aes-256-gcm");
    f->encrypted.layer.recipient_count = 3;
    strlist_add(&f->encrypted.layer.key_addresses, "one@gate.example");
    f->sealed.outer = &f->encrypted;
    f->sealed.layer.kind = LAYER_SIGNED;
    f->strand.inner = &f->sealed;
    strlist_add(&f->strand.recipients, "one@gate.example");
    f->signer.fingerprint = mem_strdup("ab12");
    f->signer.signing_time = mem_strdup("2026-11-21T11:59:00Z");
    verdict->verdict = mem_strdup("valid");
    verdict->subject = mem_strdup("CN=Eva,O=Partner");
    verdict->issuer = mem_strdup("CN=Sub CA");
    verdict->not_before = mem_strdup("2026-01-01T00:00:00Z");
    verdict->not_after = mem_strdup("2027-01-01T00:00:00Z");
    verdict->evidence = mem_strdup("crl 2026-11-20T00:00:00Z CN=Eva: not listed by the CRL of CN=Sub CA");
    verdict->answers = 2;
    verdict->oldest_answer = mem_strdup("2026-11-20T00:00:00Z");
    strlist_add(&verdict->path, "CN=Eva,O=Partner");
    strlist_add(&verdict->path, "CN=Sub CA");
    strlist_add(&verdict->path, "CN=Root");
    strlist_add(&verdict->addresses, "eva@partner.example");
    f->status = (struct status){.encryption = STATUS_DECRYPTED,
                                .signature = STATUS_VALID,
                                .signer = &f->signer,
                                .address = "eva@partner.example"};
}

static void fixture_close(struct fixture *f)
{
    layer_free(&f->encrypted.layer);
    free(f->signer.fingerprint);
    free(f->signer.signing_time);
    ask_verdict_free(&f->signer.verdict);
    strlist_free(&f->strand.recipients);
    free(f->config.templates);
}

static void replace(char **text, const char *by)
{
    free(*text);
    *text = mem_strdup(by);
}

/* The part as a mail program reads it. */
struct part {
    int fd;
    struct mime mime;
    char *text, *html; /* html: NULL without */
};

static char *decoded(const struct part *part, const struct mime_part *leaf)
{
    char *text = input_part_text(part->fd, leaf);

    ck_assert(utf8_valid(text, strlen(text)));
    return text;
}

static void read_part(struct part *part, const struct fixture *f, const char *eol)
{
    struct finding finding;
    struct buf out = {0};
    bool fit = true;

    finding_collect(&finding, &f->config, &f->strand, &f->status, "eva@partner.example");
    reportpart_write(&finding, &f->config, eol, &out);
    finding_free(&finding);
    for (size_t i = 0; i < out.len; i++) /* fit for every relay, and nothing but the line ends asked for */
        fit = fit && (out.data[i] & 0x80) == 0 &&
              (out.data[i] != '\n' || (i > 0 && out.data[i - 1] == '\r') == (eol[0] == '\r'));
    ck_assert(fit);
    part->fd = input_file(out.data, out.len);
    ck_assert_int_eq(mime_parse(&part->mime, part->fd, 0, out.len, NULL), 0);
    buf_free(&out);
    part->html = NULL;
    if (f->config.report == CONFIG_REPORT_TEXT) {
        ck_assert_str_eq(part->mime.root->type.value, "text/plain");
        part->text = decoded(part, part->mime.root);
        return;
    }
    ck_assert_str_eq(part->mime.root->type.value, "multipart/alternative");
    ck_assert(part->mime.root->closed);
    ck_assert_uint_eq(part->mime.parts, 3);
    part->text = decoded(part, part->mime.root->children);
    part->html = decoded(part, part->mime.root->children->next);
    ck_assert_str_eq(part->mime.root->children->type.value, "text/plain");
    ck_assert_str_eq(part->mime.root->children->next->type.value, "text/html");
}

static void free_part(struct part *part)
{
    mime_free(&part->mime);
    close(part->fd);
    free(part->text);
    free(part->html);
}

static void check_has(const char *text, const char *wanted)
{
    ck_assert_msg(strstr(text, wanted) != NULL, "\"%s\" is not in:\n%s", wanted, text);
}

static void check_lacks(const char *text, const char *unwanted)
{
    ck_assert_msg(strstr(text, unwanted) == NULL, "\"%s\" is in:\n%s", unwanted, text);
}

static const char *const marks[] = {"\342\200\223 ", "\342\234\223 ", "! ", "\342\234\227 "};

/* The line of a status begins with its mark; in HTML its colour stands there once. */
static void check_status(const struct part *part, const char *words, enum status_level level)
{
    char *line = mem_printf("\n%s%s\n\n", marks[level], words);

    check_has(part->text, line);
    check_has(part->html, words);
    free(line);
}

START_TEST(test_statuses)
{
    for (int l = 0; l < 2; l++)
        for (int s = STATUS_SIGNATURE_NONE; s <= STATUS_SIGNATURE_UNSUPPORTED; s++)
            for (int e = STATUS_ENCRYPTION_NONE; e <= STATUS_ENCRYPTION_UNSUPPORTED; e++) {
                struct fixture f;
                struct part part;
                char *signature, *encryption;

                fixture_open(&f, NULL);
                strcpy(language, languages[l]);
                f.status.signature = (enum status_signature)s;
                f.status.encryption = (enum status_encryption)e;
                signature = finding_words(&f.config, "signature", status_signature_word(f.status.signature));
                encryption =
                    finding_words(&f.config, "encryption", status_encryption_word(f.status.encryption));
                ck_assert_str_ne(signature, status_signature_word(f.status.signature));
                ck_assert_str_ne(encryption, status_encryption_word(f.status.encryption));
                read_part(&part, &f, "\n");
                check_status(&part, signature, status_signature_level(&f.status));
                check_status(&part, encryption, status_encryption_level(&f.status));
                check_lacks(part.text, "${");
                check_lacks(part.html, "${");
                check_lacks(part.html, "<script");
                check_lacks(part.html, "href");
                check_lacks(part.html, "src=");
                free(signature);
                free(encryption);
                free_part(&part);
                fixture_close(&f);
            }
}
END_TEST

START_TEST(test_details)
{
    struct fixture f;
    struct part part;
    char *value;

    fixture_open(&f, NULL);
    f.status.weak = "sha1";
    f.status.outer_from = "outside@x.example";
    read_part(&part, &f, "\r\n");
    check_has(part.text, "From): eva@partner.example\n- Signed by: eva@partner.example\n"
                         "- Name in the certificate: \342\200\234Eva\342\200\235\n"
                         "- Issued by: \342\200\234Sub CA\342\200\235\n"
                         "- Certificate valid: 2026-01-01 00:00:00 UTC to 2027-01-01 00:00:00 UTC\n"
                         "- Fingerprint (SHA-256): ab12\n");
    check_has(part.text, "path: \342\200\234Eva \342\206\220 Sub CA \342\206\220 Root\342\200\235\n");
    check_has(part.text,
              "none of the certificates has been revoked (oldest answer of 2026-11-20 00:00:00 UTC)\n");
    check_has(part.text, "- Cipher: AES-256 (GCM), which protects from change, too\n- Encrypted to: 3 key");
    check_has(part.text, "- Opened with: the recipient's own key (one@gate.example)\n");
    check_has(part.text, "- Weak methods were used: sha1\n");
    check_has(part.text, "outside@x.example. The signed one is shown.\n- Checked: 20");
    check_lacks(part.text, "does not protect");
    check_has(part.html, ">\342\200\234Eva \342\206\220 Sub CA \342\206\220 Root\342\200\235<");
    free_part(&part);
    f.config.report = CONFIG_REPORT_TEXT;
    read_part(&part, &f, "\n");
    value = header_value_of(&part.mime.root->header, "Content-Language");
    ck_assert_str_eq(value, "en");
    free(value);
    free_part(&part);
    fixture_close(&f);
}
END_TEST

/* Who else got the message stays unknown: a person's key is named to that person alone. */
START_TEST(test_keys)
{
    struct fixture f;
    struct part part;

    fixture_open(&f, NULL);
    strlist_add(&f.strand.recipients, "two@gate.example");
    read_part(&part, &f, "\n");
    check_has(part.text, "- Opened with: the recipient's own key\n");
    check_lacks(part.text, "one@gate.example");
    check_lacks(part.html, "one@gate.example");
    free_part(&part);
    strlist_free(&f.encrypted.layer.key_addresses);
    strlist_add(&f.encrypted.layer.key_addresses, "gate@gate.example");
    f.status.encryption = STATUS_NOT_INTEGRITY_PROTECTED;
    replace(&f.encrypted.layer.cipher, "des-ede3-cbc");
    read_part(&part, &f, "\n");
    check_has(part.text,
              "- Opened with: a key of the gateway for the whole organisation (gate@gate.example)\n");
    check_has(part.text, "- Cipher: Triple DES (CBC), which does not protect from change\n");
    free_part(&part);
    fixture_close(&f);
}
END_TEST

static const struct {
    int setting;
    const char *verdict;
    size_t answers;
    const char *told; /* NULL: nothing */
} revocations[] = {
    {CONFIG_REVOCATION_PREFER, "valid", 2, "- Revocation: none of"},
    {CONFIG_REVOCATION_PREFER, "valid", 1, "- Revocation: nothing is known"},
    {CONFIG_REVOCATION_PREFER, "valid", 0, "- Revocation: could not be found out"},
    {CONFIG_REVOCATION_REQUIRE, "status-unknown", 0, "- Revocation: could not be found out"},
    {CONFIG_REVOCATION_PREFER, "revoked", 2, "- Revocation: the certificate, or one above it, has been"},
    {CONFIG_REVOCATION_OFF, "valid", 0, "- Revocation: is not asked for"},
    {CONFIG_REVOCATION_PREFER, "distrusted", 2, NULL}, /* which may hide that it is revoked, too */
};

START_TEST(test_revocation)
{
    for (size_t i = 0; i < ROWS(revocations); i++) {
        struct fixture f;
        struct part part;

        fixture_open(&f, NULL);
        f.config.revocation = revocations[i].setting;
        replace(&f.signer.verdict.verdict, revocations[i].verdict);
        f.signer.verdict.answers = revocations[i].answers;
        read_part(&part, &f, "\n");
        if (revocations[i].told != NULL)
            check_has(part.text, revocations[i].told);
        else
            check_lacks(part.text, "- Revocation:");
        free_part(&part);
        fixture_close(&f);
    }
}
END_TEST

/* Lines that could be taken for what the gateway says. */
static size_t count_lines(const char *text, const char *pattern)
{
    regmatch_t match;
    regex_t regex;
    size_t count = 0;

    ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NEWLINE), 0);
    while (regexec(&regex, text, 1, &match, 0) == 0 && match.rm_eo > 0) {
        count++;
        text += match.rm_eo;
    }
    regfree(&regex);
    return count;
}

/* The same report with honest and with hostile names has the same lines and the same tags. */
START_TEST(test_hostile)
{
    struct fixture honest, hostile;
    struct part good, bad;
    struct ask_verdict *verdict = &hostile.signer.verdict;
    static const char *const counted[] = {"\n", "^- ", "<[a-z]", "</[a-z]", "[\"]", "&", "\342\200\234"};

    fixture_open(&honest, NULL);
    fixture_open(&hostile, NULL);
    replace(&verdict->subject, HOSTILE);
    replace(&verdict->issuer, HOSTILE);
    replace(&verdict->evidence, HOSTILE);
    replace(&verdict->reason, HOSTILE);
    replace(&honest.signer.verdict.reason, "x");
    strlist_free(&verdict->path);
    for (int i = 0; i < 3; i++)
        strlist_add(&verdict->path, HOSTILE);
    read_part(&good, &honest, "\n");
    read_part(&bad, &hostile, "\n");
    for (size_t i = 0; i < ROWS(counted); i++) {
        ck_assert_msg(count_lines(good.text, counted[i]) == count_lines(bad.text, counted[i]) ||
                          counted[i][0] == '<' || counted[i][0] == '&',
                      "text: %s\n%s", counted[i], bad.text);
        ck_assert_msg(count_lines(good.html, counted[i]) == count_lines(bad.html, counted[i]) ||
                          counted[i][0] == '&',
                      "html: %s\n%s", counted[i], bad.html);
    }
    check_has(bad.html, "&lt;b&gt;x&lt;/b&gt;&#39; boss(at)bank. example");
    check_lacks(bad.html, "\342\200\256");
    check_lacks(bad.text, "\342\200\256");
    check_lacks(bad.text, "http://");
    check_lacks(bad.html, "http://");
    check_lacks(bad.text, "evil.example");
    check_lacks(bad.text, admin); /* a value is not filled in again */
    free_part(&good);
    free_part(&bad);
    fixture_close(&honest);
    fixture_close(&hostile);
}
END_TEST

/* Without any template there is still a report, in HTML too. */
START_TEST(test_missing)
{
    struct fixture f;
    struct part part;
    char *words;

    fixture_open(&f, "/nonexistent");
    replace(&f.signer.verdict.issuer, "CN=<i>");
    read_part(&part, &f, "\n");
    check_has(part.text, "Signature: valid\n");
    check_has(part.text, "Encryption: decrypted\n");
    check_has(part.text, "Signed by: eva@partner.example\n");
    check_has(part.html, "<pre");
    check_has(part.html, "Signature: valid\n");
    check_has(part.html, "&lt;i&gt;");
    check_lacks(part.text, "${");
    free_part(&part);
    words = finding_words(&f.config, "signature", "valid");
    ck_assert_str_eq(words, "Signature: valid");
    free(words);
    fixture_close(&f);
}
END_TEST

UNIT_MAIN("incoming-report", test_statuses, test_details, test_keys, test_revocation, test_hostile,
          test_missing)
