/* SPDX-License-Identifier: MIT */
#include "bench/flow.h"
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Engines to try. A build may lack some of them. */
static const char *const engines[] = {"sync", "uring"};
#define ENGINES (sizeof(engines) / sizeof(engines[0]))

/* ---- one run ---- */

/* If *ret_pipeline is set, the ends have begun, on failure too. */
static int build(leat_pipeline **ret, struct ends *ends, struct leat_pipeline_options *options, char reason[REASON])
{
    leat_endpoint *source = NULL, *sink = NULL;
    leat_pipeline *pipeline = NULL;
    options->has_length = ends->length != 0;
    options->length = ends->length;
    int r = leat_pipeline_new(&pipeline, options, NULL);
    if (r == 0)
        r = ends->begin(ends, &source, &sink, reason);
    if (r < 0) {
        leat_pipeline_free(pipeline);
        return r;
    }
    *ret = pipeline;
    r = leat_pipeline_source(pipeline, source);
    int s = leat_pipeline_sink(pipeline, sink, NULL, NULL);
    return r < 0 ? r : s;
}

static void unbuild(leat_pipeline *pipeline, struct ends *ends)
{
    double nobody_looks;
    leat_pipeline_free(pipeline);
    if (!pipeline)
        return;
    ends->finish(ends, UINT64_MAX, &nobody_looks);
    ends->clean(ends);
}

/* Reads the route that moved most of the bytes, and the engine that made its system calls. */
static int read_report(const leat_report *report, struct contender *ret)
{
    char *text;
    int r = leat_report_json(report, &text);
    if (r < 0)
        return r;
    json_t *root = json_loads(text, 0, NULL), *one;
    json_t *routes = json_object_get(json_array_get(json_object_get(root, "hops"), 0), "routes");
    json_int_t most = -1;
    size_t i;
    json_array_foreach(routes, i, one)
    {
        json_int_t bytes = json_integer_value(json_object_get(one, "bytes"));
        const char *route = json_string_value(json_object_get(one, "route"));
        const char *engine = json_string_value(json_object_get(one, "engine"));
        if (bytes <= most || !route || !engine)
            continue;
        most = bytes;
        snprintf(ret->route, sizeof(ret->route), "%s", route);
        snprintf(ret->engine, sizeof(ret->engine), "%s", engine);
    }
    json_decref(root);
    free(text);
    return 0;
}

/* Checks that the run used the engine that was asked for. For `auto`, stores the route and engine that it chose. */
static int judge(struct contender *c, int code, const leat_report *report)
{
    const struct leat_error *error = report ? leat_report_error(report) : NULL;
    struct contender took = {.route = "", .engine = ""};
    if (code < 0) {
        if (code != -ECANCELED)
            snprintf(c->reason, REASON, "%s", error && error->text[0] ? error->text : strerror(-code));
        return code;
    }
    if (leat_report_bytes(report) == 0) {
        snprintf(c->reason, REASON, "there was nothing to move");
        return -ENODATA;
    }
    int r = read_report(report, &took);
    if (r == 0 && c->is_auto) {
        memcpy(c->route, took.route, sizeof(c->route));
        memcpy(c->engine, took.engine, sizeof(c->engine));
    } else if (r == 0 && strcmp(c->engine, took.engine) != 0) {
        snprintf(c->reason, REASON, "the engine is not to be had here; %s took its place", took.engine);
        r = -EOPNOTSUPP;
    }
    return r;
}

static int run(struct row *row, struct contender *c, struct sample *ret)
{
    struct ends *ends = row->user;
    struct leat_pipeline_options options = LEAT_INIT(struct leat_pipeline_options);
    leat_pipeline *pipeline = NULL;
    leat_report *report = NULL;
    double others = 0;
    if (!c->is_auto) {
        options.route = c->route;
        options.engine = c->engine;
        options.memory_limit = c->block;
    }
    int r = build(&pipeline, ends, &options, c->reason);
    if (r < 0) {
        unbuild(pipeline, ends);
        return r;
    }
    double cpu = cpu_seconds(), began = clock_seconds();
    stop_cancels(pipeline);
    r = leat_pipeline_run(pipeline, &report);
    stop_cancels(NULL);
    uint64_t bytes = report ? leat_report_bytes(report) : 0;
    int finished = ends->finish(ends, r == 0 ? bytes : UINT64_MAX, &others);
    *ret = (struct sample){.seconds = clock_seconds() - began, .bytes = bytes};
    cpu = cpu_seconds() - cpu - others;
    ret->cpu_seconds = cpu > 0 ? cpu : 0;
    r = judge(c, r, report);
    if (r == 0 && finished < 0)
        r = finished;
    leat_report_free(report);
    leat_pipeline_free(pipeline);
    ends->clean(ends);
    return r;
}

