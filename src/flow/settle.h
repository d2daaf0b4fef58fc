/* SPDX-License-Identifier: MIT */
/* The steps at the end of a run that take time. */
#ifndef FLOW_SETTLE_H
#define FLOW_SETTLE_H

#include "flow/run.h"

/* The hook `next` of the task that ends a run: settles the nodes, and goes on with commit_next. */
enum verdict settle_next(struct task *task, struct op **ret_op, struct wait_set *ret_wait);

#endif
