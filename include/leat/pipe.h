/* SPDX-License-Identifier: MIT */
/** @file leat/pipe.h
 * A pipe inside a process: a writer, filters, and a reader.
 *
 * A leat_writer is the writing end of the pipe, a leat_reader the reading end.
 *
 * @code
 *     struct leat_pipe_options options = LEAT_INIT(struct leat_pipe_options);
 *     options.filters = &digest;
 *     options.filter_count = 1;
 *     leat_pipe_open(&writer, &reader, &options, NULL);
 *
 *     // One thread writes:
 *     leat_writer_write(writer, bytes, n, NULL, -1);
 *     ...
 *     leat_writer_finish(writer, -1);
 *     leat_writer_close(writer);
 *
 *     // Another thread reads:
 *     while (leat_reader_read(reader, bytes, sizeof(bytes), &n, -1) == 0 && n > 0)
 *         ...;
 *     leat_reader_close(reader);
 * @endcode
 *
 * Backends
 * --------
 * There are two backends with the same meaning:
 *   - LEAT_PIPE_KERNEL is a real pipe. Other code may poll, splice or inherit its descriptors.
 *   - LEAT_PIPE_QUEUE is a bounded queue of chunks in memory. It is portable, and faster between threads.
 *
 * Results
 * -------
 * A call distinguishes these results. Each of them wakes the waiting calls at once.
 *   - The end: a read returns 0 and sets *ret_n to 0, after the last byte.
 *   - A failure: after the last byte, a read returns the code that was given to leat_writer_fail, or the code of the
 *     filter that failed. Every later read returns it again.
 *   - A broken pipe: a write returns -EPIPE. The reader has closed, a filter failed or wants no more bytes, or the
 *     stream has already ended. leat_writer_error says which. There is no SIGPIPE.
 *   - A timeout: the call returns -ETIMEDOUT, or -EAGAIN if timeout_ms is 0. No byte is lost: *ret_n is the number of
 *     bytes that were moved.
 *   - A closed end: the call returns -ECANCELED. Another thread closed or failed the same end during the call.
 *   - A cut: the writer was closed before the stream was finished. After the last byte, a read returns -ECANCELED.
 *
 * A signal does not change a result: no call returns -EINTR.
 *
 * Parameters
 * ----------
 *   - ret_n of a read or a write (leat_writer_write, leat_writer_write_some, leat_writer_write_view, leat_reader_read,
 *     leat_reader_read_full, leat_reader_read_line) may be NULL. The call sets *ret_n on success and on failure.
 *   - timeout_ms limits the time that the whole call waits, in milliseconds. -1 waits without a limit, 0 does not wait.
 *     A call whose time was up may be repeated, and goes on where it was.
 *
 * No call without a timeout_ms waits for the other end. The one wait without a limit is that for a filter function of
 * the caller: while it runs, no call can interrupt it, and leat_writer_close, leat_writer_fail and leat_reader_close
 * wait until it has returned. So such a function should not block.
 *
 * A read or a write of zero bytes returns 0 at once.
 *
 * When bytes can be read
 * ----------------------
 * A written byte is available as soon as the reader asks for it. The writer need not flush. There are three exceptions:
 *   - A filter that changes the bytes may hold some of them back. leat_writer_flush makes the filter give them.
 *   - While a write is in progress, a read with timeout_ms 0 may return -EAGAIN, and may miss the bytes of the write
 *     before that one.
 *   - In a pipe with filters, bytes that the pipe gathered before a reservation become available when the reservation
 *     is committed or given back.
 *
 * Threads
 * -------
 *   - Several threads may use one end at the same time. The bytes of one call are not interleaved with those of
 *     another.
 *   - Reserve and commit are for one thread at a time, and so are peek and consume.
 *   - Finish, fail and close may be called from any thread, even while other threads are blocked on either end.
 *   - Filters run on a thread that writes, or on a thread that reads and would otherwise have to wait. If a filter
 *     paces and the reader's descriptor was asked for, they may also run on a thread that belongs to the pipe.
 *
 * After fork(2), only one of the two processes may go on with a queue, and the other one may only close its ends. With
 * the kernel backend, each process may use its own copies of the descriptors.
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

/** The writing end of a pipe. */
typedef struct leat_writer leat_writer;

/** The reading end of a pipe. */
typedef struct leat_reader leat_reader;

