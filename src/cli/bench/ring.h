/* SPDX-License-Identifier: MIT */
/* A ring buffer between two threads of one process: the simplest pipe without the kernel, for comparison. */
#ifndef CLI_BENCH_RING_H
#define CLI_BENCH_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lets a thread sleep without losing a wake-up: the thread announces that it will sleep, checks its condition again,
 * and only then sleeps. */
struct bell {
    _Atomic uint32_t rings, sleepers;
};

/* One thread writes, one reads. The words that each side writes have a cache line of their own. */
struct ring {
    _Alignas(64) _Atomic uint64_t head;
    struct bell room; /* the reader rings it when there is room */
    unsigned char *bytes;
    size_t size; /* a power of two */
    bool spins;  /* waits by spinning and never sleeps */
    _Alignas(64) _Atomic uint64_t tail;
    struct bell data; /* the writer rings it when there is data */
    _Atomic bool ended;
};

void bell_ring(struct bell *bell);

/* The caller checks its condition between bell_enter and bell_sleep, to which it passes what bell_enter returned. */
uint32_t bell_enter(struct bell *bell);
void bell_sleep(struct bell *bell, uint32_t entered);
void bell_leave(struct bell *bell);

/* Copies all bytes into the ring. Waits while it is full. */
void ring_write(struct ring *ring, const void *bytes, size_t n);
void ring_end(struct ring *ring);

/* Waits for bytes, points *ret to them in the ring and returns their number; 0: the end. */
size_t ring_peek(struct ring *ring, const void **ret);
void ring_consume(struct ring *ring, size_t n);

#endif
