/* SPDX-License-Identifier: MIT */
/* A hop moves bytes from one node to its branches, of which each writes to one node. A route is one way to move them.
 *
 * A hop owns the counts. For each branch this always holds: taken = delivered + held + discarded. `held` is the number
 * of bytes that the route has in its chunks or pipes at this moment. The hop asks the route for it and does not compute
 * it, so that a lost byte shows up in the sum.
 *
 * A route is a state machine that never blocks. If a route does not work for this hop, it leaves the bytes that it
 * holds as a *residue* (a pipe with bytes in it, for all branches or for one) and says STEP_DOWN. The chunk route works
 * for every hop. It is the last rung, and moves the residues first.
 *
 * A hop belongs to the thread of its loop. Other threads read only the atomic members, for progress. */
#ifndef ROUTE_HOP_H
#define ROUTE_HOP_H

#include "engine/engine.h"
#include "node/filter.h"
#include "node/node.h"
#include "route/learn.h"
#include "route/spill.h"
#include <leat/pipeline.h>

#define BRANCHES_MAX LEAT_SINKS_MAX
#define FILTERS_MAX  LEAT_FILTERS_MAX                 /* that a program may add */
#define EXPECTED_MAX 16                               /* digests of the option `expect` */
#define FILTERS_ALL  (FILTERS_MAX + 2 + EXPECTED_MAX) /* those, and the filters of `rate`, `buffer` and `expect` */
#define ROUTES_MAX   8
#define REASON_MAX   160

struct hop;
struct branch;

enum route_id {
    ROUTE_CLONE,
    ROUTE_OFFLOAD,
    ROUTE_SPLICE,
    ROUTE_DIRECT,
    ROUTE_CHUNK,
    ROUTE_IDS,
};

struct route {
    const char *name;
    enum route_id id;
    bool compared; /* it can be left at any byte: at the hop's end it has delivered all, and nothing has to be undone */

    /* Returns NULL if the route may serve this hop, or else the reason why it cannot, as a part of a sentence ("the
     * sink is opened for appending"). The reason is static or is in `reason`, where the hook may format it. The hook
     * changes nothing. It is called for the plan, and again when all nodes are open. */
    const char *(*unfit)(const struct hop *hop, char reason[REASON_MAX]);

    /* Returns the least memory that the route works with, in bytes. */
    uint64_t (*minimum)(const struct hop *hop);

    /* Makes hop->state, which the route owns. Returns 0 or a negative errno. After an error the hop steps down; the
     * hook has given the reason by hop_set_reason. */
    int (*start)(struct hop *hop);

    /* Names the next call: see enum verdict. END: the source is at its end, hop->end is reached, or a failure was
     * recorded (hop_fail_*); and all bytes that can be delivered were delivered. Never blocks. */
    enum verdict (*next)(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait);

    /* Takes the result of an op that `next` named: bytes, or a negative errno. */
    void (*done)(struct hop *hop, struct op *op, ssize_t result);

    /* Returns the bytes that were taken and are neither delivered to this branch nor discarded. NULL: between two ops
     * the route never holds any. */
    uint64_t (*held)(const struct hop *hop, const struct branch *branch);

    /* Frees hop->state, but no residue of the hop or of a branch. No op is in flight. NULL: hop_stop calls free(3). */
    void (*stop)(struct hop *hop);
};

/* A private pipe with bytes that were taken and are not delivered. */
struct residue {
    int fd[2];
    size_t bytes; /* in the pipe */
    size_t paid;  /* taken from the hop's budget for it */
};

struct branch {
    struct node *node;
    enum leat_slow_sink slow;
    const char *spill_folder; /* with LEAT_SLOW_SPILL; NULL: TMPDIR or /var/tmp */
    uint64_t spill_size;
    struct spill spill;
    _Atomic uint64_t delivered;
    uint64_t discarded;
    uint64_t held; /* set by hop_stop */
    uint64_t by_route[ROUTES_MAX];
    uint64_t dropped, cleaned; /* see cache.c */
    struct residue residue;
    atomic_bool failed; /* progress reads it on other threads */
    struct leat_error error;
};

/* One route in the ladder of a hop. */
struct rung {
    const struct route *route;
    bool rejected;
    char reason[REASON_MAX]; /* why the plan rejected it, or why the running hop stepped down from it */
};