/** What carries the bytes from the writer to the reader. */
enum leat_pipe_backend {
    LEAT_PIPE_AUTO = 0,   /**< The queue. */
    LEAT_PIPE_KERNEL = 1, /**< A real pipe of the kernel. */
    LEAT_PIPE_QUEUE = 2,  /**< A queue in memory. */
};

/** Options of a pipe. */
struct leat_pipe_options {
    size_t size;     /**< sizeof(struct leat_pipe_options); LEAT_INIT sets it. */
    int32_t backend; /**< An enum leat_pipe_backend. */
    /**
     * The most bytes that may be between the two ends, with the chunks of the filters included; 0: 1 MiB. The limit
     * that the pipe really has is in struct leat_pipe_stats.
     *
     * The smallest limit of a queue is 1, plus 1 for each filter that changes bytes. UINT64_MAX is no limit, except
     * that a queue has at most 2^20 chunks.
     * - Without filters, a queue holds exactly this many bytes. It has one chunk more than these bytes need. Each byte
     *   that is read makes room for another byte at once.
     * - With filters, a queue holds whole chunks. A chunk makes room when all of its bytes were read.
     *
     * The smallest limit of a kernel pipe is 4096. It holds the largest power of two that is not above the limit, or
     * less if this user has too many large pipes. Chunks that are handed to the kernel without a copy count towards the
     * size of the pipe. The chunks that filters work in take as much memory again. The bytes that a peek reads ahead
     * take one chunk more.
     */
    uint64_t memory_limit;
    /**
     * The size of a chunk in bytes, at most memory_limit. 0: a size that fits memory_limit, at most 64 KiB, or at most
     * 256 KiB for the kernel backend.
     */
    uint64_t chunk_size;
    leat_filter **filters; /**< The filters between the ends, in this order. leat_pipe_open takes the references, on
                              failure too. */
    size_t filter_count;   /**< How many filters there are, at most 64. */
    leat_pool *pool; /**< Where the memory comes from; NULL: the pool of the process. The pipe keeps a reference. */
};

/** Numbers about a pipe. */
struct leat_pipe_stats {
    size_t size;                /**< sizeof(struct leat_pipe_stats); the caller sets it. */
    int32_t backend;            /**< LEAT_PIPE_KERNEL or LEAT_PIPE_QUEUE. */
    int32_t zero_copy;          /**< Not 0: a kernel pipe has got chunks by vmsplice(2) so far, without a copy. */
    uint64_t memory_limit;      /**< The limit that the pipe has, in bytes. */
    uint64_t chunk_size;        /**< The most bytes that leat_writer_reserve gives in one piece. */
    uint64_t bytes_in;          /**< Bytes that were written. */
    uint64_t bytes_out;         /**< Bytes that the reader read. What others read from the descriptor is not counted. */
    uint64_t high_water;        /**< The most bytes that had passed the filters and were not read yet. */
    uint64_t writer_blocked_ns; /**< The time that calls of the writer waited, in nanoseconds. */
    uint64_t reader_blocked_ns; /**< The time that calls of the reader waited, in nanoseconds. */
    /**
     * The bytes that the reader can read now. If a filter changes bytes, only those count that have passed all filters
     * and left the last chunk that is being filled; a read may get more. 0: there are none, or the reader has closed.
     * UINT64_MAX: unknown, because a descriptor of a kernel pipe was handed out.
     */
    uint64_t unread;
    /**
     * The bytes that the writer can write now. 0: there is no room, the reader has closed, or the stream has ended.
     * UINT64_MAX: unknown, because a descriptor of a kernel pipe was handed out.
     * - A queue without filters: memory_limit less `unread`. It is less if reservations or pieces of views have taken
     *   more chunks than their bytes need.
     * - A queue with filters: the size of all free chunks. The chunk that is being filled may have room besides.
     * - A kernel pipe: memory_limit less the bytes in the pipe. The true number may be smaller, because the kernel
     *   counts whole pages.
     */
    uint64_t room;
};

