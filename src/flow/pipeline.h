/* The inside of a pipeline: its parts and options, its plan, its run and its report. pipeline.c and options.c build it,
 * plan.c plans it, runner.c, leg.c, ending.c, settle.c and commit.c run it, and explain.c, report.c and report_tell.c
 * describe it.
 *
 * The plan is a chain of *legs*. Each leg is one hop, with the filters that only observe or pace. Between two legs is a
 * joint, which is a filter that transforms or joins. Most pipelines have one leg.
 *
 * Threads: a running leg belongs to the thread that runs it. Everything else belongs to the thread of the first leg
 * until the other legs start, and then to the thread that ends the run. The members `cancelled`, `failed`, `running`,
 * `over` and the atomic counts are for all threads. The report is filled before `ended` is set, and a thread that waits
 * reads it only after that. */
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
    _Atomic(struct loop *) loop; /* the loop that runs it; NULL: none yet */
    struct loop own_loop;        /* with a thread of its own, where that pays (thread_pays in runner.c) */
    pthread_t thread;
    bool has_thread;
    struct hop hop;
    struct budget budget; /* its share of the pipeline's memory limit */
    size_t first;         /* the place of its first filter, among all filters of the pipeline */
    struct joint joint;   /* the joint behind it */
    struct branch into;   /* the branch of a leg that ends at a joint */
    enum {
        LEG_OPEN, /* only the first leg: it opens all nodes and starts the other legs */
        LEG_START,
        LEG_MOVE,
        LEG_READBACK,
        LEG_FINISH,
    } phase;
    int64_t idle_ns;         /* of the child that it reads from, from the end of the leg before on; 0: no limit */
    size_t ends_finished;    /* how many of its two ends have finished their joint */
    struct leat_error error; /* the first failure that is not the hop's; when the leg has ended, leg_failure */
    atomic_bool over;        /* it has ended without failure */

    /* For the filters, a clone is read back. */
    struct node written;
    size_t readback_of; /* the sink that is read */
    struct hop readback;
    leat_filter *observer[FILTERS_ALL]; /* the filters that observe; the others have counted the clone */
};

struct leat_pipeline {
    unsigned origin;
    struct leat_pipeline_options options; /* its strings point to the copies below */
    char *route, *engine_name, *expect;
    struct leat_error bad_options; /* kept until a plan is asked for */

    leat_endpoint *source;
    leat_endpoint *sink[BRANCHES_MAX];
    struct branch *branch; /* one for each sink */
    size_t sinks;
    leat_filter *filter[FILTERS_ALL];
    size_t filters;
    size_t in_front; /* filters of the options, which stand before the program's filters */
    struct expectation expectation[EXPECTED_MAX];
    size_t expectations;
    bool has_named; /* the digest in the source's name is among them */

    uint64_t memory_limit;
    struct leg *leg;
    size_t legs; /* 0: no plan has been made yet */
    const struct engine *engine;
    char engine_why[ENGINE_WHY_MAX]; /* why it is not the engine that was asked for; "" */

    struct loop own_loop; /* of the thread that runs the pipeline; unused if an engine is shared */
    bool has_own_loop;
    atomic_bool cancelled;
    atomic_uint cancelling; /* calls of leat_pipeline_cancel that have not returned: they may use the loops */
    atomic_bool started;
    int64_t began_ns;
    double cpu_began;
    _Atomic uint64_t expected; /* bytes, for progress; UINT64_MAX: unknown */
    struct runner {
        size_t opened;             /* nodes, in this order: the source, those of the joints, the sinks */
        bool claimed[FILTERS_ALL]; /* filters that this run has claimed, until it has ended */
        size_t started;            /* how many filters were started, and must be finished */
        atomic_size_t running;     /* legs that have not ended */
        atomic_size_t failed;      /* the leg that failed first, counted from 1; 0: none */
        bool commits;              /* all nodes have settled, and the nodes were finished */
        size_t next_commit;        /* the sink that is being committed, or is next */
        bool waits_for_commit;     /* its hook `commit` returned -EAGAIN */
        size_t committed;          /* how many sinks were committed */
        size_t cause;              /* the leg whose source failed as it settled, counted from 1; 0: none */
        struct leat_error error;   /* the first failure that belongs to no sink, or that of `cause` */
    } runner;

    void (*tell)(leat_pipeline *p); /* called when the run has ended, as the last act of the runner */
    pthread_mutex_t telling;        /* `tell` holds it, so that a waiting thread does not free the pipeline too early */
    pthread_cond_t ending;          /* signalled by `tell` */
    pthread_t thread;
    bool has_thread;
    bool waited_for; /* it was started, and no call has seen its end yet */
    int ended_fd[2]; /* a pipe with a byte in it once the run has ended; -1: not asked for yet. Under `telling` */
    int result;
    leat_report *report;
    atomic_bool ended;
};

struct node *pipeline_source(const leat_pipeline *p);

/* pipeline_filter_number turns a place in `filter` into the number by which the program knows the filter;
 * pipeline_filter_place does the reverse. The numbers of the program's filters come first, then those of the options'
 * filters, which stand before them in `filter`. */
static inline size_t pipeline_filter_number(const leat_pipeline *p, size_t place)
{
    return place >= p->in_front ? place - p->in_front : p->filters - p->in_front + place;
}

static inline size_t pipeline_filter_place(const leat_pipeline *p, size_t number)
{
    size_t handed_in = p->filters - p->in_front;
    return number < handed_in ? number + p->in_front : number - handed_in;
}

/* Returns the engine that would run the pipeline now. `ret_why` gets the reason why it is not the one that was asked
 * for, or "". The call may open a loop for a trial, and closes it again. */
