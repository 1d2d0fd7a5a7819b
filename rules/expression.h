/* Regular expressions on whole addresses (POSIX extended, case ignored), bounded so that neither a rule file
   nor an address can make them expensive. Private to rules/. */
#ifndef JULIA_RULE_EXPRESSION_H
#define JULIA_RULE_EXPRESSION_H

#include <regex.h>
#include <stdbool.h>

#define EXPRESSION_MAX 500u /* octets as written */
#define EXPRESSION_SIZE                                                                                      \
    1000u /* atoms once "+" and "{n,m}" are written out, as glibc does: (a{99}){99} is 9801 */
#define EXPRESSION_REPEATS 3u  /* ((a*)*)*: each further level doubles glibc's time to compile */
#define EXPRESSION_DEPTH   50u /* nested groups; the compiler recurses */

/* Compiles `text`, anchored at both ends. NULL: *error_r says why (newly allocated). Back-references are
   refused: matching them takes exponential time. */
regex_t *expression_compile(const char *text, char **error_r);
void expression_free(regex_t *regex);
bool expression_matches(const regex_t *regex, const char *address);
/* What makes a valid expression look like a mistake (static text), or NULL. */
const char *expression_suspicion(const char *text);

#endif
