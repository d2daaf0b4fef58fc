/* The end of a run, in this order: the filters finish and the routes stop, digests are verified, the nodes settle
 * (settle.c), sinks are finished, and then sinks are committed (commit.c). Only then is the source committed. At last
 * each node is closed once, after one `abort` if the node or the run has failed. The report is filled last. */
#include "flow/pipeline.h"
#include <errno.h>
#include <strings.h>

/* The failure of the leg that failed first is the failure of the run, because it stopped the other legs. */
static void let_go(leat_pipeline *p)
{
    struct runner *run = &p->runner;
    size_t failed = atomic_load(&run->failed);
    for (size_t i = 0; i < p->legs && !run->error.code; i++)
        if (!failed || failed == i + 1)
            run->error = leg_failure(&p->leg[i]);
    int code = run->error.code;
    for (size_t i = 0; i < run->started; i++) {
        leat_filter *filter = p->filter[i];
        struct leat_error error = {.size = sizeof(error)};
        if (filter->ops->finish && filter->ops->finish(filter, code, &error) < 0 && !run->error.code) {
            error.side = LEAT_SIDE_FILTER;
            error.index = (uint32_t)i;
            run->error = error;
        }
    }
    for (size_t i = 0; i < p->legs; i++)
        leg_let_go(&p->leg[i]);
}

void runner_fail_end(leat_pipeline *p, size_t index, struct leat_error *error)
{
    error->offset = p->branch[index].delivered;
    runner_fail_sink(p, index, error);
}

static void uncache(leat_pipeline *p, size_t index)
{
    struct branch *branch = &p->branch[index];
    struct leat_error error = {.size = sizeof(error)};
    int r = cache_end_sink(&pipeline_last_leg(p)->hop, branch);
    if (r == 0)
        return;
    error_at(&error, r, LEAT_SIDE_SINK, branch->node->name, "sync_file_range",
             "The disk did not take what was written");
    runner_fail_end(p, index, &error);
}

void runner_finish_nodes(leat_pipeline *p)
{
    if (runner_is_over(p))
        return;
    struct node *in = pipeline_source(p);
    if (in->ops->finish)
        in->ops->finish(in, leg_delivered(&p->leg[0]), &p->runner.error);
    for (size_t i = 0; i < p->sinks; i++) {
        struct branch *branch = &p->branch[i];
        struct leat_error error = {.size = sizeof(error)};
        if (!branch->failed && branch->node->ops->finish &&
            branch->node->ops->finish(branch->node, branch->delivered, &error) < 0)
            runner_fail_end(p, i, &error);
        if (!branch->failed)
            uncache(p, i);
    }
}

/* Returns the place of the filter that has this digest, or -ENOENT. */
static int value_of(const leat_pipeline *p, const char *algorithm, char hex[LEAT_DIGEST_HEX_MAX])
{
    for (size_t i = 0; i < p->filters; i++)
        if (p->filter[i]->ops->result && leat_filter_digest_hex(p->filter[i], algorithm, hex, LEAT_DIGEST_HEX_MAX) == 0)
            return (int)i;
    return -ENOENT;
}

/* Says where the bytes are, for a run whose digest is not the expected one. */
static const char *what_was_published(const leat_pipeline *p)
{
    size_t aside = 0;
    for (size_t i = 0; i < p->sinks; i++)
        aside += p->branch[i].node->fresh || p->branch[i].node->traffic;
    if (p->sinks == 0)
        return "";
    if (aside == p->sinks)
        return "; nothing was published";
    return aside ? "; no new file was published, the other sinks have the bytes" : "; the bytes were written already";
}

static void mismatch(leat_pipeline *p, size_t place, const char *algorithm, const char *hex)
{
    if (p->runner.error.code)
        return;
    error_at(&p->runner.error, -EBADMSG, LEAT_SIDE_FILTER, "digest", "verify",
             "The %s digest is %.40s%s, not the expected one%s", algorithm, hex, strlen(hex) > 40 ? "..." : "",
             what_was_published(p));
    p->runner.error.index = (uint32_t)place;
}

static void verify(leat_pipeline *p)
{
    for (size_t i = 0; i < p->expectations; i++) {
        const struct expectation *e = &p->expectation[i];
        char hex[LEAT_DIGEST_HEX_MAX];
        int r = value_of(p, e->algorithm, hex);
        if (r < 0)
            error_at(&p->runner.error, r, LEAT_SIDE_FILTER, "digest", "verify", "There is no %s digest to compare",
                     e->algorithm);
        else if (strcasecmp(hex, e->hex) != 0)
            mismatch(p, (size_t)r, e->algorithm, hex);
    }
}

