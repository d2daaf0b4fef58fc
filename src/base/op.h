/* SPDX-License-Identifier: MIT */
/* struct op is one system call that moves bytes or makes a result final. The library makes every such call through
 * op_execute. So a test can make the Nth call fail with a chosen errno, come back short or be missing, and an engine
 * can hand the call to the kernel in another way. */
#ifndef BASE_OP_H
#define BASE_OP_H

#include "base/base.h"
#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Makes an iovec of const bytes. struct iovec has no const, even for bytes that are only read. */
static inline struct iovec iov_of(const void *bytes, size_t n)
{
    union {
        const void *from;
        void *to;
    } u = {bytes};
    return (struct iovec){u.to, n};
}

enum op_kind {
    OP_READ,       /* fd[0] -> iov */
    OP_WRITE,      /* iov -> fd[1] */
    OP_SPLICE,     /* fd[0] -> fd[1], one of them a pipe */
    OP_TEE,        /* fd[0] -> fd[1], both pipes; nothing is consumed */
    OP_VMSPLICE,   /* the pages of iov -> fd[1], a pipe; a reader sees what the pages have when it reads */
    OP_COPY_RANGE, /* fd[0] -> fd[1], copy_file_range */
    OP_SENDFILE,   /* fd[0] -> fd[1] */
    OP_CLONE,      /* fd[0] -> fd[1], the whole file; both then share blocks */
    OP_PUNCH,      /* `length` bytes at offset[1] of fd[1] become a hole; returns their number, or -EOPNOTSUPP */
    OP_FSYNC,      /* fd[1] */
    OP_TRUNCATE,   /* fd[1] gets the length offset[1], which may be more than a size_t holds */
    OP_LINK,       /* fd[1], or path[0] if that is not NULL, gets the name path[1]; both paths begin at fd[0] */
    OP_RENAME,     /* path[0] -> path[1], both below the directory fd[0]; OP_NEW: path[1] must not exist (-EEXIST) */
    OP_CLOSE,      /* fd[1]; see op_close */
    OP_KINDS,
};

enum op_flags {
    OP_NOWAIT = 1 << 0,   /* do not wait for the other side: -EAGAIN. -EOPNOTSUPP if the call can't be asked for this */
    OP_SOCKET = 1 << 1,   /* the descriptor of a READ or WRITE is a socket */
    OP_MORE = 1 << 2,     /* more bytes will follow (MSG_MORE, SPLICE_F_MORE) */
    OP_NONBLOCK = 1 << 3, /* the descriptor of a READ or WRITE is non-blocking by itself */
    OP_DONTCACHE = 1 << 4, /* a READ or WRITE leaves no page in the cache that was not there before. -EOPNOTSUPP if the
                              call can't be asked for this */
    OP_NEW = 1 << 6,       /* RENAME does not replace a file. -EINVAL or -ENOSYS if that is not supported */
    OP_SWAP = 1 << 7,      /* RENAME exchanges both names, which must exist. -EINVAL or -ENOSYS as before */
    OP_ASYNC = 1 << 5,     /* the call may take long and depends on no order: the task goes on meanwhile (engine.h) */
};

/* Moves bytes without a descriptor, for memory and callback endpoints. Returns a count or a negative errno. */
typedef ssize_t (*op_call)(void *user, void *bytes, size_t n);

struct op {
    enum op_kind kind;
    int fd[2];
    int64_t offset[2]; /* -1: the descriptor's own position */
    void *bytes;       /* READ fills it; WRITE only reads it */
    size_t length;
    struct iovec *iov; /* for READ and WRITE at the descriptor's own position, without an engine: used instead */
    int iov_count;     /* of `bytes` and `length`; 0: not used */
    unsigned flags;
    op_call call; /* not NULL: READ and WRITE call this function and use no descriptor */
    void *user;
    const char *path[2];

    /* For the engine, while an op with OP_ASYNC is in flight. */
    void *task;
    struct op *following;
    ssize_t result;
};

/* Makes the call on this thread. Returns the result of the call, or a negative errno; repeats the call on EINTR. May
 * block on a regular file, and on other descriptors unless OP_NOWAIT is set. */
ssize_t op_execute(struct op *op);

/* The two halves of op_execute, for an engine that makes the call in another way: op_gate asks the interposer of a
 * test, and returns false if *ret_result is the result; op_perform makes the call. The engine asks the gate once for
 * each op, on the thread of the loop. */
bool op_gate(struct op *op, ssize_t *ret_result);
ssize_t op_perform(struct op *op);

/* Closes *fd and sets it to -1, whatever the result is. If *fd is -1 already, returns 0. Returns 0 or the -errno of
 * close(2), which is the last report that a file system (NFS, CIFS, FUSE, quotas) could not keep the bytes that were
 * written. */
int op_close(int *fd);

/* Same as op_close for a descriptor that stays open: closes a duplicate of it. If there is no free descriptor, flushes
 * the file instead. */
int op_close_duplicate(int fd);

/* Returns the name of the call as in its manual page, such as "splice". Static. */
const char *op_name(enum op_kind kind);

/* For tests: sets a function that is called before each op; NULL removes it. The function may change the op. It returns
 * true if the op is to be executed, and false if *ret_result is the result. Set it only while no op runs. */
typedef bool (*op_interposer)(void *user, struct op *op, ssize_t *ret_result);
void op_interpose(op_interposer interposer, void *user);

#endif
