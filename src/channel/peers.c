/* SPDX-License-Identifier: MIT */
/* Which peers are there. A peer has a place, and the kernel's lock on it lives as long as the peer's open file: it is
 * the only sure sign of life. Only the owner of that lock writes what the place says of its peer. */
#include "base/trace.h"
#include "channel/channel.h"
#include <errno.h>
#include <unistd.h>

static uint32_t role(uint32_t end)
{
    return end == LEAT_CHANNEL_RECEIVER ? PLACE_RECEIVER : 0;
}

static void settle(const leat_channel *c, uint32_t place, uint32_t end, uint32_t attached)
{
    struct channel_place *p = &c->places[place];
    atomic_store(&p->lost, atomic_load(&p->taken) - atomic_load(&p->returned));
    atomic_store(&p->pid, (int32_t)getpid());
    atomic_store(&p->state, PLACE_TAKEN | role(end) | attached);
    atomic_store(&c->head->ever[end], 1);
    atomic_fetch_add(&c->head->changes, 1);
}

int peers_take(const leat_channel *c, int fd, uint32_t end, uint32_t attached, uint32_t *ret_place)
{
    for (uint32_t i = 0; i < c->g.places; i++) {
        if (atomic_load(&c->places[i].state) != PLACE_FREE)
            continue;
        int r = platform.sharing->lock(fd, i);
        if (r == 0 && atomic_load(&c->places[i].state) == PLACE_FREE) {
            settle(c, i, end, attached);
            *ret_place = i;
            return 0;
        }
        if (r == 0)
            platform.sharing->unlock(fd, i);
        else if (r != -EAGAIN)
            return r;
    }
    return -EUSERS;
}

void peers_free(const leat_channel *c, int fd, uint32_t place)
{
    atomic_store(&c->places[place].state, PLACE_FREE);
    atomic_fetch_add(&c->head->changes, 1);
    platform.sharing->unlock(fd, place);
}

/* A sender whose time is up in the middle of a long message gives the lock back. If another sender begins a long
 * message meanwhile, `stream` is not the same number any more. A sender that died with the lock may have sent nothing
 * yet, and then the next message has the same number: so this comes before that lock is broken. */
static void drop_unsent(struct channel_way *way, uint32_t place)
{
    uint64_t stream = atomic_load(&way->lane->stream);
    if (stream && atomic_load(&way->lane->sending) == place + 1)
        atomic_compare_exchange_strong(&way->lane->stream, &stream, 0);
}

/* Clears all that a dead peer has in one lane: first what it did under a lock, then what it held. The receivers' lock
 * is not free in between, because until the end the counts of the lane may differ from its records. */
static int clear_lane(leat_channel *c, struct channel_way *way, uint32_t place, const struct channel_limit *limit)
{
    drop_unsent(way, place);
    if (lock_owner(atomic_load(way->senders.word)) == place + 1) {
        recover_sender(way);
        lock_break(&way->senders, place);
        platform.sharing->event_set(way->event);
    }
    bool inherited = false;
    if (lock_owner(atomic_load(way->receivers.word)) == place + 1) {
        recover_receiver(c, way, place);
        inherited = lock_inherit(c, &way->receivers, place);
    }
    int r = inherited ? 0 : lock_take_plainly(c, &way->receivers, limit);
    if (r < 0)
        return r;
    r = recover_held(c, way, place);
    lock_give(&way->receivers);
    return r;
}

/* Clears all that the peer of this place left, in all lanes. */
static int clear(leat_channel *c, uint32_t place, const struct channel_limit *limit)
{
    int r = c->out.lane ? clear_lane(c, &c->out, place, limit) : 0;
    if (r == 0 && c->in.lane)
        r = clear_lane(c, &c->in, place, limit);
    uint32_t state = atomic_load(&c->places[place].state);
    /* The death is counted before the place is freed. If this peer dies in between, the death is counted twice, which
     * is better than never. */
    if (r == 0 && (state & PLACE_ATTACHED))
        atomic_fetch_add(&c->head->deaths[state & PLACE_RECEIVER ? 1 : 0], 1);
    if (r == 0 && (state & PLACE_ATTACHED) && trace_is_on()) {
        atomic_store(&c->buried_pid, atomic_load(&c->places[place].pid));
        atomic_fetch_add(&c->buried, 1);
    }
    return r;
}

void peers_tell_crashes(leat_channel *c)
{
    unsigned n = atomic_exchange(&c->buried, 0);
    if (n == 0 || !trace_is_on())
        return;
    const struct leat_trace_field field[] = {trace_number("pid", (uint64_t)MAX(atomic_load(&c->buried_pid), 0)),
                                             trace_number("peers", n)};
    trace_tell(LEAT_TRACE_CHANNEL, field, COUNT(field), "a peer of the channel has crashed");
}

