/* SPDX-License-Identifier: MIT */
/* Files that have several names, of any kind but folders. The worker that meets the first name copies the file; the
 * other names become links to it. A worker that meets a further name before the copy is complete adds that name to the
 * entry of the file and goes on; the copying worker makes that link, too. So no worker waits. An entry goes when as
 * many names were met as the file has. */
#ifndef TREE_LINKS_H
#define TREE_LINKS_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/stat.h>

struct tree_copy;
struct tree_dir;

/* A name in a folder, whose reference it has. */
struct tree_name {
    struct tree_dir *dir;
    char *name;
    struct tree_name *next;
};

struct tree_link {
    dev_t device;
    ino_t inode;
    bool is_copied;        /* `first` is in the target */
    unsigned met;          /* names */
    nlink_t names;         /* that it has, when it was met last */
    unsigned users;        /* workers that have the entry from links_meet */
    struct timespec ctime; /* of the file that is copied as `first` */
    struct tree_name first;
    struct tree_name *waiting; /* each has work, see dir.h */
    struct tree_link *next;    /* in its row */
    char name[];               /* the first name that was met */
};

struct tree_links {
    pthread_mutex_t lock;
    struct tree_link **row;
    size_t rows, count;
};

void links_init(struct tree_links *links);
void links_clear(struct tree_copy *tree);

enum links_answer {
    LINKS_COPY, /* it is the first name: copy the file, then call links_copied with the entry, then links_end */
    LINKS_LINK, /* link to ret->first, then call links_end */
    LINKS_LEFT, /* another worker will make the link; it has taken over the name */
};

/* Says what to do about a name of a file that has several. Returns an enum links_answer, or -ENOMEM. */
int links_meet(struct tree_copy *tree, struct tree_dir *dir, const char *name, const struct stat *st,
               struct tree_link **ret);

/* Ends the copy of a first name. Gives the names that wait, which the caller takes: links to make if `is_copied`. If it
 * is not, the next name that is met is the first. */
struct tree_name *links_copied(struct tree_copy *tree, struct tree_link *link, bool is_copied);

/* The caller no longer uses the entry. `names`: how many the file has, as far as is known. */
void links_end(struct tree_copy *tree, struct tree_link *link, nlink_t names);

/* Allowed when the workers have ended: tells the names that another process makes, without a link to those here. */
void links_tell_apart(struct tree_copy *tree);

/* Frees a name that was taken. Its work has ended or ends with it. */
void links_free_name(struct tree_copy *tree, struct tree_name *name);

#endif
