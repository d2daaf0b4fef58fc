/* SPDX-License-Identifier: MIT */
/* The report: a copy of what happened, which does not need the pipeline any more. */
#include "flow/report.h"
#include "base/error.h"
#include <errno.h>
#include <stdio.h>
#include <strings.h>

/* ---- making it ---- */

/* Returns the side whose bytes the filter at this place sees. If no filter that changes the bytes is behind it, these
 * are the sink's bytes; otherwise, if none is before it, the source's. */
static enum leat_side side_of_filter(const struct parts *parts, size_t place)
{
    bool before = false, behind = false;
    for (size_t i = 0; i < parts->filters; i++)
        if (filter_changes(parts->filter[i])) {
            before |= i < place;
            behind |= i > place;
        }
    return !behind ? LEAT_SIDE_SINK : !before ? LEAT_SIDE_SOURCE : LEAT_SIDE_FILTER;
}

/* Returns 0: the digest was added; -ENOENT: the filter has no more; or another negative errno. */
static int take_digest(leat_report *report, const struct parts *parts, size_t filter, size_t index)
{
    struct report_digest d = {.side = side_of_filter(parts, filter)};
    const char *algorithm;
    int r = parts->filter[filter]->ops->result(parts->filter[filter], index, &algorithm, d.hex, sizeof(d.hex),
                                               &d.provider, &d.why);
    if (r < 0)
        return r;
    struct report_digest *more = realloc(report->digest, (report->digests + 1) * sizeof(*more));
    if (!more)
        return -ENOMEM;
    report->digest = more;
    snprintf(d.algorithm, sizeof(d.algorithm), "%s", algorithm);
    report->digest[report->digests++] = d;
    return 0;
}

void report_take_digests(leat_report *report, const struct parts *parts, struct leat_error *error)
{
    char buffer[128];
    for (size_t i = 0; i < parts->filters; i++) {
        const struct filter_ops *ops = parts->filter[i]->ops;
        int r = 0;
        for (size_t k = 0; ops->result && r == 0; k++)
            r = take_digest(report, parts, i, k);
        if (r < 0 && r != -ENOENT) {
            error_place(error, i, 0);
            error_at(error, r, LEAT_SIDE_FILTER, ops->name, "finish", "A digest can't be finished: %s",
                     error_text(r, buffer, sizeof(buffer)));
        }
    }
}

static void take_branch(struct report_branch *to, const struct branch *from, uint64_t taken)
{
    to->failed = from->failed;
    to->error = from->error;
    to->error.size = sizeof(to->error);
    error_node(&to->error, to->to);
    to->error.taken = taken;
    to->error.delivered = to->delivered = from->delivered;
    to->error.held = to->held = from->held;
    to->discarded = from->discarded;
    to->spill_top = from->spill.top;
    to->spill_failed = from->spill.failed;
    to->pipe = from->node->pipe;
    to->has_traffic = from->node->traffic != NULL;
    if (to->has_traffic)
        to->traffic = *from->node->traffic;
    memcpy(to->by_route, from->by_route, sizeof(to->by_route));
}

static void take_leg(leat_report *report, size_t index, const struct hop *hop)
{
    struct report_leg *leg = &report->leg[index];
    leg->taken = hop->taken;
    if (hop->in)
        leg->pipe = hop->in->pipe;
    leg->has_traffic = hop->in && hop->in->traffic;
    if (leg->has_traffic)
        leg->traffic = *hop->in->traffic;
    leg->learn = hop->learn;
    leg->rungs = hop->rungs;
    memcpy(leg->rung, hop->rung, sizeof(leg->rung));
    report->memory_peak += hop->budget->peak; /* the sum of the legs' peaks, so the real peak may be lower */
    for (size_t i = 0, k = 0; i < report->branches; i++)
        if (report->branch[i].leg == index)
            take_branch(&report->branch[i], &hop->branch[k++], leg->taken);
}

static bool name_leg(leat_report *report, size_t index, const struct hop *hop)
{
    bool all = !hop->in || (report->leg[index].from = strdup(hop->in->name));
    for (size_t i = 0; i < hop->branches && all; i++) {
        struct report_branch *branch = &report->branch[report->branches];
        branch->leg = index;
        all = (branch->to = strdup(hop->branch[i].node->name));
        report->branches += all;
    }
    return all;
}

static int make_room(leat_report *report, const struct plan *plan)
{
    const struct parts *parts = plan->parts;
    for (size_t i = 0; i < parts->filters; i++)
        report->buffers += parts->filter[i]->ops->level != NULL;
    report->buffer = report->buffers ? calloc(report->buffers, sizeof(report->buffer[0])) : NULL;
    if (report->buffers && !report->buffer)
        return -ENOMEM;
    report->legs = plan->legs;
    report->sinks = plan->parts->sinks;
    report->leg = calloc(plan->legs, sizeof(report->leg[0]));
    report->branch = calloc(plan->legs + plan->parts->sinks, sizeof(report->branch[0]));
    if (!plan->legs || !report->leg || !report->branch)
        return -ENOMEM;
    report->sink = report->branch + plan->legs - 1;
    for (size_t i = 0; i < plan->legs; i++)
        if (!name_leg(report, i, &plan->leg[i].hop))
            return -ENOMEM;
    return 0;
}

