/* SPDX-License-Identifier: MIT */
/* The names of a tree in their order: a folder, then what is in it, sorted by bytes. */
#include "base/fd.h"
#include "tree/archive/pack.h"
#include "tree/ends.h"
#include "tree/select/select.h"
#include "tree/tree.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

int pack_problem(struct packing *p, int code, const char *operation, const char *text)
{
    return tree_problem(p->tree, p->tree->root, p->path, LEAT_SIDE_SOURCE, code, operation, text ? "%s" : NULL, text);
}

/* ---- the names of a folder ---- */

static void free_level(struct pack_level *level)
{
    for (size_t i = level->next; i < level->count; i++)
        free(level->name[i]);
    free(level->name);
}

static int add_name(struct pack_level *level, const char *name, size_t *room)
{
    if (level->count == *room) {
        size_t more = *room ? 2 * *room : 64;
        char **grown = realloc(level->name, more * sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        level->name = grown;
        *room = more;
    }
    level->name[level->count] = strdup(name);
    return level->name[level->count++] ? 0 : -ENOMEM;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Reads the names of the folder whose descriptor this is, which stays the caller's. */
static int read_names(struct packing *p, int folder, struct pack_level *level)
{
    const struct dirent *entry;
    size_t room = 0;
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
    fd = fd < 0 ? -errno : fd_above_standard(fd);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream) {
        r = fd < 0 ? fd : -errno;
        fd_close(fd);
        pack_problem(p, r, "open", NULL);
        return 0;
    }
    while (r == 0 && (entry = dir_next(stream)))
        r = add_name(level, entry->d_name, &room);
    if (r == 0 && errno)
        pack_problem(p, -errno, "readdir", NULL);
    closedir(stream);
    if (level->count)
        qsort(level->name, level->count, sizeof(*level->name), compare);
    return r;
}

/* Begins the folder whose path is p->path. */
static int enter(struct packing *p, int folder)
{
    if (p->depth == p->capacity) {
        size_t capacity = p->capacity ? 2 * p->capacity : 16;
        struct pack_level *grown = realloc(p->level, capacity * sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        p->level = grown;
        p->capacity = capacity;
    }
    struct pack_level *level = &p->level[p->depth];
    *level = (struct pack_level){.length = strlen(p->path)};
    int r = read_names(p, folder, level);
    if (r < 0)
        free_level(level);
    else
        p->depth++;
    return r;
}

void pack_forget(struct packing *p)
{
    while (p->depth)
        free_level(&p->level[--p->depth]);
    free(p->level);
    free(p->path);
    beneath_clear(&p->folders);
}

/* ---- names that are no files. A call that returns 1 has packed nothing ---- */

static int pack_folder(struct packing *p, int fd, const struct stat *st)
{
    struct tree_copy *tree = p->tree;
    int r = pack_header(p, pack_entry(p, st, fd, -1, NULL));
    atomic_fetch_add(&tree->counts.directories, 1);
    bool is_elsewhere = tree->options.one_file_system && st->st_dev != tree->root->st.st_dev;
    bool is_last = tree->options.max_depth && p->depth >= (size_t)tree->options.max_depth;
    return r < 0 || is_elsewhere || is_last ? r : enter(p, fd);
}

static int pack_root(struct packing *p)
{
    const struct tree_dir *root = p->tree->root;
    p->path = calloc(1, 1);
    p->room = 1;
    if (!p->path || beneath_init(&p->folders, root->fd[SOURCE]) < 0)
        return -ENOMEM;
    return pack_folder(p, root->fd[SOURCE], &root->st);
}

static int open_folder(struct packing *p, const struct stat *seen, struct stat *ret)
{
    unsigned made = 0;
    int fd = beneath_open(&p->folders, p->path, strlen(p->path), false, &made);
    int r = fd < 0 ? fd : fstat(fd, ret) < 0 ? -errno : 0;
    if (r == 0 && (ret->st_dev != seen->st_dev || ret->st_ino != seen->st_ino))
        r = -ESTALE;
    return r < 0 ? pack_problem(p, r, "open", r == -ESTALE ? "It became something else meanwhile" : NULL) : fd;
}

static int pack_symlink(struct packing *p, int folder, const char *name, const struct stat *st)
{
    char text[PATH_MAX];
    ssize_t n = readlinkat(folder, name, text, sizeof(text));
    if (n < 0 || (size_t)n == sizeof(text)) {
        pack_problem(p, n < 0 ? -errno : -ENAMETOOLONG, "readlink", NULL);
        return 1;
    }
    text[n] = '\0';
    struct archive_entry *entry = pack_entry(p, st, -1, folder, name);
    if (entry)
        archive.entry_set_symlink(entry, text);
    atomic_fetch_add(&p->tree->counts.symlinks, 1);
    return pack_header(p, entry);
}

static int pack_special(struct packing *p, int folder, const char *name, const struct stat *st)
{
    struct tree_copy *tree = p->tree;
    if (S_ISSOCK(st->st_mode)) {
        ends_lose(tree, tree->root, p->path, -EOPNOTSUPP, "stat", "a socket");
        return 1;
    }
    if (tree->options.keep != LEAT_TREE_ALL) {
        pack_problem(p, -EOPNOTSUPP, "stat", "It is a FIFO or a device, which only a copy of all attributes copies");
        return 1;
    }
    atomic_fetch_add(&p->tree->counts.specials, 1);
    return pack_header(p, pack_entry(p, st, -1, folder, name));
}

/* Packs a further name as a link to the first one. */
static int pack_other(struct packing *p, int folder, const char *name, const struct stat *st)
{
    struct tree_copy *tree = p->tree;
    struct tree_link *link = NULL;
    bool is_one_of_several = st->st_nlink > 1 && tree->options.keep == LEAT_TREE_ALL;
    int answer = is_one_of_several ? links_meet(tree, tree->root, p->path, st, &link) : LINKS_COPY;
    if (answer == LINKS_LINK)
        return pack_link(p, st, -1, folder, name, link->first.name);
    if (answer < 0)
        return answer;
    int r = S_ISLNK(st->st_mode) ? pack_symlink(p, folder, name, st) : pack_special(p, folder, name, st);
    if (link)
        links_copied(tree, link, r == 0);
    return r < 0 ? r : 0;
}

/* Is it the hidden name that the archive has where files can't be without a name? See publish_make_hidden. */
static bool is_archive_itself(const struct packing *p, int folder, const char *name)
{
    struct identity here;
    const char *mark = strstr(name, ".leat-"), *base = p->target->base;
    if (!base || name[0] != '.' || !mark || strlen(mark) != sizeof(".leat-") - 1 + 6 ||
        strncmp(name + 1, base, (size_t)(mark - name) - 1) != 0)
        return false;
    return identity_of_fd(&here, folder) == 0 && identity_is_same(&here, &p->target->folder);
}

static int pack_name(struct packing *p, int folder, const char *name)
{
    struct stat st, now;
    if (is_archive_itself(p, folder, name))
        return 0;
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        pack_problem(p, -errno, "stat", NULL);
        return 0;
    }
    if (p->target->is_layer && strncmp(name, ".wh.", 4) == 0) {
        pack_problem(p, -EINVAL, "stat",
                     "A layer can't have a name that begins with .wh.: it would remove another one");
        return 0;
    }
    int taken = select_path(p->tree, p->path, S_ISDIR(st.st_mode));
    if (taken <= 0)
        return taken;
    if (S_ISREG(st.st_mode))
        return pack_begin_file(p, folder, name);
    if (!S_ISDIR(st.st_mode))
        return pack_other(p, folder, name, &st);
    int fd = open_folder(p, &st, &now);
    return fd < 0 ? 0 : pack_folder(p, fd, &now);
}

/* ---- the walk ---- */

/* Sets p->path to a name in the folder of this level. */
static int set_path(struct packing *p, const struct pack_level *level, const char *name)
{
    size_t n = level->length + strlen(name) + 2;
    if (n > p->room) {
        char *grown = realloc(p->path, 2 * n);
        if (!grown)
            return -ENOMEM;
        p->path = grown;
        p->room = 2 * n;
    }
    char *at = p->path + level->length;
    if (level->length)
        *at++ = '/';
    strcpy(at, name);
    return 0;
}

int pack_next(struct packing *p)
{
    unsigned made = 0;
    if (!p->begun) {
        p->begun = true;
        int r = pack_root(p);
        return r < 0 ? r : 1;
    }
    while (p->depth && p->level[p->depth - 1].next == p->level[p->depth - 1].count)
        free_level(&p->level[--p->depth]);
    if (!p->depth || tree_is_canceled(p->tree))
        return 0;
    struct pack_level *level = &p->level[p->depth - 1];
    char *name CLEANUP_FREE = level->name[level->next++];
    size_t above = level->length;
    int r = set_path(p, level, name);
    if (r < 0)
        return r;
    int folder = beneath_open(&p->folders, p->path, above, false, &made);
    if (folder < 0)
        pack_problem(p, folder, "open", NULL);
    else
        r = pack_name(p, folder, name);
    return r < 0 ? r : 1;
}
