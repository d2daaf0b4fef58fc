/* SPDX-License-Identifier: MIT */
/* Functions that all subcommands share. The command includes only the public headers of the library. */
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
    EXIT_MISMATCH = 3, /* copy, run and image: a digest differs from the expected one */
};

/* Each runs one subcommand and returns its exit code. argv[0] is the name of the subcommand. */
int cli_copy(int argc, char **argv);
int cli_run(int argc, char **argv);
int cli_digest(int argc, char **argv);
int cli_channel(int argc, char **argv);
int cli_probe(int argc, char **argv);
int cli_bench(int argc, char **argv);
int cli_verify(int argc, char **argv);
int cli_image(int argc, char **argv);
int cli_shard(int argc, char **argv);
int cli_ls(int argc, char **argv);
int cli_stat(int argc, char **argv);
int cli_rm(int argc, char **argv);
int cli_store(int argc, char **argv);
int cli_version(int argc, char **argv);
int cli_tree(int argc, char **argv); /* `leat copy` with -r or -a */
extern const char tree_options_help[];

/* Prints "leat: MESSAGE" on standard error. `format` is that of printf, without a newline. */
void cli_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints the message like cli_warn, then a hint at `leat COMMAND --help`. Returns EXIT_USAGE. */
int cli_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Returns the remedy for a failure as a part of a sentence that names the option. NULL: no remedy is known. */
const char *cli_advice(const struct leat_error *error);

/* Reads the options of a command that has only --json and --help. Returns -1 if the command goes on, else the exit
 * code. */
int cli_json_option(const char *command, const char *help_text, int argc, char **argv, bool *ret_json);

/* Returns a name in quotes for a message. A name that a terminal can't show is quoted in the syntax of a shell. The
 * result is static memory, which the fourth call after this one overwrites. Call it from the main thread only. */
const char *cli_name(const char *name);

/* Returns the number of bytes of the character at `at`; *ret_plain says whether a terminal can show it. If it can't,
 * the character counts as 1 byte. */
size_t cli_letter(const char *at, bool *ret_plain);

/* Handles a '?' that getopt_long returned: prints "there is no option WORD" with the nearest options, in the way of
 * cli_usage. A short option is taken from optopt. */
int cli_unknown_option(const char *command, const struct option *longs, const char *word);
/* Returns "known are A, B", and the word of the list that is nearest to `word` if one is near. The result is static
 * memory. */
const char *cli_known(const char *word, const char *const words[]);
/* Finds the word in the list; *ret is its index. Returns 0, or an exit code after a message. */
int cli_choose(const char *command, const char *option, const char *word, const char *const words[], int32_t *ret);
/* Prints the first algorithm of a comma-separated list that is not known, and the known ones, in the way of cli_usage.
 */
int cli_unknown_algorithm(const char *command, const char *option, const char *list);
/* Explains why leat_filter_digest refused this list with this code, and returns the exit code. Only an unknown
 * algorithm is EXIT_USAGE. */
int cli_no_digest(const char *command, const char *option, const char *list, int code);

/* Reads a whole number from `least` to `most`. Returns 0, or the exit code of cli_usage. */
int cli_number(const char *command, const char *option, const char *text, long least, long most, int32_t *ret);
/* Reads the value of --retries and converts it for the library, whose option structs reserve 0 for the default. */
int cli_retries(const char *command, const char *text, int32_t *ret);

/* Reads the options of a command whose only short option is -h. Afterwards optind is the index of the first operand.
 * Calls `set` for each option. Returns 0, or the exit code of `set` or cli_usage. */
int cli_read_options(const char *command, const struct option *longs, int argc, char **argv,
                     int (*set)(void *user, int option, const char *value), void *user);

/* Returns the number of columns of the terminal that the descriptor is, or 0 if that is not known. */
int cli_terminal_width(int fd);

/* Flushes standard output. Returns `code`, or if that is 0 the first failure of standard output (a negative errno). */
int cli_flush(int code);
/* Closes standard output at the end of the command. If writing to standard output or standard error failed, prints that
 * and turns an exit code of 0 into EXIT_FAILED. Returns the exit code. */
int cli_end(int code);
/* Prints the object as one line of JSON on standard output. Takes the reference. Returns -ENOMEM if memory ran out or
 * `object` is NULL. */
int cli_print_json(json_t *object);
/* Ends a command that prints: prints a message if `code` is a failure. Returns the exit code. */
int cli_said(const char *command, int code);

/* Prints one digest in the form of sha256sum, with its escapes of names. If `tag` is true, it uses the BSD form, which
 * names the algorithm. */
void cli_print_digest(FILE *to, const char *algorithm, const char *hex, const char *name, bool tag);

#endif
