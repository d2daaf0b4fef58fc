/* SPDX-License-Identifier: MIT */
/* Creates, frees and describes streams, and lets one side wait for the other. */
#include "buffer/stream.h"
#include "base/error.h"
#include "base/thread.h"
#include "buffer/view.h"
#include <errno.h>

#define LIMIT_FACTOR 16 /* times pause_at: the default limit */

static int set_bounds(leat_stream *s, const struct leat_stream_options *o, struct leat_error *error)
{
    s->pause_at = o->pause_at ? o->pause_at : UINT64_MAX;
    s->resume_at = o->resume_at ? o->resume_at : o->pause_at / 2;
    s->limit = o->limit;
    if (!s->limit)
        s->limit = o->pause_at && o->pause_at <= UINT64_MAX / LIMIT_FACTOR ? o->pause_at * LIMIT_FACTOR : UINT64_MAX;
    if (s->resume_at >= s->pause_at)
        return error_at(error, -EINVAL, LEAT_SIDE_NONE, "stream", "new", "resume_at must be less than pause_at");
    if (o->pause_at > s->limit)
        return error_at(error, -EINVAL, LEAT_SIDE_NONE, "stream", "new", "pause_at must be at most limit");
    return 0;
}

static int init_waits(leat_stream *s)
{
    pthread_mutex_init(&s->lock, NULL);
    return thread_cond_init(&s->changed);
}

static int make(leat_stream **ret, leat_pool *pool, const struct leat_stream_options *options, struct leat_error *error)
{
    struct leat_stream_options o;
    int r = options_copy(&o, sizeof(o), options);
    if (r < 0)
        return error_at(error, r, LEAT_SIDE_NONE, "stream", "new", "The options are not those of this version");
    leat_stream *s = calloc(1, sizeof(*s));
    struct segment *first = calloc(1, sizeof(*first));
    r = s && first ? set_bounds(s, &o, error) : -ENOMEM;
    if (r == 0 && !pool && !(pool = pool_default()))
        r = -ENOMEM;
    if (r == 0)
        r = search_for(&s->r.line, "\n", 1);
    if (r == 0)
        r = init_waits(s);
    if (r < 0) {
        if (s)
            search_free(&s->r.line);
        free(first);
        free(s);
        return r;
    }
    s->pool = pool_ref(pool);
    s->waits = o.waits;
    s->w.size = (size_t)MIN(MAX(o.chunk_size, pool_chunk_min(pool)), pool_chunk_max(pool));
    atomic_init(&s->chunk_size, s->w.size);
    s->w.last = s->r.head = first;
    stream_close_window(&s->r);
    *ret = s;
    return 0;
}

int leat_stream_new(leat_stream **ret_stream, leat_pool *pool, const struct leat_stream_options *options,
                    struct leat_error *ret_error)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    int r = error_begin(ret_error);
    return r < 0 ? r : error_return(ret_error, &error, make(ret_stream, pool, options, &error));
}

void leat_stream_free(leat_stream *s)
{
    if (!s || !pool_is_here(s->pool)) /* after a fork, a waiter of the parent would block the destroy below */
        return;
    for (struct segment *at = s->r.head, *next; at; at = next) {
        next = atomic_load_explicit(&at->next, memory_order_acquire);
        chunk_unref(at->chunk);
        free(at);
    }
    chunk_unref(s->w.tail.chunk);
    chunk_unref(s->w.spare.chunk);
    free(s->w.node[0]);
    free(s->w.node[1]);
    search_free(&s->r.line);
    for (size_t i = 0; i < COUNT(s->r.recent); i++)
        search_free(&s->r.recent[i]);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    pool_unref(s->pool);
    free(s);
}

size_t leat_stream_length(const leat_stream *s)
{
    /* `consumed` first, so that the difference is never negative. */
    uint64_t consumed = atomic_load_explicit(&s->consumed, memory_order_acquire);
    return (size_t)(atomic_load_explicit(&s->committed, memory_order_acquire) - consumed);
}

int leat_stream_ended(const leat_stream *s)
{
    return atomic_load_explicit(&s->end, memory_order_acquire) != 0;
}

int leat_stream_stats(const leat_stream *s, struct leat_stream_usage *ret_usage)
{
    struct leat_stream_usage stats = {
        .bytes_out = atomic_load_explicit(&s->consumed, memory_order_acquire),
        .bytes_in = atomic_load_explicit(&s->committed, memory_order_acquire),
        .bytes_searched = atomic_load_explicit(&s->r.searched, memory_order_relaxed),
        .bytes_copied = atomic_load_explicit(&s->r.copied, memory_order_relaxed),
        .chunk_size = atomic_load_explicit(&s->chunk_size, memory_order_relaxed),
    };
    return return_sized(ret_usage, &stats, sizeof(stats));
}

/* ---- waiting ---- */

void stream_wake(leat_stream *s)
{
    atomic_fetch_add_explicit(&s->kick, 1, memory_order_acq_rel);
    if (atomic_load_explicit(&s->sleepers, memory_order_relaxed)) {
        pthread_mutex_lock(&s->lock);
        pthread_cond_broadcast(&s->changed);
        pthread_mutex_unlock(&s->lock);
    }
}

int stream_sleep(leat_stream *s, bool (*ready)(leat_stream *stream, uint64_t n), uint64_t n, int timeout_ms)
{
    if (!s->waits)
        return -EOPNOTSUPP;
    int64_t until = timeout_ms < 0 ? INT64_MAX : clock_ns() + (int64_t)timeout_ms * 1000000;
    int r = 0;
    pthread_mutex_lock(&s->lock);
    atomic_fetch_add_explicit(&s->sleepers, 1, memory_order_relaxed);
    for (;;) {
        atomic_fetch_add_explicit(&s->kick, 1, memory_order_acq_rel);
        if (ready(s, n))
            break;
        if (until != INT64_MAX && clock_ns() >= until) {
            r = timeout_ms == 0 ? -EAGAIN : -ETIMEDOUT;
            break;
        }
        thread_cond_wait(&s->changed, &s->lock, until);
    }
    atomic_fetch_sub_explicit(&s->sleepers, 1, memory_order_relaxed);
    pthread_mutex_unlock(&s->lock);
    return r;
}
