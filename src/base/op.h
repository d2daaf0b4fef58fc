/* struct op: one system call that moves bytes or makes a result final. Every such call of the library goes through
 * op_execute, so that a test can make the Nth one fail with a chosen errno, come back short, or be "not there"; and so
 * that an engine may hand it to the kernel in another way. */
#ifndef BASE_OP_H
#define BASE_OP_H

#include "base/base.h"
#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

/* iovec knows no const, also where nothing is written. */
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
    OP_VMSPLICE,   /* the pages of iov -> fd[1], a pipe: whoever reads it sees what is in them then */
    OP_COPY_RANGE, /* fd[0] -> fd[1], copy_file_range */
    OP_SENDFILE,   /* fd[0] -> fd[1] */
    OP_CLONE,      /* fd[0] -> fd[1], the whole file shares its blocks */
    OP_PUNCH,      /* `length` bytes at offset[1] of fd[1] become a hole; returns their number, or -EOPNOTSUPP */
    OP_FSYNC,      /* fd[1] */
    OP_TRUNCATE,   /* fd[1] to offset[1] bytes, which may be more than a size_t holds */
    OP_LINK,       /* fd[1], or path[0] if that is not NULL, gets the name path[1]; both paths begin at fd[0] */
    OP_RENAME,     /* path[0] -> path[1], both below the directory fd[0]; OP_NEW: path[1] must not exist (-EEXIST) */
    OP_CLOSE,      /* fd[1]; see op_close */
    OP_KINDS,
};

enum op_flags {
    OP_NOWAIT = 1 << 0,    /* never sleep for the other side: -EAGAIN. -EOPNOTSUPP if that can't be asked for */
    OP_SOCKET = 1 << 1,    /* the descriptor of a READ or WRITE is a socket */
    OP_MORE = 1 << 2,      /* more will follow (MSG_MORE, SPLICE_F_MORE) */
    OP_NONBLOCK = 1 << 3,  /* the descriptor of a READ or WRITE is non-blocking by itself */
    OP_DONTCACHE = 1 << 4, /* a READ or WRITE that leaves no page in the cache which was not there before: -EOPNOTSUPP
                               if that can't be asked for */
    OP_NEW = 1 << 6,       /* RENAME replaces nothing. -EINVAL or -ENOSYS if that can't be asked for */
    OP_ASYNC = 1 << 5,     /* it may take long and wants no turn: the task goes on meanwhile (engine.h) */
};

/* Moves bytes without a descriptor: memory and callback endpoints. Returns a count or a negative errno. */
typedef ssize_t (*op_call)(void *user, void *bytes, size_t n);

struct op {
    enum op_kind kind;
    int fd[2];
    int64_t offset[2]; /* -1: the descriptor's own position */
    void *bytes;       /* READ: filled; WRITE: only looked at */
    size_t length;
    struct iovec *iov; /* READ and WRITE at the descriptor's own position, without an engine: these instead of */
    int iov_count;     /* `bytes` and `length`; 0: none */
    unsigned flags;
    op_call call; /* not NULL: READ and WRITE call it instead of a descriptor */
    void *user;
    const char *path[2];

    /* Of the engine, while an op with OP_ASYNC is in flight. */
    void *task;
    struct op *following;
    ssize_t result;
};

/* Runs it on this thread. Returns what the call returned, or a negative errno; EINTR is repeated here. May block on a
 * regular file, and on other descriptors unless OP_NOWAIT is set. */
ssize_t op_execute(struct op *op);

/* Its two halves, for an engine that makes the call in another way: the test's gate (false: *ret_result is the result),
 * and the call itself. The gate is asked once for each operation, on the thread of the loop. */
bool op_gate(struct op *op, ssize_t *ret_result);
ssize_t op_perform(struct op *op);

/* Closes *fd and sets it to -1, whatever the result is; -1 is closed already. What close(2) says is the last chance to
 * hear that a file system (NFS, CIFS, FUSE, quotas) could not keep what was written. */
int op_close(int *fd);

/* The same for a descriptor that stays open: a duplicate of it is closed. -EMFILE: there is none. */
int op_close_duplicate(int fd);

/* "splice": as in a man page. Static. */
const char *op_name(enum op_kind kind);

/* For tests: called before each operation. Returns true to go on with the (perhaps changed) op; false if *ret_result
 * is to be its result. NULL takes it away. Not to be changed while operations run. */
typedef bool (*op_interposer)(void *user, struct op *op, ssize_t *ret_result);
void op_interpose(op_interposer interposer, void *user);

#endif
