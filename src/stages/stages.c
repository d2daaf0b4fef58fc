/* SPDX-License-Identifier: MIT */
#include "stages/stages.h"
#include "base/error.h"
#include "base/origin.h"
#include "base/thread.h"
#include <errno.h>

#define QUEUE_DEFAULT 512
#define ORDERED_MOST  (1u << 20) /* The most items in an ordered stage, which has a place for each. */

static _Thread_local const leat_stages *inside; /* The stages whose hook or function this thread is in. */

bool stages_is_inside(const leat_stages *stages)
{
    return inside == stages;
}

const leat_stages *stages_enter(const leat_stages *stages)
{
    const leat_stages *outside = inside;
    inside = stages;
    return outside;
}

/* ---- putting it together ---- */

static int make(leat_stages **ret, const struct leat_stages_options *options, struct leat_error *error)
{
    struct leat_stages_options own;
    int r = options_copy(&own, sizeof(own), options);
    if (r < 0)
        return error_at(error, r, LEAT_SIDE_NONE, "stages", "new", "The options are not those of this version");
    if (own.queue_bytes && !own.item_size)
        return error_at(error, -EINVAL, LEAT_SIDE_NONE, "stages", "new", "item_size must be given with queue_bytes");
    leat_stages *stages = calloc(1, sizeof(*stages));
    if (!stages)
        return -ENOMEM;
    stages->options = own;
    stages->origin = origin_here();
    r = -pthread_mutex_init(&stages->lock, NULL);
    if (r == 0 && (r = thread_cond_init(&stages->changed)) < 0)
        pthread_mutex_destroy(&stages->lock);
    if (r < 0) {
        free(stages);
        return r;
    }
    static char sink_name[] = "sink", source_name[] = "source";
    struct stage *output = &stages->output;
    output->stages = stages;
    output->kind = STAGE_SINK;
    output->name = sink_name;
    output->with = (struct leat_stage){.user = stages->options.user,
                                       .dispose = stages->options.dispose,
                                       .item_size = stages->options.item_size,
                                       .queue = stages->options.queue,
                                       .queue_bytes = stages->options.queue_bytes};
    stages->input.stages = stages;
    stages->input.kind = STAGE_SOURCE;
    stages->input.name = source_name;
    *ret = stages;
    return 0;
}

int leat_stages_new(leat_stages **ret_stages, const struct leat_stages_options *options, struct leat_error *ret_error)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    int r = error_begin(ret_error);
    return r < 0 ? r : error_return(ret_error, &error, make(ret_stages, options, &error));
}

/* Returns what is wrong with a stage and what is allowed, or NULL. */
static const char *find_wrong(const struct leat_stage *with)
{
    int functions = (with->function != NULL) + (with->function_many != NULL) + (with->function_all != NULL);
    if (!with->name || with->name[0] == '\0')
        return "name must be given";
    if (with->workers == 0)
        return "workers must be 1 or more";
    if (functions == 0 && with->workers > 1)
        return "workers must be 1, because a stage without a function groups items";
    if (functions > 1)
        return "only one of function, function_many and function_all may be given";
    if (with->function_all && with->ordered && with->workers > 1)
        return "ordered must be 0 with function_all and several workers";
    if (with->function_all && (with->retries || with->backoff_ms || with->on_error || with->dead))
        return "retries, backoff_ms, on_error and dead must be left out with function_all";
    if (!with->item_size && (with->queue_bytes || with->group_bytes))
        return "item_size must be given with queue_bytes or group_bytes";
    if (enum_check(with->on_error, LEAT_ON_ERROR_DROP) < 0)
        return "on_error must be LEAT_ON_ERROR_FAIL or LEAT_ON_ERROR_DROP";
    if (with->backoff_ms < 0)
        return "backoff_ms must be 0 or more";
    return with->group_ms < 0 ? "group_ms must be 0 or more" : NULL;
}

/* Copies what the caller gave, and checks it. */
static int take_options(struct leat_stage *own, const struct leat_stage *with, struct leat_error *error)
{
    int r = options_copy(own, sizeof(*own), with);
    if (r < 0)
        return error_at(error, r, LEAT_SIDE_NONE, "stages", "add", "The stage is not one of this version");
    const char *wrong = find_wrong(own);
    return wrong ? error_at(error, -EINVAL, LEAT_SIDE_NONE, own->name, "add", "%s", wrong) : 0;
}

static void stage_unbuild(struct stage *stage)
{
    item_queue_destroy(&stage->in);
    order_destroy(&stage->order);
    free(stage->worker);
    stage->worker = NULL;
}

