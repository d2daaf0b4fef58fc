/* SPDX-License-Identifier: MIT */
#include "trees/list.h"
#include "cli.h"
#include "trees/sort.h"
#include "trees/whole.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    MEMORY = 32 * 1024 * 1024, /* for names and digests; more are in a temporary file */
    LINES_AT_ONCE = 256,
};

struct tree_list {
    struct sorter *sorter;
    struct whole *whole;
    const char *algorithm;
    const char *file; /* NULL: standard output */
    const char *source, *target, *prefix;
    bool has_itself; /* the file of the list is a file of the tree, and is on the list */
};

int tree_list_new(struct tree_list **ret, const char *file)
{
    struct tree_list *list = calloc(1, sizeof(*list));
    if (!list || sorter_new(&list->sorter, MEMORY) < 0) {
        free(list);
        cli_warn("%s", strerror(ENOMEM));
        return EXIT_FAILED;
    }
    list->file = file && strcmp(file, "-") != 0 ? file : NULL;
    int r = whole_open(&list->whole, "digest-file", file ? file : "-");
    if (r != 0)
        tree_list_free(list);
    else
        *ret = list;
    return r;
}

void tree_list_free(struct tree_list *list)
{
    if (!list)
        return;
    whole_free(list->whole);
    sorter_free(list->sorter);
    free(list);
}

void tree_list_folder(struct tree_list *list, const char *source, const char *target, const char *prefix)
{
    list->source = source;
    list->target = target;
    list->prefix = prefix;
}

/* ---- adding ---- */

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool is_file(const struct tree_list *list, const char *folder, const char *name)
{
    struct stat a, b;
    size_t n = strlen(folder) + strlen(name) + 2;
    char *path = malloc(n);
    bool r = false;
    if (path) {
        snprintf(path, n, "%s/%s", folder, name);
        r = stat(list->file, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
    }
    free(path);
    return r;
}

/* Would the list replace a file whose digest it has? */
static bool is_itself(const struct tree_list *list, const char *name)
{
    return list->file && strcmp(last_part(name), last_part(list->file)) == 0 &&
           (is_file(list, list->source, name) || is_file(list, list->target, name));
}

void tree_list_add(struct tree_list *list, const char *name, const char *hex)
{
    sorter_add(list->sorter, list->prefix, name, hex);
    list->has_itself |= is_itself(list, name);
}

/* ---- printing ---- */

static int print_some(void *user, FILE *to)
{
    const struct tree_list *list = user;
    const char *name, *hex;
    int r = 1;
    for (int i = 0; i < LINES_AT_ONCE && r > 0; i++) {
        r = sorter_next(list->sorter, &name, &hex);
        if (r > 0)
            cli_print_digest(to, list->algorithm, hex, name, false);
    }
    if (r < 0)
        cli_warn("the list of digests is not complete, its temporary file in %s: %s", cli_name(sorter_folder()),
                 strerror(-r));
    return r;
}

int tree_list_print(struct tree_list *list, const char *algorithm)
{
    struct whole *whole = list->whole;
    if (list->has_itself) {
        cli_warn("--digest-file: %s is a file of the tree, and would be replaced by the list that has its digest",
                 cli_name(list->file));
        return EXIT_FAILED;
    }
    list->algorithm = algorithm;
    list->whole = NULL;
    return whole_write(whole, print_some, list);
}
