/* A path: what is known of it before it is opened, for file.c and file_resolve.c alone. */
#ifndef ENDPOINT_FILE_H
#define ENDPOINT_FILE_H

#include "endpoint/fifo.h"
#include "endpoint/publish.h"

struct file {
    leat_endpoint endpoint;
    char *path;   /* as it was given */
    int pinned;   /* holds what it leads to, where the system can do that; or -1 */
    char way[64]; /* a path to what is pinned; "": none */
    int found;    /* 0: what the path leads to is `st`; or -errno */
    struct stat st;
    mode_t type;   /* S_IFMT: the number of an inode may be given to another file at once, of another type perhaps */
    bool exists;   /* something is there; else `publish.place` is where it will be */
    bool deleted;  /* it has no name any more, as /proc/PID/fd/N may show */
    bool is_fixed; /* it has no length that could be cut: what the kernel makes up (procfs, sysfs) */
    enum leat_write_mode mode;
    bool sync, preserve, no_clobber, force;
    const struct node *source; /* whose times and mode are preserved */
    struct publish publish;
    struct carried carried;
    struct fifo_opener *opener;
};

/* What to hand to open(2): the file that was looked at, whatever has its name by now, where that can be had. */
static inline const char *file_way(const struct file *f)
{
    return f->way[0] ? f->way : f->path;
}

/* Looks for what the path leads to. Gives the number of the descriptor that it stands for, or -1: it is a file, or
 * nothing. */
int file_look(struct file *f);

/* Looks at what was found and changes nothing. Fills kind, identity, place; 0, or -errno and *error. */
int file_resolve(struct file *f, struct leat_error *error);

/* Fills *error for something that replacing it would lose. */
int file_would_lose(struct file *f, struct leat_error *error, int code, const char *operation, const char *lost);

#endif
