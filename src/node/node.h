/* SPDX-License-Identifier: MIT */
/* The contract of an endpoint in a graph: what it is, what a transfer may do with its descriptor, and the hooks that
 * the runner calls. A node moves no bytes itself. Routes do that, by struct op.
 *
 * The life of a node: resolving makes it and changes nothing -> `open` -> bytes -> `settle` -> `finish` -> `commit`, or
 * `abort` at any point after `open` was tried -> `close`, always, once. The hooks run on the thread that runs the
 * pipeline, except `finish` of the nodes of a joint, which runs on the thread of a leg. */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include "base/budget.h"
#include "base/error.h"
#include "base/identity.h"
#include "base/op.h"
#include "base/wait.h"
#include <leat/endpoint.h>
#include <sys/stat.h>

enum node_kind {
    NODE_FILE,   /* a regular file */
    NODE_BLOCK,  /* a block device */
    NODE_PIPE,   /* a pipe or FIFO */
    NODE_SOCKET, /* a stream socket */
    NODE_TTY,    /* a terminal */
    NODE_NULL,   /* /dev/null: takes all bytes, has none */
    NODE_ZERO,   /* /dev/zero */
    NODE_DEVICE, /* any other character device */
    NODE_CALL,   /* no descriptor: memory, callbacks */
    NODE_KINDS,
};

/* Returns "file", "pipe", ... Static. */
const char *node_kind_name(enum node_kind kind);

/* How a call on the node's descriptor is kept from sleeping. */
enum node_wait {
    NODE_WAIT_NEVER, /* files and disks are always ready; the call takes as long as the disk needs */
    NODE_WAIT_OWN,   /* leat has made the descriptor non-blocking: the call says -EAGAIN */
    NODE_WAIT_ASK,   /* a shared descriptor: OP_NOWAIT on each call */
    NODE_WAIT_POLL,  /* OP_NOWAIT does not work: poll before each call, and write little at a time */
};

struct node_ops;

/* The memory in which a node holds bytes that it has read ahead of the hop. The node sets `least`, and the planner the
 * rest. */
struct node_memory {
    uint64_t least; /* the least bytes with which it works; 0: it holds none */
    uint64_t share; /* the bytes that it may take from the budget */
    struct budget *budget;
    struct leat_pool *pool; /* the source of chunks; NULL: the pool of the process */
};

/* How an object in a store is read or written, for the plan and the report. The node owns it. It lives as long as the
 * node, and does not change after the run has ended. */
struct node_traffic {
    const char *route; /* "fetch" for a source, "put" for a sink; static */
    /* What is planned. */
    uint32_t connections;     /* that are asked for; 0: found by measurement */
    uint32_t connections_max; /* that may be open at once */
    char why[160];            /* the reason for this number; may change during the run */
    uint64_t part_size;       /* of the first parts; 0: it depends, or one request has all */
    uint64_t memory;          /* the most bytes, in addition to the pipeline's limit */
    /* What happened. */
    uint32_t connections_top; /* the most that were open at once */
    uint64_t parts, part_top; /* how many, and the size of the largest one */
    uint64_t requests, repeated;
    uint64_t bytes, bytes_again;     /* in bodies that crossed the network; of them, those sent again or in vain */
    uint64_t parts_kept, bytes_kept; /* that the store had from an earlier run, and that were not sent */
    char verified[96];               /* the server's digests that were compared: "sha-256 (Repr-Digest)" */
    char unverified[96];             /* why others were not: "x-amz-checksum-sha256 is that of the parts" */
};

static inline void traffic_add_part(struct node_traffic *traffic, uint64_t size)
{
    traffic->parts++;
    traffic->part_top = MAX(traffic->part_top, size);
}

/* The size of a pipe in bytes, for the report. 0: the node is no pipe, or the size is not known. */
struct node_pipe {
    size_t was, is; /* before and after leat made it larger */
};

struct node {
    const struct node_ops *ops;
    const char *name; /* as it was given; owned by the node's maker, lives as long as the node */
    enum leat_direction direction;

