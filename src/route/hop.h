/* A hop: one step between places where bytes rest, from one node to one or more branches. And a route: how a hop moves
 * them.
 *
 * A hop owns the counts. For each branch, always: taken = delivered + held + discarded, where `held` is what a route
 * has in its chunks or pipes at this moment; it is asked of the route, not computed, so that a byte that got lost
 * shows.
 *
 * A route is a state machine that never blocks. When a faster route turns out not to work here it leaves what it holds
 * as a *residue* (a pipe with bytes in it, for all branches or for one) and says STEP_DOWN. The chunk route works
 * everywhere, begins with the residues, and is the last one. */
#ifndef ROUTE_HOP_H
#define ROUTE_HOP_H

#include "engine/engine.h"
#include "node/filter.h"
#include "node/node.h"
#include <leat/pipeline.h>

#define BRANCHES_MAX LEAT_SINKS_MAX
#define FILTERS_MAX  LEAT_FILTERS_MAX                 /* that a program hands in */
#define EXPECTED_MAX 16                               /* digests that are expected */
#define FILTERS_ALL  (FILTERS_MAX + 1 + EXPECTED_MAX) /* with those of the options `rate` and `expect` */
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

    /* Why it can't serve this hop, as a sentence's part ("the sink is opened for appending"), or NULL if it may. Looks
     * only; called for the plan and again when all is open. `reason` is room for a sentence that is made. */
    const char *(*unfit)(const struct hop *hop, char reason[REASON_MAX]);

    /* The least memory it works with, in bytes. */
    uint64_t (*minimum)(const struct hop *hop);

    /* Makes its state (hop->state). A failure steps down; hop_because says why. */
    int (*start)(struct hop *hop);

    /* What is next: see enum verdict. END: the source is at its end, or hop->end was reached, or a failure was noted
     * (hop_fail_*) and all that can be delivered was. */
    enum verdict (*next)(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait);

    /* The op that `next` named is over. */
    void (*done)(struct hop *hop, struct op *op, ssize_t result);

    /* Bytes taken and not yet delivered to this branch. NULL: there never are any between two ops. */
    uint64_t (*held)(const struct hop *hop, const struct branch *branch);

    /* Frees its state, residues excepted. No op is in flight. NULL: the state is one piece, and free does. */
    void (*stop)(struct hop *hop);
};

/* A pipe with bytes that were taken and are not delivered. Paid for from the budget. */
struct residue {
    int fd[2];
    size_t bytes;
    size_t paid;
};

struct branch {
    struct node *node;
    enum leat_slow_sink slow;
    _Atomic uint64_t delivered;
    uint64_t discarded;
    uint64_t held; /* filled when the route stops */
    uint64_t by_route[ROUTES_MAX];
    uint64_t dropped, cleaned; /* see cache.c */
    struct residue residue;
    atomic_bool failed; /* read by progress, too */
    struct leat_error error;
};

/* One line of the ladder, as the plan has it. */
struct rung {
    const struct route *route;
    bool rejected;
    char reason[REASON_MAX]; /* why it was rejected, or stepped down when the hop ran */
};

struct hop {
    struct node *in;
    struct branch *branch;
    size_t branches; /* 0: the bytes are only observed */
    leat_filter **filter;
    size_t filters;
    struct budget *budget;
    leat_pool *pool; /* where chunks come from; NULL: that of the process */
    enum leat_sparse sparse;
    enum leat_stability stability;
    enum leat_cache cache;

    /* The ladder, fastest first, and where we are on it. */
    struct rung rung[ROUTES_MAX];
    size_t rungs, current;
    const char *why; /* the route table's reason for this order */
    bool shared;     /* it runs among other streams, on an engine that they share */
    bool strict;     /* a forced route does not step down */
    bool watched;    /* some node may not keep it waiting for ever */

    struct waker *waker; /* of the loop it runs in */
    void *state;         /* of the current route; NULL: not started */

    _Atomic uint64_t taken;
    uint64_t begins;  /* the offset that was asked for */
    uint64_t dropped; /* see cache.c */
    uint64_t end;     /* not more than this many bytes */
    uint64_t skip;    /* bytes of a source without positions to be passed over first */
    bool size_binds;  /* the source's size is to be believed: see hop_until_size */
    bool source_ended;
    bool whole; /* the last byte was moved: nothing is left to confirm */
    struct residue residue;
    struct leat_error error; /* the first failure that was not one branch's own */
    size_t first_failed;     /* the branch that failed first, counted from 1; 0: none */

    /* The run of data [from, to) that contains or follows the last position asked for; see hop_extent. */
    uint64_t data_from, data_to;
    bool extents_known;
};

/* ---- for routes ---- */

