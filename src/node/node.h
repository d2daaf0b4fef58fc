/* The contract of an endpoint in a graph: what it is, what a transfer may ask of its descriptor, and the hooks that
 * the runner calls. A node moves no bytes itself; routes do that through struct op.
 *
 * Life of a node: made by resolving (looks, changes nothing) -> `open` -> bytes -> `settle` -> `finish` -> `commit`, or
 * `abort` at any point after open was tried, -> `close`, always, once. All hooks run on the thread that runs the
 * pipeline. */
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
    NODE_NULL,   /* /dev/null: swallows, has nothing */
    NODE_ZERO,   /* /dev/zero */
    NODE_DEVICE, /* any other character device */
    NODE_CALL,   /* no descriptor: memory, callbacks */
    NODE_KINDS,
};

/* "file", "pipe", ... Static. */
const char *node_kind_name(enum node_kind kind);

/* How a call on its descriptor is kept from sleeping. */
enum node_wait {
    NODE_WAIT_NEVER, /* files and disks are always ready; the call itself takes the time it takes */
    NODE_WAIT_OWN,   /* the descriptor is ours and non-blocking: the call says -EAGAIN */
    NODE_WAIT_ASK,   /* a shared descriptor: OP_NOWAIT on each call */
    NODE_WAIT_POLL,  /* not even that: poll before each call, and write little at a time */
};

struct node_ops;

/* The memory in which a node holds bytes ahead of the hop. The node says `least`; the planner fills the rest. */
struct node_memory {
    uint64_t least; /* bytes without which it can't work; 0: it holds none */
    uint64_t share; /* and that it may take from the budget */
    struct budget *budget;
    struct leat_pool *pool; /* where chunks come from; NULL: that of the process */
};

/* How an endpoint that is an object in a store moves bytes, for the plan and the report. The node owns it; it lives as
 * long as the node, and is constant once the run has ended. */
struct node_traffic {
    const char *route; /* "fetch" of a source, "put" of a sink; static */
    /* What is planned. */
    uint32_t connections;     /* that are asked for; 0: found by measurement */
    uint32_t connections_max; /* that may be open at once */
    char why[160];            /* why so many; may change while it runs */
    uint64_t part_size;       /* of the first parts; 0: it depends, or one request has all */
    uint64_t memory;          /* bytes at most, beside the limit of the pipeline */
    /* What happened. */
    uint32_t connections_top; /* that were open at once */
    uint64_t parts, part_top; /* how many, and the size of the largest one */
    uint64_t requests, repeated;
    uint64_t bytes, bytes_again; /* that crossed the network in bodies; of them those that did so in vain or again */
    uint64_t parts_kept, bytes_kept; /* that the store had from a run before, and that were not sent */
    char verified[96];               /* digests of the server that were compared: "sha-256 (Repr-Digest)" */
    char unverified[96];             /* and why others were not: "x-amz-checksum-sha256 is that of the parts" */
};

struct node {
    const struct node_ops *ops;
    const char *name; /* as it was given; owned by the node's maker, lives as long as the node */
    enum leat_direction direction;

    /* Known from resolving on. */
    enum node_kind kind;
    const char *file_system; /* static, or NULL */
    bool network;            /* the file system may move data at a distance, or it is a TCP connection */
    bool fresh;              /* a sink that begins empty and may keep holes (it is published) */
    bool append;             /* a sink that always writes at its end */
    bool punches;            /* a file that is written in place: what becomes a hole has to be punched. Cleared by the
                                route when the file system can't */
    bool has_size;           /* a source that ends after `size` bytes, from the very start of the file */
    uint64_t size;
    bool seeks;    /* a source without a descriptor that begins at `from` by itself */
    uint64_t from; /* by the planner */
    bool sparse;   /* a source that has holes, it seems */
    dev_t device;  /* with inode: which file; 0, 0 where that means nothing */
    ino_t inode;
    struct identity
        identity; /* what it is, for comparing it with others; filled for every kind that has a descriptor */
    struct identity inherited; /* of a child that is a sink: the standard output that it has from us */
    unsigned mode;             /* permissions of a source file, for a new target */
    enum node_wait wait;       /* a guess of the planner's until it is open */
    struct timespec times[2];
    const char *expect; /* a source whose name has its digest: "sha256:HEX"; or NULL. Lives as the name */
    bool verbatim;      /* a sink: it gets the source's bytes as they are, in their order; known before it is opened */
    int64_t idle_ns;    /* it fails with ETIMEDOUT when it keeps the transfer waiting for so long; 0: never */

