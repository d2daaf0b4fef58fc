/* SPDX-License-Identifier: MIT */
#include "trees/targets.h"
#include "folder.h"
#include "trees/options.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool tree_target_is_elsewhere(const char *spec)
{
    return folder_path(spec) == NULL;
}

bool tree_target_has_name(const char *path)
{
    const char *name = strrchr(path, '/');
    name = name ? name + 1 : path;
    return name[0] && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* The name is the last part of the path, however many slashes are behind it. */
char *tree_target_in(const char *target, const char *source)
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

/* ---- --also ---- */

int tree_also_add(struct tree_also *also, const char *name)
{
    if (also->count == LEAT_TREE_TARGETS_MAX - 1)
        return cli_usage("copy", "there are too many targets: up to %d are possible", LEAT_TREE_TARGETS_MAX);
    also->name[also->count++] = name;
    return 0;
}

static const char *refused_of(const struct tree_request *q)
{
    const struct leat_tree_options *o = &q->options;
    return o->claims         ? "claim"
           : o->shards       ? "shard"
           : o->delete_extra ? "delete"
           : o->update       ? "update"
           : o->dry_run      ? "dry-run"
           : o->publish      ? "publish-tree"
           : o->sync         ? "sync"
           : q->resume       ? "resume"
           : q->journal      ? "journal"
                             : NULL;
}

int tree_also_check(struct tree_request *q, int folders)
{
    const char *refused = refused_of(q);
    if (q->also.count == 0)
        return 0;
    if (refused)
        return cli_usage("copy", "--%s is for one target: run leat copy for each, without --also", refused);
    for (int i = 0; i < q->also.count; i++) {
        const char *path = folder_path(q->also.name[i]);
        if (!path)
            return cli_usage("copy", "--also: %s is no path: if there are several targets, each is a folder",
                             cli_name(q->also.name[i]));
        if (folders > 1 && !folder_exists(path))
            return cli_usage("copy", "%s is no folder, so it can't take several folders", cli_name(q->also.name[i]));
    }
    q->no_journal = true;
    return 0;
}

/* What is below a prefix, or in an archive, has no name of its own. */
static char *copy_in(const char *target, const char *source)
{
    const char *path = folder_path(source);
    char *in = path && folder_exists(folder_path(target)) ? tree_target_in(target, path) : strdup(target);
    if (in && !tree_target_has_name(in) && path) {
        free(in);
        return strdup(target);
    }
    return in;
}

int tree_also_list(const struct tree_also *also, const char *source, char ***ret)
{
    *ret = NULL;
    if (also->count == 0)
        return 0;
    char **list = calloc((size_t)also->count + 1, sizeof(*list));
    for (int i = 0; list && i < also->count; i++)
        if (!(list[i] = copy_in(also->name[i], source))) {
            tree_also_free(list);
            list = NULL;
        }
    if (!list) {
        cli_warn("%s: %s", cli_name(source), strerror(ENOMEM));
        return EXIT_FAILED;
    }
    *ret = list;
    return 0;
}

void tree_also_free(char **list)
{
    for (char **at = list; at && *at; at++)
        free(*at);
    free(list);
}
