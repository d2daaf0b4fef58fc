/* SPDX-License-Identifier: MIT */
/* Tools of the probes: what they say, known bytes and the check that they arrived, files without a name, pairs of
 * descriptors. */
#include "kernel/probe.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* Not in every linux/memfd.h. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

static void known_bytes(uint8_t bytes[PROBE_BYTES])
{
    for (size_t i = 0; i < PROBE_BYTES; i++)
        bytes[i] = (uint8_t)(i * 7 + 3);
}

int probe_put(int fd)
{
    uint8_t bytes[PROBE_BYTES];
    known_bytes(bytes);
    return probe_moved(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
}

/* Every peer of a probe is in this kernel, so its bytes arrive within the delay of a work queue. */
#define PATIENCE_MS 250

int probe_wait(int fd, short events)
{
    int64_t end = clock_ns() + PATIENCE_MS * INT64_C(1000000);
    struct pollfd p = {.fd = fd, .events = events};
    int n;
    do
        n = poll(&p, 1, (int)MAX(0, (end - clock_ns()) / 1000000));
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n == 0 ? -ETIMEDOUT : 0;
}

int probe_check(int fd)
{
    uint8_t expected[PROBE_BYTES], bytes[PROBE_BYTES];
    known_bytes(expected);
    lseek(fd, 0, SEEK_SET); /* pipes, sockets and terminals have no position, and need none */
    for (size_t have = 0; have < sizeof(bytes);) {
        int code = probe_wait(fd, POLLIN);
        if (code < 0)
            return code == -ETIMEDOUT ? -EOPNOTSUPP : code;
        ssize_t n = read(fd, bytes + have, sizeof(bytes) - have);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return -errno;
        if (n == 0)
            return -EOPNOTSUPP;
        have += n > 0 ? (size_t)n : 0;
    }
    return memcmp(bytes, expected, sizeof(bytes)) == 0 ? 0 : -EOPNOTSUPP;
}

int probe_moved(ssize_t got, size_t want)
{
    if (got < 0)
        return -errno;
    return (size_t)got == want ? 0 : -EOPNOTSUPP;
}

int probe_pipe(int ret[2])
{
    return pipe2(ret, O_CLOEXEC | O_NONBLOCK) < 0 ? -errno : 0;
}

int probe_socket_pair(int ret[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret) < 0 ? -errno : 0;
}

void probe_close_pair(int (*fd)[2])
{
    fd_close((*fd)[0]);
    if ((*fd)[1] != (*fd)[0])
        fd_close((*fd)[1]);
}

void probe_hidden_name(char *buffer, size_t size)
{
    snprintf(buffer, size, ".leat-probe-%ld-%llx", (long)getpid(), (unsigned long long)clock_ns());
}

/* A process that writes beyond its limit gets SIGXFSZ, which a probe must not cause. */
int probe_file_limit(size_t bytes)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < bytes ? -EFBIG : 0;
}

int probe_file(struct probe_run *run)
{
    if (probe_file_limit(PAGE) < 0)
        return -EFBIG;
    int fd = openat(run->directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    char name[64];
    probe_hidden_name(name, sizeof(name));
    fd = openat(run->directory, name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    unlinkat(run->directory, name, 0);
    return fd;
}

/* Kernels without MFD_NOEXEC_SEAL refuse it as unknown; some newer ones refuse memory without it. */
int probe_memory(void)
{
    int fd = memfd_create("leat-probe", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL)
        fd = memfd_create("leat-probe", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return fd < 0 ? -errno : fd;
}

int probe_any_file(struct probe_run *run)
{
    int fd = probe_file(run);
    if (fd >= 0 || fd == -EFBIG) /* this limit applies to files in memory as well */
        return fd;
    int memory = probe_memory();
    return memory >= 0 ? memory : fd;
}

int64_t probe_number(const char *path)
{
    char digits[32] = "";
    CLEANUP_FD int fd = fd_open(path, O_RDONLY, 0);
    if (fd < 0)
        return fd;
    ssize_t n = read(fd, digits, sizeof(digits) - 1);
    return n < 0 ? -errno : strtoll(digits, NULL, 10);
}

void probe_say(struct probe_run *run, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(run->text, run->text_size, format, arguments);
    va_end(arguments);
}
