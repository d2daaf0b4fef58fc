/* A ring of bytes between two threads of one process: the simplest pipe without a kernel, to compare with. */
#ifndef CLI_BENCH_RING_H
#define CLI_BENCH_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sleeping without a lost wake-up: the waiting thread announces that it sleeps, looks again, and only then sleeps. */
struct bell {
    _Atomic uint32_t rings, sleepers;
};

/* One thread writes, one reads. Each side's own words are on a cache line of their own. */
struct ring {
    _Alignas(64) _Atomic uint64_t head;
    struct bell room; /* the reader rings it */
    unsigned char *bytes;
    size_t size; /* a power of two */
    bool spins;  /* never sleeps */
    _Alignas(64) _Atomic uint64_t tail;
    struct bell data; /* the writer rings it */
    _Atomic bool ended;
};

void bell_ring(struct bell *bell);

/* What has to be looked at between `enter` and `sleep`. */
uint32_t bell_enter(struct bell *bell);
void bell_sleep(struct bell *bell, uint32_t entered);
void bell_leave(struct bell *bell);

/* Copies all of it in. */
void ring_write(struct ring *ring, const void *bytes, size_t n);
void ring_end(struct ring *ring);

/* What is there, in place; 0: the end. */
size_t ring_peek(struct ring *ring, const void **ret);
void ring_consume(struct ring *ring, size_t n);

#endif
