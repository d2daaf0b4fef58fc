/* SPDX-License-Identifier: MIT */
/* This file is longer than 400 lines: the places of a chain, what passes between them, and how they end are one state
 * machine. */
#include "pipe/chain.h"

/* ---- what the reader sees ---- */

/* If a reader waits, it is about to get bytes: clears `hungry` (true if it was set). Call it before the reader can see
 * the bytes: afterwards the reader may already have read them and wait for the next ones. */
static bool clear_hungry(struct pipe *p)
{
    bool was_hungry = atomic_load(&p->hungry);
    if (was_hungry)
        atomic_store(&p->hungry, false);
    return was_hungry;
}

void chain_show(struct pipe *p)
{
    if (!queue_hidden_bytes(&p->queue))
        return;
    clear_hungry(p);
    queue_show(&p->queue);
    park_wake(&p->bytes);
}

/* ---- the end ---- */

void chain_end(struct pipe *p, enum ending ending, size_t at, int code)
{
    p->ending = ending;
    p->ending_at = at;
    p->ending_code = code;
}

/* Drops what lies in the chain in front of the failed filter. What lies behind it goes out, and then the reader gets
 * `code`. Returns -EPIPE. */
static int fail(struct pipe *p, size_t place, size_t index, int code, struct leat_error *error)
{
    const char *name = p->filter[index]->ops->name;
    char text[100];
    error_at(error, code, LEAT_SIDE_FILTER, name, "filter", "The filter '%s' failed: %s", name,
             error_text(code, text, sizeof(text)));
    error->side = LEAT_SIDE_FILTER;
    error_complete(error, name, "filter");
    error->index = (uint32_t)index;
    error->offset = atomic_load(&p->filter[index]->bytes);
    pipe_blame(p, error);
    chain_end(p, ENDING_BADLY, place + 1, code);
    return -EPIPE;
}

/* The filter lets no byte pass any more, so the stream ends with what has passed. Returns -EPIPE. */
static int sate(struct pipe *p, size_t place, size_t index)
{
    struct leat_error error = {.size = sizeof(error)};
    const char *name = p->filter[index]->ops->name;
    if (p->ending == ENDING_NOT) {
        error_at(&error, -EPIPE, LEAT_SIDE_FILTER, name, "filter", "The filter '%s' wants no more", name);
        error.index = (uint32_t)index;
        pipe_blame(p, &error);
        p->sated = true;
    }
    chain_end(p, p->ending == ENDING_BADLY ? ENDING_BADLY : ENDING_WELL, MAX(place, p->ending_at), p->ending_code);
    return -EPIPE;
}

int chain_stop(struct pipe *p, int code)
{
    int why = code ? code : pipe_is_broken(p) ? -EPIPE : 0;
    for (size_t i = 0; i < p->started; i++) {
        struct leat_error error = {.size = sizeof(error)};
        int r = p->filter[i]->ops->finish ? p->filter[i]->ops->finish(p->filter[i], why, &error) : 0;
        if (r < 0 && !code) {
            code = r;
            fail(p, 0, i, r, &error);
        }
        atomic_store(&p->filter[i]->busy, false);
    }
    p->started = 0;
    return code;
}

void chain_drop(struct pipe *p)
{
    int code = p->ending == ENDING_BADLY ? p->ending_code : 0;
    if (pipe_has_ended(p))
        return;
    chain_show(p);
    for (size_t i = 0; i < p->places; i++)
        p->place[i].chunk = chunk_unref(p->place[i].chunk);
    p->abandoned = pipe_is_broken(p);
    code = chain_stop(p, code);
    /* A read that returns -EAGAIN would mean that this is not the end. */
    atomic_store(&p->end, code == -EAGAIN ? -EIO : code);
    if (p->is_kernel)
        kernel_end(&p->kernel);
    park_wake(&p->bytes);
    park_wake(&p->room);
}

/* ---- room ---- */

/* Gives the room that the chunk of the place has and that its filters that pace allow. *ret_limited: the filters allow
 * less than the chunk has. */
