/* The inside of a pipeline: its parts, the plan that is made of them, and one run of the plan. pipeline.c and options.c
 * collect the parts, plan.c plans, runner.c, leg.c, ending.c, settle.c and commit.c run, and explain.c, report.c and
 * report_tell.c describe. The members from `own_loop` on are written by pipeline.c alone. */
#ifndef FLOW_PIPELINE_H
#define FLOW_PIPELINE_H

#include "flow/run.h"

struct leat_pipeline {
    unsigned origin;
    struct parts parts;
    struct plan plan;
    struct run run;

    struct loop own_loop; /* of the thread that runs the pipeline; unused if an engine is shared */
    bool has_own_loop;
    atomic_uint cancelling; /* calls of leat_pipeline_cancel that have not returned: they may use the loops */
    atomic_bool started;
    pthread_mutex_t
        telling;           /* held as the end is told, so that a waiting thread does not free the pipeline too early */
    pthread_cond_t ending; /* signalled then */
    pthread_t thread;
    bool has_thread;
    bool waited_for; /* it was started, and no call has seen its end yet */
    int ended_fd[2]; /* a pipe with a byte in it once the run has ended; -1: not asked for yet. Under `telling` */
    atomic_bool ended;
};

/* Returns the engine that would run the pipeline now. `ret_why` gets the reason why it is not the one that was asked
 * for, or "". The call may open a loop for a trial, and closes it again. */
const struct engine *pipeline_engine(const struct parts *parts, char ret_why[ENGINE_WHY_MAX]);

#endif
