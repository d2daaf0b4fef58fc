/* SPDX-License-Identifier: MIT */
/* The writer's end. Every call takes the write turn, moves what it can without waiting, waits for as long as it may,
 * and gives the turn. */
#include "pipe/writer.h"
#include "buffer/view.h"
#include "pipe/chain.h"

/* ---- what it has written ---- */

static void count_pushed(struct pipe *p, size_t n)
{
    uint64_t pushed = atomic_load_explicit(&p->pushed, memory_order_relaxed) + n;
    uint64_t high = atomic_load_explicit(&p->high_water, memory_order_relaxed);
    atomic_store_explicit(&p->pushed, pushed, memory_order_relaxed);
    /* The reader's count is read only if it matters: it lies in a cache line that the reader writes to. */
    if (pushed - p->taken_seen > high) {
        p->taken_seen = atomic_load_explicit(&p->taken, memory_order_relaxed);
        uint64_t held = pushed - p->taken_seen;
        /* What was read leaves the pipe before it is counted, and what other processes read is never counted. */
        if (p->is_kernel)
            held = MIN(held, p->limit + atomic_load(&p->kernel.buffered));
        if (held > high)
            atomic_store_explicit(&p->high_water, held, memory_order_relaxed);
    }
}

void pipe_count_pushed(struct pipe *p, size_t n)
{
    count_pushed(p, n);
    park_wake(&p->bytes);
}

static void note_rest(struct pipe *p)
{
    bool rests = chain_has_rest(p);
    if (rests != atomic_load_explicit(&p->resting, memory_order_relaxed))
        atomic_store(&p->resting, rests);
}

void writer_help(struct pipe *p)
{
    int r = chain_pass(p, LEAT_FILTER_MORE);
    note_rest(p);
    bool held = r == -EAGAIN && p->want != WANT_PIPE;
    atomic_store(&p->held_until_ns, !held ? 0 : p->want == WANT_TIME ? p->pace_ns : NEVER);
}

static void tell_reader(struct pipe *p)
{
    atomic_store(&p->look_again, true);
    pipe_wake_reader(p);
}

void writer_give(struct pipe *p)
{
    while (!turn_give(&p->write_turn)) {
        writer_help(p);
        tell_reader(p);
    }
}

/* ---- a call ---- */

int writer_take_turn(struct pipe *p, const struct pipe_limit *limit)
{
    int r = turn_take(&p->write_turn, limit->deadline_ns);
    return r == -ETIMEDOUT ? limit_code(limit) : r;
}

int writer_refusal(struct pipe *p)
{
    return p->ending != ENDING_NOT || pipe_is_broken(p) ? -EPIPE : p->reserved ? -EBUSY : 0;
}

/* If other processes read the descriptor, no reader comes to help, so all bytes have to be in the pipe. */
static void leave_nothing(struct pipe *p, const struct pipe_limit *limit)
{
    int r;
    do
        r = chain_pass(p, LEAT_FILTER_MORE);
    while (r == -EAGAIN && p->is_kernel && kernel_is_lent(&p->kernel) && (r = room_wait(p, limit)) == 0);
}

void writer_give_after_call(struct pipe *p, const struct pipe_limit *limit)
{
    note_rest(p);
    if (atomic_load_explicit(&p->resting, memory_order_relaxed) &&
        (atomic_load(&p->hungry) || atomic_load(&p->eager))) {
        leave_nothing(p, limit);
        writer_help(p);
        int64_t held = atomic_load(&p->held_until_ns);
        if (held && held != NEVER) /* A reader that sleeps does not know of that time yet. */
            tell_reader(p);
    }
    park_settle(&p->room, room_is_ready, p);
    writer_give(p);
}

/* A reader that waits gets the first bytes while the rest is still being copied. Smaller pieces would pass the cache
 * lines to and fro more often than that is worth. */
#define PIECE (64 * 1024)

/* If no reader has asked, the queue hides fewer bytes than this. A write of a few bytes takes some ten nanoseconds.
 * Showing them takes longer than that as soon as the reader, on another core, has looked. */
#define SHOWN 4096

static void grow_queue(struct pipe *p, size_t n, size_t least)
{
    queue_grow(&p->queue, &p->pool, n);
    count_pushed(p, n);
    if (!p->queue.growing) /* The chunk is full, and was shown. */
        park_wake(&p->bytes);
    else if (queue_hidden_bytes(&p->queue) >= least)
        chain_show(p);
}

/* No chunk is left, or no room in the limit. Shows and wakes: a reader that has read the last chunk to its end may give
 * it back. */
