/* Uses (extendedKeyUsage, keyUsage, kind of key), forms, and name constraints on mail addresses. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/trust_bench.h"
#include "tests/unit/unit.h"

static struct bench bench;
static struct pki *root;

static void start(const char *conf)
{
    bench_start(&bench, conf);
    root = pki_issue(NULL, &(struct pki_spec){.name = "Root", .ca = true});
    bench_put(&bench, "ca", root->certificate);
}

static enum verdict judge_for(const struct pki *leaf, enum use use)
{
    return bench_judge(&bench, leaf->certificate, use, NULL, NULL, NULL);
}

START_TEST(test_key_usage)
{
    static const struct {
        const char *type, *usage, *purpose;
        bool signs, encrypts;
    } rows[] = {
        {"EC", NULL, NULL, true, true},
        {"EC", "digitalSignature", NULL, true, false},
        {"EC", "nonRepudiation", NULL, true, false},
        {"EC", "keyAgreement", NULL, false, true},
        {"EC", "keyEncipherment", NULL, false, false},
        {"EC", "keyCertSign,cRLSign", NULL, false, false},
        {"RSA", NULL, NULL, true, true},
        {"RSA", "keyEncipherment", NULL, false, true},
        {"RSA", "keyAgreement", NULL, false, false},
        {"RSA", "dataEncipherment", NULL, false, false},
        {"RSA", "digitalSignature,keyEncipherment", "emailProtection", true, true},
        {"RSA-PSS", NULL, NULL, true, false},
        {"ED25519", NULL, NULL, true, false},
        {"X25519", NULL, NULL, false, true},
        {"EC", NULL, "emailProtection", true, true},
        {"EC", NULL, "serverAuth,emailProtection", true, true},
        {"EC", NULL, "anyExtendedKeyUsage", true, true},
        {"EC", NULL, "clientAuth", false, false},
        {"EC", NULL, "critical,codeSigning", false, false},
    };
    EVP_PKEY *rsa, *pss, *key;

    start("");
    rsa = pki_key("RSA", 2048);
    pss = pki_key("RSA-PSS", 2048);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct pki *leaf;
        key = strcmp(rows[i].type, "RSA") == 0       ? rsa
              : strcmp(rows[i].type, "RSA-PSS") == 0 ? pss
                                                     : pki_key(rows[i].type, 256);
        leaf = pki_issue(root,
                         &(struct pki_spec){
                             .name = "User", .key = key, .usage = rows[i].usage, .purpose = rows[i].purpose});
        ck_assert_msg(judge_for(leaf, USE_SIGN) == (rows[i].signs ? VERDICT_VALID : VERDICT_WRONG_USE),
                      "row %zu: sign %s", i, verdict_name(bench.judgement.verdict));
        ck_assert_msg(judge_for(leaf, USE_ENCRYPT) == (rows[i].encrypts ? VERDICT_VALID : VERDICT_WRONG_USE),
                      "row %zu: encrypt %s", i, verdict_name(bench.judgement.verdict));
        ck_assert_verdict(judge_for(leaf, USE_ANY), VERDICT_VALID);
    }
    bench_end(&bench);
}
END_TEST

START_TEST(test_netscape_type)
{
    struct pki *leaf;

    start("");
    leaf = pki_issue(root, &(struct pki_spec){.name = "A", .more = {"nsCertType", "client"}});
    ck_assert_verdict(judge_for(leaf, USE_SIGN), VERDICT_WRONG_USE);
    leaf = pki_issue(root, &(struct pki_spec){.name = "B", .more = {"nsCertType", "client,email"}});
    ck_assert_verdict(judge_for(leaf, USE_SIGN), VERDICT_VALID);
    leaf = pki_issue(root, &(struct pki_spec){
                               .name = "C", .purpose = "emailProtection", .more = {"nsCertType", "client"}});
    ck_assert_verdict(judge_for(leaf, USE_SIGN), VERDICT_VALID);
    bench_end(&bench);
}
END_TEST

START_TEST(test_issuer_purpose)
{
    struct pki *ca, *leaf;

    start("");
    ca =
        pki_issue(root, &(struct pki_spec){.name = "TLS CA", .ca = true, .purpose = "serverAuth,clientAuth"});
    bench_put(&bench, "ca", ca->certificate);
    leaf = pki_issue(ca, &(struct pki_spec){.name = "User", .purpose = "emailProtection"});
    ck_assert_verdict(judge_for(leaf, USE_SIGN), VERDICT_WRONG_USE);
    ck_assert_ptr_nonnull(strstr(bench.judgement.reason, "issuer CN=TLS CA"));
    ck_assert_verdict(judge_for(leaf, USE_ANY), VERDICT_VALID);
    bench_end(&bench);
}
END_TEST

/* Who may be an issuer at all. */
START_TEST(test_issuers)
{
    static const struct {
        struct pki_spec issuer;
        enum verdict verdict;
    } rows[] = {
        {{.name = "I0", .ca = true}, VERDICT_VALID},
        {{.name = "I1", .usage = "keyCertSign"}, VERDICT_NO_PATH}, /* no basicConstraints */
        {{.name = "I2"}, VERDICT_NO_PATH},
        {{.name = "I3", .ca = true, .usage = "digitalSignature,cRLSign"}, VERDICT_NO_PATH},
        {{.name = "I4", .more = {"basicConstraints", "critical,CA:FALSE"}}, VERDICT_NO_PATH},
        {{.name = "I5", .more = {"basicConstraints", "CA:TRUE,pathlen:0"}}, VERDICT_VALID},
        {{.name = "I6", .ca = true, .more = {"1.3.6.1.4.1.99999.1", "critical,DER:0500"}}, VERDICT_NO_PATH},
        {{.name = "I7", .ca = true, .more = {"1.3.6.1.4.1.99999.1", "DER:0500"}}, VERDICT_VALID},
    };

    start("");
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct pki *issuer = pki_issue(root, &rows[i].issuer);
        struct pki *leaf = pki_issue(issuer, &(struct pki_spec){.name = "User"});
        const X509 *extras[] = {issuer->certificate, NULL};
        enum verdict got = bench_judge(&bench, leaf->certificate, USE_SIGN, NULL, extras, NULL);
        ck_assert_msg(got == rows[i].verdict, "row %zu: %s", i, verdict_name(got));
    }
    bench_end(&bench);
}
END_TEST

