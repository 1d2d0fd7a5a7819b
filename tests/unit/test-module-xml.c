/* Strict XML: what is read, what is refused, and that what is written can be read. */
#include "module/xml.h"

#include <string.h>

#include "tests/unit/unit.h"
#include "util/mem.h"

#define NS " xmlns=\"" XML_NAMESPACE "\""

/* Parses a copy without its NUL, so that tools see an overread. */
static struct xml_node *parse_octets(const char *text, size_t len, char *error, size_t size)
{
    char *exact = malloc(len > 0 ? len : 1);
    struct xml_node *root;

    memcpy(exact, text, len);
    root = xml_parse(exact, len, error, size);
    free(exact);
    return root;
}

static const struct {
    int line;
    const char *xml, *error; /* part of it; NULL: accepted */
} documents[] = {
    {__LINE__, "<a" NS "/>", NULL},
    {__LINE__, "<?xml version=\"1.0\" encoding=\"utf-8\"?><a" NS ">text<!-- comment --></a>\n", NULL},
    {__LINE__, "<x:a xmlns:x=\"" XML_NAMESPACE "\"><x:b/></x:a>", NULL},
    {__LINE__, "<a" NS ">&lt;&amp;&#65;&#x20AC;<![CDATA[<b>]]></a>", NULL},
    {__LINE__, "", "no element"},
    {__LINE__, "rubbish", "syntax error"},
    {__LINE__, "<a" NS ">", "no element"},
    {__LINE__, "<a" NS "/><b/>", "junk"},
    {__LINE__, "<a/>", "outside the namespace"},
    {__LINE__, "<a xmlns=\"urn:julia:module:2\"/>", "outside the namespace"},
    {__LINE__, "<a xmlns=\"urn:julia:module:10\"/>", "outside the namespace"},
    {__LINE__, "<a" NS "><b xmlns=\"\"/></a>", "outside the namespace"},
    {__LINE__, "<a" NS " xmlns:o=\"urn:other\" o:b=\"1\"/>", "foreign namespace"},
    {__LINE__, "<a" NS " xml:lang=\"de\"/>", "foreign namespace"},
    {__LINE__, "<a" NS " b=\"1\" b=\"2\"/>", "duplicate attribute"},
    {__LINE__, "<!DOCTYPE a><a" NS "/>", "document type"},
    {__LINE__, "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a" NS "/>", "document type"},
    {__LINE__, "<!DOCTYPE a [<!ENTITY b \"c\">]><a" NS ">&b;</a>", "document type"},
    {__LINE__, "<a" NS ">&b;</a>", "undefined entity"},
    {__LINE__, "<?php x?><a" NS "/>", "processing instruction"},
    {__LINE__, "<a" NS "><?x y?></a>", "processing instruction"},
    {__LINE__, "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a" NS "/>", "must be UTF-8"},
    {__LINE__, "<?xml version=\"1.0\" encoding=\"UTF-16\"?><a" NS "/>", "must be UTF-8"},
    {__LINE__, "<a" NS ">\xE4</a>", "not well-formed"},
    {__LINE__, "<a" NS ">\xC0\x80</a>", "not well-formed"},
    {__LINE__, "<a" NS ">\xED\xA0\x80</a>", "not well-formed"},
    {__LINE__, "<a" NS ">\x01</a>", "not well-formed"},
    {__LINE__, "<a" NS ">&#0;</a>", "invalid character"},
    {__LINE__, "<a" NS "><a><a><a><a><a><a><a/></a></a></a></a></a></a></a>", NULL},
    {__LINE__, "<a" NS "><a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a></a>", "nested too deeply"},
    {__LINE__, "<a" NS " a='' b='' c='' d='' e='' f='' g='' h='' i='' j='' k='' l='' m='' n='' o='' p=''/>",
     NULL},
    {__LINE__,
     "<a" NS " a='' b='' c='' d='' e='' f='' g='' h='' i='' j='' k='' l='' m='' n='' o='' p='' q=''/>",
     "too many attributes"},
};

START_TEST(reading)
{
    for (size_t i = 0; i < ROWS(documents); i++) {
        char error[300] = "";
        struct xml_node *root = parse_octets(documents[i].xml, strlen(documents[i].xml), error, sizeof error);

        if (documents[i].error == NULL)
            ck_assert_msg(root != NULL, "line %d: %s", documents[i].line, error);
        else
            ck_assert_msg(root == NULL && strstr(error, documents[i].error) != NULL, "line %d: %s",
                          documents[i].line, error);
        xml_free(root);
    }
    ck_assert_ptr_null(parse_octets("<a" NS ">\0</a>", strlen("<a" NS ">") + 5, NULL, 0));
}
END_TEST

