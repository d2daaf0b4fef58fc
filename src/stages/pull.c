/* SPDX-License-Identifier: MIT */
/* Stages without threads. Each step has a list of the items that it has emitted and that were not taken yet. The
 * deepest step that has items is served first. So a list is never longer than what one item became, and no call is
 * nested in another one, however many steps there are.
 *
 * A round begins with a call of the source. A reading of the clock costs more than a quick step, so of quick rounds
 * only some are measured, and their times count for the others. */
#include "stages/stages.h"
#include <errno.h>

#define MEASURE_NS 10000 /* A round is measured once that much time has passed, and each round that takes as long. */
#define SKIP_MOST  127

struct pull_step {
    struct leat_work work;
    struct leat_stage with;
    char *name;
    uint64_t number; /* Of the item that it works on. */
    size_t first;    /* The index of the next result to take. */
    uint64_t out;    /* Results that it has emitted, without those in its list. */
    uint64_t dropped, dead, retries, busy_ns;
    size_t most; /* The most results of one item. */
    bool is_open, worker_is_open;
    int failed; /* Not 0: there was no memory for a result. */
};

struct leat_pull {
    leat_next_fn source;
    void *user;
    struct pull_step *step;
    size_t count;
    size_t from; /* Steps before this one are not called any more. */
    size_t deep; /* The step with this number and those behind it have no results that an earlier call left. */
    bool begun, ended;
    int code;
    uint64_t fed, dropped; /* Items of the source; results that were dropped. */
    uint64_t source_ns;
    uint32_t skip;    /* How many rounds are not measured before the next one is. */
    uint32_t skipped; /* How many there were before this one. */
    bool measures;    /* This round is measured. */
    int64_t mark_ns, round_ns;
};

int leat_pull_new(leat_pull **ret_pull, leat_next_fn source, void *user)
{
    leat_pull *pull = source ? calloc(1, sizeof(*pull)) : NULL;
    if (!pull)
        return source ? -ENOMEM : -EINVAL;
    pull->source = source;
    pull->user = user;
    *ret_pull = pull;
    return 0;
}

static bool grow(struct leat_work *work)
{
    size_t room = work->room ? work->room * 2 : 16;
    void **more = realloc(work->made, room * sizeof(*more));
    if (more) {
        work->made = more;
        work->room = room;
    }
    return more != NULL;
}

/* ---- time ---- */

static void begin_round(leat_pull *pull)
{
    if (pull->measures) {
        int64_t fit = MEASURE_NS / MAX(pull->round_ns, 1);
        pull->skip = (uint32_t)MIN(fit, SKIP_MOST);
        pull->skipped = 0;
    }
    pull->measures = pull->skip == 0;
    if (!pull->measures) {
        pull->skip--;
        pull->skipped++;
        return;
    }
    pull->round_ns = 0;
    pull->mark_ns = clock_ns();
}

/* Charges the time since the last reading of the clock, for this round and those that were skipped. */
static void charge(leat_pull *pull, uint64_t *ns)
{
    if (!pull->measures)
        return;
    int64_t now = clock_ns(), passed = now - pull->mark_ns;
    *ns += (uint64_t)passed * (pull->skipped + 1);
    pull->round_ns += passed;
    pull->mark_ns = now;
}

/* ---- steps ---- */

/* `next` is the step for which the item was meant; that step disposes of it. */
static void drop(leat_pull *pull, size_t next, void *item)
{
    ++*(next < pull->count ? &pull->step[next].dropped : &pull->dropped);
    struct leat_stage *with = &pull->step[MIN(next, pull->count - 1)].with;
    if (with->dispose)
        with->dispose(with->user, item);
}

/* leat_work_emit calls it when the list is full. */
static int pull_emit(leat_work *work, void *item, int64_t deadline_ns UNUSED)
{
    struct pull_step *step = (struct pull_step *)work;
    if (grow(work))
        return leat_work_emit(work, item, 0);
    work->gave |= item == work->current;
    step->failed = -ENOMEM;
    /* The step's own dispose is called, as for the results of the last step: no better one is known. */
    if (step->with.dispose)
        step->with.dispose(step->with.user, item);
    return -ENOMEM;
}

