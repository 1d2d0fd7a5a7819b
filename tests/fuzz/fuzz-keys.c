/* The key module as the smime module reaches it, which parses what strangers send and may be theirs: requests
   on one connection, "%%" between them. The key is used as often as a grant says, and for nothing without
   one. */
#include <string.h>
#include <unistd.h>

#include "module/schema.h"
#include "module/serve_private.h"
#include "modules/keys-file/grant.h"
#include "modules/keys-file/module.h"
#include "tests/fuzz/fuzz.h"

/* Made for this test: a key, and a certificate of it for a@x.example. */
static const char key_pem[] = "-----BEGIN PRIVATE KEY-----\n"
                              "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgsxv1k+14nI1xm1tz\n"
                              "HxaYXKSW/qlUushuWvG5PdDLQnihRANCAAR1qxdMqwj94M8/qooKGjJiPGUZ1P81\n"
                              "xfG0emh5uOVjANPIb9HSgaqVtoibL9BFuB9dUm+rhXZQ8vhXo8596d6+\n"
                              "-----END PRIVATE KEY-----\n";
static const char certificate_pem[] = "-----BEGIN CERTIFICATE-----\n"
                                      "MIICAzCCAamgAwIBAgIDAIABMAoGCCqGSM49BAMCMBwxCzAJBgNVBAMMAkNBMQ0w\n"
                                      "CwYDVQQKDARGdXp6MB4XDTI2MTEyOTIxMjg1NFoXDTM2MTEyNjIxMjg1NFowHDEL\n"
                                      "MAkGA1UEAwwCQ0ExDTALBgNVBAoMBEZ1enowWTATBgcqhkjOPQIBBggqhkjOPQMB\n"
                                      "BwNCAAR1qxdMqwj94M8/qooKGjJiPGUZ1P81xfG0emh5uOVjANPIb9HSgaqVtoib\n"
                                      "L9BFuB9dUm+rhXZQ8vhXo8596d6+o4HZMIHWMAkGA1UdEwQCMAAwDgYDVR0PAQH/\n"
                                      "BAQDAgOoMBMGA1UdJQQMMAoGCCsGAQUFBwMEMB0GA1UdDgQWBBR6EpkUlu2+bRFf\n"
                                      "vFb40S7PSR24IDAfBgNVHSMEGDAWgBQ6uCNCqWxORfdJvE3oRRNjj20ynzBGBgNV\n"
                                      "HREEPzA9gQthQHguZXhhbXBsZYELQkBYLmV4YW1wbGWgIQYIKwYBBQUHCAmgFQwT\n"
                                      "bUMzQkNsbGVyQHguZXhhbXBsZTAcBgkqhkiG9w0BCQ8EDzANMAsGCWCGSAFlAwQB\n"
                                      "LjAKBggqhkjOPQQDAgNIADBFAiAo3DjVM+Ex07MzHCOqtkb50fSiYXCLLEUMGBvR\n"
                                      "VCdg3gIhAMei9ZR0tv3RSjy+/lSkO99DJTA0G0SsORjr+NpQdsVG\n"
                                      "-----END CERTIFICATE-----\n";

static struct module module;

static const struct serve_operation operations[] = {
    {"find", find_run}, {"grant", grant_run}, {"sign", sign_run},
    {"open", open_run}, {"list", list_run},   {NULL, NULL},
};
static const struct serve_module served = {
    .name = MODULE_NAME, .role = "keys", .operations = operations, .module = &module, .admit = grant_admit};

static void set_up(void)
{
    static const char conf[] = "RESCAN = 1h\nGATEWAY = a@x.example\n";

    if (module.keys != NULL)
        return;
    fuzz_folder_file("etc/keys-file.conf", conf, sizeof(conf) - 1);
    fuzz_folder_file("etc/private/a.pem", key_pem, sizeof(key_pem) - 1);
    fuzz_folder_file("etc/private/a.crt", certificate_pem, sizeof(certificate_pem) - 1);
    fuzz_folder_file("etc/public/a.pem", certificate_pem, sizeof(certificate_pem) - 1);
    setenv("JULIA_BASE", fuzz_folder(), 1);
    FUZZ_HOLDS(module_load(&module));
}

/* Whatever was asked, the answer fits the contract. */
static void check_answer(const struct buf *out)
{
    const struct schema_operation *operation = schema_operations;
    char error[300];
    struct xml_node *root = xml_parse(out->data, out->len, error, sizeof(error));

    FUZZ_HOLDS(root != NULL && schema_check_own(&schema_answer, root, error, sizeof(error)));
    if (root->children != NULL) {
        while (operation->name != NULL && !xml_is(root->children, operation->name))
            operation++;
        FUZZ_HOLDS(operation->name != NULL);
        FUZZ_HOLDS(schema_check(operation->answer, root->children, error, sizeof(error)));
    }
    xml_free(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct serve_connection connection = {.module = &served, .fd = -1};
    int fds[1] = {-1};
    bool granted = false;

    set_up();
    connection.context = grant_connection_open(&module, geteuid());
    connection.peer_uid = geteuid();
    for (int i = 0; i < 5 && size > 0; i++) {
        struct buf xml = {0}, out = {0};
        size_t len;
        const uint8_t *piece = fuzz_piece(&data, &size, &len);

        buf_add(&xml, piece, len);
        granted = granted || memmem(piece, len, "grant", 5) != NULL;
        if (!serve_request_run(&connection, &xml, fds, 0, &out))
            size = 0;
        if (!granted)
            FUZZ_HOLDS(strstr(out.data, "<sign") == NULL && strstr(out.data, "<open") == NULL);
        check_answer(&out);
        buf_free(&xml);
        buf_free(&out);
    }
    grant_connection_close(&module, connection.context);
    return 0;
}
