/* SPDX-License-Identifier: MIT */
/* The public calls of a pipeline: building, starting, cancelling. */
#include "flow/pipeline.h"
#include "base/origin.h"
#include "base/thread.h"
#include "base/trace.h"
#include "buffer/pool.h"
#include "flow/ending.h"
#include "flow/failure.h"
#include "flow/report.h"
#include "flow/runner.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static int make(leat_pipeline **ret, const struct leat_pipeline_options *options, struct leat_error *error)
{
    leat_pipeline *p = calloc(1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    p->origin = origin_here();
    p->ended_flag = FD_FLAG_NONE;
    p->parts.bad_options.size = sizeof(p->parts.bad_options);
    p->parts.engine = registry_engines[0];
    int r = thread_cond_init(&p->ending);
    if (r < 0) {
        free(p);
        return r;
    }
    pthread_mutex_init(&p->telling, NULL);
    r = options_take(&p->parts, options, error);
    if (r < 0) {
        leat_pipeline_free(p);
        return r;
    }
    *ret = p;
    return 0;
}

int leat_pipeline_new(leat_pipeline **ret_pipeline, const struct leat_pipeline_options *options,
                      struct leat_error *ret_error)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    int r = error_begin(ret_error);
    return r < 0 ? r : error_return(ret_error, &error, make(ret_pipeline, options, &error));
}

/* An endpoint is used once, and only in the direction that it was opened for. */
static int endpoint_use(leat_endpoint *endpoint, enum leat_direction direction)
{
    if (endpoint->directed && endpoint->node.direction != direction)
        return -EINVAL;
    if (atomic_exchange(&endpoint->used, true))
        return -EBUSY;
    endpoint->node.direction = direction;
    return 0;
}

/* ---- parts: each call takes the reference, on failure too ---- */

int leat_pipeline_source(leat_pipeline *p, leat_endpoint *source)
{
    int r = atomic_load(&p->started) ? -EBUSY : p->parts.source ? -EEXIST : 0;
    if (r == 0)
        r = endpoint_use(source, LEAT_READ);
    if (r < 0) {
        leat_endpoint_close(source);
        return r;
    }
    p->parts.source = source;
    return 0;
}

int leat_pipeline_filter(leat_pipeline *p, leat_filter *filter)
{
    int r = atomic_load(&p->started) ? -EBUSY : p->parts.filters - p->parts.in_front == FILTERS_MAX ? -E2BIG : 0;
    if (r < 0) {
        leat_filter_free(filter);
        return r;
    }
    p->parts.filter[p->parts.filters++] = filter;
    return 0;
}

/* Returns what is wrong with the options of a sink and what is allowed, or NULL. */
static const char *find_wrong(const struct leat_sink_options *o)
{
    if (enum_check(o->slow, LEAT_SLOW_SPILL) < 0)
        return "slow must be LEAT_SLOW_WAIT, LEAT_SLOW_DROP or LEAT_SLOW_SPILL";
    if (o->slow != LEAT_SLOW_SPILL && (o->spill || o->spill_folder))
        return "slow must be LEAT_SLOW_SPILL with spill or spill_folder";
    if (o->spill > INT64_MAX)
        return "spill must be less than 2^63";
    return o->spill_folder && !*o->spill_folder ? "spill_folder must be NULL or the name of a folder" : NULL;
}

static int refuse_sink(struct leat_error *error, int code, const leat_endpoint *sink, const char *why)
{
    error_at(error, code, LEAT_SIDE_SINK, "", "add", "%s", why);
    error_spec(error, sink->node.name);
    return code;
}

