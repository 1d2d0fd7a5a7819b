/* etc/julia.conf as the core uses it (julia.conf(5)). */
#ifndef JULIA_CONFIG_H
#define JULIA_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/ruleset.h"
#include "util/conf.h"

enum config_mta { CONFIG_MTA_POSTFIX, CONFIG_MTA_SENDMAIL };
enum config_mode { CONFIG_MODE_MAILOFFICE, CONFIG_MODE_GATEWAY };
enum config_engine { CONFIG_ENGINE_PASS, CONFIG_ENGINE_REHEARSE, CONFIG_ENGINE_WORK };
enum config_target {
    CONFIG_TARGET_EXTERNAL,
    CONFIG_TARGET_SCANNER,
    CONFIG_TARGET_INTERNAL,
    CONFIG_TARGET_COUNT
};
enum config_policy { CONFIG_POLICY_RULES, CONFIG_POLICY_SUBJECT, CONFIG_POLICY_BOTH };
enum config_partial { CONFIG_PARTIAL_SPLIT, CONFIG_PARTIAL_ALL };
enum config_fallback { CONFIG_FALLBACK_REFUSE, CONFIG_FALLBACK_CLEAR };
enum config_harvest { CONFIG_HARVEST_NO, CONFIG_HARVEST_REVIEW, CONFIG_HARVEST_PUBLIC };
enum config_journal { CONFIG_JOURNAL_ALWAYS, CONFIG_JOURNAL_FAULTS, CONFIG_JOURNAL_NO };
enum config_deliver { CONFIG_DELIVER_PLAIN, CONFIG_DELIVER_ORIGINAL, CONFIG_DELIVER_REENCRYPT };
enum config_report { CONFIG_REPORT_NO, CONFIG_REPORT_TEXT, CONFIG_REPORT_HTML };
enum config_dkim { CONFIG_DKIM_KEEP, CONFIG_DKIM_REMOVE, CONFIG_DKIM_REFUSE };
enum config_revocation { CONFIG_REVOCATION_REQUIRE, CONFIG_REVOCATION_PREFER, CONFIG_REVOCATION_OFF };
enum config_changed { CONFIG_CHANGED_DELIVER, CONFIG_CHANGED_KEEP };
enum config_lost { CONFIG_LOST_PLAIN, CONFIG_LOST_KEEP };
enum config_scanner_notice { CONFIG_SCANNER_NOTICE_ADMIN, CONFIG_SCANNER_NOTICE_RECIPIENT };
enum config_local { CONFIG_LOCAL_INTERNAL, CONFIG_LOCAL_REFUSE };
/* Header protection (RFC 9788), and how much of the header stays outside of what is encrypted; the order
   counts: each hides what the one before hides, and more. */
enum config_protection {
    CONFIG_PROTECTION_NO,
    CONFIG_PROTECTION_CLEAR, /* hcp_no_confidentiality */
    CONFIG_PROTECTION_BASELINE,
    CONFIG_PROTECTION_SHY
};

struct config_profile {
    char *name;
    char *cipher;   /* protocol words: auto, aes-256-gcm, ... */
    char *keytrans; /* rsa-pkcs1, rsa-oaep-sha256, ... */
    char *rsa;      /* pkcs1, pss */
    char *digest;   /* sha256, ... */
    char *form;     /* clear, opaque */
    char *strict;   /* yes: RSA keys only, no elliptic curves instead */
    char *headers;  /* a word of HEADER_PROTECTION; NULL: what that says */
};

struct config {
    char *file;
    char *base;
    int mta;
    char *mta_config; /* configuration of the MTA's main instance; NULL: where the MTA looks itself */
    char *myhostname, *authserv_id, *admin, *language;
    int mode, engine; /* enum config_mode, config_engine */
    bool engine_clear;
    struct network_list internal_clients, scanner_clients;
    struct strlist internal_domains;
    int local_submission;
    char *rules;
    int policy;
    char *trigger_sign, *trigger_encrypt;
    bool signer_check;
    struct strlist sign_as;                      /* items "NETWORK ADDRESS-OR-DOMAIN" */
    char *sender_login;                          /* path of the map file; NULL none */
    struct strlist targets[CONFIG_TARGET_COUNT]; /* words of the sendmail command lines */
    struct strlist modules_keys;                 /* specs */
    char *module_trust, *module_smime;
    int deliver;                                 /* enum config_deliver */
    struct strlist gateway_key, encrypt_also_to; /* addresses */
    int partial;
    uint64_t eip_patience;
    int eip_fallback;
    bool resign, strip_signatures;
    int harvest;
    bool subject_tags;
    int report;                      /* enum config_report */
    struct strlist incoming_profile; /* items "ADDRESS-OR-DOMAIN PROFILE" */
    int header_protection;           /* enum config_protection */
    int dkim_broken;                 /* enum config_dkim */
    bool accept_weak;
    int revocation;
    struct strlist profiles_raw; /* PROFILE_* */
    struct config_profile *profiles;
    size_t profile_count;
    char *spool;
    uint64_t spool_memory;
    int journal;
    char *journal_dir;
    uint64_t journal_keep, give_up;
    char *hold_dir;
    uint64_t hold_warn, hold_keep; /* seconds */
    int hold_changed, hold_lost;   /* enum config_changed, config_lost */
    int scanner_notice;            /* enum config_scanner_notice */
    uint64_t max_size, max_depth, max_parts, max_recipients;
    uint64_t module_timeout, deadline;
    char *log, *verify_log;
    int log_names;
    char *templates;         /* BASE/etc/templates */
    char *later;             /* always NULL: names that belong to parts not built yet are refused */
    struct ruleset *ruleset; /* loaded from `rules`; NULL with POLICY=subject */
};

/* Reads and checks everything that can be checked without running anything. false: `faults` names every one
 * with file:line. */
bool config_load(struct config *config, const char *path, struct conf_faults *faults);
void config_free(struct config *config);
const struct config_profile *config_profile_find(const struct config *config,
                                                 const char *name);    /* NULL name: "default" */
bool config_profile_strict(const struct config_profile *profile);      /* NULL: no */
const char *config_protection_word(enum config_protection protection); /* as HEADER_PROTECTION has it */
/* Of messages with this profile. */
enum config_protection config_profile_protection(const struct config *config,
                                                 const struct config_profile *profile);
const char *config_target_name(enum config_target target); /* "external", "scanner", "internal" */

enum config_target config_incoming_target(const struct config *config); /* by MODE */

/* The table behind julia.conf(5). The first `shipped_r` entries are the parameters that exist; the others are
   names reserved for parts that are not built yet, which are refused by name. */
const struct conf_entry *config_table(size_t *shipped_r, size_t *all_r);

#endif
