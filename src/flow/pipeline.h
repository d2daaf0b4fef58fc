/* The inside of a pipeline: what was handed to it, its plan (one hop, as long as no filter transforms), its run and its
 * report. Built by pipeline.c, planned by plan.c, run by runner.c, told by explain.c and report.c.
 *
 * Threads: everything belongs to the thread that runs it, once it runs, except `cancelled` and the atomic counts.
 * The report is made before `ended` is set; whoever waits looks at it after that. */
#ifndef FLOW_PIPELINE_H
#define FLOW_PIPELINE_H

#include "flow/hop.h"
#include <pthread.h>

#define MEMORY_DEFAULT  (16u * 1024 * 1024)
#define EXPECTATION_MAX 16

struct expectation {
    char algorithm[32];
    char hex[LEAT_DIGEST_HEX_MAX];
};

struct leat_pipeline {
    struct leat_pipeline_options options; /* its strings are the copies below */
    char *route, *engine_name, *expect;
    struct leat_error bad_options; /* kept until somebody asks */

    leat_endpoint *source;
    leat_endpoint *sink[BRANCHES_MAX];
    struct branch branch[BRANCHES_MAX];
    size_t sinks;
    leat_filter *filter[FILTERS_MAX];
    size_t filters;
    struct expectation expectation[EXPECTATION_MAX];
    size_t expectations;

    struct budget budget;
    struct hop hop;
    const struct engine *engine;
    char engine_why[ENGINE_WHY_MAX]; /* why not the one that was asked for; "" */

    _Atomic(struct loop *) loop; /* that runs it: its own, or one of a shared engine's */
    struct loop own_loop;
    bool has_own_loop;
    atomic_bool cancelled;
    atomic_bool started;
    int64_t began_ns;
    double cpu_began;
    _Atomic uint64_t expected; /* bytes, for progress; UINT64_MAX: unknown */
    struct task task;
    struct runner {
        enum {
            RUN_OPEN,
            RUN_START,
            RUN_MOVE,
            RUN_READBACK,
            RUN_OVER
        } phase;
        size_t opened;       /* nodes: the source, then the sinks */
        size_t started;      /* filters that are ours to finish */
        struct node written; /* what a clone is read back from */
        size_t readback_of;  /* the sink */
        struct hop readback;
        leat_filter *observer[FILTERS_MAX]; /* of the readback: the other filters counted the clone */
        bool whole;                         /* the filters have seen all that there is */
        struct leat_error error;            /* the first failure that belongs to no branch */
    } runner;

    void (*tell)(leat_pipeline *p); /* the run has ended: the last thing that the runner does */
    pthread_mutex_t telling;        /* held meanwhile, so that who waits does not free it before */
    pthread_t thread;
    bool has_thread;
    bool waited_for; /* it was started, and nobody has seen its end */
    int ended_fd[2]; /* a byte is in it once the run has ended; -1 until somebody asks or starts */
    int result;
    leat_report *report;
    atomic_bool ended;
};

struct node *pipeline_source(const leat_pipeline *p);

/* The engine that would run it now, and why it is not the one that was asked for ("": it is). Looks only. */
const struct engine *pipeline_engine(const leat_pipeline *p, char ret_why[ENGINE_WHY_MAX]);

/* plan.c: fills hop and checks everything. Looks only, and may be repeated. */
int plan_make(leat_pipeline *p, struct leat_error *error);
/* The least memory with which some route of the ladder works. */
uint64_t plan_minimum(const leat_pipeline *p);

/* runner.c. `init` once, before anybody can cancel. `prepare` plans and starts the clock, on the thread that starts the
 * run; p->task is then ready for a loop, which opens, moves, finishes, verifies, commits, makes the report and calls
 * p->tell. `run_alone` does that in the pipeline's own loop, on this thread. `give_up` is for a plan that failed. */
void runner_init(leat_pipeline *p);
void runner_prepare(leat_pipeline *p);
void runner_run_alone(leat_pipeline *p);
void runner_give_up(leat_pipeline *p);

/* report.c: what there is to tell, taken when the run has ended. NULL: no memory. */
struct verdict_of_run {
    int code;
    const char *status; /* "done", "failed", "mismatch", "cancelled" */
    double seconds, cpu_seconds;
};
leat_report *report_make(leat_pipeline *p, const struct leat_error *error, const struct verdict_of_run *verdict);

#endif
