/* SPDX-License-Identifier: MIT */
/* The numbers of a report, as structs. */
#include "flow/report.h"
#include <errno.h>
#include <leat/report.h>

int leat_report_totals(const leat_report *report, struct leat_totals *ret_totals)
{
    struct leat_totals totals = {
        .code = report->code,
        .hops = (uint32_t)report->branches,
        .sinks = (uint32_t)report->sinks,
        .digests = (uint32_t)report->digests,
        .bytes = report->bytes,
        .seconds = report->seconds,
        .cpu_seconds = report->cpu_seconds,
        .memory_peak = report->memory_peak,
        .memory_codecs = report->memory_codecs,
        .buffers = (uint32_t)report->buffers,
    };
    return return_sized(ret_totals, &totals, sizeof(totals));
}

/* Returns the route with this number among those that moved bytes of the branch; NULL: there are not so many. */
static const struct route *find_route(const leat_report *report, const struct report_branch *branch, size_t index)
{
    const struct report_leg *leg = &report->leg[branch->leg];
    for (size_t i = 0; i < leg->rungs; i++)
        if (branch->by_route[leg->rung[i].route->id] && index-- == 0)
            return leg->rung[i].route;
    return NULL;
}

int leat_report_hop_at(const leat_report *report, size_t index, struct leat_hop *ret_hop)
{
    if (index >= report->branches)
        return -ENOENT;
    const struct report_branch *branch = &report->branch[index];
    struct leat_hop hop = {
        .from = report->leg[branch->leg].from,
        .to = branch->to,
        .taken = report->leg[branch->leg].taken,
        .delivered = branch->delivered,
        .held = branch->held,
        .discarded = branch->discarded,
        .changes = report->leg[branch->leg].learn.trial.changes,
        .from_pipe_was = report->leg[branch->leg].pipe.was,
        .from_pipe = report->leg[branch->leg].pipe.is,
        .to_pipe_was = branch->pipe.was,
        .to_pipe = branch->pipe.is,
    };
    while (find_route(report, branch, hop.routes))
        hop.routes++;
    return return_sized(ret_hop, &hop, sizeof(hop));
}

int leat_report_route_at(const leat_report *report, size_t hop, size_t index, struct leat_hop_route *ret_route)
{
    const struct route *found = hop < report->branches ? find_route(report, &report->branch[hop], index) : NULL;
    if (!found)
        return -ENOENT;
    struct leat_hop_route route = {
        .route = found->name, .engine = report->engine, .bytes = report->branch[hop].by_route[found->id]};
    return return_sized(ret_route, &route, sizeof(route));
}

int leat_report_sink_at(const leat_report *report, size_t index, struct leat_sink_outcome *ret_outcome)
{
    if (index >= report->sinks)
        return -ENOENT;
    const struct report_branch *sink = &report->sink[index];
    struct leat_sink_outcome outcome = {
        .spec = sink->to,
        .status = report_sink_status(report, sink),
        .bytes = sink->delivered,
        .error = sink->error.code ? &sink->error : NULL,
        .spilled = sink->spill_top,
        .spill_code = sink->spill_failed,
    };
    return return_sized(ret_outcome, &outcome, sizeof(outcome));
}

int leat_report_buffer_at(const leat_report *report, size_t index, struct leat_buffer_outcome *ret_outcome)
{
    if (index >= report->buffers)
        return -ENOENT;
    const struct filter_level *level = &report->buffer[index].level;
    struct leat_buffer_outcome outcome = {
        .bytes = level->size,
        .top = level->top,
        .left = level->level,
        .full = level->filled,
        .empty = level->emptied,
        .file = level->file_top,
        .file_code = level->file_failed,
        .filter = (uint32_t)report->buffer[index].filter,
    };
    return return_sized(ret_outcome, &outcome, sizeof(outcome));
}