    /* Known as soon as the node is resolved. */
    enum node_kind kind;
    const char *file_system; /* static, or NULL */
    bool network;            /* a file system that may be on another machine, or a TCP connection */
    bool fresh;              /* a sink that begins empty and may keep holes, because it is published */
    bool append;             /* a sink that always writes at its end */
    bool punches;            /* written in place: holes are punched. The route clears it if that does not work */
    bool has_size;           /* a source that ends after `size` bytes, counted from the start of the file */
    bool seeks;              /* a source without a descriptor, which starts at `from` by itself */
    bool sparse;             /* a source that seems to have holes */
    bool own_pipe;           /* a pipe that leat makes, to a child */
    bool verbatim;           /* a sink that gets the source's bytes unchanged and in order; known before `open` */
    uint64_t size;
    uint64_t from; /* set by the planner */
    dev_t device;  /* with `inode`: which file it is; 0 and 0 if it is no file */
    ino_t inode;
    struct identity
        identity; /* what it is, for comparing it with other nodes; filled for each kind that has a descriptor */
    struct identity inherited; /* of a child that is a sink: the standard output that it inherits */
    unsigned mode;             /* permissions of a source file, for a new target */
    enum node_wait wait;       /* a guess until the node is open */
    struct timespec times[2];
    const char *expect; /* the digest in the name of a source: "sha256:HEX"; or NULL. Lives as long as the name */
    int64_t idle_ns;    /* it fails with ETIMEDOUT if the transfer has to wait for it this long; 0: never */

    /* Known once the node is open. */
    bool has_room; /* a sink that cannot hold more than `room` bytes, whatever they are */
    uint64_t room;
    struct port port;    /* its descriptor (or -1) and whether it is ready */
    struct waker *waker; /* set before `open`, until `close`: of the loop that waits for the port; for port_attach */
    int fd;              /* -1 for NODE_CALL */
    int seek_fd;         /* a source's descriptor whose position is not shared, for finding holes; or -1 */
    int64_t position;    /* where the transfer begins in a seekable file; -1: only the descriptor has it */
    op_call call;        /* NODE_CALL */
    void *call_user;
    /* For a source that holds its bytes in chunks. Works as `call`, but `bytes` points to a `struct chunk *`. It gets a
     * reference to a chunk, or to a view of one, with as many bytes as the call returns, at least one. NULL: only
     * `call` works. */
    op_call take;
    /* For a sink that holds bytes in memory of its own: lends the place of the next bytes, so that a route can read
     * into it. Works as `call`, but `bytes` points to a `struct chunk *`, which gets a reference to an empty chunk that
     * has room for as many bytes as the call returns, at least one. A write of bytes that are there copies nothing.
     * Only one such chunk may be in use at a time. Never blocks. NULL: the sink lends none. */
    op_call lend;
    struct node_memory memory;
    /* For a source, set before `open`: gives a digest, in hex, of the bytes of the source as far as they were taken, if
     * a filter of the pipeline computes it. After the last byte it is complete in `settle` with code 0. Returns 0,
     * -ENOENT, or another negative errno. Any thread. NULL: no filter does. */
    int (*digest)(const void *user, const char *algorithm, char *hex, size_t capacity);
    const void *digest_user;
    struct node_pipe pipe;
    struct keep *keep;                  /* of the shared engine: what outlives this node there; NULL: there is none */
    const struct node_traffic *traffic; /* NULL: it is no object in a store */
    const char *left; /* what `abort` or `settle` could not undo, as the end of a sentence; static, or NULL */
    uint64_t unread;  /* set by `settle`: of the delivered bytes, those that the other side never read from the pipe */
    const char *said; /* the last lines that a child wrote to its standard error, or NULL. Lives as long as the name */

    /* Times of clock_ns; 0: none. */
    int64_t deadline_ns;      /* if a hook said -EAGAIN: when to call it again, even if the port is not ready */
    int64_t waiting_since_ns; /* for the hop: since when the transfer has waited for the node */
    bool expired;             /* for the hop: it waited too long, so the next call gets -ETIMEDOUT */
    bool holes; /* a sink in which the transfer left out a hole, or which it made longer: `finish` sets the length */
    enum {
        NODE_CACHE_KEEP, /* what passes stays in the page cache */
        NODE_CACHE_ASK,  /* OP_DONTCACHE on each call */
        NODE_CACHE_DROP, /* what has passed is dropped from it */
    } cache;
};

