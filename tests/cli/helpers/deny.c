/* SPDX-License-Identifier: MIT */
/* deny ERRNO WHAT[,WHAT...] COMMAND...: runs the command where some system calls fail with that errno.
 *
 * WHAT: splice, tee, vmsplice, copy_file_range, sendfile, sync_file_range, preadv2, pwritev2, io_uring (setting one
 * up), io_uring_enter, io_uring_register, af_alg (its sockets), ficlone (that ioctl), tmpfile (opening a file without a
 * name). Exits with 77 where that can't be had. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TMPFILE_BIT 020000000

/* Refused: the call, if (argument & mask) == value; argument -1: always. */
static const struct denial {
    const char *name;
    unsigned call;
    int argument;
    unsigned mask, value;
} denials[] = {
    {"splice", SYS_splice, -1, 0, 0},
    {"tee", SYS_tee, -1, 0, 0},
    {"vmsplice", SYS_vmsplice, -1, 0, 0},
    {"copy_file_range", SYS_copy_file_range, -1, 0, 0},
    {"sendfile", SYS_sendfile, -1, 0, 0},
    {"sync_file_range", SYS_sync_file_range, -1, 0, 0},
    {"preadv2", SYS_preadv2, -1, 0, 0},
    {"pwritev2", SYS_pwritev2, -1, 0, 0},
    {"io_uring", 425, -1, 0, 0},
    {"io_uring_enter", 426, -1, 0, 0},
    {"io_uring_register", 427, -1, 0, 0},
    {"af_alg", SYS_socket, 0, ~0u, 38},
    {"ficlone", SYS_ioctl, 1, ~0u, (unsigned)FICLONE},
    {"tmpfile", SYS_openat, 2, TMPFILE_BIT, TMPFILE_BIT},
};

static const struct {
    const char *name;
    unsigned value;
} errnos[] = {
    {"EPERM", EPERM},
    {"ENOSYS", ENOSYS},
    {"EINVAL", EINVAL},
    {"EOPNOTSUPP", EOPNOTSUPP},
    {"EACCES", EACCES},
    {"EISDIR", EISDIR},
    {"EAFNOSUPPORT", EAFNOSUPPORT},
    {"EXDEV", EXDEV},
    {"ENOMEM", ENOMEM},
    {"EIO", EIO},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static unsigned errno_of(const char *name)
{
    for (size_t i = 0; i < COUNT(errnos); i++)
        if (strcmp(name, errnos[i].name) == 0)
            return errnos[i].value;
    fprintf(stderr, "deny: which errno is %s?\n", name);
    exit(2);
}

static const struct denial *find(const char *name)
{
    for (size_t i = 0; i < COUNT(denials); i++)
        if (strcmp(name, denials[i].name) == 0)
            return &denials[i];
    fprintf(stderr, "deny: there is no %s\n", name);
    exit(2);
}

#define LOAD(offset)        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)(offset))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)
#define RETURN(what)        BPF_STMT(BPF_RET | BPF_K, what)

/* Of an argument the low half is looked at, on a machine that keeps it first. */
static size_t add(struct sock_filter *to, const struct denial *d, unsigned code)
{
    const struct sock_filter always[] = {
        LOAD(offsetof(struct seccomp_data, nr)),
        UNLESS(d->call, 1),
        RETURN(SECCOMP_RET_ERRNO | code),
    };
    const struct sock_filter sometimes[] = {
        LOAD(offsetof(struct seccomp_data, nr)),
        UNLESS(d->call, 4),
        LOAD(offsetof(struct seccomp_data, args) + sizeof(__u64) * (size_t)(d->argument < 0 ? 0 : d->argument)),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, d->mask),
        UNLESS(d->value, 1),
        RETURN(SECCOMP_RET_ERRNO | code),
    };
    size_t n = d->argument < 0 ? COUNT(always) : COUNT(sometimes);
    memcpy(to, d->argument < 0 ? always : sometimes, n * sizeof(*to));
    return n;
}

int main(int argc, char **argv)
{
    static struct sock_filter filter[6 * COUNT(denials) + 1];
    size_t n = 0;
    if (argc < 4) {
        fprintf(stderr, "usage: deny ERRNO WHAT[,WHAT...] COMMAND...\n");
        return 2;
    }
    unsigned code = errno_of(argv[1]);
    for (char *name = strtok(argv[2], ","); name && n + 7 <= COUNT(filter); name = strtok(NULL, ","))
        n += add(filter + n, find(name), code);
    filter[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
    struct sock_fprog program = {.len = (unsigned short)n, .filter = filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
        perror("deny: seccomp");
        return 77;
    }
    execvp(argv[3], argv + 3);
    perror(argv[3]);
    return 127;
}