START_TEST(test_path_length)
{
    struct pki *first, *second, *leaf;

    start("");
    first = pki_issue(root, &(struct pki_spec){.name = "First",
                                               .usage = "keyCertSign",
                                               .more = {"basicConstraints", "critical,CA:TRUE,pathlen:0"}});
    second = pki_issue(first, &(struct pki_spec){.name = "Second", .ca = true});
    leaf = pki_issue(second, &(struct pki_spec){.name = "User"});
    bench_put(&bench, "ca", first->certificate);
    bench_put(&bench, "ca", second->certificate);
    ck_assert_verdict(judge_for(leaf, USE_SIGN), VERDICT_NO_PATH);
    leaf = pki_issue(first, &(struct pki_spec){.name = "User"});
    ck_assert_verdict(judge_for(leaf, USE_SIGN), VERDICT_VALID);
    bench_end(&bench);
}
END_TEST

/* What RFC 5280 forbids and OpenSSL lets pass. */
START_TEST(test_form)
{
    struct pki *leaf;

    start("");
    leaf = pki_issue(
        root,
        &(struct pki_spec){.name = "A", .more = {"nameConstraints", "critical,permitted;email:a.example"}});
    ck_assert_verdict(judge_for(leaf, USE_SIGN), VERDICT_NO_PATH);
    leaf = pki_issue(root, &(struct pki_spec){.name = "B",
                                              .purpose = "emailProtection",
                                              .more = {"extendedKeyUsage", "emailProtection"}});
    ck_assert_verdict(judge_for(leaf, USE_SIGN), VERDICT_NO_PATH);
    leaf = pki_issue(root, &(struct pki_spec){.name = "C"});
    ck_assert_int_eq(X509_set_version(leaf->certificate, X509_VERSION_1), 1);
    ck_assert_int_gt(X509_sign(leaf->certificate, root->key, EVP_sha256()), 0);
    ck_assert_verdict(judge_for(leaf, USE_SIGN), VERDICT_NO_PATH);
    ck_assert_int_eq(X509_set_version(leaf->certificate, 4), 1);
    ck_assert_int_gt(X509_sign(leaf->certificate, root->key, EVP_sha256()), 0);
    ck_assert_verdict(judge_for(leaf, USE_SIGN), VERDICT_NO_PATH);
    bench_end(&bench);
}
END_TEST