/* Each hook returns 0, or a negative errno after it has filled *error, as endpoint_error does. The caller sets the
 * error's index, and its side if the node belongs to a joint. A hook that is NULL has nothing to do. */
struct node_ops {
    const char *name; /* "file", "descriptor": for traces */

    /* Opens what was resolved. For a sink, `source` is the open source, whose mode a new file gets. The hook must not
     * lose or change what was there before: a file that will be published is made under another name or none. It may
     * block only on the look-up of paths and names. -EAGAIN: wait for `port` or until `deadline_ns`, then call it again
     * (a FIFO without a reader, a connection that is not made yet). After a failure only `abort` and `close` follow. */
    int (*open)(struct node *node, const struct node *source, struct leat_error *error);

    /* Called when no more bytes move: either digests are as expected (code 0), or the run has failed with `code`. The
     * hook finds out how the other side ended, or stops it. -EAGAIN: wait for `port`, which the hook has initialised
     * anew, or until `deadline_ns`, then call it again, perhaps with another code. `error` has this node's own failure,
     * if there is one. If the hook returns another negative errno, it has filled `error` with the cause of the whole
     * failure. Sinks come last, so a failure of a source or a filter is known before a sink is told of the end. Legal
     * at any time, and again after its last result. */
    int (*settle)(struct node *node, int code, struct leat_error *error);

    /* Called when all bytes are delivered: sets the length, mode and times, and syncs if that was asked for. Nothing is
     * visible yet. `delivered` is the number of bytes that the transfer wrote, or read. It may block on the disk.
     * Sources get the call as well. The nodes of a joint get it at another time, see `join` in filter.h. */
    int (*finish)(struct node *node, uint64_t delivered, struct leat_error *error);

    /* Called when the run has succeeded so far: makes the result visible. If it fails, the old file is still there,
     * unless only the sync of the directory failed. A sink may return -EAGAIN, as in `settle`; if the run is cancelled
     * then, `abort` follows instead of another call. */
    int (*commit)(struct node *node, struct leat_error *error);

    /* Called if this node or another part of the run failed with `code`: leaves no trace, and sets the position of a
     * shared source to the end of the `delivered` bytes. Legal at any time, even if `open` was never called. */
    void (*abort)(struct node *node, int code, uint64_t delivered);

    /* Closes descriptors. Legal at any time. The maker of the node may free it afterwards. */
    void (*close)(struct node *node);
};

/* A handle of a node. */
struct leat_endpoint {
    struct node node; /* must be the first member: the node of an endpoint is cast to the endpoint */
    atomic_uint refs;
    atomic_bool used;                        /* a pipeline has it, or had it */
    bool directed;                           /* it works only in the direction node.direction */
    char *spec;                              /* as it was given; node.name points to it */
    void (*notify)(leat_endpoint *endpoint); /* for leat_endpoint_notify; NULL: that does not apply */
    void (*free)(leat_endpoint *endpoint);   /* frees what it holds besides its spec, and the endpoint itself */
};

/* Returns a descriptor that reads what was written to a published sink, borrowed; -1 if that is not possible. */
static inline int node_readable_fd(const struct node *node)
{
    return node->fresh ? node->fd : -1;
}

/* Fills `fd`, `port`, `position` and `wait`. The descriptor is borrowed: the maker of the node closes it. */
void node_set_fd(struct node *node, int fd, int64_t position, enum node_wait wait);

/* Returns a node of one end of a filter that cuts: it has no descriptor, and `user` belongs to its calls. */
struct node node_of_calls(const struct node_ops *ops, const char *name, enum leat_direction direction, void *user);

/* Fills kind, size, sparse, identity, device, inode, mode and times from a stat. */
void node_set_stat(struct node *node, const struct stat *st);

#endif
