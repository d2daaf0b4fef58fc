/* SPDX-License-Identifier: MIT */
/* Makes a run of a plan and starts it. The legs are tasks, so that an engine can run many of them on few threads. */
#ifndef FLOW_RUNNER_H
#define FLOW_RUNNER_H

#include "flow/run.h"

/* Gives birth to the run of a plan, which may be one that plan_make has refused, and starts the clock. After that the
 * first leg's task is ready for a loop. In the loop it opens, moves, finishes, verifies, commits, fills run->report and
 * calls run->tell. Returns 0 or -ENOMEM. */
int runner_prepare(struct run *run, const struct plan *plan);
/* Does all that in the loop of the first leg, on the calling thread. */
void runner_run_alone(struct run *run);
/* Frees what a run holds, but not its report. The run has ended, or was not started; another one may be prepared. */
void runner_free(struct run *run);

#endif
