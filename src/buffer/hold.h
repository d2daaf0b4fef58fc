/* A buffer of many bytes in order, between one thread that puts them and one thread that takes them.
 *
 * The bytes are in chunks of one size. Memory is taken as the buffer fills, and given back as it drains. Bytes that are
 * put are copied once. The taker gets views of the chunks, which it may release on any thread. There are only a few
 * views at a time, so bytes that are not wanted yet stay in the buffer.
 *
 * Neither call waits: -EAGAIN says that nothing moves now, and the port of that side is notified when it may. water.h
 * says when that is. */
#ifndef BUFFER_HOLD_H
#define BUFFER_HOLD_H

#include "buffer/chunk.h"
#include "buffer/water.h"

struct hold_part {
    struct chunk *chunk;
    size_t from, to; /* the bytes of the chunk that are in the buffer */
};

struct hold {
    pthread_mutex_t lock;
    struct water water;
    struct budget budget;
    struct chunk_pool pool;
    bool is_open;
    struct hold_part *ring; /* part number i is at i % capacity */
    size_t capacity;
    uint64_t head, tail;            /* the ring holds the parts [head, tail) */
    size_t views;                   /* that the taker has */
    struct port *putter, *taker;    /* notified when the side may go on */
    bool putter_waits, taker_waits; /* the last call of this side returned -EAGAIN */
};

void hold_init(struct hold *hold);
void hold_destroy(struct hold *hold);

/* Begins with an empty buffer. Chunks come from `store` (NULL: the pool of the process). Returns 0 or a negative
 * errno. */
int hold_open(struct hold *hold, const struct water *water, leat_pool *store, struct port *putter, struct port *taker);
/* Drops what is left. All views must be released. `water` stays as it is. Legal at any time between hold_init and
 * hold_destroy. */
void hold_close(struct hold *hold);
/* Returns the memory that a buffer of this size takes when it is full, in bytes. */
uint64_t hold_memory(uint64_t size);

/* Copies the first of the n bytes, and returns their number. -EAGAIN: there is no room now. -ENOMEM: there is no memory
 * even for the first byte. */
ssize_t hold_put(struct hold *hold, const void *bytes, size_t n);
/* No more bytes are put. */
void hold_end(struct hold *hold);
/* Gives a view of at most n of the next bytes, with one reference, and returns their number. 0: the end. -EAGAIN: it
 * gives none now. -ENOMEM. */
ssize_t hold_take(struct hold *hold, size_t n, struct chunk **ret);

/* Copies the state of the level. Any thread. */
struct water hold_look(struct hold *hold);

#endif
