/* SPDX-License-Identifier: MIT */
/* What lies in the shared memory, and which store decides what.
 *
 *     head page | places of peers | lane 0 [| lane 1] | ring 0 [| ring 1]
 *
 * A lane is one direction: a ring of records between two locks. Positions only grow. A record lies at its position
 * modulo the size of the ring's memory. That size is a power of two of pages, and the memory is mapped twice in a row,
 * so no record wraps. `head` <= `next` <= `tail` <= `head` + capacity.
 *
 *     head ............ next ............ tail
 *          held or done      to receive        free
 *
 * Sending needs the senders' lock. The sender writes the record behind `tail`; the store of `tail` sends it. A sender
 * that dies before that store leaves nothing behind but its lock.
 *
 * Receiving needs the receivers' lock. The receiver copies the bytes out; then the store of `next` takes the message. A
 * receiver that dies before that store has not had the message. A record that came back from a dead receiver lies in
 * front of `next`; it is taken by the store of its state RECORD_DONE. leat_channel_acquire stores RECORD_HELD and the
 * place of the holder, so a walk from `head` to `next` finds what a dead peer held. `head` moves over records that are
 * done, and gives their room back.
 *
 * The counts are stored before the deciding store, as an intent. If the owner of the lock dies, the next owner makes
 * the intent true if the deciding store has happened (recover.c). So nothing depends on the order of any two other
 * stores.
 *
 * A lock is a word with the owner's place, taken by compare-and-swap. A peer that waits too long asks the kernel
 * whether the owner's place is still locked (peers.c). If it is not, the peer locks the place itself, so that no other
 * peer can take it meanwhile, repairs, and unlocks for the dead owner. */
#ifndef CHANNEL_LAYOUT_H
#define CHANNEL_LAYOUT_H

#include <leat/channel.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>

#define LAYOUT_MAGIC   UINT64_C(0x316c656e6e616863) /* "channel1" */
#define LAYOUT_VERSION 2u                           /* 2: events are set by reading. */
#define LINE           64                           /* The cache line: two processors must not share one. */
#define UNIT           16u

struct geometry {
    uint64_t magic;
    uint32_t version;
    uint32_t lanes;
    uint32_t places;
    uint32_t reserved;
    uint64_t message_size; /* 0: any length. */
    uint64_t message_limit;
    uint64_t capacity; /* Of a ring, a multiple of UNIT. */
    uint64_t ring;     /* The size of a ring's memory, a power of two. */
    uint64_t lanes_at, rings_at, total;
};

struct channel_head {
    struct geometry geometry;
    _Atomic uint32_t changes;   /* Counts peers that come and go. */
    _Atomic uint32_t ever[2];   /* A peer of this end has been there. */
    _Atomic uint32_t deaths[2]; /* Peers of this end that were attached and died. */
    _Atomic uint32_t corrupt;   /* A peer has found something that no correct peer writes. */
};

/* Only the peer that has the kernel's lock on a place changes its state from PLACE_FREE and back. */
enum place_state {
    PLACE_FREE = 0,
    PLACE_TAKEN = 1 << 0,
    PLACE_RECEIVER = 1 << 1, /* A receiver; otherwise a sender. */
    PLACE_ATTACHED = 1 << 2, /* Attached; otherwise still to come. */
};

struct channel_place {
    alignas(LINE) _Atomic uint32_t state;
    _Atomic int32_t pid;       /* Only informs people. */
    _Atomic uint64_t taken;    /* Messages that receive calls took, counted over all owners of this place. */
    _Atomic uint64_t returned; /* Messages of `taken` with which the calls returned. */
    _Atomic uint64_t lost;     /* taken - returned at the moment when the present owner came. */
};

enum lane_intent {
    INTENT_NONE = 0,
    INTENT_NEXT,  /* The store of `next` decides. */
    INTENT_STATE, /* The store of RECORD_DONE into the record decides. */
};

struct channel_lane {
    /* The senders', under their lock. */
    alignas(LINE) _Atomic uint32_t sender_lock;
    _Atomic uint32_t sending; /* The place of the sender that set `stream` last, plus 1. It is set before `stream`. */
    _Atomic uint64_t stream;  /* The position of the first record of an unfinished long message, plus 1. 0: none. */
    _Atomic uint64_t sent, intent_sent, intent_tail;
    alignas(LINE) _Atomic uint64_t tail;

    /* The receivers', under their lock. */
    alignas(LINE) _Atomic uint32_t receiver_lock;
    _Atomic uint32_t reading; /* The place of the receiver that takes a long message, plus 1. 0: none. */
    _Atomic uint64_t next;
    _Atomic uint64_t received, intent_received;
    _Atomic uint64_t intent_position, intent_taken;
    _Atomic uint32_t intent; /* enum lane_intent */
    _Atomic uint32_t again;  /* Records in front of `next` that wait for another receiver. */
    _Atomic uint32_t held;   /* Records that receivers have acquired. */
    alignas(LINE) _Atomic uint64_t head;

    /* Words for sleepers: there is a message, there is room (wait.c). */
    alignas(LINE) _Atomic uint32_t filled;
    alignas(LINE) _Atomic uint32_t freed;
};

enum record_kind {
    RECORD_WHOLE = 1,
    RECORD_FIRST, /* The first of a long message; `extra` is the length of the whole message. */
    RECORD_PART,  /* `extra` is the position of the first record. */
    RECORD_LAST,
};

enum record_state {
    RECORD_READY = 0, /* In front of `next`, it means: received and done. */
    RECORD_HELD,
    RECORD_BACK, /* A receiver held it, and died or left. */
    RECORD_DONE, /* Done, after HELD or BACK. */
};

/* mark: kind | state << 4 | again << 8 | place << 16 */
struct record {
    _Atomic uint32_t length;
    _Atomic uint32_t mark;
    _Atomic uint64_t extra;
};

static inline uint32_t mark_make(enum record_kind kind, enum record_state state, uint32_t again, uint32_t place)
{
    return (uint32_t)kind | (uint32_t)state << 4 | again << 8 | place << 16;
}

static inline uint32_t mark_kind(uint32_t mark)
{
    return mark & 15;
}

static inline uint32_t mark_state(uint32_t mark)
{
    return mark >> 4 & 15;
}

static inline uint32_t mark_again(uint32_t mark)
{
    return mark >> 8 & 1;
}

static inline uint32_t mark_place(uint32_t mark)
{
    return mark >> 16;
}

/* How many bytes of the ring a record with a message of this length takes. */
static inline uint64_t record_size(uint64_t length)
{
    return sizeof(struct record) + ((length + UNIT - 1) & ~(uint64_t)(UNIT - 1));
}

/* geometry_make checks the options and fills a geometry from them; it returns 0, or -EINVAL with a sentence.
 * geometry_is_sound checks a geometry, also
 * each one that comes from outside. */
int geometry_make(struct geometry *ret, const struct leat_channel_options *options, struct leat_error *error);
bool geometry_is_sound(const struct geometry *g);

#endif
