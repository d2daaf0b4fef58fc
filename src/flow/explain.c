/* SPDX-License-Identifier: MIT */
/* The plan as text and as JSON. */
#include "base/json.h"
#include "base/quote.h"
#include "base/text.h"
#include "base/units.h"
#include "flow/pipeline.h"
#include "flow/traffic.h"
#include <errno.h>
#include <stdio.h>

static uint64_t pipe_memory(const struct plan *plan)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < plan->legs; i++) {
        const struct hop *hop = &plan->leg[i].hop;
        bool direct = hop->branches == 1 && (hop->in->kind == NODE_PIPE || hop->branch[0].node->kind == NODE_PIPE);
        sum += hop_route(hop)->id == ROUTE_SPLICE && !direct ? hop->budget->limit / 2 : 0;
    }
    return sum;
}

/* The chunk route works for every hop, so the hop never reaches a route behind it. */
static bool is_behind_chunk(const struct hop *hop, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (hop->rung[k].route->id == ROUTE_CHUNK)
            return true;
    return false;
}

/* Will the run compare this route with the one that it takes first? */
static bool is_compared(const struct hop *hop, size_t i)
{
    size_t rung[TRIAL_ROUTES], n = learn_candidates(hop, rung);
    for (size_t k = 0; k < n; k++)
        if (rung[k] == i)
            return n > 1 && i != hop->current;
    return false;
}

static const char *verb(const struct hop *hop, size_t i)
{
    return i == hop->current                                  ? "take"
           : is_compared(hop, i)                              ? "or"
           : hop->rung[i].rejected || is_behind_chunk(hop, i) ? "not"
                                                              : "else";
}

static const char *reason(const struct hop *hop, size_t i)
{
    return i == hop->current         ? hop->why
           : hop->rung[i].rejected   ? hop->rung[i].reason
           : is_compared(hop, i)     ? "compared with it while the run goes on"
           : is_behind_chunk(hop, i) ? "slower here, by measurement"
                                     : "if the one before it does not work";
}

static void node_text(FILE *to, const struct hop *hop, const struct node *node)
{
    char size[32];
    quote_print(to, node->name);
    fprintf(to, " (%s", node->traffic ? "object" : node_kind_name(node->kind));
    if (node->file_system)
        fprintf(to, " on %s", node->file_system);
    if (node->direction == LEAT_WRITE && node->kind == NODE_FILE)
        fprintf(to, ", %s", node->fresh ? "published" : node->append ? "appended to" : "written in place");
    if (pipe_size_wanted(hop, node))
        fprintf(to, ", made as large as %s", size_format(pipe_size_wanted(hop, node), size, sizeof(size)));
    if (node->direction == LEAT_READ && node->has_size)
        fprintf(to, ", %llu bytes%s", (unsigned long long)node->size, node->sparse ? ", with holes" : "");
    fputc(')', to);
}

static const char *what_it_does(const leat_filter *filter)
{
    unsigned caps = filter->ops->caps;
    return caps & FILTER_TRANSFORMS ? "makes other bytes of them"
           : caps & FILTER_BUFFERS  ? "reads ahead of the sinks"
           : caps & FILTER_JOINS    ? "takes them, and gives others"
           : caps & FILTER_OBSERVES ? "must see the bytes"
                                    : "need not see the bytes";
}

static void hop_text(FILE *to, const struct plan *plan, const struct hop *hop)
{
    if (plan->legs > 1) {
        fputs("hop     ", to);
        quote_print(to, hop->in->name);
        fputs(" to ", to);
        quote_print(to, hop->branches ? hop->branch[0].node->name : "nobody");
        fputs(hop->branches > 1 ? ", ...\n" : "\n", to);
    }
    for (size_t i = 0; i < hop->rungs; i++)
        fprintf(to, "%-4s    %-8s %s\n", verb(hop, i), hop->rung[i].route->name, reason(hop, i));
}

