/* SPDX-License-Identifier: MIT */
#include "flow/failure.h"
#include "flow/leg.h"
#include <errno.h>

bool failure_is_there(const struct run *run)
{
    bool any = run->error.code != 0 || atomic_load(&run->failed) != 0;
    for (size_t i = 0; i < run->plan->legs; i++)
        any |= leg_has_failed(&run->leg[i]);
    return any;
}

bool failure_has_all_sinks(const struct run *run)
{
    size_t failed = 0, sinks = run->plan->parts->sinks;
    for (size_t i = 0; i < sinks; i++)
        failed += run->branch[i].failed;
    return sinks && failed == sinks;
}

void failure_of_run(struct run *run, const struct leat_error *error)
{
    if (error->code && !run->error.code)
        run->error = *error;
}

void failure_of_filter(struct run *run, size_t place, struct leat_error *error)
{
    error->side = LEAT_SIDE_FILTER;
    error->index = (uint32_t)place;
    failure_of_run(run, error);
}

void failure_by_cancel(struct run *run)
{
    error_at(&run->error, -ECANCELED, LEAT_SIDE_NONE, "", "cancel", "It was cancelled");
}

void failure_of_cause(struct run *run, size_t leg, const struct leat_error *error)
{
    if (run->cause && run->cause != leg + 1)
        return;
    run->error = *error;
    run->cause = leg + 1;
    atomic_store(&run->failed, leg + 1);
}

void failure_of_leg(struct run *run, size_t leg)
{
    size_t nobody = 0;
    if (atomic_compare_exchange_strong(&run->failed, &nobody, leg + 1))
        run_poke(run);
}

void failure_of_sink(struct run *run, size_t index, const struct leat_error *error)
{
    struct branch *branch = &run->branch[index];
    struct hop *hop = &run_last_leg(run)->hop;
    branch->failed = true;
    branch->error = *error;
    branch->error.index = (uint32_t)index;
    if (!hop->first_failed)
        hop->first_failed = index + 1;
}

void failure_at_end(struct run *run, size_t index, struct leat_error *error)
{
    error->offset = run->branch[index].delivered;
    failure_of_sink(run, index, error);
}
