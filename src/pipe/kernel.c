/* SPDX-License-Identifier: MIT */
#include "pipe/kernel.h"
#include "base/fd.h"
#include "base/op.h"
#include "base/platform.h"
#include "base/sigpipe.h"
#include "base/spin.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#define NEVER   INT64_MAX
#define SPIN_NS 8000

void kernel_init(struct kernel *kernel)
{
    *kernel = (struct kernel){.fd = {-1, -1},
                              .writer.fd = {-1, -1},
                              .reader.fd = {-1, -1},
                              .zero_copy = true,
                              .spins = platform.processors() > 1};
}

int kernel_open(struct kernel *kernel, size_t size)
{
    int r = fd_pipe_of_size(kernel->fd, size ? size : 1024 * 1024, &kernel->capacity);
    if (r == -ENOSYS)
        r = size ? -EOPNOTSUPP : fd_pipe(kernel->fd);
    if (r == 0 && (r = waker_open(&kernel->writer)) == 0)
        r = waker_open(&kernel->reader);
    return r;
}

int kernel_prepare(struct kernel *kernel, size_t chunks, size_t buffer_size)
{
    kernel->places = chunks;
    kernel->buffer_size = buffer_size;
    kernel->flying = calloc(chunks, sizeof(struct flying));
    kernel->buffer = malloc(buffer_size);
    return kernel->flying && kernel->buffer ? 0 : -ENOMEM;
}

static void drop_first(struct kernel *kernel)
{
    chunk_unref(kernel->flying[kernel->first].chunk);
    kernel->first = (kernel->first + 1) % kernel->places;
    kernel->count--;
}

/* The pipe is closed first: then no process can see any more what becomes of the chunks. */
void kernel_destroy(struct kernel *kernel)
{
    fd_close(kernel->fd[0]);
    fd_close(kernel->fd[1]);
    waker_close(&kernel->writer);
    waker_close(&kernel->reader);
    while (kernel->count)
        drop_first(kernel);
    free(kernel->flying);
    free(kernel->buffer);
}

int kernel_lend(struct kernel *kernel)
{
    bool was_lent = atomic_exchange(&kernel->lent, true);
    atomic_store(&kernel->plain, true);
    SPIN_WHILE(atomic_load(&kernel->calling)); /* A call that is under way does not sleep. */
    bool busy = atomic_load(&kernel->spliced_to) > atomic_load(&kernel->got) || atomic_load(&kernel->buffered);
    /* If the other end was lent before, `lent` stays set on failure: it may never look as if that end were not lent. */
    if (!busy || !was_lent)
        atomic_store(&kernel->lent, !busy);
    return busy ? -EBUSY : 0;
}

/* ---- writing ---- */

static ssize_t call(struct kernel *kernel, enum op_kind kind, const void *bytes, size_t n)
{
    struct op op = {.kind = kind,
                    .fd = {-1, kernel->fd[1]},
                    .offset = {-1, -1},
                    .length = n,
                    .flags = kind == OP_VMSPLICE ? OP_NOWAIT : OP_NONBLOCK};
    memcpy(&op.bytes, &bytes, sizeof(bytes)); /* An op has no const pointer, but OP_WRITE and OP_VMSPLICE only read. */
    struct sigpipe_guard guard;
    bool guarded = kernel_is_lent(kernel) || atomic_load(&kernel->leaving);
    if (guarded)
        sigpipe_enter(&guard);
    ssize_t r = op_execute(&op);
    if (guarded)
        sigpipe_leave(&guard);
    if (r > 0)
        kernel->sent += (uint64_t)r;
    return r;
}

ssize_t kernel_write(struct kernel *kernel, const void *bytes, size_t n)
{
    atomic_store(&kernel->calling, true);
    ssize_t r = call(kernel, OP_WRITE, bytes, n);
    atomic_store(&kernel->calling, false);
    return r;
}

static void hold(struct kernel *kernel, struct chunk *chunk)
{
    struct flying *newest = &kernel->flying[(kernel->first + kernel->count + kernel->places - 1) % kernel->places];
    if (kernel->count == 0 || newest->chunk != chunk) {
        newest = &kernel->flying[(kernel->first + kernel->count++) % kernel->places];
        newest->chunk = chunk_ref(chunk);
    }
    newest->end = kernel->sent;
    atomic_store(&kernel->spliced_to, kernel->sent);
    atomic_store(&kernel->spliced, true);
}

/* Pieces shorter than a page are copied, because the kernel joins small writes. If vmsplice(2) is refused for any
 * reason, the bytes are written, and vmsplice is not tried again. */
