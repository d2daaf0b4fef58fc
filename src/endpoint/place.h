/* A place: a directory that is held open, and a name in it. What is done to the name later is done in that directory,
 * whatever becomes of the path that led there. */
#ifndef ENDPOINT_PLACE_H
#define ENDPOINT_PLACE_H

#include "base/identity.h"

struct place {
    int directory; /* -1: none */
    char *name;
};

/* The place where a path ends, behind the symbolic links of its last part. -errno, of the directory or of a link;
 * -ENOTDIR also where the path ends in a slash; -EACCES also for a link that leads nowhere, that another user has put
 * into a folder that everybody can write to; -ELOOP after 40 links. *ret is empty then. Nothing is opened but
 * directories. `ret_now`, unless NULL: what has that name now; where nothing has it, the name
 * itself, which `ret` must outlive. */
int place_find(struct place *ret, const char *path, struct identity *ret_now);
void place_clear(struct place *place);

/* What has that name now, links not followed. -ENOENT: nothing. */
int place_stat(const struct place *place, struct stat *ret);

/* The number of the descriptor that a path stands for, perhaps through links, as a log file may be a link to
 * /dev/stdout; -1: none. */
int place_descriptor(const char *path);

#endif
