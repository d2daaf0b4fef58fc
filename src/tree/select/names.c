/* SPDX-License-Identifier: MIT */
#include "tree/select/names.h"
#include "base/fd.h"
#include "tree/tree.h"
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

/* ---- the list ---- */

/* A slash sorts before all other bytes, so what is in a folder follows the folder itself. */
static int compare(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    int x = *a == '/' ? 1 : *a ? (unsigned char)*a + 2 : 0;
    int y = *b == '/' ? 1 : *b ? (unsigned char)*b + 2 : 0;
    return x - y;
}

static int compare_entries(const void *a, const void *b)
{
    return compare(*(char *const *)a, *(char *const *)b);
}

/* Makes a name clean. The root itself is "", and all of it is "/". Returns 0; -EINVAL: it leads out; -ENOMEM. */
static int clean(const char *raw, char **ret)
{
    size_t n = 0;
    char *name = raw[0] && raw[0] != '/' ? malloc(strlen(raw) + 2) : NULL;
    if (!name)
        return raw[0] && raw[0] != '/' ? -ENOMEM : -EINVAL;
    for (const char *part = raw; *part;) {
        size_t length = strcspn(part, "/");
        if (length == 2 && part[0] == '.' && part[1] == '.') {
            free(name);
            return -EINVAL;
        }
        if (length && !(length == 1 && part[0] == '.')) {
            if (n)
                name[n++] = '/';
            memcpy(name + n, part, length);
            n += length;
        }
        part += length + (part[length] == '/');
    }
    if (raw[strlen(raw) - 1] == '/')
        name[n++] = '/';
    name[n] = '\0';
    *ret = name;
    return 0;
}

int names_init(struct tree_copy *tree, struct leat_error *error)
{
    struct tree_names *names = &tree->names;
    const char *const *given = tree->options.names;
    size_t n = 0;
    while (given && given[n])
        n++;
    names->name = given ? calloc(n + 1, sizeof(*names->name)) : NULL;
    if (given && !names->name)
        return error_set(error, -ENOMEM, "out of memory");
    for (; names->count < n; names->count++) {
        int r = clean(given[names->count], &names->name[names->count]);
        if (r < 0)
            return error_at(error, r, LEAT_SIDE_SOURCE, given[names->count], "list", "%s",
                            r == -ENOMEM ? "out of memory" : "It leads out of the tree, or is empty");
    }
    if (n)
        qsort(names->name, n, sizeof(*names->name), compare_entries);
    return 0;
}

void names_clear(struct tree_copy *tree)
{
    struct tree_names *names = &tree->names;
    for (size_t i = 0; i < names->count; i++)
        free(names->name[i]);
    free(names->name);
    free(names->prefix);
    free(names->part);
}

