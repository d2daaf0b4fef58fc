/* SPDX-License-Identifier: MIT */
/* leat copy -r and -a: copies trees. */
#include "folder.h"
#include "progress.h"
#include "signals.h"
#include "tree_list.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char usage[] = "usage: leat copy -r|-a [options] FOLDER... TARGET\n"
                            "\n"
                            "Copies folders with all that is in them. If TARGET is a folder that exists, or\n"
                            "if there are several FOLDERs, each goes into it under its own name; otherwise\n"
                            "TARGET becomes the copy. What TARGET has besides stays. Each file appears\n"
                            "whole or not at all. What can't be copied is named, the rest is copied, and\n"
                            "the exit code is 1.\n"
                            "\n";

static const char usage_end[] = "  --help                 this\n"
                                "\n"
                                "  leat copy -a /srv/data /backup/data\n"
                                "  leat copy -r --digest sha256 photos /media/disk > SHA256SUMS\n"
                                "\n"
                                "Exit codes: 0 all was copied, 1 not all was, 2 usage.\n";

const char tree_options_help[] = "  -r, --recursive        contents, modes, symbolic links, holes and times\n"
                                 "  -a, --archive          also owners, hard links, extended attributes, access\n"
                                 "                         control lists, flags, FIFOs, sockets and devices\n"
                                 "  --digest ALG           print the digest of each file as sha256sum does, with\n"
                                 "                         names relative to TARGET, sorted\n"
                                 "  --drop-attributes      what TARGET can't have of owners and attributes is left\n"
                                 "                         out, and is no failure\n"
                                 "  --jobs N               files that are copied at the same time (default: one\n"
                                 "                         for each processor, at least 2)\n"
                                 "  --one-file-system      folders on other file systems stay empty\n"
                                 "  --progress[=auto|bar|json|never]\n"
                                 "                         how far it is, on stderr (default auto: a bar on a\n"
                                 "                         terminal)\n"
                                 "  -v                     say at the end what was copied, on stderr\n";

enum {
    OPTION_DIGEST = 1000,
    OPTION_DROP,
    OPTION_JOBS,
    OPTION_ONE,
    OPTION_PROGRESS,
};

static const struct option longs[] = {
    {"recursive", no_argument, NULL, 'r'},
    {"archive", no_argument, NULL, 'a'},
    {"digest", required_argument, NULL, OPTION_DIGEST},
    {"drop-attributes", no_argument, NULL, OPTION_DROP},
    {"jobs", required_argument, NULL, OPTION_JOBS},
    {"one-file-system", no_argument, NULL, OPTION_ONE},
    {"progress", optional_argument, NULL, OPTION_PROGRESS},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

enum {
    PROBLEMS_SHOWN = 20
};

struct tree_command {
    struct leat_tree_options options;
    struct leat_tree_result all; /* of the folders before */
    enum progress_mode mode;
    bool verbose;
    const char *target; /* of the folder that is being copied */
    const char *prefix; /* in front of names of files: "" or "FOLDER/" */
    uint64_t shown;     /* problems */
    struct tree_list *list;
    struct progress progress;
    int wish;
    struct timespec begin;
    double told;
};

static int set(struct tree_command *c, int option, const char *value)
{
    static const char *const modes[] = {"auto", "bar", "json", "never", NULL};
    int32_t word = 0;
    int r = 0;
    switch (option) {
    case 'r':
        break;
    case 'a':
        c->options.keep = LEAT_TREE_ALL;
        break;
    case 'v':
        c->verbose = true;
        break;
    case OPTION_DIGEST:
        c->options.digest = value;
        break;
    case OPTION_DROP:
        c->options.drop_attributes = 1;
        break;
    case OPTION_JOBS:
        return cli_number("copy", "jobs", value, 1, LEAT_TREE_JOBS_MAX, &c->options.jobs);
    case OPTION_ONE:
        c->options.one_file_system = 1;
        break;
    case OPTION_PROGRESS:
        r = cli_choose("copy", "progress", value ? value : "bar", modes, &word);
        c->mode = (enum progress_mode)word;
        break;
    default:
        return OPTIONS_HELP;
    }
    return r;
}

static int parse(struct tree_command *c, int argc, char **argv)
{
    int option;
    optind = 1;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":hvra", longs, NULL)) != -1) {
        if (option == '?')
            return cli_unknown_option("copy -r", longs, argv[optind - 1]);
        if (option == ':')
            return cli_usage("copy", "'%s' wants a value", argv[optind - 1]);
        int r = set(c, option, optarg);
        if (r != 0)
            return r;
    }
    return argc - optind < 2 ? cli_usage("copy", "with -r and -a at least one FOLDER and a TARGET are wanted") : 0;
}

/* ---- what the copy tells ---- */

static double seconds(const struct tree_command *c)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - c->begin.tv_sec) + (double)(now.tv_nsec - c->begin.tv_nsec) / 1e9;
}

static struct leat_progress progress_of(const struct tree_command *c, const struct leat_tree_result *now)
{
    struct leat_progress p = LEAT_INIT(struct leat_progress);
    p.bytes = c->all.bytes + now->bytes;
    p.seconds = seconds(c);
    return p;
}

static int on_progress(void *user, const struct leat_tree_result *now)
{
    struct tree_command *c = user;
    struct leat_progress p = progress_of(c, now);
    char bytes[64];
    if (c->wish >= 0 && read(c->wish, bytes, sizeof(bytes)) > 0)
        progress_line(&c->progress, &p);
    else if (progress_interval(&c->progress) >= 0)
        progress_update(&c->progress, &p);
    return signals_noted() != 0;
}

