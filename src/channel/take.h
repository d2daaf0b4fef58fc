/* Taking messages out of a ring, under the receivers' lock. */
#ifndef CHANNEL_TAKE_H
#define CHANNEL_TAKE_H

#include "channel/channel.h"

/* The next message for this handle, one that came back first. -EAGAIN: there is none; -ENODATA, -EOWNERDEAD: nor will
 * there be. What begins a long message is found too; parts that nobody wants any more are passed over. -EMSGSIZE: a
 * long one was begun, and is to be gone on with. */
int take_look(leat_channel *c, struct channel_way *way, struct channel_found *ret);

/* Takes what lies from lane->next to `next`, `messages` of which are complete with it and `calls` of which a call of
 * this handle is to give. */
void take_next(leat_channel *c, struct channel_way *way, uint64_t next, uint32_t messages, uint32_t calls);

/* Takes a message that came back. */
void take_back(leat_channel *c, struct channel_way *way, const struct channel_found *f);

/* It, or they, were given to the caller. */
static inline void take_returned(leat_channel *c, uint64_t messages)
{
    atomic_fetch_add_explicit(&c->places[c->place].returned, messages, memory_order_relaxed);
}

/* May there be something for this handle? */
bool take_test(leat_channel *c, struct channel_way *way, uint64_t unused);

/* Of the long message `id`, which this handle is receiving: has another part come, or will there be none? */
bool take_part_test(leat_channel *c, struct channel_way *way, uint64_t id);

/* Sleeps until there may be, or says why not. */
int take_wait(leat_channel *c, struct channel_way *way, const struct channel_limit *limit);

/* What every call that receives begins with: the lock. */
int take_begin(leat_channel *c, const struct channel_limit *limit);

/* Under the lock, which is given back: receives a message that is longer than the ring. Begins with its first record
 * `f`, or goes on with the one that is open (`f` NULL). -EAGAIN: its sender gave up, or another thread of this handle
 * is at it; look again. */
int take_long(leat_channel *c, struct channel_way *way, const struct channel_found *f, struct iovec *to,
              const struct channel_limit *limit);

#endif
