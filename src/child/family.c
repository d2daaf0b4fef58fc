/* SPDX-License-Identifier: MIT */
#include "child/family.h"
#include "base/fd.h"
#include "child/marked.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

static void *grown(void *array, size_t n, size_t *capacity, size_t each)
{
    if (n < *capacity)
        return array;
    size_t more = *capacity ? *capacity * 2 : 16;
    void *bigger = realloc(array, more * each);
    if (bigger)
        *capacity = more;
    return bigger;
}

static void add_to_crowd(void *user, const struct platform_process *process)
{
    struct crowd *crowd = user;
    void *bigger = grown(crowd->process, crowd->n, &crowd->capacity, sizeof(*crowd->process));
    if (!bigger)
        return;
    crowd->process = bigger;
    crowd->process[crowd->n++] = *process;
}

static bool is_known(const struct family *family, pid_t pid)
{
    for (size_t i = 0; i < family->n; i++)
        if (family->member[i].pid == pid && !family->member[i].gone)
            return true;
    return false;
}

static bool is_same(const struct member *member)
{
    struct platform_process now;
    return platform.processes->look(member->pid, &now) == 0 && now.start == member->start && !now.ended;
}

static bool has_ended(const struct member *member)
{
    struct pollfd set = {.fd = member->fd, .events = POLLIN};
    return member->fd >= 0 ? poll(&set, 1, 0) != 0 : !is_same(member);
}

/* Adds a process, unless it has ended since the look. */
static void add(struct family *family, const struct platform_process *process)
{
    struct member member = {.pid = process->pid, .start = process->start};
    void *bigger = grown(family->member, family->n, &family->capacity, sizeof(*family->member));
    if (!bigger)
        return;
    family->member = bigger;
    member.fd = platform.processes->open(process->pid);
    if (is_same(&member))
        family->member[family->n++] = member;
    else
        fd_close(member.fd);
}

/* ---- looking ---- */

int family_look(struct family *family, struct crowd *ret)
{
    *ret = (struct crowd){.n = 0};
    if (!platform.processes)
        return -ENOSYS;
    /* The number of a member that has ended may belong to another process by now, whose children are no members. */
    for (size_t i = 0; i < family->n; i++)
        family->member[i].gone |= has_ended(&family->member[i]);
    return platform.processes->each(add_to_crowd, ret);
}

static bool is_candidate(const struct family *family, const struct platform_process *process, pid_t root)
{
    return process->pid != root && process->pid != getpid() && !process->ended && !is_known(family, process->pid);
}

static void add_children(struct family *family, const struct crowd *crowd, pid_t root)
{
    size_t last;
    do { /* The list may have children before their parents. */
        last = family->n;
        for (size_t i = 0; i < crowd->n; i++) {
            const struct platform_process *process = &crowd->process[i];
            bool descends = (root && process->parent == root) || is_known(family, process->parent);
            if (descends && is_candidate(family, process, root))
                add(family, process);
        }
    } while (family->n > last);
}

static bool is_stuck(const struct family *family, const struct platform_process *process)
{
    for (size_t i = 0; i < family->stuck_n; i++)
        if (family->stuck[i].pid == process->pid && family->stuck[i].start == process->start)
            return true;
    return false;
}

/* A process without a parent is known by its mark. A process that cannot be read is not asked again. */
static void add_marked(struct family *family, const struct crowd *crowd, pid_t root, const char *mark)
{
    struct platform_process *asked = calloc(crowd->n + 1, sizeof(*asked));
    bool *has = calloc(crowd->n + 1, sizeof(*has));
    size_t n = 0;
    for (size_t i = 0; asked && has && i < crowd->n; i++)
        if (crowd->process[i].session == getsid(0) && is_candidate(family, &crowd->process[i], root) &&
            !is_stuck(family, &crowd->process[i]))
            asked[n++] = crowd->process[i];
    for (size_t at = 0; at < n && family->stuck_n < FAMILY_STUCK_MAX; at++) {
        at = marked_find(asked, at, n, mark, platform.processes->has_environment, has);
        if (at < n)
            family->stuck[family->stuck_n++] = asked[at];
    }
    for (size_t i = 0; i < n; i++)
        if (has[i])
            add(family, &asked[i]);
    free(asked);
    free(has);
}

size_t family_find(struct family *family, const struct crowd *crowd, pid_t root, const char *mark)
{
    size_t before = family->n;
    add_children(family, crowd, root);
    add_marked(family, crowd, root, mark);
    add_children(family, crowd, root);
    return family->n - before;
}

/* ---- signals ---- */

/* A seccomp filter may allow one call and not the other. */
int family_signal_process(int fd, pid_t pid, int number)
{
    int r = fd >= 0 ? platform.processes->signal(fd, number) : -ENOSYS;
    if (r == -ENOSYS || r == -EPERM)
        r = kill(pid, number) < 0 ? -errno : 0;
    return r;
}

void family_signal(struct family *family, size_t from, int number)
{
    for (size_t i = from; i < family->n; i++) {
        struct member *member = &family->member[i];
        if (member->gone)
            continue;
        int r = is_same(member) ? family_signal_process(member->fd, member->pid, number) : -ESRCH;
        member->gone = r == -ESRCH || r == -EPERM;
    }
}

bool family_is_alive(struct family *family, int *ret_fd)
{
    for (size_t i = 0; i < family->n; i++) {
        struct member *member = &family->member[i];
        member->gone |= has_ended(member);
        if (!member->gone) {
            *ret_fd = member->fd;
            return true;
        }
    }
    return false;
}

void family_clear(struct family *family)
{
    for (size_t i = 0; i < family->n; i++)
        fd_close(family->member[i].fd);
    free(family->member);
    *family = (struct family){.n = 0};
}
