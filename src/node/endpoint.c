/* SPDX-License-Identifier: MIT */
#include "node/endpoint.h"
#include <errno.h>

int endpoint_init(leat_endpoint *endpoint, const struct node_ops *ops, const char *spec, enum leat_direction direction,
                  void (*free)(leat_endpoint *))
{
    endpoint->spec = strdup(spec);
    if (!endpoint->spec)
        return -ENOMEM;
    atomic_init(&endpoint->refs, 1);
    endpoint->free = free;
    endpoint->node.ops = ops;
    endpoint->node.name = endpoint->spec;
    endpoint->node.direction = direction;
    endpoint->node.fd = endpoint->node.seek_fd = -1;
    endpoint->node.position = -1;
    port_init(&endpoint->node.port, -1, 0);
    return 0;
}

int endpoint_error(struct node *node, struct leat_error *error, int code, const char *operation, const char *hint)
{
    char buffer[128];
    return error_at(error, code, node->direction == LEAT_READ ? LEAT_SIDE_SOURCE : LEAT_SIDE_SINK, node->name,
                    operation, "%s%s%s", error_text(code, buffer, sizeof(buffer)), hint ? "; " : "", hint ? hint : "");
}

/* ---- the public face ---- */

leat_endpoint *leat_endpoint_ref(leat_endpoint *endpoint)
{
    atomic_fetch_add(&endpoint->refs, 1);
    return endpoint;
}

void leat_endpoint_close(leat_endpoint *endpoint)
{
    if (endpoint && atomic_fetch_sub(&endpoint->refs, 1) == 1) {
        if (endpoint->node.ops->close)
            endpoint->node.ops->close(&endpoint->node);
        free(endpoint->spec);
        endpoint->free(endpoint);
    }
}

int leat_endpoint_is_same(const leat_endpoint *a, const leat_endpoint *b)
{
    return a == b || identity_is_same(&a->node.identity, &b->node.identity);
}

int leat_endpoint_notify(leat_endpoint *endpoint)
{
    if (!endpoint->notify)
        return -EINVAL;
    endpoint->notify(endpoint);
    return 0;
}
