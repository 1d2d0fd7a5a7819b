#include "unit.h"

#include "mail/ber.h"
#include "mail_input.h"

struct feed {
    const char *data;
    size_t len, at, step;
};

static ssize_t feed_read(void *context, void *out, size_t size)
{
    struct feed *f = context;
    size_t n = f->len - f->at;

    n = n > f->step ? f->step : n;
    n = n > size ? size : n;
    memcpy(out, f->data + f->at, n);
    f->at += n;
    return (ssize_t)n;
}

#define IN(text) text, sizeof(text) - 1

/* One element, skipped and copied; damaged ones must be refused by both. */
static const struct {
    const char *data;
    size_t len;
    bool good;
    size_t taken; /* octets of the element */
} elements[] = {
    {IN("\x04\x03"
        "abc"),
     true, 5},
    {IN("\x04\x00"), true, 2},
    {IN("\x04\x81\x03"
        "abc"),
     true, 6},
    {IN("\x04\x84\x00\x00\x00\x03"
        "abc"),
     true, 9},
    {IN("\x30\x05\x04\x03"
        "abcX"),
     true, 7},
    {IN("\x30\x80\x04\x01"
        "a\x00\x00X"),
     true, 7},
    {IN("\x30\x80\x30\x80\x00\x00\x30\x80\x00\x00\x00\x00"), true, 12},
    {IN(""), false, 0},
    {IN("\x04"), false, 0},
    {IN("\x04\x03"
        "ab"),
     false, 0},
    {IN("\x04\x82\x01"), false, 0},
    {IN("\x04\x80"
        "a\x00\x00"),
     false, 0},                         /* indefinite primitive */
    {IN("\x1f\x81\x00\x00"), false, 0}, /* high tag number */
    {IN("\x04\x89\x00\x00\x00\x00\x00\x00\x00\x00\x01"
        "a"),
     false, 0},
    {IN("\x04\x88\xff\xff\xff\xff\xff\xff\xff\xff"), false, 0},
    {IN("\x04\xff"
        "aaaaaaaaaaaa"),
     false, 0},
    {IN("\x30\x80\x04\x01"
        "a"),
     false, 0},
    {IN("\x30\x80\x04\x01"
        "a\x00"),
     false, 0},
    {IN("\x30\x80\x00\x01"
        "a\x00\x00"),
     false, 0},
    {IN("\x00\x00"), false, 0},
};

START_TEST(test_elements)
{
    for (size_t i = 0; i < ROWS(elements); i++)
        for (size_t step = 1; step < 8; step += 3) {
            char *data = input_exact(elements[i].data, elements[i].len);
            struct feed feed = {.data = data, .len = elements[i].len, .step = step};
            struct ber *ber = ber_new(feed_read, &feed);
            struct buf out = {0};
            char left[64];
            size_t rest;

            ck_assert_msg(ber_copy(ber, &out) == elements[i].good, "row %zu: %s", i,
                          ber_error(ber) == NULL ? "accepted" : ber_error(ber));
            ck_assert_msg((ber_error(ber) == NULL) == elements[i].good, "row %zu", i);
            if (elements[i].good) {
                ck_assert_msg(out.len == elements[i].taken, "row %zu: %zu", i, out.len);
                ck_assert_msg(memcmp(out.data, data, out.len) == 0, "row %zu", i);
                rest = ber_rest(ber, left, sizeof(left));
                ck_assert_uint_eq(rest, elements[i].len - out.len);
                ck_assert_mem_eq(left, data + out.len, rest);
                ck_assert_uint_eq(ber_rest(ber, left, 1), rest > 0);
                ck_assert_int_eq(ber_at_end_of_input(ber), out.len == elements[i].len);
            }
            ber_free(ber);
            feed.at = 0;
            ber = ber_new(feed_read, &feed);
            ck_assert_msg(ber_skip(ber) == elements[i].good, "row %zu: skip", i);
            ber_free(ber);
            buf_free(&out);
            free(data);
        }
}
END_TEST