/**
 * Makes a pipe with its two ends.
 *
 * @param ret_writer  The writer; close it with leat_writer_close.
 * @param ret_reader  The reader; close it with leat_reader_close.
 * @param options     The options; NULL: the defaults.
 * @param ret_error   NULL, or where the call says in a sentence why it refused.
 *
 * Blocking: does not block.
 *
 * @return 0, or a negative errno, with a sentence in *ret_error:
 *         - -EINVAL: the limit is too small, the chunk is larger than the limit, there are more than 64 filters, or an
 *           option has no valid value.
 *         - -EBUSY: a filter is in use, or is in the list twice.
 *         - -EOPNOTSUPP: a filter is a process of its own, which belongs in a pipeline; or memory_limit is given for
 *           a kernel pipe and this system can't set the size of a pipe.
 *         - -ENOMEM.
 *         - What pipe(2) or the start of a filter returned.
 */
LEAT_API int leat_pipe_open(leat_writer **ret_writer, leat_reader **ret_reader, const struct leat_pipe_options *options,
                            struct leat_error *ret_error);

/* ---- writing ---- */

/**
 * Writes all bytes.
 *
 * @param bytes       The bytes to write; borrowed for the call.
 * @param n           Their number.
 * @param ret_n       How many bytes were written.
 * @param timeout_ms  How long the call may wait for room.
 *
 * Blocking: waits for room.
 *
 * @return 0; -EBUSY: there is a reservation; -EPIPE, -EAGAIN, -ETIMEDOUT or -ECANCELED.
 */
LEAT_API int leat_writer_write(leat_writer *writer, const void *bytes, size_t n, size_t *ret_n, int timeout_ms);

/**
 * Writes as many bytes as there is room for, at least one.
 *
 * @param bytes       The bytes to write; borrowed for the call.
 * @param n           Their number.
 * @param ret_n       How many bytes were written.
 * @param timeout_ms  How long the call may wait for room.
 *
 * Blocking: waits only while there is no room at all.
 *
 * @return 0: at least one byte was written, or n is 0; otherwise as leat_writer_write.
 */
LEAT_API int leat_writer_write_some(leat_writer *writer, const void *bytes, size_t n, size_t *ret_n, int timeout_ms);

struct leat_view;

/**
 * Writes all bytes of a view (leat/stream.h) without copying them.
 *
 * The pipe keeps the memory of the bytes until the reader has them. After a timeout, the caller may go on with a slice
 * of the view that has the rest of the bytes.
 *
 * Some bytes are copied:
 *   - A kernel pipe gets the pages of the bytes while its leat_reader is its only reader, and a copy otherwise.
 *   - A piece that is shorter than a quarter of chunk_size is copied, because a piece that is not copied counts as a
 *     chunk.
 *
 * If the bytes were appended by leat_stream_append_ref, their `release` may be called by the thread that reads, or by
 * the thread that closes the last end. It must not call the pipe.
 *
 * @param view        The bytes to write. The view remains the caller's.
 * @param ret_n       How many bytes were written.
 * @param timeout_ms  How long the call may wait for room.
 *
 * Blocking: waits for room.
 *
 * @return 0; -EINVAL: the view is a borrowed one; otherwise as leat_writer_write.
 */
LEAT_API int leat_writer_write_view(leat_writer *writer, const struct leat_view *view, size_t *ret_n, int timeout_ms);

/**
 * Reserves room for the caller to write into, in one piece.
 *
 * The room is valid until it is committed, or until the writer is finished, failed or closed. Until then, all other
 * writes return -EBUSY.
 *
 * @param want        How many bytes the caller wants at least; 0: one. The call may give less than this only if it is
 *                    more than a chunk, or more than a filter that paces allows.
 * @param ret_room    The room; it belongs to the pipe. Untouched on failure.
 * @param ret_n       The size of the room in bytes, never NULL. Untouched on failure.
 * @param timeout_ms  How long the call may wait for room.
 *
 * Blocking: waits for room.
 *
 * @return 0; -EBUSY: there is a reservation already; -EPIPE, -EAGAIN, -ETIMEDOUT or -ECANCELED.
 */
LEAT_API int leat_writer_reserve(leat_writer *writer, size_t want, void **ret_room, size_t *ret_n, int timeout_ms);

/**
 * Writes the first bytes of the reservation, and ends the reservation.
 *
 * @param n           How many bytes of the room the caller has filled; 0 gives the reservation back.
 * @param timeout_ms  How long the call may wait.
 *
 * Blocking: waits for another call on the writer, or for a reader that moves bytes on, to let it in. If the descriptor
 * of a kernel pipe's reader was handed out, the call also waits for room in the pipe. If there is none in time, the
 * bytes are committed all the same, and go into the pipe with the next call on the writer.
 *
 * @return 0; -EINVAL: there is no reservation, or it is smaller than n; -EAGAIN or -ETIMEDOUT: the reservation is as it
 *         was; -EPIPE or -ECANCELED.
 */
