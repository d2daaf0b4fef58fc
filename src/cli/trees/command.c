/* SPDX-License-Identifier: MIT */
/* leat copy -r and -a: copies trees. */
#include "folder.h"
#include "signals.h"
#include "trees/archive.h"
#include "trees/journal.h"
#include "trees/list.h"
#include "trees/options.h"
#include "trees/report.h"
#include "trees/targets.h"
#include "trees/watch.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct tree_command {
    struct tree_request asked;
    bool is_one;        /* folder */
    const char *prefix; /* see copy_one */
    struct tree_problems problems;
    struct tree_list *list;
    struct whole *report; /* the file of the report; NULL: standard error, or none */
    struct tree_watch watch;
    struct tree_journals journals;
};

/* ---- what the copy tells ---- */

static int on_progress(void *user, const struct leat_tree_result *now)
{
    struct tree_command *c = user;
    return watch_update(&c->watch, now);
}

static void on_large(void *user, const char *name, uint64_t done, uint64_t bytes)
{
    struct tree_command *c = user;
    watch_large(&c->watch, name, done, bytes);
}

static void on_problem(void *user, const struct leat_error *error)
{
    struct tree_command *c = user;
    problems_add(&c->problems, error);
}

static void on_digest(void *user, const char *name, const char *hex)
{
    struct tree_command *c = user;
    tree_list_add(c->list, name, hex);
}

/* A dry run prints all; otherwise -v prints what is deleted. */
static void on_change(void *user, int32_t change, const char *name)
{
    static const char *const words[] = {[LEAT_TREE_MADE] = "make",
                                        [LEAT_TREE_COPIED] = "copy",
                                        [LEAT_TREE_LINKED] = "link",
                                        [LEAT_TREE_DELETED] = "delete"};
    const struct tree_command *c = user;
    size_t before = strlen(c->prefix), n = strlen(name);
    char *path = malloc(before + n + 1);
    if (path && strcmp(name, ".") == 0 && before > 0)
        snprintf(path, before, "%s", c->prefix); /* without its slash */
    else if (path)
        snprintf(path, before + n + 1, "%s%s", c->prefix, name);
    const char *shown = path ? cli_name(path) : "?";
    if (c->asked.options.dry_run)
        printf("%s %s\n", words[change], shown);
    else if (change == LEAT_TREE_DELETED)
        cli_warn("deleted %s", shown);
    free(path);
}

/* ---- the copy ---- */

/* `prefix` is in front of the names in the list, and of those that change: "" or "FOLDER/". */
static int copy_one(struct tree_command *c, const char *source, const char *target, const char *prefix)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_tree_result result = LEAT_INIT(struct leat_tree_result);
    uint64_t shown = c->problems.count;
    c->prefix = prefix;
    if (c->list)
        tree_list_folder(c->list, source, target, prefix);
    tree_journals_next(&c->journals, &c->asked, target, &c->asked.options);
    char **also;
    int r = tree_also_list(&c->asked.also, source, &also);
    if (r != 0)
        return -ENOMEM;
    c->asked.options.more_targets = (const char *const *)also;
    r = leat_tree_copy(source, target, &c->asked.options, &result, &error);
    tree_also_free(also);
    watch_add(&c->watch, &result);
    if (r < 0 && c->problems.count == shown && !signals_noted()) /* it could not begin */
        cli_warn("%s%s%s", error.node[0] ? cli_name(error.node) : "copy", ": ", error.text);
    return r;
}

static int copy_into(struct tree_command *c, const char *target, const char *source)
{
    if (tree_target_is_elsewhere(source)) /* what is below a prefix, or in an archive, has no name of its own */
        return copy_one(c, source, target, "");
    char *path = tree_target_in(target, folder_path(source)), *prefix = NULL;
    if (!path) {
        cli_warn("%s: %s", cli_name(source), strerror(ENOMEM));
        return -ENOMEM;
    }
    if (!tree_target_has_name(path)) { /* "." and "/" mean what is in them */
        int r = copy_one(c, source, target, "");
        free(path);
        return r;
    }
    if (c->is_one && c->asked.resume && !tree_journals_continue(&c->asked, path)) {
        cli_warn("there is no journal of a copy to %s; it is done, or has not begun. To copy what is in a folder "
                 "to it, name it 'FOLDER/.'",
                 cli_name(target));
        free(path);
        return -ENOENT;
    }
    const char *name = strrchr(path, '/') + 1;
    prefix = malloc(strlen(name) + 2);
    if (prefix)
        sprintf(prefix, "%s/", name);
    int r = copy_one(c, source, path, prefix ? prefix : "");
    free(prefix);
    free(path);
    return r;
}

