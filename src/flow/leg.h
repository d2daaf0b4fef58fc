/* SPDX-License-Identifier: MIT */
/* One leg of a run: the task that moves its bytes. */
#ifndef FLOW_LEG_H
#define FLOW_LEG_H

#include "flow/run.h"

/* The hooks `next` and `done` of a leg's task. */
enum verdict leg_next(struct task *task, struct op **ret_op, struct wait_set *ret_wait);
void leg_done(struct task *task, struct op *op, ssize_t result);
/* Called when all nodes are open: finds the position of the source, and asks again which routes are fit. */
void leg_begin(struct leg *leg);
/* Called first as the leg's task ends: fixes its failure, whatever happens to the other legs. Returns true if it has
 * failed. */
bool leg_end(struct leg *leg);
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

#endif