static int add_sink(leat_pipeline *p, leat_endpoint *sink, const struct leat_sink_options *options,
                    struct leat_error *error)
{
    struct leat_sink_options own;
    int r = options_copy(&own, sizeof(own), options);
    if (r < 0)
        return refuse_sink(error, r, sink, "The options are not those of this version");
    const char *wrong = find_wrong(&own);
    if (wrong)
        return refuse_sink(error, -EINVAL, sink, wrong);
    if (atomic_load(&p->started))
        return refuse_sink(error, -EBUSY, sink, "The pipeline has been started");
    if (p->parts.sinks == BRANCHES_MAX)
        return refuse_sink(error, -E2BIG, sink, "The pipeline has as many sinks as it can have");
    char *folder = own.spill_folder ? strdup(own.spill_folder) : NULL;
    if (own.spill_folder && !folder)
        return -ENOMEM;
    r = endpoint_use(sink, LEAT_WRITE);
    if (r < 0) {
        free(folder);
        return refuse_sink(error, r, sink,
                           r == -EBUSY ? "A pipeline has or had this endpoint" : "The endpoint was opened for reading");
    }
    p->parts.slow[p->parts.sinks] = (struct slow){
        .policy = (enum leat_slow_sink)own.slow, .spill = own.spill ? own.spill : LEAT_SPILL_SIZE, .folder = folder};
    p->parts.sink[p->parts.sinks++] = sink;
    return 0;
}

int leat_pipeline_sink(leat_pipeline *p, leat_endpoint *sink, const struct leat_sink_options *options,
                       struct leat_error *ret_error)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    int r = error_begin(ret_error);
    if (r == 0)
        r = error_return(ret_error, &error, add_sink(p, sink, options, &error));
    if (r < 0)
        leat_endpoint_close(sink);
    return r;
}

const char *leat_pipeline_name(const leat_pipeline *p, enum leat_side side, size_t index)
{
    if (side == LEAT_SIDE_SOURCE && index == 0 && p->parts.source)
        return p->parts.source->node.name;
    if (side == LEAT_SIDE_SINK && index < p->parts.sinks)
        return p->parts.sink[index]->node.name;
    if (side != LEAT_SIDE_FILTER || index >= p->parts.filters)
        return NULL;
    return p->parts.filter[parts_filter_place(&p->parts, index)]->ops->name;
}

/* ---- running ---- */

int leat_pipeline_check(leat_pipeline *p, struct leat_error *ret_error)
{
    struct leat_error error = {.size = sizeof(error)};
    int r = error_begin(ret_error);
    if (r < 0)
        return r;
    if (atomic_load(&p->started))
        return error_return(ret_error, &error, -EBUSY);
    options_add_digests(&p->parts);
    return error_return(ret_error, &error, plan_make(&p->plan, &p->parts, &error));
}

/* Opens a loop for a trial, because only that shows whether this system offers the engine. */
const struct engine *pipeline_engine(const struct parts *parts, char ret_why[ENGINE_WHY_MAX])
{
    struct loop trial;
    *ret_why = '\0';
    if (parts->options.shared_engine) {
        snprintf(ret_why, ENGINE_WHY_MAX, "%s", engine_why(parts->options.shared_engine));
        return engine_choose_loop(parts->options.shared_engine)->engine;
    }
    if (parts->engine == &engine_sync)
        return parts->engine;
    if (loop_open(&trial, parts->engine, ret_why) < 0)
        return &engine_sync;
    loop_close(&trial);
    return parts->engine;
}

/* If this system does not offer the engine that was asked for, the sync engine takes its place. The report says why. */
static int open_own_loop(leat_pipeline *p)
{
    int r = loop_open(&p->own_loop, p->run.engine, p->run.engine_why);
    if (r < 0 && p->run.engine != &engine_sync) {
        p->run.engine = &engine_sync;
        r = loop_open(&p->own_loop, p->run.engine, NULL);
    }
    p->has_own_loop = r == 0;
    return r;
}

static void tell_engine(const leat_pipeline *p)
{
    const struct leat_trace_field field[] = {trace_text("engine", p->run.engine->name),
                                             trace_text("source", leat_pipeline_name(p, LEAT_SIDE_SOURCE, 0)),
                                             trace_text("reason", p->run.engine_why)};
    trace_tell(LEAT_TRACE_ENGINE, field, COUNT(field), "the engine %s runs the pipeline%s%s", p->run.engine->name,
               *p->run.engine_why ? ": " : "", p->run.engine_why);
}

/* Returns 0: the task can be given to a loop; 1: the run has ended already, because the plan failed; or a negative
 * errno. */
