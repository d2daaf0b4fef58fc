/* SPDX-License-Identifier: MIT */
/* What a folder has is read once, when it is known that letters are the same there. A name that is missing then may
 * have been made since, so the folder is read again for it. */
#include "tree/target/letters.h"
#include "base/base.h"
#include "base/fd.h"
#include "tree/dir.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <strings.h>

enum {
    LETTERS_UNKNOWN,
    LETTERS_DIFFER,
    LETTERS_SAME,
};

struct tree_letters {
    char **name; /* sorted */
    size_t count;
};

/* Of the lists of all folders. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static bool look(int folder, const char *name, struct stat *ret)
{
    return fstatat(folder, name, ret, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* ---- the names of a folder ---- */

static DIR *open_names(const struct tree_dir *dir)
{
    int fd = openat(dir->fd[TARGET], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fd = fd < 0 ? -errno : fd_above_standard(fd);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream)
        fd_close(fd);
    return stream;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool add(struct tree_letters *letters, size_t *room, const char *name)
{
    if (letters->count == *room) {
        size_t n = *room ? 2 * *room : 64;
        char **grown = realloc(letters->name, n * sizeof(*grown));
        if (!grown)
            return false;
        letters->name = grown;
        *room = n;
    }
    char *own = strdup(name);
    if (own)
        letters->name[letters->count++] = own;
    return own;
}

/* What there is no memory for is looked for again. */
static void read_names(struct tree_dir *dir)
{
    const struct dirent *entry;
    size_t room = 0;
    struct tree_letters *letters = calloc(1, sizeof(*letters));
    DIR *stream = letters ? open_names(dir) : NULL;
    while (stream && (entry = readdir(stream)) && add(letters, &room, entry->d_name))
        ;
    if (stream)
        closedir(stream);
    if (letters && letters->count > 0)
        qsort(letters->name, letters->count, sizeof(*letters->name), compare);
    dir->letters = letters;
}

static bool has_name(struct tree_dir *dir, const char *name)
{
    pthread_mutex_lock(&lock);
    if (!dir->letters)
        read_names(dir);
    const struct tree_letters *letters = dir->letters;
    bool has =
        letters && letters->count > 0 && bsearch(&name, letters->name, letters->count, sizeof(*letters->name), compare);
    pthread_mutex_unlock(&lock);
    return has;
}

static char other_letter(char c)
{
    bool is_lower = c >= 'a' && c <= 'z', is_upper = c >= 'A' && c <= 'Z';
    return (char)(is_lower ? c - 'a' + 'A' : is_upper ? c - 'A' + 'a' : c);
}

/* Tries the name in other letters. Most file systems do not have it. Numbers of files tell nothing: FUSE may give each
 * spelling its own. */
static int try(struct tree_dir *dir, const char *name)
{
    char other[NAME_MAX + 1];
    struct stat st;
    size_t n = strlen(name);
    if (n >= sizeof(other))
        return LETTERS_UNKNOWN;
    for (size_t i = 0; i <= n; i++)
        other[i] = other_letter(name[i]);
    if (strcmp(other, name) == 0)
        return LETTERS_UNKNOWN;
    return look(dir->fd[TARGET], other, &st) && !has_name(dir, other) ? LETTERS_SAME : LETTERS_DIFFER;
}

/* Is this entry of the target the same as `name` there, which is `is`, and another name of the source? */
static bool is_other(const struct tree_dir *dir, const char *name, const struct dirent *entry, const struct stat *is)
{
    struct stat st, mine;
    bool is_alike = strcasecmp(entry->d_name, name) == 0;
    if (!is_alike && (entry->d_ino != is->st_ino || !look(dir->fd[TARGET], entry->d_name, &st) || !is_same(&st, is)))
        return false;
    return look(dir->fd[SOURCE], entry->d_name, &st) && look(dir->fd[SOURCE], name, &mine) && !is_same(&st, &mine);
}

static bool is_other_name(const struct tree_dir *dir, const char *name, const struct stat *is)
{
    const struct dirent *entry;
    DIR *stream = open_names(dir);
    bool is_exact = false, clashes = false;
    while (stream && !is_exact && (entry = readdir(stream))) {
        is_exact = strcmp(entry->d_name, name) == 0;
        clashes |= !is_exact && is_other(dir, name, entry, is);
    }
    if (stream)
        closedir(stream);
    return clashes && !is_exact;
}

bool letters_clash(struct tree_dir *dir, const char *name)
{
    struct stat is;
    int kind = atomic_load_explicit(&dir->letters_kind, memory_order_relaxed);
    if (kind == LETTERS_DIFFER || dir->fd[SOURCE] < 0 || dir->fd[TARGET] < 0)
        return false;
    if (kind == LETTERS_UNKNOWN) {
        kind = try(dir, name);
        atomic_store_explicit(&dir->letters_kind, kind, memory_order_relaxed);
    }
    return kind == LETTERS_SAME && !has_name(dir, name) && look(dir->fd[TARGET], name, &is) &&
           is_other_name(dir, name, &is);
}

void letters_free(struct tree_dir *dir)
{
    for (size_t i = 0; dir->letters && i < dir->letters->count; i++)
        free(dir->letters->name[i]);
    if (dir->letters)
        free(dir->letters->name);
    free(dir->letters);
}
