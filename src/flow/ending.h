/* SPDX-License-Identifier: MIT */
/* The end of a run, from the end of the last leg to the call of `tell`. */
#ifndef FLOW_ENDING_H
#define FLOW_ENDING_H

#include "flow/run.h"

/* Called when all legs have ended. The steps that take time are one more task, in place of the first leg's. */
void ending_begin(struct run *run);
/* Ends a run that has no plan or no thread. */
void ending_give_up(struct run *run);

#endif
