/* leat/pipe.h: a pipe inside a process: a writer's end, filters, a reader's end.
 *
 *     struct leat_pipe_options options = LEAT_INIT(struct leat_pipe_options);
 *     options.filters = &digest, options.filter_count = 1;
 *     leat_pipe_open(&writer, &reader, &options);
 *     one thread:  leat_writer_write(writer, bytes, n, NULL, -1); ... leat_writer_finish(writer);
 * leat_writer_close(writer); another one: while (leat_reader_read(reader, bytes, sizeof(bytes), &n, -1) == 0 && n > 0)
 *                      ...;
 *                  leat_reader_close(reader);
 *
 * Two backends with the same meaning. `kernel` is a real pipe, whose descriptors others may poll, splice or inherit;
 * `queue` is a bounded queue of chunks in memory, portable and faster between threads.
 *
 * What a call may say is told apart, and wakes whoever waits for it at once:
 *   the end       0 with *done == 0 from a read, after the last byte
 *   failed        the code given to leat_writer_fail, or that of a filter, after the last byte; on every later read
 *   broken        -EPIPE from a write: the reader has closed, a filter failed or wants no more, or the stream has ended
 *                 already. leat_writer_error says which. There is no SIGPIPE.
 *   timed out     -ETIMEDOUT; -EAGAIN if timeout_ms was 0. No byte is lost: *done says how many were moved.
 *   closed        -ECANCELED: another thread has closed this very end, or failed it, meanwhile
 * A signal changes nothing: no call ever says -EINTR.
 *
 * `done` (may be NULL) is set on every way out. timeout_ms: -1 waits, 0 does not, else at most so long, for the whole
 * call. A call with zero bytes returns 0 at once.
 *
 * Every byte that was written is there for a reader as soon as it asks, flush or not, except what a filter that changes
 * the bytes holds back; leat_writer_flush makes it give that, too. (A read that may not wait says -EAGAIN while another
 * write is just going on, and may miss what the one before it wrote.) With filters, bytes that were gathered before a
 * reservation come with it, when it is committed or given back. Filters run on the threads that write, or on one that
 * reads and would have to wait otherwise.
 *
 * Threads: several may use one end at the same time; a call's bytes are not interleaved with those of another call.
 * reserve/commit and peek/consume are for one thread at a time per end. finish, fail and close may be called from any
 * thread, also while others are blocked on that end or on the other. After fork only one of the processes may go on
 * with a queue, and the other may only close; of the kernel backend's descriptors each process may use its own copy.
 */
#ifndef LEAT_PIPE_H
#define LEAT_PIPE_H

#include <leat/base.h>
#include <leat/endpoint.h>
#include <leat/filter.h>
#include <leat/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct leat_writer leat_writer;
typedef struct leat_reader leat_reader;

enum leat_pipe_backend {
    LEAT_PIPE_AUTO = 0,   /* the queue */
    LEAT_PIPE_KERNEL = 1, /* a real pipe */
    LEAT_PIPE_QUEUE = 2,
};

struct leat_pipe_options {
    size_t size;
    int32_t backend; /* enum leat_pipe_backend */
    /* Bytes between the ends, filters' chunks included; 0: 1 MiB. The queue takes any number from 1 on, and one more
     * for each filter that changes bytes. Without filters it holds exactly so many bytes, in chunks of which there is
     * one more than they need, and each byte that is read is room again at once. With filters it holds whole chunks,
     * and a chunk is room again when all of it was read. UINT64_MAX is no limit, but for that of 2^20 chunks. What
     * holds is in struct leat_pipe_stats. A kernel pipe holds the largest power of two in it, at least 4096 (or less, if this
     * user has too many large pipes); chunks that are handed to it without a copy come out of its own size, those that
     * filters work in are as much again, and what a peek reads ahead is a chunk more. */
    uint64_t memory_limit;
    uint64_t chunk_size;   /* 0: fits the limit, at most 64 KiB, of the kernel's 256 KiB; at most memory_limit */
    leat_filter **filters; /* between the ends, in this order; the references are taken, on failure too */
    size_t filter_count;
    struct leat_error *ret_error; /* NULL, or where a refusal leaves its sentence */
    leat_pool *pool;              /* where the memory comes from; NULL: the one of the process. The pipe keeps it */
};

