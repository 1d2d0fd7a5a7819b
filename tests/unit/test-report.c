#include "delivery/report.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "delivery/report_private.h"
#include "mail/mime.h"
#include "mail_input.h"
#include "tests/unit/delivery_fixture.h"
#include "tests/unit/unit.h"
#include "util/fdio.h"
#include "util/mem.h"
#include "util/tmpfile.h"

#define ORIGINAL                                                                                             \
    "Received: from pc17.behoerde.de by gate.behoerde.de\n"                                                  \
    "From: =?utf-8?q?J=C3=BCrgen?= <user_1@behoerde.de>\n"                                                   \
    "To: partner@x.example\n"                                                                                \
    "Subject: =?utf-8?q?Angebot_f=C3=BCr_Sie?=\n"                                                            \
    "Date: Sat, 21 Nov 2026 20:00:00 +0100\n"                                                                \
    "Message-ID: <original@behoerde.de>\n"                                                                   \
    "\n"                                                                                                     \
    "SECRET BODY\n"

static struct fixture f;
static struct journal *journal;

static void reopen(void)
{
    journal_close(journal);
    journal = journal_open(&f.message, &f.outcome);
    ck_assert_ptr_nonnull(journal);
}

static void set_up(const char *text, const char *sender)
{
    journal = NULL;
    fixture_set_up(&f, text, sender);
    fixture_target(&f, CONFIG_TARGET_INTERNAL, FIXTURE_STORE);
    fixture_target(&f, CONFIG_TARGET_EXTERNAL, "touch %1$s/external");
    reopen();
}

static void tear_down(void)
{
    journal_close(journal);
    fixture_tear_down(&f);
}

static char *calls(void)
{
    return fixture_file(&f, "calls");
}

static void check_calls(const char *wanted)
{
    char *text = calls();

    ck_assert_str_eq(text, wanted);
    free(text);
}

static void forget_mail(void)
{
    fixture_remove(&f, "args");
    fixture_remove(&f, "body");
    fixture_remove(&f, "calls");
}

/* The mail that the target got, as any mail program would read it. */
struct mail {
    int fd;
    struct mime mime;
};

static void read_mail(struct mail *mail)
{
    char *text = fixture_file(&f, "body");

    mail->fd = tmpfile_open("/tmp", 0, 0);
    ck_assert_int_eq(fdio_write_all(mail->fd, text, strlen(text)), 0);
    ck_assert_int_eq(mime_parse(&mail->mime, mail->fd, 0, strlen(text), &(struct mime_limits){0}), 0);
    free(text);
}

static void free_mail(struct mail *mail)
{
    mime_free(&mail->mime);
    fdio_close(&mail->fd);
}

static void check_contains(const char *text, const char *wanted)
{
    ck_assert_msg(strstr(text, wanted) != NULL, "\"%s\" is not in:\n%s", wanted, text);
}

static void check_field(const struct mime_part *part, const char *name, const char *wanted)
{
    char *value = header_value_of(&part->header, name), *decoded;

    ck_assert_msg(value != NULL, "%s is missing", name);
    decoded = header_decode(value);
    ck_assert_str_eq(decoded, wanted);
    free(decoded);
    free(value);
}

static void report(const char *reason, const char *detail)
{
    struct report_recipient recipient = {"partner@x.example", "5.7.5", reason, detail, NULL};

    outcome_done(&f.outcome);
    report_undelivered(&f.message, journal, &recipient, 1, &f.outcome);
}

START_TEST(filling)
{
    static const char *const pairs[] = {"A",
                                        "alpha",
                                        "B",
                                        "b\r\nBcc: x\t\x7f",
                                        "EMPTY",
                                        "",
                                        "NULL",
                                        NULL,
                                        "UTF",
                                        "\xC3\xBC\xFF\xE2\x80\xAE"
                                        "x\xC2\x85",
                                        NULL};
    static const struct {
        const char *text, *wanted;
    } rows[] = {
        {"", ""},
        {"plain", "plain\n"},
        {"${A}-${A}\n", "alpha-alpha\n"},
        {"one\r\ntwo\r\n", "one\ntwo\n"},
        {"keep\n${EMPTY}\ngone ${NULL}${OTHER}\n${EMPTY}${A}\n\nend\n", "keep\nalpha\n\nend\n"},
        {"${B}\n", "b  Bcc: x  \n"},
        {"${UTF}\n", "\xC3\xBC? x \n"},
        {"$A {A} ${A ${}\n", ""}, /* the first "}" closes: "A ${" is no name, so the line has no value */
        {"${A", "${A\n"},
        {"${BLOCK}|${A}\n", "line 1\nline 2\n|alpha\n"},
    };

    static const char *const blocks[] = {"BLOCK", "line 1\nline 2\n", NULL};

    for (size_t i = 0; i < ROWS(rows); i++) {
        char *text = report_fill(rows[i].text, pairs, blocks, false);

        ck_assert_msg(strcmp(text, rows[i].wanted) == 0, "row %zu: %s", i, text);
        free(text);
    }
}
END_TEST

