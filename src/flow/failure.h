/* SPDX-License-Identifier: MIT */
/* The failures of a run that are no failure of a moving leg: each is recorded here, and nowhere else. */
#ifndef FLOW_FAILURE_H
#define FLOW_FAILURE_H

#include "flow/run.h"

/* Has the run failed? A failed sink beside others that have not failed is no failure of the run. */
bool failure_is_there(const struct run *run);
/* Have all sinks failed? */
bool failure_has_all_sinks(const struct run *run);
/* Records a failure that belongs to no sink. The first one counts. */
void failure_of_run(struct run *run, const struct leat_error *error);
/* The same for a failure of the filter at this place, and for a cancel. */
void failure_of_filter(struct run *run, size_t place, struct leat_error *error);
void failure_by_cancel(struct run *run);
/* Records that the source of a leg failed as it settled, which is the cause of failures behind it. So it counts even if
 * it comes later. If several sources fail, the first one is the cause. */
void failure_of_cause(struct run *run, size_t leg, const struct leat_error *error);
/* Records that this leg is the first that failed, and stops the others. */
void failure_of_leg(struct run *run, size_t leg);
/* Records that a sink failed. failure_at_end says that it did so at its end, at the offset at which its bytes end. */
void failure_of_sink(struct run *run, size_t index, const struct leat_error *error);
void failure_at_end(struct run *run, size_t index, struct leat_error *error);

#endif
