/* SPDX-License-Identifier: MIT */
/* The platform for systems other than Linux. It uses POSIX alone and reports each faster call as unsupported. */
#include "base/errno_name.h"
#include "base/fd.h"
#include "base/platform.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static ssize_t execute(struct op *op)
{
    errno = op->kind == OP_READ || op->kind == OP_WRITE ? EOPNOTSUPP : ENOSYS;
    return -1;
}

static int reopen(int fd UNUSED, int flags UNUSED)
{
    return -ENOSYS;
}

static bool is_direct(int fd UNUSED)
{
    return false;
}

static int open_direct(int fd UNUSED, enum leat_direction direction UNUSED, size_t *ret_alignment UNUSED)
{
    return -EOPNOTSUPP;
}

static int allocate(int fd UNUSED, uint64_t length UNUSED)
{
    return -EOPNOTSUPP;
}

static int write_back(int fd, int64_t offset UNUSED, uint64_t length UNUSED, bool wait)
{
    return wait && fsync(fd) < 0 ? -errno : 0;
}

static int sync_file_system(int fd UNUSED)
{
    sync();
    return 0;
}

static int lock_file(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_SETLK, &lock) == 0)
        return 0;
    return errno == EACCES || errno == EAGAIN ? -EBUSY : -errno;
}

static unsigned path_flags(const char *path UNUSED)
{
    return 0;
}

static int pin(int at UNUSED, const char *path UNUSED, bool follows UNUSED)
{
    return -ENOSYS;
}

static int open_directory(int at, const char *path)
{
    int fd;
    do
        fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    return fd < 0 ? -errno : fd_above_standard(fd);
}

static int path_of_fd(int fd UNUSED, char *text UNUSED, size_t size UNUSED)
{
    return -ENOSYS;
}

static mode_t entry_kind(const struct dirent *entry UNUSED)
{
    return 0;
}

static int attribute_set(const struct platform_file *file UNUSED, const char *name UNUSED, const void *value,
                         size_t n UNUSED)
{
    return value ? -EOPNOTSUPP : 0;
}

static int attributes_each(const struct platform_file *file UNUSED,
                           int (*add)(void *user, const char *name, const void *value, size_t n) UNUSED,
                           void *user UNUSED)
{
    return 0;
}

static int flags_get(int fd UNUSED, unsigned *ret UNUSED)
{
    return -EOPNOTSUPP;
}

static int flags_set(int fd UNUSED, unsigned flags)
{
    return flags ? -EOPNOTSUPP : 0;
}

static int copy_attributes(const struct platform_file *from UNUSED, const struct platform_file *to UNUSED,
                           const struct platform_losses *losses UNUSED)
{
    return 0;
}

static int differing_attributes(const int folder[2] UNUSED, const char *name UNUSED, mode_t kind UNUSED,
                                char *ret UNUSED, size_t size UNUSED)
{
    return 0;
}

static int open_unnamed(int at UNUSED, const char *path UNUSED, unsigned mode UNUSED)
{
    return -EOPNOTSUPP;
}

static int two_ends(int ret[2])
{
    int fd[2];
    if (pipe(fd) < 0)
        return -errno;
    for (int i = 0; i < 2; i++) {
        fd_own(fd[i]);
        ret[i] = fd[i];
    }
    return 0;
}

static int pipe_make(int ret[2] UNUSED, size_t size UNUSED, size_t *ret_size UNUSED)
{
    return -ENOSYS;
}

static size_t pipe_size(int fd UNUSED)
{
    return 0;
}

static int pipe_grow(int fd UNUSED, size_t want UNUSED, size_t *ret_was UNUSED, size_t *ret_is UNUSED)
{
    return -ENOSYS;
}

static size_t pipe_unread(int fd UNUSED)
{
    return 0;
}

static int owned(int fd)
{
    int r = fd < 0 ? -errno : fd_own(fd);
    if (r < 0)
        fd_close(fd);
    return r < 0 ? r : fd;
}

static int open_socket(int family, int type, int protocol)
{
    return owned(socket(family, type, protocol));
}

static int accept_peer(int listener)
{
    return owned(accept(listener, NULL, NULL));
}

static int find_data(int fd UNUSED, uint64_t offset UNUSED, uint64_t *ret_start UNUSED, uint64_t *ret_end UNUSED)
{
    return -ENOSYS;
}

static int file_system(const char *path UNUSED, struct platform_file_system *ret)
{
    *ret = (struct platform_file_system){.name = NULL};
    return -ENOSYS;
}

static int path_to_fd(const char *path)
{
    static const char *const names[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};
    for (int i = 0; i < 3; i++)
        if (strcmp(path, names[i]) == 0)
            return i;
    static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};
    for (size_t i = 0; i < COUNT(folders); i++) {
        size_t n = strlen(folders[i]);
        char *end;
        if (strncmp(path, folders[i], n) != 0 || !isdigit((unsigned char)path[n]))
            continue;
        unsigned long fd = strtoul(path + n, &end, 10);
        return *end || fd > INT_MAX ? -1 : (int)fd;
    }
    return -1;
}

static int is_same_open_file(int a UNUSED, int b UNUSED)
{
    return -EOPNOTSUPP;
}

static unsigned processors(void)
{
    return (unsigned)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1);
}

/* POSIX can't tell. */
static bool has_arm_crc(void)
{
    return false;
}

static void consume_sigpipe(void)
{
    sigset_t set, pending;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    int signal_number;
    if (sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE))
        sigwait(&set, &signal_number);
}

const struct platform platform = {
    .name = "posix",
    .execute = execute,
    .reopen = reopen,
    .is_direct = is_direct,
    .open_direct = open_direct,
    .allocate = allocate,
    .write_back = write_back,
    .sync_file_system = sync_file_system,
    .lock_file = lock_file,
    .path_flags = path_flags,
    .pin = pin,
    .open_directory = open_directory,
    .path_of_fd = path_of_fd,
    .copy_attributes = copy_attributes,
    .differing_attributes = differing_attributes,
    .attribute_set = attribute_set,
    .attributes_each = attributes_each,
    .flags_get = flags_get,
    .flags_set = flags_set,
    .entry_kind = entry_kind,
    .open_unnamed = open_unnamed,
    .pipe = two_ends,
    .pipe_make = pipe_make,
    .pipe_size = pipe_size,
    .pipe_grow = pipe_grow,
    .pipe_unread = pipe_unread,
    .socket = open_socket,
    .accept = accept_peer,
    .find_data = find_data,
    .file_system = file_system,
    .errno_name = errno_name_posix,
    .path_to_fd = path_to_fd,
    .is_same_open_file = is_same_open_file,
    .processors = processors,
    .has_arm_crc = has_arm_crc,
    .consume_sigpipe = consume_sigpipe,
};
