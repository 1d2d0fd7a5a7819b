#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "mail/address.h"
#include "rules/parse.h"
#include "util/mem.h"

#define REJECT_TEXT_MAX  400u /* octets: it becomes part of an SMTP answer line (RFC 5321: 512) */
#define PROFILE_NAME_MAX 64u

/* "=ADDRESS" or "@ADDRESS" behind the action's name. */
static bool parse_address(struct scan *scan, struct action *action)
{
    scan_blanks(scan);
    if (scan_peek(scan) != '=' && scan_peek(scan) != '@')
        return true;
    scan->place.at++;
    scan_blanks(scan);
    size_t at = scan->place.at;
    action->address = scan_word(scan, ':');
    if (address_valid(action->address, false))
        return true;
    const char *name = action_name(action->kind);
    if (*action->address == '\0')
        scan_fault(scan, at, "the address is missing behind %s=", name);
    else
        scan_fault(scan, at, "\"%s\" is not a mail address; write %s=user@domain", action->address, name);
    return false;
}

static bool is_profile_name(const char *name)
{
    size_t len = strlen(name);
    return len > 0 && len <= PROFILE_NAME_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789_-") == len;
}

/* ":NAME" behind that. */
static bool parse_profile(struct scan *scan, struct action *action)
{
    scan_blanks(scan);
    if (scan_peek(scan) != ':')
        return true;
    scan->place.at++;
    scan_blanks(scan);
    size_t at = scan->place.at;
    action->profile = scan_word(scan, '\0');
    if (!is_profile_name(action->profile)) {
        scan_fault(scan, at, "a profile's name is expected here (letters, digits, _ and -)");
        return false;
    }
    if (scan->profile_known && !scan->profile_known(action->profile, scan->context)) {
        scan_fault(scan, at, "profile \"%s\" is neither built in nor defined by PROFILE_%s in julia.conf",
                   action->profile, action->profile);
        return false;
    }
    return true;
}

static bool parse_reject(struct scan *scan, struct action *action)
{
    scan_blanks(scan);
    size_t at = scan->place.at;
    if (scan_peek(scan) != '"') {
        scan_fault(scan, at, "REJECT wants a text in quotation marks, which the sender will read");
        return false;
    }
    action->text = scan_quoted(scan);
    if (!action->text)
        return false;
    condition_collapse(action->text);
    if (*action->text == '\0' || strlen(action->text) > REJECT_TEXT_MAX) {
        scan_fault(scan, at, "the text of REJECT must have 1 to %u octets", REJECT_TEXT_MAX);
        return false;
    }
    return true;
}

static bool parse_action(struct scan *scan, struct rule *rule)
{
    size_t at = scan->place.at;
    while (isalnum((unsigned char)scan_peek(scan)))
        scan->place.at++;
    size_t len = scan->place.at - at;
    enum action_kind kind;
    if (len == 0) {
        scan_fault(scan, at, "an action is expected here: FS SIP NS FE EIP NE REJECT");
        return false;
    }
    if (!action_find(scan->place.text + at, len, &kind)) {
        scan_fault(scan, at, "unknown action \"%.*s\"; there are FS SIP NS FE EIP NE REJECT", (int)len,
                   scan->place.text + at);
        return false;
    }
    struct action *action = mem_push(&rule->actions, &rule->action_count, sizeof *action);
    action->kind = kind;
    action->at = at;
    if (kind == ACTION_REJECT)
        return parse_reject(scan, action);
    if (action_signs(kind) || action_encrypts(kind))
        return parse_address(scan, action) && parse_profile(scan, action);
    return true;
}

/* To the next comma outside quotes, so that further actions are checked after a fault. */
static void skip_action(struct scan *scan)
{
    bool quoted = false;
    for (; scan_peek(scan) && (quoted || scan_peek(scan) != ','); scan->place.at++)
        quoted ^= scan_peek(scan) == '"';
}

void parse_actions(struct scan *scan, struct rule *rule)
{
    for (;;) {
        scan_blanks(scan);
        if (!parse_action(scan, rule)) {
            skip_action(scan);
        } else if (!scan_at_end(scan) && scan_peek(scan) != ',') {
            scan_fault(scan, scan->place.at, "a comma or the end of the line is expected here");
            skip_action(scan);
        }
        if (scan_peek(scan) != ',')
            return;
        scan->place.at++;
    }
}
