/* SPDX-License-Identifier: MIT */
/* Writes and parses lines of digests in the forms of sha256sum and of tools like it. */
#ifndef CLI_CHECKSUM_H
#define CLI_CHECKSUM_H

#include "cli.h"

struct checksum_style {
    bool tag;    /* the BSD form, which names the algorithm: SHA256 (name) = hex */
    bool binary; /* " *" before the name instead of two blanks; leat and sha256sum on Linux treat both alike */
    bool zero;   /* the line ends with a NUL instead of a newline, and the name is not escaped */
};

/* Prints one line. `algorithm` is the name that the library uses, such as sha256 or blake2b-512. */
void checksum_print(FILE *to, const char *algorithm, const char *hex, const char *name,
                    const struct checksum_style *style);

/* Writes the algorithm's name in the BSD form into `ret`: SHA256, BLAKE2b. */
void checksum_tag(const char *algorithm, char *ret, size_t size);

/* Prints `before`, the name and `behind`. If the name has one of the characters of `escaped`, a backslash is printed
 * first and \n, \r and \\ in the name are escaped, so that the line stays one line. If `to` is a terminal and the name
 * has characters that a terminal can't show, the name is quoted instead. */
void checksum_print_name(FILE *to, const char *before, const char *name, const char *behind, const char *escaped);

/* Returns the name of a file for a message, quoted where a shell would need quotes. The caller frees it; NULL: no
 * memory. */
char *checksum_quote(const char *name);

/* Prints "leat: NAME: WHAT" on standard error. The name is quoted if it needs quotes. */
void checksum_warn(const char *name, const char *what);

/* How many blanks stand before the names of a list. BSD's md5 -r writes one (NARROW), sha256sum writes two (WIDE). The
 * first line of the list that is not in the BSD form decides. */
enum checksum_gap {
    CHECKSUM_GAP_UNKNOWN,
    CHECKSUM_GAP_WIDE,
    CHECKSUM_GAP_NARROW,
};

/* The parts of a line. All three members point into the line, which checksum_parse changes. */
struct checksum_line {
    const char *tag; /* NULL: the line does not name its algorithm */
    const char *hex;
    const char *name;
};

/* Splits a line, given without its newline, into its parts. Returns 0, or -EINVAL if the format is wrong. The caller
 * checks whether the algorithm exists and whether the digest has the right length. */
int checksum_parse(char *line, enum checksum_gap *gap, struct checksum_line *ret);

#endif
