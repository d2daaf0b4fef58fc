/* SPDX-License-Identifier: MIT */
/* The reader's end. Every call takes the read turn, looks for bytes, helps the chain to move on what it has, waits for
 * as long as it may, and gives the turn. */
#include "base/fd.h"
#include "base/origin.h"
#include "base/spin.h"
#include "pipe/chain.h"
#include <limits.h>

/* ---- what is there ---- */

/* Shows the next bytes and returns how many there are; 0 at the end; -EAGAIN; or the code with which the stream
 * failed. */
static ssize_t look_queue(struct pipe *p, const uint8_t **ret)
{
    size_t n = 0;
    int end;
    do { /* Bytes that were pushed before the end are seen, even if the end comes between the two looks. */
        end = atomic_load(&p->end);
        if ((*ret = queue_look(&p->queue, &n)))
            return (ssize_t)n;
    } while (end == GOES_ON && pipe_has_ended(p));
    return end == GOES_ON ? -EAGAIN : end;
}

static ssize_t end_of_kernel(struct pipe *p, ssize_t r)
{
    return r == 0 && pipe_has_ended(p) ? atomic_load(&p->end) : r;
}

static ssize_t look_kernel(struct pipe *p, const uint8_t **ret)
{
    ssize_t r = end_of_kernel(p, kernel_look(&p->kernel, ret));
    if (r > 0) /* The bytes have left the pipe, whenever the reader consumes them. */
        park_wake(&p->room);
    return r;
}

static ssize_t look(struct pipe *p, const uint8_t **ret)
{
    return p->is_kernel ? look_kernel(p, ret) : look_queue(p, ret);
}

/* Counts n bytes as read. Of a kernel pipe they have left the pipe already, and a writer that waits for chunks is woken
 * here. If the writer counts bytes, it may wait for less than a chunk, so the store has to be sequentially consistent
 * (park.h). */
static void count_taken(struct pipe *p, size_t n)
{
    if (pipe_counts_bytes(p))
        atomic_store(&p->taken, atomic_load_explicit(&p->taken, memory_order_relaxed) + n);
    else
        counter_add(&p->taken, n);
    if (p->is_kernel)
        park_wake(&p->room);
}

static void drop(struct pipe *p, size_t n)
{
    count_taken(p, n); /* Before the writer can use the room, or more bytes than fit would seem to be in the pipe. */
    if (p->is_kernel)
        kernel_drop(&p->kernel, n);
    else
        queue_drop(&p->queue, n);
    if (pipe_counts_bytes(p))
        park_wake(&p->room);
}

/* Copies chunk after chunk, but stops where the writer is still adding to the last chunk: looking there again would
 * take the cache line from the writer for a few bytes each time. */
static ssize_t copy_queue(struct pipe *p, uint8_t *to, size_t n)
{
    size_t done = 0;
    const uint8_t *from;
    ssize_t r = 0;
    bool more = true;
    while (more && done < n && (r = look_queue(p, &from)) > 0) {
        size_t part = MIN((size_t)r, n - done);
        memcpy(to + done, from, part);
        more = queue_ends_at(&p->queue, part);
        drop(p, part);
        done += part;
    }
    return done ? (ssize_t)done : r;
}

static ssize_t copy(struct pipe *p, uint8_t *to, size_t n)
{
    if (!p->is_kernel)
        return copy_queue(p, to, n);
    ssize_t r = kernel_read(&p->kernel, to, n);
    if (r > 0)
        count_taken(p, (size_t)r);
    return end_of_kernel(p, r);
}

/* ---- waiting ---- */

static bool has_news(struct pipe *p)
{
    return turn_is_closed(&p->read_turn) || atomic_load(&p->look_again) ||
           (atomic_load(&p->held_until_ns) == NEVER && chunk_pool_has(&p->pool));
}

static bool kernel_reader_has_news(void *user)
{
    return has_news(user);
}

/* Is there a byte, or another answer? Polling callers use it too. */
static bool is_readable(void *user)
{
    struct pipe *p = user;
    return queue_has(&p->queue) || pipe_has_ended(p) || has_news(p);
}

/* Moves on what rests in the chain. If a writer has the write turn, it gets a wish instead, and helps before it gives
 * the turn. What was known about the chain is cleared first: a writer may leave bytes there, and say so, right after
 * this thread has seen that nothing rests. */
