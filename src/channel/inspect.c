/* SPDX-License-Identifier: MIT */
/* Looks into a channel from outside, and only reads. Describes the channel of a handle. */
#include "base/fd.h"
#include "channel/channel.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

/* All of the memory before the rings, mapped for reading. */
struct view {
    struct geometry g;
    int fd; /* Opened anew, because a lock cannot be seen through the open file that has it. */
    void *map;
    const struct channel_head *head;
    const struct channel_place *places;
    const struct channel_lane *lanes;
};

static int view_open(struct view *v, int fd)
{
    int r = channel_read_geometry(fd, &v->g);
    if (r < 0)
        return r;
    v->fd = platform.reopen(fd, O_RDONLY);
    if (v->fd < 0)
        return v->fd;
    uint8_t *at = mmap(NULL, (size_t)v->g.rings_at, PROT_READ, MAP_SHARED, v->fd, 0);
    if (at == MAP_FAILED) {
        r = -errno;
        fd_close(v->fd);
        return r;
    }
    v->map = at;
    v->head = (const struct channel_head *)(const void *)at;
    v->places = (const struct channel_place *)(const void *)(at + PAGE);
    v->lanes = (const struct channel_lane *)(const void *)(at + v->g.lanes_at);
    return 0;
}

static void view_close(struct view *v)
{
    munmap(v->map, (size_t)v->g.rings_at);
    fd_close(v->fd);
}

/* With messages of one size: how many of them the ring holds. */
static uint64_t geometry_count(const struct geometry *g)
{
    return g->message_size ? g->capacity / record_size(g->message_size) : 0;
}

/* Peers work meanwhile, so one count may be ahead of another one; the difference is never negative. */
static uint64_t difference(uint64_t a, uint64_t b)
{
    return (int64_t)(a - b) > 0 ? a - b : 0;
}

static void fill_lane(const struct view *v, uint32_t index, struct leat_channel_lane *ret)
{
    const struct channel_lane *lane = &v->lanes[index];
    uint64_t received = atomic_load(&lane->received);
    ret->again = atomic_load(&lane->again);
    ret->held = atomic_load(&lane->held);
    ret->sent = atomic_load(&lane->sent);
    ret->messages = difference(ret->sent, received) + ret->again;
    ret->bytes = difference(atomic_load(&lane->tail), atomic_load(&lane->head));
    ret->deaths = atomic_load(&v->head->deaths[index]);
}

static void add_peer(const struct view *v, uint32_t place, struct leat_channel_info *info,
                     struct leat_channel_peer *ret)
{
    const struct channel_place *p = &v->places[place];
    uint32_t state = atomic_load(&p->state);
    uint32_t end = state & PLACE_RECEIVER ? LEAT_CHANNEL_RECEIVER : LEAT_CHANNEL_SENDER;
    *ret = (struct leat_channel_peer){.place = place, .end = (int32_t)end};
    ret->alive = platform.sharing->locked(v->fd, place) == 1;
    ret->attached = (state & PLACE_ATTACHED) != 0;
    ret->pid = atomic_load(&p->pid);
    for (uint32_t i = 0; i < v->g.lanes; i++)
        if (ret->alive)
            *(i == end ? &info->lane[i].senders : &info->lane[i].receivers) += 1;
}

/* Adds what the owners of a place have lost: if the present owner is alive, what was lost before it came. */
static void add_lost(const struct view *v, uint32_t place, bool alive, struct leat_channel_info *info)
{
    const struct channel_place *p = &v->places[place];
    uint64_t lost = alive ? atomic_load(&p->lost) : difference(atomic_load(&p->taken), atomic_load(&p->returned));
    info->lost += lost;
}

int leat_channel_inspect(int fd, struct leat_channel_info *ret_info, struct leat_channel_peer *peers, size_t *inout_n)
{
    struct leat_channel_info info = {.size = sizeof(info)};
    struct view v;
    size_t count = 0;
    int r = view_open(&v, fd);
    if (r < 0)
        return r;
    info.message_size = v.g.message_size;
    info.count = geometry_count(&v.g);
    info.ring_bytes = v.g.capacity;
    info.message_limit = v.g.message_limit;
    info.lanes = v.g.lanes;
    info.peers = v.g.places;
    for (uint32_t i = 0; i < v.g.lanes; i++)
        fill_lane(&v, i, &info.lane[i]);
    for (uint32_t i = 0; i < v.g.places; i++) {
        struct leat_channel_peer peer = {0};
        if (atomic_load(&v.places[i].state) != PLACE_FREE) {
            add_peer(&v, i, &info, &peer);
            if (inout_n && count < *inout_n)
                peers[count] = peer;
            count++;
        }
        add_lost(&v, i, peer.alive, &info);
    }
    view_close(&v);
    r = return_sized(ret_info, &info, sizeof(info));
    if (r < 0)
        return r;
    if (inout_n)
        *inout_n = count;
    return 0;
}

int leat_channel_describe(const leat_channel *c, struct leat_channel_options *ret_options)
{
    const struct geometry *g = &c->g;
    struct leat_channel_options o = {
        .size = sizeof(o),
        .message_size = g->message_size,
        .count = geometry_count(g),
        .ring_bytes = g->message_size ? 0 : g->capacity,
        .message_limit = g->message_size ? 0 : g->message_limit,
        .duplex = g->lanes == 2,
        .end = (int32_t)c->end,
        .peers = g->places,
    };
    return return_sized(ret_options, &o, sizeof(o));
}