static int room(struct pipe *p, size_t at, size_t *ret_n, bool *ret_limited)
{
    struct pipe_place *place = &p->place[at];
    if (p->is_kernel)
        kernel_reclaim(&p->kernel);
    if (!place->chunk && !(place->chunk = chunk_get(&p->pool))) {
        p->want = WANT_CHUNK;
        return -EAGAIN;
    }
    size_t all = p->chunk_size - place->chunk->length;
    uint64_t n = all;
    for (size_t i = place->first; i < place->end; i++) {
        if (!(p->filter[i]->ops->caps & FILTER_PACES))
            continue;
        p->pace_ns = 0;
        n = MIN(n, p->filter[i]->ops->allowance(p->filter[i], n, &p->pace_ns));
        p->want = WANT_TIME;
        if (n == 0 && p->pace_ns)
            clock_set(&p->clock, p->pace_ns);
        if (n == 0)
            return p->pace_ns ? -EAGAIN : sate(p, at, i);
    }
    *ret_n = (size_t)n;
    *ret_limited = n < all;
    return 0;
}

/* n bytes have arrived at a place. A filter that lets a number of bytes pass and no more is asked at once whether that
 * was the last one, so that the end does not wait for another byte. */
static int note_arrived(struct pipe *p, size_t at, size_t n)
{
    struct pipe_place *place = &p->place[at];
    place->chunk->length += n;
    for (size_t i = place->first; i < place->end; i++) {
        leat_filter *filter = p->filter[i];
        int64_t deadline = 0;
        if (filter->ops->caps & FILTER_OBSERVES)
            continue;
        filter_count(filter, n);
        if ((filter->ops->caps & FILTER_PACES) && filter->ops->allowance(filter, 1, &deadline) == 0 && deadline == 0)
            return sate(p, at, i);
    }
    return 0;
}

/* ---- from place to place ---- */

static void empty(struct pipe_place *place)
{
    place->chunk = chunk_unref(place->chunk);
    place->at = 0;
    place->sealed = false;
}

static int seal(struct pipe *p, size_t at)
{
    struct pipe_place *place = &p->place[at];
    if (place->sealed || !place->chunk || place->chunk->length == 0)
        return 0;
    for (size_t i = place->first; i < place->end; i++) {
        struct leat_error error = {.size = sizeof(error)};
        const struct filter_ops *ops = p->filter[i]->ops;
        int r = ops->caps & FILTER_OBSERVES ? ops->observe(p->filter[i], place->chunk, &error) : 0;
        if (r < 0) {
            empty(place);
            return fail(p, at, i, r, &error);
        }
    }
    place->sealed = true;
    place->flushed = false;
    return 0;
}

/* The pipe itself does not work, so nothing can be delivered any more. Returns -EPIPE. */
static int fail_pipe(struct pipe *p, int code)
{
    struct leat_error error = {.size = sizeof(error)};
    char text[100];
    error_at(&error, code, LEAT_SIDE_SINK, "pipe", "write", "%s", error_text(code, text, sizeof(text)));
    pipe_blame(p, &error);
    chain_end(p, ENDING_BADLY, p->places, code);
    return -EPIPE;
}

static int deliver_kernel(struct pipe *p, struct pipe_place *place)
{
    while (place->at < place->chunk->length) {
        bool was_hungry = clear_hungry(p);
        ssize_t r = kernel_push(&p->kernel, place->chunk, place->at);
        if (r <= 0 && was_hungry)
            atomic_store(&p->hungry, true);
        if (r == -EAGAIN)
            p->want = WANT_PIPE;
        if (r == -EPIPE)
            pipe_blame_reader(p);
        if (r <= 0)
            return r == -EAGAIN || r == -EPIPE ? (int)r : fail_pipe(p, (int)r);
        place->at += (size_t)r;
        pipe_count_pushed(p, (size_t)r);
    }
    empty(place);
    return 0;
}

