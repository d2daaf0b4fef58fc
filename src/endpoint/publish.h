/* SPDX-License-Identifier: MIT */
/* Publishing: a file is written without a name, and appears whole or not at all. */
#ifndef ENDPOINT_PUBLISH_H
#define ENDPOINT_PUBLISH_H

#include "endpoint/carry.h"
#include "endpoint/endpoint.h"
#include "endpoint/place.h"

struct publish {
    struct place place; /* Where the file will be. */
    int fd;             /* The node borrows it and closes it. */
    char *hidden;       /* Its name in that directory until it is published. NULL: none. */
    bool unnamed;       /* It has no name at all (O_TMPFILE). */
    bool is_linkable;   /* Set by the caller: such a file can get a name there, so publish_open does not try it. */
    bool is_completed;  /* Set by the caller, who gives the file its mode at the end: a hidden name has 0600 until then.
                         */
    bool replaces;      /* There is an old file: `old`. */
    struct identity old; /* The new file replaces this file and no other one. */
};

enum {
    PUBLISH_HIDDEN_MAX = 256,  /* bytes of a hidden name, with its NUL */
    PUBLISH_HIDDEN_TRIES = 100 /* names to try before it is a failure that each of them is taken */
};

/* Calls `make` with a hidden name beside the place, and again with another one while that returns -EEXIST or -EINTR.
 * The name is ".NAME.leat-" and six digits that no other file is likely to have; a long NAME is shortened. Returns what
 * the last call returned: -EEXIST, if all names were taken. `name` is the name of the last call. */
int publish_make_hidden(const struct place *place, int (*make)(void *user, const char *name), void *user,
                        char name[PUBLISH_HIDDEN_MAX]);

/* Makes a new file for the place, open for reading and writing. `mode` is subject to the umask; a file that replaces
 * another one gets mode 0600 instead. Returns the descriptor or a negative errno. */
int publish_open(struct publish *publish, unsigned mode);
/* Gives the file its name. `sync`: syncs the directory as well. Returns 0; -EEXIST: another file has got that name
 * since it was looked at, and stays; or another negative errno. *ret_operation names what failed. */
int publish_commit(struct publish *publish, bool sync, const char **ret_operation);
/* Removes the hidden name, if there is one, so that nothing is left. Allowed at any time. */
void publish_abort(struct publish *publish);
void publish_close(struct publish *publish);

#endif
