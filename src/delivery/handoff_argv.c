#include "delivery/handoff_argv.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mail/address.h"
#include "mail/glyph.h"
#include "mail/utf8.h"
#include "util/mem.h"

#define ENVID_MAX 100 /* RFC 3461 section 4.4 */

/* RFC 3461 section 4.1: NEVER alone, or any of the others. */
static bool notify_valid(const char *notify)
{
    static const char *const words[] = {"SUCCESS", "FAILURE", "DELAY"};

    if (strcasecmp(notify, "NEVER") == 0)
        return true;
    for (const char *word = notify;;) {
        size_t len = strcspn(word, ","), i;

        for (i = 0; i < 3; i++)
            if (strlen(words[i]) == len && strncasecmp(word, words[i], len) == 0)
                break;
        if (i == 3)
            return false;
        if (word[len] == '\0')
            return true;
        word += len + 1;
    }
}

static bool is_upper_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
}

/* Printable ASCII; as xtext (RFC 3461 section 4) also without blanks, '=' and a '+' that begins no escape. */
static bool envid_valid(const char *envid, bool xtext)
{
    if (*envid == '\0' || strlen(envid) > ENVID_MAX)
        return false;
    for (const char *p = envid; *p != '\0'; p++) {
        if (*p < ' ' || *p > '~')
            return false;
        if (xtext && (*p == ' ' || *p == '='))
            return false;
        if (xtext && *p == '+' && (!is_upper_hex(p[1]) || !is_upper_hex(p[2])))
            return false;
    }
    return true;
}

static void add_option(struct strlist *argv, const char *option, const char *value)
{
    strlist_add(argv, option);
    strlist_add(argv, value);
}

/* NOTIFY as it was asked for; with failure_told never without FAILURE (RFC 3461 section 4.1). */
static void add_notify(const char *notify, bool failure_told, struct strlist *argv)
{
    bool valid = notify != NULL && notify_valid(notify);
    char *with_failure;

    if (!failure_told || (valid && strcasestr(notify, "FAILURE") != NULL)) {
        if (valid)
            add_option(argv, "-N", notify);
    } else if (!valid || strcasecmp(notify, "NEVER") == 0) {
        add_option(argv, "-N", "FAILURE");
    } else {
        with_failure = mem_printf("%s,FAILURE", notify);
        add_option(argv, "-N", with_failure);
        free(with_failure);
    }
}

/* Each MTA hands us the envelope id as it wants it back: Postfix decoded, Sendmail as the xtext of the SMTP
 * command. */
static void add_dsn(const struct message *message, const struct handoff *handoff, struct strlist *argv)
{
    const struct message_envelope *envelope = &message->envelope;
    bool xtext = message->config->mta == CONFIG_MTA_SENDMAIL, plain = handoff->sender[0] != '\0';

    if (plain)
        add_notify(envelope->dsn_notify, handoff->failure_told, argv);
    if (handoff->headers_only)
        add_option(argv, "-R", "hdrs");
    else if (plain && envelope->dsn_ret != NULL &&
             (strcasecmp(envelope->dsn_ret, "hdrs") == 0 || strcasecmp(envelope->dsn_ret, "full") == 0))
        add_option(argv, "-R", envelope->dsn_ret);
    if (plain && envelope->dsn_envid != NULL && envid_valid(envelope->dsn_envid, xtext))
        add_option(argv, "-V", envelope->dsn_envid);
}

/* An address the command cannot take for anything else: without a domain not a program, a file or an include.
 */
static bool is_safe(const char *address)
{
    return address_valid(address, true) &&
           (strchr(address, '@') != NULL || isalnum((unsigned char)address[0]));
}

/* Not ASCII, and all letters are single code points: the others are left to an MTA that can normalise them
   (RFC 5891 section 4.2.1). */
static bool has_plain_u_labels(const char *domain)
{
    uint32_t code;
    bool beyond = false;

    for (size_t len = strlen(domain), took; len > 0; domain += took, len -= took) {
        took = utf8_decode(domain, len, &code);
        if (took == 0 || glyph_mark(code))
            return false;
        beyond = beyond || code >= 0x80;
    }
    return beyond;
}

/* With the domain as A-labels (RFC 5890), which mean the same: a relay or a scanner without SMTPUTF8 does not
   take U-labels. */
static void add_address(struct strlist *argv, const char *address)
{
    const char *domain = address_domain(address);
    char *ascii = has_plain_u_labels(domain) ? address_domain_ascii(domain) : NULL;
    char *whole;

    if (ascii == NULL) {
        strlist_add(argv, address);
        return;
    }
    whole = mem_printf("%.*s%s", (int)(domain - address), address, ascii);
    strlist_add(argv, whole);
    free(whole);
    free(ascii);
}

bool handoff_argv(const struct message *message, const struct handoff *handoff,
                  const struct strlist *recipients, struct strlist *argv, struct outcome *outcome)
{
    const struct strlist *words = &message->config->targets[handoff->target];

    if (handoff->sender[0] != '\0' && !is_safe(handoff->sender)) {
        outcome_temporary(outcome, "4.1.7", "the sender's address cannot be given to a sendmail command");
        return false;
    }
    for (size_t i = 0; i < words->count; i++)
        strlist_add(argv, words->items[i]);
    strlist_add(argv, "-i");
    strlist_add(argv, "-f");
    add_address(argv, handoff->sender[0] != '\0' ? handoff->sender : "<>");
    add_dsn(message, handoff, argv);
    strlist_add(argv, "--");
    for (size_t i = 0; i < recipients->count; i++) {
        if (!is_safe(recipients->items[i])) {
            outcome_temporary(outcome, "4.1.3",
                              "a recipient's address cannot be given to a sendmail command");
            return false;
        }
        add_address(argv, recipients->items[i]);
    }
    return true;
}
