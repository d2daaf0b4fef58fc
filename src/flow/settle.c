/* The hooks `settle` and `commit` take time, so a task calls them. First the nodes settle: a node with another process
 * or a server behind it says how that side ended. The sources settle one after the other, from the pipeline's source
 * on, because a failure in front is the cause of failures behind it. The sinks settle side by side, because no sink
 * waits for another. Each step of the task asks all nodes again. */
#include "flow/pipeline.h"
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

static bool is_cancelled(const leat_pipeline *p)
{
    return atomic_load(&p->cancelled);
}

/* A cancel comes before a failure, because nodes that take their time after a failure obey a cancel. */
static int code_of(const leat_pipeline *p)
{
    return is_cancelled(p) ? -ECANCELED : p->runner.error.code;
}

static bool has_no_sink_left(const leat_pipeline *p)
{
    return p->sinks && hop_count_live(&pipeline_last_leg(p)->hop) == 0;
}

/* Settles the source of this leg, which may be the far side of a joint. If several sources fail, the first one is the
 * cause. Returns false if the node takes time. */
static bool settle_source(leat_pipeline *p, size_t index, struct wait_set *ret_wait)
{
    struct leg *leg = &p->leg[index];
    if (index > 0 && !p->runner.claimed[leg[-1].joint.index])
        return true; /* the node may serve another pipeline */
    struct leat_error error = {.size = sizeof(error)};
    int code = code_of(p);
    int r = settle(leg->hop.in, code == 0 && has_no_sink_left(p) ? -ECANCELED : code, &error, ret_wait);
    if (r == -EAGAIN || r == 0)
        return r == 0;
    if (p->runner.cause && p->runner.cause != index + 1)
        return true;
    error.offset = leg->hop.taken;
    if (index > 0) {
        error.side = LEAT_SIDE_FILTER;
        error.index = (uint32_t)leg[-1].joint.index;
    }
    p->runner.error = error;
    p->runner.cause = index + 1;
    atomic_store(&p->runner.failed, index + 1);
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

static void settle_sink(leat_pipeline *p, size_t index, struct wait_set *ret_wait)
{
    struct branch *branch = &p->branch[index];
    struct hop *hop = &pipeline_last_leg(p)->hop;
    int r = settle(branch->node, code_of(p), &branch->error, ret_wait);
    if (r == -EAGAIN)
        return;
    take_back(branch);
    if (r == 0 || branch->failed)
        return;
    branch->failed = true;
    branch->error.index = (uint32_t)index;
    branch->error.offset = branch->delivered;
    if (!hop->first_failed)
        hop->first_failed = index + 1;
}

enum verdict settle_next(struct task *task, struct op **ret_op UNUSED, struct wait_set *ret_wait)
{
    leat_pipeline *p = ((struct leg *)((char *)task - offsetof(struct leg, task)))->pipeline;
    if (p->runner.commits)
        return commit_next(p, ret_wait);
    for (size_t i = 0; i < p->legs; i++)
        if (!settle_source(p, i, ret_wait))
            return VERDICT_WAIT;
    for (size_t i = 0; i < p->sinks; i++)
        settle_sink(p, i, ret_wait);
    if (ret_wait->n)
        return VERDICT_WAIT;
    if (is_cancelled(p))
        error_at(&p->runner.error, -ECANCELED, LEAT_SIDE_NONE, "", "cancel", "It was cancelled");
    return commit_next(p, ret_wait);
}
