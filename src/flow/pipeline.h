/* SPDX-License-Identifier: MIT */
/* The inside of a pipeline: its parts, the plan that is made of them, and one run of the plan. pipeline.c and options.c
 * collect the parts, plan.c plans, runner.c, leg.c, ending.c, settle.c and commit.c run, wait.c waits, and explain.c,
 * report.c and report_tell.c describe. The members from `own_loop` on are written by pipeline.c and wait.c alone. */
#ifndef FLOW_PIPELINE_H
#define FLOW_PIPELINE_H

#include "base/fd.h"
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
    /* When the program's function is called next, in time of clock_ns, and whether it is being called. Both belong to
     * the thread that waits. */
    int64_t progress_ns;
    bool is_told;
    struct fd_flag ended_flag; /* raised once the run has ended. Under `telling` */
    atomic_bool ended;
};

/* Returns the engine that would run the pipeline now. `ret_why` gets the reason why it is not the one that was asked
 * for, or "". The call may open a loop for a trial, and closes it again. */
const struct engine *pipeline_engine(const struct parts *parts, char ret_why[ENGINE_WHY_MAX]);

/* wait.c. pipeline_tell_end is called by the thread that ends the run. pipeline_join waits for the end of a run that
 * was started, calls no function of the program, and may be followed by pipeline_hand_over, which returns the result.
 * pipeline_expect_progress sets when the program's function is called next. */
void pipeline_tell_end(struct run *run);
void pipeline_join(leat_pipeline *pipeline);
int pipeline_hand_over(leat_pipeline *pipeline, leat_report **ret_report);
void pipeline_expect_progress(leat_pipeline *pipeline);

#endif