struct hop {
    struct node *in;
    struct branch *branch;
    size_t branches; /* 0: filters observe the bytes, and no sink gets them */
    leat_filter *const *filter;
    size_t filters;
    struct budget *budget;
    leat_pool *pool; /* the source of chunks; NULL: the pool of the process */
    enum leat_sparse sparse;
    enum leat_stability stability;
    enum leat_cache cache;

    /* The ladder, fastest route first. rung[current] is the route that runs. */
    struct rung rung[ROUTES_MAX];
    size_t rungs, current;
    const char *why;   /* the route table's reason for this order */
    bool shared;       /* the hop runs on an engine that other streams share */
    bool strict;       /* the route was forced: the hop fails instead of stepping down */
    bool watched;      /* a node has a limit on idle time (node->idle_ns) */
    int64_t pipe_size; /* as in leat_pipeline_options */

    struct learn learn;

    struct waker *waker; /* of the loop that runs this hop */
    void *state;         /* of the current route; NULL: not started */

    _Atomic uint64_t taken;
    uint64_t begins;  /* the offset that the caller asked for */
    uint64_t dropped; /* see cache.c */
    uint64_t end;     /* the hop takes at most this many bytes */
    uint64_t skip;    /* bytes to read and discard first, of a source without positions */
    bool size_binds;  /* leat trusts the source's size: see hop_until_size */
    bool source_ended;
    bool whole;              /* the route knows that the source has no more bytes: no read needs to confirm it */
    struct residue residue;  /* for all branches */
    struct leat_error error; /* the first failure that does not belong to one branch */
    size_t first_failed;     /* the branch that failed first, counted from 1; 0: none */

    /* The run of data [data_from, data_to) that contains or follows the last position asked for; see hop_extent. */
    uint64_t data_from, data_to;
    bool extents_known;
};

/* ---- for routes ---- */

/* Does a filter observe the bytes? Then they are read into user memory, unless the kernel computes the digest. */
bool hop_needs_bytes(const struct hop *hop);
/* Does a filter limit how many bytes may pass, and when? */
bool hop_is_paced(const struct hop *hop);
/* Is there a branch, and is every live branch a new file, which starts empty and may keep holes? */
bool hop_all_fresh(const struct hop *hop);
/* Does the source have holes, and is a branch an existing file that is written in place? Only the chunk route punches
 * holes into such a file. */
bool hop_must_punch(const struct hop *hop);
/* Does this branch put what memory has no room for into a file? With a single branch there is no other to go on. */
static inline bool hop_spills(const struct hop *hop, const struct branch *branch)
{
    return hop->branches > 1 && branch->slow == LEAT_SLOW_SPILL;
}
/* Returns the number of branches that have not failed. */
size_t hop_count_live(const struct hop *hop);

/* Returns how many of `want` bytes the hop may take now, within hop->end, the source's size and the filters' limits.
 * 0: the hop waits until ret_wait->deadline_ns, or takes nothing more if that is 0. */
size_t hop_allowance(struct hop *hop, uint64_t want, struct wait_set *ret_wait);
/* Does a filter let no further byte pass, so that the stream ends here, whatever the source has? */
bool hop_is_cut(const struct hop *hop);

/* Returns the bytes left up to the size that the source had when it was opened; UINT64_MAX if it has no size that leat
 * trusts. */
uint64_t hop_until_size(const struct hop *hop);
/* The route found a byte after that size, or the end before it. If the file's size has changed since it was opened, the
 * calls record a failure of the source (-ESTALE). If it has not, hop_note_growth stops trusting the size. */
void hop_note_growth(struct hop *hop);
void hop_note_early_end(struct hop *hop);

/* Says what the source has at the current position. 0: *ret_n bytes of data. 1: a hole of *ret_n bytes. Where holes do
 * not matter, everything is data. */
int hop_extent(struct hop *hop, uint64_t *ret_n);
/* The same for the position `ahead` bytes further on. The position must not go back from one call to the next, unless
 * the caller clears extents_known. */
int hop_extent_ahead(struct hop *hop, uint64_t ahead, uint64_t *ret_n);
/* Skips a hole at the current position and records its bytes as taken and delivered. Returns true if it skipped
 * something. It does so only if hop_all_fresh. */
