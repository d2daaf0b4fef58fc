/* SPDX-License-Identifier: MIT */
/* The kernel backend: a real pipe with two non-blocking ends, and the chunks that were handed over to it without a
 * copy.
 *
 * vmsplice(2) puts the pages of a chunk into the pipe. A process that reads them sees what the chunk holds at the
 * moment of the read. So a chunk is kept until each of its bytes was copied out. This is certain only while our own
 * reader is the only reader: `sent` and `got` count the bytes, and a chunk is done when `got` has reached the number at
 * which the chunk ends.
 *
 * Once a descriptor was handed out (`lent`), nothing more is handed over without a copy. As long as bytes that were
 * handed over are in the pipe, no descriptor is handed out. `calling` decides which came first: the writer sets it
 * before it looks at `lent` and `plain`, and clears it after the system call.
 *
 * A write to a pipe without a reader raises SIGPIPE. While nothing is lent, ours is the only reader. It sets `leaving`,
 * waits until no call is under way (`calling`), and then closes its descriptor. A write that sees `lent` or `leaving`
 * is guarded against SIGPIPE. A write that sees neither has returned before the reader closes. */
#ifndef PIPE_KERNEL_H
#define PIPE_KERNEL_H

#include "base/wait.h"
#include "buffer/chunk.h"
#include <sys/types.h>

struct flying {
    struct chunk *chunk;
    uint64_t end; /* The position in `sent` of the end of its last byte in the pipe. */
};

struct kernel {
    int fd[2];
    size_t capacity;     /* Of the pipe, in bytes. 0: unknown. */
    struct waker writer; /* Interrupts the poll of a writer that waits. `reader` does the same for readers. */
    struct waker reader;
    bool spins; /* There is more than one processor, so the other side may be running. */
    atomic_bool lent;
    atomic_bool leaving; /* Our reader is about to close its descriptor. */
    atomic_bool plain;   /* A descriptor was asked for: nothing is handed over without a copy any more. */
    atomic_bool calling;
    _Atomic uint64_t got; /* Bytes that our reader has read. */
    /* The position in `sent` of the end of the last byte that was handed over without a copy. */
    _Atomic uint64_t spliced_to;
    atomic_size_t buffered; /* Bytes in `buffer` that were already read from the pipe. */

    /* The writer's. */
    bool zero_copy;
    atomic_bool spliced; /* vmsplice was used at least once. */
    uint64_t sent;
    struct flying *flying; /* A ring of `places` entries: the chunks whose pages are in the pipe. */
    size_t places, first, count;

    /* The reader's. */
    uint8_t *buffer;
    size_t buffer_size, at;
};

/* Sets all members to "nothing is open"; from then on kernel_destroy is allowed. */
void kernel_init(struct kernel *kernel);
/* Makes the pipe and the wakers. `size` is the most that the pipe may hold, in bytes; 0: up to 1 MiB, or what the
 * system allows. `capacity` receives the real size. Returns 0; -EOPNOTSUPP: `size` is not 0 and the system cannot set
 * it; or another negative errno. */
int kernel_open(struct kernel *kernel, size_t size);
/* Allocates the ring for `chunks` chunks, and the buffer for reading ahead. Returns 0 or -ENOMEM; kernel_destroy frees
 * either way. */
int kernel_prepare(struct kernel *kernel, size_t chunks, size_t buffer_size);
void kernel_destroy(struct kernel *kernel);

static inline bool kernel_is_lent(struct kernel *kernel)
{
    return atomic_load(&kernel->lent);
}

/* Marks the pipe as lent: from now on other readers or writers may have its descriptors. Returns 0; -EBUSY: bytes lie
 * in pages of chunks or in the buffer, where only our reader gets them. Even then nothing more is handed over without a
 * copy. */
int kernel_lend(struct kernel *kernel);

/* Needs the write turn. Writes a copy. Returns how many bytes were written, -EAGAIN, -EPIPE or another negative
 * errno. */
ssize_t kernel_write(struct kernel *kernel, const void *bytes, size_t n);
/* Needs the write turn. Writes the bytes of `chunk` from `at` on, without a copy where that is possible; then it keeps
 * a reference to the chunk while its pages are in the pipe. Returns as kernel_write. */
ssize_t kernel_push(struct kernel *kernel, struct chunk *chunk, size_t at);
/* Needs the write turn. Drops the references to chunks that were read. */
void kernel_reclaim(struct kernel *kernel);
/* Is there a reference to drop? */
bool kernel_can_reclaim(struct kernel *kernel);
bool kernel_has_room(struct kernel *kernel);
/* Closes the end for writing. */
void kernel_end(struct kernel *kernel);

/* Needs the read turn. Reads, first from the buffer. Returns how many bytes were read, 0 at the end, -EAGAIN or another
 * negative errno. */
ssize_t kernel_read(struct kernel *kernel, void *bytes, size_t n);
/* Needs the read turn. Shows what is in the buffer, and fills the buffer first if it is empty. Returns as kernel_read.
 * `*ret` is borrowed, until kernel_drop or the next read. */
ssize_t kernel_look(struct kernel *kernel, const uint8_t **ret);
void kernel_drop(struct kernel *kernel, size_t n);

/* Closes the end for reading. A write that is under way ends first. */
void kernel_leave(struct kernel *kernel);

/* Waits until the end may be ready, `stop` returns true, or the deadline has come. `stop` is asked once before the
 * sleep; a change after that has to ring the waker. It may return early. */
void kernel_wait(struct kernel *kernel, bool to_read, bool (*stop)(void *user), void *user, int64_t deadline_ns);

#endif
