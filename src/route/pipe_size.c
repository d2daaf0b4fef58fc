/* SPDX-License-Identifier: MIT */
/* How large the pipes on both sides of a hop should be. A pipe of a shell holds 64 KiB, so its writer and its reader
 * take turns every 64 KiB; with larger pipes they work at the same time. */
#include "base/platform.h"
#include "route/hop.h"

/* The pipes may have a quarter of the hop's memory. The rest is for the routes. */
#define SHARE 4

static size_t count_pipes(const struct hop *hop)
{
    size_t n = hop->in->kind == NODE_PIPE;
    for (size_t i = 0; i < hop->branches; i++)
        n += hop->branch[i].node->kind == NODE_PIPE;
    return n;
}

/* The kernel rounds up to a power of two, and leat must not get more than it has paid for. */
static size_t round_down(uint64_t bytes)
{
    size_t size = PAGE;
    while (size <= bytes / 2 && size <= SIZE_MAX / 4)
        size *= 2;
    return bytes < PAGE ? 0 : size;
}

size_t pipe_size_wanted(const struct hop *hop, const struct node *node)
{
    if (node->kind != NODE_PIPE || hop->pipe_size < 0 || (hop->pipe_size == 0 && !node->own_pipe))
        return 0;
    uint64_t wanted = hop->pipe_size ? (uint64_t)hop->pipe_size : LEAT_PIPE_SIZE;
    return round_down(MIN(wanted, hop->budget->limit / SHARE / count_pipes(hop)));
}

/* The budget pays for what is added. Nothing is given back: the pipe stays as large as it is now. */
static void grow(struct hop *hop, struct node *node)
{
    size_t want = pipe_size_wanted(hop, node), paid = 0;
    node->pipe.was = node->pipe.is = node->kind == NODE_PIPE ? platform.pipe_size(node->fd) : 0;
    if (want <= node->pipe.was || !budget_take(hop->budget, paid = want - node->pipe.was))
        return;
    size_t was, is;
    if (platform.pipe_grow(node->fd, want, &was, &is) == 0)
        node->pipe.is = MAX(is, node->pipe.was);
    budget_give(hop->budget, paid - MIN(paid, node->pipe.is - node->pipe.was));
}

void pipe_size_begin(struct hop *hop)
{
    grow(hop, hop->in);
    for (size_t i = 0; i < hop->branches; i++)
        grow(hop, hop->branch[i].node);
}
