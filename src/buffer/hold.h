/* SPDX-License-Identifier: MIT */
/* A buffer of many bytes in order, between one thread that puts them and one thread that takes them.
 *
 * The bytes are in chunks of one size. Memory is taken as the buffer fills, and given back as it drains. The putter may
 * borrow the place of the next bytes and fill it itself; other bytes that are put are copied once. The taker gets views
 * of the chunks, which it may release on any thread. There are only a few views at a time, so bytes that are not wanted
 * yet stay in the buffer.
 *
 * If there is a file, only a part of the bytes is in memory. A chunk for which that part has no room is written to the
 * file when it is full, and read back when it is the next one to be taken. If the file does not take it, it stays in
 * memory, and the buffer grows no further, so no byte is lost.
 *
 * Neither call waits for the other side: -EAGAIN says that nothing moves now, and the port of that side is notified
 * when it may. water.h says when that is. */
#ifndef BUFFER_HOLD_H
#define BUFFER_HOLD_H

#include "buffer/chunk.h"
#include "buffer/water.h"
#include <sys/types.h>

/* A file, which has room for chunks in slots of their size. `write` and `read` move all n bytes and return 0, or a
 * negative errno. `discard` frees the blocks of bytes that are not needed any more, if it can. One thread writes, and
 * one reads and discards, at the same time. */
struct hold_file {
    int (*write)(void *user, const void *bytes, size_t n, uint64_t at);
    int (*read)(void *user, void *bytes, size_t n, uint64_t at);
    void (*discard)(void *user, size_t n, uint64_t at);
};

struct hold_plan {
    struct water water;
    uint64_t memory;              /* with a file: so many bytes are in memory, and the rest is in the file */
    const struct hold_file *file; /* NULL: all is in memory */
    void *user;                   /* of the file */
    leat_pool *store;             /* where chunks come from; NULL: the pool of the process */
    bool locks;                   /* all memory is taken at once and locked */
};

#define HOLD_NO_SLOT UINT64_MAX

struct hold_part {
    struct chunk *chunk; /* NULL: the part is in the file */
    uint64_t slot;       /* then its number there */
    size_t from, to;     /* the bytes of the chunk that are in the buffer */
};

/* The slots of the file. */
struct hold_slots {
    uint64_t *unused; /* slots below `made` that have no part */
    size_t unused_n, unused_capacity;
    uint64_t made, most;
    uint64_t reserved; /* for the last part, once it is full; HOLD_NO_SLOT: it stays in memory */
    uint64_t used, top;
    int failed; /* why the file took no more, or 0 */
};

struct hold {
    pthread_mutex_t lock;
    struct hold_plan plan;
    struct water water;
    struct budget budget;
    struct chunk_pool pool;
    bool is_open;
    struct hold_part *ring; /* part number i is at i % capacity */
    size_t capacity;
    uint64_t head, tail; /* the ring holds the parts [head, tail) */
    uint64_t in_memory;  /* parts of the ring that have a chunk */
    struct hold_slots slots;
    struct chunk room;              /* stands for the place that hold_lend has lent */
    size_t views;                   /* that the taker has */
    struct port *putter, *taker;    /* notified when the side may go on */
    bool putter_waits, taker_waits; /* the last call of this side returned -EAGAIN */
};

void hold_init(struct hold *hold);
void hold_destroy(struct hold *hold);

/* Begins with an empty buffer. The plan is copied. Returns 0 or a negative errno; *ret_call is the call that failed. */
int hold_open(struct hold *hold, const struct hold_plan *plan, struct port *putter, struct port *taker,
              const char **ret_call);
/* Drops what is left. All views must be released. `water` stays as it is. Legal at any time between hold_init and
 * hold_destroy. */
void hold_close(struct hold *hold);
/* Returns the most memory that such a buffer takes, in bytes. */
uint64_t hold_memory(const struct hold_plan *plan);

/* Puts the first of the n bytes, and returns their number. It copies them, unless they are where hold_lend has said.
 * -EAGAIN: there is no room now. -ENOMEM: there is no memory even for the first byte. */
ssize_t hold_put(struct hold *hold, const void *bytes, size_t n);
/* Lends the place of the next bytes, for the putter to fill from the start: a chunk without bytes, with one reference.
 * Returns how many of n bytes have room there, or a failure of hold_put. The bytes belong to the buffer when they are
 * put, and until then the next call lends the same place. Only one such chunk may be in use at a time. */
ssize_t hold_lend(struct hold *hold, size_t n, struct chunk **ret);
/* No more bytes are put. */
void hold_end(struct hold *hold);
/* Gives a view of at most n of the next bytes, with one reference, and returns their number. 0: the end. -EAGAIN: it
 * gives none now. -ENOMEM. */
ssize_t hold_take(struct hold *hold, size_t n, struct chunk **ret);
/* Gives the most bytes that were in the file, and *ret_failed: why it took no more, or 0. Any thread. */
uint64_t hold_file_top(struct hold *hold, int *ret_failed);

/* Copies the state of the level. Any thread. */
struct water hold_look(struct hold *hold);

/* ---- hold_file.c, for hold.c ---- */

/* Begin without a slot, and free the list. */
void hold_slots_init(struct hold *hold);
void hold_slots_free(struct hold *hold);
/* Is there room for one more part? Reserves a slot if the part has to go to the file. Needs the lock. */
bool hold_reserve(struct hold *hold);
/* The last part is full: writes it to the file, if a slot is reserved for it. Takes the lock. */
void hold_spill(struct hold *hold);
/* Reads the first part back, if it is in the file. Needs the lock, and drops it meanwhile. Returns 0, -EAGAIN (a view
 * must be released first), or why the file can't be read. */
int hold_fetch(struct hold *hold);

#endif