static void end_node(struct node *node, int code, uint64_t delivered)
{
    if (code && node->ops->abort)
        node->ops->abort(node, code, delivered);
    if (node->ops->close)
        node->ops->close(node);
}

static void end_sink(leat_pipeline *p, struct branch *branch, int code)
{
    struct leat_error *error = branch->failed ? &branch->error : &p->runner.error;
    end_node(branch->node, branch->failed ? branch->error.code : code, branch->delivered);
    if (branch->node->left) /* the error also tells what the abort could not undo */
        error_note(error, branch->node->name, branch->node->left);
}

/* Nodes that were never opened get `abort` and `close` as well, because the program that handed one in must learn how
 * it ended. The commit of the source comes last, so if it fails, the other nodes are committed and stay so. */
static void end_nodes(leat_pipeline *p)
{
    struct runner *run = &p->runner;
    struct node *in = pipeline_source(p);
    int code = run->error.code ? run->error.code : commit_is_vain(p) ? -ECANCELED : 0;
    bool source_failed = in && !code && in->ops->commit && in->ops->commit(in, &run->error) < 0;
    for (size_t i = 0; i < p->sinks; i++)
        end_sink(p, &p->branch[i], code);
    for (size_t i = 0; i + 1 < p->legs; i++) {
        if (!run->claimed[p->leg[i].joint.index])
            continue; /* its nodes may serve another pipeline */
        end_node(p->leg[i].joint.into, code, p->leg[i].into.delivered);
        end_node(p->leg[i].joint.out, code, p->leg[i + 1].hop.taken);
    }
    if (in)
        end_node(in, source_failed ? run->error.code : code, p->legs ? leg_delivered(&p->leg[0]) : 0);
}

static void add_numbers(struct leat_error *error, const struct leg *leg, const struct branch *branch)
{
    error->taken = leg->hop.taken;
    error->delivered = error->side == LEAT_SIDE_SINK && branch ? branch->delivered : leg_delivered(leg);
    if (!branch && leg->hop.branches)
        branch = leg->hop.branch;
    error->held = branch ? branch->held : 0;
}

/* Returns the error of the run, with the numbers of its leg. */
static struct leat_error first_failure(const leat_pipeline *p)
{
    struct leat_error error = p->runner.error;
    size_t failed = atomic_load(&p->runner.failed);
    if (p->legs) {
        const struct leg *leg = failed ? &p->leg[failed - 1] : pipeline_last_leg(p);
        const struct branch *branch = leg->hop.first_failed ? &leg->hop.branch[leg->hop.first_failed - 1] : NULL;
        if (!error.code && branch)
            error = branch->error;
        add_numbers(&error, leg, branch);
    }
    error.size = sizeof(error);
    if (error.side == LEAT_SIDE_FILTER)
        error.index = (uint32_t)pipeline_filter_number(p, error.index);
    error.node = error.node ? error.node : "";
    error.operation = error.operation ? error.operation : "";
    return error;
}

/* File systems and decoders report -EBADMSG as well. */
static bool is_mismatch(const struct leat_error *error)
{
    return error->code == -EBADMSG && strcmp(error->operation, "verify") == 0;
}

static void fill_report(leat_pipeline *p)
{
    struct leat_error error = first_failure(p);
    struct verdict_of_run verdict = {
        .code = error.code,
        .status = error.code == 0            ? "done"
                  : is_mismatch(&error)      ? "mismatch"
                  : error.code == -ECANCELED ? "cancelled"
                                             : "failed",
        .seconds = (double)(clock_ns() - p->began_ns) / 1e9,
        .cpu_seconds = runner_cpu_seconds() - p->cpu_began,
    };
    p->result = error.code;
    report_fill(p->report, p, &error, &verdict);
}

static void end_settled(struct task *task)
{
    leat_pipeline *p = ((struct leg *)((char *)task - offsetof(struct leg, task)))->pipeline;
    end_nodes(p);
    fill_report(p);
    for (size_t i = 0; i < p->filters; i++)
        if (p->runner.claimed[i]) /* the report has its value */
            atomic_store(&p->filter[i]->busy, false);
    p->tell(p);
}

void runner_end(leat_pipeline *p)
{
    struct task *task = &p->leg[0].task;
    let_go(p);
    if (!runner_is_over(p))
        report_take_digests(p->report, p, &p->runner.error);
    if (!runner_is_over(p))
        verify(p);
    task->next = settle_next;
    task->ended = end_settled;
    loop_add(atomic_load(&p->leg[0].loop), task);
}

void runner_give_up(leat_pipeline *p)
{
    end_nodes(p);
    fill_report(p);
    p->tell(p);
}
