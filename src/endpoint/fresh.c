/* SPDX-License-Identifier: MIT */
/* A new file that only its maker can see: a sink that may share blocks with the source and may have holes, as a file
 * has that is published. Its maker gives it a name, or does not. */
#include "endpoint/endpoint.h"
#include <errno.h>
#include <sys/stat.h>

struct fresh {
    leat_endpoint endpoint;
    int fd;
};

static int fresh_open(struct node *node, const struct node *source UNUSED, struct leat_error *error UNUSED)
{
    node_set_fd(node, ((struct fresh *)node)->fd, 0, NODE_WAIT_NEVER);
    return 0;
}

static int fresh_finish(struct node *node, uint64_t delivered, struct leat_error *error)
{
    struct op op = {.kind = OP_TRUNCATE, .fd = {-1, node->fd}, .offset = {-1, (int64_t)delivered}};
    int r = node->holes ? (int)op_execute(&op) : 0;
    return r < 0 ? endpoint_error(node, error, r, op_name(OP_TRUNCATE), NULL) : 0;
}

static void fresh_close(struct node *node)
{
    node->fd = node->port.fd = -1;
}

static void fresh_free(leat_endpoint *endpoint)
{
    free(endpoint);
}

static const struct node_ops fresh_ops = {
    .name = "fresh",
    .open = fresh_open,
    .finish = fresh_finish,
    .close = fresh_close,
};

int endpoint_fresh(leat_endpoint **ret, const char *name, int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    struct fresh *f = calloc(1, sizeof(*f));
    if (!f || endpoint_init(&f->endpoint, &fresh_ops, name, LEAT_WRITE, fresh_free) < 0) {
        free(f);
        return -ENOMEM;
    }
    f->fd = fd;
    node_set_stat(&f->endpoint.node, &st);
    f->endpoint.node.fresh = true;
    *ret = &f->endpoint;
    return 0;
}