/* In HTML, values and blocks stay text, in attribute values too. */
START_TEST(html)
{
    static const char *const pairs[] = {"A", "<b>&\"'\r\n</td>", "UTF", "\xC3\xBC\xE2\x80\xAE", NULL};
    static const char *const blocks[] = {"BLOCK", "one <i>\ntwo\n\n\n& three", "NONE", "", NULL};
    static const char template[] = "<td title=\"${A}\">${A}</td>\n<p>${BLOCK}</p>\n<p>${NONE}</p>\n${UTF}\n";
    char *dir, *path, *text = report_fill(template, pairs, blocks, true);

    ck_assert_str_eq(text, "<td title=\"&lt;b&gt;&amp;&quot;&#39;  &lt;/td&gt;\">"
                           "&lt;b&gt;&amp;&quot;&#39;  &lt;/td&gt;</td>\n"
                           "<p>one &lt;i&gt;\ntwo<br><br>\n&amp; three</p>\n\xC3\xBC \n");
    free(text);
    ck_assert_ptr_null(report_html("/nonexistent", "xx", "name", pairs, blocks));
    set_up(ORIGINAL, "user_1@behoerde.de");
    dir = mem_printf("%s/templates/xx", f.folder);
    ck_assert_int_eq(fdio_make_dirs(dir, 0700), 0);
    path = mem_printf("%s/name.html", dir);
    dir[strlen(dir) - 3] = '\0';
    ck_assert_int_eq(fdio_replace_file(path, "# x\n${UTF}", 10, 0600), 0);
    text = report_html(dir, "xx", "name", pairs, blocks);
    ck_assert_str_eq(text, "\xC3\xBC \n");
    free(text);
    ck_assert_int_eq(fdio_replace_file(path, "\xFF${A}", 5, 0600), 0);
    ck_assert_ptr_null(report_html(dir, "xx", "name", pairs, blocks));
    free(path);
    free(dir);
    tear_down();
}
END_TEST

START_TEST(fallbacks)
{
    static const char *const pairs[] = {"RECIPIENT", "r@x",  "REASON", "strange", "DETAIL",
                                        "d",         "KIND", "k",      NULL};
    static const char own[] = "# for editors\n# two\n${RECIPIENT}: ${REASON}\n";
    char *dir, *path, *text;

    set_up(ORIGINAL, "user_1@behoerde.de");
    dir = mem_printf("%s/templates/xx", f.folder);
    ck_assert_int_eq(fdio_make_dirs(dir, 0700), 0);
    path = mem_printf("%s/reason.txt", dir);
    dir[strlen(dir) - 3] = '\0';
    text = report_template(dir, "xx", "reason-strange", pairs);
    check_contains(text, "Reason: strange"); /* built in */
    free(text);
    ck_assert_int_eq(fdio_replace_file(path, own, strlen(own), 0600), 0);
    text = report_template(dir, "xx", "reason-strange", pairs);
    ck_assert_str_eq(text, "r@x: strange\n");
    free(text);
    text = report_template(dir, "xx", "reason-../../../etc/passwd", pairs); /* a name is no path */
    check_contains(text, "Reason: strange");
    free(text);
    ck_assert_int_eq(fdio_replace_file(path, "\xFF no text", 9, 0600), 0);
    text = report_template(dir, "xx", "reason-strange", pairs);
    check_contains(text, "Reason: strange");
    free(text);
    text = report_template("/nonexistent", "de", "unheard-of", pairs);
    ck_assert_str_eq(text, "");
    free(text);
    text = report_template("/nonexistent", "de", "notice-any", pairs);
    check_contains(text, "reports: k");
    free(text);
    free(path);
    free(dir);
    tear_down();
}
END_TEST

