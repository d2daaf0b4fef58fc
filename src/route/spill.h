/* SPDX-License-Identifier: MIT */
/* The bytes that a branch has not taken yet and that memory has no room for (LEAT_SLOW_SPILL): a queue in a file
 * without a name.
 *
 * The file is a ring of a fixed size. A hole takes no room in it. The chunk route makes the calls on the file; the
 * functions here say where, and keep the order. If the file does not take bytes, the queue takes none before it has run
 * empty. From then on it uses only that part of the file that had taken bytes, so nothing is lost. */
#ifndef ROUTE_SPILL_H
#define ROUTE_SPILL_H

#include "base/base.h"
#include <stdbool.h>
#include <stddef.h>

struct spill_run {
    uint64_t n;
    bool hole;
};

struct spill {
    bool is_open;
    int fd;
    uint64_t size;         /* the most bytes in the file */
    uint64_t put, taken;   /* the file has the bytes [taken, put) of the queue, each at its number modulo `size` */
    uint64_t held;         /* bytes of the queue, with its holes */
    uint64_t reached;      /* so many bytes from the start of the file on have been written */
    uint64_t top;          /* the most bytes that were in the file */
    int failed;            /* why the file took no more, or 0 */
    bool rests;            /* it takes no bytes before it is empty */
    struct spill_run *run; /* run number i is at i % capacity */
    size_t capacity;
    uint64_t first, last; /* the runs [first, last) are in the queue */
};

/* Makes the file, in TMPDIR or /var/tmp if `folder` is NULL. Returns 0 or a negative errno, never -EAGAIN. */
int spill_open(struct spill *spill, const char *folder, uint64_t size);
/* Drops the file and what is in it; `top` and `failed` stay. Legal at any time. */
void spill_close(struct spill *spill);

/* Does the queue take n bytes, or a hole? */
bool spill_has_room(const struct spill *spill, uint64_t n, bool hole);
/* Returns how many of n bytes can be written by one call, for which there is room, and gives the place in the file.
 * `done` bytes of the same piece were written before. */
size_t spill_place(const struct spill *spill, uint64_t done, size_t n, uint64_t *ret_at);
/* So many bytes were written there, or a hole belongs there. False: there is no memory, and nothing has changed. */
bool spill_put(struct spill *spill, uint64_t n, bool hole);
/* The file does not take bytes, for this reason. */
void spill_fail(struct spill *spill, int code);

/* Returns how many of the next bytes can be read by one call, and gives the place in the file; or the length of a hole,
 * whose *ret_hole is true. The queue has bytes. */
uint64_t spill_next(const struct spill *spill, uint64_t *ret_at, bool *ret_hole);
/* The first n bytes of the queue are read. */
void spill_take(struct spill *spill, uint64_t n);

#endif
