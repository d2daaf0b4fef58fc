/* SPDX-License-Identifier: MIT */
/* Reads a list of digests line by line, in any of the forms of checksum_parse, and finds the algorithm of each line. */
#ifndef CLI_CHECKSUM_LIST_H
#define CLI_CHECKSUM_LIST_H

#include "checksum.h"

enum {
    /* More bytes than a line with the longest name and all its escapes has. A longer line counts as improperly
     * formatted, and its rest is not kept. */
    CHECKSUM_LINE_MAX = 32768,
    CHECKSUM_TAG_MAX = 64,
};

struct checksum_list {
    const char *algorithms; /* comma-separated: those of lines that name none; NULL: the length of a digest says it */
    leat_filter *asked;     /* has them; NULL: there are none */
    FILE *from;
    enum checksum_gap gap;
    uint64_t number; /* of the line that was read last */
    char text[CHECKSUM_LINE_MAX];
};

/* A line; name and hex are valid until the next call. */
struct checksum_entry {
    const char *name; /* NULL: the line is improperly formatted */
    const char *hex;
    char algorithm[CHECKSUM_TAG_MAX];
};

/* `algorithms` is borrowed; only lines of these are proper then. Returns 0, or a code of leat_filter_digest. */
int checksum_list_new(struct checksum_list *list, const char *algorithms);
void checksum_list_free(struct checksum_list *list);

/* Begins another list, an open file that is borrowed. */
void checksum_list_begin(struct checksum_list *list, FILE *from);
/* Reads the next line that has something: empty lines and those that begin with # are passed over. Returns 1; 0: there
 * are no more lines, or ferror(from) says why. */
int checksum_list_next(struct checksum_list *list, struct checksum_entry *ret);

#endif
