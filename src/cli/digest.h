/* leat digest: declarations that printing (digest.c) and checking (digest_check.c) share. */
#ifndef CLI_DIGEST_H
#define CLI_DIGEST_H

#include "checksum.h"
#include "hasher.h"

/* What a check prints. If several of the options are given, the last one holds. */
enum digest_talk {
    TALK_USUAL,
    TALK_WARN,   /* also each line that is improperly formatted */
    TALK_QUIET,  /* not the files whose digest is right */
    TALK_STATUS, /* nothing: the exit code alone says it */
};

struct digest_options {
    const char *algorithms; /* comma-separated; NULL: none were given */
    char name[32];          /* `algorithms` points here if --length is given */
    unsigned jobs;
    bool check;
    struct checksum_style style;
    enum digest_talk talk;
    bool ignore_missing, strict;
};

/* Prints "leat: NAME: WHAT" on standard error. The name is quoted if it needs quotes. */
void digest_warn(const char *name, const char *what);

/* Flushes standard output after each line. A failure is remembered and reported when the command ends. */
void digest_flush(void);

/* Checks the lists. Returns the exit code. */
int digest_check(const struct digest_options *options, int count, char **lists);

#endif