bool hop_skip_holes(struct hop *hop);

/* Shows a chunk to the filters that observe. The route calls it once for each chunk, in the order of the bytes. If a
 * filter fails, its error is recorded and the source ends. */
void hop_observe(struct hop *hop, struct chunk *chunk);

/* Record bytes as taken from the source, and as delivered to a branch by the current route. */
void hop_record_taken(struct hop *hop, uint64_t n);
void hop_record_delivered(struct hop *hop, struct branch *branch, uint64_t n);
/* Return the offset of the next byte in the source, and in the branch's sink; -1 if the node has no positions. */
int64_t hop_in_offset(const struct hop *hop);
int64_t hop_out_offset(const struct branch *branch);

/* Record a failure: of the source, of an offset that is behind the source's end, of a branch. The first one counts.
 * `operation` is the name of the call that failed, `code` a negative errno. */
void hop_fail_source(struct hop *hop, const char *operation, int code);
void hop_fail_offset(struct hop *hop);
void hop_fail_branch(struct hop *hop, struct branch *branch, const char *operation, int code);
/* Sets the reason why the current route steps down (a format of printf). Returns STEP_DOWN. */
enum verdict hop_set_reason(struct hop *hop, const char *format, ...) PRINTF(2, 3);

/* Does this error say that the call does not work on these descriptors, rather than that it would block or failed? */
bool hop_is_refusal(ssize_t result);
/* Can this error only come from the side that is written to? */
bool hop_is_sink_error(ssize_t result);
/* After a failed call from the source to a sink: returns the side whose connection broke, or whose limit on idle time
 * is over. A call on that side must not be tried again, because a socket reports such an error once and then reports a
 * normal end. NONE: it is no such error, or the side is not known. `branch` NULL: the call involved no sink. */
enum leat_side hop_find_broken_side(const struct hop *hop, const struct branch *branch, ssize_t result);

/* Return the flags of a READ or WRITE on this node, and how many of `n` bytes to write by one call. */
unsigned node_op_flags(const struct node *node);
size_t node_write_limit(const struct node *node, size_t n);
/* Takes the result of a call on the node, and blocks its port if the hop must wait for the node. True: nothing moved
 * and nothing failed, so the call is made again, perhaps in another way. */
bool node_must_retry(struct node *node, ssize_t result);
/* True: the call failed because the file system does not support OP_DONTCACHE. Later calls on the node do not ask for
 * it, and the cache is emptied behind them instead. */
bool node_must_retry_cached(struct node *node, ssize_t result);

/* cache.c implements --cache. cache_begin is called when all nodes are open, cache_behind after each call, and the ends
 * when nothing moves any more. cache_end_sink returns 0, or the negative errno of a write-back that failed. */
void cache_begin(struct hop *hop);
void cache_behind(struct hop *hop);
void cache_end_source(struct hop *hop);
int cache_end_sink(struct hop *hop, struct branch *branch);

/* pipe_size.c makes the pipes of the hop's nodes larger, within the memory limit. Called when all nodes are open. */
void pipe_size_begin(struct hop *hop);
/* Returns the size that leat would like the node's pipe to have; 0: the size that it has. */
size_t pipe_size_wanted(const struct hop *hop, const struct node *node);

/* Returns a residue without a pipe. */
struct residue residue_none(void);
/* Closes the pipe, returns what was paid for it to the hop's budget, and leaves residue_none in *residue. */
void residue_drop(struct hop *hop, struct residue *residue);

/* ---- for the runner ---- */

/* Asks the current route for its next step, and steps down the ladder where that is needed. OP, WAIT or END. */
enum verdict hop_next(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait);
/* Gives the result of the op that hop_next named to the current route. */
void hop_done(struct hop *hop, struct op *op, ssize_t result);
/* Stops the current route: sets `held` of each branch and frees the route's state, but no residue. */
void hop_stop(struct hop *hop);
static inline const struct route *hop_route(const struct hop *hop)
{
    return hop->rung[hop->current].route;
}

/* All routes; the list ends in NULL. The registry defines it. */
extern const struct route *const registry_routes[];
extern const struct route route_clone, route_offload, route_splice, route_direct, route_chunk;

#endif
