/* SPDX-License-Identifier: MIT */
/* One lock protects all members. It is not held while bytes are copied: only the putter writes behind `to` of the last
 * part, and the taker reads only what lies before. A full part leaves the ring when its last byte is taken; the last
 * part stays there, even without bytes, until it is full. */
#include "buffer/hold.h"
#include "buffer/pool.h"
#include <errno.h>
#include <sys/mman.h>

#define CHUNK_MOST  (256u * 1024)  /* bytes */
#define CHUNK_FILE  (1024u * 1024) /* with a file: a disk moves more in one call */
#define PARTS_LEAST 16             /* a small buffer has smaller chunks, so that both sides work at once */
#define VIEWS_MOST  4              /* one is written, and digests look at others */
#define RING_FIRST  16
#define KEEP_LEAST  4  /* chunks that are back and stay for the next bytes, because the level goes up and down */
#define KEEP_PART   16 /* a larger buffer keeps this part of its memory */

static uint64_t bytes_in_memory(const struct hold_plan *plan)
{
    return plan->file ? MIN(plan->memory, plan->water.size) : plan->water.size;
}

static size_t chunk_size_of(const struct hold_plan *plan)
{
    uint64_t most = MIN(bytes_in_memory(plan) / PARTS_LEAST, plan->file ? CHUNK_FILE : CHUNK_MOST);
    return pool_size_within((size_t)MAX(most, PAGE));
}

/* The first and the last part may be partly filled. With a file, one chunk is being filled for it, one may have been
 * refused by it, and one is read from it. */
static uint64_t chunks_of(const struct hold_plan *plan)
{
    return bytes_in_memory(plan) / chunk_size_of(plan) + 2 + VIEWS_MOST + KEEP_LEAST + (plan->file ? 3 : 0);
}

/* Returns how many chunks that are back stay. They are used again before new ones are made, so chunks_of need not count
 * them. */
static uint64_t kept_chunks(const struct hold_plan *plan)
{
    return MAX(bytes_in_memory(plan) / chunk_size_of(plan) / KEEP_PART, KEEP_LEAST);
}

uint64_t hold_memory(const struct hold_plan *plan)
{
    size_t chunk_size = chunk_size_of(plan);
    uint64_t chunks = chunks_of(plan);
    return chunks > UINT64_MAX / chunk_size ? UINT64_MAX : chunks * chunk_size;
}

/* ---- locked memory ---- */

/* Calls `change` for the memory of so many chunks, which are in the pool before and after. Returns 0, or the first
 * failure. */
static int change_memory(struct hold *hold, uint64_t left, int (*change)(const void *, size_t))
{
    struct chunk *all = NULL, *chunk;
    int r = 0;
    for (; left && r == 0 && (chunk = chunk_get(&hold->pool)); left--) {
        r = change(chunk->data, hold->pool.chunk_size) < 0 ? -errno : 0;
        chunk->next = all;
        all = chunk;
    }
    while ((chunk = all)) {
        all = chunk->next;
        chunk_unref(chunk);
    }
    return r < 0 ? r : left ? -ENOMEM : 0;
}

/* ---- life ---- */

void hold_init(struct hold *hold)
{
    *hold = (struct hold){.is_open = false};
    pthread_mutex_init(&hold->lock, NULL);
}

static void begin(struct hold *hold, struct port *putter, struct port *taker)
{
    pthread_mutex_lock(&hold->lock);
    hold->water = hold->plan.water;
    hold->is_open = true;
    hold->head = hold->tail = hold->views = 0;
    hold->in_memory = 0;
    hold->putter = putter;
    hold->taker = taker;
    hold->putter_waits = hold->taker_waits = false;
    hold->capacity = RING_FIRST;
    hold_slots_init(hold);
    pthread_mutex_unlock(&hold->lock);
}

