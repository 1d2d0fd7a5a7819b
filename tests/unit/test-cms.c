#include "unit.h"

#include "mail/cms.h"
#include "mail_input.h"
#include "util/base64.h"
#include "util/buf.h"

/* An element around the NULL-terminated contents; each is freed. BER: indefinite length. */
struct der {
    struct buf octets;
};

static struct der *der_new(unsigned char id, bool ber, struct der *const *contents)
{
    struct der *d = calloc(1, sizeof(*d));
    struct buf inner = {0};

    for (; *contents != NULL; contents++) {
        buf_add(&inner, buf_text(&(*contents)->octets), (*contents)->octets.len);
        buf_free(&(*contents)->octets);
        free(*contents);
    }
    buf_add_char(&d->octets, (char)id);
    if (ber && (id & 0x20) != 0) {
        buf_add_char(&d->octets, (char)0x80);
    } else {
        buf_add_char(&d->octets, (char)0x82);
        buf_add_char(&d->octets, (char)(inner.len >> 8));
        buf_add_char(&d->octets, (char)(inner.len & 0xff));
    }
    buf_add(&d->octets, buf_text(&inner), inner.len);
    if (ber && (id & 0x20) != 0)
        buf_add(&d->octets, "\0\0", 2);
    buf_free(&inner);
    return d;
}

static struct der *raw(const char *octets, size_t len)
{
    struct der *d = calloc(1, sizeof(*d));

    buf_add(&d->octets, octets, len);
    return d;
}

static bool ber_form;
#define RAW(text)     raw(text, sizeof(text) - 1)
#define TLV(id, ...)  der_new(id, ber_form, (struct der *const[]){__VA_ARGS__, NULL})
#define EMPTY(id)     der_new(id, ber_form, (struct der *const[]){NULL})
#define INT(n)        RAW("\x02\x01" n)
#define ALG           TLV(0x30, RAW("\x06\x01\x2a"))
#define PKCS7(n)      RAW("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07" n)
#define ENVELOPED     "\x03"
#define SIGNED        "\x02"
#define AUTHENVELOPED RAW("\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17")
#define COMPRESSED    RAW("\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09")

static struct der *keytrans_serial(void)
{
    return TLV(0x30, INT("\x00"), TLV(0x30, RAW("\x30\x02\x0c\x00"), RAW("\x02\x02\x00\x81")), ALG,
               RAW("\x04\x02xx"));
}

static struct der *keytrans_ski(void)
{
    return TLV(0x30, INT("\x02"), RAW("\x80\x03ski"), ALG, RAW("\x04\x02xx"));
}

/* Two recipients: one by issuer and serial, one by rKeyId with a date behind the key identifier. */
static struct der *keyagree(bool ukm)
{
    struct der *keys =
        TLV(0x30, TLV(0x30, TLV(0x30, RAW("\x30\x02\x0c\x00"), INT("\x07")), RAW("\x04\x02xx")),
            TLV(0x30, TLV(0xa0, RAW("\x04\x03kid"), RAW("\x18\x01Z")), RAW("\x04\x02xx")));
    struct der *originator = TLV(0xa0, TLV(0xa1, ALG, RAW("\x03\x02\x00x")));

    if (ukm)
        return TLV(0xa1, INT("\x03"), originator, TLV(0xa1, RAW("\x04\x01u")), ALG, keys);
    return TLV(0xa1, INT("\x03"), originator, ALG, keys);
}

static struct der *encrypted_content(void)
{
    return TLV(0x30, RAW("\x06\x01\x2a"), ALG, RAW("\x80\x04zzzz"));
}

static void read_der(struct der *d, size_t cut, bool whole, struct cms_outline *outline)
{
    int fd = input_file(d->octets.data, d->octets.len - cut);
    struct source *source = source_new(fd, 0, d->octets.len - cut, MIME_BINARY, SOURCE_EOL_KEEP);

    ck_assert_int_eq(cms_outline_read(outline, source, whole), 0);
    source_free(source);
    close(fd);
    buf_free(&d->octets);
    free(d);
}