/* Takes the place of a dead peer for a handle that has no place yet, and cleans up for that peer. */
static int take_over(leat_channel *c, int fd, uint32_t place, const struct channel_limit *limit)
{
    int r = platform.sharing->lock(fd, place);
    if (r < 0)
        return r;
    c->place = place;
    r = clear(c, place, limit);
    if (r < 0) {
        platform.sharing->unlock(fd, place);
        return r;
    }
    settle(c, place, c->end, PLACE_ATTACHED);
    wait_wake_all(c);
    return 0;
}

int peers_join(leat_channel *c, int fd)
{
    const struct channel_limit patience = limit_of(LEAT_CHANNEL_PATIENCE_MS);
    int r = peers_take(c, fd, c->end, PLACE_ATTACHED, &c->place);
    for (uint32_t i = 0; r == -EUSERS && i < c->g.places && limit_left(&patience, 1); i++) {
        const struct channel_limit own = limit_shorter(&patience, BURY_NS);
        if (take_over(c, fd, i, &own) == 0)
            r = 0;
    }
    return r;
}

/* The kernel's lock does not keep the threads of one handle apart, so the mutex does. */
int peers_bury(leat_channel *c, uint32_t place, const struct channel_limit *limit)
{
    const struct channel_limit own = limit_shorter(limit, BURY_NS);
    int r = 0;
    pthread_mutex_lock(&c->mutex);
    if (place != c->place && platform.sharing->lock(c->fd, place) == 0) {
        r = clear(c, place, &own);
        if (r == 0 && atomic_load(&c->places[place].state) != PLACE_FREE) {
            peers_free(c, c->fd, place);
            r = 1;
        } else
            platform.sharing->unlock(c->fd, place);
    }
    pthread_mutex_unlock(&c->mutex);
    if (r == 1)
        wait_wake_all(c);
    return r;
}

/* Buries all crashed peers, one after the other, from where the last look ended, for as long as there is time. True: a
 * peer was buried that may have kept another crashed peer from being buried. */
static bool bury_all(leat_channel *c, const struct channel_limit *limit)
{
    const struct channel_limit own = limit_shorter(limit, BURY_NS);
    uint32_t first = atomic_load(&c->look_at) % c->g.places;
    bool left = false, buried = false;
    for (uint32_t i = 0; i < c->g.places; i++) {
        uint32_t place = (first + i) % c->g.places;
        if (atomic_load(&c->places[place].state) == PLACE_FREE)
            continue;
        int r = peers_bury(c, place, &own);
        buried = buried || r > 0;
        left = left || r < 0;
        if (r != 0 && clock_ns() > own.deadline_ns) {
            atomic_store(&c->look_at, place + 1);
            return false;
        }
    }
    return left && buried;
}

void peers_bury_crashed(leat_channel *c, const struct channel_limit *limit)
{
    int64_t now = clock_ns(), looked = atomic_load(&c->looked_ns);
    if (now - looked < PATIENCE_NS || !atomic_compare_exchange_strong(&c->looked_ns, &looked, now))
        return;
    if (bury_all(c, limit))
        bury_all(c, limit);
}

/* If another peer keeps the lock for a second, the messages that this handle holds cannot be given back. Then this
 * handle leaves as a crashed peer does, and another peer gives them back. */
void peers_leave(leat_channel *c, bool failed)
{
    if (failed)
        atomic_fetch_add(&c->head->deaths[c->end], 1);
    if (c->in.lane) {
        const struct channel_limit second = limit_of(1000);
        if (lock_take(c, &c->in.receivers, &second) < 0)
            return;
        recover_held(c, &c->in, c->place);
        lock_give(&c->in.receivers);
    }
    peers_free(c, c->fd, c->place);
    wait_wake_all(c);
}

static bool is_other_end_gone(leat_channel *c)
{
    uint32_t other = role(!c->end);
    for (uint32_t i = 0; i < c->g.places; i++) {
        uint32_t state = atomic_load(&c->places[i].state);
        if (!(state & PLACE_TAKEN) || (state & PLACE_RECEIVER) != other)
            continue;
        /* A set of descriptors may be closed without notice, so the kernel's lock is checked. An attached peer says
         * that it leaves. */
        if ((state & PLACE_ATTACHED) || platform.sharing->locked(c->fd, i) != 0)
            return false;
    }
    return atomic_load(&c->head->ever[!c->end]);
}

/* The peers are counted again only if one came or went. While one comes or goes, the count is not sure. */
bool peers_are_gone(leat_channel *c)
{
    for (int i = 0; i < 3; i++) {
        uint32_t changes = atomic_load(&c->head->changes);
        uint64_t known = atomic_load_explicit(&c->known, memory_order_relaxed);
        if (known >> 1 == changes)
            return known & 1;
        known = (uint64_t)changes << 1 | is_other_end_gone(c);
        if (atomic_load(&c->head->changes) == changes) {
            atomic_store_explicit(&c->known, known, memory_order_relaxed);
            return known & 1;
        }
    }
    return false;
}