/* ---- contenders ---- */

/* Reads the plan of `auto` as JSON. Returns a negative errno if there is none. */
static int read_plan(struct ends *ends, json_t **ret, char reason[REASON])
{
    struct leat_pipeline_options options = LEAT_INIT(struct leat_pipeline_options);
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_pipeline *pipeline = NULL;
    char *text = NULL;
    int r = build(&pipeline, ends, &options, reason);
    if (r == 0 && (r = leat_pipeline_check(pipeline, &error)) < 0)
        snprintf(reason, REASON, "%s", error.text);
    if (r == 0)
        r = leat_pipeline_explain(pipeline, LEAT_FORMAT_JSON, &text);
    unbuild(pipeline, ends);
    if (r < 0)
        return r;
    *ret = json_loads(text, 0, NULL);
    free(text);
    return *ret ? 0 : -ENOMEM;
}

/* Can this route be forced here? If not, `reason` says why. */
static bool fit(struct ends *ends, const char *route, char reason[REASON])
{
    struct leat_pipeline_options options = LEAT_INIT(struct leat_pipeline_options);
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_pipeline *pipeline = NULL;
    options.route = route;
    int r = build(&pipeline, ends, &options, reason);
    if (r == 0 && (r = leat_pipeline_check(pipeline, &error)) < 0)
        snprintf(reason, REASON, "%s", error.text);
    unbuild(pipeline, ends);
    return r == 0;
}

static void add_limits(struct row *row, const struct bench_options *o, const char *route, uint64_t usual)
{
    for (size_t e = 0; e < ENGINES; e++) {
        leat_engine *engine;
        struct leat_engine_options options = LEAT_INIT(struct leat_engine_options);
        options.engine = engines[e];
        options.threads = 1;
        if (leat_engine_new(&engine, &options, NULL) < 0)
            continue; /* not in this build */
        bool there = strcmp(leat_engine_name(engine), engines[e]) == 0;
        leat_engine_free(engine);
        row_add(row, route, engines[e], usual);
        for (size_t i = 0; i < o->limits && there; i++)
            if (o->limit[i] != usual)
                row_add(row, route, engines[e], o->limit[i]);
    }
}

static void add_route(struct row *row, const struct bench_options *o, const char *route, const char *why_not,
                      uint64_t usual)
{
    struct contender *c;
    char reason[REASON] = "";
    if (fit(row->user, route, reason))
        add_limits(row, o, route, usual);
    else if ((c = row_add(row, route, "", 0)))
        snprintf(c->reason, REASON, "%s", why_not ? why_not : reason[0] ? reason : "it can't be taken");
}

static void add_contenders(struct row *row, const struct bench_options *o, json_t *plan)
{
    json_t *hop = json_array_get(json_object_get(plan, "hops"), 0), *one;
    const char *route = json_string_value(json_object_get(hop, "route"));
    const char *why = json_string_value(json_object_get(hop, "reason"));
    uint64_t usual = (uint64_t)json_integer_value(json_object_get(json_object_get(plan, "memory"), "limit"));
    size_t i;
    if (!route)
        return;
    struct contender *c = row_add(row, route, "", usual);
    if (c)
        c->is_auto = true;
    snprintf(row->note, sizeof(row->note), "%s", why ? why : "");
    add_route(row, o, route, NULL, usual);
    json_array_foreach(json_object_get(hop, "rejected"), i, one)
    {
        const char *name = json_string_value(json_object_get(one, "route"));
        if (name)
            add_route(row, o, name, json_string_value(json_object_get(one, "reason")), usual);
    }
}

int flow_row(const char *name, const char *title, uint64_t pipe, struct ends *ends, const struct bench_options *o)
{
    char reason[REASON] = "";
    json_t *plan = NULL;
    struct row *row = row_new(name, o, ends, run);
    if (!row) {
        cli_warn("bench: %s", strerror(ENOMEM));
        return EXIT_FAILED;
    }
    snprintf(row->title, sizeof(row->title), "%s", title);
    row->pipe = pipe;
    int r = read_plan(ends, &plan, reason), code = 0;
    if (r == 0) {
        add_contenders(row, o, plan);
        code = row_measure(row, o);
    } else if (!stop_asked()) {
        struct contender *none = row_add(row, "any", "any", 0);
        snprintf(none->reason, REASON, "%s", reason[0] ? reason : strerror(-r));
        code = row_print(row, o->json);
    }
    json_decref(plan);
    row_free(row);
    return code;
}