static int deliver(struct pipe *p, struct pipe_place *place)
{
    if (!place->sealed)
        return 0;
    if (pipe_is_broken(p))
        return -EPIPE;
    if (p->is_kernel)
        return deliver_kernel(p, place);
    size_t n = place->chunk->length;
    clear_hungry(p);
    queue_push(&p->queue, chunk_ref(place->chunk));
    empty(place);
    pipe_count_pushed(p, n);
    return 0;
}

static int put(struct pipe *p, size_t at, enum leat_filter_mode mode);

/* Calls the transform behind a place once. Returns the answer of the transform, -EAGAIN or -EPIPE. */
static int transform(struct pipe *p, size_t at, enum leat_filter_mode mode)
{
    struct pipe_place *place = &p->place[at], *next = place + 1;
    struct leat_error error = {.size = sizeof(error)};
    size_t n = 0;
    bool limited = false;
    int r = room(p, at + 1, &n, &limited);
    if (r < 0)
        return r;
    struct filter_buffers b = {.out = next->chunk->data + next->chunk->length, .out_n = n};
    if (place->sealed) {
        b.in = place->chunk->data + place->at;
        b.in_n = place->chunk->length - place->at;
    }
    size_t in_n = b.in_n;
    if (place->full) /* A call that asked for more than `mode` has timed out meanwhile. */
        mode = MAX(mode, place->full_mode);
    int answer = place->transform->ops->transform(place->transform, &b, (int)mode, &error);
    size_t used = in_n - b.in_n, given = n - b.out_n;
    filter_count(place->transform, used);
    place->at += used;
    if (answer >= 0 && answer != LEAT_FILTER_ENDED && used == 0 && given == 0 &&
        (answer == LEAT_FILTER_FULL || b.in_n > 0))
        answer = -EPROTO;
    r = note_arrived(p, at + 1, given); /* Also if the transform fails. */
    if (answer < 0)
        return fail(p, at, place->end, answer, &error);
    place->full = answer == LEAT_FILTER_FULL;
    place->full_mode = mode;
    place->flushed = answer == LEAT_FILTER_DONE && mode == LEAT_FILTER_FLUSH && b.in_n == 0;
    place->over = answer == LEAT_FILTER_ENDED || (answer == LEAT_FILTER_DONE && mode == LEAT_FILTER_FINISH);
    if (r == 0 && (limited || answer == LEAT_FILTER_FULL || next->chunk->length == p->chunk_size))
        r = put(p, at + 1, LEAT_FILTER_MORE);
    /* The answer holds even if the output has to wait: either the place is over, or the transform is asked again. */
    return r < 0 && answer != LEAT_FILTER_ENDED ? r : answer;
}

/* Moves the bytes of a place through the transform behind it, into the next place. */
static int convert(struct pipe *p, size_t at, enum leat_filter_mode mode)
{
    struct pipe_place *place = &p->place[at];
    while (!place->over) {
        size_t left = place->sealed ? place->chunk->length - place->at : 0;
        bool enough = mode == LEAT_FILTER_MORE || (mode == LEAT_FILTER_FLUSH && place->flushed);
        if (left == 0 && !place->full && enough)
            break;
        int r = place[1].sealed ? put(p, at + 1, LEAT_FILTER_MORE) : 0;
        if (r == 0)
            r = transform(p, at, mode);
        if (r == LEAT_FILTER_ENDED)
            return sate(p, at + 1, place->end);
        if (r < 0)
            return r;
    }
    if (place->sealed)
        empty(place);
    return mode == LEAT_FILTER_MORE ? 0 : put(p, at + 1, mode);
}

/* Moves the bytes of a place on. Returns 0: the place is empty. */
static int put(struct pipe *p, size_t at, enum leat_filter_mode mode)
{
    int r = seal(p, at);
    if (r < 0)
        return r;
    return p->place[at].transform ? convert(p, at, mode) : deliver(p, &p->place[at]);
}

