/* Stand-ins for the modules: what keys exist, and what opening a layer does. The body of an
   application/pkcs7-mime entity names its layers, outermost first, separated by blanks: E:k1,k2   encrypted
   to keys k1 and k2, authenticated; e:k1,k2 the same with CBC s, c      signed, compressed; u: encrypted by
   an unknown algorithm; b: a broken signature The last word is the content: "plain" makes a text/plain
   entity, "raw" octets that are none. Keys whose name begins with "bad" do not open what they are named in.
 */
#ifndef JULIA_INCOMING_MODULES_H
#define JULIA_INCOMING_MODULES_H

#include <stdbool.h>

struct incoming_key {
    const char *key, *address;
    bool gateway;
    int module; /* 0 or 1: which of two key modules */
};

/* Set by the test. */
extern const struct incoming_key *incoming_keys; /* key NULL ends the list */
extern bool incoming_uncertain;                  /* a key module cannot tell */
extern const char *incoming_fault;               /* the key that makes smime answer "temporary"; NULL */
extern unsigned int incoming_opens;              /* counts layer_open() */

#endif
