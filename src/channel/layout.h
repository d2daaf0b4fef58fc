/* What lies in the shared memory, and which store makes what true.
 *
 *     head page | places of peers | lane 0 [| lane 1] | ring 0 [| ring 1]
 *
 * A lane is one direction: a ring of records between two locks. Positions only grow; where a record lies is its
 * position modulo the ring's memory, a power of two of pages which is mapped twice, so that no record ever wraps.
 * `head` <= `next`
 * <= `tail` <= `head` + capacity.
 *
 *     head ............ next ............ tail
 *          held or done      to receive        free
 *
 * Sending (under the senders' lock): the record is written behind `tail`; the store of `tail` sends it. A sender that
 * dies before leaves nothing behind but its lock.
 *
 * Receiving (under the receivers' lock): the bytes are copied out, then the store of `next` takes the message: whoever
 * dies before has not had it. For a record that came back from the dead, in front of `next`, the store of its state
 * RECORD_DONE is what takes it. Acquiring stores RECORD_HELD and the place of who holds it; what the dead hold is found
 * by walking from `head` to `next`. `head` goes over what is done, and gives the room back.
 *
 * Counts are stored before what they count as an intent, and made true by the next owner of the lock if the store that
 * decides is there (recover.c). So nothing depends on the order of any two other stores.
 *
 * A lock is a word with the owner's place, taken by compare-and-swap. Who waits for too long asks the kernel whether
 * the owner's place is still locked by anybody (peers.c); if it is not, he locks it himself, so that nobody else can be
 * given it meanwhile, repairs, and unlocks for the dead. */
#ifndef CHANNEL_LAYOUT_H
#define CHANNEL_LAYOUT_H

#include <leat/channel.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>

#define LAYOUT_MAGIC   UINT64_C(0x316c656e6e616863) /* "channel1" */
#define LAYOUT_VERSION 2u                           /* 2: events are set by reading */
#define LINE           64                           /* what two processors must not share */
#define UNIT           16u

struct geometry {
    uint64_t magic;
    uint32_t version;
    uint32_t lanes;
    uint32_t places;
    uint32_t reserved;
    uint64_t message_size; /* 0: any */
    uint64_t message_limit;
    uint64_t capacity; /* of a ring, a multiple of UNIT */
    uint64_t ring;     /* its memory, a power of two */
    uint64_t lanes_at, rings_at, total;
};

struct channel_head {
    struct geometry geometry;
    _Atomic uint32_t changes;   /* counts comings and goings */
    _Atomic uint32_t ever[2];   /* an end of this kind has been there */
    _Atomic uint32_t deaths[2]; /* ends that were attached and died */
    _Atomic uint32_t corrupt;   /* somebody has met what can't be */
};

/* PLACE_FREE to anything else and back only by who has the kernel's lock on it. */
enum place_state {
    PLACE_FREE = 0,
    PLACE_TAKEN = 1 << 0,
    PLACE_RECEIVER = 1 << 1, /* which end */
    PLACE_ATTACHED = 1 << 2, /* not only to come */
};

struct channel_place {
    alignas(LINE) _Atomic uint32_t state;
    _Atomic int32_t pid;       /* for people */
    _Atomic uint64_t taken;    /* messages that receive took, ever, by all who had this place */
    _Atomic uint64_t returned; /* of which calls returned */
    _Atomic uint64_t lost;     /* taken - returned when its owner came */
};

enum lane_intent {
    INTENT_NONE = 0,
    INTENT_NEXT,  /* the store of `next` decides */
    INTENT_STATE, /* the record's RECORD_DONE decides */
};

struct channel_lane {
    /* Senders', under their lock. */
    alignas(LINE) _Atomic uint32_t sender_lock;
    uint32_t unused;
    _Atomic uint64_t stream; /* the position of the first record of an unfinished long message, + 1; 0: none */
    _Atomic uint64_t sent, intent_sent, intent_tail;
    alignas(LINE) _Atomic uint64_t tail;

    /* Receivers', under their lock. */
    alignas(LINE) _Atomic uint32_t receiver_lock;
    _Atomic uint32_t reading; /* the place + 1 that takes a long message */
    _Atomic uint64_t next;
    _Atomic uint64_t received, intent_received;
    _Atomic uint64_t intent_position, intent_taken;
    _Atomic uint32_t intent; /* enum lane_intent */
    _Atomic uint32_t again;  /* records in front of `next` that wait for another receiver */
    _Atomic uint32_t held;   /* records that receivers have acquired */
    alignas(LINE) _Atomic uint64_t head;

    /* Who sleeps until there is something, and until there is room (wait.c). */
    alignas(LINE) _Atomic uint32_t filled;
    alignas(LINE) _Atomic uint32_t freed;
};

enum record_kind {
    RECORD_WHOLE = 1,
    RECORD_FIRST, /* of a long message; `extra` is the length of all of it */
    RECORD_PART,  /* `extra` is the position of its first record */
    RECORD_LAST,
};

enum record_state {
    RECORD_READY = 0, /* in front of `next`: received, and done with */
    RECORD_HELD,
    RECORD_BACK, /* somebody held it, and died or left */
    RECORD_DONE, /* after one of these two */
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

/* What a record of so many bytes takes of the ring. */
static inline uint64_t record_size(uint64_t length)
{
    return sizeof(struct record) + ((length + UNIT - 1) & ~(uint64_t)(UNIT - 1));
}

/* Fills it from the options; -EINVAL. Whether it is sound is asked of every geometry that comes from outside, too. */
int geometry_make(struct geometry *ret, const struct leat_channel_options *options);
bool geometry_is_sound(const struct geometry *g);

#endif
