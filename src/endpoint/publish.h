/* Publishing: a file is written without a name and appears whole, or not at all. Also what a path needs before that:
 * its links followed, its directory; and a FIFO opened for writing without blocking. */
#ifndef ENDPOINT_PUBLISH_H
#define ENDPOINT_PUBLISH_H

#include "endpoint/endpoint.h"

struct publish {
    int fd; /* borrowed by the node; closed by it */
    char *target;
    char *hidden;  /* the name it has meanwhile, NULL: none */
    bool unnamed;  /* it has none (O_TMPFILE) */
    bool replaces; /* there is an old file, with: */
    unsigned mode;
    uid_t uid;
    gid_t gid;
};

/* There is a file already, whose mode and owner the new one will have. */
void publish_existing(struct publish *publish, const struct stat *st);
/* A new file for `target`, open for reading and writing; `mode` is under the umask. Gives it, or -errno. */
int publish_open(struct publish *publish, const char *target, bool replaces, unsigned mode);
/* Mode and owner as the old file has them; *ret_operation names what failed. -EPERM of fchown: we may not give it away.
 */
int publish_keep_owner(struct publish *publish, const char **ret_operation);
/* Linked to a hidden name and renamed over the target. *ret_operation names what failed. */
int publish_commit(struct publish *publish, bool sync, const char **ret_operation);
/* Leaves no trace. Legal at any time. */
void publish_abort(struct publish *publish);
void publish_close(struct publish *publish);

/* The path behind all symbolic links, whether something is there or not; a path that stands for a descriptor, such as
 * /dev/stdout, is not followed further. Gives it. -ELOOP after 40. */
int path_follow_links(const char *path, char **ret);
/* Where it lies: "." for a bare name. Gives it; NULL: no memory. */
char *path_directory(const char *path);

/* A FIFO for writing can only be opened once a reader is there, and nothing tells when: so a thread of its own waits
 * in open(2). -EAGAIN: not yet, *port becomes ready when to call again. Cancel releases it and returns NULL. */
struct fifo_opener;
int fifo_open(struct fifo_opener **opener, const char *path, struct port *port);
struct fifo_opener *fifo_cancel(struct fifo_opener *opener);

#endif
