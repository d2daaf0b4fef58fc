/* SPDX-License-Identifier: MIT */
#include "store/window.h"
#include "buffer/pool.h"
#include <errno.h>

#define CHUNK_MOST  (512u * 1024) /* as in the chunk route if a filter observes the bytes */
#define CHUNK_LEAST (16u * 1024)  /* libcurl passes so many bytes at once */
#define SLOTS_MOST  1024

struct window_slot {
    struct chunk *chunk; /* NULL: nothing was put */
    size_t filled;
};

/* ---- views for the taker ---- */

static void view_release(struct chunk *view)
{
    chunk_unref(view->other);
    free(view);
}

/* Takes the reference. */
static struct chunk *view_new(struct chunk *of, size_t at, size_t n)
{
    struct chunk *view = calloc(1, sizeof(*view));
    if (!view)
        return NULL;
    atomic_init(&view->refs, 1);
    view->length = n;
    view->data = of->data + at;
    view->other = of;
    view->release = view_release;
    return view;
}

/* ---- life ---- */

void window_init(struct window *w)
{
    *w = (struct window){.end = UINT64_MAX, .fail_at = UINT64_MAX};
    pthread_mutex_init(&w->lock, NULL);
}

static void released(void *user)
{
    struct window *w = user;
    pthread_mutex_lock(&w->lock);
    if (w->out)
        w->out--;
    pthread_mutex_unlock(&w->lock);
    w->space(w->user);
}

/* Chooses the size so that each part has two chunks, as far as the memory and the object's size allow. */
static size_t choose_chunk_size(const struct node_memory *memory, unsigned parts, uint64_t size)
{
    uint64_t most = MIN(memory->share / (2 * MAX(parts, 2u)), (uint64_t)CHUNK_MOST);
    size_t chunk = pool_size_within((size_t)MAX(most, (uint64_t)CHUNK_LEAST));
    while (chunk > CHUNK_LEAST && chunk > size / (2 * parts))
        chunk /= 2;
    return chunk;
}

int window_open(struct window *w, const struct node_memory *memory, unsigned parts, uint64_t size)
{
    size_t chunk = choose_chunk_size(memory, parts, size);
    int r = chunk_pool_init(&w->pool, memory->budget, chunk, NULL);
    if (r < 0)
        return r;
    chunk_pool_share(&w->pool, memory->pool);
    w->has_pool = true;
    w->chunk_size = w->pool.chunk_size;
    w->slots = (size_t)MIN(MAX(memory->share / w->chunk_size, 2u), (uint64_t)SLOTS_MOST);
    w->pool.most = w->slots;
    w->pool.released = released;
    w->pool.user = w;
    w->end = size;
    w->slot = calloc(w->slots, sizeof(w->slot[0]));
    return w->slot ? 0 : -ENOMEM;
}

void window_close(struct window *w)
{
    for (size_t i = 0; w->slot && i < w->slots; i++)
        w->slot[i].chunk = chunk_unref(w->slot[i].chunk);
    free(w->slot);
    w->slot = NULL;
    if (w->has_pool)
        chunk_pool_destroy(&w->pool);
    w->has_pool = false;
    pthread_mutex_destroy(&w->lock);
}

/* ---- putting ---- */

static struct window_slot *slot_of(const struct window *w, uint64_t at)
{
    return &w->slot[at / w->chunk_size % w->slots];
}

static bool has_room(const struct window *w, uint64_t chunk)
{
    return chunk < w->position / w->chunk_size + w->slots - w->out;
}

static int need_chunk(struct window *w, uint64_t chunk)
{
    struct window_slot *slot = &w->slot[chunk % w->slots];
    if (!has_room(w, chunk))
        return -EAGAIN;
    if (!slot->chunk) {
        slot->chunk = chunk_get(&w->pool);
        slot->filled = 0;
    }
    if (slot->chunk)
        return 0;
    return w->out == 0 && chunk == w->position / w->chunk_size ? -ENOMEM : -EAGAIN;
}

