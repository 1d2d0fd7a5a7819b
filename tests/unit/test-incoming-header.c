#include "unit.h"

#include <string.h>

#include "incoming/forged.h"
#include "incoming/headercopy.h"
#include "mail_input.h"
#include "util/buf.h"
#include "util/fdio.h"

static const struct {
    const char *field;
    bool forged;
} fields[] = {
    {"X-JULIA-Signature: valid\n", true},
    {"x-julia-anything: x\n", true},
    {"X-JULIA-Encryption : decrypted\r\n", true},
    {"X-JULIA-\n", true},
    {"X-JULIA: x\n", false},
    {"X-JULIANE: x\n", false},
    {" X-JULIA-Signature: valid\n", false},
    {"Authentication-Results: gw.example; smime=pass\n", true},
    {"authentication-results:GW.EXAMPLE;smime=pass\n", true},
    {"Authentication-Results: \r\n\tgw.example 1; smime=pass\r\n", true},
    {"Authentication-Results: (c (n) \\) ) gw.example; none\n", true},
    {"Authentication-Results: \"gw.example\"; none\n", true},
    {"Authentication-Results: \"gw\\.example\"; none\n", true},
    {"Authentication-Results\t: gw.example\n", true},
    {"Authentication-Results: gw.example.org; none\n", false},
    {"Authentication-Results: other.example; x=gw.example\n", false},
    {"Authentication-Results: \n", false},
    {"Authentication-Results-Old: gw.example; none\n", false},
    {"ARC-Authentication-Results: i=1; gw.example; none\n", false},
    {"Subject: x\rX-JULIA-Signature: valid\n", true},
    {"Subject: x\rAuthentication-Results: gw.example; smime=pass\n", true},
    {"Subject: x\r\001X-JULIA-Signature: valid\n", true},
    {"Subject: x\r\r\013\001Authentication-Results: gw.example; smime=pass\n", true},
    {"Subject: x\r\001 X-JULIA-Signature: valid\n", true},
    {"Subject: x\r\n X-JULIA-Signature: valid\n", false},
    {"Subject: X-JULIA-Signature: valid\n", false},
    {"\013X-JULIA-Signature: valid\n", true},
    {"\001\013Authentication-Results: gw.example; smime=pass\n", true},
    {"Authentication-Results\013:\014gw.example\013; smime=pass\n", true},
    {"X-JULIA\n -Signature: valid\n", true},
    {"X-JULIA \t-Signature : valid\n", true},
    {"X-\r\n \r\n JULIA-Signature: valid\n", true},
    {"X\177-JULIA-Signature: valid\n", true},
    {"Authentication-\n Results: gw.example; smime=pass\n", true},
    {"Authentication-Results: gw.example.; smime=pass\n", true},
    {"Authentication-Results: \"gw.example.\"; smime=pass\n", true},
    {"Authentication-Results: gw.example.org; smime=pass\n", false},
    {"Subject: x\rX-JULIA\013-Signature: valid\n", true},
    {"Subject: x\r\rX-JULIA-Signature: valid\n", true},
    {"X-JULIAN: valid\n", false},
    {"Subject: Re: X-JULIA-Signature: valid\n", false},
    {"", false},
    {"\r", false},
};

START_TEST(test_forged)
{
    for (size_t i = 0; i < ROWS(fields); i++) {
        size_t len = strlen(fields[i].field);
        char *field = input_exact(fields[i].field, len);

        ck_assert_msg(forged_field(field, len, "gw.example") == fields[i].forged, "row %zu", i);
        free(field);
    }
}
END_TEST

