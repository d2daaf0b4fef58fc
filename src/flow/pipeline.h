/* The inside of a pipeline: what was handed to it, its plan, its run and its report. Built by pipeline.c and options.c,
 * planned by plan.c, run by runner.c and leg.c, told by explain.c, report.c and report_tell.c.
 *
 * Its plan is a chain of *legs*: each is one hop, with the filters that only look on or pace, and between two legs
 * there is a joint, which is a filter that transforms or joins. Mostly there is one leg.
 *
 * Threads: a leg belongs to the thread that runs it, once it runs, and all else to the first leg until the others
 * begin, and then to the one that ends last; except `cancelled`, `failed`, `running`, `over` and the atomic counts. The
 * report is filled before `ended` is set; whoever waits looks at it after that. */
#ifndef FLOW_PIPELINE_H
#define FLOW_PIPELINE_H

#include "flow/joint.h"
#include "route/hop.h"
#include <pthread.h>

#define MEMORY_DEFAULT (16u * 1024 * 1024)

struct expectation {
    char algorithm[32];
    char hex[LEAT_DIGEST_HEX_MAX];
};

struct leg {
    leat_pipeline *pipeline;
    struct task task;
    _Atomic(struct loop *) loop; /* that runs it; NULL: none does yet */
    struct loop own_loop;        /* with a thread, where that pays */
    pthread_t thread;
    bool has_thread;
    struct hop hop;
    struct budget budget; /* its share of the memory */
    size_t first;         /* its first filter among all of the pipeline's */
    struct joint joint;   /* behind it */
    struct branch into;   /* of a leg that ends at a joint */
    enum {
        LEG_OPEN, /* the first leg opens everything and starts the others */
        LEG_START,
        LEG_MOVE,
        LEG_READBACK,
        LEG_FINISH,
    } phase;
    int64_t idle_ns;         /* of the child that it reads from, once that has been told the end; 0: no limit */
    size_t ends_finished;    /* of the joints at its two ends */
    struct leat_error error; /* the first failure that is not the hop's */
    atomic_bool over;        /* it has ended, and well */

    /* A clone is read back for the filters. */
    struct node written;
    size_t readback_of; /* the sink */
    struct hop readback;
    leat_filter *observer[FILTERS_ALL]; /* the other filters counted the clone */
};

struct leat_pipeline {
    unsigned origin;
    struct leat_pipeline_options options; /* its strings are the copies below */
    char *route, *engine_name, *expect;
    struct leat_error bad_options; /* kept until somebody asks */

    leat_endpoint *source;
    leat_endpoint *sink[BRANCHES_MAX];
    struct branch *branch; /* as many as sinks */
    size_t sinks;
    leat_filter *filter[FILTERS_ALL];
    size_t filters;
    size_t in_front; /* filters that were put before those that were handed in */
    struct expectation expectation[EXPECTED_MAX];
    size_t expectations;
    bool has_named; /* the one that the source has in its name is among them */

    uint64_t memory_limit;
    struct leg *leg;
    size_t legs; /* 0: there was no plan yet */
    const struct engine *engine;
    char engine_why[ENGINE_WHY_MAX]; /* why not the one that was asked for; "" */

    struct loop own_loop; /* on the thread that runs it, unless an engine is shared */
    bool has_own_loop;
    atomic_bool cancelled;
    atomic_uint cancelling; /* calls of leat_pipeline_cancel that have not returned: they may look at the loops */
    atomic_bool started;
    int64_t began_ns;
    double cpu_began;
    _Atomic uint64_t expected; /* bytes, for progress; UINT64_MAX: unknown */
    struct runner {
        size_t opened;             /* nodes: the source, those of the joints, then the sinks */
        bool claimed[FILTERS_ALL]; /* filters that are ours until the run has ended */
        size_t started;            /* filters that are to be finished */
        atomic_size_t running;     /* legs that have not ended */
        atomic_size_t failed;      /* the leg that failed first, counted from 1; 0: none */
        bool commits;              /* all nodes have settled */
        size_t next_commit;        /* the sink that is committed, or the next one */
        bool waits_for_commit;     /* it has said "later" */
        size_t committed;          /* sinks */
        size_t cause;              /* the leg whose source said in the end that it had failed, likewise */
        struct leat_error error;   /* the first failure that belongs to no sink */
    } runner;

    void (*tell)(leat_pipeline *p); /* the run has ended: the last thing that the runner does */
    pthread_mutex_t telling;        /* held meanwhile, so that who waits does not free it before */
    pthread_cond_t ending;          /* it was told */
    pthread_t thread;
    bool has_thread;
    bool waited_for; /* it was started, and nobody has seen its end */
    int ended_fd[2]; /* a byte is in it once the run has ended; -1 until a caller asks for it. Under `telling` */
    int result;
    leat_report *report;
    atomic_bool ended;
};

struct node *pipeline_source(const leat_pipeline *p);

/* The number by which a program knows a filter, of its place in `filter`, and the other way: first come those that were
 * handed in, then those of the options, which stand in front. */