/* The first entry that does not sort before the name. */
static size_t find(const struct tree_names *names, const char *name)
{
    size_t low = 0, high = names->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(names->name[middle], name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool has(const struct tree_names *names, const char *name)
{
    size_t at = find(names, name);
    return at < names->count && strcmp(names->name[at], name) == 0;
}

/* Does the list have all of a folder, or of one above it? `prefix` is its path with a slash at the end; it is changed,
 * and is afterwards what it was. */
static bool has_all(const struct tree_names *names, char *prefix)
{
    bool is_whole = has(names, "/");
    for (char *slash = strchr(prefix, '/'); slash && !is_whole; slash = strchr(slash + 1, '/')) {
        char behind = slash[1];
        slash[1] = '\0';
        is_whole = has(names, prefix);
        slash[1] = behind;
    }
    return is_whole;
}

/* ---- the source ---- */

static int begin(struct tree_copy *tree, struct tree_dir *dir)
{
    struct tree_names *names = &tree->names;
    char *path = dir_path(dir, NULL), *prefix = path ? realloc(path, strlen(path) + 2) : NULL;
    if (!prefix) {
        free(path);
        return tree_problem(tree, dir, NULL, LEAT_SIDE_NONE, -ENOMEM, "list", NULL);
    }
    if (prefix[0])
        strcat(prefix, "/");
    free(names->prefix);
    names->prefix = prefix;
    names->at = find(names, prefix);
    names->is_whole = has_all(names, prefix);
    return names->is_whole ? source_folder.begin(tree, dir) : 0;
}

static void end(struct tree_copy *tree)
{
    if (tree->names.is_whole)
        source_folder.end(tree);
}

/* Is the next entry in the folder? *ret_rest is what is behind the name of the folder. */
static bool is_here(const struct tree_names *names, const char **ret_rest)
{
    size_t n = strlen(names->prefix);
    const char *name = names->at < names->count ? names->name[names->at] : NULL;
    *ret_rest = name ? name + n : NULL;
    return name && strncmp(name, names->prefix, n) == 0;
}

/* Passes over all entries whose first part is the same. Returns whether one of them has more parts. */
static bool pass(struct tree_names *names, const char *part)
{
    const char *rest;
    size_t n = strlen(part);
    bool has_more = false;
    for (; is_here(names, &rest) && strncmp(rest, part, n) == 0 && (!rest[n] || rest[n] == '/'); names->at++)
        has_more |= rest[n] == '/';
    return has_more;
}

/* A name that is missing has no kind: the worker tells the problem. */
static void look(struct tree_copy *tree, const struct tree_dir *dir, struct tree_found *found)
{
    struct stat st;
    if (fstatat(dir->fd[SOURCE], found->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    found->kind = st.st_mode & S_IFMT;
    found->has_bytes = tree->options.sizes && S_ISREG(st.st_mode);
    found->bytes = (uint64_t)st.st_size / (tree->options.keep == LEAT_TREE_ALL ? (uint64_t)st.st_nlink : 1);
}

static int next(struct tree_copy *tree, struct tree_dir *dir, struct tree_found *ret)
{
    struct tree_names *names = &tree->names;
    const char *rest;
    if (names->is_whole)
        return source_folder.next(tree, dir, ret);
    while (is_here(names, &rest) && !rest[0]) /* the root itself */
        names->at++;
    if (!is_here(names, &rest))
        return 0;
    free(names->part);
    names->part = strndup(rest, strcspn(rest, "/"));
    if (!names->part)
        return tree_problem(tree, dir, NULL, LEAT_SIDE_NONE, -ENOMEM, "list", NULL);
    bool is_folder = pass(names, names->part);
    if (strlen(names->part) > NAME_MAX) {
        tree_problem(tree, dir, names->part, LEAT_SIDE_SOURCE, -ENAMETOOLONG, "list", NULL);
        return next(tree, dir, ret);
    }
    *ret = (struct tree_found){.name = names->part, .kind = is_folder ? S_IFDIR : 0};
    if (!is_folder)
        look(tree, dir, ret);
    return 1;
}

void names_replace_source(struct tree_copy *tree)
{
    tree->names.source = *tree->source;
    tree->names.source.begin = begin;
    tree->names.source.next = next;
    tree->names.source.end = end;
    tree->source = &tree->names.source;
}

/* ---- links on the way ---- */

/* Goes from a folder to the next part of a path. Returns the new descriptor; -EINVAL: it is a symbolic link; or another
 * code. */
static int step(int fd, const char *part)
{
    struct stat st;
    if (fstatat(fd, part, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    if (S_ISLNK(st.st_mode))
        return -EINVAL;
    int below = openat(fd, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    return below < 0 ? -errno : fd_above_standard(below);
}

/* Follows the folders on the way to a name. Returns 0, or -EINVAL. */
static int follow(int root, char *name)
{
    int fd = root;
    char *part = name;
    for (char *slash = strchr(name, '/'); slash && fd >= 0 && part != slash; slash = strchr(part, '/')) {
        *slash = '\0';
        int below = step(fd, part);
        *slash = '/';
        if (fd != root)
            fd_close(fd);
        fd = below;
        part = slash + 1;
    }
    if (fd != root)
        fd_close(fd);
    return fd == -EINVAL ? -EINVAL : 0;
}

int names_check(struct tree_copy *tree, struct leat_error *error)
{
    const struct tree_names *names = &tree->names;
    for (size_t i = 0; i < names->count; i++) {
        char *name = names->name[i], *before = i ? names->name[i - 1] : NULL, *slash = strrchr(name, '/');
        size_t n = slash ? (size_t)(slash - name) + 1 : 0;
        if (before && strncmp(before, name, n) == 0) /* the same folders as those of the name before */
            continue;
        if (follow(tree->root->fd[SOURCE], name) < 0)
            return error_at(error, -EINVAL, LEAT_SIDE_SOURCE, name, "list", "It leads through a symbolic link");
    }
    return 0;
}
