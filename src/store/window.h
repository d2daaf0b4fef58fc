/* SPDX-License-Identifier: MIT */
/* A bounded window over an object that arrives in several parts at once.
 *
 * The transfer thread puts bytes at their places, and the pipeline's thread takes them in order. In between are chunks
 * of one size, each for that many bytes of the object. There are at most `slots` chunks, including those that the
 * pipeline has taken and not yet released. So a slow sink stops the transfer (backpressure), and there is always a
 * chunk for the next bytes in order.
 *
 * All calls are made by one of these two threads, but a chunk may be released by any thread. */
#ifndef STORE_WINDOW_H
#define STORE_WINDOW_H

#include "buffer/chunk.h"
#include "node/node.h"

#define WINDOW_LEAST (64u * 1024) /* the least memory of a window, in bytes */

struct window_slot;

/* A lane that found no room. */
struct window_waiter {
    bool waits;    /* under the window's lock */
    uint64_t last; /* number of the last chunk that it needs */
};

struct window {
    pthread_mutex_t lock;
    struct chunk_pool pool;
    bool has_pool;
    size_t chunk_size, slots;
    struct window_slot *slot; /* chunk i is at i % slots */
    uint64_t position;        /* of the next byte to take */
    uint64_t end;             /* size of the object; UINT64_MAX: unknown */
    uint64_t fail_at;         /* no bytes come from here on; UINT64_MAX: no failure */
    int fail_code;
    size_t out;    /* chunks that were taken completely and are not released yet */
    bool sleeping; /* the last window_take returned -EAGAIN */

    /* The last window_take returned -EAGAIN, and now a byte, the end or the failure can be taken. Called on the
     * transfer thread. */
    void (*ready)(void *user);
    /* A chunk was released. Called on any thread. */
    void (*space)(void *user);
    void *user;
};

void window_init(struct window *window);
/* Allocates the window for `parts` parts at once. `size` is that of the object; UINT64_MAX: unknown. Nothing may be put
 * before. Returns 0 or -ENOMEM. */
int window_open(struct window *window, const struct node_memory *memory, unsigned parts, uint64_t size);
/* Frees the window. All chunks that were taken must have been released. Legal at any time after window_init. */
void window_close(struct window *window);

/* Copies all n bytes to `at`, or none. Within one chunk, bytes are put in order. Returns 0; -EAGAIN if there is no
 * room, and notes this in `waiter`; or -ENOMEM if there is no memory even for the chunk that is taken next. */
int window_put(struct window *window, uint64_t at, const void *bytes, size_t n, struct window_waiter *waiter);
/* Makes all bytes that were put available to window_take. Call it when no more arrive for now. */
void window_flush(struct window *window);
/* Sets the size of the object to `end`. */
void window_finish(struct window *window, uint64_t end);
/* Reports that no bytes come from `at` on. The failure with the smallest `at` counts. */
void window_fail(struct window *window, uint64_t at, int code);
/* Is there room now? If so, the waiter no longer waits. */
bool window_may_resume(struct window *window, struct window_waiter *waiter);
/* Is the pipeline behind by two or more chunks that it could take? */
bool window_is_ahead(struct window *window);

/* Sets *ret to a view of at most n of the next bytes, with one reference for the caller, and returns its length. 0: the
 * end. -EAGAIN: nothing yet; `ready` will be called. Otherwise the code of the failure, or -ENOMEM. */
ssize_t window_take(struct window *window, size_t n, struct chunk **ret);

#endif
