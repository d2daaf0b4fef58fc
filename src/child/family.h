/* SPDX-License-Identifier: MIT */
/* The processes that a child has started, and those that these have started in turn: finding and ending them.
 *
 * A member is a descendant of the child. A process that carries the mark of the child in its environment and is in our
 * session is a member too; this finds those whose parent has ended. A daemon with a session of its own and without a
 * living parent is no member: gpg-agent and the like are meant to stay. A process is signalled through its pidfd. If
 * there is no pidfd, it is first checked whether the process is still the one that was found. */
#ifndef CHILD_FAMILY_H
#define CHILD_FAMILY_H

#include "base/platform.h"

struct member {
    pid_t pid;
    uint64_t start;
    int fd; /* A pidfd, or -1. */
    bool gone;
};

#define FAMILY_STUCK_MAX 8

/* All zero: no member is known. */
struct family {
    struct member *member;
    size_t n, capacity;
    struct platform_process stuck[FAMILY_STUCK_MAX]; /* Processes whose environment cannot be read. */
    size_t stuck_n;
};

/* All processes, as one look saw them. The caller frees the array. */
struct crowd {
    struct platform_process *process;
    size_t n, capacity;
};

/* Lists all processes. Until it returns, no thread may reap the child, or another process may get its number. Takes
 * some milliseconds and does not block. Returns 0, or a negative errno: processes cannot be seen. */
int family_look(struct family *family, struct crowd *ret);

/* Adds the members in the crowd that are not known yet, and returns how many there are. `root`: the child; 0: it was
 * reaped before the look. Reads environments, which takes some milliseconds, and MARKED_PATIENCE_MS for each process
 * that cannot be read. After FAMILY_STUCK_MAX such processes it reads no others. */
size_t family_find(struct family *family, const struct crowd *crowd, pid_t root, const char *mark);
/* Signals the members from number `from` on. A member that may not be signalled counts as ended. */
void family_signal(struct family *family, size_t from, int number);
/* Signals one process through its pidfd; if `fd` is -1, or the call is not to be had, by its number, which must still
 * be that of the process. Returns 0 or a negative errno. */
int family_signal_process(int fd, pid_t pid, int number);
/* Has any member not ended? *ret_fd then is readable when the first such member ends; -1: nothing tells. */
bool family_is_alive(struct family *family, int *ret_fd);
void family_clear(struct family *family);

#endif
