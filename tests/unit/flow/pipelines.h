/* SPDX-License-Identifier: MIT */
/* Helpers for the tests of pipelines: sources and sinks in memory, and an endpoint that waits until it may go. */
#ifndef TESTS_FLOW_PIPELINES_H
#define TESTS_FLOW_PIPELINES_H

#include "unit/engine/wanted.h"
#include "unit/unit.h"
#include <leat/leat.h>
#include <stdatomic.h>
#include <stdbool.h>

static inline leat_endpoint *from_bytes(const void *bytes, size_t n)
{
    leat_endpoint *e;
    assert_int_equal(leat_endpoint_from_memory(&e, bytes, n), 0);
    return e;
}

static inline leat_endpoint *to_bytes(void *bytes, size_t n, size_t *ret_size)
{
    leat_endpoint *e;
    assert_int_equal(leat_endpoint_to_memory(&e, bytes, n, ret_size), 0);
    return e;
}

static inline leat_endpoint *spec(const char *text, enum leat_direction direction)
{
    leat_endpoint *e;
    struct leat_error error = LEAT_INIT(struct leat_error);
    if (leat_endpoint_open(&e, text, direction, NULL, &error) < 0)
        fail_msg("%s: %s", text, error.text);
    return e;
}

static inline leat_filter *digest_of(const char *algorithms)
{
    leat_filter *f;
    int r = leat_filter_digest(&f, algorithms, NULL, NULL);
    unit_needs(r != -ELIBACC, "libcrypto");
    assert_int_equal(r, 0);
    return f;
}

static inline leat_pipeline *pipeline_of(const struct leat_pipeline_options *options, leat_endpoint *source,
                                         leat_endpoint *sink)
{
    leat_pipeline *p;
    struct leat_pipeline_options own = on_engine_wanted(options);
    assert_int_equal(leat_pipeline_new(&p, &own, NULL), 0);
    if (source)
        assert_int_equal(leat_pipeline_source(p, source), 0);
    if (sink)
        assert_int_equal(leat_pipeline_sink(p, sink, NULL, NULL), 0);
    return p;
}

/* Runs the pipeline, frees it and its report, and returns the result. */
static inline int run_and_free(leat_pipeline *p)
{
    int r = leat_pipeline_run(p, NULL);
    leat_pipeline_free(p);
    return r;
}

/* Callbacks of an endpoint, which count their calls. A source gives `n` letters a, a few at a time; a sink takes
 * everything. Both return -EAGAIN until `go`. */
struct gate {
    leat_endpoint *endpoint; /* borrowed, for leat_endpoint_notify */
    atomic_bool go;
    size_t n, at_most;
    atomic_int result; /* returned instead of bytes once it may go */
    atomic_size_t done;
    atomic_uint asked;
    unsigned finishes, frees;
    int finish_code, finish_result;
    char last;
};

static inline int gate_ready(struct gate *g)
{
    atomic_fetch_add(&g->asked, 1);
    return !atomic_load(&g->go) ? -EAGAIN : g->result;
}

static inline int gate_read(void *user, void *bytes, size_t n, size_t *ret_n)
{
    struct gate *g = user;
    int r = gate_ready(g);
    if (r < 0)
        return r;
    *ret_n = MIN(MIN(n, g->at_most ? g->at_most : n), g->n - g->done);
    memset(bytes, 'a', *ret_n);
    g->done += *ret_n;
    return 0;
}

static inline int gate_write(void *user, const void *bytes, size_t n, size_t *ret_n)
{
    struct gate *g = user;
    int r = gate_ready(g);
    if (r < 0)
        return r;
    *ret_n = MIN(n, g->at_most ? g->at_most : n);
    g->last = ((const char *)bytes)[*ret_n - 1];
    g->done += *ret_n;
    return 0;
}

static inline int gate_finish(void *user, int code)
{
    struct gate *g = user;
    g->finishes++;
    g->finish_code = code;
    return g->finish_result;
}

static inline void gate_free(void *user)
{
    struct gate *g = user;
    g->frees++;
}

static inline leat_endpoint *gate(struct gate *g)
{
    struct leat_endpoint_callbacks callbacks = {
        .size = sizeof(callbacks), .read = gate_read, .write = gate_write, .finish = gate_finish, .free = gate_free};
    assert_int_equal(leat_endpoint_from_callbacks(&g->endpoint, &callbacks, g, NULL), 0);
    return g->endpoint;
}

static inline void let_go(struct gate *g)
{
    atomic_store(&g->go, true);
    leat_endpoint_notify(g->endpoint);
}

/* Waits until the endpoint was called once, so that the pipeline is in the middle of a call. */
static inline void wait_until_asked(struct gate *g)
{
    for (int i = 0; i < 5000 && atomic_load(&g->asked) == 0; i++)
        usleep(1000);
    assert_true(atomic_load(&g->asked) > 0);
}

#endif