static int prepare(leat_pipeline *p)
{
    struct run *run = &p->run;
    struct leat_error refusal = {.size = sizeof(refusal)};
    if (atomic_load(&p->started))
        return -EBUSY;
    options_add_digests(&p->parts);
    run->tell = pipeline_tell_end;
    run->cpu_began = run_cpu_seconds();
    run->began_ns = clock_ns();
    run->engine = p->parts.engine;
    plan_make(&p->plan, &p->parts, &refusal);
    leat_report_free(run->report); /* of an earlier start that failed */
    run->report = NULL;
    int r = runner_prepare(run, &p->plan);
    if (r == 0)
        r = !(run->report = report_new(&p->plan)) ? -ENOMEM : p->parts.options.shared_engine ? 0 : open_own_loop(p);
    if (r < 0) {
        runner_free(run);
        return r;
    }
    if (p->has_own_loop)
        atomic_store(&run->leg[0].loop, &p->own_loop);
    if (p->has_own_loop && trace_is_on())
        tell_engine(p);
    atomic_store(&p->started, true); /* from here on other threads may look at it */
    if (refusal.code == 0)
        return 0;
    failure_of_run(run, &refusal);
    ending_give_up(run);
    return 1;
}

int leat_pipeline_run(leat_pipeline *p, leat_report **ret_report)
{
    if (ret_report)
        *ret_report = NULL;
    if (p->parts.options.shared_engine || p->parts.options.progress) {
        int r = leat_pipeline_start(p);
        return r < 0 ? r : leat_pipeline_wait(p, -1, ret_report);
    }
    int r = prepare(p);
    if (r < 0)
        return r;
    if (r == 0)
        runner_run_alone(&p->run);
    return pipeline_hand_over(p, ret_report);
}

static void *run_on_thread(void *user)
{
    runner_run_alone(user);
    return NULL;
}

/* Starts the thread. If there is none, the run ends at once as a failure, and its endpoints and filters are told. */
static int start_thread(leat_pipeline *p)
{
    int r = thread_create(&p->thread, run_on_thread, &p->run);
    p->has_thread = p->waited_for = r == 0;
    if (r < 0) {
        struct leat_error error = {.size = sizeof(error)};
        error_at(&error, r, LEAT_SIDE_NONE, "", "pthread_create", "There is no thread to run it on");
        failure_of_run(&p->run, &error);
        ending_give_up(&p->run);
    }
    return r;
}

int leat_pipeline_start(leat_pipeline *p)
{
    int r = prepare(p);
    if (r < 0)
        return r;
    p->waited_for = true;
    pipeline_expect_progress(p);
    if (r == 1)
        return 0;
    if (!p->parts.options.shared_engine)
        return start_thread(p);
    struct loop *loop = engine_choose_loop(p->parts.options.shared_engine);
    p->run.engine = loop->engine;
    snprintf(p->run.engine_why, sizeof(p->run.engine_why), "%s", engine_why(p->parts.options.shared_engine));
    atomic_store(&p->run.leg[0].loop, loop);
    if (trace_is_on())
        tell_engine(p);
    loop_add(loop, &p->run.leg[0].task);
    return 0;
}

/* Before the start no leg runs, and after the end the engine may be freed. */
int leat_pipeline_cancel(leat_pipeline *p)
{
    atomic_fetch_add(&p->cancelling, 1);
    atomic_store(&p->run.cancelled, true);
    if (atomic_load(&p->started) && !atomic_load(&p->ended))
        run_poke(&p->run);
    atomic_fetch_sub(&p->cancelling, 1);
    return 0;
}

void leat_pipeline_free(leat_pipeline *p)
{
    if (!p || !origin_is_here(p->origin))
        return;
    if (p->waited_for) {
        leat_pipeline_cancel(p);
        pipeline_join(p);
    }
    leat_report_free(p->run.report);
    leat_endpoint_close(p->parts.source);
    for (size_t i = 0; i < p->parts.sinks; i++) {
        leat_endpoint_close(p->parts.sink[i]);
        free(p->parts.slow[i].folder);
    }
    for (size_t i = 0; i < p->parts.filters; i++)
        leat_filter_free(p->parts.filter[i]);
    if (p->has_own_loop)
        loop_close(&p->own_loop);
    pthread_mutex_destroy(&p->telling);
    pthread_cond_destroy(&p->ending);
    fd_flag_close(&p->ended_flag);
    runner_free(&p->run);
    plan_free(&p->plan);
    leat_pool_free(p->parts.options.pool);
    free(p->parts.route);
    free(p->parts.engine_name);
    free(p->parts.expect);
    free(p->parts.buffer);
    free(p);
}
