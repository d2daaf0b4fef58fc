/* Digests as sha256sum prints them. */
#include "checksum.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- lines ---- */

/* BSD writes them in capitals, but for the BLAKE2s, whose longest digest is meant where no length is named. */
void checksum_print_tag(FILE *to, const char *algorithm)
{
    static const char *const odd[][2] = {
        {"blake2b-512", "BLAKE2b"}, {"blake2s-256", "BLAKE2s"}, {"blake2b", "BLAKE2b"}, {"blake2s", "BLAKE2s"}};
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
        if (strncmp(algorithm, odd[i][0], strlen(odd[i][0])) == 0) {
            fprintf(to, "%s%s", odd[i][1], algorithm + strlen(odd[i][0]));
            return;
        }
    for (; *algorithm; algorithm++)
        fputc(toupper((unsigned char)*algorithm), to);
}

void checksum_print_escaped(FILE *to, const char *name)
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

/* A backslash before all the rest tells that the name has some in it. */
void checksum_print(FILE *to, const char *algorithm, const char *hex, const char *name,
                    const struct checksum_style *style)
{
    bool escape = !style->zero && strpbrk(name, "\\\n\r") != NULL;
    if (escape)
        fputc('\\', to);
    if (style->tag) {
        checksum_print_tag(to, algorithm);
        fputs(" (", to);
    } else
        fprintf(to, "%s %c", hex, style->binary ? '*' : ' ');
    if (escape)
        checksum_print_escaped(to, name);
    else
        fputs(name, to);
    if (style->tag)
        fprintf(to, ") = %s", hex);
    fputc(style->zero ? '\0' : '\n', to);
}

void cli_print_digest(FILE *to, const char *algorithm, const char *hex, const char *name, bool tag)
{
    checksum_print(to, algorithm, hex, name, &(struct checksum_style){.tag = tag});
}

/* ---- names in messages ---- */

/* A colon is harmless to a shell, but parts the name from what is said of it. Bytes beyond ASCII are letters, as far
 * as we know. */
static bool wants_quotes(const char *name)
{
    if (name[0] == '\0' || name[0] == '~' || name[0] == '#' || strcmp(name, "{") == 0 || strcmp(name, "}") == 0)
        return true;
    for (; *name; name++)
        if ((unsigned char)*name <= ' ' || strchr("!\"$&'()*:;<=>?[\\^`|\177", *name))
            return true;
    return false;
}

/* Between double quotes an apostrophe reads better, where nothing else is special there. */
static bool fits_double_quotes(const char *name)
{
    bool apostrophe = false;
    for (; *name; name++) {
        if ((unsigned char)*name < ' ' || strchr("!\"$\\`\177", *name))
            return false;
        apostrophe |= *name == '\'';
    }
    return apostrophe;
}

/* \n and its like, or three octal digits: what $'...' of a shell understands. */
static void write_control(FILE *to, char c)
{
    static const char known[] = "\a\b\t\n\v\f\r", letters[] = "abtnvfr";
    const char *at = strchr(known, c);
    if (at)
        fprintf(to, "\\%c", letters[at - known]);
    else
        fprintf(to, "\\%03o", (unsigned)(unsigned char)c);
}

static void write_single_quoted(FILE *to, const char *name)
{
    bool escaping = false;
    fputc('\'', to);
    for (; *name; name++) {
        bool control = iscntrl((unsigned char)*name);
        if (*name == '\'') {
            fputs("'\\''", to);
            escaping = false;
            continue;
        }
        if (control != escaping)
            fputs(control ? "'$'" : "''", to);
        escaping = control;
        if (control)
            write_control(to, *name);
        else
            fputc(*name, to);
    }
    fputc('\'', to);
}

char *checksum_quote(const char *name)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return NULL;
    if (!wants_quotes(name))
        fputs(name, to);
    else if (fits_double_quotes(name))
        fprintf(to, "\"%s\"", name);
    else
        write_single_quoted(to, name);
    if (fclose(to) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
