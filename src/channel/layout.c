/* SPDX-License-Identifier: MIT */
#include "channel/layout.h"
#include "base/base.h"
#include "base/error.h"
#include <errno.h>
#include <stdbool.h>

#define PLACES_MAX      4096u
#define PLACES_DEFAULT  64
#define COUNT_DEFAULT   64
#define CAPACITY_MIN    (2 * UNIT)
#define CAPACITY_MAX    ((uint64_t)1 << 32)
#define MESSAGE_MAX     ((uint64_t)1 << 40)
#define MESSAGE_DEFAULT ((uint64_t)1 << 30)

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
        g->message_size > g->capacity || g->message_limit > MESSAGE_MAX)
        return false;
    arrange(&own);
    return own.ring == g->ring && own.lanes_at == g->lanes_at && own.rings_at == g->rings_at && own.total == g->total;
}

static uint64_t count_of(const struct leat_channel_options *o)
{
    return o->count ? o->count : COUNT_DEFAULT;
}

/* Returns what is wrong with the options and what is allowed, or NULL. */
static const char *find_wrong(const struct leat_channel_options *o)
{
    if (enum_check(o->end, LEAT_CHANNEL_RECEIVER) < 0)
        return "end must be LEAT_CHANNEL_SENDER or LEAT_CHANNEL_RECEIVER";
    if (o->peers == 1 || o->peers > PLACES_MAX)
        return "peers must be from 2 to 4096, or 0 for 64";
    if (o->message_size && (o->ring_bytes || o->message_limit))
        return "ring_bytes and message_limit must be 0 if message_size is given";
    if (!o->message_size && o->count)
        return "count must be 0 if no message_size is given";
    if (o->ring_bytes > CAPACITY_MAX)
        return "ring_bytes must be at most 4294967296 (4 GiB)";
    if (o->message_limit > MESSAGE_MAX)
        return "message_limit must be at most 1099511627776 (1 TiB)";
    if (o->message_size > CAPACITY_MAX ||
        (o->message_size && count_of(o) > CAPACITY_MAX / record_size(o->message_size)))
        return "message_size times count must be less: the ring holds at most 4294967296 bytes (4 GiB), and each "
               "message takes 16 bytes besides its own, rounded up to 16";
    return NULL;
}

int geometry_make(struct geometry *ret, const struct leat_channel_options *o, struct leat_error *error)
{
    const char *wrong = find_wrong(o);
    if (wrong)
        return error_at(error, -EINVAL, LEAT_SIDE_NONE, "channel", "open", "%s", wrong);
    struct geometry g = {
        .magic = LAYOUT_MAGIC,
        .version = LAYOUT_VERSION,
        .lanes = o->duplex ? 2 : 1,
        .places = o->peers ? o->peers : PLACES_DEFAULT,
        .message_size = o->message_size,
        .message_limit = o->message_limit ? o->message_limit : MESSAGE_DEFAULT,
        .capacity = round_up(o->ring_bytes ? o->ring_bytes : (uint64_t)1 << 20, UNIT),
    };
    if (o->message_size) {
        g.message_limit = o->message_size;
        g.capacity = count_of(o) * record_size(o->message_size);
    }
    g.capacity = MAX(g.capacity, CAPACITY_MIN);
    arrange(&g);
    *ret = g;
    return 0;
}