static ssize_t hand_over(struct kernel *kernel, struct chunk *chunk, size_t at)
{
    bool amid_page = at && (uintptr_t)(chunk->data + at) % PAGE;
    if (!kernel->zero_copy || atomic_load(&kernel->plain) || chunk->length - at < PAGE || amid_page)
        return -EOPNOTSUPP;
    ssize_t r = call(kernel, OP_VMSPLICE, chunk->data + at, chunk->length - at);
    if (r > 0)
        hold(kernel, chunk);
    else if (r != -EAGAIN && r != -EPIPE)
        kernel->zero_copy = false;
    return r;
}

ssize_t kernel_push(struct kernel *kernel, struct chunk *chunk, size_t at)
{
    atomic_store(&kernel->calling, true);
    ssize_t r = hand_over(kernel, chunk, at);
    if (r <= 0 && r != -EAGAIN && r != -EPIPE)
        r = call(kernel, OP_WRITE, chunk->data + at, chunk->length - at);
    atomic_store(&kernel->calling, false);
    return r;
}

bool kernel_can_reclaim(struct kernel *kernel)
{
    return kernel->count && kernel->flying[kernel->first].end <= atomic_load(&kernel->got);
}

void kernel_reclaim(struct kernel *kernel)
{
    while (kernel_can_reclaim(kernel))
        drop_first(kernel);
}

bool kernel_has_room(struct kernel *kernel)
{
    struct pollfd set = {.fd = kernel->fd[1], .events = POLLOUT};
    return poll(&set, 1, 0) != 0;
}

void kernel_end(struct kernel *kernel)
{
    kernel->fd[1] = fd_close(kernel->fd[1]);
}

/* ---- reading ---- */

static ssize_t read_pipe(struct kernel *kernel, void *bytes, size_t n)
{
    struct op op = {.kind = OP_READ,
                    .fd = {kernel->fd[0], -1},
                    .offset = {-1, -1},
                    .bytes = bytes,
                    .length = n,
                    .flags = OP_NONBLOCK};
    ssize_t r = op_execute(&op);
    if (r > 0)
        atomic_fetch_add(&kernel->got, (uint64_t)r);
    return r;
}

ssize_t kernel_read(struct kernel *kernel, void *bytes, size_t n)
{
    size_t there = atomic_load_explicit(&kernel->buffered, memory_order_relaxed);
    if (there == 0)
        return read_pipe(kernel, bytes, n);
    n = MIN(n, there);
    memcpy(bytes, kernel->buffer + kernel->at, n);
    kernel_drop(kernel, n);
    return (ssize_t)n;
}

ssize_t kernel_look(struct kernel *kernel, const uint8_t **ret)
{
    if (atomic_load_explicit(&kernel->buffered, memory_order_relaxed) == 0) {
        ssize_t r = read_pipe(kernel, kernel->buffer, kernel->buffer_size);
        if (r <= 0)
            return r;
        kernel->at = 0;
        atomic_store(&kernel->buffered, (size_t)r);
    }
    *ret = kernel->buffer + kernel->at;
    return (ssize_t)atomic_load_explicit(&kernel->buffered, memory_order_relaxed);
}

void kernel_drop(struct kernel *kernel, size_t n)
{
    kernel->at += n;
    atomic_fetch_sub(&kernel->buffered, n);
}

void kernel_leave(struct kernel *kernel)
{
    atomic_store(&kernel->leaving, true);
    SPIN_WHILE(atomic_load(&kernel->calling)); /* A call that is under way does not sleep. */
    kernel->fd[0] = fd_close(kernel->fd[0]);
}

/* ---- waiting ---- */

static int milliseconds_until(int64_t deadline_ns)
{
    if (deadline_ns == NEVER)
        return -1;
    int64_t left = deadline_ns - clock_ns();
    return left <= 0 ? 0 : (int)MIN((left + 999999) / 1000000, INT_MAX);
}

/* The other side is probably busy with the next bytes. Spinning for some microseconds costs less than a wake-up. */
static bool spin(struct pollfd *set, int64_t deadline_ns)
{
    struct spin_budget budget = {UINT_MAX, MIN(clock_ns() + SPIN_NS, deadline_ns)};
    bool ready = false;
    while (!ready && spin_again(&budget))
        ready = poll(set, 1, 0) != 0;
    return ready;
}

void kernel_wait(struct kernel *kernel, bool to_read, bool (*stop)(void *user), void *user, int64_t deadline_ns)
{
    struct waker *waker = to_read ? &kernel->reader : &kernel->writer;
    struct pollfd set[2] = {{.fd = kernel->fd[to_read ? 0 : 1], .events = to_read ? POLLIN : POLLOUT},
                            {.fd = waker->fd[0], .events = POLLIN}};
    if (kernel->spins && spin(&set[0], deadline_ns))
        return;
    waker_sleeps(waker);
    if (!stop(user)) /* A signal ends the poll early; then the caller looks again. */
        poll(set, COUNT(set), milliseconds_until(deadline_ns));
    waker_woke(waker);
}
