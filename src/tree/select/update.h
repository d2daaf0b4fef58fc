/* SPDX-License-Identifier: MIT */
/* The option `update`: names that the target has already, and that are left alone. */
#ifndef TREE_UPDATE_H
#define TREE_UPDATE_H

#include <stdbool.h>
#include <sys/stat.h>

struct tree_copy;
struct tree_dir;

enum tree_update {
    UPDATE_COPY,  /* it is copied */
    UPDATE_SAME,  /* left alone: it is unchanged */
    UPDATE_NEWER, /* left alone: the target's is newer */
};

/* What is done with a regular file of the source, which `st` describes? What is left alone is counted. */
enum tree_update update_of_file(struct tree_copy *tree, const struct tree_dir *dir, const char *name,
                                const struct stat *st);
/* Is the file left alone? It was not looked at before; if that fails, it is left alone as well. A file with several
 * names is not, if they shall stay names of one file: then they all must be known first. */
bool update_leaves_file(struct tree_copy *tree, const struct tree_dir *dir, const char *name, void *mark);
/* Has the target the same symbolic link, special file, or name of the file that has the name `first` in `from`? A
 * name of a file that is newer is left alone, too. */
bool update_leaves_symlink(struct tree_copy *tree, const struct tree_dir *dir, const char *name, const char *text);
bool update_leaves_special(struct tree_copy *tree, const struct tree_dir *dir, const char *name, const struct stat *st);
bool update_leaves_link(struct tree_copy *tree, const struct tree_dir *dir, const char *name,
                        const struct tree_dir *from, const char *first);

#endif
