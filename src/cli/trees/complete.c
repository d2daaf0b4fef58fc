/* SPDX-License-Identifier: MIT */
#include "trees/complete.h"
#include "signals.h"
#include "trees/sort.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    MEMORY = 16 * 1024 * 1024, /* for each of the two lists of names */
};

struct complete {
    struct sorter *listed, *there;
};

void complete_free(struct complete *complete)
{
    if (!complete)
        return;
    sorter_free(complete->listed);
    sorter_free(complete->there);
    free(complete);
}

int complete_new(struct complete **ret)
{
    struct complete *complete = calloc(1, sizeof(*complete));
    int r = complete ? sorter_new(&complete->listed, MEMORY) : -ENOMEM;
    if (r == 0)
        r = sorter_new(&complete->there, MEMORY);
    if (r < 0)
        complete_free(complete);
    else
        *ret = complete;
    return r;
}

/* The library passes over "./" and doubled slashes, too. */
void complete_add(struct complete *complete, const char *name)
{
    char *tidy = malloc(strlen(name) + 1), *to = tidy;
    for (const char *from = name; tidy && *from;) {
        size_t n = strcspn(from, "/"), whole = n + (from[n] == '/');
        bool is_nothing = (n == 1 && from[0] == '.' && from[n]) || (n == 0 && from > name);
        if (!is_nothing) {
            memcpy(to, from, whole);
            to += whole;
        }
        from += whole;
    }
    if (tidy)
        *to = '\0';
    sorter_add(complete->listed, "", tidy ? tidy : name, "");
    free(tidy);
}

static int on_name(void *user, const char *name, int32_t is_file)
{
    struct complete *complete = user;
    return is_file ? sorter_add(complete->there, "", name, "") : 0;
}

static int on_progress(void *user, const struct leat_tree_result *now)
{
    (void)user;
    (void)now;
    return signals_noted() != 0;
}

static bool is_list(const char *folder, const char *name, FILE *list)
{
    struct stat a, b;
    size_t n = strlen(folder) + strlen(name) + 2;
    char *path = malloc(n);
    if (path)
        snprintf(path, n, "%s/%s", folder, name);
    bool r =
        path && fstat(fileno(list), &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
    free(path);
    return r;
}

/* Merges the two lists. Returns 0 or a negative errno. */
static int merge(struct complete *complete, struct verify_command *c, const char *folder, FILE *list,
                 struct leat_tree_result *result)
{
    const char *listed = NULL, *there, *value;
    int more = sorter_next(complete->listed, &listed, &value), r;
    while ((r = sorter_next(complete->there, &there, &value)) > 0) {
        while (more > 0 && strcmp(listed, there) < 0)
            more = sorter_next(complete->listed, &listed, &value);
        if ((more > 0 && strcmp(listed, there) == 0) || is_list(folder, there, list))
            continue;
        verify_say(c, there, "the list does not have it");
        c->told++;
        result->differences++;
        result->differing[LEAT_TREE_ONLY_TARGET]++;
    }
    return r < 0 ? r : more < 0 ? more : 0;
}

int complete_tell(struct complete *complete, struct verify_command *c, const char *folder, FILE *list,
                  struct leat_tree_result *result)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_tree_options options = LEAT_INIT(struct leat_tree_options);
    options.problem = c->options.problem;
    options.progress = on_progress;
    options.user = c;
    int r = leat_tree_walk(folder, on_name, complete, &options, NULL, &error);
    if (r == 0)
        r = merge(complete, c, folder, list, result);
    if (r < 0 && !signals_noted())
        cli_warn("the names of %s could not be compared with the list: %s", cli_name(folder),
                 error.code ? error.text : strerror(-r));
    return r;
}
