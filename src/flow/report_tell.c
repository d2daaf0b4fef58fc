/* SPDX-License-Identifier: MIT */
/* A report as a line of JSON, and as text. */
#include "base/error.h"
#include "base/json.h"
#include "base/quote.h"
#include "base/text.h"
#include "base/units.h"
#include "flow/learned.h"
#include "flow/report.h"
#include "flow/traffic.h"
#include <errno.h>
#include <stdio.h>

/* ---- as JSON ---- */

static const char *side_name(int32_t side)
{
    static const char *const names[] = {"pipeline", "source", "filter", "sink"};
    return names[side];
}

/* Jansson's integers are signed. */
static json_int_t count(uint64_t n)
{
    return (json_int_t)MIN(n, (uint64_t)INT64_MAX);
}

static json_t *error_json(const struct leat_error *error)
{
    if (error->code == 0)
        return json_null();
    return json_pack("{s:s, s:I, s:o, s:s?, s:i, s:s, s:I, s:I, s:I, s:I, s:o}", "side", side_name(error->side),
                     "index", (json_int_t)error->index, "node", json_name(error->node), "operation", error->operation,
                     "errno", -error->code, "name", leat_errno_name(error->code), "offset", count(error->offset),
                     "taken", count(error->taken), "delivered", count(error->delivered), "held", count(error->held),
                     "text", json_name(error->text));
}

static json_t *digests_json(const leat_report *report)
{
    json_t *list = json_array();
    for (size_t i = 0; i < report->digests; i++) {
        const struct report_digest *d = &report->digest[i];
        json_t *one = json_pack("{s:s, s:s, s:s, s:s?}", "algorithm", d->algorithm, "hex", d->hex, "side",
                                side_name(d->side), "provider", d->provider);
        if (d->why)
            json_set(&one, "provider_why", json_string(d->why));
        json_append(&list, one);
    }
    return list;
}

static json_t *sinks_json(const leat_report *report)
{
    json_t *list = json_array();
    for (size_t i = 0; i < report->sinks; i++) {
        const struct report_branch *sink = &report->sink[i];
        json_append(&list, json_pack("{s:o, s:s, s:I, s:o}", "spec", json_name(sink->to), "status",
                                     report_sink_status(report, sink), "bytes", (json_int_t)sink->delivered, "error",
                                     error_json(&sink->error)));
    }
    return list;
}

static json_t *routes_json(const leat_report *report, const struct report_leg *leg, const uint64_t by_route[ROUTES_MAX])
{
    json_t *list = json_array();
    for (size_t i = 0; i < leg->rungs; i++) {
        const struct route *route = leg->rung[i].route;
        if (by_route[route->id])
            json_append(&list, json_pack("{s:s, s:s, s:I}", "route", route->name, "engine", report->engine, "bytes",
                                         (json_int_t)by_route[route->id]));
    }
    return list;
}

static json_t *rejected_json(const struct report_leg *leg)
{
    json_t *list = json_array();
    for (size_t i = 0; i < leg->rungs; i++)
        if (leg->rung[i].rejected)
            json_append(&list,
                        json_pack("{s:s, s:s}", "route", leg->rung[i].route->name, "reason", leg->rung[i].reason));
    return list;
}

/* Adds the size of a pipe before and after leat made it larger, if there is a pipe. */
static void add_pipe(json_t **hop, const char *was, const char *is, const struct node_pipe *pipe)
{
    if (!pipe->is)
        return;
    json_set(hop, was, json_integer(count(pipe->was)));
    json_set(hop, is, json_integer(count(pipe->is)));
}

