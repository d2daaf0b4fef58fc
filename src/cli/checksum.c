/* SPDX-License-Identifier: MIT */
/* Prints digests in the forms of sha256sum. */
#include "checksum.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- lines ---- */

/* BSD writes names in capitals, except the BLAKE2 names. A BLAKE2 name without a length means the longest digest. */
void checksum_tag(const char *algorithm, char *ret, size_t size)
{
    static const char *const odd[][2] = {
        {"blake2b-512", "BLAKE2b"}, {"blake2s-256", "BLAKE2s"}, {"blake2b", "BLAKE2b"}, {"blake2s", "BLAKE2s"}};
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
        if (strncmp(algorithm, odd[i][0], strlen(odd[i][0])) == 0) {
            snprintf(ret, size, "%s%s", odd[i][1], algorithm + strlen(odd[i][0]));
            return;
        }
    snprintf(ret, size, "%s", algorithm);
    for (; *ret; ret++)
        *ret = (char)toupper((unsigned char)*ret);
}

static void checksum_print_escaped(FILE *to, const char *name)
{
    for (; *name; name++)
        if (*name == '\\')
            fputs("\\\\", to);
        else if (*name == '\n')
            fputs("\\n", to);
        else if (*name == '\r')
            fputs("\\r", to);
        else
            fputc(*name, to);
}

/* Quotes characters that a terminal can't show, in the way of the library. NULL: there are none, or no memory. */
static char *quote_control(const char *name)
{
    size_t n = leat_text_quote(NULL, 0, name);
    char *text = n == strlen(name) ? NULL : malloc(n + 1);
    if (text)
        leat_text_quote(text, n + 1, name);
    return text;
}

/* A list may have names with control characters, which a terminal would execute. Files and pipes get the names as they
 * are. */
static char *quote_for(FILE *to, const char *name)
{
    return isatty(fileno(to)) ? quote_control(name) : NULL;
}

/* A backslash at the start of the line tells readers that the name has escapes. */
void checksum_print_name(FILE *to, const char *before, const char *name, const char *behind, const char *escaped)
{
    char *quoted = quote_for(to, name);
    bool escape = !quoted && strpbrk(name, escaped);
    fprintf(to, "%s%s", escape ? "\\" : "", before);
    if (escape)
        checksum_print_escaped(to, name);
    else
        fputs(quoted ? quoted : name, to);
    fputs(behind, to);
    free(quoted);
}

void checksum_print(FILE *to, const char *algorithm, const char *hex, const char *name,
                    const struct checksum_style *style)
{
    char before[LEAT_DIGEST_HEX_MAX + 40], behind[LEAT_DIGEST_HEX_MAX + 40] = "";
    if (style->tag) {
        checksum_tag(algorithm, before, sizeof(before) - 2);
        strcat(before, " (");
        snprintf(behind, sizeof(behind), ") = %s", hex);
    } else
        snprintf(before, sizeof(before), "%s %c", hex, style->binary ? '*' : ' ');
    checksum_print_name(to, before, name, behind, style->zero ? "" : "\\\n\r");
    fputc(style->zero ? '\0' : '\n', to);
}

void cli_print_digest(FILE *to, const char *algorithm, const char *hex, const char *name, bool tag)
{
    checksum_print(to, algorithm, hex, name, &(struct checksum_style){.tag = tag});
}

/* ---- names in messages ---- */

/* A shell does not need quotes around a colon, but in a message a colon ends the name. Bytes beyond ASCII count as
 * letters. */
static bool wants_quotes(const char *name)
{
    if (name[0] == '\0' || name[0] == '~' || name[0] == '#' || strcmp(name, "{") == 0 || strcmp(name, "}") == 0)
        return true;
    for (; *name; name++)
        if ((unsigned char)*name <= ' ' || strchr("!\"$&'()*:;<=>?[\\^`|\177", *name))
            return true;
    return false;
}

/* A name with an apostrophe is easier to read in double quotes, which fit if no other character is special in them. */
static bool fits_double_quotes(const char *name)
{
    return strchr(name, '\'') && !strpbrk(name, "!\"$\\`");
}

static void write_single_quoted(FILE *to, const char *name)
{
    fputc('\'', to);
    for (; *name; name++)
        if (*name == '\'')
            fputs("'\\''", to);
        else
            fputc(*name, to);
    fputc('\'', to);
}

char *checksum_quote(const char *name)
{
    char *text = quote_control(name);
    size_t size;
    FILE *to = text ? NULL : open_memstream(&text, &size);
    if (!to)
        return text;
    if (!wants_quotes(name))
        fputs(name, to);
    else if (fits_double_quotes(name))
        fprintf(to, "\"%s\"", name);
    else
        write_single_quoted(to, name);
    if (fclose(to) != 0 || !text) { /* glibc's fclose returns 0 even if the last allocation fails */
        free(text);
        return NULL;
    }
    return text;
}

void checksum_warn(const char *name, const char *what)
{
    char *quoted = checksum_quote(name);
    cli_warn("%s: %s", quoted ? quoted : name, what);
    free(quoted);
}