static int copy_all(struct tree_command *c, int count, char **name)
{
    const char *target = name[count - 1];
    bool is_folder = tree_target_is_elsewhere(target) ? count > 2 : folder_exists(folder_path(target));
    bool exists = is_folder && !tree_options_are_shared(&c->asked);
    bool into = exists && !(count == 2 && tree_journals_continue(&c->asked, target));
    int r = 0;
    c->is_one = count == 2;
    if (!into && count > 2)
        return cli_usage("copy", "%s is no folder, so it can't take several folders", cli_name(target));
    for (int i = 0; i < count - 1 && !signals_noted(); i++) {
        c->watch.left = count - 2 - i;
        int one = into ? copy_into(c, target, name[i]) : copy_one(c, name[i], target, "");
        r = one < 0 ? EXIT_FAILED : r;
    }
    return r;
}

static void sum_up(const struct tree_command *c)
{
    char bytes[LEAT_SIZE_TEXT_MAX];
    const struct leat_tree_result *a = &c->watch.before;
    leat_size_format(bytes, sizeof(bytes), a->bytes, 0);
    cli_warn("%" PRIu64 " files (%s), %" PRIu64 " folders, %" PRIu64 " symbolic links, %" PRIu64 " hard links, %" PRIu64
             " special files in %.3f s",
             a->files, bytes, a->directories, a->symlinks, a->hard_links, a->specials, watch_seconds(&c->watch));
    if (a->excluded || a->unchanged)
        cli_warn("%" PRIu64 " names were excluded, %" PRIu64 " were left alone, since they are unchanged or newer",
                 a->excluded, a->unchanged);
    if (c->asked.resume)
        cli_warn("%" PRIu64 " names were copied before", a->resumed);
    if (a->deleted)
        cli_warn("%" PRIu64 " names were deleted", a->deleted);
    if (a->dropped)
        cli_warn("%" PRIu64 " attributes were left out", a->dropped);
}

static int report(struct tree_command *c, int r)
{
    const struct tree_report report = {.problems = &c->problems,
                                       .result = &c->watch.before,
                                       .seconds = watch_seconds(&c->watch),
                                       .signal = signals_noted(),
                                       .is_done = r == 0};
    return c->asked.report_file ? tree_report_write(c->report, &report) : 0;
}

static int end(struct tree_command *c, int r)
{
    watch_end(&c->watch);
    problems_sum_up(&c->problems, c->watch.before.lost, c->asked.verbose);
    if (c->asked.verbose)
        sum_up(c);
    tree_journals_end(&c->journals, &c->asked, !r && !signals_noted(), c->watch.before.journal);
    bool is_listed = c->list && !(signals_noted() && c->asked.digest_file); /* a file of the list would not be whole */
    int listed = is_listed ? tree_list_print(c->list, c->asked.options.digest) : 0;
    tree_list_free(c->list);
    int said = c->asked.options.dry_run ? cli_said("copy", cli_flush(0)) : 0;
    r = r ? r : listed ? listed : said;
    int reported = report(c, r);
    watch_end_signal();
    return r ? r : reported;
}

static int run(struct tree_command *c, int count, char **name)
{
    int r = c->asked.options.digest ? tree_list_new(&c->list, c->asked.digest_file) : 0;
    if (r == 0 && c->asked.report_file)
        r = tree_report_open(&c->report, c->asked.report_file);
    if (r != 0) {
        tree_list_free(c->list);
        return r;
    }
    watch_begin(&c->watch, c->asked.mode);
    c->asked.options.progress = on_progress;
    c->asked.options.large = on_large;
    c->asked.options.sizes = watch_wants_sizes(&c->watch);
    c->asked.options.problem = on_problem;
    if (c->asked.options.dry_run || (c->asked.verbose && c->asked.options.delete_extra))
        c->asked.options.changed = on_change;
    c->asked.options.listed = c->list ? on_digest : NULL;
    c->asked.options.user = c;
    return end(c, copy_all(c, count, name));
}

int cli_tree(int argc, char **argv)
{
    struct tree_command c = {.asked.options = LEAT_INIT(struct leat_tree_options)};
    int r = tree_options_parse(&c.asked, argc, argv);
    if (r == 0)
        r = tree_archive_check(&c.asked, argc - optind - 1, argv[argc - 1]);
    if (r == 0)
        r = run(&c, argc - optind, argv + optind);
    tree_selection_free(&c.asked.selection);
    if (r == OPTIONS_HELP) {
        tree_options_help_print();
        return EXIT_DONE;
    }
    return r;
}
