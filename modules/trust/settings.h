/* trust.conf(5). */
#ifndef JULIA_TRUST_SETTINGS_H
#define JULIA_TRUST_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "util/conf.h"
#include "util/strlist.h"

struct settings {
    char *ca, *trusted, *untrusted; /* the areas' directories */
    char *index;                    /* derived, may be deleted */
    uint64_t rescan;                /* seconds */
    uint64_t max_depth;             /* CA certificates between the certificate and its anchor */
    uint64_t min_rsa_bits;
    struct strlist curves;  /* as openssl or NIST call them */
    struct strlist digests; /* of signatures on certificates and CRLs */
    uint64_t crl_max_age;   /* seconds, for CRLs without nextUpdate */
    struct strlist policies;
    bool explicit_policy, inhibit_mapping, inhibit_any_policy;
    bool critical_policy_constraints, critical_name_constraints;
    bool partial_chain; /* every CA of area ca is an anchor */
    bool strict;
    char *log;
};

/* Defaults where the file does not exist; false with faults otherwise. */
bool settings_load(const char *path, const char *base, struct settings *settings, struct conf_faults *faults);
void settings_free(struct settings *settings);

/* OpenSSL's number of a curve or digest name as written in trust.conf; NID_undef: unknown. */
int settings_curve_nid(const char *name);
int settings_digest_nid(const char *name);

#endif
