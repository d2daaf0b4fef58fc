/* SPDX-License-Identifier: MIT */
/* Finishes the nodes, and then commits the sinks, in their order. A commit that takes time returns -EAGAIN and is
 * called again later. If the run is cancelled meanwhile, each sink that is not committed yet fails and is aborted. */
#include "flow/commit.h"
#include "base/trace.h"
#include "flow/failure.h"
#include "flow/leg.h"
#include <errno.h>

static void tell(const struct branch *branch)
{
    const struct node *node = branch->node;
    const bool appears = node->fresh || node->traffic;
    const struct leat_trace_field field[] = {trace_text("sink", node->name),
                                             trace_number("bytes", atomic_load(&branch->delivered)),
                                             trace_number("published", appears)};
    trace_tell(LEAT_TRACE_SINK, field, COUNT(field), appears ? "the sink is published" : "the sink is complete");
}

static void uncache(struct run *run, size_t index)
{
    struct branch *branch = &run->branch[index];
    struct leat_error error = {.size = sizeof(error)};
    int r = cache_end_sink(&run_last_leg(run)->hop, branch);
    if (r == 0)
        return;
    error_at(&error, r, LEAT_SIDE_SINK, branch->node->name, "sync_file_range",
             "The disk did not take what was written");
    failure_at_end(run, index, &error);
}

static void finish_nodes(struct run *run)
{
    if (failure_is_there(run))
        return;
    struct node *in = parts_source(run->plan->parts);
    struct leat_error failure = {.size = sizeof(failure)};
    if (in->ops->finish && in->ops->finish(in, leg_delivered(&run->leg[0]), &failure) < 0)
        failure_of_run(run, &failure);
    for (size_t i = 0; i < run->plan->parts->sinks; i++) {
        struct branch *branch = &run->branch[i];
        struct leat_error error = {.size = sizeof(error)};
        if (!branch->failed && branch->node->ops->finish &&
            branch->node->ops->finish(branch->node, branch->delivered, &error) < 0)
            failure_at_end(run, i, &error);
        if (!branch->failed)
            uncache(run, i);
    }
}

/* Commits the nodes of the joints, before anything is published: a child confirms that it did well. */
static void commit_joints(struct run *run)
{
    for (size_t i = 0; i + 1 < run->plan->legs; i++) {
        const struct joint *joint = run->plan->leg[i].joint;
        struct node *node[] = {joint->into, joint->out};
        for (size_t k = 0; k < COUNT(node); k++) {
            struct leat_error error = {.size = sizeof(error)};
            if (run->error.code || !node[k]->ops->commit || node[k]->ops->commit(node[k], &error) == 0)
                continue;
            failure_of_filter(run, joint->index, &error);
        }
    }
}

/* Sinks that are committed already stay so. */
static void cancel(struct run *run)
{
    for (size_t i = run->next_commit; i < run->plan->parts->sinks; i++) {
        struct leat_error error = {.size = sizeof(error)};
        error_at(&error, -ECANCELED, LEAT_SIDE_NONE, "", "cancel", "It was cancelled");
        if (run->committed == 0)
            failure_of_run(run, &error);
        else if (!run->branch[i].failed)
            failure_at_end(run, i, &error);
    }
    run->next_commit = run->plan->parts->sinks;
}

/* Returns 0 if the sink is committed or has failed; -EAGAIN: the commit takes time, and the call must be made again. */
static int commit_sink(struct run *run, size_t index, struct wait_set *ret_wait)
{
    struct node *node = run->branch[index].node;
    struct leat_error error = {.size = sizeof(error)};
    int r = node->ops->commit ? node->ops->commit(node, &error) : 0;
    if (r == -EAGAIN) {
        wait_add(ret_wait, &node->port);
        ret_wait->deadline_ns = node->deadline_ns;
        return r;
    }
    if (r < 0)
        failure_at_end(run, index, &error);
    run->committed += r == 0;
    if (r == 0 && trace_is_on())
        tell(&run->branch[index]);
    return 0;
}

enum verdict commit_next(struct run *run, struct wait_set *ret_wait)
{
    if (!run->commits) {
        run->commits = true;
        finish_nodes(run);
        if (!failure_has_all_sinks(run))
            commit_joints(run);
    }
    for (; run->next_commit < run->plan->parts->sinks && !run->error.code; run->next_commit++) {
        if (run->branch[run->next_commit].failed)
            continue;
        bool waited = run->waits_for_commit;
        run->waits_for_commit = false;
        if (waited && atomic_load(&run->cancelled)) {
            cancel(run);
            break;
        }
        run->waits_for_commit = commit_sink(run, run->next_commit, ret_wait) == -EAGAIN;
        if (run->waits_for_commit)
            return VERDICT_WAIT;
    }
    return VERDICT_END;
}