static int add(leat_stages *stages, const struct leat_stage *with, struct leat_error *error)
{
    struct leat_stage own;
    if (stages->built)
        return error_at(error, -EBUSY, LEAT_SIDE_NONE, "stages", "add",
                        "The stages have been started, or have an item");
    int r = take_options(&own, with, error);
    if (r < 0)
        return r;
    struct stage **more = realloc(stages->stage, (stages->count + 1) * sizeof(struct stage *));
    if (!more)
        return -ENOMEM;
    stages->stage = more;
    struct stage *stage = calloc(1, sizeof(*stage));
    if (!stage)
        return -ENOMEM;
    stage->with = own;
    if (!(stage->name = strdup(stage->with.name))) {
        free(stage);
        return -ENOMEM;
    }
    stage->with.name = stage->name;
    bool works = stage->with.function || stage->with.function_many || stage->with.function_all;
    stage->kind = works ? STAGE_FUNCTION : STAGE_GROUP;
    stage->index = stages->count;
    stage->stages = stages;
    stages->stage[stages->count++] = stage;
    return 0;
}

int leat_stages_add(leat_stages *stages, const struct leat_stage *stage, struct leat_error *ret_error)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    int r = error_begin(ret_error);
    return r < 0 ? r : error_return(ret_error, &error, add(stages, stage, &error));
}

int leat_stages_source(leat_stages *stages, leat_next_fn source, void *user)
{
    if (stages->built)
        return -EBUSY;
    stages->input.source = source;
    stages->input.feed_user = user;
    stages->input.with.workers = source != NULL;
    return 0;
}

int leat_stages_sink(leat_stages *stages, leat_emit_fn sink, void *user)
{
    if (stages->built)
        return -EBUSY;
    stages->output.sink = sink;
    stages->output.feed_user = user;
    stages->output.with.workers = 1;
    return 0;
}

uint32_t stages_producers(const leat_stages *stages, uint32_t index)
{
    return index > 0 ? stages->stage[index - 1]->with.workers : 1;
}

static int stage_build(struct stage *stage)
{
    leat_stages *stages = stage->stages;
    uint64_t limit = stage->with.workers + (uint64_t)(stage->with.queue ? stage->with.queue : QUEUE_DEFAULT);
    int r = 0;
    stage->ordered = stage->with.ordered && stage->with.workers > 1;
    limit = stage->ordered ? MIN(limit, ORDERED_MOST) : limit;
    if (stage->kind != STAGE_SOURCE)
        r = item_queue_init(&stage->in, limit, stage->with.queue_bytes, stage->with.workers,
                            stages_producers(stages, stage->index));
    if (r == 0 && stage->ordered)
        r = order_init(&stage->order, limit);
    if (r == 0 && stage->with.workers && !(stage->worker = calloc(stage->with.workers, sizeof(struct worker))))
        r = -ENOMEM;
    return r;
}

static void connect(leat_stages *stages)
{
    stages->output.index = stages->count;
    for (uint32_t i = 0; i < stages->count; i++)
        stages->stage[i]->next = stage_at(stages, i + 1);
    stages->input.next = stage_at(stages, 0);
}

int stages_build(leat_stages *stages)
{
    struct stage *next = &stages->input;
    int r;
    connect(stages);
    do {
        r = stage_build(next);
        next = next->next;
    } while (r == 0 && next);
    if (r == 0) {
        stages->built = true;
        return 0;
    }
    for (struct stage *stage = &stages->input; stage; stage = stage->next)
        stage_unbuild(stage);
    return r;
}

/* ---- dropping ---- */

void stage_dispose(struct stage *stage, void *item)
{
    if (stage->with.dispose)
        stage->with.dispose(stage->with.user, item);
}

void stage_drop(struct stage *stage, const struct stage_item *item)
{
    leat_stages *stages = stage->stages;
    if (item->bytes != ITEM_CONTROL) {
        count_shared(&stage->dropped, 1);
        stage_dispose(stage, item->item);
    } else if (stages->options.control_done) {
        stages->options.control_done(stages->options.user, item->item, stages_end_code(stages));
    }
}

void stages_drop_waiting(struct stage *stage)
{
    struct stage_item item;
    while (item_queue_drop(&stage->in, &item))
        stage_drop(stage, &item);
}

void stages_drop_parked(struct stage *stage)
{
    struct stage_item item;
    while (stage->ordered && order_drop(&stage->order, &item)) {
        if (item.bytes != ITEM_CONTROL)
            count_shared(&stage->next->refused, 1);
        stage_drop(stage->next, &item);
    }
}

void stages_close(leat_stages *stages, uint32_t index)
{
    for (uint32_t i = 0; i <= index; i++)
        item_queue_close(&stage_at(stages, i)->in);
    for (uint32_t i = 0; i <= index; i++)
        stages_drop_waiting(stage_at(stages, i));
}