static inline size_t pipeline_filter_number(const leat_pipeline *p, size_t place)
{
    return place >= p->in_front ? place - p->in_front : p->filters - p->in_front + place;
}

static inline size_t pipeline_filter_place(const leat_pipeline *p, size_t number)
{
    size_t handed_in = p->filters - p->in_front;
    return number < handed_in ? number + p->in_front : number - handed_in;
}

/* The engine that would run it now, and why it is not the one that was asked for ("": it is). Looks only. */
const struct engine *pipeline_engine(const leat_pipeline *p, char ret_why[ENGINE_WHY_MAX]);

static inline struct leg *pipeline_last_leg(const leat_pipeline *p)
{
    return &p->leg[p->legs - 1];
}

/* options.c: takes what the caller wants, once; -EINVAL and the like of the struct itself, -ENOMEM. And filters for
 * digests that are expected and that no filter computes yet, once all filters are there; may be repeated. What an
 * option has against it is in p->bad_options. */
int options_take(leat_pipeline *p, const struct leat_pipeline_options *options);
int options_add_digests(leat_pipeline *p);

/* plan.c: makes the legs and checks everything. Looks only, and may be repeated. */
int plan_make(leat_pipeline *p, struct leat_error *error);
/* The least memory with which some route of each ladder works. */
uint64_t plan_minimum(const leat_pipeline *p);
/* What filters need inside, beside that. */
uint64_t plan_codecs(const leat_pipeline *p);

/* leg.c: the middle of a run. `next` and `done` are a task's; the first leg calls runner_open and runner_start. */
enum verdict leg_next(struct task *task, struct op **ret_op, struct wait_set *ret_wait);
void leg_done(struct task *task, struct op *op, ssize_t result);
/* All is open: what the plan could not know. */
void leg_begin(struct leg *leg);
/* Of one that has ended: the failure that is not a sink's of the pipeline, or code 0. */
struct leat_error leg_failure(const struct leg *leg);
/* Or no sink of the pipeline is left. */
bool leg_has_failed(const struct leg *leg);
/* No byte will be moved any more: its counts are final, and what it had is given back. */
void leg_let_go(struct leg *leg);
/* What its branches have for certain. */
uint64_t leg_delivered(const struct leg *leg);

/* runner.c. `prepare` plans and starts the clock, on the thread that starts the run; the first leg's task is then ready
 * for a loop, which opens, moves, finishes, verifies, commits, makes the report and calls p->tell. `run_alone` does
 * that in the pipeline's own loop, on this thread. `give_up` is for a plan that failed. */
void runner_prepare(leat_pipeline *p);
void runner_run_alone(leat_pipeline *p);
void runner_give_up(leat_pipeline *p); /* ending.c */
/* WAIT: a node is not there yet. Else all are open, or runner.error says what failed. */
enum verdict runner_open(leat_pipeline *p, struct wait_set *ret_wait);
/* All is open: starts the filters and the other legs. False: something has failed. */
bool runner_start(leat_pipeline *p);
/* The hook of every leg's task. The last one to end ends the run. */
void runner_ended(struct task *task);
/* Bytes that are expected of the source; 0: unknown. */
uint64_t runner_expected(const leat_pipeline *p);
/* Every leg shall stop, and why is there to be seen. Any thread; async-signal-safe. */
void runner_poke(leat_pipeline *p);
/* Something has failed. */
bool runner_is_over(const leat_pipeline *p);
void runner_fail_sink(leat_pipeline *p, size_t index, const struct leat_error *error);
/* Processor time of this process; 0 where the system does not count it. */
double runner_cpu_seconds(void);

/* ending.c. All legs have ended: what takes time is one more task, in place of the first leg's. */
void runner_end(leat_pipeline *p);

/* settle.c: the `next` of the task that ends a run, as far as that takes time. */
enum verdict settle_next(struct task *task, struct op **ret_op, struct wait_set *ret_wait);

/* commit.c: finishes the nodes once all have settled, and commits. And have all sinks failed? */
enum verdict commit_next(leat_pipeline *p, struct wait_set *ret_wait);
bool commit_is_vain(const leat_pipeline *p);
/* For commit.c: finishes the nodes, unless the run has failed. And a sink has failed at its end. */
void runner_finish_nodes(leat_pipeline *p);
void runner_fail_end(leat_pipeline *p, size_t index, struct leat_error *error);

/* report.c: what there is to tell. Its memory is had before the run (`new` of a pipeline that is planned; NULL: there
 * is none), and it is filled when the run has ended: so what happened can always be told. */
struct verdict_of_run {
    int code;
    const char *status; /* "done", "failed", "mismatch", "cancelled" */
    double seconds, cpu_seconds;
};
leat_report *report_new(const leat_pipeline *p);
/* Takes the digests, before anything is published: one that can't be finished fails the run. */
void report_take_digests(leat_report *report, const leat_pipeline *p, struct leat_error *error);
void report_fill(leat_report *report, leat_pipeline *p, const struct leat_error *error,
                 const struct verdict_of_run *verdict);

#endif