const struct engine *pipeline_engine(const leat_pipeline *p, char ret_why[ENGINE_WHY_MAX]);

static inline struct leg *pipeline_last_leg(const leat_pipeline *p)
{
    return &p->leg[p->legs - 1];
}

/* options.c. options_take copies the options, once. It returns -ENOMEM, or -EINVAL and the like if the struct itself is
 * wrong; a wrong value of an option is recorded in p->bad_options. options_add_digests is called when all filters are
 * there. It adds a filter for each expected digest that no filter computes yet, and may be called again. */
int options_take(leat_pipeline *p, const struct leat_pipeline_options *options);
int options_add_digests(leat_pipeline *p);

/* plan.c. Makes the legs and checks everything. It changes nothing outside the pipeline, and may be called again.
 * Returns 0 or a negative errno with *error filled. */
int plan_make(leat_pipeline *p, struct leat_error *error);
/* Returns the least memory in bytes with which each ladder has a route that works. */
uint64_t plan_minimum(const leat_pipeline *p);
/* Returns the bytes that filters need for themselves, in addition to that. */
uint64_t plan_codecs(const leat_pipeline *p);

/* leg.c. `next` and `done` are the hooks of a leg's task. The task of the first leg calls runner_open and
 * runner_start. */
enum verdict leg_next(struct task *task, struct op **ret_op, struct wait_set *ret_wait);
void leg_done(struct task *task, struct op *op, ssize_t result);
/* Called when all nodes are open: finds the position of the source, and asks again which routes are fit. */
void leg_begin(struct leg *leg);
/* Returns the failure of a leg that has ended. Failures of the pipeline's sinks do not count, except a failure to read
 * a clone back, which has the side of the sink. Code 0: there is none. */
struct leat_error leg_failure(const struct leg *leg);
/* Does leg_failure return an error, or is no sink of the pipeline left? */
bool leg_has_failed(const struct leg *leg);
/* Called when no byte moves any more: stops the routes, so that the counts are final, and drops the residues. */
void leg_let_go(struct leg *leg);
/* Returns the bytes that each branch that has not failed has got or discarded; if all have failed, the most of any
 * branch. */
uint64_t leg_delivered(const struct leg *leg);

/* runner.c. runner_prepare plans and starts the clock, on the thread that starts the run. After that the first leg's
 * task is ready for a loop. In the loop it opens, moves, finishes, verifies, commits, makes the report and calls
 * p->tell. runner_run_alone does this in the pipeline's own loop, on the calling thread. runner_give_up ends a run that
 * has no plan or no thread. */
void runner_prepare(leat_pipeline *p);
void runner_run_alone(leat_pipeline *p);
void runner_give_up(leat_pipeline *p); /* ending.c */
/* Opens the nodes, one after the other. WAIT: a node is not open yet. STEP_DOWN: each node is open, or its sink has
 * failed, or runner.error says what has failed. */
enum verdict runner_open(leat_pipeline *p, struct wait_set *ret_wait);
/* Called when all nodes are open: starts the filters and the other legs. Returns false if the run has failed. */
bool runner_start(leat_pipeline *p);
/* The hook `ended` of each leg's task. On a shared engine the last leg to end calls runner_end; otherwise
 * runner_run_alone does. */
void runner_ended(struct task *task);
/* Returns the bytes that are expected of the source; 0: unknown. */
uint64_t runner_expected(const leat_pipeline *p);
/* Makes each leg look at once whether it must stop, and ends the calls that it has in flight. The caller has set
 * `cancelled` or `failed` before. Any thread; async-signal-safe. */
void runner_poke(leat_pipeline *p);
/* Has the run failed? A failed sink beside others that have not failed is no failure of the run. */
bool runner_is_over(const leat_pipeline *p);
void runner_fail_sink(leat_pipeline *p, size_t index, const struct leat_error *error);
/* Returns the processor time of this process in seconds; 0 where the system does not count it. */
double runner_cpu_seconds(void);

/* ending.c. Called when all legs have ended. The steps that take time are one more task, in place of the first
 * leg's. */
void runner_end(leat_pipeline *p);

/* settle.c. The hook `next` of the task that ends a run. */
enum verdict settle_next(struct task *task, struct op **ret_op, struct wait_set *ret_wait);

/* commit.c. Called when all nodes have settled: commit_next finishes the nodes and commits. WAIT: a commit takes time.
 * commit_is_vain: have all sinks failed? */
enum verdict commit_next(leat_pipeline *p, struct wait_set *ret_wait);
bool commit_is_vain(const leat_pipeline *p);
/* For commit.c. runner_finish_nodes finishes the nodes, unless the run has failed. runner_fail_end records that a sink
 * failed at its end, at the offset at which its bytes end. */
void runner_finish_nodes(leat_pipeline *p);
void runner_fail_end(leat_pipeline *p, size_t index, struct leat_error *error);

/* report.c. report_new allocates all that a planned pipeline needs before the run (NULL: out of memory), and
 * report_fill fills it when the run has ended. So a report exists for every run that started. */
struct verdict_of_run {
    int code;
    const char *status; /* "done", "failed", "mismatch", "cancelled" */
    double seconds, cpu_seconds;
};
leat_report *report_new(const leat_pipeline *p);
/* Takes the digests, before anything is published. If a digest cannot be finished, *error is filled and the run
 * fails. */
void report_take_digests(leat_report *report, const leat_pipeline *p, struct leat_error *error);
void report_fill(leat_report *report, leat_pipeline *p, const struct leat_error *error,
                 const struct verdict_of_run *verdict);

#endif