static void help(struct pipe *p)
{
    atomic_store(&p->look_again, false);
    atomic_store(&p->held_until_ns, 0);
    if (atomic_load(&p->resting) && turn_take_or_wish(&p->write_turn)) {
        writer_help(p);
        writer_give(p);
    }
}

struct reader_reading {
    struct pipe *p;
    struct pipe_limit limit;
    bool helped;
};

/* A writer of small pieces is probably about to show many bytes. Asking it for the last ones at once costs both sides
 * more than it brings. */
#define PATIENCE_NS 2000

static bool spin_for_bytes(struct pipe *p, int64_t deadline_ns)
{
    if (!pipe_counts_bytes(p) || !p->bytes.spins)
        return false;
    bool ready = false;
    struct spin_budget budget = {UINT_MAX, MIN(clock_ns() + PATIENCE_NS, deadline_ns)};
    while (!ready && spin_again(&budget))
        ready = is_readable(p);
    return ready;
}

static int wait_for_bytes(struct reader_reading *reading)
{
    struct pipe *p = reading->p;
    if (!reading->helped) { /* The reader helps before each wait, and then looks again. */
        if (spin_for_bytes(p, reading->limit.deadline_ns))
            return 0;
        reading->helped = true;
        atomic_store(&p->hungry, true);
        help(p);
        return 0;
    }
    int64_t began = clock_ns();
    if (began >= reading->limit.deadline_ns)
        return limit_code(&reading->limit);
    int64_t held = atomic_load(&p->held_until_ns), deadline = reading->limit.deadline_ns;
    if (held)
        deadline = MIN(deadline, held);
    if (p->is_kernel)
        kernel_wait(&p->kernel, true, kernel_reader_has_news, p, deadline);
    else
        park_wait(&p->bytes, is_readable, p, deadline);
    counter_add(&p->reader_blocked_ns, (uint64_t)(clock_ns() - began));
    if (turn_is_closed(&p->read_turn))
        return -ECANCELED;
    reading->helped = false;
    return 0;
}

static int begin(struct reader_reading *reading, leat_reader *reader, int timeout_ms)
{
    *reading = (struct reader_reading){.p = reader->pipe, .limit = limit_of(timeout_ms)};
    int r = turn_take(&reading->p->read_turn, reading->limit.deadline_ns);
    if (r == 0)
        reading->p->peeked = 0;
    return r == -ETIMEDOUT ? limit_code(&reading->limit) : r;
}

static void end(struct reader_reading *reading)
{
    struct pipe *p = reading->p;
    if (!p->is_kernel)
        park_settle(&p->bytes, is_readable, p);
    turn_give(&p->read_turn);
}

/* ---- reading ---- */

/* Reads at least one byte. Returns how many, 0 at the end, or a negative errno. */
static ssize_t read_some(struct reader_reading *reading, uint8_t *to, size_t n)
{
    ssize_t r;
    reading->helped = false;
    while ((r = copy(reading->p, to, n)) == -EAGAIN)
        if ((r = wait_for_bytes(reading)) < 0)
            break;
    return r;
}

static ssize_t look_some(struct reader_reading *reading, const uint8_t **ret)
{
    ssize_t r;
    reading->helped = false;
    while ((r = look(reading->p, ret)) == -EAGAIN)
        if ((r = wait_for_bytes(reading)) < 0)
            break;
    return r;
}

static int read_bytes(leat_reader *reader, uint8_t *to, size_t n, size_t *ret_done, int timeout_ms, bool full)
{
    struct reader_reading reading;
    size_t done = 0;
    ssize_t r = n ? begin(&reading, reader, timeout_ms) : 0;
    if (n && r == 0) {
        do {
            r = read_some(&reading, to + done, n - done);
            done += r > 0 ? (size_t)r : 0;
        } while (full && r > 0 && done < n);
        end(&reading);
    }
    if (ret_done)
        *ret_done = done;
    return r < 0 ? (int)r : 0;
}

int leat_reader_read(leat_reader *reader, void *bytes, size_t n, size_t *ret_n, int timeout_ms)
{
    return read_bytes(reader, bytes, n, ret_n, timeout_ms, false);
}

int leat_reader_read_full(leat_reader *reader, void *bytes, size_t n, size_t *ret_n, int timeout_ms)
{
    return read_bytes(reader, bytes, n, ret_n, timeout_ms, true);
}

