/* SPDX-License-Identifier: MIT */
#include "trees/watch.h"
#include "cli.h"
#include "signals.h"
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

static struct leat_progress progress_of(const struct tree_watch *watch, const struct leat_tree_result *now)
{
    struct leat_progress p = LEAT_INIT(struct leat_progress);
    p.bytes = watch->before.bytes + (now ? now->bytes : 0);
    p.seconds = watch_seconds(watch);
    return p;
}

int watch_update(struct tree_watch *watch, const struct leat_tree_result *now)
{
    struct leat_progress p = progress_of(watch, now);
    char bytes[64];
    if (watch->wish >= 0 && read(watch->wish, bytes, sizeof(bytes)) > 0)
        progress_line(&watch->progress, &p);
    else if (progress_interval(&watch->progress) >= 0)
        progress_update(&watch->progress, &p);
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
    all->jobs = one->jobs > all->jobs ? one->jobs : all->jobs;
}

void watch_end(struct tree_watch *watch)
{
    struct leat_progress p = progress_of(watch, NULL);
    progress_end(&watch->progress, &p);
}

void watch_end_signal(void)
{
    if (!signals_noted())
        return;
    cli_flush(0);
    signals_raise(signals_noted());
}