static void check_template(const char *language, const char *file)
{
    static const char *const pairs[] = {
        "RECIPIENT", "r@x.example", "REASON",   "key",   "DETAIL",     "2026-03-01", "STATUS",
        "5.7.5",     "SENDER",      "s@x",      "ADMIN", "admin@x",    "SUBJECT",    "subject",
        "DATE",      "date",        "QUEUE_ID", "4ABC",  "MYHOSTNAME", "host",       "KIND",
        "kind",      "HELD_BACK",   "7",        "COUNT", "2",          "MESSAGE_ID", "<1@x.example>",
        "FOUND",     "x",           "KEYTRANS", "k",     "CIPHER",     "c",          "SIGNATURE",
        "s",         NULL};
    static const char *const blocks[] = {"VALUES", "block\n", NULL};
    const char *templates = f.config.templates;
    char *name = mem_strndup(file, strlen(file) - 4);
    bool reason = strncmp(name, "reason", 6) == 0;
    char *raw_path = mem_printf("%s/%s/%s", templates, language, file);
    struct buf raw = {0};
    char *text = report_text(templates, language, name, pairs, reason ? NULL : blocks);

    ck_assert_int_eq(fdio_read_file(raw_path, 1 << 16, &raw), 0);
    ck_assert_msg(strstr(text, "${") == NULL, "%s/%s", language, file);
    ck_assert_msg(reason || strncmp(text, "Subject: ", 9) == 0, "%s/%s", language, file);
    ck_assert_msg(!reason || strncmp(text, "r@x.example\n", 12) == 0, "%s/%s", language, file);
    ck_assert_msg(strncmp(file, "notice", 6) != 0 || strstr(raw.data, "${VALUES}") != NULL, "%s/%s", language,
                  file);
    for (const char *mark = raw.data; (mark = strstr(mark, "${")) != NULL;
         mark += 2) { /* only names that exist */
        size_t len = strcspn(mark + 2, "}");
        bool known = strncmp(mark, "${VALUES}", 9) == 0 || strncmp(mark, "${REASONS}", 10) == 0;

        for (size_t i = 0; pairs[i] != NULL; i += 2)
            known = known || (strlen(pairs[i]) == len && strncmp(pairs[i], mark + 2, len) == 0);
        ck_assert_msg(known, "%s/%s: %.20s", language, file, mark);
    }
    buf_free(&raw);
    free(text);
    free(raw_path);
    free(name);
}

/* The others tell readers about incoming mail (test-incoming-report.c). */
static bool is_of_a_mail(const char *file)
{
    static const char *const begins[] = {"notice", "reason", "undelivered", "withheld"};

    for (size_t i = 0; i < ROWS(begins); i++)
        if (strncmp(file, begins[i], strlen(begins[i])) == 0)
            return true;
    return false;
}

/* Both languages have the same files, and every file is right. */
START_TEST(shipped_templates)
{
    static const char *const languages[] = {"de", "en"};
    size_t counts[2] = {0, 0};

    set_up(ORIGINAL, "user_1@behoerde.de");
    for (size_t i = 0; i < 2; i++) {
        char *path = mem_printf("%s/%s", f.config.templates, languages[i]);
        DIR *dir = opendir(path);
        struct dirent *entry;

        ck_assert_ptr_nonnull(dir);
        while ((entry = readdir(dir)) != NULL) {
            char *twin = mem_printf("%s/%s/%s", f.config.templates, languages[1 - i], entry->d_name);

            ck_assert_msg(access(twin, R_OK) == 0, "%s is missing", twin);
            free(twin);
            if (!is_of_a_mail(entry->d_name))
                continue;
            counts[i]++;
            check_template(languages[i], entry->d_name);
        }
        closedir(dir);
        free(path);
    }
    ck_assert_uint_gt(counts[0], 25);
    ck_assert_uint_eq(counts[0], counts[1]);
    tear_down();
}
END_TEST