struct leat_pipe_stats {
    size_t size;
    int32_t backend;            /* LEAT_PIPE_KERNEL or LEAT_PIPE_QUEUE */
    int32_t zero_copy;          /* kernel: chunks are handed over by vmsplice, so far */
    uint64_t memory_limit;      /* the one that holds */
    uint64_t chunk_size;        /* what leat_writer_reserve gives in one piece */
    uint64_t bytes_in;          /* written */
    uint64_t bytes_out;         /* read; not what others read from a descriptor */
    uint64_t high_water;        /* the most bytes that lay behind the filters and were not read yet */
    uint64_t writer_blocked_ns; /* time that calls spent waiting */
    uint64_t reader_blocked_ns;
};

/* Both ends, or -EINVAL with a sentence (a limit too small, a chunk larger than the limit, too many filters: 64 are
 * allowed), -EBUSY (a filter is in use, or there twice), -EOPNOTSUPP (a filter that is a process of its own: put it
 * into a pipeline; a kernel pipe whose size can't be set here), what pipe(2) says, or -ENOMEM. Does not block. */
LEAT_API int leat_pipe_open(leat_writer **ret_writer, leat_reader **ret_reader,
                            const struct leat_pipe_options *options);

/* ---- writing ---- */

/* All of it. */
LEAT_API int leat_writer_write(leat_writer *writer, const void *bytes, size_t n, size_t *done, int timeout_ms);

/* What fits, at least one byte; waits only while nothing fits. */
LEAT_API int leat_writer_write_some(leat_writer *writer, const void *bytes, size_t n, size_t *done, int timeout_ms);

/* All bytes of a view (leat/stream.h), without copying them: what they lie in is kept until the reader has them, and
 * the view remains the caller's. A kernel pipe is given their pages while its own reader is the only one, else a copy.
 * A piece of less than a quarter of chunk_size is copied, because one that is not counts as a chunk. After a time-out a
 * slice of what is left may go on. -EINVAL: a borrowed view. If it is of leat_stream_append_ref, `release` may be
 * called by the thread that reads, or that closes the last end, and must not call the pipe. */
struct leat_view;
LEAT_API int leat_writer_write_view(leat_writer *writer, const struct leat_view *view, size_t *done, int timeout_ms);

/* Room to write into, in one piece: at least `want` bytes (0: one), but never more than a chunk is promised, nor than a
 * filter that paces allows. Valid until it is committed, or the end is finished or closed. -EBUSY if there is a
 * reservation already; until it is committed all other writes say that, too. */
LEAT_API int leat_writer_reserve(leat_writer *writer, size_t want, void **ret, size_t *ret_n, int timeout_ms);

/* The first n bytes of the reservation are written; 0 gives it back. Does not block, unless the reader's descriptor was
 * handed out. -EINVAL if there is none, or it is not so large. */
LEAT_API int leat_writer_commit(leat_writer *writer, size_t n);

/* Makes filters give what they hold back, and returns when all that was written lies ready for the reader. Waits for
 * room if need be. */
LEAT_API int leat_writer_flush(leat_writer *writer);

/* The end: filters give their last bytes, and the reader sees the end after the last one. Other threads' writes come
 * first, later ones are refused with -EPIPE. Waits for room if filters need it. Once more: 0. -EPIPE if the stream
 * failed or the reader has gone. A filter that wanted no more is no failure. */
LEAT_API int leat_writer_finish(leat_writer *writer);

/* The end, and a bad one: the reader gets what was written (what a filter holds back only if there is room now), then
 * `code`, a negative errno; for -EAGAIN it is told -EIO, since a read that says -EAGAIN has not failed. Never waits for
 * room; writes that wait are ended with -ECANCELED. Nothing happens after finish. -EINVAL if code is no negative
 * number. Only readers in this process learn the code: who reads the descriptor elsewhere sees the end. */
LEAT_API int leat_writer_fail(leat_writer *writer, int code);

/* ---- reading ---- */