/* Must the bytes come to user memory? */
bool hop_needs_bytes(const struct hop *hop);
/* Does a filter say how many may pass, and when? */
bool hop_is_paced(const struct hop *hop);
/* All branches begin empty and may keep holes. */
bool hop_all_fresh(const struct hop *hop);
/* The source has holes, and a branch is a file in place, in which only the chunk route makes holes. */
bool hop_must_punch(const struct hop *hop);
/* Branches that have not failed. */
size_t hop_live(const struct hop *hop);

/* How many of `want` bytes may be taken now: `end`, `skip` and the size respected, the filters asked. 0 with
 * *ret_wait's deadline set: wait; 0 without: no more. */
size_t hop_allowance(struct hop *hop, uint64_t want, struct wait_set *ret_wait);
/* A filter lets no byte pass any more: the stream ends here, whatever the source has. */
bool hop_is_cut(const struct hop *hop);

/* Bytes left before the size that a file had when it was opened; UINT64_MAX if there is none to be believed. */
uint64_t hop_until_size(const struct hop *hop);
/* A byte was found behind that size, or the end before it. If the size has changed meanwhile it is a failure. */
void hop_source_grew(struct hop *hop);
void hop_source_short(struct hop *hop);

/* At the current position: 0 and the bytes of data from here, or 1 and the length of a hole from here. Everything is
 * data where holes don't matter. */
int hop_extent(struct hop *hop, uint64_t *ret_n);
/* The same for a position so many bytes further on. From one call to the next the position must not go back, unless
 * extents_known is cleared. */
int hop_extent_ahead(struct hop *hop, uint64_t ahead, uint64_t *ret_n);
/* Passes over holes; true if something was passed over. Only where all branches are fresh. */
bool hop_skip_holes(struct hop *hop);

/* Shows a chunk, in order and once, to the filters that want to see it. One that fails ends the source. */
void hop_observe(struct hop *hop, struct chunk *chunk);

void hop_took(struct hop *hop, uint64_t n);
void hop_delivered(struct hop *hop, struct branch *branch, uint64_t n);
int64_t hop_in_offset(const struct hop *hop);
int64_t hop_out_offset(const struct branch *branch);

/* Notes a failure; the first counts. `op` gives the operation's name. */
void hop_fail_source(struct hop *hop, const char *operation, int code);
/* The source ends before the offset that was asked for. */
void hop_fail_offset(struct hop *hop);
void hop_fail_branch(struct hop *hop, struct branch *branch, const char *operation, int code);
/* Why the current route steps down (printf). */
enum verdict hop_because(struct hop *hop, const char *format, ...) PRINTF(2, 3);

/* Errors by which a call says "not me", as opposed to "not now" or "broken". */
bool hop_is_refusal(ssize_t result);
/* Errors that can only come from the side that is written. */
bool hop_is_sink_error(ssize_t result);
/* After a call from the source to a sink: whose connection it is that broke, or who kept it waiting too long. Such an
 * error must not be asked again: a socket tells it once, and then that it is at its end, as if all were well. NONE: it
 * is no such error, or it can't be told. `branch` NULL: only the source could be it. */
enum leat_side hop_broken_side(const struct hop *hop, const struct branch *branch, ssize_t result);

/* Flags for a READ or WRITE on this node, and how much to write at once. */
unsigned node_op_flags(const struct node *node);
size_t node_write_limit(const struct node *node, size_t n);
/* After a call on the node: `result` decides whether to wait for it. True: it was only not ready. */
bool node_not_ready(struct node *node, ssize_t result);
/* The call asked to leave nothing in the page cache, and that can't be had here: it is not asked any more. */
bool node_caches(struct node *node, ssize_t result);

/* cache.c: what --cache asks for. `begin` once all is open, `behind` after each call, the ends when nothing is moved
 * any more; that of a sink says what a write-back that failed says. */
void cache_begin(struct hop *hop);
void cache_behind(struct hop *hop);
void cache_end_source(struct hop *hop);
int cache_end_sink(struct hop *hop, struct branch *branch);

struct residue residue_none(void);
void residue_drop(struct hop *hop, struct residue *residue);

/* ---- for the runner ---- */

/* One step of the current route, down the ladder where needed. */
enum verdict hop_next(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait);
void hop_done(struct hop *hop, struct op *op, ssize_t result);
/* The route lets go: held is noted for each branch, everything it had is freed. */
void hop_stop(struct hop *hop);
const struct route *hop_route(const struct hop *hop);

/* All routes, ends in NULL. Defined by the registry. */
extern const struct route *const registry_routes[];
extern const struct route route_clone, route_offload, route_splice, route_direct, route_chunk;

#endif