static struct der *enveloped(bool originator, bool auth, struct der *recipients)
{
    struct der *body;

    if (originator)
        body = TLV(0x30, INT("\x02"), TLV(0xa0, EMPTY(0xa0)), recipients, encrypted_content());
    else if (auth)
        body = TLV(0x30, INT("\x00"), recipients, encrypted_content(), EMPTY(0xa1), RAW("\x04\x02mm"),
                   EMPTY(0xa2));
    else
        body = TLV(0x30, INT("\x02"), recipients, encrypted_content(), EMPTY(0xa1));
    return TLV(0x30, auth ? AUTHENVELOPED : PKCS7(ENVELOPED), TLV(0xa0, body));
}

START_TEST(test_enveloped)
{
    for (int form = 0; form < 8; form++) {
        struct cms_outline o;

        ber_form = (form & 1) != 0;
        read_der(enveloped((form & 2) != 0, (form & 6) == 4,
                           TLV(0x31, keytrans_serial(), keytrans_ski(), keyagree((form & 1) != 0),
                               TLV(0xa2, INT("\x04")), TLV(0xa3, INT("\x00")))),
                 0, true, &o);
        ck_assert_msg(o.complete && !o.trailing, "form %d: %s", form, o.error == NULL ? "" : o.error);
        ck_assert_int_eq(o.type, (form & 6) == 4 ? CMS_AUTH_ENVELOPED : CMS_ENVELOPED);
        ck_assert_uint_eq(o.recipient_count, 4);
        ck_assert_uint_eq(o.other_recipients, 2);
        ck_assert_uint_eq(o.recipients[0].issuer.len, 4);
        ck_assert_uint_eq(o.recipients[0].serial.len, 2);
        ck_assert_int_eq(memcmp(o.recipients[0].serial.data, "\x00\x81", 2), 0);
        ck_assert_uint_eq(o.recipients[0].ski.len, 0);
        ck_assert_str_eq(o.recipients[1].ski.data, "ski");
        ck_assert_uint_eq(o.recipients[2].serial.len, 1);
        ck_assert_str_eq(o.recipients[3].ski.data, "kid");
        ck_assert_uint_eq(o.recipients[3].issuer.len, 0);
        cms_outline_free(&o);
    }
}
END_TEST

/* Cut anywhere it is damaged, never crashes, never complete; with `whole` false the recipients are enough. */
START_TEST(test_cut)
{
    size_t len;

    for (int form = 0; form < 2; form++) {
        struct der *d;

        ber_form = form == 1;
        d = enveloped(false, true, TLV(0x31, keytrans_serial(), keyagree(true)));
        len = d->octets.len;
        buf_free(&d->octets);
        free(d);
        for (size_t cut = 1; cut <= len; cut++) {
            struct cms_outline o;

            read_der(enveloped(false, true, TLV(0x31, keytrans_serial(), keyagree(true))), cut, true, &o);
            ck_assert_msg(!o.complete && o.error != NULL, "form %d cut %zu", form, cut);
            cms_outline_free(&o);
            read_der(enveloped(false, true, TLV(0x31, keytrans_serial(), keyagree(true))), cut, false, &o);
            ck_assert_msg(!o.complete || o.recipient_count == 3, "form %d cut %zu", form, cut);
            ck_assert_msg(o.complete || cut > 1, "form %d cut %zu: recipients are far from the end", form,
                          cut);
            cms_outline_free(&o);
        }
    }
}
END_TEST

START_TEST(test_no_recipients)
{
    struct cms_outline o;

    ber_form = false;
    read_der(enveloped(false, false, EMPTY(0x31)), 0, true, &o);
    ck_assert(o.complete);
    ck_assert_uint_eq(o.recipient_count, 0);
    cms_outline_free(&o);
}
END_TEST

static struct der *signed_data(struct der *content, bool signer)
{
    struct der *encap =
        content == NULL ? TLV(0x30, PKCS7("\x01")) : TLV(0x30, PKCS7("\x01"), TLV(0xa0, content));
    struct der *signers = signer ? TLV(0x31, TLV(0x30, INT("\x01")), TLV(0x30, INT("\x01"))) : EMPTY(0x31);

