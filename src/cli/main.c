/* SPDX-License-Identifier: MIT */
/* leat: finds and runs the subcommand. */
#include "cli.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct subcommand {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} subcommands[] = {
    {"copy", cli_copy, "one pass: copy, digests, several sinks, rate, verify"},
    {"run", cli_run, "the same for a pipeline written as text, with filters"},
    {"digest", cli_digest, "print and check digests of files, as sha256sum does"},
    {"verify", cli_verify, "compare two folders, or a list of digests and a folder"},
    {"shard", cli_shard, "how far the processes are that share a copy of a tree"},
    {"ls", cli_ls, "what a store has: keys, tags, repositories"},
    {"stat", cli_stat, "what a store knows of an object"},
    {"rm", cli_rm, "remove objects from a store"},
    {"image", cli_image, "images of containers, between registries and folders"},
    {"store", cli_store, "uploads that were left unfinished in a store"},
    {"channel", cli_channel, "the messages and the peers of a shared-memory channel"},
    {"probe", cli_probe, "what this machine allows, and why not"},
    {"bench", cli_bench, "every route and engine side by side, on your own endpoints"},
    {"version", cli_version, "the version, and what this build and this machine have"},
};

int cli_json_option(const char *command, const char *help_text, int argc, char **argv, bool *ret_json)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    *ret_json = false;
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;)
        switch (option) {
        case 'j':
            *ret_json = true;
            break;
        case 'h':
            fputs(help_text, stdout);
            return EXIT_DONE;
        default:
            return cli_unknown_option(command, options, argv[optind - 1]);
        }
    return -1;
}

int cli_print_json(json_t *object)
{
    /* Not json_dumps: when memory runs out, it may leave out a key and still succeed. */
    const size_t flags = JSON_COMPACT | JSON_REAL_PRECISION(5);
    size_t size = object ? json_dumpb(object, NULL, 0, flags) : 0;
    char *line = size ? malloc(size + 1) : NULL;
    bool whole = line && json_dumpb(object, line, size, flags) == size;
    json_decref(object);
    if (whole) {
        line[size] = '\0';
        puts(line);
    }
    free(line);
    return whole ? 0 : -ENOMEM;
}

static void help(FILE *to)
{
    fputs("leat moves bytes by the cheapest way the kernel allows, and says which it took.\n\n"
          "usage: leat COMMAND [options] ...\n\n",
          to);
    for (size_t i = 0; i < sizeof(subcommands) / sizeof(subcommands[0]); i++)
        fprintf(to, "  %-8s %s\n", subcommands[i].name, subcommands[i].help);
    fputs("\nTo begin:\n"
          "  leat copy --digest sha256 image.iso /srv/image.iso\n"
          "  leat copy --explain image.iso /srv/image.iso       which way, and why\n"
          "  leat digest *.iso > SHA256SUMS; leat digest -c SHA256SUMS\n\n"
          "'leat COMMAND --help' tells more, 'man leat-COMMAND' all.\n",
          to);
}

static void nothing(int number)
{
    (void)number;
}

/* SIGUSR1 asks a command for its progress and must not end a command that has none. A handler is set because programs
 * that the command starts would inherit an ignored signal. */
static void survive_questions(void)
{
    sigaction(SIGUSR1, &(struct sigaction){.sa_handler = nothing, .sa_flags = SA_RESTART}, NULL);
}

/* If a standard descriptor is closed, the next file that is opened gets its number, and digests would be written into
 * that file. So each closed number is taken by /dev/null, opened so that reading or writing fails. */
static void take_closed_numbers(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
            exit(EXIT_FAILED);
}

/* Runs the command argv[0]. */
static int run_command(int argc, char **argv)
{
    const char *words[sizeof(subcommands) / sizeof(subcommands[0]) + 1] = {NULL};
    char near[64];
    for (size_t i = 0; i < sizeof(subcommands) / sizeof(subcommands[0]); i++) {
        words[i] = subcommands[i].name;
        if (strcmp(argv[0], words[i]) == 0)
            return subcommands[i].run(argc, argv);
    }
    if (leat_text_nearest(near, sizeof(near), argv[0], strlen(argv[0]), words) > 0)
        cli_warn("there is no command %s; did you mean %s?", cli_name(argv[0]), near);
    else
        cli_warn("there is no command %s", cli_name(argv[0]));
    fputs("Try 'leat --help'.\n", stderr);
    return EXIT_USAGE;
}

static bool is_one_of(const char *word, const char *const *list)
{
    while (*list && strcmp(word, *list) != 0)
        list++;
    return *list != NULL;
}

static int run(int argc, char **argv)
{
    static const char *const helps[] = {"--help", "-h", "help", NULL}, *const versions[] = {"--version", "-V", "-v",
                                                                                            NULL};
    if (is_one_of(argv[1], helps)) {
        char *asked[] = {argc > 2 ? argv[2] : NULL, (char[]){"--help"}, NULL};
        if (asked[0] && !is_one_of(asked[0], helps))
            return run_command(2, asked);
        help(stdout);
        return EXIT_DONE;
    }
    if (is_one_of(argv[1], versions)) {
        printf("leat %s\n", leat_version());
        return EXIT_DONE;
    }
    return run_command(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    take_closed_numbers();
    survive_questions();
    signal(SIGCHLD, SIG_DFL); /* the parent may ignore it, and then the exit status of a child would be lost */
    if (argc < 2) {
        help(stderr);
        return EXIT_USAGE;
    }
    return cli_end(run(argc, argv));
}
