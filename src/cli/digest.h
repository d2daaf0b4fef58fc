/* leat digest: what its two halves, printing and checking, share. */
#ifndef CLI_DIGEST_H
#define CLI_DIGEST_H

#include "checksum.h"
#include "hasher.h"

/* Of a check. Each of the options takes the place of one given before. */
enum digest_talk {
    TALK_USUAL,
    TALK_WARN,   /* of every line that is improperly formatted, too */
    TALK_QUIET,  /* not of what is right */
    TALK_STATUS, /* by the exit code alone */
};

struct digest_options {
    const char *algorithms; /* NULL: none were asked for */
    char name[32];          /* what `algorithms` points to if --length made it */
    unsigned jobs;
    bool check;
    struct checksum_style style;
    enum digest_talk talk;
    bool ignore_missing, strict;
};

/* "leat: NAME: WHAT" on stderr, the name quoted where it must be. */
void digest_warn(const char *name, const char *what);

/* To be called after each line on stdout: it goes out at once, and a failure is kept in mind for the end. */
void digest_flush(void);

/* Checks the lists. The exit code. */
int digest_check(const struct digest_options *options, int count, char **lists);

#endif