START_TEST(undelivered)
{
    struct mail mail;
    const struct mime_part *root, *part;
    char *text;

    set_up(ORIGINAL, "user_1@behoerde.de");
    f.message.envelope.queue_id = mem_strdup("4ABCDEF");
    f.message.envelope.dsn_envid = mem_strdup("env-7");
    report("expired", "2026-03-01");
    ck_assert_int_eq(f.outcome.kind, OUTCOME_DONE);
    text = fixture_file(&f, "args");
    ck_assert_str_eq(text, "-C\n-i\n-f\n<>\n--\nuser_1@behoerde.de\n");
    free(text);
    read_mail(&mail);
    root = mail.mime.root;
    check_field(root, "To", "<user_1@behoerde.de>");
    check_field(root, "From", "Mail gateway <MAILER-DAEMON@gate.behoerde.de>");
    check_field(root, "Reply-To", "<postmaster@behoerde.de>");
    check_field(root, "Subject", "Not delivered: Angebot f\xC3\xBCr Sie");
    check_field(root, "Auto-Submitted", "auto-replied");
    check_field(root, "In-Reply-To", "<original@behoerde.de>");
    ck_assert(mime_type_is(root, "multipart/report"));
    ck_assert_str_eq(header_typed_param(&root->type, "report-type"), "delivery-status");
    ck_assert(root->closed);
    part = root->children;
    ck_assert(mime_type_is(part, "text/plain"));
    text = input_part_text(mail.fd, part);
    check_contains(text, "partner@x.example\n");
    check_contains(text, "has\n    expired.\n    Expired on: 2026-03-01\n");
    check_contains(text, "4ABCDEF");
    ck_assert_ptr_null(strstr(text, "${"));
    free(text);
    part = part->next;
    ck_assert(mime_type_is(part, "message/delivery-status"));
    text = input_part_text(mail.fd, part);
    check_contains(text, "Reporting-MTA: dns; gate.behoerde.de\nOriginal-Envelope-Id: env-7\n\n"
                         "Final-Recipient: rfc822; partner@x.example\nAction: failed\nStatus: 5.7.5\n"
                         "Diagnostic-Code: x-julia; expired 2026-03-01\n");
    free(text);
    part = part->next;
    ck_assert(mime_type_is(part, "text/rfc822-headers"));
    text = input_part_text(mail.fd, part);
    check_contains(text, "Message-ID: <original@behoerde.de>\n");
    ck_assert_ptr_null(strstr(text, "SECRET"));
    free(text);
    ck_assert_ptr_null(part->next);
    free_mail(&mail);
    tear_down();
}
END_TEST

START_TEST(german)
{
    static const struct {
        const char *reason, *detail, *wanted;
    } rows[] = {
        {"expired", "2026-03-01", "Abgelaufen am: 2026-03-01"},
        {"revoked", NULL, "widerrufen (gesperrt)"},
        {"no-certificate", NULL, "kein Zertifikat"},
        {"wrong-address", NULL, "geh\xC3\xB6rt nicht zu dieser Adresse"},
        {"status-unknown", NULL,
         "konnte nicht gepr\xC3\xBC"
         "ft"},
        {"rejected", "Bitte das Portal benutzen", "    Bitte das Portal benutzen\n"},
        {"no-key", "mail@behoerde.de", "Schl\xC3\xBCssel f\xC3\xBCr: mail@behoerde.de"},
        {"structure", "x", "so ungew\xC3\xB6hnlich"},
        {"unheard-of", NULL, "Grund: unheard-of"},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct mail mail;
        char *text;

        set_up(ORIGINAL, "user_1@behoerde.de");
        free(f.config.language);
        f.config.language = mem_strdup("de");
        report(rows[i].reason, rows[i].detail);
        read_mail(&mail);
        check_field(mail.mime.root, "Subject", "Nicht zugestellt: Angebot f\xC3\xBCr Sie");
        text = input_part_text(mail.fd, mail.mime.root->children);
        check_contains(text, rows[i].wanted);
        free(text);
        free_mail(&mail);
        tear_down();
    }
}
END_TEST

