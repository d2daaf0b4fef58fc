/* SPDX-License-Identifier: MIT */
/* Memory as a source or a sink: there is no descriptor, but a function that copies. */
#include "endpoint/endpoint.h"
#include <errno.h>

struct memory_endpoint {
    leat_endpoint endpoint;
    const uint8_t *from;
    uint8_t *to;
    size_t size, at;
    size_t *ret_size;
};

static ssize_t memory_read(void *user, void *bytes, size_t n)
{
    struct memory_endpoint *m = user;
    n = MIN(n, m->size - m->at);
    if (n)
        memcpy(bytes, m->from + m->at, n);
    m->at += n;
    return (ssize_t)n;
}

static ssize_t memory_write(void *user, void *bytes, size_t n)
{
    struct memory_endpoint *m = user;
    if (m->at == m->size && n)
        return -ENOSPC;
    n = MIN(n, m->size - m->at);
    memcpy(m->to + m->at, bytes, n);
    m->at += n;
    return (ssize_t)n;
}

static int memory_commit(struct node *node, struct leat_error *error UNUSED)
{
    struct memory_endpoint *m = (struct memory_endpoint *)node;
    if (m->ret_size)
        *m->ret_size = m->at;
    return 0;
}

static void memory_free(leat_endpoint *endpoint)
{
    free(endpoint);
}

static const struct node_ops memory_ops = {.name = "memory", .commit = memory_commit};

static int memory_new(leat_endpoint **ret, enum leat_direction direction, struct memory_endpoint **ret_memory)
{
    struct memory_endpoint *m = calloc(1, sizeof(*m));
    if (!m || endpoint_init(&m->endpoint, &memory_ops, "memory", direction, memory_free) < 0) {
        free(m);
        return -ENOMEM;
    }
    struct node *node = &m->endpoint.node;
    node->kind = NODE_CALL;
    m->endpoint.directed = true;
    node->call = direction == LEAT_READ ? memory_read : memory_write;
    node->call_user = m;
    *ret_memory = m;
    *ret = &m->endpoint;
    return 0;
}

int leat_endpoint_from_memory(leat_endpoint **ret_endpoint, const void *bytes, size_t size)
{
    struct memory_endpoint *m;
    int r = memory_new(ret_endpoint, LEAT_READ, &m);
    if (r < 0)
        return r;
    m->from = bytes;
    m->size = size;
    m->endpoint.node.has_size = true;
    m->endpoint.node.size = size;
    return 0;
}

int leat_endpoint_to_memory(leat_endpoint **ret_endpoint, void *bytes, size_t capacity, size_t *ret_size)
{
    struct memory_endpoint *m;
    int r = memory_new(ret_endpoint, LEAT_WRITE, &m);
    if (r < 0)
        return r;
    m->to = bytes;
    m->size = capacity;
    m->ret_size = ret_size;
    return 0;
}
