/* SPDX-License-Identifier: MIT */
/* leat verify: compares two trees. */
#include "checksum.h"
#include "signals.h"
#include "trees/watch.h"
#include <inttypes.h>
#include <string.h>

static const char usage[] = "usage: leat verify [options] SOURCE TARGET\n"
                            "\n"
                            "Compares two folders with all that is in them, in parallel: kinds, contents,\n"
                            "symbolic links and devices. Each difference is a line on standard output. The\n"
                            "order of the lines is not defined.\n"
                            "\n"
                            "  -a, --archive          also owners, modes, times of modification, extended\n"
                            "                         attributes, access control lists, flags, and which\n"
                            "                         names are hard links of one file\n"
                            "  --jobs N               files that are compared at the same time (default: one\n"
                            "                         for each processor, at least 2)\n"
                            "  --one-file-system      folders on other file systems are not compared\n"
                            "  --status               print no line of a difference; the exit code says it\n"
                            "  --progress[=auto|bar|json|never]\n"
                            "                         how far it is, on stderr (default auto: a bar on a\n"
                            "                         terminal)\n"
                            "  -v                     say at the end what was compared, on stderr\n"
                            "  --help                 this\n"
                            "\n"
                            "  leat verify -a /srv/data /backup/data\n"
                            "\n"
                            "Exit codes: 0 all is equal, 1 something differs or can't be read, 2 usage.\n";

enum {
    OPTION_JOBS = 1000,
    OPTION_ONE,
    OPTION_STATUS,
    OPTION_PROGRESS,
};

static const struct option longs[] = {
    {"archive", no_argument, NULL, 'a'},
    {"jobs", required_argument, NULL, OPTION_JOBS},
    {"one-file-system", no_argument, NULL, OPTION_ONE},
    {"status", no_argument, NULL, OPTION_STATUS},
    {"progress", optional_argument, NULL, OPTION_PROGRESS},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct verify_command {
    struct leat_tree_options options;
    enum progress_mode mode;
    bool is_verbose, is_silent;
    uint64_t told;
    struct tree_watch watch;
};

/* ---- options ---- */

static int set(struct verify_command *c, int option, const char *value)
{
    static const char *const modes[] = {"auto", "bar", "json", "never", NULL};
    int32_t word = 0;
    int r = 0;
    switch (option) {
    case 'a':
        c->options.keep = LEAT_TREE_ALL;
        break;
    case 'v':
        c->is_verbose = true;
        break;
    case OPTION_JOBS:
        return cli_number("verify", "jobs", value, 1, LEAT_TREE_JOBS_MAX, &c->options.jobs);
    case OPTION_ONE:
        c->options.one_file_system = 1;
        break;
    case OPTION_STATUS:
        c->is_silent = true;
        break;
    case OPTION_PROGRESS:
        r = cli_choose("verify", "progress", value ? value : "bar", modes, &word);
        c->mode = (enum progress_mode)word;
        break;
    default:
        return OPTIONS_HELP;
    }
    return r;
}

static int parse(struct verify_command *c, int argc, char **argv)
{
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":ahv", longs, NULL)) != -1) {
        if (option == '?')
            return cli_unknown_option("verify", longs, argv[optind - 1]);
        if (option == ':')
            return cli_usage("verify", "'%s' wants a value", argv[optind - 1]);
        int r = set(c, option, optarg);
        if (r != 0)
            return r;
    }
    return argc - optind != 2 ? cli_usage("verify", "a SOURCE and a TARGET are wanted") : 0;
}

/* ---- what the comparison tells ---- */

static int on_progress(void *user, const struct leat_tree_result *now)
{
    struct verify_command *c = user;
    return watch_update(&c->watch, now);
}

static void on_problem(void *user, const struct leat_error *error)
{
    struct verify_command *c = user;
    const char *side = error->side == LEAT_SIDE_SINK ? "target " : error->side == LEAT_SIDE_SOURCE ? "source " : "";
    c->told++;
    cli_warn("%s%s: %s: %s", side, cli_name(error->node), error->operation, error->text);
}

static void on_difference(void *user, const struct leat_tree_difference *difference)
{
    struct verify_command *c = user;
    c->told++;
    if (c->is_silent)
        return;
    checksum_print_name(stdout, "", difference->name, "", "\n");
    printf(": %s\n", difference->text);
}

/* ---- the end ---- */

static const char *const kinds[] = {
    [LEAT_TREE_ONLY_SOURCE] = "only in the source",
    [LEAT_TREE_ONLY_TARGET] = "only in the target",
    [LEAT_TREE_KIND] = "kinds",
    [LEAT_TREE_CONTENTS] = "contents",
    [LEAT_TREE_LINK] = "symbolic links",
    [LEAT_TREE_DEVICE] = "devices",
    [LEAT_TREE_OWNER] = "owners",
    [LEAT_TREE_MODE] = "modes",
    [LEAT_TREE_TIME] = "times",
    [LEAT_TREE_ATTRIBUTES] = "attributes",
    [LEAT_TREE_HARD_LINKS] = "hard links",
};

static void sum_up(const struct verify_command *c)
{
    const struct leat_tree_result *a = &c->watch.before;
    char bytes[LEAT_SIZE_TEXT_MAX];
    leat_size_format(bytes, sizeof(bytes), a->bytes, 0);
    cli_warn("%" PRIu64 " files (%s), %" PRIu64 " folders, %" PRIu64 " symbolic links, %" PRIu64 " hard links, %" PRIu64
             " special files in %.3f s",
             a->files, bytes, a->directories, a->symlinks, a->hard_links, a->specials, watch_seconds(&c->watch));
}

static void sum_up_differences(const struct verify_command *c)
{
    const struct leat_tree_result *a = &c->watch.before;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (a->differing[i])
            cli_warn("differences: %s: %" PRIu64, kinds[i], a->differing[i]);
    if (a->problems)
        cli_warn("%" PRIu64 " could not be compared", a->problems);
}

static int end(struct verify_command *c, int r)
{
    watch_end(&c->watch);
    sum_up_differences(c);
    if (c->is_verbose)
        sum_up(c);
    int said = cli_said("verify", cli_flush(0));
    watch_end_signal();
    return r < 0 ? EXIT_FAILED : said;
}

static int verify_trees(struct verify_command *c, const char *source, const char *target)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_tree_result result = LEAT_INIT(struct leat_tree_result);
    c->options.difference = on_difference;
    c->options.problem = on_problem;
    c->options.progress = on_progress;
    c->options.user = c;
    int r = leat_tree_verify(source, target, &c->options, &result, &error);
    watch_add(&c->watch, &result);
    if (r < 0 && !c->told && !signals_noted()) /* it could not begin */
        cli_warn("%s: %s", error.node[0] ? cli_name(error.node) : "verify", error.text);
    return r;
}

int cli_verify(int argc, char **argv)
{
    struct verify_command c = {.options = LEAT_INIT(struct leat_tree_options)};
    int r = parse(&c, argc, argv);
    if (r == OPTIONS_HELP) {
        fputs(usage, stdout);
        return EXIT_DONE;
    }
    if (r != 0)
        return r;
    watch_begin(&c.watch, c.mode);
    return end(&c, verify_trees(&c, argv[optind], argv[optind + 1]));
}