/* Octet strings in all their forms give the same octets. */
static const struct {
    const char *data;
    size_t len;
    const char *octets; /* NULL: damaged */
} strings[] = {
    {IN("\x04\x04"
        "abcd"),
     "abcd"},
    {IN("\x04\x00"), ""},
    {IN("\x24\x08\x04\x02"
        "ab\x04\x02"
        "cd"),
     "abcd"},
    {IN("\x24\x80\x04\x02"
        "ab\x04\x02"
        "cd\x00\x00"),
     "abcd"},
    {IN("\x24\x80\x24\x80\x04\x01"
        "a\x00\x00\x24\x00\x04\x00\x24\x03\x04\x01"
        "b\x00\x00"),
     "ab"},
    {IN("\x24\x80\x00\x00"), ""},
    {IN("\x24\x80\x0c\x01"
        "a\x00\x00"),
     NULL},
    {IN("\x24\x04\x04\x03"
        "abc"),
     NULL},
    {IN("\x24\x80\x04\x02"
        "ab"),
     NULL},
    {IN("\x04\x04"
        "abc"),
     NULL},
    {IN("\x05\x00"), NULL},
    {IN("\xa0\x00"), NULL},
};

START_TEST(test_octets)
{
    for (size_t i = 0; i < ROWS(strings); i++)
        for (size_t step = 1; step < 6; step += 2) {
            char *data = input_exact(strings[i].data, strings[i].len);
            struct feed feed = {.data = data, .len = strings[i].len, .step = 3};
            struct ber *ber = ber_new(feed_read, &feed);
            struct buf out = {0};
            char piece[8];
            ssize_t n = -1;

            if (ber_octets_enter(ber, 0x04))
                while ((n = ber_octets_read(ber, piece, step)) > 0)
                    buf_add(&out, piece, (size_t)n);
            if (strings[i].octets == NULL) {
                ck_assert_msg(n == -1 && ber_error(ber) != NULL, "row %zu", i);
            } else {
                ck_assert_msg(n == 0 && strcmp(buf_text(&out), strings[i].octets) == 0, "row %zu: %zd %s", i,
                              n, buf_text(&out));
                ck_assert_int_eq(ber_octets_read(ber, piece, step), 0);
                ck_assert_msg(ber_at_end_of_input(ber), "row %zu", i);
            }
            ber_free(ber);
            buf_free(&out);
            free(data);
        }
}
END_TEST

START_TEST(test_walk)
{
    static const char text[] = "\x30\x80\x02\x01\x05\xa0\x80\x80\x02hi\x00\x00\x31\x00\x00\x00Z";
    struct feed feed = {.data = text, .len = sizeof(text) - 1, .step = 2};
    struct ber *ber = ber_new(feed_read, &feed);
    struct buf out = {0};
    struct ber_tag tag;

    ck_assert_int_eq(ber_peek(ber), 0x30);
    ck_assert(ber_enter(ber, 0x30, &tag));
    ck_assert(tag.indefinite);
    ck_assert(ber_primitive(ber, 0x02, 4, &out));
    ck_assert_int_eq(out.data[0], 5);
    ck_assert(ber_enter(ber, 0xa0, NULL));
    ck_assert_int_eq(ber_peek(ber), 0x80);
    ck_assert(ber_more(ber));
    ck_assert(ber_leave(ber)); /* without reading what is in it */
    ck_assert(ber_enter(ber, 0x31, NULL));
    ck_assert(!ber_more(ber));
    ck_assert_int_eq(ber_peek(ber), -1);
    ck_assert(ber_leave(ber));
    ck_assert(!ber_more(ber));
    ck_assert(ber_leave(ber));
    ck_assert(!ber_at_end_of_input(ber));
    ck_assert_int_eq(ber_peek(ber), 'Z');
    ck_assert(ber_error(ber) == NULL);
    ck_assert(!ber_leave(ber));
    ck_assert(ber_error(ber) != NULL);
    ber_free(ber);
    buf_free(&out);
}
END_TEST

