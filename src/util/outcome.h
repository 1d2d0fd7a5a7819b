/* What became of something: done, try again later, or never. Kind, enhanced status code (RFC 3463) and text
   are filled in together where the fault is seen; nobody guesses them again further up. */
#ifndef JULIA_OUTCOME_H
#define JULIA_OUTCOME_H

enum outcome_kind {
    OUTCOME_DONE,      /* everything is as asked */
    OUTCOME_TEMPORARY, /* try again: the default for whatever is not proven permanent */
    OUTCOME_PERMANENT  /* proven: trying again cannot help */
};

struct outcome {
    enum outcome_kind kind;
    char dsn[12];   /* "4.3.0", "5.7.1"; its class agrees with kind */
    int exit_code;  /* sysexits: 0, 75, or 65/67/69/77 for permanent ones */
    char text[512]; /* for people, one line, printable */
};

void outcome_done(struct outcome *o); /* 0, "2.0.0", "" */
/* Both keep the first fault: nothing happens when `o` is not OUTCOME_DONE, except that a temporary fault is
   never overwritten by a permanent one and a permanent one is replaced by a temporary one (so that mail is
   kept). */
void outcome_temporary(struct outcome *o, const char *dsn, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void outcome_permanent(struct outcome *o, int exit_code, const char *dsn, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* What became of a part of the work, reported apart so that its fault stopped no other part: taken over by
   the same rules. */
void outcome_merge(struct outcome *o, const struct outcome *part);

#endif
