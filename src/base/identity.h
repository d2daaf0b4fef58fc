/* Identity: do two descriptors or names stand for the same thing? The kernel is asked for device and inode; texts are
 * never compared, because one file has many spellings. */
#ifndef BASE_IDENTITY_H
#define BASE_IDENTITY_H

#include "base/base.h"
#include <stdbool.h>
#include <sys/stat.h>

struct identity {
    enum {
        IDENTITY_NONE,   /* not known, or nothing that has one (memory); it is the same as nothing */
        IDENTITY_INODE,  /* a file, directory, pipe or socket: device and inode */
        IDENTITY_DISK,   /* a block device, through whichever of its names: `device` is its own number */
        IDENTITY_DEVICE, /* a character device, likewise */
        IDENTITY_NAME,   /* a name that does not exist yet: device and inode of its directory, and the name */
    } kind;
    dev_t device;
    ino_t inode;
    const char *name; /* borrowed; the last part of the path, without a slash */
};

/* Of what a stat describes. */
void identity_of_stat(struct identity *ret, const struct stat *st);

/* Of what a descriptor is open on. -errno of fstat. */
int identity_of_fd(struct identity *ret, int fd);

/* Of what a path leads to, symbolic links followed. If the last part of the path does not exist, it is that name in
 * its directory; `path` is then borrowed. -errno of stat, of the path or of its directory; -ENOENT also for a symbolic
 * link that leads nowhere. */
int identity_of_path(struct identity *ret, const char *path);

/* Of a name that does not exist in a directory, which `st` describes. `name` is borrowed. */
void identity_of_new_name(struct identity *ret, const struct stat *st, const char *name);

/* Is it the same file, device or name? */
bool identity_is_same(const struct identity *a, const struct identity *b);

/* Do two descriptors share one open file, so that they share its position and flags too? 1: they do. 0: they do not.
 * -EOPNOTSUPP: they have the same identity, and the system does not tell more. -EBADF. */
int identity_is_same_open_file(int a, int b);

#endif
