/* SPDX-License-Identifier: MIT */
/* Functions and names of Linux and glibc that other C libraries may lack. CMake looks for each (LEAT_HAVE_...). The
 * replacement is the system call itself, or a simpler result. */
#ifndef KERNEL_LIBC_H
#define KERNEL_LIBC_H

#include <linux/fs.h> /* RWF_... */
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef LEAT_HAVE_STATX
#include <linux/stat.h>
static inline int statx(int directory, const char *path, int flags, unsigned mask, struct statx *ret)
{
    return (int)syscall(SYS_statx, directory, path, flags, mask, ret);
}
#endif

#ifndef LEAT_HAVE_PREADV2
/* The system call takes the offset in two halves. A kernel with 64-bit registers uses only the first. */
static inline ssize_t preadv2(int fd, const struct iovec *iov, int count, int64_t offset, int flags)
{
    return syscall(SYS_preadv2, fd, iov, (long)count, (long)offset, (long)(offset >> 32), flags);
}

static inline ssize_t pwritev2(int fd, const struct iovec *iov, int count, int64_t offset, int flags)
{
    return syscall(SYS_pwritev2, fd, iov, (long)count, (long)offset, (long)(offset >> 32), flags);
}
#endif

/* Returns a sentence about an errno value, or NULL. */
static inline const char *libc_errno_text(int code)
{
#ifdef LEAT_HAVE_STRERRORDESC_NP
    return strerrordesc_np(code);
#else
    return strerror(code);
#endif
}

#endif
