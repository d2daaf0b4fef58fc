/* Lines of digests, as sha256sum and its kin write and read them. */
#ifndef CLI_CHECKSUM_H
#define CLI_CHECKSUM_H

#include "cli.h"

struct checksum_style {
    bool tag;    /* the BSD form, which names the algorithm: SHA256 (name) = hex */
    bool binary; /* " *" before the name instead of two blanks; means nothing here, nor does it there */
    bool zero;   /* ended by a NUL, and names as they are */
};

/* `algorithm` is the library's name for it, such as sha256 or blake2b-512. */
void checksum_print(FILE *to, const char *algorithm, const char *hex, const char *name,
                    const struct checksum_style *style);

/* The algorithm as the BSD form names it: SHA256, BLAKE2b. */
void checksum_tag(const char *algorithm, char *ret, size_t size);

/* The name between two other texts. If it has one of the characters of `escaped`, a backslash stands before all of it,
 * and \n, \r and \\ for what would break the line. On a terminal a name that it can't show is quoted instead. */
void checksum_print_name(FILE *to, const char *before, const char *name, const char *behind, const char *escaped);

/* A file's name for a message, quoted for a shell if a shell would want that. From malloc; NULL: no memory. */
char *checksum_quote(const char *name);

/* Whether a blank alone stands before the names of a list, as BSD's md5 -r has it: its first plain line decides. */
enum checksum_gap {
    CHECKSUM_GAP_UNKNOWN,
    CHECKSUM_GAP_WIDE,
    CHECKSUM_GAP_NARROW,
};

/* What a line says. All three point into the line, which is changed. */
struct checksum_line {
    const char *tag; /* NULL: the line does not name its algorithm */
    const char *hex;
    const char *name;
};

/* Takes a line apart, without its newline. 0, or -EINVAL: improperly formatted. Whether there is such an algorithm
 * and its digest is so long remains to be seen. */
int checksum_parse(char *line, enum checksum_gap *gap, struct checksum_line *ret);

#endif
