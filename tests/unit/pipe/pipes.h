/* SPDX-License-Identifier: MIT */
/* Helpers for the tests of pipes: opening either backend, a thread that makes one call, and filters. */
#ifndef TESTS_PIPE_PIPES_H
#define TESTS_PIPE_PIPES_H

#include "base/platform.h"
#include "node/filter.h"
#include "unit/unit.h"
#include <leat/pipe.h>
#include <pthread.h>

#define SOON 30000 /* ms; a call that takes longer hangs */

struct ends {
    leat_writer *w;
    leat_reader *r;
};

/* POSIX has pipes, but no call that sets their size. */
static inline bool has_sized_pipes(void)
{
    return strcmp(platform.name, "posix") != 0;
}

static inline struct ends open_with(int backend, uint64_t limit, uint64_t chunk, leat_filter **filters, size_t n)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_pipe_options options = LEAT_INIT(struct leat_pipe_options);
    struct ends e;
    unit_needs(backend != LEAT_PIPE_KERNEL || unit_pipes_end(), "pipes with an end");
    options.backend = backend;
    options.memory_limit = limit;
    options.chunk_size = chunk;
    options.filters = filters;
    options.filter_count = n;
    int r = leat_pipe_open(&e.w, &e.r, &options, &error);
    unit_needs(r != -EOPNOTSUPP || has_sized_pipes(), "pipes of a chosen size");
    if (r < 0)
        fail_msg("it can't be opened: %s", error.text);
    return e;
}

static inline struct ends open_pipe(int backend, uint64_t limit)
{
    return open_with(backend, limit, 0, NULL, 0);
}

/* The end, as far as there is still a reader for it. */
static inline void finish_and_close(leat_writer *w)
{
    leat_writer_finish(w, SOON);
    leat_writer_close(w);
}

static inline void close_both(struct ends e)
{
    leat_writer_close(e.w);
    leat_reader_close(e.r);
}

/* A pattern in which each place of the stream differs from its neighbours. */
static inline uint8_t pattern(uint64_t i)
{
    return (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16));
}

static inline void fill_pattern(uint8_t *bytes, uint64_t from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = pattern(from + i);
}

static inline void is_pattern(const uint8_t *bytes, uint64_t from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i] != pattern(from + i))
            fail_msg("byte %llu is another one", (unsigned long long)(from + i));
}

static inline void puts_text(leat_writer *w, const char *text)
{
    size_t done = 0;
    assert_int_equal(leat_writer_write(w, text, strlen(text), &done, SOON), 0);
    assert_int_equal(done, strlen(text));
}

static inline void gives_text(leat_reader *r, const char *text)
{
    char bytes[256];
    size_t n = strlen(text), done = 0;
    assert_int_equal(leat_reader_read_full(r, bytes, n, &done, SOON), 0);
    assert_int_equal(done, n);
    assert_memory_equal(bytes, text, n);
}

static inline void gives_code(leat_reader *r, int code)
{
    char byte;
    size_t done = 77;
    assert_int_equal(leat_reader_read(r, &byte, 1, &done, SOON), code);
    assert_int_equal(done, 0);
}

/* ---- a call on a thread of its own ---- */

struct call {
    pthread_t thread;
    leat_writer *w;
    leat_reader *r;
    uint8_t *bytes;
    size_t n, done;
    int timeout_ms, result;
};

static inline void *do_write(void *user)
{
    struct call *c = user;
    c->result = leat_writer_write(c->w, c->bytes, c->n, &c->done, c->timeout_ms);
    return NULL;
}

static inline void *do_read(void *user)
{
    struct call *c = user;
    c->result = leat_reader_read_full(c->r, c->bytes, c->n, &c->done, c->timeout_ms);
    return NULL;
}

static inline void *do_finish(void *user)
{
    struct call *c = user;
    c->result = leat_writer_finish(c->w, -1);
    return NULL;
}

static inline void start(struct call *c, void *(*what)(void *))
{
    assert_int_equal(pthread_create(&c->thread, NULL, what, c), 0);
}

static inline void wait_for(struct call *c)
{
    assert_int_equal(pthread_join(c->thread, NULL), 0);
}

/* Waits until the call most likely blocks. If it does not block yet, the result of the test is the same. */
static inline void let_it_block(void)
{
    usleep(20000);
}

/* ---- filters ---- */

/* Doubles each byte. Holds the last `keep` input bytes back until it has to flush or finish, gives `trailer` at the
 * finish, fails at input byte number `fail_at`, and ends after `end_at` bytes. */
