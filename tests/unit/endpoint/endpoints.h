/* SPDX-License-Identifier: MIT */
/* Helpers for the tests of endpoints: they call the hooks of a node in the order of the runner. */
#ifndef TESTS_ENDPOINT_ENDPOINTS_H
#define TESTS_ENDPOINT_ENDPOINTS_H

#include "endpoint/endpoint.h"
#include "unit/unit.h"

/* A source without a mode: a file that is made from it has 0666 under the umask. */
static const struct node no_file UNUSED = {.kind = NODE_CALL};

static inline leat_endpoint *opened(const char *spec, enum leat_direction direction, int write_mode)
{
    struct leat_endpoint_options options = {.size = sizeof(options), .write_mode = write_mode};
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_endpoint *endpoint;
    if (leat_endpoint_open(&endpoint, spec, direction, &options, &error) < 0)
        fail_msg("%s: %s", spec, error.text);
    return endpoint;
}

/* Checks that opening fails with this code and with a sentence that has these words. */
static inline void refused(const char *spec, enum leat_direction direction, int write_mode, int code, const char *words)
{
    struct leat_endpoint_options options = {.size = sizeof(options), .write_mode = write_mode};
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_endpoint *endpoint = (leat_endpoint *)&error;
    int r = leat_endpoint_open(&endpoint, spec, direction, &options, &error);
    if (r != code || error.code != code)
        fail_msg("'%s': %d, not %d: %s", spec, r, code, error.text);
    assert_ptr_equal(endpoint, &error);
    assert_string_equal(error.node, spec);
    assert_true(error.operation && error.operation[0]);
    assert_int_equal(error.side, direction == LEAT_READ ? LEAT_SIDE_SOURCE : LEAT_SIDE_SINK);
    if (!strstr(error.text, words))
        fail_msg("'%s': '%s' has no '%s'", spec, error.text, words);
    assert_int_equal(leat_endpoint_open(&endpoint, spec, direction, &options, NULL), code);
}

static inline int node_open(leat_endpoint *endpoint, const struct node *source, struct leat_error *error)
{
    struct leat_error own = LEAT_INIT(struct leat_error);
    return endpoint->node.ops->open ? endpoint->node.ops->open(&endpoint->node, source, error ? error : &own) : 0;
}

static inline void node_write(leat_endpoint *endpoint, const char *text)
{
    struct node *node = &endpoint->node;
    ssize_t n = node->position >= 0 ? pwrite(node->fd, text, strlen(text), node->position)
                                    : write(node->fd, text, strlen(text));
    assert_int_equal(n, (ssize_t)strlen(text));
}

static inline int node_finish(leat_endpoint *endpoint, uint64_t delivered, struct leat_error *error)
{
    struct leat_error own = LEAT_INIT(struct leat_error);
    const struct node_ops *ops = endpoint->node.ops;
    return ops->finish ? ops->finish(&endpoint->node, delivered, error ? error : &own) : 0;
}

static inline int node_commit(leat_endpoint *endpoint, struct leat_error *error)
{
    struct leat_error own = LEAT_INIT(struct leat_error);
    return endpoint->node.ops->commit ? endpoint->node.ops->commit(&endpoint->node, error ? error : &own) : 0;
}

static inline void node_abort(leat_endpoint *endpoint, uint64_t delivered)
{
    if (endpoint->node.ops->abort)
        endpoint->node.ops->abort(&endpoint->node, -EIO, delivered);
}

/* Ends a node in the way of the runner: closes it, then drops the handle. */
static inline void node_end(leat_endpoint *endpoint)
{
    if (endpoint->node.ops->close)
        endpoint->node.ops->close(&endpoint->node);
    leat_endpoint_close(endpoint);
}

/* Runs a sink from its opening to its commit. */
static inline void delivers(const char *spec, int write_mode, const struct node *source, const char *text)
{
    leat_endpoint *endpoint = opened(spec, LEAT_WRITE, write_mode);
    assert_int_equal(node_open(endpoint, source, NULL), 0);
    node_write(endpoint, text);
    assert_int_equal(node_finish(endpoint, strlen(text), NULL), 0);
    assert_int_equal(node_commit(endpoint, NULL), 0);
    node_end(endpoint);
}

#endif
