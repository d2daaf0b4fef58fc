/* SPDX-License-Identifier: MIT */
/* leat verify: its options, and the comparison of two trees. */
#include "trees/verify.h"
#include "checksum.h"
#include "folder.h"
#include "signals.h"
#include <inttypes.h>
#include <string.h>

static const char usage[] = "usage: leat verify [options] SOURCE TARGET\n"
                            "       leat verify [options] LIST [FOLDER]\n"
                            "\n"
                            "Compares two folders with all that is in them, in parallel: kinds, contents,\n"
                            "symbolic links and devices. Or compares the files that a list of digests names\n"
                            "with FOLDER (default: the current one); the list is in the form of sha256sum,\n"
                            "or any other that `leat digest -c` reads; - is standard input. Each difference\n"
                            "is a line on standard output. The order of the lines is not defined.\n"
                            "\n"
                            "  -a, --archive          of two trees: also owners, modes, modification times,\n"
                            "                         extended attributes, access control lists, flags, and\n"
                            "                         which names are hard links of each other\n"
                            "  --jobs N               files that are compared at the same time (default: one\n"
                            "                         for each processor, at least 2)\n"
                            "  --one-file-system      of two trees: folders on other file systems are not\n"
                            "                         compared\n"
                            "  --status               print no line of a difference; the exit code says it\n"
                            "  --progress[=auto|bar|json|never]\n"
                            "                         how far it is, on stderr (default auto: a bar on a\n"
                            "                         terminal)\n"
                            "  -v                     say at the end what was compared, on stderr\n"
                            "\n"
                            "Of two trees\n"
                            "  --exclude PATTERN      what is not compared; patterns as for leat copy -r\n"
                            "  --include PATTERN      what is compared, whatever comes behind\n"
                            "  --exclude-from FILE    patterns of --exclude, one a line\n"
                            "  --include-from FILE    patterns of --include\n"
                            "  --max-depth N          levels that are compared\n"
                            "\n"
                            "Of a list\n"
                            "  --digest ALG           the algorithm of lines that name none (default: the\n"
                            "                         length of the digest says it)\n"
                            "  --complete             files that FOLDER has and the list has not are told\n"
                            "  --ignore-missing       files that are missing are no difference\n"
                            "  --strict               a line that is improperly formatted is a failure\n"
                            "  -w, --warn             tell of each such line\n"
                            "  --help                 this\n"
                            "\n"
                            "  leat verify -a /srv/data /backup/data\n"
                            "  leat verify SHA256SUMS /backup/data\n"
                            "\n"
                            "Exit codes: 0 all is equal, 1 something differs or can't be read, 2 usage.\n";

enum {
    OPTION_JOBS = 1000,
    OPTION_ONE,
    OPTION_STATUS,
    OPTION_PROGRESS,
    OPTION_DIGEST,
    OPTION_COMPLETE,
    OPTION_EXCLUDE,
    OPTION_EXCLUDE_FROM,
    OPTION_INCLUDE,
    OPTION_INCLUDE_FROM,
    OPTION_MAX_DEPTH,
    OPTION_IGNORE,
    OPTION_STRICT,
};

static const struct option longs[] = {
    {"archive", no_argument, NULL, 'a'},
    {"jobs", required_argument, NULL, OPTION_JOBS},
    {"one-file-system", no_argument, NULL, OPTION_ONE},
    {"status", no_argument, NULL, OPTION_STATUS},
    {"progress", optional_argument, NULL, OPTION_PROGRESS},
    {"digest", required_argument, NULL, OPTION_DIGEST},
    {"complete", no_argument, NULL, OPTION_COMPLETE},
    {"exclude", required_argument, NULL, OPTION_EXCLUDE},
    {"exclude-from", required_argument, NULL, OPTION_EXCLUDE_FROM},
    {"include", required_argument, NULL, OPTION_INCLUDE},
    {"include-from", required_argument, NULL, OPTION_INCLUDE_FROM},
    {"max-depth", required_argument, NULL, OPTION_MAX_DEPTH},
    {"ignore-missing", no_argument, NULL, OPTION_IGNORE},
    {"strict", no_argument, NULL, OPTION_STRICT},
    {"warn", no_argument, NULL, 'w'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* ---- options ---- */

static void set_of_list(struct verify_command *c, int option, const char *value)
{
    switch (option) {
    case OPTION_DIGEST:
        c->algorithm = value;
        c->only = "--digest";
        break;
    case OPTION_COMPLETE:
        c->is_complete = true;
        c->only = "--complete";
        break;
    case OPTION_IGNORE:
        c->ignores_missing = true;
        c->only = "--ignore-missing";
        break;
    case OPTION_STRICT:
        c->is_strict = true;
        c->only = "--strict";
        break;
    default:
        c->warns = true;
        c->only = "--warn";
        break;
    }
}

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
    case OPTION_EXCLUDE:
    case OPTION_EXCLUDE_FROM:
        return tree_selection_add(&c->selection, '-', value, option == OPTION_EXCLUDE_FROM);
    case OPTION_INCLUDE:
    case OPTION_INCLUDE_FROM:
        return tree_selection_add(&c->selection, '+', value, option == OPTION_INCLUDE_FROM);
    case OPTION_MAX_DEPTH:
        return cli_number("verify", "max-depth", value, 1, INT32_MAX, &c->options.max_depth);
    case 'h':
        return OPTIONS_HELP;
    default:
        set_of_list(c, option, value);
        break;
    }
    return r;
}

