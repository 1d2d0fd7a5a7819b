#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rules/parse.h"
#include "util/mem.h"
#include "util/units.h"

/* " > 10M" */
static bool parse_size(struct scan *scan, struct condition *condition)
{
    scan_blanks(scan);
    size_t at = scan->place.at;
    char comparison = scan_peek(scan);
    if (comparison != '>' && comparison != '<') {
        scan_fault(scan, at, "\"> SIZE\" or \"< SIZE\" is expected here, as in (if) size > 10M");
        return false;
    }
    condition->kind = comparison == '>' ? CONDITION_SIZE_ABOVE : CONDITION_SIZE_BELOW;
    scan->place.at++;
    scan_blanks(scan);
    at = scan->place.at;
    char *text = scan_text(scan);
    bool good = isdigit((unsigned char)*text) && units_size(text, &condition->octets);
    if (!good)
        scan_fault(scan, at, "\"%s\" is no size; write 500000, 64k, 10M or 1G", text);
    free(text);
    return good;
}

static bool is_field_name(const char *name)
{
    if (*name == '\0')
        return false;
    for (; *name; name++)
        if (*name < 33 || *name > 126)
            return false;
    return true;
}

/* " NAME: VALUE" */
static bool parse_header(struct scan *scan, struct condition *condition)
{
    condition->kind = CONDITION_HEADER;
    scan_blanks(scan);
    size_t at = scan->place.at;
    condition->name = scan_word(scan, ':');
    if (!is_field_name(condition->name)) {
        scan_fault(scan, at,
                   "a header field's name is expected here, as in (if) header X-Classification: VS-NfD");
        return false;
    }
    scan_blanks(scan);
    if (scan_peek(scan) != ':') {
        scan_fault(scan, scan->place.at, "a colon is expected behind the header field's name");
        return false;
    }
    scan->place.at++;
    scan_blanks(scan);
    at = scan->place.at;
    condition->value = scan_peek(scan) == '"' ? scan_quoted(scan) : scan_text(scan);
    if (!condition->value)
        return false;
    condition_collapse(condition->value);
    if (*condition->value == '\0') {
        scan_fault(scan, at, "the value of the header field is missing");
        return false;
    }
    return true;
}

bool parse_condition(struct scan *scan, struct rule *rule)
{
    struct condition *condition = mem_push(&rule->conditions, &rule->condition_count, sizeof *condition);
    scan_blanks(scan);
    size_t at = scan->place.at;
    while (isalpha((unsigned char)scan_peek(scan)))
        scan->place.at++;
    const char *word = scan->place.text + at;
    size_t len = scan->place.at - at;
    if (len == 8 && strncasecmp(word, "calendar", len) == 0) {
        condition->kind = CONDITION_CALENDAR;
        return true;
    }
    if (len == 6 && strncasecmp(word, "header", len) == 0)
        return parse_header(scan, condition);
    if (len == 4 && strncasecmp(word, "size", len) == 0)
        return parse_size(scan, condition);
    scan_fault(scan, at,
               "a condition is expected here: calendar, header NAME: VALUE, size > SIZE, size < SIZE");
    return false;
}
