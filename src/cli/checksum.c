/* Digests as sha256sum prints them. */
#include "cli.h"
#include <stdlib.h>
#include <string.h>

/* The names that the BSD form uses. */
static const char *tag_name(const char *algorithm)
{
    static const char *const names[][2] = {
        {"md5", "MD5"},       {"sha1", "SHA1"},     {"sha224", "SHA224"},       {"sha256", "SHA256"},
        {"sha384", "SHA384"}, {"sha512", "SHA512"}, {"blake2b-512", "BLAKE2b"}, {"sm3", "SM3"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i][0], algorithm) == 0)
            return names[i][1];
    return algorithm;
}

void cli_print_digest(FILE *to, const char *algorithm, const char *hex, const char *name, bool tag)
{
    bool escape = strpbrk(name, "\\\n\r") != NULL;
    if (escape)
        fputc('\\', to);
    if (tag)
        fprintf(to, "%s (", tag_name(algorithm));
    else
        fprintf(to, "%s  ", hex);
    for (const char *c = name; *c; c++)
        if (*c == '\\')
            fputs("\\\\", to);
        else if (*c == '\n')
            fputs("\\n", to);
        else if (*c == '\r')
            fputs("\\r", to);
        else
            fputc(*c, to);
    if (tag)
        fprintf(to, ") = %s", hex);
    fputc('\n', to);
}
