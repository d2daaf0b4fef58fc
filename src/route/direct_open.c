/* SPDX-License-Identifier: MIT */
/* Opens the descriptors of the direct route. */
#include "base/platform.h"
#include "route/direct.h"
#include <errno.h>

bool direct_is_storage(const struct node *node)
{
    return node->kind == NODE_FILE || node->kind == NODE_BLOCK;
}

/* The caller asks for the sink only if there is a branch. */
static const struct node *node_of(const struct hop *hop, enum direct_side side)
{
    return side == SOURCE ? hop->in : hop->branch[0].node;
}

/* Returns a new descriptor that bypasses the cache, which the caller owns, or a negative errno. -ESPIPE: this kind of
 * node has none. */
static int open_side(const struct hop *hop, enum direct_side side, size_t *ret_align)
{
    if (side == SINK && hop->branches == 0)
        return -ESPIPE;
    const struct node *node = node_of(hop, side);
    if (!direct_is_storage(node) || node->position < 0)
        return -ESPIPE;
    return platform.open_direct(node->fd, node->direction, ret_align);
}

static const char *place_name(const struct node *node)
{
    return node->file_system ? node->file_system : node_kind_name(node->kind);
}

static int because_refused(struct hop *hop, const int r[2])
{
    enum direct_side side = r[SOURCE] == -ESPIPE ? SINK : SOURCE;
    if (r[SINK] == -ESPIPE || side == SINK)
        hop_set_reason(hop, "%s says %s to O_DIRECT", place_name(node_of(hop, side)), leat_errno_name(r[side]));
    else
        hop_set_reason(hop, "%s says %s to O_DIRECT, and the sink's %s says %s", place_name(node_of(hop, SOURCE)),
                       leat_errno_name(r[SOURCE]), place_name(node_of(hop, SINK)), leat_errno_name(r[SINK]));
    return r[side];
}

int direct_open_sides(struct hop *hop, struct direct_route *s)
{
    size_t align[2] = {PAGE, PAGE};
    int r[2];
    for (int side = SOURCE; side <= SINK; side++) {
        r[side] = open_side(hop, (enum direct_side)side, &align[side]);
        s->fd[side] = MAX(r[side], -1);
        s->past_cache[side] = r[side] >= 0;
    }
    if (r[SOURCE] < 0 && r[SINK] < 0)
        return because_refused(hop, r);
    s->align = MAX(align[SOURCE], align[SINK]);
    s->base = (uint64_t)node_of(hop, s->past_cache[SOURCE] ? SOURCE : SINK)->position;
    /* If the blocks of the two sides start at different positions, only one side can bypass the cache. */
    if (s->past_cache[SOURCE] && s->past_cache[SINK] &&
        (uint64_t)node_of(hop, SINK)->position % s->align != s->base % s->align)
        s->past_cache[SINK] = false;
    return 0;
}
