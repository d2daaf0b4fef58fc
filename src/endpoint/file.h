/* SPDX-License-Identifier: MIT */
/* A path: what is known of it before it is opened. For file.c and file_resolve.c alone. */
#ifndef ENDPOINT_FILE_H
#define ENDPOINT_FILE_H

#include "endpoint/fifo.h"
#include "endpoint/publish.h"

struct file {
    leat_endpoint endpoint;
    char *path;   /* As the caller gave it. */
    int pinned;   /* An O_PATH descriptor of the file at the path, if the system has that; or -1. */
    char way[64]; /* A path to the file of `pinned`. "": none. */
    int found;    /* 0: `st` describes the file at the path. Otherwise a negative errno. */
    struct stat st;
    mode_t type;   /* S_IFMT. The number of an inode may be used again at once, perhaps for a file of another type. */
    bool exists;   /* There is a file. Otherwise `publish.place` is where it will be. */
    bool deleted;  /* The file has no name any more, as may happen with /proc/PID/fd/N. */
    bool is_fixed; /* The kernel makes up the file (procfs, sysfs), so it has no length that could be cut. */
    enum leat_write_mode mode;
    bool sync, preserve, no_clobber, force;
    const struct node *source; /* Its times and mode are preserved. */
    struct publish publish;
    struct carried carried;
    struct fifo_opener *opener;
};

/* The path to give to open(2). If possible it leads to the file that was looked at, whatever file has the name by
 * now. */
static inline const char *file_way(const struct file *f)
{
    return f->way[0] ? f->way : f->path;
}

/* Looks up the path. Returns the number of the descriptor that the path stands for. -1: the path is of a file, or there
 * is nothing. */
int file_look(struct file *f);

/* Fills the node (kind, identity, place) from what file_look has found. Changes nothing in the file system. Returns 0,
 * or a negative errno with `error` set. */
int file_resolve(struct file *f, struct leat_error *error);

/* Fills the error for an attribute that would be lost if the file were replaced. Returns `code`. */
int file_would_lose(struct file *f, struct leat_error *error, int code, const char *operation, const char *lost);

#endif
