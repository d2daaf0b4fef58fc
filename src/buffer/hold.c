/* One lock protects all members. It is not held while bytes are copied: only the putter writes behind `to` of the last
 * part, and the taker reads only what lies before. A full part leaves the ring when its last byte is taken; the last
 * part stays there, even without bytes, until it is full. */
#include "buffer/hold.h"
#include "buffer/pool.h"
#include <errno.h>

#define CHUNK_MOST  (256u * 1024) /* bytes */
#define PARTS_LEAST 16            /* a small buffer has smaller chunks, so that both sides work at once */
#define VIEWS_MOST  4             /* one is written, and digests look at others */
#define RING_FIRST  16
#define KEEP        4 /* chunks that are back and stay for the next bytes */

static size_t chunk_size_of(uint64_t size)
{
    return pool_size_within((size_t)MAX(MIN(size / PARTS_LEAST, CHUNK_MOST), PAGE));
}

/* The first and the last part may be partly filled. */
static uint64_t chunks_of(uint64_t size, size_t chunk_size)
{
    return size / chunk_size + 2 + VIEWS_MOST + KEEP;
}

uint64_t hold_memory(uint64_t size)
{
    size_t chunk_size = chunk_size_of(size);
    uint64_t chunks = chunks_of(size, chunk_size);
    return chunks > UINT64_MAX / chunk_size ? UINT64_MAX : chunks * chunk_size;
}

/* ---- life ---- */

void hold_init(struct hold *hold)
{
    *hold = (struct hold){.is_open = false};
    pthread_mutex_init(&hold->lock, NULL);
}

int hold_open(struct hold *hold, const struct water *water, leat_pool *store, struct port *putter, struct port *taker)
{
    hold_close(hold);
    budget_init(&hold->budget, hold_memory(water->size));
    int r = chunk_pool_init(&hold->pool, &hold->budget, chunk_size_of(water->size), NULL);
    if (r < 0)
        return r;
    chunk_pool_share(&hold->pool, store);
    pthread_mutex_lock(&hold->lock);
    hold->water = *water;
    hold->is_open = true;
    hold->head = hold->tail = hold->views = 0;
    hold->putter = putter;
    hold->taker = taker;
    hold->putter_waits = hold->taker_waits = false;
    hold->capacity = RING_FIRST;
    hold->ring = calloc(RING_FIRST, sizeof(hold->ring[0]));
    r = hold->ring ? 0 : -ENOMEM;
    pthread_mutex_unlock(&hold->lock);
    return r;
}

void hold_close(struct hold *hold)
{
    if (!hold->is_open)
        return;
    for (; hold->ring && hold->head < hold->tail; hold->head++)
        chunk_unref(hold->ring[hold->head % hold->capacity].chunk);
    free(hold->ring);
    hold->ring = NULL;
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

/* Without memory for another chunk the buffer counts as full: it gives what it has, and takes bytes again when some of
 * that is gone. */
static int add_part(struct hold *hold)
{
    struct chunk *chunk = has_place(hold) ? chunk_get(&hold->pool) : NULL;
    if (!chunk) {
        water_full(&hold->water);
        wake_taker(hold);
        return hold->water.level || hold->views ? -EAGAIN : -ENOMEM;
    }
    *part_at(hold, hold->tail++) = (struct hold_part){.chunk = chunk};
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
        n = MIN(n, MIN(room, hold->pool.chunk_size - last->to));
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
        memcpy(to, (const uint8_t *)bytes + done, (size_t)part);
        done += (size_t)part;
        pthread_mutex_lock(&hold->lock);
        part_at(hold, hold->tail - 1)->to += (size_t)part;
        water_rise(&hold->water, (uint64_t)part);
        wake_taker(hold);
        pthread_mutex_unlock(&hold->lock);
    }
    return done ? (ssize_t)done : part;
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
    chunk_pool_keep(&hold->pool, KEEP);
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
    if (first->from == hold->pool.chunk_size)
        hold->head++; /* the view gets the reference of the ring */
    else
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
    if (water_ready(&hold->water) && hold->views < VIEWS_MOST)
        r = take_view(hold, n, ret);
    else if (hold->water.ended && !hold->water.level)
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