START_TEST(several_recipients)
{
    struct report_recipient recipients[] = {{"a@x.example", "5.7.5", "revoked", NULL, NULL},
                                            {"j\xC3\xBCrgen@x.example", "5.7.1", "rejected",
                                             "gr\xC3\xBC\xC3\x9F"
                                             "e",
                                             NULL},
                                            {"c@x.example", "5.7.5", "no-certificate", NULL, NULL}};
    struct mail mail;
    char *text;

    set_up(ORIGINAL, "user_1@behoerde.de");
    report_undelivered(&f.message, journal, recipients, 2, &f.outcome);
    read_mail(&mail);
    text = input_part_text(mail.fd, mail.mime.root->children->next);
    check_contains(text, "\n\nFinal-Recipient: rfc822; a@x.example\n");
    check_contains(text, "\n\nFinal-Recipient: utf-8; j\\x{FC}rgen@x.example\n");
    check_contains(text, "x-julia; rejected gr????e\n");
    free(text);
    free_mail(&mail);
    reopen();
    forget_mail();
    report_undelivered(&f.message, journal, recipients, 3,
                       &f.outcome); /* a retry: only the new one is told */
    read_mail(&mail);
    text = input_part_text(mail.fd, mail.mime.root->children->next);
    check_contains(text, "Final-Recipient: rfc822; c@x.example");
    ck_assert_ptr_null(strstr(text, "a@x.example"));
    free(text);
    free_mail(&mail);
    forget_mail();
    report_undelivered(&f.message, journal, recipients, 3, &f.outcome);
    check_calls("");
    ck_assert_int_eq(f.outcome.kind, OUTCOME_DONE);
    tear_down();
}
END_TEST

/* Values that only one reason has; those of all reasons stand before them, also where one is missing. */
START_TEST(values_of_a_reason)
{
    static const char *const pairs[] = {"FOUND",      "RSAES-PKCS1-v1_5", "CIPHER", NULL, "KEYTRANS",
                                        "RSAES-OAEP", "SENDER",           "nobody", NULL};
    const struct report_recipient recipient = {"partner@x.example", "5.7.6", "form", NULL, pairs};
    struct mail mail;
    char *text;

    set_up(ORIGINAL, "user_1@behoerde.de");
    report_undelivered(&f.message, journal, &recipient, 1, &f.outcome);
    read_mail(&mail);
    text = input_part_text(mail.fd, mail.mime.root->children);
    check_contains(text, "Found:    RSAES-PKCS1-v1_5\n    Required: key transport RSAES-OAEP\n    What");
    free(text);
    free_mail(&mail);
    tear_down();
}
END_TEST

static enum outcome_kind refuse_incoming(const char *text, const char *sender, const char *recipient,
                                         size_t *count_r)
{
    const struct report_recipient refused = {recipient, "5.7.6", "form", "found: x", NULL};
    struct outcome outcome;

    journal_close(journal);
    fixture_message(&f, text, strlen(text), sender);
    journal = journal_open(&f.message, &f.outcome);
    outcome_done(&outcome);
    *count_r = report_refuse_incoming(&f.message, journal, &refused, 1, &outcome);
    return outcome.kind;
}

/* Each sender hears once an hour, and of every recipient of that message; our own people never. */
START_TEST(refused_incoming)
{
    static const char first[] = "From: a@x.example\n\n1\n", second[] = "From: a@x.example\n\n2\n";
    static const struct {
        const char *text, *sender, *recipient;
        size_t count;
        const char *calls;
    } rows[] = {
        {first, "a@x.example", "user_1@behoerde.de", 1, "x\n"},
        {first, "a@x.example", "user_1@behoerde.de", 0, ""}, /* a retry */
        {first, "a@x.example", "user_2@behoerde.de", 1, "x\n"},
        {second, "A@X.example", "user_1@behoerde.de", 1, ""}, /* the same sender, within the hour */
        {second, "b@x.example", "user_1@behoerde.de", 1, "x\n"},
        {second, "user_1@behoerde.de", "user_2@behoerde.de", 1, ""},
        {second, "root", "user_2@behoerde.de", 1, ""},
        {second, "", "user_2@behoerde.de", 1, ""},
    };
    size_t count;

    set_up(ORIGINAL, "user_1@behoerde.de");
    fixture_target(&f, CONFIG_TARGET_EXTERNAL, FIXTURE_STORE);
    for (size_t i = 0; i < ROWS(rows); i++) {
        forget_mail();
        ck_assert_int_eq(refuse_incoming(rows[i].text, rows[i].sender, rows[i].recipient, &count),
                         OUTCOME_DONE);
        ck_assert_msg(count == rows[i].count, "row %zu: %zu", i, count);
        if (rows[i].sender[0] != '\0') /* ADMIN hears of that */
            check_calls(rows[i].calls);
    }
    fixture_target(&f, CONFIG_TARGET_EXTERNAL, "exit 75");
    ck_assert_int_eq(refuse_incoming(second, "c@x.example", "user_1@behoerde.de", &count), OUTCOME_TEMPORARY);
    ck_assert_uint_eq(count, 0);
    fixture_target(&f, CONFIG_TARGET_EXTERNAL, FIXTURE_STORE);
    forget_mail();
    ck_assert_int_eq(refuse_incoming(second, "c@x.example", "user_1@behoerde.de", &count), OUTCOME_DONE);
    ck_assert_uint_eq(count, 1);
    check_calls("x\n"); /* what could not be sent was not counted against it */
    tear_down();
}
END_TEST

