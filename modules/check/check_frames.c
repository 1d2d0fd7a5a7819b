#include <stdlib.h>
#include <string.h>

#include "modules/check/checks.h"
#include "util/mem.h"

#define HELLO "<hello version=\"1\"/>"

static const struct {
    const char *name, *octets;
} frames[] = {
    {"a frame of 4194305 octets is refused before it is read", "4194305\n"},
    {"a frame of 9999999999 octets is refused before it is read", "9999999999\n"},
    {"a length of eleven digits is refused", "00000000001\nx"},
    {"a length that is no number is refused", "twelve\n" HELLO},
    {"a negative length is refused", "-1\n"},
    {"an empty length is refused", "\n" HELLO},
    {"a frame of no octets is refused", "0\n"},
    {"a document without a frame is refused", PEER_REQUEST HELLO "</request>"},
};

static const struct {
    const char *name, *xml;
} documents[] = {
    {"what is no XML is refused", "rubbish"},
    {"a document that ends too early is refused", PEER_REQUEST HELLO},
    {"a DOCTYPE is refused", "<!DOCTYPE request>" PEER_REQUEST HELLO "</request>"},
    {"an external DTD is refused",
     "<!DOCTYPE request SYSTEM \"http://192.0.2.1/x.dtd\">" PEER_REQUEST HELLO "</request>"},
    {"an external entity is refused",
     "<!DOCTYPE request [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>" PEER_REQUEST
     "<hello version=\"&x;\"/></request>"},
    {"an entity bomb is refused",
     "<!DOCTYPE request [<!ENTITY a \"aaaaaaaaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">"
     "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;\">"
     "<!ENTITY e \"&d;&d;&d;&d;&d;&d;&d;&d;\"><!ENTITY f \"&e;&e;&e;&e;&e;&e;&e;&e;\">"
     "<!ENTITY g \"&f;&f;&f;&f;&f;&f;&f;&f;\"><!ENTITY h \"&g;&g;&g;&g;&g;&g;&g;&g;\">]>" PEER_REQUEST
     "<hello version=\"&h;\"/></request>"},
    {"a processing instruction is refused", "<?xml-stylesheet href=\"x\"?>" PEER_REQUEST HELLO "</request>"},
    {"octets that are not UTF-8 are refused", PEER_REQUEST "<hello version=\"1\xE4\"/></request>"},
    {"an overlong UTF-8 form is refused", PEER_REQUEST "<hello version=\"1\"/><!-- \xC0\xAF --></request>"},
    {"another encoding is refused",
     "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>" PEER_REQUEST HELLO "</request>"},
    {"no namespace is refused", "<request id=\"check\" deadline=\"10000\">" HELLO "</request>"},
    {"another namespace is refused",
     "<request xmlns=\"urn:julia:module:2\" id=\"check\" deadline=\"10000\">" HELLO "</request>"},
    {"an answer instead of a request is refused", "<answer " PEER_NS " id=\"check\" status=\"ok\"/>"},
    {"a request without id is refused", "<request " PEER_NS " deadline=\"10000\">" HELLO "</request>"},
    {"a request with an id of blanks is refused",
     "<request " PEER_NS " id=\"  \" deadline=\"1\">" HELLO "</request>"},
    {"a request without deadline is refused", "<request " PEER_NS " id=\"check\">" HELLO "</request>"},
    {"a deadline that is no number is refused",
     "<request " PEER_NS " id=\"check\" deadline=\"soon\">" HELLO "</request>"},
    {"an empty request is refused", PEER_REQUEST "</request>"},
    {"two operations in one request are refused", PEER_REQUEST HELLO HELLO "</request>"},
    {"an unknown attribute is refused", PEER_REQUEST "<hello version=\"1\" colour=\"red\"/></request>"},
    {"an unknown element is refused", PEER_REQUEST "<hello version=\"1\"><surprise/></hello></request>"},
    {"text where none belongs is refused", PEER_REQUEST "<hello version=\"1\">hello</hello></request>"},
};

/* Whatever happened before: a new caller is served. */
static void check_alive(struct target *target, const char *after)
{
    char *name = mem_printf("after that (%s), a new caller is served", after);

    peer_expect(target, name, HELLO, ANSWER_OK);
    free(name);
}

static void refuse_octets(struct target *target, const char *name, const char *octets)
{
    struct channel *channel = peer_open(target);
    struct reply reply;

    peer_send(channel, octets, strlen(octets));
    peer_receive(target, channel, &reply);
    peer_expect_refused(target, name, &reply);
    peer_reply_free(&reply);
    peer_close(channel);
}

static void refuse_document(struct target *target, const char *name, const char *xml)
{
    struct channel *channel = peer_open(target);
    struct reply reply;

    peer_ask(target, channel, xml, NULL, 0, &reply);
    peer_expect_refused(target, name, &reply);
    peer_reply_free(&reply);
    peer_close(channel);
}

/* Many times the same inside a hello. */
static void refuse_mass(struct target *target, const char *name, const char *begin, const char *end,
                        size_t count)
{
    struct buf xml = {0};

    buf_add_text(&xml, PEER_REQUEST "<hello version=\"1\">");
    for (size_t i = 0; i < count; i++)
        buf_add_text(&xml, begin);
    for (size_t i = 0; i < count; i++)
        buf_add_text(&xml, end);
    buf_add_text(&xml, "</hello></request>");
    refuse_document(target, name, xml.data);
    buf_free(&xml);
}

static void break_off(struct target *target, const char *octets)
{
    struct channel *channel = peer_open(target);

    peer_send(channel, octets, strlen(octets));
    peer_close(channel);
}

void check_frames(struct target *target)
{
    static const char request[] = PEER_REQUEST HELLO "</request>";
    char *whole;

    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++)
        refuse_octets(target, frames[i].name, frames[i].octets);
    check_alive(target, "damaged frames");
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++)
        refuse_document(target, documents[i].name, documents[i].xml);
    refuse_mass(target, "ten thousand elements inside each other are refused", "<hello>", "</hello>", 10000);
    refuse_mass(target, "two hundred thousand elements beside each other are refused", "<hello/>", "",
                200000);
    check_alive(target, "damaged documents");
    break_off(target, "100\n<request");
    check_alive(target, "a caller who left in the middle of a frame");
    whole = mem_printf("%zu\n%s", strlen(request), request);
    break_off(target, whole);
    free(whole);
    check_alive(target, "a caller who left before the answer");
}
