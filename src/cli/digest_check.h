/* SPDX-License-Identifier: MIT */
/* leat digest -c: checks the files of lists. The options are those of both halves of the command. */
#ifndef CLI_DIGEST_CHECK_H
#define CLI_DIGEST_CHECK_H

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

/* Checks the lists. Returns the exit code. */
int digest_check(const struct digest_options *options, int count, char **lists);

#endif