/* Returns what is wrong with a step and what is allowed, or NULL. */
static const char *find_wrong(const struct leat_stage *with)
{
    if (!with->name || with->name[0] == '\0')
        return "name must be given";
    if (with->function_all)
        return "function_all must be NULL, because a pull has no thread on which it could ask for items";
    if (!with->function == !with->function_many)
        return "function or function_many must be given, and the other one must be NULL";
    if (enum_check(with->on_error, LEAT_ON_ERROR_DROP) < 0)
        return "on_error must be LEAT_ON_ERROR_FAIL or LEAT_ON_ERROR_DROP";
    return NULL;
}

static int add(leat_pull *pull, const struct leat_stage *with, struct leat_error *error)
{
    struct pull_step step = {.work.emit = pull_emit};
    int r = options_copy(&step.with, sizeof(step.with), with);
    if (r < 0)
        return error_at(error, r, LEAT_SIDE_NONE, "pull", "add", "The step is not one of this version");
    const char *wrong = find_wrong(&step.with);
    if (wrong)
        return error_at(error, -EINVAL, LEAT_SIDE_NONE, step.with.name, "add", "%s", wrong);
    if (pull->begun)
        return error_at(error, -EBUSY, LEAT_SIDE_NONE, "pull", "add", "A result has been asked for");
    struct pull_step *more = realloc(pull->step, (pull->count + 1) * sizeof(*more));
    if (more)
        pull->step = more;
    if (!more || !(step.name = strdup(step.with.name)) || !grow(&step.work)) {
        free(step.name);
        return -ENOMEM;
    }
    step.with.name = step.name;
    pull->step[pull->count++] = step;
    return 0;
}

int leat_pull_add(leat_pull *pull, const struct leat_stage *stage, struct leat_error *ret_error)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    int r = error_begin(ret_error);
    return r < 0 ? r : error_return(ret_error, &error, add(pull, stage, &error));
}

static int begin(leat_pull *pull)
{
    int r = 0;
    pull->begun = true;
    for (size_t i = 0; i < pull->count && r == 0; i++) {
        struct pull_step *step = &pull->step[i];
        r = step->with.open ? error_of_answer(step->with.open(step->with.user)) : 0;
        step->is_open = r == 0;
        if (r == 0 && step->with.worker_open)
            r = error_of_answer(step->with.worker_open(step->with.user, &step->work.state));
        step->worker_is_open = r == 0;
    }
    return r;
}

static int handle_failure(leat_pull *pull, size_t i, void *item, int code)
{
    struct pull_step *step = &pull->step[i];
    bool fatal = step->with.on_error != LEAT_ON_ERROR_DROP || step->failed;
    if (!step->work.gave && !fatal && step->with.dead) {
        struct leat_error error = stage_make_dead_error(step->name, (uint32_t)i, step->number, code);
        step->dead++;
        step->with.dead(step->with.user, item, &error);
    } else if (!step->work.gave) {
        drop(pull, i, item);
    }
    return fatal ? code : 0;
}

static int call(leat_pull *pull, size_t i, void *item)
{
    struct pull_step *step = &pull->step[i];
    bool last = false;
    int r = stage_call(&step->with, &step->work, item, &last);
    if (last)
        pull->from = i + 1;
    return r;
}

/* The first call with this item returned something else than success: retries, and deals with the answer. */
static int handle_answer(leat_pull *pull, size_t i, void *item, int r)
{
    struct pull_step *step = &pull->step[i];
    while (r < 0 && !step->failed && !step->work.gave && step->work.attempt++ < step->with.retries) {
        step->retries++;
        r = call(pull, i, item);
    }
    if (step->failed || r < 0 || r > LEAT_STAGE_END)
        r = step->failed ? step->failed : error_of_answer(r);
    if (r == LEAT_STAGE_SKIP && !step->work.gave)
        drop(pull, i, item);
    if (r == LEAT_STAGE_END)
        pull->from = i + 1;
    if (r < 0)
        r = handle_failure(pull, i, item, r);
    return r < 0 ? r : 0;
}

/* Calls one step with one item. */
static int push(leat_pull *pull, size_t i, void *item)
{
    struct pull_step *step = &pull->step[i];
    step->work.current = item;
    step->work.gave = false;
    step->work.attempt = 0;
    int r = call(pull, i, item);
    if (r != 0 || step->failed)
        r = handle_answer(pull, i, item, r);
    step->number++;
    charge(pull, &step->busy_ns);
    return r;
}