/* Chunks that are locked are the hold's own, so that no other user gets locked memory. */
int hold_open(struct hold *hold, const struct hold_plan *plan, struct port *putter, struct port *taker,
              const char **ret_call)
{
    hold_close(hold);
    hold->plan = *plan;
    *ret_call = "malloc";
    budget_init(&hold->budget, hold_memory(plan));
    int r = chunk_pool_init(&hold->pool, &hold->budget, chunk_size_of(plan), NULL);
    if (r < 0)
        return r;
    if (!plan->locks)
        chunk_pool_share(&hold->pool, plan->store);
    hold->ring = calloc(RING_FIRST, sizeof(hold->ring[0]));
    begin(hold, putter, taker);
    if (!hold->ring)
        return -ENOMEM;
    *ret_call = "mlock";
    r = plan->locks ? change_memory(hold, chunks_of(plan), mlock) : 0;
    return r == -EAGAIN ? -ENOMEM : r;
}

void hold_close(struct hold *hold)
{
    if (!hold->is_open)
        return;
    for (; hold->ring && hold->head < hold->tail; hold->head++)
        chunk_unref(hold->ring[hold->head % hold->capacity].chunk);
    free(hold->ring);
    hold->ring = NULL;
    hold_slots_free(hold);
    if (hold->plan.locks)
        change_memory(hold, hold->pool.made, munlock);
    chunk_pool_destroy(&hold->pool);
    hold->is_open = false;
}

void hold_destroy(struct hold *hold)
{
    hold_close(hold);
    pthread_mutex_destroy(&hold->lock);
}

/* ---- the two sides; the caller of these functions holds the lock ---- */

static void wake_putter(struct hold *hold)
{
    if (!hold->putter_waits || !water_room(&hold->water))
        return;
    hold->putter_waits = false;
    port_notify(hold->putter);
}

static void wake_taker(struct hold *hold)
{
    bool may = water_ready(&hold->water) ? hold->views < VIEWS_MOST : hold->water.ended;
    if (!hold->taker_waits || !may)
        return;
    hold->taker_waits = false;
    port_notify(hold->taker);
}

static struct hold_part *part_at(struct hold *hold, uint64_t number)
{
    return &hold->ring[number % hold->capacity];
}

/* ---- putting ---- */

static bool has_place(struct hold *hold)
{
    if (hold->tail - hold->head < hold->capacity)
        return true;
    struct hold_part *larger = calloc(hold->capacity * 2, sizeof(larger[0]));
    if (!larger)
        return false;
    for (uint64_t i = hold->head; i < hold->tail; i++)
        larger[i % (hold->capacity * 2)] = *part_at(hold, i);
    free(hold->ring);
    hold->ring = larger;
    hold->capacity *= 2;
    return true;
}

static bool has_open_part(struct hold *hold)
{
    return hold->tail > hold->head && part_at(hold, hold->tail - 1)->to < hold->pool.chunk_size;
}

/* Without memory or a place in the file for another chunk the buffer counts as full: it gives what it has, and takes
 * bytes again when some of that is gone. */
static int add_part(struct hold *hold)
{
    struct chunk *chunk = has_place(hold) && hold_reserve(hold) ? chunk_get(&hold->pool) : NULL;
    if (!chunk) {
        water_full(&hold->water);
        wake_taker(hold);
        return hold->water.level || hold->views ? -EAGAIN : -ENOMEM;
    }
    *part_at(hold, hold->tail++) = (struct hold_part){.chunk = chunk};
    hold->in_memory++;
    return 0;
}

/* Finds the place of the next bytes. Returns how many of the n bytes go there, -EAGAIN or -ENOMEM. */
static ssize_t find_place(struct hold *hold, size_t n, uint8_t **ret)
{
    int r = 0;
    pthread_mutex_lock(&hold->lock);
    uint64_t room = water_room(&hold->water);
    if (!room)
        r = -EAGAIN;
    else if (!has_open_part(hold))
        r = add_part(hold);
    if (r == 0) {
        struct hold_part *last = part_at(hold, hold->tail - 1);
        n = (size_t)MIN(n, MIN(room, hold->pool.chunk_size - last->to));
        *ret = last->chunk->data + last->to;
    }
    hold->putter_waits = r == -EAGAIN;
    pthread_mutex_unlock(&hold->lock);
    return r < 0 ? r : (ssize_t)n;
}

