/* SPDX-License-Identifier: MIT */
#include "trees/journal.h"
#include "cli.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    NAME_ROOM = 220 /* bytes of a name that leave room for what is around it */
};

/* Cuts at a whole UTF-8 character, because some file systems accept nothing else. */
static size_t shortened(const char *name)
{
    size_t n = strlen(name);
    if (n <= NAME_ROOM)
        return n;
    for (n = NAME_ROOM; n > 0 && ((unsigned char)name[n] & 0xC0) == 0x80; n--)
        ;
    return n;
}

/* The target as it is known to the kernel; what does not exist yet ends without slashes. */
static char *full_path(const char *target)
{
    char *full = realpath(target, NULL);
    size_t n = strlen(target);
    if (full)
        return full;
    full = strdup(target);
    while (full && n > 1 && full[n - 1] == '/')
        full[--n] = '\0';
    return full;
}

static char *beside(const char *target, const struct leat_tree_options *o)
{
    char *full = full_path(target), *path = NULL;
    char *slash = full ? strrchr(full, '/') : NULL;
    const char *name = slash ? slash + 1 : full;
    size_t room = full ? strlen(full) + 64 : 0;
    if (name && name[0] && strcmp(name, "..") != 0 && (path = malloc(room))) {
        int n = snprintf(path, room, "%.*s.%.*s.leat-journal", slash ? (int)(slash + 1 - full) : 0, full,
                         (int)shortened(name), name);
        if (o->shards > 1)
            snprintf(path + n, room - (size_t)n, ".%d-%d", (int)o->shard, (int)o->shards);
    }
    free(full);
    return path;
}

void tree_journals_next(struct tree_journals *j, const struct tree_request *asked, const char *target,
                        struct leat_tree_options *options)
{
    char **path = realloc(j->path, (j->count + 1) * sizeof(*path));
    options->journal = NULL;
    if (!path)
        return;
    j->path = path;
    char *one = asked->journal                               ? strdup(asked->journal)
                : asked->no_journal || asked->options.claims ? NULL
                                                             : beside(target, options);
    path[j->count++] = one;
    options->journal = one;
    options->resume = one && asked->resume;
    options->journal_optional = !asked->journal;
}

bool tree_journals_continue(const struct tree_request *asked, const char *target)
{
    if (!asked->resume || asked->journal)
        return asked->resume;
    char *path = beside(target, &asked->options);
    bool is_there = path && access(path, F_OK) == 0;
    free(path);
    return is_there;
}

void tree_journals_end(struct tree_journals *j, const struct tree_request *asked, bool is_done, uint64_t left)
{
    for (size_t i = 0; i < j->count; i++) {
        if (is_done && asked->options.journal_stays && asked->options.shards < 2 && j->path[i])
            unlink(j->path[i]);
        free(j->path[i]);
    }
    free(j->path);
    if (!is_done && left)
        cli_warn("the same command with --resume goes on: the journal says what is copied");
}
