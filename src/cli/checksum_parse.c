/* SPDX-License-Identifier: MIT */
/* Parses a line of digests. These forms are in use:
 *
 *   HEX  NAME          HEX *NAME       sha256sum; the star once meant binary mode
 *   HEX NAME           BSD's md5 -r; the first line of a list tells it from the form above
 *   TAG (NAME) = HEX   BSD, sha256sum --tag and cksum
 *   TAG(NAME)= HEX     openssl dgst
 *
 * A backslash at the start of any of them says that \n, \r and \\ in the name are escapes. */
#include "checksum.h"
#include <ctype.h>
#include <errno.h>
#include <string.h>

static char *skip_blanks(char *at)
{
    return at + strspn(at, " \t");
}

static size_t hex_length(const char *at)
{
    return strspn(at, "0123456789abcdefABCDEF");
}

/* Replaces the escapes in place, since the name only gets shorter. False: an escape that no tool writes. */
static bool unescape(char *name)
{
    char *to = name;
    for (; *name; name++) {
        if (*name != '\\') {
            *to++ = *name;
            continue;
        }
        name++;
        if (*name != 'n' && *name != 'r' && *name != '\\')
            return false;
        *to++ = (char)(*name == 'n' ? '\n' : *name == 'r' ? '\r' : '\\');
    }
    *to = '\0';
    return true;
}

/* The last parenthesis ends the name, since the name itself may have parentheses. */
static bool parse_tagged(char *line, struct checksum_line *ret)
{
    size_t length = 0;
    while (isalnum((unsigned char)line[length]) || (length > 0 && line[length] && strchr("-/_", line[length])))
        length++;
    char *name = line + length + (line[length] == ' ');
    char *end = strrchr(line, ')');
    if (length == 0 || *name != '(' || !end || end <= name)
        return false;
    char *equals = skip_blanks(end + 1);
    if (*equals != '=')
        return false;
    char *hex = skip_blanks(equals + 1);
    size_t digits = hex_length(hex);
    if (digits == 0 || hex[digits] != '\0')
        return false;
    line[length] = *end = '\0';
    *ret = (struct checksum_line){.tag = line, .hex = hex, .name = name + 1};
    return true;
}

static bool parse_plain(char *line, enum checksum_gap *gap, struct checksum_line *ret)
{
    size_t digits = hex_length(line);
    char *name = line + digits + 1;
    if (digits == 0 || (line[digits] != ' ' && line[digits] != '\t') || *name == '\0')
        return false;
    bool narrow = name[1] == '\0' || (*name != ' ' && *name != '*');
    if (narrow && *gap == CHECKSUM_GAP_WIDE)
        return false;
    if (*gap == CHECKSUM_GAP_UNKNOWN)
        *gap = narrow ? CHECKSUM_GAP_NARROW : CHECKSUM_GAP_WIDE;
    line[digits] = '\0';
    *ret = (struct checksum_line){.hex = line, .name = name + (*gap == CHECKSUM_GAP_WIDE)};
    return true;
}

int checksum_parse(char *line, enum checksum_gap *gap, struct checksum_line *ret)
{
    struct checksum_line parsed;
    char *at = skip_blanks(line);
    bool escaped = *at == '\\';
    at += escaped;
    if (!parse_tagged(at, &parsed) && !parse_plain(at, gap, &parsed))
        return -EINVAL;
    char *name = at + (parsed.name - at);
    if (escaped && !unescape(name))
        return -EINVAL;
    *ret = parsed;
    return 0;
}