static const struct {
    const char *in, *out;
    bool mime;  /* drop_mime, and Subject by name */
    size_t end; /* from the end of `in`: where the empty line begins */
    bool open;
} copies[] = {
    {"A: x\n\nbody", "A: x\n", false, 5, false},
    {"", "", false, 0, false},
    {"\nbody", "", false, 5, false},
    {"A: x", "A: x", false, 0, true},
    {"A: x\r", "A: x ", false, 0, true},
    {"A: x\n\r", "A: x\n?", false, 0, true},
    {"A: x\r\n\r\n", "A: x\r\n", false, 2, false},
    {"X-JULIA-A: x\n folded\nB: y\n\n", "B: y\n", false, 1, false},
    {"B: y\nX-JULIA-A: x\n folded\n\n", "B: y\n", false, 1, false},
    {"A: x\nAuthentication-Results:\n\tgw.example; none\nB: y\n\n", "A: x\nB: y\n", false, 1, false},
    {" first\nA: x\n\n", " first\nA: x\n", false, 1, false},
    {"broken line\nA: x\n\n", "broken line\nA: x\n", false, 1, false},
    {"Content-Type: x\n\ty\nMIME-Version: 1.0\nSubject : s\n f\nContents: x\nA: x\n\n", "Contents: x\nA: x\n",
     true, 1, false},
    {"subject: s\ncontent-foo: x\n\n", "", true, 1, false},
    {"A: x\n<img src=\"\n folded\nB: y\n\n", "A: x\nB: y\n", true, 1, false},
    {" first\nA: x\n\n", "A: x\n", true, 1, false},
    {"A: x\r\r<img src=\"\nB: y\r\n z\r\n\n", "A: x  <img src=\"\nB: y\r\n z\r\n", true, 1, false},
    {"A: x\r\r<img src=\"\n\n", "A: x\r\r<img src=\"\n", false, 1, false},
    {"A: x\r", "A: x ", true, 0, true},
    {"C\303\244: x\nA:x\n\n", "A:x\n", true, 1, false},
};

START_TEST(test_copy)
{
    for (size_t i = 0; i < ROWS(copies); i++) {
        size_t len = strlen(copies[i].in);
        int from = input_file(copies[i].in, len), to = input_file("", 0);
        struct strlist drop = {0};
        struct headercopy how = {"gw.example", copies[i].mime ? &drop : NULL, copies[i].mime, false};
        struct buf out = {0};
        uint64_t end, size;
        bool open;

        strlist_add(&drop, "Subject");
        ck_assert_int_eq(headercopy_run(&how, from, 0, len, to, &end, &open), 0);
        ck_assert_int_eq(fdio_size(to, &size), 0);
        buf_add(&out, "", 0);
        while (out.len < size)
            buf_add_char(&out, ' ');
        ck_assert_int_eq(fdio_pread_all(to, out.data, out.len, 0), 0);
        ck_assert_msg(strcmp(buf_text(&out), copies[i].out) == 0, "row %zu: %s", i, buf_text(&out));
        ck_assert_msg(end == len - copies[i].end, "row %zu: end %llu", i, (unsigned long long)end);
        ck_assert_msg(open == copies[i].open, "row %zu: open", i);
        buf_free(&out);
        strlist_free(&drop);
        close(from);
        close(to);
    }
}
END_TEST

START_TEST(test_copy_nul)
{
    static const char in[] = "A: \0x\0\0\nContent-Type\0: text/html\n\n";
    int from = input_file(in, sizeof(in) - 1), to = input_file("", 0);
    struct headercopy how = {.authserv_id = "gw.example", .drop_mime = true};
    char out[9] = "";
    uint64_t end, size;
    bool open;

    ck_assert_int_eq(headercopy_run(&how, from, 0, sizeof(in) - 1, to, &end, &open), 0);
    ck_assert_int_eq(fdio_size(to, &size), 0);
    ck_assert_uint_eq(size, 8);
    ck_assert_int_eq(fdio_pread_all(to, out, 8, 0), 0);
    ck_assert_str_eq(out, "A:  x  \n");
    close(from);
    close(to);
}
END_TEST

/* A section beyond every limit, with forged fields in the middle and at its end: copied in pieces, the forged
 * ones gone. */
