/* A bounded window over an object that comes in several parts at once.
 *
 * The transfer thread puts bytes at their places, the pipeline's thread takes them in order. Between the two lie chunks
 * of one size, each for as many bytes of the object. There are at most `slots` chunks, those included that the pipeline
 * has taken and not given back; so a slow sink stops the transfer, and the chunk in front can always be had.
 *
 * All calls but `released` are made by one of these two threads; a chunk is released by any thread. */
#ifndef STORE_WINDOW_H
#define STORE_WINDOW_H

#include "buffer/chunk.h"
#include "node/node.h"

#define WINDOW_LEAST (64u * 1024) /* bytes of memory that a window needs */

struct window_slot;

/* A putter that found no room. */
struct window_waiter {
    bool waits;    /* under the window's lock */
    uint64_t last; /* the last chunk that it needs */
};

struct window {
    pthread_mutex_t lock;
    struct chunk_pool pool;
    bool has_pool;
    size_t chunk_size, slots;
    struct window_slot *slot; /* that of chunk i is i % slots */
    uint64_t position;        /* of the next byte that is taken */
    uint64_t end;             /* of the object; UINT64_MAX: unknown */
    uint64_t fail_at;         /* nothing comes from this byte on; UINT64_MAX: no failure */
    int fail_code;
    size_t out;    /* chunks that were taken to their end and have not come back */
    bool sleeping; /* the taker found nothing */

    /* A byte can be taken, the end was reached or the failure is next, and the taker has found nothing before. On the
     * thread that puts. */
    void (*ready)(void *user);
    /* A chunk came back. Any thread. */
    void (*space)(void *user);
    void *user;
};

void window_init(struct window *window);
/* The memory and the number of parts that are to fit into it are known; `size` is that of the object, UINT64_MAX:
 * unknown. Nothing may be put before. -ENOMEM. */
int window_open(struct window *window, const struct node_memory *memory, unsigned parts, uint64_t size);
/* All that was taken has come back. Legal at any time after `init`. */
void window_close(struct window *window);

/* Copies n bytes to `at`; all or none. Bytes of one chunk come in order. -EAGAIN: no room, and `waiter` is noted.
 * -ENOMEM: there is no memory for the chunk in front. */
int window_put(struct window *window, uint64_t at, const void *bytes, size_t n, struct window_waiter *waiter);
/* What was put can be taken at once. To be called when no more comes for now. */
void window_flush(struct window *window);
/* The object ends here. */
void window_finish(struct window *window, uint64_t end);
/* From byte `at` on nothing will come. The failure with the smallest `at` counts. */
void window_fail(struct window *window, uint64_t at, int code);
/* Does the putter have room now? Then it does not wait any more. */
bool window_may_resume(struct window *window, struct window_waiter *waiter);
/* Does the taker lag behind, with two chunks or more that it could take? */
bool window_is_ahead(struct window *window);

/* A view of at most n of the next bytes, with one reference, and its length; 0: the end; -EAGAIN: `ready` will be
 * called; the code of the failure; -ENOMEM. */
ssize_t window_take(struct window *window, size_t n, struct chunk **ret);

#endif
