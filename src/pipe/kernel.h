/* The backend of the kernel: a real pipe, both ends non-blocking, and what was handed over to it without a copy.
 *
 * vmsplice puts the pages of a chunk into the pipe: whoever reads them sees what is in the chunk at that moment. So a
 * chunk is kept until every one of its bytes was copied out, which is certain only while our own reader is the only
 * one: `sent` and `got` count the bytes, and a chunk is done when `got` has reached the number where it ends. Once a
 * descriptor was handed out (`lent`) nothing is handed over any more, and as long as such bytes are in the pipe no
 * descriptor is handed out. To tell which came first there is `calling`: set before `lent` and `plain` are looked at,
 * and cleared after the call.
 *
 * A write to a pipe whose last reader has gone raises SIGPIPE. While nothing is lent there is one reader, ours, which
 * says that it is `leaving`, waits until no call is under way, and then closes. So each write is guarded that sees
 * `lent` or `leaving`, and a write that sees neither is over before the reader has gone. */
#ifndef PIPE_KERNEL_H
#define PIPE_KERNEL_H

#include "base/wait.h"
#include "buffer/chunk.h"
#include <sys/types.h>

struct flying {
    struct chunk *chunk;
    uint64_t end; /* of its last byte in the pipe, in `sent` */
};

struct kernel {
    int fd[2];
    size_t capacity;     /* of the pipe; 0: unknown */
    struct waker writer; /* ends the polls of those who wait at an end */
    struct waker reader;
    bool spins; /* there is another processor, on which the other side may be busy */
    atomic_bool lent;
    atomic_bool leaving; /* our reader is about to close its descriptor */
    atomic_bool plain;   /* somebody asked for a descriptor: nothing is handed over without a copy any more */
    atomic_bool calling;
    _Atomic uint64_t got;        /* bytes that our reader has read */
    _Atomic uint64_t spliced_to; /* where the last byte ends that was handed over, in `sent` */
    atomic_size_t buffered;      /* bytes in `buffer` that were read from the pipe already */

    /* The writer's. */
    bool zero_copy;
    atomic_bool spliced; /* at least once */
    uint64_t sent;
    struct flying *flying; /* a ring of `places` chunks that are in the pipe */
    size_t places, first, count;

    /* The reader's. */
    uint8_t *buffer;
    size_t buffer_size, at;
};

/* Nothing is open yet, and kernel_destroy is allowed. */
void kernel_init(struct kernel *kernel);
/* A pipe of at most `size` bytes (0: as large as it comes). Its real size is in `capacity`. */
int kernel_open(struct kernel *kernel, size_t size);
/* Room for the chunks that can be on their way, and for what is read ahead. */
int kernel_prepare(struct kernel *kernel, size_t chunks, size_t buffer_size);
void kernel_destroy(struct kernel *kernel);

static inline bool kernel_is_lent(struct kernel *kernel)
{
    return atomic_load(&kernel->lent);
}

/* From now on somebody else may have a descriptor. -EBUSY while bytes lie where only our reader can get at them; even
 * so nothing more is handed over without a copy. */
int kernel_lend(struct kernel *kernel);

/* With the write turn. A count, -EAGAIN, -EPIPE. */
ssize_t kernel_write(struct kernel *kernel, const void *bytes, size_t n);
/* The bytes of a chunk from `at` on, without a copy where that can be had. A chunk whose pages are in the pipe is held.
 */
ssize_t kernel_push(struct kernel *kernel, struct chunk *chunk, size_t at);
/* Drops the chunks that have been read. */
void kernel_reclaim(struct kernel *kernel);
/* Is there one to drop? */
bool kernel_can_reclaim(struct kernel *kernel);
bool kernel_has_room(struct kernel *kernel);
/* No more will be written. */
void kernel_end(struct kernel *kernel);

/* With the read turn. A count, 0 at the end, -EAGAIN. */
ssize_t kernel_read(struct kernel *kernel, void *bytes, size_t n);
/* What is in the buffer, which is filled if it is empty. */
ssize_t kernel_look(struct kernel *kernel, const uint8_t **ret);
void kernel_drop(struct kernel *kernel, size_t n);

/* Nobody will read here any more. */
void kernel_leave(struct kernel *kernel);

/* Waits until the pipe may be ready, `stop` says so (after the waker was rung), or the deadline has come. */
void kernel_wait(struct kernel *kernel, bool to_read, bool (*stop)(void *user), void *user, int64_t deadline_ns);

#endif