/* ---- failing ---- */

/* From the last stage to the first: each queue is cancelled before a worker that pushes into it is woken and leaves, so
 * that no thread takes that for the end. */
void stages_cancel_queues(leat_stages *stages)
{
    for (uint32_t i = stages->count + 1; i-- > 0;) {
        struct stage *stage = stage_at(stages, i);
        item_queue_cancel(&stage->in);
        if (stage->ordered)
            order_cancel(&stage->order);
    }
    pthread_cond_broadcast(&stages->changed);
}

/* True: this call was the first. */
static bool cancel_all(leat_stages *stages, const struct leat_error *error)
{
    pthread_mutex_lock(&stages->lock);
    bool first = !stages->cancelled && stages->built;
    if (first) {
        stages->cancelled = true;
        stages->error = *error;
        stages_cancel_queues(stages);
    }
    pthread_mutex_unlock(&stages->lock);
    if (first && stages->options.wake)
        stages->options.wake(stages->options.user);
    return first;
}

static enum leat_side side_of(const struct stage *stage)
{
    static const enum leat_side sides[] = {LEAT_SIDE_FILTER, LEAT_SIDE_FILTER, LEAT_SIDE_SINK, LEAT_SIDE_SOURCE};
    return stage ? sides[stage->kind] : LEAT_SIDE_NONE;
}

bool stages_fail(leat_stages *stages, int code, const struct stage *stage, const char *operation, uint64_t offset,
                 const char *text)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    char meaning[64];
    text = text ? text : error_text(code, meaning, sizeof(meaning));
    code = code == -EAGAIN || code == -ETIMEDOUT ? -EIO : code;
    if (stage && stage->kind != STAGE_SOURCE)
        error_at(&error, code, side_of(stage), stage->name, operation, "stage %s, item %llu: %s", stage->name,
                 (unsigned long long)offset, text);
    else
        error_at(&error, code, side_of(stage), stage ? stage->name : "", operation, "%s", text);
    error.index = stage ? stage->index : 0;
    error.offset = offset;
    return cancel_all(stages, &error);
}

struct leat_error stage_make_dead_error(const char *name, uint32_t index, uint64_t number, int code)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    char text[64];
    error_at(&error, code, LEAT_SIDE_FILTER, name, "function", "stage %s, item %llu: %s", name,
             (unsigned long long)number, error_text(code, text, sizeof(text)));
    error.index = index;
    error.offset = number;
    return error;
}

int leat_stages_cancel(leat_stages *stages)
{
    if (atomic_load(&stages->state) == STAGES_RUNNING || atomic_load(&stages->state) == STAGES_STARTING)
        stages_fail(stages, -ECANCELED, NULL, "cancel", 0, "cancelled");
    return 0;
}

void stages_tell_over(leat_stages *stages)
{
    stages->ended_ns = clock_ns();
    pthread_cond_broadcast(&stages->changed);
    item_queue_tell_over(&stages->output.in);
}

int stages_end_code(leat_stages *stages)
{
    pthread_mutex_lock(&stages->lock);
    int r = stages->error.code ? stages->error.code : -ECANCELED;
    pthread_mutex_unlock(&stages->lock);
    return r;
}

bool stages_sleep(leat_stages *stages, int64_t deadline_ns)
{
    pthread_mutex_lock(&stages->lock);
    while (!stages->cancelled && thread_cond_wait(&stages->changed, &stages->lock, deadline_ns))
        ;
    bool slept = !stages->cancelled;
    pthread_mutex_unlock(&stages->lock);
    return slept;
}

/* ---- the end ---- */

void leat_stages_free(leat_stages *stages)
{
    if (!stages)
        return;
    if (!origin_is_here(stages->origin)) { /* After a fork the threads are the parent's, the descriptor is ours. */
        if (stages->built)
            fd_flag_close(&stages->output.in.flag);
        return;
    }
    leat_stages_stop(stages, LEAT_STOP_ABORT, -1, NULL);
    if (stages->built) { /* Stages that were never started may have items, too. */
        stages_drop_waiting(&stages->output);
        stages_drop_waiting(stage_at(stages, 0));
    }
    for (uint32_t i = 0; i < stages->count; i++) {
        stage_unbuild(stages->stage[i]);
        free(stages->stage[i]->name);
        free(stages->stage[i]);
    }
    stage_unbuild(&stages->output);
    stage_unbuild(&stages->input);
    free(stages->stage);
    pthread_cond_destroy(&stages->changed);
    pthread_mutex_destroy(&stages->lock);
    free(stages);
}
