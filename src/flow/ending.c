/* SPDX-License-Identifier: MIT */
/* The end of a run, in this order: the filters finish and the routes stop, digests are verified, the nodes settle
 * (settle.c), sinks are finished, and then sinks are committed (commit.c). Only then is the source committed. At last
 * each node is closed once, after one `abort` if the node or the run has failed. The report is filled last. */
#include "flow/ending.h"
#include "flow/failure.h"
#include "flow/leg.h"
#include "flow/report.h"
#include "flow/settle.h"
#include <errno.h>
#include <strings.h>

/* The failure of the leg that failed first is the failure of the run, because it stopped the other legs. */
static void let_go(struct run *run)
{
    size_t failed = atomic_load(&run->failed);
    for (size_t i = 0; i < run->plan->legs; i++) {
        struct leat_error error = leg_failure(&run->leg[i]);
        if (!failed || failed == i + 1)
            failure_of_run(run, &error);
    }
    int code = run->error.code;
    for (size_t i = 0; i < run->started; i++) {
        leat_filter *filter = run->plan->parts->filter[i];
        struct leat_error error = {.size = sizeof(error)};
        if (filter->ops->finish && filter->ops->finish(filter, code, &error) < 0)
            failure_of_filter(run, i, &error);
    }
    for (size_t i = 0; i < run->plan->legs; i++)
        leg_let_go(&run->leg[i]);
}

/* Returns the place of the filter that has this digest, or -ENOENT. */
static int value_of(const struct parts *parts, const char *algorithm, char hex[LEAT_DIGEST_HEX_MAX])
{
    for (size_t i = 0; i < parts->filters; i++)
        if (parts->filter[i]->ops->result &&
            leat_filter_digest_hex(parts->filter[i], algorithm, hex, LEAT_DIGEST_HEX_MAX) == 0)
            return (int)i;
    return -ENOENT;
}

/* Says where the bytes are, for a run whose digest is not the expected one. */
static const char *what_was_published(const struct parts *parts)
{
    size_t aside = 0;
    for (size_t i = 0; i < parts->sinks; i++)
        aside += parts->sink[i]->node.fresh || parts->sink[i]->node.traffic;
    if (parts->sinks == 0)
        return "";
    if (aside == parts->sinks)
        return "; nothing was published";
    return aside ? "; no new file was published, the other sinks have the bytes" : "; the bytes were written already";
}

static void verify_one(struct run *run, const struct expectation *e)
{
    const struct parts *parts = run->plan->parts;
    struct leat_error error = {.size = sizeof(error)};
    char hex[LEAT_DIGEST_HEX_MAX];
    int place = value_of(parts, e->algorithm, hex);
    if (place < 0)
        error_at(&error, place, LEAT_SIDE_FILTER, "digest", "verify", "There is no %s digest to compare", e->algorithm);
    else if (strcasecmp(hex, e->hex) != 0)
        error_at(&error, -EBADMSG, LEAT_SIDE_FILTER, "digest", "verify",
                 "The %s digest is %.40s%s, not the expected one%s", e->algorithm, hex, strlen(hex) > 40 ? "..." : "",
                 what_was_published(parts));
    failure_of_filter(run, place < 0 ? 0 : (size_t)place, &error);
}

static void verify(struct run *run)
{
    for (size_t i = 0; i < run->plan->parts->expectations; i++)
        verify_one(run, &run->plan->parts->expectation[i]);
}

static void end_node(struct node *node, int code, uint64_t delivered)
{
    if (code && node->ops->abort)
        node->ops->abort(node, code, delivered);
    if (node->ops->close)
        node->ops->close(node);
}

/* The error also tells what the abort could not undo. */
static void end_sink(struct run *run, struct branch *branch, int code)
{
    struct leat_error *error = branch->failed ? &branch->error : &run->error;
    end_node(branch->node, branch->failed ? branch->error.code : code, branch->delivered);
    if (branch->node->left)
        error_note(error, branch->node->name, branch->node->left);
}

