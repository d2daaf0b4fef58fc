/* SPDX-License-Identifier: MIT */
/* Probes of io_uring, of hashes in the kernel, of sealed memory, and of the rights of this process. */
#include "base/units.h"
#include "kernel/probe.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/if_alg.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int ring_inventory(int fd, struct probe_ring *ring)
{
    union {
        struct io_uring_probe probe;
        uint8_t room[sizeof(struct io_uring_probe) + 256 * sizeof(struct io_uring_probe_op)];
    } u;
    memset(&u, 0, sizeof(u));
    if (syscall(SYS_io_uring_register, fd, IORING_REGISTER_PROBE, &u, 256) < 0)
        return -errno;
    for (size_t i = 0; i < u.probe.ops_len; i++)
        ring->has[u.probe.ops[i].op] = u.probe.ops[i].flags & IO_URING_OP_SUPPORTED;
    return 0;
}

/* Also calls io_uring_enter with nothing to submit, which shows whether that call is allowed. */
void probe_ring_open(struct probe_ring *ring)
{
    struct io_uring_params params = {0};
    CLEANUP_FD int fd = (int)syscall(SYS_io_uring_setup, 4, &params);
    if (fd < 0 || syscall(SYS_io_uring_enter, fd, 0, 0, 0, NULL, 0) < 0) {
        ring->setup = ring->inventory = -errno;
        return;
    }
    ring->setup = 0;
    ring->inventory = ring_inventory(fd, ring);
}

/* EPERM may come from the sysctl or from a filter; the sysctl can be read. */
int probe_io_uring(struct probe_run *run, const struct probe *probe UNUSED)
{
    int code = run->ring.setup;
    int64_t disabled = code == -EPERM ? probe_number("/proc/sys/kernel/io_uring_disabled") : 0;
    if (disabled == 1)
        probe_say(run, "kernel.io_uring_disabled is 1: only a privileged process or kernel.io_uring_group may use it.");
    else if (disabled > 1)
        probe_say(run, "kernel.io_uring_disabled is %lld: nobody may use it until that is lowered.",
                  (long long)disabled);
    return code;
}

int probe_ring_operation(struct probe_run *run, const struct probe *probe)
{
    if (run->ring.inventory < 0)
        return run->ring.inventory;
    return run->ring.has[probe->which] ? 0 : -EOPNOTSUPP;
}

/* "af_alg-sha256" tries that hash; "af_alg" only opens the socket. */
int probe_alg(struct probe_run *run, const struct probe *probe)
{
    CLEANUP_FD int fd = socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    const char *algorithm = strchr(probe->name, '-');
    if (!algorithm)
        return 0;
    struct sockaddr_alg address = {.salg_family = AF_ALG, .salg_type = "hash"};
    snprintf((char *)address.salg_name, sizeof(address.salg_name), "%s", algorithm + 1);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return 0;
    int code = -errno;
    if (code == -ENOENT)
        probe_say(run, "This kernel has no such hash, or may not load it; digests are computed in user memory.");
    return code;
}

int probe_memfd(struct probe_run *run UNUSED, const struct probe *probe UNUSED)
{
    CLEANUP_FD int fd = probe_memory();
    if (fd < 0)
        return fd;
    if (probe_file_limit(PAGE) < 0)
        return -EFBIG;
    if (ftruncate(fd, PAGE) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
        return -errno;
    return ftruncate(fd, 0) < 0 && errno == EPERM ? 0 : -EOPNOTSUPP;
}

/* Opens a pidfd of this process, which must not be readable, because the process has not ended. */
int probe_pidfd(struct probe_run *run UNUSED, const struct probe *probe UNUSED)
{
    CLEANUP_FD int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (fd < 0)
        return -errno;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 0 ? 0 : -EOPNOTSUPP;
}

/* Returns the value of "Seccomp:" in the status of this thread, because filters belong to threads. */
static int seccomp_mode(void)
{
    char text[4096];
    CLEANUP_FD int fd = fd_open("/proc/thread-self/status", O_RDONLY, 0);
    if (fd < 0)
        return fd;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    if (n < 0)
        return -errno;
    text[n] = 0;
    int mode;
    const char *line = strstr(text, "\nSeccomp:");
    return line && sscanf(line, " Seccomp: %d", &mode) == 1 ? mode : -ENODATA;
}

int probe_seccomp(struct probe_run *run, const struct probe *probe UNUSED)
{
    static const char *const modes[] = {
        "none: no filter stands between this process and the kernel.",
        "strict: only read, write and exit are allowed.",
        "filter: some calls may be refused or hidden; an EPERM or ENOSYS elsewhere may be its doing.",
    };
    int mode = seccomp_mode();
    if (mode < 0)
        return mode;
    if ((size_t)mode < COUNT(modes))
        probe_say(run, "%s", modes[mode]);
    else
        probe_say(run, "mode %d, which is new.", mode);
    return 0;
}

int probe_user(struct probe_run *run, const struct probe *probe UNUSED)
{
    probe_say(run, "Runs as user %ld, with the rights of user %ld.", (long)getuid(), (long)geteuid());
    return 0;
}

/* CAP_SYS_RESOURCE of a user namespace does not count for pipes, although it looks the same from inside, so the probe
 * tries it: only with the capability a pipe can grow beyond the limit. */
int probe_resource(struct probe_run *run, const struct probe *probe UNUSED)
{
    CLEANUP_PAIR int pipe[2] = {-1, -1};
    int64_t most = probe_number("/proc/sys/fs/pipe-max-size");
    if (most < 0)
        return (int)most;
    int code = probe_pipe(pipe);
    if (code < 0)
        return code;
    if (most > INT32_MAX / 4)
        return -ERANGE; /* twice that is more than any pipe can have */
    if (fcntl(pipe[1], F_SETPIPE_SZ, (int)(2 * most)) < 0)
        return -errno;
    char size[16];
    probe_say(run, "Pipes may grow beyond %s, and the limits of pipe pages a user do not bind.",
              size_format((uint64_t)most, size, sizeof(size)));
    return 0;
}
