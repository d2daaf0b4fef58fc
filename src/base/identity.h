/* SPDX-License-Identifier: MIT */
/* The identity of a file tells whether two descriptors or names refer to the same file. It is the device and the inode
 * that the kernel reports. Path strings are never compared, because one file has many spellings. */
#ifndef BASE_IDENTITY_H
#define BASE_IDENTITY_H

#include "base/base.h"
#include <stdbool.h>
#include <sys/stat.h>

struct identity {
    enum {
        IDENTITY_NONE,   /* unknown, or something without identity (memory); equal to nothing */
        IDENTITY_INODE,  /* a file, directory, pipe or socket: device and inode */
        IDENTITY_DISK,   /* a block device, by any of its names: `device` is the number of the device itself */
        IDENTITY_DEVICE, /* a character device, in the same way */
        IDENTITY_NAME,   /* a name that does not exist yet: device and inode of its directory, and the name */
    } kind;
    dev_t device;
    ino_t inode;
    const char *name; /* borrowed; the last part of the path, without a slash */
};

/* Returns the identity of the file that `st` describes. */
void identity_of_stat(struct identity *ret, const struct stat *st);

/* Returns the identity of the open file. Returns 0, or -errno of fstat. */
int identity_of_fd(struct identity *ret, int fd);

/* Returns the identity of the file that the path leads to; follows symbolic links. If the last part of the path does
 * not exist, the identity is IDENTITY_NAME, and `path` is borrowed. Returns 0 or -errno of stat, for the path or its
 * directory; -ENOENT also for a dangling symbolic link. */
int identity_of_path(struct identity *ret, const char *path);

/* Returns the identity of a name that does not exist yet in the directory that `st` describes. `name` is borrowed. */
void identity_of_new_name(struct identity *ret, const struct stat *st, const char *name);

/* Do both identities mean the same file, device or name? */
bool identity_is_same(const struct identity *a, const struct identity *b);

/* Do two descriptors share one open file description, and so its position and flags? 1: they do. 0: they do not.
 * -EOPNOTSUPP: they have the same identity, and the system can't tell more. -EBADF: one of them is not open. */
int identity_is_same_open_file(int a, int b);

#endif
