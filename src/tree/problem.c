/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "tree/target/extra.h"
#include "tree/tree.h"
#include <stdarg.h>
#include <stdio.h>

static _Thread_local unsigned long problems_here;

unsigned long tree_problems_here(void)
{
    return problems_here;
}

/* Of one of several targets, whose root has its name: with that name. */
static char *path_of(const struct tree_dir *dir, const char *name)
{
    const struct tree_dir *root = dir;
    while (root->parent)
        root = root->parent;
    size_t n = strlen(root->name);
    if (n > 0 && dir == root && !name)
        return strdup(root->name);
    char *path = dir_path(dir, name);
    if (!path || n == 0)
        return path;
    char *full = text_join(root->name, root->name[n - 1] == '/' ? "" : "/", path);
    free(path);
    return full;
}

static const char *shown_path(const struct tree_dir *dir, const char *name, char **path)
{
    *path = path_of(dir, name);
    return !*path ? name ? name : dir->name : (*path)[0] ? *path : ".";
}

void tree_tell(struct tree_copy *tree, const struct leat_error *error)
{
    atomic_fetch_add(&tree->counts.problems, 1);
    problems_here++;
    pthread_mutex_lock(&tree->lock);
    error_hand_on(tree->error, error);
    if (tree->options.problem)
        tree->options.problem(tree->options.user, error);
    pthread_mutex_unlock(&tree->lock);
}

const char *tree_error_text(int code, char *text, size_t size)
{
    if (code != -ESTALE)
        return error_text(code, text, size);
    snprintf(text, size, "Something else has the name now, or a server has removed it");
    return text;
}

int tree_problem(struct tree_copy *tree, const struct tree_dir *dir, const char *name, enum leat_side side, int code,
                 const char *operation, const char *format, ...)
{
    struct leat_error error = {.size = sizeof(error)};
    char text[sizeof(error.text)], *path CLEANUP_FREE = NULL;
    va_list arguments;
    if (tree_is_canceled(tree)) {
        problems_here++; /* what has it is not complete */
        return code;
    }
    va_start(arguments, format);
    if (format)
        vsnprintf(text, sizeof(text), format, arguments);
    else
        tree_error_text(code, text, sizeof(text));
    va_end(arguments);
    error_at(&error, code, side, shown_path(dir, name, &path), operation, "%s", text);
    extra_spare(dir);
    tree_tell(tree, &error);
    if (code == -ENOMEM)
        atomic_store(&tree->canceled, true); /* nothing more can be done, and all that is left would fail alike */
    return code;
}
