/* SPDX-License-Identifier: MIT */
/* Reads one object over one or more connections.
 *
 * The object is cut into parts, which are given out in order. Each *lane* is one connection: it reads a part, and then
 * the next part that no lane has. The first request asks for the whole object. Its answer has the size and the ETag.
 * The first lane keeps its connection until it reaches the start of the second lane's part. All bytes go through a
 * window (window.h), from which the pipeline takes them in order. pace.h decides how many lanes there are.
 *
 * A lane whose connection breaks continues where it broke, with the same version of the object. That needs an ETag.
 *
 * Threads: the lanes, `next`, `pace`, `retry` and the traffic belong to the transfer thread. `state`, `size`, `failure`
 * and `stopping` are under the lock. The window has its own lock, which is taken last. */
#ifndef STORE_FETCH_H
#define STORE_FETCH_H

#include "store/lane.h"
#include "store/pace.h"
#include "store/store.h"
#include "store/verify.h"
#include "store/window.h"

struct fetch {
    const struct object *object;
    const struct node *node; /* of the source; borrowed, as is the object */
    struct node_memory memory;
    struct node_traffic *traffic; /* the owner of the fetch reads it after fetch_close */
    int64_t idle_ns, deadline_ns;
    uint64_t first;           /* offset of the first byte to read */
    int32_t retries;          /* as in struct leat_endpoint_options */
    void (*wake)(void *user); /* something can be taken, or the state changed; called on the transfer thread */
    void *user;
    struct window window;

    /* These belong to the transfer thread. */
    struct pace pace;
    struct fetch_lane lane[LEAT_STREAMS_MAX];
    unsigned lanes;           /* lanes with a transfer */
    unsigned active;          /* lanes that are reading a part */
    uint64_t next;            /* no lane has been given the bytes from here on */
    uint64_t total;           /* bytes of the object; UINT64_MAX: unknown */
    uint64_t fail_at;         /* bytes from here on are no longer wanted */
    uint64_t received;        /* bytes that were put into the window */
    char *place;              /* the URL to which redirects have led, which the next requests ask first; or NULL */
    char etag[ETAG_MAX];      /* of the version that is read; "": unknown */
    struct metadata metadata; /* of the first answer; constant from FETCH_ANSWERED on */

    pthread_mutex_t lock;
    enum fetch_state {
        FETCH_ASKED,    /* no answer yet */
        FETCH_ANSWERED, /* the object is there: bytes can be taken */
        FETCH_FAILED,   /* the failure came before any byte could be taken */
    } state;
    bool stopping; /* no more lanes are started */
    struct leat_error failure;
    struct verify *verify; /* set before the state is FETCH_ANSWERED; then it belongs to the thread that takes */
};

/* ---- for the source, on the thread of the pipeline ---- */

/* Requests the object. The caller has set the members above `window`; the rest is zero. The caller is a user of the
 * transfer thread. Returns 0, -ENOMEM, or the error of the store's `read`. The caller calls fetch_close in any case. */
int fetch_begin(struct fetch *fetch, unsigned streams);
/* Returns the state. *ret_size is UINT64_MAX if the size is unknown, as before FETCH_ANSWERED. FETCH_FAILED: *error has
 * the failure. */
enum fetch_state fetch_look(struct fetch *fetch, uint64_t *ret_size, struct leat_error *error);
/* As window_take. */
ssize_t fetch_take(struct fetch *fetch, size_t n, struct chunk **ret);
/* After fetch_take failed: copies the failure to *error and returns its code, or 0 if there is none. */
int fetch_failure(struct fetch *fetch, struct leat_error *error);
/* Stops all lanes and frees what the fetch holds. All chunks that were taken must have been released. */
void fetch_close(struct fetch *fetch);

/* ---- for the lanes, on the transfer thread ---- */

/* Gives the lane the next part. False: there is no part left, or there are enough lanes. Then the lane has ended. */
bool fetch_give_part(struct fetch *fetch, struct fetch_lane *lane);
/* Takes size, ETag and digests from the first answer, and starts more lanes. */
void fetch_answered(struct fetch *fetch, const struct answer *answer);
/* Counts n more bytes that were put into the window. May start another lane. */
void fetch_progress(struct fetch *fetch, size_t n);
/* Records a failure: no bytes come from `at` on. */
void fetch_fail(struct fetch *fetch, uint64_t at, int code, const char *sentence);
/* The same, with an advice to the caller. */
void fetch_fail_advised(struct fetch *fetch, uint64_t at, int code, const char *sentence, enum leat_advice advice);
/* Sets the size of the object, which was unknown, to `at`. */
void fetch_ends(struct fetch *fetch, uint64_t at);

#endif
