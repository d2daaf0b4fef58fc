/* SPDX-License-Identifier: MIT */
/* Makes a filter of the caller's functions. It checks their results, so that a mistake in them is an error that names
 * the filter, and not a lost byte or an endless run. */
#include "base/error.h"
#include "buffer/consumer.h"
#include "node/filter.h"
#include <errno.h>

struct custom {
    leat_filter filter;
    struct filter_ops ops; /* not shared, because each filter has its own name */
    struct leat_filter_ops calls;
    void *user;
    struct chunk_consumer consumer; /* of an observer */
    atomic_int failed;              /* what `observe` answered first that was not 0 */
};

static int failed(const struct custom *c, struct leat_error *error, const char *operation, int code)
{
    char text[100];
    return error_at(error, code, LEAT_SIDE_FILTER, c->ops.name, operation, "%s", error_text(code, text, sizeof(text)));
}

static void take(void *user, const struct chunk *chunk)
{
    struct custom *c = user;
    if (atomic_load(&c->failed) == 0)
        atomic_store(&c->failed, error_of_answer(chunk_show(chunk, c->calls.observe, c->user)));
}

static int custom_start(leat_filter *filter, uint64_t expected UNUSED, struct leat_error *error)
{
    struct custom *c = (struct custom *)filter;
    int r = c->calls.start ? error_of_answer(c->calls.start(c->user)) : 0;
    if (r < 0)
        return failed(c, error, "start", r);
    atomic_store(&c->failed, 0);
    if (c->calls.thread)
        chunk_consumer_start(&c->consumer);
    return 0;
}

static int custom_observe(leat_filter *filter, struct chunk *chunk, struct leat_error *error)
{
    struct custom *c = (struct custom *)filter;
    chunk_consumer_give(&c->consumer, chunk);
    filter_count(filter, chunk->length);
    int r = atomic_load(&c->failed);
    return r < 0 ? failed(c, error, "observe", r) : 0;
}

/* A failure that came to light behind the last chunk fails the run here. */
static int custom_finish(leat_filter *filter, int code, struct leat_error *error)
{
    struct custom *c = (struct custom *)filter;
    chunk_consumer_stop(&c->consumer);
    int r = atomic_load(&c->failed);
    return code == 0 && r < 0 ? failed(c, error, "observe", r) : 0;
}

/* Checks the result of `transform`, which says that it used `in_n` and `out_n` bytes. Returns the mistake, or NULL if
 * there is none. */
static const char *mistake(const struct filter_buffers *b, int answer, size_t in_n, size_t out_n)
{
    if (in_n > b->in_n || out_n > b->out_n)
        return "it says that it used more bytes than there were";
    if (answer > LEAT_FILTER_ENDED)
        return "its answer is none of enum leat_filter_answer";
    if (answer == LEAT_FILTER_DONE && in_n < b->in_n)
        return "it says that it is done, and has not taken all of its input";
    if (answer == LEAT_FILTER_FULL && b->out_n > 0 && in_n == 0 && out_n == 0)
        return "it says that its output is full, and has put nothing into it";
    return NULL;
}

static int custom_transform(leat_filter *filter, struct filter_buffers *b, int mode, struct leat_error *error)
{
    struct custom *c = (struct custom *)filter;
    size_t in_n = b->in_n, out_n = b->out_n;
    int answer = c->calls.transform(c->user, b->in, &in_n, b->out, &out_n, (enum leat_filter_mode)mode);
    if (answer < 0)
        return failed(c, error, "transform", error_of_answer(answer));
    const char *why = mistake(b, answer, in_n, out_n);
    if (why)
        return error_at(error, -EPROTO, LEAT_SIDE_FILTER, c->ops.name, "transform", "The filter is wrong: %s", why);
    b->in += in_n;
    b->in_n -= in_n;
    b->out += out_n;
    b->out_n -= out_n;
    return answer;
}

static void custom_free(leat_filter *filter)
{
    struct custom *c = (struct custom *)filter;
    chunk_consumer_stop(&c->consumer);
    if (c->calls.free)
        c->calls.free(c->user);
    free(c);
}

static const struct filter_ops observer_ops = {
    .caps = FILTER_OBSERVES,
    .start = custom_start,
    .observe = custom_observe,
    .finish = custom_finish,
    .free = custom_free,
};

static const struct filter_ops transform_ops = {
    .caps = FILTER_TRANSFORMS,
    .start = custom_start,
    .transform = custom_transform,
    .free = custom_free,
};

static int make(leat_filter **ret, const struct leat_filter_ops *ops, void *user, struct leat_error *error)
{
    struct leat_filter_ops calls;
    int r = options_copy(&calls, sizeof(calls), ops);
    if (r < 0)
        return error_at(error, r, LEAT_SIDE_NONE, "custom", "new", "The functions are not those of this version");
    if (!calls.observe == !calls.transform)
        return error_at(error, -EINVAL, LEAT_SIDE_NONE, calls.name ? calls.name : "custom", "new",
                        "observe or transform must be given, and the other one must be NULL");
    if (calls.thread && !calls.observe)
        return error_at(error, -EINVAL, LEAT_SIDE_NONE, calls.name ? calls.name : "custom", "new",
                        "thread is for observe alone; a pipeline runs what stands between two transforms on threads");
    struct custom *c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    c->ops = calls.observe ? observer_ops : transform_ops;
    c->ops.name = calls.name ? calls.name : "custom";
    c->calls = calls;
    c->user = user;
    filter_init(&c->filter, &c->ops);
    chunk_consumer_init(&c->consumer, take, c);
    *ret = &c->filter;
    return 0;
}

int leat_filter_custom(leat_filter **ret_filter, const struct leat_filter_ops *ops, void *user,
                       struct leat_error *ret_error)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    int r = error_begin(ret_error);
    return r < 0 ? r : error_return(ret_error, &error, make(ret_filter, ops, user, &error));
}
