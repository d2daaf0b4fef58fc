/* The processes that a child has started, and those that they have: found by looking, and ended.
 *
 * A member is a descendant of the child; or it carries the child's mark in its environment and is in our session, which
 * finds those whose parent has ended. A daemon, which has a session of its own and no parent left, is none: gpg-agent
 * and the like are meant to stay. A process is signalled through its pidfd, or where there is none, after a look
 * whether it still is the one that was found. */
#ifndef CHILD_FAMILY_H
#define CHILD_FAMILY_H

#include "base/platform.h"

struct member {
    pid_t pid;
    uint64_t start;
    int fd; /* a pidfd, or -1 */
    bool gone;
};

#define FAMILY_STUCK_MAX 8

/* All zero: nobody is known. */
struct family {
    struct member *member;
    size_t n, capacity;
    struct platform_process stuck[FAMILY_STUCK_MAX]; /* whose environment can't be read */
    size_t stuck_n;
};

/* All processes, as one look saw them. The array is to be freed. */
struct crowd {
    struct platform_process *process;
    size_t n, capacity;
};

/* Looks at all processes. Nobody may reap the child meanwhile, or another one may have got its number. Some
 * milliseconds; blocks on nothing. -errno: processes can't be seen. */
int family_look(struct family *family, struct crowd *ret);

/* Adds the members among them that are not known yet, and gives how many there are. `root`: the child; 0: it was no
 * more when they were looked at. Reads their environments: some milliseconds, and MARKED_PATIENCE_MS for each one that
 * can't be read; of these no more than FAMILY_STUCK_MAX, then no others are read. */
size_t family_find(struct family *family, const struct crowd *crowd, pid_t root, const char *mark);
/* To the members from number `from` on. One that may not be signalled counts as gone. */
void family_signal(struct family *family, size_t from, int number);
/* To one process through its pidfd (-1: there is none), else by its number, which must be its own. -errno. */
int family_signal_process(int fd, pid_t pid, int number);
/* Is there a member that has not ended? *ret_fd is readable when the first of them has; -1: nothing tells. */
bool family_lives(struct family *family, int *ret_fd);
void family_clear(struct family *family);

#endif