static void on_problem(void *user, const struct leat_error *error)
{
    struct tree_command *c = user;
    if (c->shown++ < PROBLEMS_SHOWN)
        cli_warn("%s %s: %s: %s", error->side == LEAT_SIDE_SINK ? "target" : "source", cli_name(error->node),
                 error->operation, error->text);
}

static void on_digest(void *user, const char *name, const char *hex)
{
    struct tree_command *c = user;
    tree_list_add(c->list, c->prefix, name, hex);
}

/* ---- the copy ---- */

static void add(struct leat_tree_result *all, const struct leat_tree_result *one)
{
    all->files += one->files;
    all->bytes += one->bytes;
    all->directories += one->directories;
    all->symlinks += one->symlinks;
    all->hard_links += one->hard_links;
    all->specials += one->specials;
    all->dropped += one->dropped;
    all->problems += one->problems;
}

static int copy_one(struct tree_command *c, const char *source, const char *target)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_tree_result result = LEAT_INIT(struct leat_tree_result);
    uint64_t shown = c->shown;
    int r = leat_tree_copy(source, target, &c->options, &result, &error);
    add(&c->all, &result);
    if (r < 0 && c->shown == shown && !signals_noted()) /* it could not begin */
        cli_warn("%s%s%s", error.node[0] ? cli_name(error.node) : "copy", ": ", error.text);
    return r;
}

/* The name of a folder in the target: the last part of its path, however many slashes are behind it. */
static char *name_in(const char *target, const char *source)
{
    size_t end = strlen(source);
    while (end > 1 && source[end - 1] == '/')
        end--;
    size_t start = end;
    while (start > 0 && source[start - 1] != '/')
        start--;
    size_t n = strlen(target), length = end - start;
    char *path = malloc(n + length + 2);
    if (path)
        snprintf(path, n + length + 2, "%s%s%.*s", target, n && target[n - 1] == '/' ? "" : "/", (int)length,
                 source + start);
    return path;
}

static bool has_name(const char *path)
{
    const char *name = strrchr(path, '/');
    name = name ? name + 1 : path;
    return name[0] && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int copy_into(struct tree_command *c, const char *target, const char *source)
{
    char *path = name_in(target, source), *prefix = NULL;
    if (!path) {
        cli_warn("%s: %s", cli_name(source), strerror(ENOMEM));
        return -ENOMEM;
    }
    if (!has_name(path)) { /* "." and "/" mean what is in them */
        int r = copy_one(c, source, target);
        free(path);
        return r;
    }
    const char *name = strrchr(path, '/') + 1;
    prefix = malloc(strlen(name) + 2);
    if (prefix)
        sprintf(prefix, "%s/", name);
    c->prefix = prefix ? prefix : "";
    int r = copy_one(c, source, path);
    c->prefix = "";
    free(prefix);
    free(path);
    return r;
}

static int copy_all(struct tree_command *c, int count, char **name)
{
    const char *target = name[count - 1];
    bool into = folder_exists(target);
    int r = 0;
    if (!into && count > 2)
        return cli_usage("copy", "%s is no folder, so it can't take several folders", cli_name(target));
    for (int i = 0; i < count - 1 && !signals_noted(); i++) {
        int one = into ? copy_into(c, target, name[i]) : copy_one(c, name[i], target);
        r = one < 0 ? EXIT_FAILED : r;
    }
    return r;
}

static void sum_up(const struct tree_command *c)
{
    char bytes[LEAT_SIZE_TEXT_MAX];
    const struct leat_tree_result *a = &c->all;
    leat_size_format(bytes, sizeof(bytes), a->bytes, 0);
    cli_warn("%" PRIu64 " files (%s), %" PRIu64 " folders, %" PRIu64 " symbolic links, %" PRIu64 " hard links, %" PRIu64
             " special files in %.3f s",
             a->files, bytes, a->directories, a->symlinks, a->hard_links, a->specials, seconds(c));
    if (a->dropped)
        cli_warn("%" PRIu64 " attributes were left out", a->dropped);
}

static int end(struct tree_command *c, int r)
{
    struct leat_tree_result none = LEAT_INIT(struct leat_tree_result);
    struct leat_progress p = progress_of(c, &none);
    progress_end(&c->progress, &p);
    if (c->all.problems > PROBLEMS_SHOWN)
        cli_warn("%" PRIu64 " problems in all, of which the first %d are above", c->all.problems, PROBLEMS_SHOWN);
    if (c->verbose)
        sum_up(c);
    int listed = c->list ? tree_list_print(c->list, c->options.digest) : 0;
    tree_list_free(c->list);
    if (signals_noted()) {
        cli_flush(0);
        signals_raise(signals_noted());
    }
    return r ? r : listed;
}

int cli_tree(int argc, char **argv)
{
    struct tree_command c = {
        .options = LEAT_INIT(struct leat_tree_options), .all = LEAT_INIT(struct leat_tree_result), .prefix = ""};
    int r = parse(&c, argc, argv);
    if (r == OPTIONS_HELP) {
        printf("%s%s%s", usage, tree_options_help, usage_end);
        return EXIT_DONE;
    }
    if (r != 0)
        return r;
    if (c.options.digest && !(c.list = tree_list_new())) {
        cli_warn("%s", strerror(ENOMEM));
        return EXIT_FAILED;
    }
    clock_gettime(CLOCK_MONOTONIC, &c.begin);
    c.wish = signals_wish();
    progress_init(&c.progress, c.mode, false);
    signals_catch(NULL);
    c.options.progress = on_progress;
    c.options.problem = on_problem;
    c.options.listed = c.list ? on_digest : NULL;
    c.options.user = &c;
    return end(&c, copy_all(&c, argc - optind, argv + optind));
}
