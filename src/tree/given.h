/* SPDX-License-Identifier: MIT */
/* Attributes of a file as values, such as an archive has them, and not as those of another file. */
#ifndef TREE_GIVEN_H
#define TREE_GIVEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

struct tree_copy;

struct given_attribute {
    struct given_attribute *next;
    void *value;
    size_t size;
    char name[];
};

struct given_values {
    mode_t mode; /* the kind, too */
    uid_t uid;
    gid_t gid;
    bool has_owner;
    dev_t device;
    struct timespec times[2]; /* as utimensat takes them */
    unsigned flags;           /* as platform.flags_get has them */
    struct given_attribute *attributes, **last;
};

void given_init(struct given_values *given);
void given_clear(struct given_values *given);
/* Adds an extended attribute, whose value is copied. Returns 0 or -ENOMEM. */
int given_add(struct given_values *given, const char *name, const void *value, size_t n);

/* Gives an open file or folder what the options keep of it. Records each problem for `path` in the tree. Returns 0, or
 * a negative errno: something could not be kept. */
int given_to_file(struct tree_copy *tree, const char *path, const struct given_values *given, int to);
/* The same for the name in a folder of something that can't be opened. */
int given_to_name(struct tree_copy *tree, const char *path, const struct given_values *given, int folder,
                  const char *name);

#endif
