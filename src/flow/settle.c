/* SPDX-License-Identifier: MIT */
/* The hooks `settle` and `commit` take time, so a task calls them. First the nodes settle: a node with another process
 * or a server behind it says how that side ended. The sources settle one after the other, from the pipeline's source
 * on, because a failure in front is the cause of failures behind it. The sinks settle side by side, because no sink
 * waits for another. Each step of the task asks all nodes again. */
#include "flow/settle.h"
#include "flow/commit.h"
#include "flow/failure.h"
#include <errno.h>

static int settle(struct node *node, int code, struct leat_error *error, struct wait_set *ret_wait)
{
    int r = node->ops->settle ? node->ops->settle(node, code, error) : 0;
    if (r != -EAGAIN)
        return r;
    wait_add(ret_wait, &node->port);
    if (node->deadline_ns)
        ret_wait->deadline_ns =
            ret_wait->deadline_ns ? MIN(ret_wait->deadline_ns, node->deadline_ns) : node->deadline_ns;
    return r;
}

static bool is_cancelled(const struct run *run)
{
    return atomic_load(&run->cancelled);
}

/* A cancel comes before a failure, because nodes that take their time after a failure obey a cancel. */
static int code_of(const struct run *run)
{
    return is_cancelled(run) ? -ECANCELED : run->error.code;
}

/* Settles the source of this leg, which may be the far side of a joint. Returns false if the node takes time. */
static bool settle_source(struct run *run, size_t index, struct wait_set *ret_wait)
{
    const struct leg *leg = &run->leg[index];
    const struct joint *joint = index > 0 ? leg[-1].plan->joint : NULL;
    if (joint && !run->claimed[joint->index])
        return true; /* the node may serve another pipeline */
    struct leat_error error = {.size = sizeof(error)};
    int code = code_of(run);
    int r = settle(leg->hop.in, code == 0 && failure_has_all_sinks(run) ? -ECANCELED : code, &error, ret_wait);
    if (r == -EAGAIN || r == 0)
        return r == 0;
    error.offset = leg->hop.taken;
    if (joint) {
        error.side = LEAT_SIDE_FILTER;
        error.index = (uint32_t)joint->index;
    }
    failure_of_cause(run, index, &error);
    return true;
}

/* Bytes that the other side has left unread were not delivered after all: counts them as held. */
static void take_back(struct branch *branch)
{
    uint64_t n = MIN(branch->node->unread, branch->delivered);
    branch->node->unread = 0;
    branch->delivered -= n;
    branch->held += n;
    if (branch->failed && n)
        branch->error.offset = branch->delivered;
}

static void settle_sink(struct run *run, size_t index, struct wait_set *ret_wait)
{
    struct branch *branch = &run->branch[index];
    struct leat_error error = branch->error;
    int r = settle(branch->node, code_of(run), &error, ret_wait);
    if (r == -EAGAIN)
        return;
    if (r < 0 && !branch->failed)
        error.offset = branch->delivered;
    if (r < 0) /* a sink that had failed gets the cause of that */
        failure_of_sink(run, index, &error);
    take_back(branch);
}

enum verdict settle_next(struct task *task, struct op **ret_op UNUSED, struct wait_set *ret_wait)
{
    struct run *run = run_leg_of(task)->run;
    if (run->commits)
        return commit_next(run, ret_wait);
    for (size_t i = 0; i < run->plan->legs; i++)
        if (!settle_source(run, i, ret_wait))
            return VERDICT_WAIT;
    for (size_t i = 0; i < run->plan->parts->sinks; i++)
        settle_sink(run, i, ret_wait);
    if (ret_wait->n)
        return VERDICT_WAIT;
    if (is_cancelled(run))
        failure_by_cancel(run);
    return commit_next(run, ret_wait);
}