int chain_work_off_end(struct pipe *p)
{
    while (!pipe_has_ended(p)) {
        bool well = p->ending == ENDING_WELL;
        size_t at = p->ending_at;
        int r = at < p->places ? put(p, at, well ? LEAT_FILTER_FINISH : LEAT_FILTER_FLUSH) : 0;
        if (r == -EAGAIN)
            return r;
        bool goes_on = r < 0 && (p->ending_at != at || well != (p->ending == ENDING_WELL)) && !pipe_is_broken(p);
        if (!goes_on)
            chain_drop(p);
    }
    return 0;
}

/* A call has ended with r. If that began the end of the pipe, the end is worked off as far as it goes. */
static int work_off_end(struct pipe *p, int r)
{
    if (p->ending != ENDING_NOT)
        chain_work_off_end(p);
    return r;
}

int chain_pass(struct pipe *p, enum leat_filter_mode mode)
{
    int r = 0;
    if (p->ending != ENDING_NOT)
        return chain_work_off_end(p);
    chain_show(p);
    for (size_t i = p->reserved ? 1 : 0; i < p->places && r == 0; i++)
        r = put(p, i, mode);
    return work_off_end(p, r);
}

bool chain_has_rest(const struct pipe *p)
{
    bool any = queue_hidden_bytes(&p->queue) || (p->ending != ENDING_NOT && !pipe_has_ended(p));
    for (size_t i = p->reserved ? 1 : 0; i < p->places && !any; i++)
        any = p->place[i].chunk && (p->place[i].sealed || p->place[i].chunk->length);
    return any;
}

/* ---- what is written ---- */

ssize_t chain_write(struct pipe *p, const uint8_t *bytes, size_t n)
{
    struct pipe_place *place = &p->place[0];
    size_t done = 0;
    int r = 0;
    while (done < n && r == 0) {
        size_t part = 0;
        bool limited = false;
        if (place->sealed && (r = put(p, 0, LEAT_FILTER_MORE)) < 0)
            break;
        if ((r = room(p, 0, &part, &limited)) < 0)
            break;
        limited &= part <= n - done;
        part = MIN(part, n - done);
        memcpy(place->chunk->data + place->chunk->length, bytes + done, part);
        done += part;
        r = note_arrived(p, 0, part);
        if (r == 0 && (limited || place->chunk->length == p->chunk_size))
            r = put(p, 0, LEAT_FILTER_MORE);
    }
    work_off_end(p, r);
    return done ? (ssize_t)done : r;
}

ssize_t chain_refer(struct pipe *p, struct chunk *chunk, uint8_t *bytes, size_t n)
{
    struct pipe_place *place = &p->place[0];
    size_t part = 0;
    bool limited;
    int r = place->chunk && place->chunk->length ? put(p, 0, LEAT_FILTER_MORE) : 0;
    if (r == 0)
        r = room(p, 0, &part, &limited);
    if (r == 0) {
        part = MIN(part, n);
        chunk_stand_for(place->chunk, chunk, bytes, 0);
        r = note_arrived(p, 0, part);
        if (r == 0)
            r = put(p, 0, LEAT_FILTER_MORE);
    }
    work_off_end(p, r);
    return part ? (ssize_t)part : r;
}

int chain_reserve(struct pipe *p, size_t want, void **ret, size_t *ret_n)
{
    struct pipe_place *place = &p->place[0];
    bool limited;
    int r = 0;
    bool small = place->chunk && p->chunk_size - place->chunk->length < MIN(want, p->chunk_size);
    if (place->sealed || small)
        r = put(p, 0, LEAT_FILTER_MORE);
    if (r == 0 && (r = room(p, 0, ret_n, &limited)) == 0)
        *ret = place->chunk->data + place->chunk->length;
    return work_off_end(p, r);
}

void chain_commit(struct pipe *p, size_t n)
{
    int r = note_arrived(p, 0, n);
    if (r == 0 && (p->filters == 0 || p->place[0].chunk->length == p->chunk_size))
        r = put(p, 0, LEAT_FILTER_MORE);
    work_off_end(p, r);
}
