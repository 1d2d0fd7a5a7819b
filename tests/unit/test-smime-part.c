#include "unit.h"

#include "mail/smime_part.h"
#include "mail_input.h"

#define SIGNED(parameters) "Content-Type: multipart/signed; boundary=b" parameters "\n\n--b\n\ntext\n--b\n"
#define END                "\n\nMIIB\n--b--\n"

static const struct {
    const char *message;
    enum smime_shape shape;
} rows[] = {
    {"Content-Type: text/plain\n\nx", SMIME_SHAPE_NONE},
    {"\nx", SMIME_SHAPE_NONE},
    {"Content-Type: application/pkcs7-mime\n\nx", SMIME_SHAPE_OPAQUE},
    {"Content-Type: APPLICATION/X-PKCS7-MIME; smime-type=enveloped-data\n\nx", SMIME_SHAPE_OPAQUE},
    {"Content-Type: application/pkcs7-mime; smime-type=nonsense\n\nx", SMIME_SHAPE_OPAQUE},
    {"Content-Type: application/pkcs7-signature\n\nx", SMIME_SHAPE_NONE},
    {"Content-Type: application/pkcs10\n\nx", SMIME_SHAPE_NONE},
    {"Content-Type: application/octet-stream; name=smime.p7m\n\nx", SMIME_SHAPE_OPAQUE},
    {"Content-Type: application/octet-stream\nContent-Disposition: attachment; filename=\"A.P7M\"\n\nx",
     SMIME_SHAPE_OPAQUE},
    {"Content-Type: application/octet-stream; name*=utf-8''smime.p7m\n\nx", SMIME_SHAPE_OPAQUE},
    {"Content-Type: application/octet-stream; name*=iso-8859-1'de'Gr%FC%DFe%2Ep7m\n\nx", SMIME_SHAPE_OPAQUE},
    {"Content-Type: application/octet-stream; name*0=\"smime\"; name*1=\".P7\";\n name*2=m\n\nx",
     SMIME_SHAPE_OPAQUE},
    {"Content-Type: application/octet-stream; name=\"=?utf-8?Q?sm=69me=2Ep7m?=\"\n\nx", SMIME_SHAPE_OPAQUE},
    {"Content-Type: application/octet-stream; name=\"=?UTF-8?B?R3LDvMOfZS5wN20=?=\"\n\nx",
     SMIME_SHAPE_OPAQUE},
    {"Content-Type: application/octet-stream; name=\"=?utf-8?Q?smime?=\n =?utf-8?Q?.p7m?=\"\n\nx",
     SMIME_SHAPE_OPAQUE},
    {"Content-Type: application/octet-stream\nContent-Disposition: attachment;\n"
     " filename*=UTF-8''Signierte%20Mail.p7m\n\nx",
     SMIME_SHAPE_OPAQUE},
    {"Content-Type: application/octet-stream\nContent-Disposition: attachment;\n"
     " filename=\"=?iso-8859-1?Q?=FCber.p7z?=\"\n\nx",
     SMIME_SHAPE_OPAQUE},
    {"Content-Type: application/octet-stream; name=\"winmail.dat\"\n"
     "Content-Disposition: attachment; filename=smime.p7m\n\nx",
     SMIME_SHAPE_OPAQUE},
    {"Content-Type: application/octet-stream; name=\"smime.p7m \"\n\nx", SMIME_SHAPE_OPAQUE},
    {"Content-Type: application/octet-stream; name=\"smime.p7m.txt\"\n\nx", SMIME_SHAPE_NONE},
    {"Content-Type: application/octet-stream; name=\"=?utf-8?Q?smime.txt?=\"\n\nx", SMIME_SHAPE_NONE},
    {"Content-Type: application/pkcs7-mime (S/MIME) ; Smime-Type=\"Signed-Data\"\n\nx", SMIME_SHAPE_OPAQUE},
    {"Content-Type: application/pkcs7-mime-and-more\n\nx", SMIME_SHAPE_NONE},
    {"Content-Type: application/octet-stream; name=certs.p7c\n\nx", SMIME_SHAPE_OPAQUE},
    {"Content-Type: application/octet-stream; name=smime.p7z\n\nx", SMIME_SHAPE_OPAQUE},
    {"Content-Type: application/octet-stream; name=smime.p7s\n\nx", SMIME_SHAPE_NONE},
    {"Content-Type: application/octet-stream; name=p7m\n\nx", SMIME_SHAPE_NONE},
    {"Content-Type: application/octet-stream\n\nx", SMIME_SHAPE_NONE},
    {"Content-Type: text/plain; name=smime.p7m\n\nx", SMIME_SHAPE_NONE},
    {SIGNED("; protocol=\"application/pkcs7-signature\"; micalg=sha-256") "Content-Type: "
                                                                          "application/pkcs7-signature" END,
     SMIME_SHAPE_DETACHED},
    {SIGNED("; protocol=application/x-pkcs7-signature") "Content-Type: application/x-pkcs7-signature" END,
     SMIME_SHAPE_DETACHED},
    {SIGNED("; Protocol = \"APPLICATION/Pkcs7-Signature\" (RFC 1847)") "Content-Type: "
                                                                       "application/pkcs7-signature" END,
     SMIME_SHAPE_DETACHED},
    {SIGNED(";\n\tprotocol=\" application/x-pkcs7-signature \";\n\tmicalg=SHA1") "Content-Type: "
                                                                                 "application/octet-stream; "
                                                                                 "name=smime.p7s" END,
     SMIME_SHAPE_DETACHED},
    {SIGNED("; protocol*=us-ascii'en'application%2Fpkcs7-signature") "Content-Type: "
                                                                     "application/pkcs7-signature" END,
     SMIME_SHAPE_DETACHED},
    {SIGNED("; protocol=\"application\\/pkcs7-signature\"") "Content-Type: application/pkcs7-signature" END,
     SMIME_SHAPE_DETACHED},
    {SIGNED("; protocol=application/pkcs7-signatures") "Content-Type: application/pkcs7-signature" END,
     SMIME_SHAPE_NONE},
    /* what is called a signature and is shown */
    {SIGNED("; protocol=application/pkcs7-signature") "Content-Type: text/plain" END, SMIME_SHAPE_NONE},
    {SIGNED("; protocol=application/pkcs7-signature") "Content-Type: text/html; name=smime.p7s" END,
     SMIME_SHAPE_NONE},
    {SIGNED("; protocol=application/pkcs7-signature") "Content-Type: application/octet-stream" END,
     SMIME_SHAPE_NONE},
    {SIGNED("; protocol=application/pkcs7-signature") "Content-Type: application/octet-stream; "
                                                      "name=smime.p7s" END,
     SMIME_SHAPE_DETACHED},
    {SIGNED("") "Content-Type: application/pkcs7-signature; name=bill.pdf" END, SMIME_SHAPE_NONE},
    {SIGNED("") "Content-Type: application/pkcs7-signature; name=smime.p7s\n"
                "Content-Disposition: attachment; filename=bill.pdf" END,
     SMIME_SHAPE_NONE},
    {SIGNED("") "Content-Type: application/pkcs7-signature; name=Signature.P7S" END, SMIME_SHAPE_DETACHED},
    {SIGNED("") "Content-Type: application/pkcs7-signature" END, SMIME_SHAPE_DETACHED},
    {SIGNED("") "Content-Type: application/octet-stream; name=smime.p7s" END, SMIME_SHAPE_DETACHED},
    {SIGNED("") "Content-Type: text/plain" END, SMIME_SHAPE_NONE},
    {SIGNED("; protocol=application/pgp-signature") "Content-Type: application/pgp-signature" END,
     SMIME_SHAPE_NONE},
    {SIGNED("; protocol=application/pgp-signature") "Content-Type: application/pkcs7-signature" END,
     SMIME_SHAPE_NONE},
    /* three parts, as a mailing list's footer makes; one part */
    {SIGNED("; protocol=application/pkcs7-signature") "Content-Type: "
                                                      "application/"
                                                      "pkcs7-signature\n\nMIIB\n--b\n\nfooter\n--b--\n",
     SMIME_SHAPE_NONE},
    {"Content-Type: multipart/signed; boundary=b; "
     "protocol=application/pkcs7-signature\n\n--b\n\ntext\n--b--\n",
     SMIME_SHAPE_NONE},
    {"Content-Type: multipart/signed; protocol=application/pkcs7-signature\n\nx", SMIME_SHAPE_NONE},
    /* S/MIME inside something else */
    {"Content-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: "
     "application/pkcs7-mime\n\nMIIB\n--m--\n",
     SMIME_SHAPE_NONE},
    {"Content-Type: message/rfc822\n\nContent-Type: application/pkcs7-mime\n\nMIIB\n", SMIME_SHAPE_NONE},
    {"Content-Type: multipart/encrypted; boundary=b; protocol=application/pgp-encrypted\n\n--b\n"
     "Content-Type: application/pgp-encrypted\n\nVersion: 1\n--b\nContent-Type: "
     "application/octet-stream\n\nx\n--b--\n",
     SMIME_SHAPE_NONE},
};

START_TEST(test_shapes)
{
    for (size_t i = 0; i < ROWS(rows); i++) {
        size_t len = strlen(rows[i].message);
        int fd = input_file(rows[i].message, len);
        struct mime mime;

        ck_assert_int_eq(mime_parse(&mime, fd, 0, len, NULL), 0);
        ck_assert_msg(smime_part_shape(mime.root) == rows[i].shape, "row %zu: %d", i,
                      smime_part_shape(mime.root));
        mime_free(&mime);
        close(fd);
    }
}
END_TEST

UNIT_MAIN("smime-part", test_shapes)