static json_t *hops_json(const leat_report *report)
{
    json_t *list = json_array();
    for (size_t i = 0; i < report->branches; i++) {
        const struct report_branch *branch = &report->branch[i];
        const struct report_leg *leg = &report->leg[branch->leg];
        json_t *hop = json_pack("{s:o, s:o, s:I, s:I, s:I, s:I, s:o, s:o}", "from", json_name(leg->from), "to",
                                json_name(branch->to), "taken", (json_int_t)leg->taken, "delivered",
                                (json_int_t)branch->delivered, "held", (json_int_t)branch->held, "discarded",
                                (json_int_t)branch->discarded, "routes", routes_json(report, leg, branch->by_route),
                                "rejected", rejected_json(leg));
        add_pipe(&hop, "from_pipe_was", "from_pipe", &leg->pipe);
        add_pipe(&hop, "to_pipe_was", "to_pipe", &branch->pipe);
        if (branch->spill_top)
            json_set(&hop, "spilled", json_integer(count(branch->spill_top)));
        if (branch->spill_failed)
            json_set(&hop, "spill_why", json_string(leat_errno_name(branch->spill_failed)));
        if (learned_something(&leg->learn))
            json_set(&hop, "learned", learned_json(&leg->learn, leg->rung));
        json_append(&list, hop);
    }
    return list;
}

static void add_stores(json_t **root, const leat_report *report)
{
    json_t *list = json_array();
    if (report->legs && report->leg[0].has_traffic)
        json_append(&list, traffic_json(&report->leg[0].traffic, LEAT_READ, report->leg[0].from));
    for (size_t i = 0; i < report->sinks; i++)
        if (report->sink[i].has_traffic)
            json_append(&list, traffic_json(&report->sink[i].traffic, LEAT_WRITE, report->sink[i].to));
    if (!list || json_array_size(list))
        json_set(root, "stores", list);
    else
        json_decref(list);
}

static void add_buffers(json_t **root, const leat_report *report)
{
    json_t *list = json_array();
    for (size_t i = 0; i < report->buffers; i++) {
        const struct filter_level *level = &report->buffer[i].level;
        json_t *one =
            json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "filter", count(report->buffer[i].filter), "size",
                      count(level->size), "top", count(level->top), "left", count(level->level), "full",
                      count(level->filled), "empty", count(level->emptied), "file", count(level->file_top));
        if (level->file_failed)
            json_set(&one, "file_why", json_string(leat_errno_name(level->file_failed)));
        json_append(&list, one);
    }
    json_set(root, "buffers", list);
}

int leat_report_json(const leat_report *report, char **ret_text)
{
    json_t *root =
        json_pack("{s:s, s:s, s:I, s:f, s:f, s:I, s:I, s:s, s:o, s:o, s:o, s:o}", "type", "report", "status",
                  report->status, "bytes", (json_int_t)report->bytes, "seconds", report->seconds, "cpu_seconds",
                  report->cpu_seconds, "memory_peak", (json_int_t)report->memory_peak, "memory_codecs",
                  (json_int_t)report->memory_codecs, "engine", report->engine, "digests", digests_json(report), "sinks",
                  sinks_json(report), "hops", hops_json(report), "error", error_json(&report->error));
    if (report->engine_why[0])
        json_set(&root, "engine_why", json_string(report->engine_why));
    add_stores(&root, report);
    if (report->buffers)
        add_buffers(&root, report);
    if (report->said.n)
        json_set(&root, "stderr", said_json(&report->said));
    char *line = json_line(root, JSON_COMPACT);
    if (!line)
        return -ENOMEM;
    *ret_text = line;
    return 0;
}

/* ---- for people ---- */

static void print_error(FILE *to, const struct leat_error *error)
{
    fprintf(to, "  %s: ", side_name(error->side));
    quote_print(to, error->node);
    fprintf(to, "%s%s at byte %llu: %s\n", error->node[0] ? ": " : "", error->operation,
            (unsigned long long)error->offset, error->text);
}

static void print_pipe(FILE *to, const char *way, const char *name, const struct node_pipe *pipe)
{
    char was[32], is[32];
    if (pipe->is == pipe->was)
        return;
    fprintf(to, "  pipe %s ", way);
    quote_print(to, name);
    fprintf(to, ": made larger, from %s to %s\n", size_format(pipe->was, was, sizeof(was)),
            size_format(pipe->is, is, sizeof(is)));
}

static void print_spill(FILE *to, const struct report_branch *branch)
{
    char top[32], why[100];
    if (!branch->spill_top && !branch->spill_failed)
        return;
    fprintf(to, "  lagged: up to %s in its file", size_format(branch->spill_top, top, sizeof(top)));
    if (branch->spill_failed)
        fprintf(to, ", which took no more: %s", error_text(branch->spill_failed, why, sizeof(why)));
    fputc('\n', to);
}