static void take_levels(leat_report *report, const struct parts *parts)
{
    for (size_t i = 0, n = 0; i < parts->filters; i++) {
        if (!parts->filter[i]->ops->level)
            continue;
        report->buffer[n].filter = parts_filter_number(parts, i);
        parts->filter[i]->ops->level(parts->filter[i], &report->buffer[n++].level);
    }
}

static void take_said(leat_report *report, const struct run *run)
{
    for (size_t i = 0; i < run->plan->legs; i++)
        said_take(&report->said, run->leg[i].hop.in);
    for (size_t i = 0; i < run->plan->parts->sinks; i++)
        said_take(&report->said, run->branch[i].node);
}

static uint64_t bytes_of(const leat_report *report)
{
    uint64_t good = UINT64_MAX, all = UINT64_MAX;
    for (size_t i = 0; i < report->sinks; i++) {
        all = MIN(all, report->sink[i].delivered);
        if (!report->sink[i].failed)
            good = MIN(good, report->sink[i].delivered);
    }
    return report->sinks == 0 ? report->leg[report->legs - 1].taken : good != UINT64_MAX ? good : all;
}

leat_report *report_new(const struct plan *plan)
{
    leat_report *report = calloc(1, sizeof(*report));
    if (report && make_room(report, plan) == 0)
        return report;
    leat_report_free(report);
    return NULL;
}

void report_fill(leat_report *report, const struct run *run, const struct leat_error *error,
                 const struct verdict_of_run *verdict)
{
    report->error = *error;
    report->status = verdict->status;
    report->code = verdict->code;
    report->of_run = run->error.code != 0;
    report->aborted = report->of_run && run->committed == 0;
    report->seconds = verdict->seconds;
    report->cpu_seconds = verdict->cpu_seconds;
    report->memory_codecs = plan_codecs(run->plan);
    report->engine = run->engine->name;
    snprintf(report->engine_why, sizeof(report->engine_why), "%s", run->engine_why);
    for (size_t i = 0; i < run->plan->legs; i++)
        take_leg(report, i, &run->leg[i].hop);
    report->bytes = bytes_of(report);
    take_levels(report, run->plan->parts);
    take_said(report, run);
}

int leat_report_from_error(leat_report **ret_report, const struct leat_error *error)
{
    struct leat_error own;
    int r = options_copy(&own, sizeof(own), error);
    if (r == 0)
        r = enum_check(own.side, LEAT_SIDE_SINK);
    if (r == 0 && (own.code == 0 || error_of_answer(own.code) != own.code))
        r = -EINVAL;
    if (r < 0)
        return r;
    leat_report *report = calloc(1, sizeof(*report));
    if (!report)
        return -ENOMEM;
    report->error = own;
    report->error.text[sizeof(own.text) - 1] = '\0';
    report->error.node[sizeof(own.node) - 1] = '\0';
    report->error.operation[sizeof(own.operation) - 1] = '\0';
    report->code = own.code;
    report->status = "failed";
    report->engine = "none";
    *ret_report = report;
    return 0;
}

/* ---- asking it ---- */

const char *report_sink_status(const leat_report *report, const struct report_branch *sink)
{
    return sink->failed ? "failed" : report->aborted ? report->status : "done";
}

int leat_report_digest(const leat_report *report, const char *algorithm, char *hex, size_t capacity)
{
    for (size_t i = 0; i < report->digests; i++)
        if (strcasecmp(report->digest[i].algorithm, algorithm) == 0) {
            if (strlen(report->digest[i].hex) >= capacity)
                return -ENOSPC;
            strcpy(hex, report->digest[i].hex);
            return 0;
        }
    return -ENODATA;
}

int leat_report_digest_at(const leat_report *report, size_t index, const char **ret_algorithm, const char **ret_hex)
{
    if (index >= report->digests)
        return -ENOENT;
    *ret_algorithm = report->digest[index].algorithm;
    *ret_hex = report->digest[index].hex;
    return 0;
}

enum leat_side leat_report_digest_side(const leat_report *report, size_t index)
{
    return index < report->digests ? report->digest[index].side : LEAT_SIDE_NONE;
}

const struct leat_error *leat_report_error(const leat_report *report)
{
    return report->error.code ? &report->error : NULL;
}

const struct leat_error *leat_report_sink_error(const leat_report *report, size_t index)
{
    return index < report->sinks && report->sink[index].failed ? &report->sink[index].error : NULL;
}

uint64_t leat_report_bytes(const leat_report *report)
{
    return report->bytes;
}

void leat_report_free(leat_report *report)
{
    if (!report)
        return;
    for (size_t i = 0; i < report->branches; i++)
        free(report->branch[i].to);
    for (size_t i = 0; report->leg && i < report->legs; i++)
        free(report->leg[i].from);
    free(report->branch);
    free(report->leg);
    free(report->buffer);
    said_free(&report->said);
    free(report->digest);
    free(report);
}