START_TEST(test_name_constraints)
{
    static const struct {
        const char *constraints, *address, *mailbox;
        bool valid;
    } rows[] = {
        {"critical,permitted;email:a.example", "user@a.example", NULL, true},
        {"critical,permitted;email:a.example", "user@b.example", NULL, false},
        {"critical,permitted;email:a.example", "user@sub.a.example", NULL, false},
        {"critical,permitted;email:.a.example", "user@sub.a.example", NULL, true},
        {"critical,permitted;email:.a.example", "user@a.example", NULL, false},
        {"critical,permitted;email:a.example", "user@nota.example", NULL, false},
        {"critical,permitted;email:boss@a.example", "boss@a.example", NULL, true},
        {"critical,permitted;email:boss@a.example", "user@a.example", NULL, false},
        {"critical,excluded;email:a.example", "user@a.example", NULL, false},
        {"critical,excluded;email:a.example", "user@A.EXAMPLE", NULL, false},
        {"critical,excluded;email:a.example", "user@b.example", NULL, true},
        {"critical,permitted;email:a.example", NULL, "jürgen@a.example", true},
        {"critical,permitted;email:a.example", NULL, "jürgen@b.example", false},
        {"critical,excluded;email:a.example", NULL, "jürgen@a.example", false},
        {"critical,permitted;email:boss@a.example", NULL, "jürgen@a.example", false},
        {"critical,excluded;email:boss@a.example", NULL, "boss@a.example", false},
        {"critical,permitted;email:a.example", NULL, "boss@a.example", false}, /* could be an rfc822Name */
        {"critical,excluded;email:xn--mller-kva.example", NULL, "jürgen@müller.example", false},
        {"critical,excluded;email:xn--mller-kva.example", NULL, "jürgen@xn--mller-kva.example", false},
        {"critical,excluded;email:xn--mller-kva.example", NULL, "jürgen@XN--Mller-kva.Example", false},
        {"critical,excluded;email:.example", NULL, "jürgen@a.example", false},
        {"critical,excluded;email:a.example", NULL, "jürgen@A.Example", false},
        {"critical,excluded;email:a.example", NULL, "jürgen@b.example", true},
        {"critical,permitted;email:a.example", NULL, "no address", false},
        {"critical,permitted;email:a.example", "user@a.example", "jürgen@b.example", false},
    };

    start("");
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct pki *ca = pki_issue(
            root, &(struct pki_spec){
                      .name = "Bound CA", .ca = true, .more = {"nameConstraints", rows[i].constraints}});
        struct pki *leaf = pki_issue(
            ca,
            &(struct pki_spec){.name = "User", .addresses = {rows[i].address}, .mailbox = rows[i].mailbox});
        const X509 *extras[] = {ca->certificate, NULL};
        enum verdict got = bench_judge(&bench, leaf->certificate, USE_SIGN, NULL, extras, NULL);
        ck_assert_msg((got == VERDICT_VALID) == rows[i].valid, "row %zu: %s", i, verdict_name(got));
    }
    bench_end(&bench);
}
END_TEST

/* Constraints that a CA forgot to mark critical: refused, or honoured all the same; never ignored. */
START_TEST(test_not_critical)
{
    static const struct {
        const char *setting, *extension, *value, *address;
        bool valid;
    } rows[] = {
        {"", "nameConstraints", "permitted;email:a.example", "user@a.example", false},
        {"CRITICAL_NAME_CONSTRAINTS = no\n", "nameConstraints", "permitted;email:a.example", "user@a.example",
         true},
        {"CRITICAL_NAME_CONSTRAINTS = no\n", "nameConstraints", "permitted;email:a.example", "user@b.example",
         false},
        {"", "policyConstraints", "requireExplicitPolicy:5", "user@a.example", false},
        {"", "inhibitAnyPolicy", "5", "user@a.example", false},
        {"CRITICAL_POLICY_CONSTRAINTS = no\n", "policyConstraints", "requireExplicitPolicy:5",
         "user@a.example", true},
        {"CRITICAL_POLICY_CONSTRAINTS = no\n", "policyConstraints", "requireExplicitPolicy:0",
         "user@a.example", false},
        {"CRITICAL_POLICY_CONSTRAINTS = no\n", "inhibitAnyPolicy", "5", "user@a.example", true},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct pki *ca, *leaf;
        enum verdict got;

        start(rows[i].setting);
        /* with a policy of its own: OpenSSL 3.0 forgets to free policy constraints where there is none */
        ca = pki_issue(root, &(struct pki_spec){.name = "CA",
                                                .ca = true,
                                                .more = {"certificatePolicies", "1.3.6.1.4.1.99999.2.1",
                                                         rows[i].extension, rows[i].value}});
        leaf = pki_issue(ca, &(struct pki_spec){.name = "User", .addresses = {rows[i].address}});
        bench_put(&bench, "ca", ca->certificate);
        got = judge_for(leaf, USE_SIGN);
        ck_assert_msg((got == VERDICT_VALID) == rows[i].valid, "row %zu: %s", i, verdict_name(got));
        bench_end(&bench);
    }
}
END_TEST