LEAT_API int leat_writer_commit(leat_writer *writer, size_t n, int timeout_ms);

/**
 * Makes the filters give what they hold back, and returns when the reader can read all bytes that were written.
 *
 * @param timeout_ms  How long the call may wait for room. After a timeout, a further call goes on with the flush.
 *
 * Blocking: waits for room if necessary.
 *
 * @return 0; -EBUSY: there is a reservation; -EPIPE, -EAGAIN, -ETIMEDOUT or -ECANCELED.
 */
LEAT_API int leat_writer_flush(leat_writer *writer, int timeout_ms);

/**
 * Adds a filter behind those that the pipe has.
 *
 * The filter works on exactly the bytes that are written after the call. The bytes that were written before it leave
 * the other filters first, as leat_writer_flush moves them, and do not pass the new one. A write of another thread that
 * is in progress completes before the call, and one that waits begins behind it, so the cut never lies within a write.
 *
 * A filter that changes the bytes takes a chunk of the memory limit. A queue that was opened without filters counts
 * whole chunks from then on, and has up to two more than fit into its limit; struct leat_pipe_stats has the new limit.
 *
 * @param filter      The filter. After -EAGAIN and -ETIMEDOUT it remains the caller's, and the call may be repeated.
 *                    Otherwise it is taken, on failure too.
 * @param timeout_ms  How long the call may wait: for another call on the writer, and for room if a filter holds bytes
 *                    back.
 * @param ret_error   NULL, or where the call says in a sentence why it refused.
 *
 * Blocking: waits for another call on the writer, and for room if a filter holds bytes back.
 *
 * @return 0; or a negative errno, and the pipe goes on without the filter:
 *         - -EPIPE: the stream has ended or failed, or the reader has closed.
 *         - -EBUSY: there is a reservation, or the filter is in use.
 *         - -E2BIG: the pipe has 64 filters.
 *         - -EINVAL: the memory limit has no chunk for a filter that changes bytes; or `filter` is NULL.
 *         - -EOPNOTSUPP: the filter is a process of its own, or a buffer.
 *         - -ENOMEM, or what the start of the filter returned (-EIO for its -EAGAIN and -ETIMEDOUT).
 *         - -EAGAIN, -ETIMEDOUT or -ECANCELED.
 */
LEAT_API int leat_writer_filter(leat_writer *writer, leat_filter *filter, int timeout_ms, struct leat_error *ret_error);

/**
 * Ends the stream.
 *
 * The filters give their last bytes, and the reader sees the end after the last byte. A write that is in
 * progress on another thread completes first. A later write returns -EPIPE. A second call returns 0.
 *
 * If the time is up before the filters have given all their bytes, the end has begun, and writes return -EPIPE. The
 * reader works off what is left when it asks for it, and a further call goes on where this one was. If other code reads
 * the descriptor of a kernel pipe, only further calls work off the rest.
 *
 * @param timeout_ms  How long the call may wait: for a write in progress, and for room. 0 suits an event loop: the call
 *                    can go on when the descriptor of leat_writer_fd is readable; of a kernel pipe, when the pipe has
 *                    room.
 *
 * Blocking: waits for a write in progress, and for room if the filters need it.
 *
 * @return 0, also if a filter wanted no more bytes; -EPIPE: the stream failed, or the reader has closed; -EAGAIN or
 *         -ETIMEDOUT: the end is not complete; -ECANCELED.
 */
LEAT_API int leat_writer_finish(leat_writer *writer, int timeout_ms);

/**
 * Ends the stream with a failure.
 *
 * The reader gets the bytes that were written, and then the code. It gets the bytes that a filter holds back only if
 * there is room for them now. Calls of the writer that wait return -ECANCELED. After the end of the stream the call has
 * no effect.
 *
 * Only a leat_reader in this process gets the code. A process that reads the descriptor sees the end.
 *
 * @param code  A negative errno. For -EAGAIN the reader gets -EIO, because a read that returns -EAGAIN has not failed.
 *
 * Blocking: never waits for room.
 *
 * @return 0; -EINVAL: the code is not negative; -ECANCELED.
 */
LEAT_API int leat_writer_fail(leat_writer *writer, int code);