    return TLV(
        0x30, PKCS7(SIGNED),
        TLV(0xa0, TLV(0x30, INT("\x01"), TLV(0x31, ALG), encap, TLV(0xa0, ALG), TLV(0xa1, ALG), signers)));
}

START_TEST(test_signed)
{
    struct cms_outline o;
    struct buf hex = {0};

    for (int form = 0; form < 2; form++) {
        ber_form = form == 1;
        read_der(signed_data(TLV(0x24,
                                 RAW("\x04\x01"
                                     "a"),
                                 RAW("\x04\x02"
                                     "bc")),
                             true),
                 0, true, &o);
        ck_assert_msg(o.complete, "%s", o.error == NULL ? "" : o.error);
        ck_assert_int_eq(o.type, CMS_SIGNED);
        ck_assert(o.has_content);
        ck_assert_uint_eq(o.content_length, 3);
        ck_assert_uint_eq(o.signer_count, 2);
        hex_encode_buf(&hex, o.content_digest, SHA256_LEN);
        ck_assert_str_eq(hex.data, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        cms_outline_free(&o);
        buf_free(&hex);
    }
    read_der(signed_data(NULL, false), 0, true, &o);
    ck_assert(o.complete && !o.has_content);
    ck_assert_uint_eq(o.signer_count, 0);
    cms_outline_free(&o);
    read_der(signed_data(RAW("\x30\x00"), true), 0, true, &o); /* PKCS #7 content of another type */
    ck_assert(o.complete && o.has_content);
    cms_outline_free(&o);
}
END_TEST

START_TEST(test_others)
{
    static const char text[] = "MIME-Version: 1.0\n";
    struct cms_outline o;

    ber_form = false;
    read_der(TLV(0x30, COMPRESSED, TLV(0xa0, ALG)), 0, true, &o);
    ck_assert(o.complete);
    ck_assert_int_eq(o.type, CMS_COMPRESSED);
    cms_outline_free(&o);
    read_der(TLV(0x30, PKCS7("\x63"), TLV(0xa0, ALG)), 0, true, &o);
    ck_assert_int_eq(o.type, CMS_OTHER);
    cms_outline_free(&o);
    read_der(RAW(""), 0, true, &o);
    ck_assert(!o.complete);
    ck_assert_int_eq(o.type, CMS_NONE);
    cms_outline_free(&o);
    read_der(raw(text, sizeof(text) - 1), 0, true, &o);
    ck_assert(!o.complete);
    ck_assert_int_eq(o.type, CMS_NONE);
    cms_outline_free(&o);
    struct der *d = enveloped(false, false, EMPTY(0x31));
    buf_add(&d->octets, "\0", 1);
    read_der(d, 0, true, &o);
    ck_assert(o.complete && o.trailing);
    cms_outline_free(&o);
}
END_TEST

START_TEST(test_many_recipients)
{
    struct der *set = calloc(1, sizeof(*set));
    struct cms_outline o;

    ber_form = false;
    buf_add(&set->octets, "\x31\x83\x00\x00\x00", 5);
    for (int i = 0; i < CMS_RECIPIENTS_MAX + 1; i++) {
        struct der *one = keytrans_ski();

        buf_add(&set->octets, one->octets.data, one->octets.len);
        buf_free(&one->octets);
        free(one);
    }
    set->octets.data[2] = (char)((set->octets.len - 5) >> 16);
    set->octets.data[3] = (char)((set->octets.len - 5) >> 8);
    set->octets.data[4] = (char)(set->octets.len - 5);
    ber_form = true; /* lengths beyond 64 KB */
    read_der(enveloped(false, false, set), 0, true, &o);
    ck_assert(!o.complete && o.too_much);
    ck_assert_str_eq(o.error, "too many recipients");
    ck_assert_uint_eq(o.recipient_count, CMS_RECIPIENTS_MAX);
    cms_outline_free(&o);
}
END_TEST

/* An INTEGER, key identifier or name of `len` octets. */
static struct der *filled(unsigned char id, size_t len)
{
    struct der *d = calloc(1, sizeof(*d));

    buf_add_char(&d->octets, (char)id);
    buf_add_char(&d->octets, (char)0x82);
    buf_add_char(&d->octets, (char)(len >> 8));
    buf_add_char(&d->octets, (char)(len & 0xff));
    for (size_t i = 0; i < len; i++)
        buf_add_char(&d->octets, 'x');
    return d;
}

/* Recipients that nobody can make sense of do not hide those behind them. */
START_TEST(test_odd_recipients)
{
    struct cms_outline o;

    ber_form = false;
    for (int form = 0; form < 2; form++) {
        struct der *odd_key =
            TLV(0x30, TLV(0x30, RAW("\x30\x02\x0c\x00"), filled(0x02, 200)), RAW("\x04\x01x"));
        struct der *good_key = TLV(0x30, TLV(0x30, RAW("\x30\x02\x0c\x00"), INT("\x05")), RAW("\x04\x01x"));
        struct der *agree = TLV(0xa1, INT("\x03"), TLV(0xa0, EMPTY(0xa1)), ALG, TLV(0x30, odd_key, good_key));

        read_der(
            enveloped(false, form == 1,
                      TLV(0x31,
                          TLV(0x30, INT("\x00"), TLV(0x30, RAW("\x30\x02\x0c\x00"), filled(0x02, 10000))),
                          TLV(0x30, INT("\x02"), filled(0x80, 10000)), EMPTY(0x30),
                          TLV(0x30, INT("\x00"), RAW("\x30\x7f\x01")), RAW("\xa1\x02\x1f\x81"), agree,
                          keytrans_serial())),
            0, true, &o);
        ck_assert_msg(o.complete, "%s", o.error == NULL ? "" : o.error);
        ck_assert_uint_eq(o.other_recipients, 6);
        ck_assert_uint_eq(o.recipient_count, 2);
        ck_assert_uint_eq(o.recipients[0].serial.len, 1);
        ck_assert_uint_eq(o.recipients[1].serial.len, 2);
        ck_assert_uint_eq(o.issuer_count, 1); /* and is shared */
        ck_assert_ptr_eq(o.recipients[0].issuer.data, o.recipients[1].issuer.data);
        cms_outline_free(&o);
    }
    ber_form = true; /* where an end is not known, damage is damage */
    read_der(enveloped(false, false, TLV(0x31, EMPTY(0x30), keytrans_ski())), 0, true, &o);
    ck_assert(!o.complete && !o.too_much);
    cms_outline_free(&o);
    ber_form = false;
    read_der(enveloped(false, false, TLV(0x31, RAW("\x30\x7f\x02"), keytrans_ski())), 0, true, &o);
    ck_assert(!o.complete); /* longer than the set */
    cms_outline_free(&o);
}
END_TEST

/* Different issuers are bounded by their octets, equal ones are not. */
START_TEST(test_issuers)
{
    struct cms_outline o;

    for (int different = 0; different < 2; different++) {
        struct der *set = calloc(1, sizeof(*set));

        buf_add(&set->octets, "\x31\x80", 2);
        for (int i = 0; i < 30; i++) {
            struct der *one, *issuer;

            ber_form = false;
            issuer = filled(0x30, 60000);
            issuer->octets.data[4] = (char)('a' + (different ? i : 0));
            one = TLV(0x30, INT("\x00"), TLV(0x30, issuer, INT("\x01")));
            buf_add(&set->octets, one->octets.data, one->octets.len);
            buf_free(&one->octets);
            free(one);
        }
        buf_add(&set->octets, "\0\0", 2);
        ber_form = true;
        read_der(enveloped(false, false, set), 0, true, &o);
        ck_assert_int_eq(o.complete, !different);
        ck_assert_int_eq(o.too_much, different);
        ck_assert_uint_eq(o.issuer_count, different ? 18 : 1); /* 1 MiB */
        cms_outline_free(&o);
    }
}
END_TEST

UNIT_MAIN("cms", test_enveloped, test_cut, test_no_recipients, test_signed, test_others, test_many_recipients,
          test_odd_recipients, test_issuers)
