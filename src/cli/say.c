/* SPDX-License-Identifier: MIT */
/* Messages and output of the command. A message is one line on standard error that a terminal can show, whatever names
 * and values it has. At the end the command checks that everything it printed could be written. */
#include "cli.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define OPTIONS_MAX 64

/* ---- names and messages ---- */

/* Returns the part of "x://USER:PASSWORD@HOST/" behind the login. */
static const char *without_login(const char *name)
{
    const char *mark = strstr(name, "://"), *shown = name;
    if (!mark || mark == name || name + strcspn(name, ":/") != mark)
        return name;
    for (const char *at = mark + 3, *end = at + strcspn(at, "/?#"); at < end; at++)
        if (*at == '@')
            shown = at + 1;
    return shown;
}

const char *cli_name(const char *name)
{
    name = without_login(name);
    static char *kept[4];
    static unsigned next;
    size_t n = strlen(name), quoted = leat_text_quote(NULL, 0, name);
    char *text = malloc(quoted + 3);
    if (!text)
        return "?";
    free(kept[next]);
    kept[next] = text;
    next = (next + 1) % 4;
    if (quoted == n)
        snprintf(text, quoted + 3, "'%s'", name);
    else
        leat_text_quote(text, quoted + 3, name);
    return text;
}

size_t cli_letter(const char *at, bool *ret_plain)
{
    unsigned char c = (unsigned char)*at;
    char letter[5];
    snprintf(letter, sizeof(letter), "%.*s", c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4, at);
    size_t n = strlen(letter);
    *ret_plain = leat_text_quote(NULL, 0, letter) == n;
    return *ret_plain ? n : 1;
}

/* Masks control characters in the whole message. Names have been quoted before; values of options have not. */
static void mask(char *text)
{
    bool plain;
    for (size_t n; *text; text += n) {
        n = cli_letter(text, &plain);
        if (!plain)
            *text = '?';
    }
}

static void print_message(const char *format, va_list arguments)
{
    char *text = NULL, shorter[512];
    size_t size;
    va_list again;
    va_copy(again, arguments);
    FILE *to = open_memstream(&text, &size);
    bool whole = to && vfprintf(to, format, arguments) >= 0;
    if (to && (fclose(to) != 0 || !text))
        whole = false;
    if (!whole)
        vsnprintf(shorter, sizeof(shorter), format, again); /* no memory: print as much as fits */
    va_end(again);
    mask(whole ? text : shorter);
    fputs(whole ? text : shorter, stderr);
    free(text);
}

void cli_warn(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("leat: ", stderr);
    print_message(format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

int cli_usage(const char *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "leat %s: ", command);
    print_message(format, arguments);
    fprintf(stderr, "\nTry 'leat %s --help'.\n", command);
    va_end(arguments);
    return EXIT_USAGE;
}

/* ---- unknown words ---- */

/* If the word is "--NAME=VALUE" and the option takes no value, returns the option's full name. NAME may be abbreviated,
 * as for getopt_long. */
static const char *has_value(const struct option *longs, const char *word)
{
    size_t n = strcspn(word, "=");
    for (size_t i = 0; longs[i].name && n > 2 && word[n] && strncmp(word, "--", 2) == 0; i++)
        if (longs[i].has_arg == no_argument && strncmp(longs[i].name, word + 2, n - 2) == 0)
            return longs[i].name;
    return NULL;
}

int cli_unknown_option(const char *command, const struct option *longs, const char *word)
{
    char dashed[OPTIONS_MAX][32], near[128];
    const char *words[OPTIONS_MAX + 1] = {NULL};
    const char *name = has_value(longs, word);
    if (name)
        return cli_usage(command, "--%s takes no value", name);
    if (optopt > ' ' && optopt <= '~') /* a short option; behind others in one word, `word` is the word before */
        return cli_usage(command, "there is no option '-%c'", optopt);
    for (size_t i = 0; longs[i].name && i < OPTIONS_MAX; i++) {
        snprintf(dashed[i], sizeof(dashed[i]), "--%s", longs[i].name);
        words[i] = dashed[i];
    }
    if (leat_text_nearest(near, sizeof(near), word, strcspn(word, "="), words) > 0)
        return cli_usage(command, "there is no option '%s'; did you mean %s?", word, near);
    return cli_usage(command, "there is no option '%s'", word);
}

const char *cli_known(const char *word, const char *const words[])
{
    static char text[600];
    char near[128];
    bool any = leat_text_nearest(near, sizeof(near), word, strlen(word), words) > 0;
    size_t n = (size_t)snprintf(text, sizeof(text), "%s%s%s", any ? "did you mean " : "", near,
                                any ? "? Known are" : "known are");
    for (size_t i = 0; words[i] && n < sizeof(text); i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s %s", i ? "," : "", words[i]);
    return text;
}

int cli_unknown_algorithm(const char *command, const char *option, const char *list)
{
    char name[64] = "";
    const char *words[OPTIONS_MAX + 1] = {NULL};
    for (size_t i = 0; i < OPTIONS_MAX && leat_digest_algorithm(i); i++)
        words[i] = leat_digest_algorithm(i);
    for (const char *at = list;; at++) {
        size_t n = strcspn(at, ",");
        leat_filter *filter;
        snprintf(name, sizeof(name), "%.*s", (int)(n < 63 ? n : 63), at);
        if (leat_filter_digest(&filter, name, NULL, NULL) < 0)
            break;
        leat_filter_free(filter);
        at += n;
        if (!*at)
            return cli_usage(command, "--%s: '%s' can't be computed", option, list);
    }
    return cli_usage(command, "--%s: there is no algorithm '%s'; %s, and what else libcrypto offers", option, name,
                     cli_known(name, words));
}

int cli_no_digest(const char *command, const char *option, const char *list, int code)
{
    if (code == -ENOENT || code == -EINVAL)
        return cli_unknown_algorithm(command, option, list);
    if (code == -ELIBACC)
        cli_warn("%s: libcrypto can't be loaded: install libssl3", command);
    else
        cli_warn("%s: %s: %s", command, list, strerror(-code));
    return EXIT_FAILED;
}

/* ---- standard output ---- */

static int output_code; /* the first failure, a positive errno */
static bool output_told;

int cli_flush(int code)
{
    errno = 0;
    bool failed = fflush(stdout) != 0;
    if (output_code == 0 && (failed || ferror(stdout)))
        output_code = errno ? errno : EIO;
    return code == 0 ? -output_code : code;
}

int cli_said(const char *command, int code)
{
    code = cli_flush(code);
    if (code < 0) {
        cli_warn("%s: standard output: %s", command, strerror(-code));
        output_told = true;
    }
    return code < 0 ? EXIT_FAILED : EXIT_DONE;
}

int cli_end(int code)
{
    cli_flush(0);
    if (close(STDOUT_FILENO) < 0 && output_code == 0)
        output_code = errno;
    if (output_code && !output_told)
        cli_warn("standard output: %s", strerror(output_code));
    return code == EXIT_DONE && (output_code || ferror(stderr)) ? EXIT_FAILED : code;
}

int cli_terminal_width(int fd)
{
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}
