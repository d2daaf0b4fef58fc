/* Commits the sinks, in their order. A commit that takes time returns -EAGAIN and is called again later. If the run is
 * cancelled meanwhile, each sink that is not committed yet fails and is aborted. */
#include "base/trace.h"
#include "flow/pipeline.h"
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

bool commit_is_vain(const leat_pipeline *p)
{
    size_t failed = 0;
    for (size_t i = 0; i < p->sinks; i++)
        failed += p->branch[i].failed;
    return p->sinks && failed == p->sinks;
}

/* Commits the nodes of the joints, before anything is published: a child confirms that it did well. */
static void commit_joints(leat_pipeline *p)
{
    for (size_t i = 0; i + 1 < p->legs; i++) {
        const struct joint *joint = &p->leg[i].joint;
        struct node *node[] = {joint->into, joint->out};
        for (size_t k = 0; k < COUNT(node); k++) {
            struct leat_error error = {.size = sizeof(error)};
            if (p->runner.error.code || !node[k]->ops->commit || node[k]->ops->commit(node[k], &error) == 0)
                continue;
            p->runner.error = error;
            p->runner.error.side = LEAT_SIDE_FILTER;
            p->runner.error.index = (uint32_t)joint->index;
        }
    }
}

/* Sinks that are committed already stay so. */
static void cancel(leat_pipeline *p)
{
    struct runner *run = &p->runner;
    for (size_t i = run->next_commit; i < p->sinks; i++) {
        struct leat_error error = {.size = sizeof(error)};
        error_at(&error, -ECANCELED, LEAT_SIDE_NONE, "", "cancel", "It was cancelled");
        if (run->committed == 0)
            run->error = error;
        else if (!p->branch[i].failed)
            runner_fail_end(p, i, &error);
    }
    run->next_commit = p->sinks;
}

/* Returns 0 if the sink is committed or has failed; -EAGAIN: the commit takes time, and the call must be made again. */
static int commit_sink(leat_pipeline *p, size_t index, struct wait_set *ret_wait)
{
    struct node *node = p->branch[index].node;
    struct leat_error error = {.size = sizeof(error)};
    int r = node->ops->commit ? node->ops->commit(node, &error) : 0;
    if (r == -EAGAIN) {
        wait_add(ret_wait, &node->port);
        ret_wait->deadline_ns = node->deadline_ns;
        return r;
    }
    if (r < 0)
        runner_fail_end(p, index, &error);
    p->runner.committed += r == 0;
    if (r == 0 && trace_is_on())
        tell(&p->branch[index]);
    return 0;
}

enum verdict commit_next(leat_pipeline *p, struct wait_set *ret_wait)
{
    struct runner *run = &p->runner;
    if (!run->commits) {
        run->commits = true;
        runner_finish_nodes(p);
        if (!commit_is_vain(p))
            commit_joints(p);
    }
    for (; run->next_commit < p->sinks && !run->error.code; run->next_commit++) {
        if (p->branch[run->next_commit].failed)
            continue;
        bool waited = run->waits_for_commit;
        run->waits_for_commit = false;
        if (waited && atomic_load(&p->cancelled)) {
            cancel(p);
            break;
        }
        run->waits_for_commit = commit_sink(p, run->next_commit, ret_wait) == -EAGAIN;
        if (run->waits_for_commit)
            return VERDICT_WAIT;
    }
    return VERDICT_END;
}