/* At least one byte; 0 with *done == 0 is the end. */
LEAT_API int leat_reader_read(leat_reader *reader, void *bytes, size_t n, size_t *done, int timeout_ms);

/* All n of them; 0 with fewer in *done: the end came before. */
LEAT_API int leat_reader_read_full(leat_reader *reader, void *bytes, size_t n, size_t *done, int timeout_ms);

/* Up to and with the next newline, and a NUL behind it that *done does not count. What has no newline is the last line,
 * or one that is longer than `capacity` - 1: then its rest comes next. After a timeout the line goes on with the next
 * call. -EINVAL if capacity is 1. */
LEAT_API int leat_reader_read_line(leat_reader *reader, char *line, size_t capacity, size_t *done, int timeout_ms);

/* Bytes in one piece, which stay there until they are consumed or read. Waits for the first one; 0 with *ret_n == 0 is
 * the end. */
LEAT_API int leat_reader_peek(leat_reader *reader, const void **ret, size_t *ret_n, int timeout_ms);

/* The first n of the bytes that were peeked at are done with. -EINVAL if there were not so many. */
LEAT_API int leat_reader_consume(leat_reader *reader, size_t n);

/* ---- the rest ---- */

/* A descriptor to poll, borrowed; it lives as long as the end, a kernel pipe's writer only until it is finished. Of the
 * kernel backend it is the pipe itself, and may be given to others, to a child for instance: from then on nothing is
 * handed over without a copy. It is non-blocking; a child that wants it otherwise clears that on its side of the pipe,
 * which is shared with this process, so the end should be closed here. -EBUSY while bytes lie where only this library
 * can get at them (peeked at, reserved, or handed over without a copy and not read yet), or while a call is in this
 * end. Of the queue it is one that is readable (POLLIN, also for the writer) while there may be something to read or
 * room to write; a call that found nothing clears it. Where a filter paces it tells when the time has come, too, by a
 * thread of the pipe's own: -ENOMEM if that can't be had. */
LEAT_API int leat_writer_fd(leat_writer *writer, int *ret);
LEAT_API int leat_reader_fd(leat_reader *reader, int *ret);

/* Any thread. */
#ifdef __cplusplus
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow" /* it has the name of its struct, as stat(2) has */
#endif
LEAT_API int leat_writer_stats(const leat_writer *writer, struct leat_pipe_stats *ret);
#ifdef __cplusplus
#pragma GCC diagnostic pop
#endif
LEAT_API int leat_reader_stats(const leat_reader *reader, struct leat_pipe_stats *ret);

/* Why the stream is broken or failed: which filter, and a sentence. Its strings live as long as the end. The code is 0
 * where nothing failed, and -EPIPE in the writer's where the reader has closed or a filter wants no more. Any thread.
 */
LEAT_API int leat_writer_error(const leat_writer *writer, struct leat_error *ret);
LEAT_API int leat_reader_error(const leat_reader *reader, struct leat_error *ret);

/* Frees the end, for which NULL is allowed. Calls that other threads are in return -ECANCELED first. A writer that was
 * neither finished nor failed is finished as by leat_writer_finish, which may wait; leat_writer_fail before avoids
 * that, and then what has not come through the filters, for want of room, is dropped. Afterwards the reader gets the
 * end, or the writer -EPIPE and what was not read is dropped. */
LEAT_API void leat_writer_close(leat_writer *writer);
LEAT_API void leat_reader_close(leat_reader *reader);

/* An end as a source or a sink of a pipeline, which closes it in the end: the reference is taken, on failure too. A
 * kernel pipe without filters and without buffered bytes is spliced. A failure of the pipe fails the pipeline; a
 * pipeline that fails or is cancelled fails the writer with its code (-EIO if only the sink itself failed), or closes
 * the reader. -EOPNOTSUPP: filters sit between a kernel pipe's ends whose reading descriptor was handed out; put them
 * into the pipeline. */
LEAT_API int leat_endpoint_from_reader(leat_endpoint **ret, leat_reader *reader);
LEAT_API int leat_endpoint_from_writer(leat_endpoint **ret, leat_writer *writer);

#ifdef __cplusplus
}
#endif
#endif