struct doubler {
    leat_filter filter;
    size_t keep, kept;
    uint8_t held[64];
    const char *trailer;
    uint64_t seen, fail_at, end_at;
    int fail_code, finish_code, started, finished;
    bool second; /* the second copy of a byte waits for room */
    atomic_uint frees;
};

static inline bool doubler_give(struct doubler *d, struct filter_buffers *b, uint8_t byte)
{
    while (b->out_n) {
        *b->out++ = byte;
        b->out_n--;
        d->second = !d->second;
        if (!d->second)
            return true;
    }
    return false;
}

static inline int doubler_drain(struct doubler *d, struct filter_buffers *b, size_t leave)
{
    while (d->kept > leave) {
        if (!doubler_give(d, b, d->held[0]))
            return LEAT_FILTER_FULL;
        memmove(d->held, d->held + 1, --d->kept);
    }
    return LEAT_FILTER_DONE;
}

static inline int doubler_transform(leat_filter *filter, struct filter_buffers *b, int mode, struct leat_error *error)
{
    struct doubler *d = (struct doubler *)filter;
    for (; b->in_n; b->in++, b->in_n--) {
        if (doubler_drain(d, b, d->keep) == LEAT_FILTER_FULL)
            return LEAT_FILTER_FULL;
        if (d->fail_code && d->seen == d->fail_at) {
            error->code = d->fail_code;
            snprintf(error->text, sizeof(error->text), "the doubler does not like this byte");
            return d->fail_code;
        }
        if (d->end_at && d->seen == d->end_at)
            return doubler_drain(d, b, 0) == LEAT_FILTER_FULL ? LEAT_FILTER_FULL : LEAT_FILTER_ENDED;
        d->held[d->kept++] = *b->in;
        d->seen++;
    }
    int r = doubler_drain(d, b, mode == LEAT_FILTER_MORE ? d->keep : 0);
    for (; r == LEAT_FILTER_DONE && mode == LEAT_FILTER_FINISH && d->trailer && *d->trailer; d->trailer++) {
        if (b->out_n == 0)
            return LEAT_FILTER_FULL;
        *b->out++ = (uint8_t)*d->trailer;
        b->out_n--;
    }
    return r;
}

static inline int doubler_start(leat_filter *filter, uint64_t expected UNUSED, struct leat_error *error UNUSED)
{
    ((struct doubler *)filter)->started++;
    return 0;
}

static inline int doubler_finish(leat_filter *filter, int code, struct leat_error *error UNUSED)
{
    struct doubler *d = (struct doubler *)filter;
    d->finished++;
    d->finish_code = code;
    return 0;
}

static inline void doubler_free(leat_filter *filter)
{
    atomic_fetch_add(&((struct doubler *)filter)->frees, 1);
}

static const struct filter_ops doubler_ops UNUSED = {.name = "doubler",
                                                     .caps = FILTER_TRANSFORMS,
                                                     .start = doubler_start,
                                                     .transform = doubler_transform,
                                                     .finish = doubler_finish,
                                                     .free = doubler_free};

/* Makes the filter in the caller's memory. The pipe frees it once. */
static inline leat_filter *doubler(struct doubler *d)
{
    filter_init(&d->filter, &doubler_ops);
    return &d->filter;
}

/* Observes the bytes. Fails at the chunk that has byte number `fail_at`. */
struct watcher {
    leat_filter filter;
    uint64_t seen, fail_at;
    int fail_code, fail_finish;
    bool bad; /* a byte did not match the pattern */
    bool patterned;
    unsigned chunks, finished;
    int finish_code;
};

static inline int watcher_observe(leat_filter *filter, struct chunk *chunk, struct leat_error *error UNUSED)
{
    struct watcher *w = (struct watcher *)filter;
    for (size_t i = 0; w->patterned && i < chunk->length; i++)
        w->bad |= chunk->data[i] != pattern(w->seen + i);
    w->seen += chunk->length;
    w->chunks++;
    filter_count(filter, chunk->length);
    return w->fail_code && w->seen > w->fail_at ? w->fail_code : 0;
}

static inline int watcher_finish(leat_filter *filter, int code, struct leat_error *error UNUSED)
{
    struct watcher *w = (struct watcher *)filter;
    w->finished++;
    w->finish_code = code;
    return w->fail_finish;
}

static inline void watcher_free(leat_filter *filter UNUSED)
{
}

static const struct filter_ops watcher_ops UNUSED = {.name = "watcher",
                                                     .caps = FILTER_OBSERVES,
                                                     .observe = watcher_observe,
                                                     .finish = watcher_finish,
                                                     .free = watcher_free};

static inline leat_filter *watcher(struct watcher *w)
{
    filter_init(&w->filter, &watcher_ops);
    return &w->filter;
}

#endif
