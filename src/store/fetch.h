/* Reading one object over one or more connections.
 *
 * The object is cut into parts, which are given out in order: each *lane*, which is one connection, reads a part, and
 * then the next one that no lane has. The first request asks for the whole object; its answer tells the size and the
 * ETag, and the first lane keeps its connection until it comes to where the second one began. All bytes go through a
 * window (window.h), out of which the pipeline takes them in order. How many lanes there are is a matter of pace.h.
 *
 * A lane that breaks goes on where it broke, of the same version of the object: that needs an ETag.
 *
 * Who owns what: lanes, `next`, `pace`, `retry` and the traffic belong to the transfer thread. `state`, `size`,
 * `failure` and `stopping` are under the lock. The window has a lock of its own, which is taken last. */
#ifndef STORE_FETCH_H
#define STORE_FETCH_H

#include "store/lane.h"
#include "store/pace.h"
#include "store/store.h"
#include "store/verify.h"
#include "store/window.h"

struct fetch {
    const struct object *object;
    const char *name; /* for errors; borrowed, as the object */
    struct node_memory memory;
    struct node_traffic *traffic; /* its owner reads it when the fetch is closed */
    int64_t idle_ns, deadline_ns;
    uint64_t first;           /* the byte where it begins */
    int32_t retries;          /* as in struct leat_endpoint_options */
    void (*wake)(void *user); /* something can be taken, or the state has changed. On the transfer thread */
    void *user;
    struct window window;

    /* Of the transfer thread. */
    struct pace pace;
    struct fetch_lane lane[LEAT_STREAMS_MAX];
    unsigned lanes;      /* that have a transfer */
    unsigned active;     /* that read a part */
    uint64_t next;       /* nobody reads the bytes from here on yet */
    uint64_t total;      /* bytes of the object; UINT64_MAX: unknown */
    uint64_t fail_at;    /* bytes from here on are not wanted any more */
    uint64_t received;   /* bytes that are in the window, or were */
    char *place;         /* where redirects have led, or NULL: asked first by the next requests */
    char etag[ETAG_MAX]; /* of the version that is being read; "": unknown */

    pthread_mutex_t lock;
    enum fetch_state {
        FETCH_ASKED,    /* no answer yet */
        FETCH_ANSWERED, /* with the object: bytes can be taken */
        FETCH_FAILED,   /* before that */
    } state;
    bool stopping; /* no lane begins any more */
    struct leat_error failure;
    struct verify *verify; /* made before the state is FETCH_ANSWERED; then of the thread that takes */
};

/* ---- for the source: on the thread of the pipeline ---- */

/* Fills what is above the window before; the rest is zero. Asks for the object. The caller is a user of the transfer
 * thread. -ENOMEM, or what the store's `read` says. `fetch_close` is due in any case. */
int fetch_begin(struct fetch *fetch, unsigned streams);
/* *ret_size: UINT64_MAX is unknown. FAILED: *error has the failure. */
enum fetch_state fetch_look(struct fetch *fetch, uint64_t *ret_size, struct leat_error *error);
/* As window_take. */
ssize_t fetch_take(struct fetch *fetch, size_t n, struct chunk **ret);
/* The failure that a take has told of; its code, or 0 if there is none. */
int fetch_failure(struct fetch *fetch, struct leat_error *error);
/* Stops all lanes. All chunks that were taken have come back. */
void fetch_close(struct fetch *fetch);

/* ---- for the lanes: on the transfer thread ---- */

/* Gives the lane the next part. False: there is none, or there are lanes enough; then it has ended. */
bool fetch_give_part(struct fetch *fetch, struct fetch_lane *lane);
/* The first answer is there: size, ETag and digests are known. Begins more lanes. */
void fetch_answered(struct fetch *fetch, const struct answer *answer);
/* n bytes more are in the window. May begin another lane. */
void fetch_progress(struct fetch *fetch, size_t n);
/* Nothing will come from byte `at` on. */
void fetch_fail(struct fetch *fetch, uint64_t at, int code, const char *sentence);
/* The same, with what the caller can do about it. */
void fetch_fail_advised(struct fetch *fetch, uint64_t at, int code, const char *sentence, enum leat_advice advice);
/* The object ends at `at`, which was not known. */
void fetch_ends(struct fetch *fetch, uint64_t at);

#endif