START_TEST(test_copy_huge)
{
    struct headercopy how = {"gw.example", NULL, false, false};
    struct buf text = {0};
    int from, to = input_file("", 0);
    uint64_t end, size;
    bool open;
    size_t want;

    for (int i = 0; i < 3000; i++)
        buf_printf(&text, "X-Filler-%04d: %01000d\n", i, 0);
    want = text.len;
    buf_printf(&text, "X-JULIA-Signature: %0200000d\n folded\n", 0);
    buf_printf(&text, "X-Long: %0200000d\n", 0);
    want += 200009;
    buf_add_text(&text, "X-JULIA-Signature: valid\n\nbody");
    from = input_file(text.data, text.len);
    ck_assert_int_eq(headercopy_run(&how, from, 0, text.len, to, &end, &open), 0);
    ck_assert_int_eq(fdio_size(to, &size), 0);
    ck_assert_uint_eq(size, want);
    ck_assert_uint_eq(end, text.len - 5);
    buf_free(&text);
    close(from);
    close(to);
}
END_TEST

/* Whatever the length of a field: no other one can hide in it behind a bare CR. Line ends stay. */
static void copy_cr(size_t fill, const char *form)
{
    struct headercopy how = {"gw.example", NULL, false, false};
    struct buf text = {0}, out = {0};
    int from, to = input_file("", 0);
    uint64_t end, size;
    bool open;

    buf_add_text(&text, "X-Long: ");
    for (size_t i = 0; i < fill; i++)
        buf_add_char(&text, 'x');
    buf_printf(&text, "%sX-JULIA-Signature: valid\r\n\tb\r\r\nA: x\r\n\r\nbody", form);
    from = input_file(text.data, text.len);
    ck_assert_int_eq(headercopy_run(&how, from, 0, text.len, to, &end, &open), 0);
    ck_assert_int_eq(fdio_size(to, &size), 0);
    while (out.len < size)
        buf_add_char(&out, ' ');
    ck_assert_int_eq(fdio_pread_all(to, out.data, out.len, 0), 0);
    ck_assert_msg(strstr(buf_text(&out), "\rX-JULIA-") == NULL, "%zu %s", fill, form);
    ck_assert(size == 6 || size == text.len - 6);
    ck_assert_str_eq(buf_text(&out) + size - 6, "A: x\r\n");
    ck_assert(size == 6 || strstr(buf_text(&out), "valid\r\n\tb \r\nA: x\r\n") != NULL);
    buf_free(&text);
    buf_free(&out);
    close(from);
    close(to);
}

START_TEST(test_copy_long_cr)
{
    copy_cr(10, "\r");
    copy_cr(20000, "\r");
    copy_cr(20000, "\r\n x\r");
    copy_cr(200000, "\r");
    for (size_t fill = 65500; fill < 65540; fill++)
        copy_cr(fill, "\r");
}
END_TEST

/* A long line that begins with a bare CR must not become a part of the field before, least of all one of
 * ours. */
START_TEST(test_copy_cr_in_front)
{
    const struct headercopy how = {.authserv_id = "gw.example"};
    struct buf text = {0}, out = {0};
    uint64_t end;
    bool open;
    int from, to = input_file("", 0);

    buf_add_text(&text, "\rsmime=pass");
    while (text.len < 20000)
        buf_add_char(&text, 'x');
    buf_add_text(&text, "\nA: x\n\n");
    from = input_file(text.data, text.len);
    ck_assert_int_eq(headercopy_run(&how, from, 0, text.len, to, &end, &open), 0);
    while (out.len < 11)
        buf_add_char(&out, ' ');
    ck_assert_int_eq(fdio_pread_all(to, out.data, out.len, 0), 0);
    ck_assert_str_eq(out.data, "?smime=pass");
    buf_free(&text);
    buf_free(&out);
    close(from);
    close(to);
}
END_TEST

UNIT_MAIN("incoming-header", test_forged, test_copy, test_copy_nul, test_copy_huge, test_copy_long_cr,
          test_copy_cr_in_front)
