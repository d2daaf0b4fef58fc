/* SPDX-License-Identifier: MIT */
/* One run of a plan: all that changes while it runs. It is born in runner_prepare, with a copy of each hop of the plan.
 * A comment names the file that alone writes the members below it; at the birth runner.c writes them all.
 *
 * Threads: a running leg belongs to the thread that runs it. Everything else belongs to the thread of the first leg
 * until the other legs start, and then to the thread that ends the run. Atomic members are for all threads. The report
 * is filled before `tell` is called, and a thread that waits reads it only after that. */
#ifndef FLOW_RUN_H
#define FLOW_RUN_H

#include "flow/plan.h"
#include <pthread.h>

struct run;

struct leg {
    /* runner.c, as it starts the run; ending.c gives the task of the first leg other hooks. */
    struct run *run;
    const struct plan_leg *plan;
    struct task task;
    _Atomic(struct loop *) loop; /* the loop that runs it; NULL: none yet */
    struct loop own_loop;        /* with a thread of its own, where that pays (thread_pays in runner.c) */
    pthread_t thread;
    bool has_thread;

    /* src/route. Failures of sinks while nothing moves: failure.c. What a sink did not read in the end: settle.c. */
    struct hop hop;
    struct budget budget; /* its share of the pipeline's memory limit */
    struct branch into;   /* the branch of a leg that ends at a joint */

    /* leg.c */
    enum {
        LEG_MOVE,
        LEG_READBACK,
        LEG_FINISH,
    } phase;
    size_t ends_finished;    /* how many of its two ends have finished their joint */
    struct leat_error error; /* the first failure that is not the hop's; when the leg has ended, leg_failure */
    atomic_bool over;        /* it has ended without failure */

    /* leg.c. For the filters, a clone is read back. */
    struct node written;
    size_t readback_of; /* the sink that is read */
    struct hop readback;
    leat_filter *observer[FILTERS_ALL]; /* the filters that observe; the others have counted the clone */
};

struct run {
    /* pipeline.c */
    atomic_bool cancelled;           /* may be set before the run is born */
    const struct engine *engine;     /* that runs it */
    char engine_why[ENGINE_WHY_MAX]; /* why it is not the engine that was asked for; "" */
    int64_t began_ns;
    double cpu_began;
    void (*tell)(struct run *run); /* called when the run has ended, as its last act */

    /* runner.c */
    const struct plan *plan;
    struct leg *leg;           /* plan->legs */
    struct branch *branch;     /* of the last leg: one for each sink. As `hop` of a leg */
    _Atomic uint64_t expected; /* bytes, for progress; UINT64_MAX: unknown */
    size_t opened;             /* nodes, in this order: the source, those of the joints, the sinks */
    bool claimed[FILTERS_ALL]; /* filters that this run has claimed, until it has ended */
    size_t started;            /* how many filters were started, and must be finished */
    atomic_size_t running;     /* legs that have not ended */

    /* failure.c */
    atomic_size_t failed;    /* the leg that failed first, counted from 1; 0: none */
    size_t cause;            /* the leg whose source failed as it settled, counted from 1; 0: none */
    struct leat_error error; /* the first failure that belongs to no sink, or that of `cause` */

    /* commit.c */
    size_t next_commit;    /* the sink that is being committed, or is next */
    size_t committed;      /* how many sinks were committed */
    bool commits;          /* all nodes have settled, and the nodes were finished */
    bool waits_for_commit; /* the hook `commit` of sink `next_commit` returned -EAGAIN */

    /* ending.c */
    leat_report *report; /* whose memory pipeline.c takes before the start, and which it hands out */
    int result;
};

static inline struct leg *run_last_leg(const struct run *run)
{
    return &run->leg[run->plan->legs - 1];
}

static inline struct leg *run_leg_of(struct task *task)
{
    return (struct leg *)((char *)task - offsetof(struct leg, task));
}

/* Makes the leg, or each leg, look at once whether it must stop, and ends the calls that it has in flight. The caller
 * has set `cancelled` or `failed` before. Any thread; async-signal-safe. */
void run_poke_leg(struct leg *leg);
void run_poke(struct run *run);
/* Returns the processor time of this process in seconds; 0 where the system does not count it. */
double run_cpu_seconds(void);

#endif