static void print_branch(FILE *to, const leat_report *report, const struct report_branch *branch)
{
    const struct report_leg *leg = &report->leg[branch->leg];
    char size[32];
    quote_print(to, leg->from ? leg->from : "?");
    fputs(" -> ", to);
    quote_print(to, branch->to);
    fprintf(to, ": %s, %s", report_sink_status(report, branch), size_format(branch->delivered, size, sizeof(size)));
    for (size_t i = 0; i < leg->rungs; i++) {
        const struct route *route = leg->rung[i].route;
        if (branch->by_route[route->id])
            fprintf(to, ", %s %llu", route->name, (unsigned long long)branch->by_route[route->id]);
    }
    fputc('\n', to);
    print_pipe(to, "to", branch->to, &branch->pipe);
    if (branch->has_traffic)
        traffic_print(to, &branch->traffic);
    if (branch->held || branch->discarded)
        fprintf(to, "  taken %llu = delivered %llu + held %llu + discarded %llu\n", (unsigned long long)leg->taken,
                (unsigned long long)branch->delivered, (unsigned long long)branch->held,
                (unsigned long long)branch->discarded);
    print_spill(to, branch);
    if (branch->failed)
        print_error(to, &branch->error);
}

static void print_buffer(FILE *to, const struct filter_level *level)
{
    char size[32], top[32], why[100];
    fprintf(to, "  buffer of %s: up to %s, full %llu times, empty %llu times",
            size_format(level->size, size, sizeof(size)), size_format(level->top, top, sizeof(top)),
            (unsigned long long)level->filled, (unsigned long long)level->emptied);
    if (level->file_top)
        fprintf(to, ", up to %s in its file", size_format(level->file_top, size, sizeof(size)));
    if (level->file_failed)
        fprintf(to, ", which took no more: %s", error_text(level->file_failed, why, sizeof(why)));
    if (level->level)
        fprintf(to, ", %llu bytes left in it", (unsigned long long)level->level);
    fputc('\n', to);
}

static void print_leg(FILE *to, const leat_report *report, const struct report_leg *leg)
{
    for (size_t i = 0; i < report->branches; i++)
        if (&report->leg[report->branch[i].leg] == leg)
            print_branch(to, report, &report->branch[i]);
    if (leg->from)
        print_pipe(to, "from", leg->from, &leg->pipe);
    if (learned_something(&leg->learn))
        learned_print(to, &leg->learn, leg->rung);
    for (size_t i = 0; i < leg->rungs; i++)
        if (leg->rung[i].rejected)
            fprintf(to, "  not %s: %s\n", leg->rung[i].route->name, leg->rung[i].reason);
}

int leat_report_text(const leat_report *report, char **ret_text)
{
    char *text = NULL, size[32];
    size_t n;
    FILE *to = open_memstream(&text, &n);
    if (!to)
        return -ENOMEM;
    for (size_t i = 0; i < report->legs; i++)
        print_leg(to, report, &report->leg[i]);
    if (report->legs && report->leg[0].has_traffic)
        traffic_print(to, &report->leg[0].traffic);
    for (size_t i = 0; i < report->buffers; i++)
        print_buffer(to, &report->buffer[i].level);
    if (report->engine_why[0])
        fprintf(to, "  engine %s: %s\n", report->engine, report->engine_why);
    for (size_t i = 0; i < report->digests; i++)
        fprintf(to, "  %s %s (%s%s%s)\n", report->digest[i].algorithm, report->digest[i].hex,
                report->digest[i].provider, report->digest[i].why ? "; " : "",
                report->digest[i].why ? report->digest[i].why : "");
    if (report->error.code && (report->of_run || report->sinks == 0))
        print_error(to, &report->error);
    said_print(to, &report->said);
    double rate = report->seconds > 0 ? (double)report->bytes / report->seconds : 0;
    fprintf(to, "%s: %llu bytes in %.3f s, %s/s, %.3f s of processor time\n", report->status,
            (unsigned long long)report->bytes, report->seconds, size_format((uint64_t)rate, size, sizeof(size)),
            report->cpu_seconds);
    if (text_close(to, &text) < 0)
        return -ENOMEM;
    *ret_text = text;
    return 0;
}
