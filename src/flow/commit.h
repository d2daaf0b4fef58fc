/* SPDX-License-Identifier: MIT */
/* Finishes the nodes and commits the sinks, when all nodes have settled. */
#ifndef FLOW_COMMIT_H
#define FLOW_COMMIT_H

#include "flow/run.h"

/* WAIT: a commit takes time, and the call must be made again. END: there is nothing left to commit. */
enum verdict commit_next(struct run *run, struct wait_set *ret_wait);

#endif