static bool is_readable(const struct window *w)
{
    const struct window_slot *slot = slot_of(w, w->position);
    return w->position >= w->end || w->position >= w->fail_at ||
           (slot->chunk && slot->filled > w->position % w->chunk_size);
}

/* The caller holds the lock; the function drops it. */
static void unlock_and_wake(struct window *w, bool enough)
{
    bool wake = enough && w->sleeping && w->slot && is_readable(w);
    if (wake)
        w->sleeping = false;
    pthread_mutex_unlock(&w->lock);
    if (wake)
        w->ready(w->user);
}

int window_put(struct window *w, uint64_t at, const void *bytes, size_t n, struct window_waiter *waiter)
{
    int r = 0;
    pthread_mutex_lock(&w->lock);
    waiter->last = (at + n - 1) / w->chunk_size;
    for (uint64_t i = at / w->chunk_size; i <= waiter->last && r == 0; i++)
        r = need_chunk(w, i);
    waiter->waits = r == -EAGAIN;
    pthread_mutex_unlock(&w->lock);
    if (r < 0)
        return r;
    const uint8_t *from = bytes;
    for (size_t part; n; n -= part, at += part, from += part) {
        size_t within = (size_t)(at % w->chunk_size);
        struct window_slot *slot = slot_of(w, at);
        part = MIN(n, w->chunk_size - within);
        memcpy(slot->chunk->data + within, from, part); /* bytes after `filled` are not read */
        pthread_mutex_lock(&w->lock);
        slot->filled = within + part;
        unlock_and_wake(w, slot->filled == w->chunk_size);
    }
    return 0;
}

void window_flush(struct window *w)
{
    pthread_mutex_lock(&w->lock);
    unlock_and_wake(w, true);
}

void window_finish(struct window *w, uint64_t end)
{
    pthread_mutex_lock(&w->lock);
    w->end = end;
    unlock_and_wake(w, true);
}

void window_fail(struct window *w, uint64_t at, int code)
{
    pthread_mutex_lock(&w->lock);
    if (at < w->fail_at) {
        w->fail_at = at;
        w->fail_code = code;
    }
    unlock_and_wake(w, true);
}

bool window_may_resume(struct window *w, struct window_waiter *waiter)
{
    pthread_mutex_lock(&w->lock);
    bool resumes = waiter->waits && has_room(w, waiter->last);
    if (resumes)
        waiter->waits = false;
    pthread_mutex_unlock(&w->lock);
    return resumes;
}

bool window_is_ahead(struct window *w)
{
    pthread_mutex_lock(&w->lock);
    const struct window_slot *front = slot_of(w, w->position), *next = slot_of(w, w->position + w->chunk_size);
    bool ahead = front->chunk && front->filled == w->chunk_size && next->chunk && next->filled == w->chunk_size;
    pthread_mutex_unlock(&w->lock);
    return ahead;
}

/* ---- taking ---- */

/* Under the lock. */
static ssize_t take_view(struct window *w, size_t n, struct chunk **ret)
{
    struct window_slot *slot = slot_of(w, w->position);
    size_t within = (size_t)(w->position % w->chunk_size);
    n = MIN(n, slot->filled - within);
    bool last = within + n == w->chunk_size;
    struct chunk *view = view_new(slot->chunk, within, n);
    if (!view)
        return -ENOMEM;
    if (last) { /* the view gets the slot's reference */
        slot->chunk = NULL;
        w->out++;
    } else
        chunk_ref(slot->chunk);
    w->position += n;
    *ret = view;
    return (ssize_t)n;
}

ssize_t window_take(struct window *w, size_t n, struct chunk **ret)
{
    ssize_t r;
    pthread_mutex_lock(&w->lock);
    const struct window_slot *slot = slot_of(w, w->position);
    if (slot->chunk && slot->filled > w->position % w->chunk_size)
        r = take_view(w, n, ret);
    else if (w->position >= w->end)
        r = 0;
    else if (w->position >= w->fail_at)
        r = w->fail_code;
    else {
        w->sleeping = true;
        r = -EAGAIN;
    }
    pthread_mutex_unlock(&w->lock);
    return r;
}
