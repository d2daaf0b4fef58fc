/* SPDX-License-Identifier: MIT */
/* Starts /bin/sh -c COMMAND on pipes. */
#ifndef CHILD_SPAWN_H
#define CHILD_SPAWN_H

#include "base/base.h"
#include <stdbool.h>
#include <sys/types.h>

#define SPAWN_MARK_MAX 80

struct spawned {
    pid_t pid;
    int in, out, err; /* Our ends, non-blocking; given. -1: there is none. */
    bool own_group;   /* The child leads a process group of its own. */
    /* "LEAT_EXEC=...": an entry of its environment. No other process has it but those that the child starts. */
    char mark[SPAWN_MARK_MAX];
};

/* Starts the shell. `pipes` is of enum child_pipes. Returns 0, or a negative errno: nothing is left of the child, and
 * *ret_operation names what failed. */
int spawn_shell(struct spawned *ret, const char *command, unsigned pipes, const char **ret_operation);

#endif