START_TEST(target_refuses)
{
    set_up(ORIGINAL, "user_1@behoerde.de");
    fixture_target(&f, CONFIG_TARGET_INTERNAL, "exit 67");
    report("expired", NULL);
    ck_assert_int_eq(f.outcome.kind, OUTCOME_TEMPORARY);
    fixture_target(&f, CONFIG_TARGET_INTERNAL, FIXTURE_STORE);
    reopen();
    report("expired", NULL);
    ck_assert_int_eq(f.outcome.kind, OUTCOME_DONE);
    check_calls("x\n");
    tear_down();
}
END_TEST

/* RFC 3834: whom no program answers. ADMIN hears of it instead. */
START_TEST(unanswered)
{
    static const struct {
        const char *header, *sender;
        bool answered;
    } rows[] = {
        {"", "user_1@behoerde.de", true},
        {"", "", false},
        {"", "MAILER-daemon@behoerde.de", false},
        {"", "owner-list@behoerde.de", false},
        {"", "list-request@behoerde.de", false},
        {"", "requests@behoerde.de", true},
        {"List-Id: <l.example>\n", "user_1@behoerde.de", false},
        {"list-unsubscribe: <x>\n", "user_1@behoerde.de", false},
        {"Listen: no\n", "user_1@behoerde.de", true},
        {"Auto-Submitted: no\n", "user_1@behoerde.de", true},
        {"Auto-Submitted: No (really)\n", "user_1@behoerde.de", true},
        {"Auto-Submitted: auto-generated\n", "user_1@behoerde.de", false},
        {"Auto-Submitted: auto-replied; x=y\n", "user_1@behoerde.de", false},
        {"Precedence: bulk\n", "user_1@behoerde.de", false},
        {"Precedence: List\n", "user_1@behoerde.de", false},
        {"Precedence: junk\n", "user_1@behoerde.de", false},
        {"Precedence: first-class\n", "user_1@behoerde.de", true},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        char *text = mem_printf("%s" ORIGINAL, rows[i].header), *args;

        set_up(text, rows[i].sender);
        report("expired", NULL);
        ck_assert_int_eq(f.outcome.kind, OUTCOME_DONE);
        args = fixture_file(&f, "args");
        ck_assert_msg((strstr(args, "--\npostmaster@behoerde.de\n") == NULL) == rows[i].answered, "row %zu",
                      i);
        ck_assert_msg((strstr(args, "--\nuser_1@") != NULL || strstr(args, "--\nrequests@") != NULL) ==
                          rows[i].answered,
                      "row %zu", i);
        free(args);
        free(text);
        tear_down();
    }
}
END_TEST

START_TEST(notify)
{
    static const struct {
        const char *notify;
        bool answered;
    } rows[] = {{"NEVER", false},  {"SUCCESS", false},        {"SUCCESS,DELAY", false},
                {"FAILURE", true}, {"success,failure", true}, {NULL, true}};

    for (size_t i = 0; i < ROWS(rows); i++) {
        char *text;

        set_up(ORIGINAL, "user_1@behoerde.de");
        f.message.envelope.dsn_notify = mem_strdup(rows[i].notify);
        report("expired", NULL);
        text = calls();
        ck_assert_msg((*text != '\0') == rows[i].answered, "row %zu", i);
        free(text);
        tear_down();
    }
}
END_TEST

