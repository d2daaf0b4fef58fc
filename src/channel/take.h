/* SPDX-License-Identifier: MIT */
/* Takes messages out of a ring. All functions but the tests, take_wait and take_begin need the receivers' lock. */
#ifndef CHANNEL_TAKE_H
#define CHANNEL_TAKE_H

#include "channel/channel.h"

/* Finds the next message for this handle: first one that came back from another receiver. Drops parts of long messages
 * that no receiver wants any more. Returns 0: `*ret` is a whole message, or the first record of a long one. -EAGAIN:
 * there is none now. -ENODATA or -EOWNERDEAD: the end. -EMSGSIZE: this handle has begun a long message and has to go on
 * with it. -EPROTO. */
int take_look(leat_channel *c, struct channel_way *way, struct channel_found *ret);

/* Takes the records from lane->next to `next`. `messages`: how many messages end in them. `calls`: how many messages a
 * receive call of this handle delivers. */
void take_next(leat_channel *c, struct channel_way *way, uint64_t next, uint32_t messages, uint32_t calls);

/* Takes a message that came back. */
void take_back(leat_channel *c, struct channel_way *way, const struct channel_found *f);

/* Counts messages as delivered to the caller. */
static inline void take_returned(leat_channel *c, uint64_t messages)
{
    atomic_fetch_add_explicit(&c->places[c->place].returned, messages, memory_order_relaxed);
}

/* May there be something for this handle? A wait_test; it needs no lock. */
bool take_test(leat_channel *c, struct channel_way *way, uint64_t unused);

/* Of the long message `id`, which this handle receives: has another part come, or will none come any more? A wait_test;
 * it needs no lock. */
bool take_part_test(leat_channel *c, struct channel_way *way, uint64_t id);

/* Sleeps until take_test may be true. Returns as wait_for; with timeout 0 it arms the poll descriptor and returns
 * -EAGAIN. */
int take_wait(leat_channel *c, struct channel_way *way, const struct channel_limit *limit);

/* Each receiving call begins with it: checks the handle and takes the receivers' lock. Returns as channel_begin or
 * lock_take. */
int take_begin(leat_channel *c, const struct channel_limit *limit);

/* Receives a message that is longer than the ring. Begins with its first record `f`, or goes on with the message that
 * is open (`f` is NULL). Needs the lock and gives it back. Returns 0; -EAGAIN: its sender gave up, or another thread of
 * this handle receives it: look again; -EMSGSIZE; -ETIMEDOUT; -ECANCELED; -EPROTO; -ENOMEM. */
int take_long(leat_channel *c, struct channel_way *way, const struct channel_found *f, struct iovec *to,
              const struct channel_limit *limit);

#endif
