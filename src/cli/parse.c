/* SPDX-License-Identifier: MIT */
/* Reads the options of subcommands that have only a few. */
#include "cli.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

int cli_number(const char *command, const char *option, const char *text, long least, long most, int32_t *ret)
{
    char *end;
    errno = 0;
    long n = strtol(text, &end, 10);
    if (!isdigit((unsigned char)text[0]) || *end || errno || n < least || n > most)
        return cli_usage(command, "--%s: '%s' is no number from %ld to %ld", option, text, least, most);
    *ret = (int32_t)n;
    return 0;
}

int cli_retries(const char *command, const char *text, int32_t *ret)
{
    int r = cli_number(command, "retries", text, 0, INT32_MAX, ret);
    if (r == 0 && *ret == 0)
        *ret = -1;
    return r;
}

int cli_choose(const char *command, const char *option, const char *word, const char *const words[], int32_t *ret)
{
    for (int i = 0; words[i]; i++)
        if (strcmp(word, words[i]) == 0) {
            *ret = i;
            return 0;
        }
    return cli_usage(command, "--%s does not know '%s'; %s", option, word, cli_known(word, words));
}

int cli_read_options(const char *command, const struct option *longs, int argc, char **argv,
                     int (*set)(void *user, int option, const char *value), void *user)
{
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":h", longs, NULL)) != -1;) {
        if (option == '?')
            return cli_unknown_option(command, longs, argv[optind - 1]);
        if (option == ':')
            return cli_usage(command, "'%s' wants a value", argv[optind - 1]);
        int r = set(user, option, optarg);
        if (r != 0)
            return r;
    }
    return 0;
}