START_TEST(hostile_values)
{
    static const char hostile[] = "From: x\nSubject: =?utf-8?q?a=0D=0ABcc:_evil@x.example=0D=0A=0D=0Abody?=\n"
                                  "Message-ID: <a b\r c>\nDate: \x1b[2J${ADMIN}\n\n";
    struct mail mail;
    const struct mime_part *root;
    char *text;

    set_up(hostile, "user_1@behoerde.de");
    report("rejected", "one\r\n\r\n--=_julia_x--\r\nBcc: evil@x.example");
    read_mail(&mail);
    root = mail.mime.root;
    ck_assert_int_eq(header_find(&root->header, "Bcc", 0), -1);
    ck_assert_int_eq(header_find(&root->header, "In-Reply-To", 0), -1);
    ck_assert_uint_eq(mail.mime.parts, 4);
    text = input_part_text(mail.fd, root->children);
    ck_assert_ptr_null(strchr(text, '\x1b'));
    check_contains(text, "${ADMIN}"); /* a value is not filled in again */
    ck_assert_ptr_null(strstr(text, "\nBcc:"));
    free(text);
    text = input_part_text(mail.fd, root->children->next);
    ck_assert_ptr_null(strstr(text, "\nBcc:"));
    free(text);
    free_mail(&mail);
    tear_down();
}
END_TEST

START_TEST(long_header)
{
    char *text = mem_alloc(200000), *quoted;
    struct mail mail;
    size_t len = 0;

    for (int i = 0; i < 1000; i++)
        len += (size_t)sprintf(text + len, "X-Field-%d: %0100d\n", i, i);
    strcpy(text + len, "\nSECRET\n");
    set_up(text, "user_1@behoerde.de");
    report("expired", NULL);
    read_mail(&mail);
    quoted = input_part_text(mail.fd, mail.mime.root->children->next->next);
    ck_assert_uint_le(strlen(quoted), 33000);
    check_contains(quoted, "X-Field-200:");
    ck_assert_ptr_null(strstr(quoted, "SECRET"));
    free(quoted);
    free_mail(&mail);
    free(text);
    tear_down();
}
END_TEST

START_TEST(notices)
{
    struct mail mail;
    char *text;

    set_up(ORIGINAL, "user_1@x.example");
    f.message.envelope.queue_id = mem_strdup("4ABCDEF");
    report_admin(&f.message, journal, "last-check", "FAULT", "body in clear", "MODULE", NULL, (char *)NULL);
    report_admin(&f.message, journal, "last-check", "FAULT", "again",
                 (char *)NULL); /* once a message and kind */
    check_calls("x\n");
    text = fixture_file(&f, "args");
    ck_assert_str_eq(text, "-C\n-i\n-f\n<>\n--\npostmaster@behoerde.de\n");
    free(text);
    read_mail(&mail);
    check_field(mail.mime.root, "Auto-Submitted", "auto-generated");
    check_field(mail.mime.root, "Subject", "julia on gate.behoerde.de: the last check stopped a message");
    text = input_part_text(mail.fd, mail.mime.root);
    check_contains(
        text, "    QUEUE_ID: 4ABCDEF\n    SENDER: user_1@x.example\n    SUBJECT: Angebot f\xC3\xBCr Sie\n"
              "    FAULT: body in clear\n\n");
    ck_assert_ptr_null(strstr(text, "MODULE"));
    ck_assert_ptr_null(strstr(text, "Not sent since"));
    free(text);
    free_mail(&mail);
    reopen();
    report_admin(&f.message, journal, "last-check", (char *)NULL);
    check_calls("x\n");
    report_admin(&f.message, journal, "undecryptable", (char *)NULL);
    check_calls("x\nx\n");
    free(f.config.admin);
    f.config.admin = mem_strdup("someone@outside.example");
    report_admin(&f.message, journal, "forged", (char *)NULL);
    text = mem_printf("%s/external", f.folder);
    ck_assert_int_eq(access(text, F_OK), 0);
    free(text);
    tear_down();
}
END_TEST

static void notice_about(int number)
{
    char *text = mem_printf("Subject: %d\n\n", number);

    fixture_message(&f, text, strlen(text), "a@x.example");
    reopen();
    report_admin(&f.message, journal, "undecryptable", (char *)NULL);
    free(text);
}

