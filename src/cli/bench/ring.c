/* SPDX-License-Identifier: MIT */
#include "bench/ring.h"
#include "bench/system.h"
#include <string.h>

void bell_ring(struct bell *bell)
{
    if (atomic_load(&bell->sleepers) == 0)
        return;
    atomic_fetch_add(&bell->rings, 1);
    system_wake(&bell->rings);
}

uint32_t bell_enter(struct bell *bell)
{
    uint32_t rings = atomic_load(&bell->rings);
    atomic_store(&bell->sleepers, 1);
    return rings;
}

void bell_sleep(struct bell *bell, uint32_t entered)
{
    system_wait(&bell->rings, entered);
}

void bell_leave(struct bell *bell)
{
    atomic_store(&bell->sleepers, 0);
}

static size_t room(struct ring *ring)
{
    return ring->size - (size_t)(atomic_load(&ring->tail) - atomic_load(&ring->head));
}

static void wait_for_room(struct ring *ring)
{
    while (room(ring) == 0 && ring->spins)
        ;
    while (room(ring) == 0) {
        uint32_t entered = bell_enter(&ring->room);
        if (room(ring) == 0)
            bell_sleep(&ring->room, entered);
        bell_leave(&ring->room);
    }
}

void ring_write(struct ring *ring, const void *bytes, size_t n)
{
    const unsigned char *from = bytes;
    while (n > 0) {
        wait_for_room(ring);
        uint64_t tail = atomic_load(&ring->tail);
        size_t at = (size_t)tail & (ring->size - 1), part = room(ring);
        part = part < ring->size - at ? part : ring->size - at;
        part = part < n ? part : n;
        memcpy(ring->bytes + at, from, part);
        atomic_store(&ring->tail, tail + part);
        bell_ring(&ring->data);
        from += part;
        n -= part;
    }
}

void ring_end(struct ring *ring)
{
    atomic_store(&ring->ended, true);
    bell_ring(&ring->data);
}

static size_t filled(struct ring *ring)
{
    return (size_t)(atomic_load(&ring->tail) - atomic_load(&ring->head));
}

static bool waits(struct ring *ring)
{
    return filled(ring) == 0 && !atomic_load(&ring->ended);
}

size_t ring_peek(struct ring *ring, const void **ret)
{
    while (waits(ring) && ring->spins)
        ;
    while (waits(ring)) {
        uint32_t entered = bell_enter(&ring->data);
        if (waits(ring))
            bell_sleep(&ring->data, entered);
        bell_leave(&ring->data);
    }
    size_t n = filled(ring), at = (size_t)atomic_load(&ring->head) & (ring->size - 1);
    *ret = ring->bytes + at;
    return n < ring->size - at ? n : ring->size - at;
}

void ring_consume(struct ring *ring, size_t n)
{
    atomic_fetch_add(&ring->head, n);
    bell_ring(&ring->room);
}