START_TEST(tree)
{
    char error[300];
    struct xml_node *root = xml_parse(
        "<a" NS " n='12' x='&quot;&#10;'>one<b/>two<c/><b>Zm9v\n YmFy</b></a>",
        strlen("<a" NS " n='12' x='&quot;&#10;'>one<b/>two<c/><b>Zm9v\n YmFy</b></a>"), error, sizeof error);
    const struct xml_node *b;
    struct buf data = {0};
    uint64_t n;

    ck_assert_msg(root != NULL, "%s", error);
    ck_assert_str_eq(root->text, "onetwo");
    ck_assert_str_eq(xml_attribute(root, "x"), "\"\n");
    ck_assert_ptr_null(xml_attribute(root, "y"));
    ck_assert(xml_attribute_number(root, "n", 12, &n) && n == 12);
    ck_assert(!xml_attribute_number(root, "n", 11, &n));
    ck_assert(!xml_attribute_number(root, "x", 11, &n));
    ck_assert(!xml_attribute_number(root, "y", 11, &n));
    b = xml_child(root, "b");
    ck_assert_str_eq(b->text, "");
    b = xml_next(b, "b");
    ck_assert(xml_base64(b, &data) && strcmp(buf_text(&data), "foobar") == 0);
    ck_assert_ptr_null(xml_next(b, "b"));
    ck_assert(!xml_base64(root, &data));
    buf_free(&data);
    xml_free(root);
}
END_TEST

START_TEST(numbers)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {{"0", true},
                {"9007199254740991", true},
                {"0000000000000001", true},
                {"00000000000000001", false},
                {"", false},
                {"-1", false},
                {"+1", false},
                {" 1", false},
                {"1 ", false},
                {"1e3", false},
                {"9007199254740992", false},
                {"18446744073709551616", false}};
    uint64_t n;

    for (size_t i = 0; i < ROWS(rows); i++)
        ck_assert_msg(xml_number(rows[i].text, UINT64_C(9007199254740991), &n) == rows[i].good, "%s",
                      rows[i].text);
}
END_TEST

/* Two hundred thousand elements: refused at the limit, not at the end of memory. */
START_TEST(many)
{
    struct buf xml = {0};
    char error[300];

    buf_add_text(&xml, "<a" NS ">");
    for (unsigned int i = 0; i < 2 * XML_NODES_MAX; i++)
        buf_add_text(&xml, "<b/>");
    buf_add_text(&xml, "</a>");
    ck_assert_ptr_null(xml_parse(xml.data, xml.len, error, sizeof error));
    ck_assert_ptr_nonnull(strstr(error, "too many elements"));
    buf_free(&xml);
}
END_TEST

START_TEST(writing)
{
    static const struct {
        int line;
        const char *in, *out;
    } rows[] = {
        {__LINE__, "plain", "plain"},
        {__LINE__, "<&>\"'", "<&>\"'"},
        {__LINE__, "]]>", "]]>"},
        {__LINE__, "a\r\n\tb", "a\r\n\tb"},
        {__LINE__, "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"},
        {__LINE__, "\x01x\x7F", "\xEF\xBF\xBDx\x7F"},
        {__LINE__, "\xE4", "\xEF\xBF\xBD"},
        {__LINE__, "\xC3", "\xEF\xBF\xBD"},
        {__LINE__, "\xC0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD"},
        {__LINE__, "\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {__LINE__, "\xEF\xBF\xBF", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {__LINE__, "\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {__LINE__, "\xFF\xFE", "\xEF\xBF\xBD\xEF\xBF\xBD"},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct buf out = {0};
        struct xml_writer w;
        char error[300] = "";
        struct xml_node *root;

        xml_begin(&w, &out);
        xml_open(&w, "a");
        xml_put(&w, "x", rows[i].in);
        xml_put(&w, "absent", NULL);
        xml_put_number(&w, "n", UINT64_MAX);
        xml_open(&w, "b");
        xml_text(&w, rows[i].in);
        xml_close(&w);
        xml_open(&w, "c");
        xml_close(&w);
        xml_close(&w);
        root = xml_parse(out.data, out.len, error, sizeof error);
        ck_assert_msg(root != NULL, "line %d: %s", rows[i].line, error);
        ck_assert_msg(strcmp(xml_attribute(root, "x"), rows[i].out) == 0, "line %d", rows[i].line);
        ck_assert_msg(strcmp(root->children->text, rows[i].out) == 0, "line %d", rows[i].line);
        ck_assert_str_eq(xml_attribute(root, "n"), "18446744073709551615");
        ck_assert_ptr_null(xml_attribute(root, "absent"));
        xml_free(root);
        buf_free(&out);
    }
}
END_TEST

UNIT_MAIN("module-xml", reading, tree, numbers, many, writing)