/* Ten an hour and kind; the rest is counted and told with the next. */
START_TEST(rate)
{
    char *path, *state, *text;
    struct mail mail;

    set_up(ORIGINAL, "user_1@behoerde.de");
    for (int i = 0; i < 13; i++)
        notice_about(i);
    check_calls("x\nx\nx\nx\nx\nx\nx\nx\nx\nx\n");
    report_admin(&f.message, journal, "forged", (char *)NULL); /* another kind has its own count */
    check_calls("x\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\n");
    path = mem_printf("%s/var/run/notice-undecryptable", f.folder);
    state = mem_printf("%020lld %010d %010d\n", (long long)time(NULL) - 3601, 10, 3);
    ck_assert_int_eq(fdio_replace_file(path, state, strlen(state), 0600), 0);
    forget_mail();
    notice_about(100);
    read_mail(&mail);
    text = input_part_text(mail.fd, mail.mime.root);
    check_contains(text, "Not sent since the last notice of this kind: 3\n");
    free(text);
    free_mail(&mail);
    forget_mail();
    notice_about(101);
    read_mail(&mail);
    text = input_part_text(mail.fd, mail.mime.root);
    ck_assert_ptr_null(strstr(text, "Not sent since"));
    free(text);
    free_mail(&mail);
    free(state);
    free(path);
    tear_down();
}
END_TEST

static void set_rate(const char *kind, long long age, int sent, int held_back)
{
    char *path = mem_printf("%s/var/run/notice-%s", f.folder, kind);
    char *state = mem_printf("%020lld %010d %010d\n", (long long)time(NULL) - age, sent, held_back);

    ck_assert_int_eq(fdio_replace_file(path, state, strlen(state), 0600), 0);
    free(state);
    free(path);
}

/* What was held back is told even if nothing of its kind happens any more. */
START_TEST(held_back)
{
    struct mail mail;
    char *text;

    set_up(ORIGINAL, "user_1@behoerde.de");
    report_admin(&f.message, journal, "relaying", (char *)NULL); /* makes the folder */
    forget_mail();
    set_rate("infected", 3601, 10, 7);
    set_rate("not-answered", 7200, 10, 1);
    set_rate("undecryptable", 3500, 10, 3); /* its hour is not over */
    set_rate("held-back", 7200, 10, 2);     /* not itself */
    fixture_target(&f, CONFIG_TARGET_INTERNAL, "exit 75");
    report_held_back(&f.config);
    fixture_target(&f, CONFIG_TARGET_INTERNAL, FIXTURE_STORE);
    report_held_back(&f.config);
    read_mail(&mail);
    text = input_part_text(mail.fd, mail.mime.root);
    check_contains(text, "    infected: 7\n");
    check_contains(text, "    not-answered: 1\n");
    ck_assert_ptr_null(strstr(text, "undecryptable"));
    ck_assert_ptr_null(strstr(text, "held-back:"));
    free(text);
    free_mail(&mail);
    forget_mail();
    report_held_back(&f.config); /* once */
    check_calls("");
    tear_down();
}
END_TEST

/* A notice never fails the mail, and never takes its time. */
START_TEST(notice_faults)
{
    char *path, *away;

    set_up(ORIGINAL, "user_1@behoerde.de");
    fixture_target(&f, CONFIG_TARGET_INTERNAL, "exit 70");
    report_admin(&f.message, journal, "forged", (char *)NULL);
    fixture_target(&f, CONFIG_TARGET_INTERNAL, FIXTURE_STORE);
    reopen();
    report_admin(&f.message, journal, "forged", (char *)NULL); /* was not noted as sent */
    check_calls("x\n");
    path = mem_printf("%s/var", f.folder); /* var/run cannot be made: beside the journal then */
    away = mem_printf("%s/old", f.folder);
    ck_assert_int_eq(rename(path, away), 0);
    free(away);
    ck_assert_int_eq(fdio_replace_file(path, "", 0, 0600), 0);
    report_admin(&f.message, journal, "undecryptable", (char *)NULL);
    check_calls("x\nx\n");
    free(f.config.admin);
    f.config.admin = NULL;
    report_admin(&f.message, journal, "gave-up", (char *)NULL);
    check_calls("x\nx\n");
    free(path);
    tear_down();
}
END_TEST

UNIT_MAIN("report", filling, html, fallbacks, shipped_templates, undelivered, german, several_recipients,
          values_of_a_reason, refused_incoming, target_refuses, unanswered, notify, hostile_values,
          long_header, notices, rate, held_back, notice_faults)