static int lacks_chunk(struct pipe *p)
{
    p->want = WANT_CHUNK;
    chain_show(p);
    park_wake(&p->bytes);
    return -EAGAIN;
}

static ssize_t write_queue(struct pipe *p, const void *bytes, size_t n)
{
    size_t room;
    uint64_t left = room_bytes(p, n);
    p->needed = 1;
    uint8_t *to = left ? queue_room(&p->queue, &p->pool, 1, &room) : NULL;
    if (!to)
        return lacks_chunk(p);
    n = (size_t)MIN(MIN(MIN(n, room), PIECE), left);
    memcpy(to, bytes, n);
    grow_queue(p, n, SHOWN);
    return (ssize_t)n;
}

static ssize_t write_kernel(struct pipe *p, const void *bytes, size_t n)
{
    int pending = p->place[0].sealed ? chain_pass(p, LEAT_FILTER_MORE) : 0;
    if (pending < 0)
        return pending;
    ssize_t r = kernel_write(&p->kernel, bytes, n);
    if (r > 0)
        pipe_count_pushed(p, (size_t)r);
    else if (r == -EAGAIN)
        p->want = WANT_PIPE;
    else if (r == -EPIPE)
        pipe_blame_reader(p);
    return r;
}

static ssize_t refer_queue(struct pipe *p, const struct piece *piece)
{
    size_t n = MIN(piece->bytes.iov_len, p->chunk_size);
    uint64_t left = room_bytes(p, n);
    p->needed = 1;
    struct chunk *chunk = left ? chunk_get(&p->pool) : NULL;
    n = (size_t)MIN(n, left);
    if (!chunk) {
        queue_close(&p->queue);
        return lacks_chunk(p);
    }
    chunk_stand_for(chunk, piece->chunk, piece->bytes.iov_base, n);
    queue_push(&p->queue, chunk);
    pipe_count_pushed(p, n);
    return (ssize_t)n;
}

/* Bytes that are passed by reference count as a whole chunk in the limit, so pieces that are much smaller are
 * copied. */
static ssize_t move(struct pipe *p, const struct piece *piece)
{
    void *bytes = piece->bytes.iov_base;
    size_t n = piece->bytes.iov_len;
    ssize_t r;
    if (piece->chunk && n >= p->chunk_size / 4)
        r = p->filters || p->is_kernel ? chain_refer(p, piece->chunk, bytes, n) : refer_queue(p, piece);
    else
        r = p->filters ? chain_write(p, bytes, n) : p->is_kernel ? write_kernel(p, bytes, n) : write_queue(p, bytes, n);
    if (r > 0)
        counter_add(&p->written, (uint64_t)r);
    return r;
}

/* Needs the write turn. `some`: returns as soon as it would wait and has written at least a byte. */
static int move_all(struct pipe *p, const struct piece *piece, size_t n, const struct pipe_limit *limit, bool some,
                    size_t *done)
{
    struct piece left = *piece;
    int r = writer_refusal(p);
    while (r == 0 && *done < n) {
        if (left.bytes.iov_len == 0)
            left = *++piece;
        ssize_t moved = move(p, &left);
        if (moved == -EAGAIN && some && *done)
            break;
        if (moved < 0)
            r = moved == -EAGAIN ? room_wait(p, limit) : (int)moved;
        else {
            *done += (size_t)moved;
            left.bytes.iov_base = (uint8_t *)left.bytes.iov_base + moved;
            left.bytes.iov_len -= (size_t)moved;
        }
        if (r == 0 && *done < n)
            r = writer_is_interrupted(p) ? -ECANCELED : writer_refusal(p);
    }
    return r;
}

/* Writes n bytes, which lie in these pieces. */
static int write_pieces(struct pipe *p, const struct piece *piece, size_t n, size_t *ret_done, int timeout_ms,
                        bool some)
{
    struct pipe_limit limit = limit_of(timeout_ms);
    size_t done = 0;
    int r = n ? writer_take_turn(p, &limit) : 0;
    if (n && r == 0) {
        r = move_all(p, piece, n, &limit, some, &done);
        writer_give_after_call(p, &limit);
    }
    if (ret_done)
        *ret_done = done;
    return some && done ? 0 : r;
}

int leat_writer_write(leat_writer *writer, const void *bytes, size_t n, size_t *ret_n, int timeout_ms)
{
    struct piece piece = {.bytes = iov_of(bytes, n)};
    return write_pieces(writer->pipe, &piece, n, ret_n, timeout_ms, false);
}