/* A child must not reach beyond its parent, even through an indefinite one between them. */
START_TEST(test_containment)
{
    static const char reach[] = "\x30\x06\x30\x80\x04\x05"
                                "abcde\x00\x00";
    static const char unended[] = "\x30\x04\x30\x80\x05\x00\x00\x00";
    struct feed feed = {.data = reach, .len = sizeof(reach) - 1, .step = 100};
    struct ber *ber = ber_new(feed_read, &feed);

    ck_assert(ber_enter(ber, 0x30, NULL) && ber_enter(ber, 0x30, NULL));
    ck_assert(!ber_skip(ber));
    ber_free(ber);
    feed = (struct feed){.data = unended, .len = sizeof(unended) - 1, .step = 100};
    ber = ber_new(feed_read, &feed);
    ck_assert(ber_enter(ber, 0x30, NULL) && ber_enter(ber, 0x30, NULL) && ber_skip(ber));
    ck_assert(!ber_more(ber));
    ck_assert(!ber_leave(ber));
    ber_free(ber);
}
END_TEST

/* An element that is damaged inside can be left behind where its end is known. */
START_TEST(test_give_up)
{
    static const char definite[] = "\x30\x09\x30\x04\x02\x7f\x00\x00\x02\x01\x05";
    static const char open_ended[] = "\x30\x09\x30\x80\x02\x7f\x00\x00\x02\x01\x05";
    static const char ends[] = "\x30\x0a\x30\x08\x02\x7f";
    struct feed feed = {.data = definite, .len = sizeof(definite) - 1, .step = 100};
    struct ber *ber = ber_new(feed_read, &feed);
    struct buf out = {0};

    ck_assert(ber_enter(ber, 0x30, NULL));
    ck_assert_uint_eq(ber_depth(ber), 1);
    ck_assert(ber_enter(ber, 0x30, NULL) && !ber_primitive(ber, 0x02, 9, &out));
    ck_assert(ber_give_up(ber, 1));
    ck_assert(ber_error(ber) == NULL);
    ck_assert(ber_primitive(ber, 0x02, 9, &out));
    ck_assert_uint_eq(out.len, 1);
    ck_assert(!ber_give_up(ber, 1)); /* nothing is entered there */
    ber_free(ber);
    feed = (struct feed){.data = open_ended, .len = sizeof(open_ended) - 1, .step = 100};
    ber = ber_new(feed_read, &feed);
    ck_assert(ber_enter(ber, 0x30, NULL) && ber_enter(ber, 0x30, NULL));
    ck_assert(!ber_primitive(ber, 0x02, 9, &out) && !ber_give_up(ber, 1));
    ck_assert(ber_error(ber) != NULL);
    ber_free(ber);
    feed = (struct feed){.data = ends, .len = sizeof(ends) - 1, .step = 100};
    ber = ber_new(feed_read, &feed);
    ck_assert(ber_enter(ber, 0x30, NULL) && ber_enter(ber, 0x30, NULL));
    ck_assert(!ber_primitive(ber, 0x02, 9, &out) && !ber_give_up(ber, 1));
    ck_assert(ber_error(ber) != NULL);
    ber_free(ber);
    buf_free(&out);
}
END_TEST

START_TEST(test_limits)
{
    static const char big[] = "\x04\x84\x7f\xff\xff\xff";
    char deep[2 * (BER_DEPTH_MAX + 2)];
    struct feed feed = {.data = deep, .len = sizeof(deep), .step = 100};
    struct ber *ber = ber_new(feed_read, &feed);
    struct buf out = {0};

    for (size_t i = 0; i < sizeof(deep); i += 2) {
        deep[i] = '\x30';
        deep[i + 1] = '\x80';
    }
    ck_assert(!ber_skip(ber));
    ck_assert_str_eq(ber_error(ber), "nested too deeply");
    ber_free(ber);
    feed = (struct feed){.data = big, .len = sizeof(big) - 1, .step = 100};
    ber = ber_new(feed_read, &feed);
    ck_assert(!ber_copy(ber, &out));
    ck_assert_str_eq(ber_error(ber), "element too large");
    ber_free(ber);
    feed.at = 0;
    ber = ber_new(feed_read, &feed);
    ck_assert(!ber_primitive(ber, 0x04, 100, &out));
    ck_assert_str_eq(ber_error(ber), "element too large");
    ber_free(ber);
    buf_free(&out);
}
END_TEST

UNIT_MAIN("ber", test_elements, test_octets, test_walk, test_containment, test_give_up, test_limits)