    /* Known once it is open. */
    bool has_room; /* a sink that can't hold more than `room` bytes, whatever they are */
    uint64_t room;
    struct port port; /* its descriptor (or -1) and whether it is ready */
    int fd;           /* -1 for NODE_CALL */
    int seek_fd;      /* a source's descriptor whose position nobody shares, for finding holes; or -1 */
    int64_t position; /* where the transfer begins in a seekable file; -1: only the descriptor knows */
    op_call call;     /* NODE_CALL */
    void *call_user;
    /* A source that holds its bytes in chunks. As `call`, but `bytes` is where a `struct chunk *` goes: a reference to
     * a chunk, or a view of one, with as many bytes as it returns, at least one. NULL: `call` is the only way. */
    op_call take;
    struct node_memory memory;
    const struct node_traffic *traffic; /* NULL: it is no object in a store */
    const char *left;                   /* what `abort` could not undo, as the end of a sentence; static, or NULL */
    uint64_t unread;  /* `settle`: of what was delivered, bytes that the other side has left in the pipe for good */
    const char *said; /* lines that a child wrote to its standard error, the last ones; NULL: none. Lives as the name */

    /* Time limits, of clock_ns; 0: none. */
    int64_t deadline_ns;      /* `open` or `settle` said -EAGAIN: it is called again then, ready or not */
    int64_t waiting_since_ns; /* the hop's: how long the transfer has waited for it */
    bool expired;             /* the hop's: it waited too long, so its next call is answered with -ETIMEDOUT */
    bool holes; /* a sink in which the transfer left a hole out, or which it made longer: `finish` sets the length */
    enum {
        NODE_CACHE_KEEP, /* what passes stays in the page cache */
        NODE_CACHE_ASK,  /* OP_DONTCACHE on each call */
        NODE_CACHE_DROP, /* what passed is dropped from it */
    } cache;
};

/* Each hook returns 0 or a negative errno and then has filled *error (side and node are filled by the caller). NULL
 * stands for "nothing to do". */
struct node_ops {
    const char *name; /* "file", "descriptor": for traces */

    /* Opens what was resolved; for a sink `source` is the open source, whose mode a new file takes. Must not lose or
     * change what is there before: a published file is made aside. May block on path and name look-up only; -EAGAIN:
     * wait for `port` or until `deadline_ns`, then call again (a FIFO without a reader, a connection that is not made
     * yet). After a failure only `abort` and `close` follow. */
    int (*open)(struct node *node, const struct node *source, struct leat_error *error);

    /* No byte will be moved any more, and digests are as expected, or the run has failed with `code`. Waits until it is
     * known how the other side ended, or has stopped it: -EAGAIN: wait for `port`, which it has initialised anew, or
     * until `deadline_ns`, then call again, perhaps with another code. `error` has this node's own failure, if there is
     * one; a negative result other than -EAGAIN has put there what is the cause of all. Sinks come last: a source, or a
     * filter, that failed is known before a sink is told of the end. Legal at any time, and again after the end. */
    int (*settle)(struct node *node, int code, struct leat_error *error);

    /* All bytes were delivered: cut to `bytes`, give mode and times, fsync if it was asked for. Nothing is visible yet.
     * `delivered`: what the transfer wrote, or read. May block on the disk. Sources get it too. The nodes of a joint
     * get it at another time, see `join` in filter.h. */
    int (*finish)(struct node *node, uint64_t delivered, struct leat_error *error);

    /* Everything was right: make it visible. A failure here leaves the old file, except that of syncing the directory
     * afterwards. A sink may say -EAGAIN: as for `settle`, and if the run was cancelled `abort` comes instead. */
    int (*commit)(struct node *node, struct leat_error *error);

    /* It failed with `code`, or another part did: leave no trace; put a shared source's position where the `delivered`
     * bytes end. Legal at any time, also where `open` was never called. */
    void (*abort)(struct node *node, int code, uint64_t delivered);

    /* Gives back descriptors. Legal at any time. The node may be freed afterwards, by its maker. */
    void (*close)(struct node *node);
};

/* A handle on a node. */
struct leat_endpoint {
    struct node node; /* first: a node of an endpoint is the endpoint */
    atomic_uint refs;
    atomic_bool used;                        /* a pipeline has it, or had it */
    bool directed;                           /* it can only serve in node.direction */
    char *spec;                              /* as it was given; node.name points here */
    void (*notify)(leat_endpoint *endpoint); /* NULL: it never says "not yet" */
    void (*free)(leat_endpoint *endpoint);   /* what it holds besides its spec; the memory too */
};

/* A descriptor that reads what was written to a published sink, borrowed; -1 if it can't be read. */
static inline int node_readable_fd(const struct node *node)
{
    return node->fresh ? node->fd : -1;
}

/* Fills `fd`, `port`, `position` and `wait`. Borrowed: the node's maker closes it. */
void node_set_fd(struct node *node, int fd, int64_t position, enum node_wait wait);

/* What a stat says, into kind, size, sparse, device, inode, mode and times. */
void node_set_stat(struct node *node, const struct stat *st);

#endif