/* Each look begins where the previous one ended, so no byte is searched twice. */
static ssize_t read_line(struct reader_reading *reading, char *line, size_t most, size_t *done)
{
    const uint8_t *from = NULL;
    ssize_t r;
    while (*done < most && (r = look_some(reading, &from)) != 0) {
        if (r < 0)
            return r;
        size_t part = MIN((size_t)r, most - *done);
        const uint8_t *newline = memchr(from, '\n', part);
        if (newline)
            part = (size_t)(newline - from) + 1;
        memcpy(line + *done, from, part);
        drop(reading->p, part);
        *done += part;
        if (newline)
            break;
    }
    return 0;
}

int leat_reader_read_line(leat_reader *reader, char *line, size_t capacity, size_t *ret_n, int timeout_ms)
{
    struct reader_reading reading;
    size_t done = 0;
    ssize_t r = capacity == 1 ? -EINVAL : capacity ? begin(&reading, reader, timeout_ms) : 0;
    if (capacity > 1 && r == 0) {
        r = read_line(&reading, line, capacity - 1, &done);
        end(&reading);
    }
    if (capacity)
        line[done] = '\0';
    if (ret_n)
        *ret_n = done;
    return (int)r;
}

int leat_reader_peek(leat_reader *reader, const void **ret_bytes, size_t *ret_n, int timeout_ms)
{
    struct reader_reading reading;
    const uint8_t *from = NULL;
    ssize_t r = begin(&reading, reader, timeout_ms);
    if (r < 0)
        return (int)r;
    r = look_some(&reading, &from);
    if (r >= 0) {
        reading.p->peeked = (size_t)r;
        *ret_bytes = from;
        *ret_n = (size_t)r;
    }
    end(&reading);
    return r < 0 ? (int)r : 0;
}

int leat_reader_consume(leat_reader *reader, size_t n)
{
    struct pipe *p = reader->pipe;
    int r = turn_take(&p->read_turn, 0);
    if (r < 0)
        return r == -ETIMEDOUT ? -EBUSY : r;
    if (n > p->peeked)
        r = -EINVAL;
    else if (n) {
        p->peeked -= n;
        drop(p, n);
    }
    if (!p->is_kernel)
        park_settle(&p->bytes, is_readable, p);
    turn_give(&p->read_turn);
    return r;
}

/* ---- the rest ---- */

/* From now on writers always assume that a reader waits. */
static int become_eager(struct pipe *p, int *ret)
{
    int r = pipe_prepare_polling(p);
    if (r < 0)
        return r;
    atomic_store(&p->eager, true);
    help(p);
    if (!p->is_kernel)
        return park_fd(&p->bytes, is_readable, p, ret);
    r = kernel_lend(&p->kernel);
    if (r == 0)
        *ret = p->kernel.fd[0];
    return r;
}

int leat_reader_fd(leat_reader *reader, int *ret_fd)
{
    struct pipe *p = reader->pipe;
    int r = turn_take(&p->read_turn, 0);
    if (r < 0)
        return r == -ETIMEDOUT ? -EBUSY : r;
    r = become_eager(p, ret_fd);
    turn_give(&p->read_turn);
    return r;
}

int leat_reader_error(const leat_reader *reader, struct leat_error *ret_reason)
{
    struct pipe *p = reader->pipe;
    struct leat_error error = {.size = sizeof(error)};
    if (atomic_load(&p->end) < 0) {
        pthread_mutex_lock(&p->error_lock);
        error = p->error;
        pthread_mutex_unlock(&p->error_lock);
    }
    return return_sized(ret_reason, &error, sizeof(error));
}

/* The reader closes a kernel pipe with the write turn, if it gets it: a writer that is being closed keeps its turn. */
void leat_reader_close(leat_reader *reader)
{
    if (!reader)
        return;
    struct pipe *p = reader->pipe;
    if (!origin_is_here(p->origin)) {
        p->kernel.fd[0] = fd_close(p->kernel.fd[0]);
        return;
    }
    turn_shut(&p->read_turn);
    park_wake(&p->bytes);
    if (p->is_kernel)
        waker_wake(&p->kernel.reader);
    turn_close(&p->read_turn);
    atomic_store(&p->reader_gone, true);
    park_wake(&p->room);
    if (p->is_kernel) {
        waker_wake(&p->kernel.writer);
        bool taken = !kernel_is_lent(&p->kernel) && turn_take(&p->write_turn, NEVER) == 0;
        kernel_leave(&p->kernel);
        if (taken)
            writer_give(p);
    }
    pipe_unref(p);
}
