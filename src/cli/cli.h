/* What the subcommands share. The command sees only the public headers of the library. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <leat/leat.h>
#include <stdbool.h>
#include <stdio.h>

#ifndef ELIBACC /* Linux has it, POSIX does not */
#define ELIBACC ENOSYS
#endif

enum cli_exit {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_MISMATCH = 3, /* copy, run and image: a digest was not the expected one */
};

/* One subcommand: argv[0] is its name. Returns the exit code. */
int cli_copy(int argc, char **argv);
int cli_run(int argc, char **argv);
int cli_digest(int argc, char **argv);
int cli_channel(int argc, char **argv);
int cli_probe(int argc, char **argv);
int cli_bench(int argc, char **argv);
int cli_image(int argc, char **argv);
int cli_ls(int argc, char **argv);
int cli_stat(int argc, char **argv);
int cli_rm(int argc, char **argv);
int cli_store(int argc, char **argv);

/* "leat: message" on stderr (printf format, no newline). */
void cli_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, then a hint at `leat COMMAND --help`; returns EXIT_USAGE. */
int cli_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What to do about a failure, as a part of a sentence that names the option. NULL: nothing is known. */
const char *cli_advice(const struct leat_error *error);

/* The options of a command that has but --json and --help. -1: go on; else the exit code. */
int cli_json_option(const char *command, const char *help_text, int argc, char **argv, bool *ret_json);

/* A name in quotes, for a message; one that a terminal can't show is quoted as a shell reads it. Static: good until the
 * fourth call after it. The main thread alone. */
const char *cli_name(const char *name);

/* The bytes of the letter at `at`, and whether a terminal can show it; 1 byte if it can't. */
size_t cli_letter(const char *at, bool *ret_plain);

/* What getopt_long answers with '?': "there is no option WORD", and the nearest ones, as cli_usage says it. A letter is
 * named by optopt alone. */
int cli_unknown_option(const char *command, const struct option *longs, const char *word);
/* "known are A, B", with the nearest of them if one is near. Static. */
const char *cli_known(const char *word, const char *const words[]);
/* Which of the algorithms, separated by commas, is not known, and which are; as cli_usage says it. */
int cli_unknown_algorithm(const char *command, const char *option, const char *list);
/* leat_filter_digest has refused this list with this code: says why and returns the exit code. Only a name that is not
 * known is wrong usage. */
int cli_no_digest(const char *command, const char *option, const char *list, int code);

/* A whole number from `least` to `most`. 0, or the exit code of cli_usage. */
int cli_number(const char *command, const char *option, const char *text, long least, long most, int32_t *ret);
/* The value of --retries, as the options of the library have it: there 0 is the default. */
int cli_retries(const char *command, const char *text, int32_t *ret);

/* Reads the options of a command that has long ones and -h alone; optind is then behind them. `set` takes each one. 0,
 * or the exit code that it, or cli_usage, gave. */
int cli_read_options(const char *command, const struct option *longs, int argc, char **argv,
                     int (*set)(void *user, int option, const char *value), void *user);

/* Writes out what was printed. `code`, or if that is 0 the first failure of standard output (a negative errno). */
int cli_flush(int code);
/* The end of the command: closes standard output. A failure of it, or of standard error, is said and makes an exit code
 * of 0 to 1. Returns the exit code. */
int cli_end(int code);
/* A line of JSON on standard output. Takes the reference; -ENOMEM, also for NULL. */
int cli_print_json(json_t *object);
/* How a command that prints ends: with a message, if that failed. Returns the exit code. */
int cli_said(const char *command, int code);

/* One digest as sha256sum prints it, names escaped as it does; `tag`: the BSD form, which names the algorithm. */
void cli_print_digest(FILE *to, const char *algorithm, const char *hex, const char *name, bool tag);

#endif