/* "-" is standard input, even if there is such a folder. */
static bool is_folder(const char *name)
{
    return strcmp(name, "-") != 0 && folder_exists(name);
}

static int parse(struct verify_command *c, int argc, char **argv)
{
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":ahvw", longs, NULL)) != -1) {
        if (option == '?')
            return cli_unknown_option("verify", longs, argv[optind - 1]);
        if (option == ':')
            return cli_usage("verify", "'%s' wants a value", argv[optind - 1]);
        int r = set(c, option, optarg);
        if (r != 0)
            return r;
    }
    int count = argc - optind;
    if (count < 1 || count > 2)
        return cli_usage("verify", "a SOURCE and a TARGET are wanted, or a LIST and perhaps a FOLDER");
    const char *first = argv[optind];
    const char *tree_option = c->options.keep != LEAT_TREE_BASIC ? "-a"
                              : c->options.one_file_system       ? "--one-file-system"
                              : c->options.max_depth             ? "--max-depth"
                              : c->selection.given.count         ? "a pattern"
                                                                 : NULL;
    bool is_tree = is_folder(first);
    c->is_list = !is_tree && !(tree_option && count == 2);
    if (is_tree && count < 2)
        return cli_usage("verify", "%s is a folder, and no TARGET says what it is compared with", cli_name(first));
    if (!c->is_list && c->only)
        return cli_usage("verify", "%s is for a LIST", c->only);
    if (c->is_list && tree_option)
        return cli_usage("verify", "%s is for a SOURCE and a TARGET", tree_option);
    int r = tree_selection_read(&c->selection);
    c->options.rules = (const char *const *)c->selection.rules.text;
    return r;
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
    if (c->ignores_missing && difference->kind == LEAT_TREE_ONLY_SOURCE)
        return;
    c->told++;
    verify_say(c, difference->name, difference->text);
}

void verify_say(const struct verify_command *c, const char *name, const char *text)
{
    if (c->is_silent)
        return;
    checksum_print_name(stdout, "", name, "", "\n");
    printf(": %s\n", text);
}

void verify_prepare(struct verify_command *c)
{
    c->options.difference = on_difference;
    c->options.problem = on_problem;
    c->options.progress = on_progress;
    c->options.user = c;
}

void verify_count(struct verify_command *c, int code, const struct leat_tree_result *result,
                  const struct leat_error *error)
{
    watch_add(&c->watch, result);
    if (code < 0 && !c->told && !signals_noted()) /* it could not begin */
        cli_warn("%s: %s", error->node[0] ? cli_name(error->node) : "verify", error->text);
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
    static const char *const of_list[] = {"missing", "not on the list"};
    const struct leat_tree_result *a = &c->watch.before;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (a->differing[i])
            cli_warn("differences: %s: %" PRIu64, c->is_list && i <= LEAT_TREE_ONLY_TARGET ? of_list[i] : kinds[i],
                     a->differing[i]);
    if (a->problems)
        cli_warn("could not be compared: %" PRIu64, a->problems);
}

static int end(struct verify_command *c, int r)
{
    watch_end(&c->watch);
    cli_flush(0); /* the differences come before their numbers */
    sum_up_differences(c);
    if (c->is_verbose)
        sum_up(c);
    int said = cli_said("verify", cli_flush(0));
    watch_end_signal();
    return r ? r : said;
}

static int verify_trees(struct verify_command *c, const char *source, const char *target)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_tree_result result = LEAT_INIT(struct leat_tree_result);
    int r = leat_tree_verify(source, target, &c->options, &result, &error);
    verify_count(c, r, &result, &error);
    return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

static int run(struct verify_command *c, int argc, char **argv)
{
    int r = parse(c, argc, argv);
    if (r != 0)
        return r;
    const char *first = argv[optind], *second = argv[optind + 1]; /* NULL: there is none */
    watch_begin(&c->watch, c->mode);
    verify_prepare(c);
    return end(c, c->is_list ? verify_list(c, first, second ? second : ".") : verify_trees(c, first, second));
}

int cli_verify(int argc, char **argv)
{
    struct verify_command c = {.options = LEAT_INIT(struct leat_tree_options)};
    int r = run(&c, argc, argv);
    tree_selection_free(&c.selection);
    if (r == OPTIONS_HELP) {
        fputs(usage, stdout);
        return EXIT_DONE;
    }
    return r;
}