/* The nodes of a joint that this run has not claimed may serve another pipeline. */
static void end_joints(struct run *run, int code)
{
    for (size_t i = 0; i + 1 < run->plan->legs; i++) {
        const struct joint *joint = run->plan->leg[i].joint;
        if (!run->claimed[joint->index])
            continue;
        end_node(joint->into, code, run->leg[i].into.delivered);
        end_node(joint->out, code, run->leg[i + 1].hop.taken);
    }
}

/* Returns the code with which the source ends. */
static int commit_source(struct run *run, struct node *in)
{
    struct leat_error error = {.size = sizeof(error)};
    if (in->ops->commit && in->ops->commit(in, &error) < 0)
        failure_of_run(run, &error);
    return run->error.code;
}

/* Nodes that were never opened get `abort` and `close` as well, because the program that handed one in must learn how
 * it ended. The commit of the source comes last, so if it fails, the other nodes are committed and stay so. */
static void end_nodes(struct run *run)
{
    struct node *in = parts_source(run->plan->parts);
    int code = run->error.code ? run->error.code : failure_has_all_sinks(run) ? -ECANCELED : 0;
    int source_code = in && !code ? commit_source(run, in) : code;
    for (size_t i = 0; i < run->plan->parts->sinks; i++)
        end_sink(run, &run->branch[i], code);
    end_joints(run, code);
    if (in)
        end_node(in, source_code, leg_delivered(&run->leg[0]));
    if (in && in->left)
        error_note(&run->error, in->name, in->left);
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
static struct leat_error first_failure(const struct run *run)
{
    struct leat_error error = run->error;
    size_t failed = atomic_load(&run->failed);
    const struct leg *leg = failed ? &run->leg[failed - 1] : run_last_leg(run);
    const struct branch *branch = leg->hop.first_failed ? &leg->hop.branch[leg->hop.first_failed - 1] : NULL;
    if (!error.code && branch)
        error = branch->error;
    add_numbers(&error, leg, branch);
    error.size = sizeof(error);
    if (error.side == LEAT_SIDE_FILTER)
        error.index = (uint32_t)parts_filter_number(run->plan->parts, error.index);
    return error;
}

/* File systems and decoders report -EBADMSG as well. */
static bool is_mismatch(const struct leat_error *error)
{
    return error->code == -EBADMSG && strcmp(error->operation, "verify") == 0;
}

static void fill_report(struct run *run)
{
    struct leat_error error = first_failure(run);
    struct verdict_of_run verdict = {
        .code = error.code,
        .status = error.code == 0            ? "done"
                  : is_mismatch(&error)      ? "mismatch"
                  : error.code == -ECANCELED ? "cancelled"
                                             : "failed",
        .seconds = (double)(clock_ns() - run->began_ns) / 1e9,
        .cpu_seconds = run_cpu_seconds() - run->cpu_began,
    };
    run->result = error.code;
    report_fill(run->report, run, &error, &verdict);
}

void ending_give_up(struct run *run)
{
    end_nodes(run);
    fill_report(run);
    run->tell(run);
}

static void end_settled(struct task *task)
{
    struct run *run = run_leg_of(task)->run;
    const struct parts *parts = run->plan->parts;
    end_nodes(run);
    fill_report(run);
    for (size_t i = 0; i < parts->filters; i++)
        if (run->claimed[i]) /* the report has its value */
            atomic_store(&parts->filter[i]->busy, false);
    run->tell(run);
}

void ending_begin(struct run *run)
{
    struct task *task = &run->leg[0].task;
    struct leat_error error = {.size = sizeof(error)};
    let_go(run);
    if (!failure_is_there(run)) {
        report_take_digests(run->report, run->plan->parts, &error);
        failure_of_run(run, &error);
    }
    if (!failure_is_there(run))
        verify(run);
    task->next = settle_next;
    task->ended = end_settled;
    loop_add(atomic_load(&run->leg[0].loop), task);
}