START_TEST(test_policies)
{
    static const char one[] = "1.3.6.1.4.1.99999.2.1";
    struct pki *ca, *leaf, *other;

    start("POLICIES = 1.3.6.1.4.1.99999.2.1\nEXPLICIT_POLICY = yes\n");
    ca = pki_issue(root, &(struct pki_spec){.name = "CA", .ca = true, .more = {"certificatePolicies", one}});
    bench_put(&bench, "ca", ca->certificate);
    leaf = pki_issue(ca, &(struct pki_spec){.name = "A", .more = {"certificatePolicies", one}});
    other = pki_issue(
        ca, &(struct pki_spec){.name = "B", .more = {"certificatePolicies", "1.3.6.1.4.1.99999.2.2"}});
    ck_assert_verdict(judge_for(leaf, USE_SIGN), VERDICT_VALID);
    ck_assert_verdict(judge_for(other, USE_SIGN), VERDICT_NO_PATH);
    bench_end(&bench);
    start("");
    ca = pki_issue(root, &(struct pki_spec){.name = "CA",
                                            .ca = true,
                                            .more = {"certificatePolicies", one, "policyConstraints",
                                                     "critical,requireExplicitPolicy:0"}});
    leaf = pki_issue(ca, &(struct pki_spec){.name = "A"});
    bench_put(&bench, "ca", ca->certificate);
    ck_assert_verdict(judge_for(leaf, USE_SIGN), VERDICT_NO_PATH);
    ck_assert_ptr_nonnull(strstr(bench.judgement.reason, "explicit policy"));
    bench_end(&bench);
}
END_TEST

START_TEST(test_strict)
{
    struct pki *leaf;

    start("STRICT = yes\n");
    leaf = pki_issue(root, &(struct pki_spec){.name = "A", .no_akid = true});
    ck_assert_verdict(judge_for(leaf, USE_ANY), VERDICT_NO_PATH);
    bench_end(&bench);
    start("");
    leaf = pki_issue(root, &(struct pki_spec){.name = "A", .no_akid = true});
    ck_assert_verdict(judge_for(leaf, USE_ANY), VERDICT_VALID);
    bench_end(&bench);
}
END_TEST

/* Misspelt names never become "anything goes". */
START_TEST(test_bad_settings)
{
    static const char *const lines[] = {"CURVES = P-257\n",     "DIGESTS = SHA2\n",
                                        "POLICIES = gold\n",    "MAX_DEPTH = 99\n",
                                        "MIN_RSA_BITS = 512\n", "RESCAN = soon\n",
                                        "FETCH = yes\n",        "STRICT = maybe\n",
                                        "CRL_MAX_AGE = -1d\n",  "STRICT = yes\nSTRICT = no\n"};
    char path[] = "/tmp/julia-trust-conf-XXXXXX";
    int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    for (size_t i = 0; i < ROWS(lines); i++) {
        struct conf_faults faults = {0};
        struct settings settings = {0};
        FILE *file = fopen(path, "w");
        ck_assert_ptr_nonnull(file);
        fputs(lines[i], file);
        fclose(file);
        ck_assert_msg(!settings_load(path, "/tmp", &settings, &faults), "%s", lines[i]);
        ck_assert_uint_eq(faults.lines.count, 1);
        conf_faults_free(&faults);
        settings_free(&settings);
    }
    close(fd);
    unlink(path);
}
END_TEST

UNIT_MAIN("trust-use", test_key_usage, test_netscape_type, test_issuer_purpose, test_issuers,
          test_path_length, test_form, test_name_constraints, test_not_critical, test_policies, test_strict,
          test_bad_settings)
