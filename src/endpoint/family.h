/* The processes that a child has started, and those that they have: found by looking, and ended.
 *
 * A member is a descendant of the child; or it carries the child's mark in its environment and is in our session, which
 * finds those whose parent has ended. A daemon, which has a session of its own and no parent left, is none: gpg-agent
 * and the like are meant to stay. A process is signalled through its pidfd, or where there is none, after a look
 * whether it still is the one that was found. */
#ifndef ENDPOINT_FAMILY_H
#define ENDPOINT_FAMILY_H

#include "base/base.h"
#include <stdbool.h>
#include <sys/types.h>

struct member {
    pid_t pid;
    uint64_t start;
    int fd; /* a pidfd, or -1 */
    bool gone;
};

/* All zero: nobody is known. */
struct family {
    struct member *member;
    size_t n, capacity;
};

/* Looks for members that are not known yet, and gives how many there are. `root`: the child, which can't be reaped
 * meanwhile; 0: it is no more. None where processes can't be seen. Reads /proc: some milliseconds, blocks on nothing.
 */
size_t family_find(struct family *family, pid_t root, const char *mark);
/* To the members from number `from` on. One that may not be signalled counts as gone. */
void family_signal(struct family *family, size_t from, int number);
/* To one process through its pidfd (-1: there is none), else by its number, which must be its own. -errno. */
int family_signal_process(int fd, pid_t pid, int number);
/* Is there a member that has not ended? *ret_fd is readable when the first of them has; -1: nothing tells. */
bool family_lives(struct family *family, int *ret_fd);
void family_clear(struct family *family);

#endif
