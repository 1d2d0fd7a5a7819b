/* Internationalised domain names, the way back: A-labels to U-labels. Private to rules/. */
#ifndef JULIA_RULE_IDN_H
#define JULIA_RULE_IDN_H

/* The domain (A-labels, as address_normalise() writes it) with every `xn--` label decoded (RFC 3492), newly
   allocated. NULL if it has none or one that cannot be decoded. */
char *idn_domain_unicode(const char *ascii);

#endif
