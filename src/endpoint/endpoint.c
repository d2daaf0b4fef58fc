#include "endpoint/endpoint.h"
#include <errno.h>

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