int leat_writer_write_some(leat_writer *writer, const void *bytes, size_t n, size_t *ret_n, int timeout_ms)
{
    struct piece piece = {.bytes = iov_of(bytes, n)};
    return write_pieces(writer->pipe, &piece, n, ret_n, timeout_ms, true);
}

int leat_writer_write_view(leat_writer *writer, const struct leat_view *view, size_t *ret_n, int timeout_ms)
{
    struct piece one;
    size_t count;
    const struct piece *piece = view_pieces(view, &one, &count);
    if (view_is_borrowed(view)) {
        if (ret_n)
            *ret_n = 0;
        return -EINVAL;
    }
    return write_pieces(writer->pipe, piece, view->length, ret_n, timeout_ms, false);
}

/* ---- reservations ---- */

static int reserve(struct pipe *p, size_t want, void **ret, size_t *ret_n)
{
    if (p->is_kernel || p->filters)
        return chain_reserve(p, want, ret, ret_n);
    chain_show(p); /* Bytes that were written stay visible while the reservation is open. */
    p->needed = MIN(want, p->chunk_size);
    uint64_t left = room_bytes(p, want);
    uint8_t *room = left >= p->needed ? queue_room(&p->queue, &p->pool, p->needed, ret_n) : NULL;
    if (!room)
        return lacks_chunk(p);
    *ret_n = (size_t)MIN(*ret_n, left);
    *ret = room;
    return 0;
}

int leat_writer_reserve(leat_writer *writer, size_t want, void **ret_room, size_t *ret_n, int timeout_ms)
{
    struct pipe *p = writer->pipe;
    struct pipe_limit limit = limit_of(timeout_ms);
    void *room = NULL;
    size_t n = 0;
    int r = writer_take_turn(p, &limit);
    if (r < 0)
        return r;
    r = writer_refusal(p);
    while (r == 0 && (r = reserve(p, MAX(want, 1), &room, &n)) == -EAGAIN)
        r = room_wait(p, &limit);
    if (r == 0) {
        p->reserved = n;
        *ret_room = room;
        *ret_n = n;
    }
    writer_give_after_call(p, &limit);
    return r;
}

static void commit(struct pipe *p, size_t n)
{
    p->reserved = 0;
    if (n == 0)
        return;
    counter_add(&p->written, n);
    if (p->is_kernel || p->filters) {
        chain_commit(p, n);
        return;
    }
    grow_queue(p, n, 1);
}

int leat_writer_commit(leat_writer *writer, size_t n, int timeout_ms)
{
    struct pipe *p = writer->pipe;
    struct pipe_limit limit = limit_of(timeout_ms);
    int r = writer_take_turn(p, &limit);
    if (r < 0)
        return r;
    if (p->ending != ENDING_NOT || pipe_is_broken(p))
        r = -EPIPE;
    else if (p->reserved == 0 || n > p->reserved)
        r = -EINVAL;
    else
        commit(p, n);
    writer_give_after_call(p, &limit);
    return r;
}

/* ---- the descriptor, and why ---- */

int writer_park_fd(struct pipe *p, int *ret)
{
    int r = turn_take(&p->write_turn, 0);
    if (r == 0) {
        r = pipe_prepare_polling(p);
        if (r == 0)
            r = park_fd(&p->room, room_is_ready, p, ret);
        if (p->want == WANT_TIME)
            clock_set(&p->clock, p->pace_ns);
        writer_give(p);
    }
    return r == -ETIMEDOUT ? -EBUSY : r;
}

int leat_writer_fd(leat_writer *writer, int *ret_fd)
{
    struct pipe *p = writer->pipe;
    if (!p->is_kernel)
        return writer_park_fd(p, ret_fd);
    int r = turn_take(&p->write_turn, 0);
    if (r < 0)
        return r == -ETIMEDOUT ? -EBUSY : r;
    if (pipe_has_ended(p))
        r = -EPIPE;
    else if (p->reserved || chain_pass(p, LEAT_FILTER_MORE) < 0 || kernel_lend(&p->kernel) < 0)
        r = -EBUSY;
    else
        *ret_fd = p->kernel.fd[1];
    writer_give(p);
    return r;
}

int leat_writer_error(const leat_writer *writer, struct leat_error *ret_reason)
{
    struct pipe *p = writer->pipe;
    struct leat_error error;
    if (pipe_is_broken(p))
        pipe_blame_reader(p);
    pthread_mutex_lock(&p->error_lock);
    error = p->error;
    pthread_mutex_unlock(&p->error_lock);
    return return_sized(ret_reason, &error, sizeof(error));
}