/* ---- reading ---- */

/**
 * Reads the bytes that are available, at least one.
 *
 * @param bytes       Where the bytes go; the caller's.
 * @param n           The room there, in bytes.
 * @param ret_n       How many bytes were read. If the call returns 0 and *ret_n is 0, the stream has ended.
 * @param timeout_ms  How long the call may wait for the first byte.
 *
 * Blocking: waits for the first byte.
 *
 * @return 0; -EAGAIN, -ETIMEDOUT or -ECANCELED; or the code that the stream failed with.
 */
LEAT_API int leat_reader_read(leat_reader *reader, void *bytes, size_t n, size_t *ret_n, int timeout_ms);

/**
 * Reads exactly n bytes, or fewer if the stream ends before.
 *
 * @param bytes       Where the bytes go; the caller's.
 * @param n           How many bytes to read.
 * @param ret_n       How many bytes were read. If the call returns 0 and *ret_n is less than n, the stream has ended.
 * @param timeout_ms  How long the call may wait for all of them.
 *
 * Blocking: waits for all n bytes.
 *
 * @return As leat_reader_read.
 */
LEAT_API int leat_reader_read_full(leat_reader *reader, void *bytes, size_t n, size_t *ret_n, int timeout_ms);

/**
 * Reads up to the next newline, and the newline.
 *
 * The call stores a NUL behind the last byte. If there is no newline before the NUL, the line is the last one, or it is
 * longer than capacity - 1 bytes. In the second case the next call reads the rest of the line. After a timeout the next
 * call continues the line.
 *
 * @param line        Where the line goes; the caller's.
 * @param capacity    The room there in bytes, with the NUL.
 * @param ret_n       How many bytes were read; the NUL is not counted. If the call returns 0 and *ret_n is 0, the
 *                    stream has ended.
 * @param timeout_ms  How long the call may wait for the newline.
 *
 * Blocking: waits for the newline.
 *
 * @return As leat_reader_read; -EINVAL: capacity is 1.
 */
LEAT_API int leat_reader_read_line(leat_reader *reader, char *line, size_t capacity, size_t *ret_n, int timeout_ms);

/**
 * Gives the next bytes in one piece, and does not consume them.
 *
 * @param ret_bytes   The bytes; they belong to the pipe, and stay there until they are consumed or read. Untouched on
 *                    failure.
 * @param ret_n       Their number, never NULL. If the call returns 0 and *ret_n is 0, the stream has ended. Untouched
 *                    on failure.
 * @param timeout_ms  How long the call may wait for the first byte.
 *
 * Blocking: waits for the first byte.
 *
 * @return As leat_reader_read.
 */
LEAT_API int leat_reader_peek(leat_reader *reader, const void **ret_bytes, size_t *ret_n, int timeout_ms);

/**
 * Consumes the first bytes of those that leat_reader_peek gave.
 *
 * @param n  How many bytes to consume.
 *
 * Blocking: does not block.
 *
 * @return 0; -EINVAL: leat_reader_peek gave fewer bytes; -EBUSY: another thread is in a call on this end; -ECANCELED.
 */
LEAT_API int leat_reader_consume(leat_reader *reader, size_t n);

/* ---- descriptors, numbers, the end ---- */

/**
 * Gives a descriptor to poll.
 *
 * The descriptor is borrowed. It is valid until the end is closed. The descriptor of a kernel pipe's writer is valid
 * only until the writer is finished.
 *
 * Kernel backend: the descriptor is the pipe itself. It may be given to other code, for instance to a child process.
 * From then on, the writer hands nothing over without a copy. The descriptor is non-blocking. A child that needs a
 * blocking descriptor clears O_NONBLOCK on its side of the pipe. The flag is shared with this process, so this process
 * should then close its own end.
 *
 * Queue: the descriptor is readable (POLLIN, for the writer too) while there may be bytes to read, or room to write. A
 * call that finds nothing clears it. If a filter paces, the descriptor also becomes readable when its time has come. A
 * thread of the pipe does this.
 *
 * @param ret_fd  The descriptor.
 *
 * Blocking: does not block.
 *
 * @return 0, or a negative errno:
 *         - -EBUSY: another thread is in a call on this end; or, for the kernel backend, there are bytes that only the
 *           library can reach: they were peeked at, are reserved, or were handed over without a copy and not read yet.
 *         - -EPIPE: the stream of the kernel pipe has ended (writer only).
 *         - -ENOMEM: the thread can't be started.
 *         - -ECANCELED.
 */
