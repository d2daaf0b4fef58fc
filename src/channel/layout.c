#include "channel/layout.h"
#include "base/base.h"
#include <errno.h>
#include <stdbool.h>

#define PLACES_MAX   4096u
#define CAPACITY_MIN (2 * UNIT)
#define CAPACITY_MAX ((uint64_t)1 << 32)

static uint64_t round_up(uint64_t n, uint64_t unit)
{
    return (n + unit - 1) / unit * unit;
}

static uint64_t power_of_two(uint64_t n)
{
    uint64_t size = PAGE;
    while (size < n)
        size *= 2;
    return size;
}

/* A page of the machine may be larger than PAGE. So rings begin at multiples of the largest page size that exists, and
 * their sizes are multiples of it. */
#define RING_UNIT ((uint64_t)64 * 1024)

static void arrange(struct geometry *g)
{
    g->ring = power_of_two(MAX(g->capacity, RING_UNIT));
    g->lanes_at = PAGE + g->places * sizeof(struct channel_place);
    g->rings_at = round_up(g->lanes_at + g->lanes * sizeof(struct channel_lane), RING_UNIT);
    g->total = g->rings_at + g->lanes * g->ring;
}

bool geometry_is_sound(const struct geometry *g)
{
    struct geometry own = *g;
    if (g->magic != LAYOUT_MAGIC || g->version != LAYOUT_VERSION || g->lanes < 1 || g->lanes > 2 || g->places < 2 ||
        g->places > PLACES_MAX || g->capacity < CAPACITY_MIN || g->capacity > CAPACITY_MAX || g->capacity % UNIT ||
        g->message_size > g->capacity || g->message_limit > (uint64_t)1 << 40)
        return false;
    arrange(&own);
    return own.ring == g->ring && own.lanes_at == g->lanes_at && own.rings_at == g->rings_at && own.total == g->total;
}

int geometry_make(struct geometry *ret, const struct leat_channel_options *o)
{
    struct geometry g = {.magic = LAYOUT_MAGIC, .version = LAYOUT_VERSION, .lanes = o->duplex ? 2 : 1};
    if (o->message_size && (o->ring_bytes || o->message_limit))
        return -EINVAL;
    if (!o->message_size && o->count)
        return -EINVAL;
    g.places = o->peers ? o->peers : 64;
    g.message_size = o->message_size;
    g.message_limit = o->message_size ? o->message_size : o->message_limit ? o->message_limit : (uint64_t)1 << 30;
    if (o->message_size > CAPACITY_MAX || o->count > CAPACITY_MAX || o->ring_bytes > CAPACITY_MAX)
        return -EINVAL;
    if (o->message_size) {
        uint64_t count = o->count ? o->count : 64;
        if (count > CAPACITY_MAX / record_size(o->message_size))
            return -EINVAL;
        g.capacity = count * record_size(o->message_size);
    } else
        g.capacity = MAX(round_up(o->ring_bytes ? o->ring_bytes : (uint64_t)1 << 20, UNIT), CAPACITY_MIN);
    arrange(&g);
    if (!geometry_is_sound(&g))
        return -EINVAL;
    *ret = g;
    return 0;
}
