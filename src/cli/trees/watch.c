/* SPDX-License-Identifier: MIT */
#include "trees/watch.h"
#include "cli.h"
#include "signals.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void watch_begin(struct tree_watch *watch, enum progress_mode mode)
{
    *watch = (struct tree_watch){.before = LEAT_INIT(struct leat_tree_result)};
    clock_gettime(CLOCK_MONOTONIC, &watch->begin);
    watch->wish = signals_wish();
    progress_init(&watch->progress, mode, false);
    signals_catch(NULL);
}

double watch_seconds(const struct tree_watch *watch)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - watch->begin.tv_sec) + (double)(now.tv_nsec - watch->begin.tv_nsec) / 1e9;
}

bool watch_wants_sizes(const struct tree_watch *watch)
{
    return progress_interval(&watch->progress) >= 0;
}

static struct leat_progress progress_of(struct tree_watch *watch, const struct leat_tree_result *now)
{
    struct leat_progress p = LEAT_INIT(struct leat_progress);
    p.bytes = watch->before.bytes + (now ? now->bytes : 0);
    p.bytes = p.bytes > watch->bytes ? p.bytes : watch->bytes;
    watch->bytes = p.bytes;
    p.seconds = watch_seconds(watch);
    p.total = watch->before.found_bytes + (now ? now->found_bytes : 0);
    p.has_total = (now ? now : &watch->before)->has_found_all && p.total > 0 && watch->left == 0;
    return p;
}

/* ---- files, folders, problems, and large files ---- */

void watch_large(struct tree_watch *watch, const char *name, uint64_t done, uint64_t bytes)
{
    if (watch->larges == WATCH_LARGE_MAX)
        return;
    struct watch_large *large = &watch->large[watch->larges++];
    size_t n = leat_text_quote(NULL, 0, name);
    char *text = malloc(n + 1);
    if (text)
        leat_text_quote(text, n + 1, name);
    const char *shown = !text ? "?" : n < WATCH_NAME_MAX ? text : text + n - WATCH_NAME_MAX + 1;
    while (((unsigned char)*shown & 0xc0) == 0x80) /* not from the middle of a character on */
        shown++;
    snprintf(large->name, sizeof(large->name), "%s", shown);
    large->done = done;
    large->bytes = bytes;
    free(text);
}

static uint64_t names_of(const struct leat_tree_result *r)
{
    return r->files + r->symlinks + r->hard_links + r->specials + r->unchanged + r->resumed;
}

/* A tab is between the parts, of which a line has as many as fit. */
static void describe(struct tree_watch *watch, const struct leat_tree_result *now)
{
    uint64_t before = names_of(&watch->before), names = before + (now ? names_of(now) : 0);
    uint64_t problems = watch->before.problems + (now ? now->problems : 0);
    bool is_all = now && now->has_found_all && watch->left == 0;
    size_t n = 0, size = sizeof(watch->more);
    if (is_all)
        n += (size_t)snprintf(watch->more, size, "  %" PRIu64 " of %" PRIu64 " names", names,
                              watch->before.found + now->found);
    else
        n += (size_t)snprintf(watch->more, size, "  %" PRIu64 " names%s", names, now ? " so far" : "");
    if (problems)
        n +=
            (size_t)snprintf(watch->more + n, size - n, "\t  %" PRIu64 " problem%s", problems, problems > 1 ? "s" : "");
    for (size_t i = 0; i < watch->larges && n + WATCH_NAME_MAX + 16 < size; i++) {
        const struct watch_large *at = &watch->large[i];
        unsigned percent = at->bytes ? (unsigned)(100 * (double)at->done / (double)at->bytes) : 0;
        n += (size_t)snprintf(watch->more + n, size - n, "\t  %s %u%%", at->name, percent);
    }
    watch->progress.more = watch->more;
}

/* The members of the JSON object. The caller frees the text; NULL: no memory. */
static char *members(const struct tree_watch *watch, const struct leat_tree_result *now)
{
    const struct leat_tree_result none = {.size = sizeof(none)}, *r = now ? now : &none;
    json_t *current = json_array();
    for (size_t i = 0; current && i < watch->larges; i++)
        json_array_append_new(current,
                              json_pack("{ss sI sI}", "name", watch->large[i].name, "bytes",
                                        (json_int_t)watch->large[i].done, "total", (json_int_t)watch->large[i].bytes));
    json_t *object = json_pack("{sI sI sI sb sI so}", "files", (json_int_t)watch->before.files + (json_int_t)r->files,
                               "folders", (json_int_t)watch->before.directories + (json_int_t)r->directories, "found",
                               (json_int_t)watch->before.found + (json_int_t)r->found, "found_all",
                               watch->left == 0 && (now ? now : &watch->before)->has_found_all != 0, "problems",
                               (json_int_t)watch->before.problems + (json_int_t)r->problems, "current", current);
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    if (text) { /* {...} becomes ,... */
        text[0] = ',';
        text[strlen(text) - 1] = '\0';
    }
    return text;
}

static struct leat_progress look(struct tree_watch *watch, const struct leat_tree_result *now, char **ret_json)
{
    describe(watch, now);
    *ret_json = watch->progress.mode == PROGRESS_JSON ? members(watch, now) : NULL;
    watch->progress.more_json = *ret_json;
    watch->larges = 0;
    return progress_of(watch, now);
}

int watch_update(struct tree_watch *watch, const struct leat_tree_result *now)
{
    char *json, bytes[64];
    struct leat_progress p = look(watch, now, &json);
    if (watch->wish >= 0 && read(watch->wish, bytes, sizeof(bytes)) > 0)
        progress_line(&watch->progress, &p);
    else if (progress_interval(&watch->progress) >= 0)
        progress_update(&watch->progress, &p);
    free(json);
    return signals_noted() != 0;
}

void watch_add(struct tree_watch *watch, const struct leat_tree_result *one)
{
    struct leat_tree_result *all = &watch->before;
    all->files += one->files;
    all->bytes += one->bytes;
    all->directories += one->directories;
    all->symlinks += one->symlinks;
    all->hard_links += one->hard_links;
    all->specials += one->specials;
    all->dropped += one->dropped;
    all->problems += one->problems;
    all->excluded += one->excluded;
    all->unchanged += one->unchanged;
    all->resumed += one->resumed;
    all->journal += one->journal;
    all->deleted += one->deleted;
    all->differences += one->differences;
    for (size_t i = 0; i < LEAT_TREE_DIFFERENCE_KINDS; i++)
        all->differing[i] += one->differing[i];
    for (size_t i = 0; i < LEAT_TREE_LOST_KINDS; i++)
        all->lost[i] += one->lost[i];
    all->found += one->found;
    all->found_bytes += one->found_bytes;
    all->has_found_all = one->has_found_all;
    all->jobs = one->jobs > all->jobs ? one->jobs : all->jobs;
}

void watch_end(struct tree_watch *watch)
{
    char *json;
    struct leat_progress p = look(watch, NULL, &json);
    progress_end(&watch->progress, &p);
    free(json);
}

void watch_end_signal(void)
{
    if (!signals_noted())
        return;
    cli_flush(0);
    signals_raise(signals_noted());
}