LEAT_API int leat_writer_fd(leat_writer *writer, int *ret_fd);

/** Gives a descriptor to poll for reading. All that leat_writer_fd says holds for it. */
LEAT_API int leat_reader_fd(leat_reader *reader, int *ret_fd);

/**
 * Gives numbers about the pipe. Both ends give the same numbers.
 *
 * All numbers are of a moment. While other threads use the pipe, they are not all of the same moment.
 *
 * @param ret_stats  The numbers; the caller sets `size`.
 *
 * @return 0; -EINVAL: `size` is not right.
 *
 * Threads: any.
 */
LEAT_API int leat_writer_stats(const leat_writer *writer, struct leat_pipe_stats *ret_stats);

/** Gives numbers about the pipe, as leat_writer_stats does. */
LEAT_API int leat_reader_stats(const leat_reader *reader, struct leat_pipe_stats *ret_stats);

/**
 * Says why the stream is broken: which filter failed, and a sentence.
 *
 * @param ret_reason  The reason; the caller sets `size`. Its strings are valid until this end is closed. `code` is 0 if
 *                    nothing failed. It is -EPIPE if the reader has closed, or if a filter wants no more bytes.
 *
 * @return 0; -EINVAL: `size` is not right.
 *
 * Threads: any.
 */
LEAT_API int leat_writer_error(const leat_writer *writer, struct leat_error *ret_reason);

/**
 * Says why the stream failed, as leat_writer_error does.
 *
 * @param ret_reason  The reason; the caller sets `size`. Its strings are valid until this end is closed. `code` is 0 if
 *                    the stream did not fail.
 */
LEAT_API int leat_reader_error(const leat_reader *reader, struct leat_error *ret_reason);

/**
 * Closes the writer and frees it. NULL is allowed.
 *
 * A call that is in progress on this end returns -ECANCELED first. If leat_writer_finish has returned 0, the reader
 * gets the end. A writer that was neither finished nor failed fails with -ECANCELED: the reader gets the bytes for
 * which there is room now, and then this code. So a program that leaves a function early never ends a stream as if it
 * were whole. If a descriptor of a kernel pipe was handed out, other processes may go on with the stream, and only what
 * is left in the filters for want of room makes the close a failure.
 *
 * Blocking: never waits for room or for the reader. leat_writer_finish is the call that waits, because it has a time
 * limit, and a result that a close has not.
 */
LEAT_API void leat_writer_close(leat_writer *writer);

/**
 * Closes the reader and frees it. NULL is allowed.
 *
 * A call that is in progress on this end returns -ECANCELED first. Afterwards the writer gets -EPIPE, and the bytes
 * that were not read are dropped.
 *
 * Blocking: never waits for the writer's bytes or for room.
 */
LEAT_API void leat_reader_close(leat_reader *reader);

/**
 * Makes the reader a source of a pipeline.
 *
 * The pipeline closes the reader at its end. It also closes the reader if the pipeline fails or is cancelled. A failure
 * of the pipe fails the pipeline. A kernel pipe without filters and without buffered bytes is spliced.
 *
 * @param ret_endpoint  The endpoint; leat_pipeline_source takes it.
 * @param reader        The reader; taken, on failure too.
 *
 * @return 0 or -ENOMEM.
 */
LEAT_API int leat_endpoint_from_reader(leat_endpoint **ret_endpoint, leat_reader *reader);

/**
 * Makes the writer a sink of a pipeline.
 *
 * The pipeline closes the writer at its end. If the pipeline fails or is cancelled, it fails the writer with its own
 * code, or with -EIO if only this sink failed. A failure of the pipe fails the pipeline. A kernel pipe without filters
 * and without buffered bytes is spliced.
 *
 * The pipeline fails with -EOPNOTSUPP if there are filters between the ends of a kernel pipe and the reader's
 * descriptor was handed out. Put the filters into the pipeline instead.
 *
 * @param ret_endpoint  The endpoint; leat_pipeline_sink takes it.
 * @param writer        The writer; taken, on failure too.
 *
 * @return 0 or -ENOMEM.
 */
LEAT_API int leat_endpoint_from_writer(leat_endpoint **ret_endpoint, leat_writer *writer);

#ifdef __cplusplus
}
#endif
#endif