static void plan_text(FILE *to, const struct plan *plan)
{
    const struct hop *last = &plan_last_leg(plan)->hop;
    char limit[32], codecs[32], why[ENGINE_WHY_MAX];
    fputs("source  ", to);
    node_text(to, &plan->leg[0].hop, parts_source(plan->parts));
    fputc('\n', to);
    if (parts_source(plan->parts)->traffic)
        traffic_plan_print(to, parts_source(plan->parts));
    for (size_t i = 0; i < plan->parts->filters; i++)
        fprintf(to, "filter  %s (%s)\n", plan->parts->filter[i]->ops->name, what_it_does(plan->parts->filter[i]));
    for (size_t i = 0; i < last->branches; i++) {
        fputs("sink    ", to);
        node_text(to, last, last->branch[i].node);
        if (hop_spills(last, &last->branch[i]))
            fprintf(to, "; if it lags, up to %s go to a file",
                    size_format(last->branch[i].spill_size, limit, sizeof(limit)));
        fputc('\n', to);
        if (last->branch[i].node->traffic)
            traffic_plan_print(to, last->branch[i].node);
    }
    const struct engine *engine = pipeline_engine(plan->parts, why);
    fprintf(to, *why ? "engine  %s (%s)\n" : "engine  %s\n", engine->name, why);
    for (size_t i = 0; i < plan->legs; i++)
        hop_text(to, plan, &plan->leg[i].hop);
    fprintf(to, "memory  at most %s, at least %llu bytes", size_format(plan->memory_limit, limit, sizeof(limit)),
            (unsigned long long)plan_minimum(plan));
    if (plan_codecs(plan))
        fprintf(to, "; inside of filters %s more", size_format(plan_codecs(plan), codecs, sizeof(codecs)));
    fputc('\n', to);
}

static void add_hop(json_t **hops, const struct hop *hop, const char *engine)
{
    for (size_t b = 0; b < MAX(hop->branches, 1u); b++) {
        json_t *rejected = json_array();
        for (size_t i = 0; i < hop->rungs; i++)
            if (i != hop->current)
                json_append(&rejected,
                            json_pack("{s:s, s:s}", "route", hop->rung[i].route->name, "reason", reason(hop, i)));
        const struct node *out = hop->branches ? hop->branch[b].node : NULL;
        json_t *one = json_pack("{s:o, s:o, s:s, s:s, s:s, s:o}", "from", json_name(hop->in->name), "to",
                                json_name(out ? out->name : NULL), "route", hop_route(hop)->name, "engine", engine,
                                "reason", hop->why, "rejected", rejected);
        if (out && hop_spills(hop, &hop->branch[b]))
            json_set(&one, "spill", json_integer((json_int_t)hop->branch[b].spill_size));
        if (pipe_size_wanted(hop, hop->in))
            json_set(&one, "from_pipe", json_integer((json_int_t)pipe_size_wanted(hop, hop->in)));
        if (out && pipe_size_wanted(hop, out))
            json_set(&one, "to_pipe", json_integer((json_int_t)pipe_size_wanted(hop, out)));
        json_append(hops, one);
    }
}

/* Jansson's integers are signed. */
static json_int_t json_count(uint64_t n)
{
    return (json_int_t)MIN(n, (uint64_t)INT64_MAX);
}

static void add_stores(json_t **plan, const struct node *source, const struct hop *last)
{
    json_t *list = json_array();
    if (source->traffic)
        json_append(&list, traffic_plan_json(source));
    for (size_t i = 0; i < last->branches; i++)
        if (last->branch[i].node->traffic)
            json_append(&list, traffic_plan_json(last->branch[i].node));
    if (!list || json_array_size(list))
        json_set(plan, "stores", list);
    else
        json_decref(list);
}

static json_t *plan_json(const struct plan *made)
{
    json_t *hops = json_array();
    char why[ENGINE_WHY_MAX];
    const char *engine = pipeline_engine(made->parts, why)->name;
    for (size_t i = 0; i < made->legs; i++)
        add_hop(&hops, &made->leg[i].hop, engine);
    json_int_t pipes = (json_int_t)pipe_memory(made);
    json_t *plan = json_pack("{s:s, s:o, s:{s:I, s:I, s:I, s:I, s:I}}", "type", "plan", "hops", hops, "memory", "limit",
                             json_count(made->memory_limit), "pipes", pipes, "chunks",
                             json_count(made->memory_limit - (uint64_t)pipes), "minimum",
                             (json_int_t)plan_minimum(made), "codecs", (json_int_t)plan_codecs(made));
    add_stores(&plan, parts_source(made->parts), &plan_last_leg(made)->hop);
    if (*why)
        json_set(&plan, "engine_why", json_string(why));
    return plan;
}

int leat_pipeline_explain(leat_pipeline *p, enum leat_format format, char **ret_text)
{
    int r = enum_check(format, LEAT_FORMAT_JSON);
    if (r == 0)
        r = leat_pipeline_check(p, NULL);
    if (r < 0)
        return r;
    char *text = NULL;
    size_t n;
    FILE *to = open_memstream(&text, &n);
    if (!to)
        return -ENOMEM;
    bool whole = true;
    if (format == LEAT_FORMAT_TEXT)
        plan_text(to, &p->plan);
    else {
        json_t *plan = plan_json(&p->plan);
        whole = plan && json_dumpf(plan, to, JSON_COMPACT) == 0;
        json_decref(plan);
        fputc('\n', to);
    }
    if (text_close(to, &text) < 0 || !whole) {
        free(text);
        return -ENOMEM;
    }
    *ret_text = text;
    return 0;
}