/* The deepest step up to `from` that has results, plus 1. 0: no step has any. */
static size_t deepest(leat_pull *pull, size_t from)
{
    from = MIN(from, pull->deep);
    while (from > 0 && pull->step[from - 1].work.n == 0)
        from--;
    pull->deep = from;
    return from;
}

/* Takes the next result of step i. */
static void *take(leat_pull *pull, size_t i)
{
    struct pull_step *step = &pull->step[i];
    void *item = step->work.made[step->first];
    if (step->first + 1 < step->work.n) {
        step->first++;
        pull->deep = MAX(pull->deep, i + 1);
    } else {
        step->out += step->work.n;
        step->most = MAX(step->most, step->work.n);
        step->first = step->work.n = 0;
    }
    return item;
}

static void drop_before(leat_pull *pull, size_t end)
{
    for (size_t i = 0; i < end; i++)
        while (pull->step[i].work.n > 0)
            drop(pull, i + 1, take(pull, i));
}

static int fail(leat_pull *pull, int code)
{
    pull->code = code;
    drop_before(pull, pull->count);
    return code;
}

/* Gets the next item of the source. Returns 0, LEAT_STAGES_END or a negative errno. */
static int feed(leat_pull *pull, void **ret)
{
    if (pull->ended || pull->from > 0)
        return LEAT_STAGES_END;
    begin_round(pull);
    int r = pull->source(pull->user, ret);
    charge(pull, &pull->source_ns);
    pull->ended = r == LEAT_STAGES_END;
    pull->fed += r == 0;
    return pull->ended ? r : error_of_answer(r);
}

int leat_pull_next(leat_pull *pull, void **ret_item)
{
    if (pull->measures)
        pull->mark_ns = clock_ns();
    if (!pull->begun && (pull->code = begin(pull)) < 0)
        return pull->code;
    if (pull->code < 0)
        return pull->code;
    for (size_t at = deepest(pull, pull->count);;) {
        void *item;
        if (at > 0) {
            item = take(pull, at - 1);
        } else {
            int r = feed(pull, &item);
            if (r != 0)
                return r < 0 ? fail(pull, r) : LEAT_STAGES_END;
        }
        if (at == pull->count) {
            *ret_item = item;
            return 0;
        }
        int r = push(pull, at, item);
        if (r < 0)
            return fail(pull, r);
        if (pull->from > 0)
            drop_before(pull, pull->from - 1);
        at = pull->step[at].work.n > 0 ? at + 1 : deepest(pull, at + 1);
    }
}

int leat_pull_stats(const leat_pull *pull, size_t index, struct leat_stage_stats *ret_stats)
{
    if (index > pull->count)
        return -ENOENT;
    const struct pull_step *before = index > 0 ? &pull->step[index - 1] : NULL;
    const struct pull_step *step = index < pull->count ? &pull->step[index] : NULL;
    struct leat_stage_stats stats = {
        .in = before ? before->out + before->work.n : pull->fed,
        .queued = before ? before->work.n - before->first : 0,
        .most = before ? MAX(before->most, before->work.n) : MIN(pull->fed, 1),
        .wait_in_ns = before ? 0 : pull->source_ns,
        .dropped = pull->dropped,
    };
    if (step) {
        stats.out = step->out + step->work.n;
        stats.dropped = step->dropped;
        stats.dead = step->dead;
        stats.retries = step->retries;
        stats.busy_ns = step->busy_ns;
    }
    stats.done = stats.in - stats.queued - stats.dropped - stats.dead;
    return return_sized(ret_stats, &stats, sizeof(stats));
}

void leat_pull_free(leat_pull *pull)
{
    if (!pull)
        return;
    drop_before(pull, pull->count);
    for (size_t i = 0; i < pull->count; i++) {
        struct pull_step *step = &pull->step[i];
        if (step->worker_is_open && step->with.worker_close)
            step->with.worker_close(step->with.user, step->work.state);
        if (step->is_open && step->with.close)
            step->with.close(step->with.user);
        free(step->work.made);
        free(step->name);
    }
    free(pull->step);
    free(pull);
}
