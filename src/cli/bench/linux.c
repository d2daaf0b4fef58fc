/* SPDX-License-Identifier: MIT */
/* Calls of Linux for the benchmark. This is the only file of the command that is compiled with GNU extensions. */
#include "bench/system.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

const bool system_sleeps = true;

/* If the kernel refuses a size because of the user's limit, half of it is tried. */
int system_pipe_size(int fd, size_t want)
{
    while (want >= 4096 && fcntl(fd, F_SETPIPE_SZ, (int)want) < 0 && (errno == EPERM || errno == EBUSY))
        want /= 2;
    int size = fcntl(fd, F_GETPIPE_SZ);
    return size < 0 ? -errno : size;
}

ssize_t system_give(int pipe, const void *bytes, size_t n, bool wait)
{
    struct iovec part = {.iov_len = n};
    memcpy(&part.iov_base, &bytes, sizeof(bytes)); /* vmsplice does not write to it */
    return vmsplice(pipe, &part, 1, wait ? 0 : SPLICE_F_NONBLOCK);
}

ssize_t system_pass(int pipe, int to, size_t n, bool wait)
{
    return splice(pipe, NULL, to, NULL, n, SPLICE_F_MOVE | (wait ? 0 : SPLICE_F_NONBLOCK));
}

/* Are huge pages switched off? The file has a line like "always [madvise] never". Where they are off, madvise succeeds
 * without an effect. */
static bool switched_off(void)
{
    char text[64] = "";
    int fd = open("/sys/kernel/mm/transparent_hugepage/enabled", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0)
        close(fd);
    return n > 0 && strstr(text, "[never]");
}

int system_huge(void *bytes, size_t n, bool wanted)
{
    if (wanted && switched_off())
        return -EOPNOTSUPP;
    return madvise(bytes, n, wanted ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) < 0 ? -errno : 0;
}

int system_pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (cpu < 0 || cpu >= CPU_SETSIZE)
        return -EINVAL;
    CPU_SET((size_t)cpu, &set);
    return sched_setaffinity(0, sizeof(set), &set) < 0 ? -errno : 0;
}

int system_eventfd(void)
{
    int fd = eventfd(0, EFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

void system_wait(_Atomic uint32_t *word, uint32_t value)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

void system_wake(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