ssize_t hold_put(struct hold *hold, const void *bytes, size_t n)
{
    size_t done = 0;
    ssize_t part = 0;
    uint8_t *to;
    while (done < n && (part = find_place(hold, n - done, &to)) > 0) {
        const uint8_t *from = (const uint8_t *)bytes + done;
        if (from != to)
            memcpy(to, from, (size_t)part);
        done += (size_t)part;
        pthread_mutex_lock(&hold->lock);
        struct hold_part *last = part_at(hold, hold->tail - 1);
        last->to += (size_t)part;
        bool full = last->to == hold->pool.chunk_size;
        water_rise(&hold->water, (uint64_t)part);
        wake_taker(hold);
        pthread_mutex_unlock(&hold->lock);
        if (full)
            hold_spill(hold);
    }
    return done ? (ssize_t)done : part;
}

/* The ring keeps the memory. */
static void release_room(struct chunk *chunk UNUSED)
{
}

ssize_t hold_lend(struct hold *hold, size_t n, struct chunk **ret)
{
    uint8_t *to;
    ssize_t r = find_place(hold, n, &to);
    if (r <= 0)
        return r;
    hold->room = (struct chunk){.data = to, .release = release_room};
    atomic_init(&hold->room.refs, 1);
    *ret = &hold->room;
    return r;
}

void hold_end(struct hold *hold)
{
    pthread_mutex_lock(&hold->lock);
    water_end(&hold->water);
    wake_taker(hold);
    pthread_mutex_unlock(&hold->lock);
}

/* ---- taking ---- */

struct hold_view {
    struct chunk chunk; /* must be first */
    struct hold *hold;
};

/* The pool may have run out of memory before, so a chunk that is back makes room. */
static void release(struct chunk *chunk)
{
    struct hold_view *view = (struct hold_view *)chunk;
    struct hold *hold = view->hold;
    chunk_unref(chunk->other);
    free(view);
    if (!hold->plan.locks)
        chunk_pool_keep(&hold->pool, (size_t)kept_chunks(&hold->plan));
    pthread_mutex_lock(&hold->lock);
    hold->views--;
    water_resume(&hold->water);
    wake_putter(hold);
    wake_taker(hold);
    pthread_mutex_unlock(&hold->lock);
}

static ssize_t take_view(struct hold *hold, size_t n, struct chunk **ret)
{
    struct hold_view *view = calloc(1, sizeof(*view));
    if (!view)
        return -ENOMEM;
    struct hold_part *first = part_at(hold, hold->head);
    n = MIN(n, first->to - first->from);
    atomic_init(&view->chunk.refs, 1);
    view->hold = hold;
    view->chunk.length = n;
    view->chunk.data = first->chunk->data + first->from;
    view->chunk.other = first->chunk;
    view->chunk.release = release;
    first->from += n;
    if (first->from == hold->pool.chunk_size) { /* the view gets the reference of the ring */
        hold->head++;
        hold->in_memory--;
    } else
        chunk_ref(first->chunk);
    hold->views++;
    water_fall(&hold->water, n);
    wake_putter(hold);
    *ret = &view->chunk;
    return (ssize_t)n;
}

ssize_t hold_take(struct hold *hold, size_t n, struct chunk **ret)
{
    ssize_t r = -EAGAIN;
    pthread_mutex_lock(&hold->lock);
    if (water_ready(&hold->water) && hold->views < VIEWS_MOST) {
        r = hold_fetch(hold);
        r = r < 0 ? r : take_view(hold, n, ret);
    } else if (hold->water.ended && !hold->water.level)
        r = 0;
    hold->taker_waits = r == -EAGAIN;
    pthread_mutex_unlock(&hold->lock);
    return r;
}

struct water hold_look(struct hold *hold)
{
    pthread_mutex_lock(&hold->lock);
    struct water water = hold->water;
    pthread_mutex_unlock(&hold->lock);
    return water;
}
