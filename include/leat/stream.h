/* SPDX-License-Identifier: MIT */
/** @file leat/stream.h
 * Streams: bytes go in, are looked at, and are taken out again, without being copied. Connections over them.
 *
 * A *stream* is a buffer between a writing side and a reading side. The writing side reserves room in chunks of a pool,
 * fills it, and commits what it has filled. The reading side looks for what it needs and takes *views*. A view keeps
 * the chunks of its bytes alive. A stream has no descriptor. A *connection* owns two streams and a descriptor: it fills
 * one stream and flushes the other.
 *
 * @code
 *     leat_stream_new(&stream, NULL, NULL, NULL);
 *     while (leat_stream_reserve(stream, 1, &room, &n) == 0 && (got = read(fd, room, n)) > 0) {
 *         leat_stream_commit(stream, got);
 *         while (leat_stream_take_line(stream, LEAT_STREAM_JOIN, &line) == 0) {
 *             use(line.data, line.length);
 *             leat_view_release(&line);
 *         }
 *     }
 * @endcode
 *
 * Results of a read
 * -----------------
 * A read of a stream never waits. It has three results:
 *   - Not yet: -EAGAIN. Ask again when more bytes were committed.
 *   - Bytes: 0, and a view of the bytes. An empty line is a view of length 0 whose data is not NULL.
 *   - The end: 0, and a view whose data is NULL and whose length is 0; or the code that was given to
 *     leat_stream_finish. Every read after the last byte returns this.
 *
 * If the stream ends and fewer bytes are left than a read needs, the read returns -ENODATA. The bytes are still there,
 * and leat_stream_take_at_most takes them.
 *
 * A search remembers where it stopped. If it is repeated, it looks at each byte only once.
 *
 * Backpressure
 * ------------
 * When `pause_at` bytes are unread, the writing side gets -EAGAIN, until only `resume_at` bytes are unread. If the
 * reading side needs more than that (it has looked at all unread bytes and got -EAGAIN), the writing side may go on up
 * to `limit`. If `limit` bytes are not enough either, the reading side gets -EMSGSIZE. So the two sides never wait for
 * each other for ever, and no more than `limit` bytes are ever unread.
 *
 * Threads
 * -------
 *   - Each side is for one thread at a time. The two sides may be two threads. There are no locks.
 *   - The writing side: reserve, commit, append, finish, paused. The reading side: find, starts_with, peek, take, read,
 *     skip, wait. Either side: length, ended, stats.
 *   - A thread may hand its side over to another thread if something else orders the two.
 *   - In a build without NDEBUG, an assertion fails if two threads are in calls of one side, or if a release callback
 *     calls the stream.
 *   - A view belongs to its holder. Any thread may use and release a view, each thread its own.
 *   - A pool serves any thread.
 *   - A connection, with its two streams, is for one thread at a time.
 *
 * Blocking: a call does not block, unless its declaration says so.
 */
#ifndef LEAT_STREAM_H
#define LEAT_STREAM_H

#include <leat/base.h>
#include <leat/endpoint.h>
#include <leat/pool.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- views ---- */

/**
 * Bytes that the holder of the view keeps; passed by value.
 *
 * The bytes do not change until the view is released, whatever happens to the stream. {NULL, 0, NULL} is no view at
 * all, and is allowed everywhere. The layout of the struct is fixed.
 */
struct leat_view {
    const void *data; /**< The bytes, or NULL if they lie in several chunks: use leat_view_iov or leat_view_join. */
    size_t length;    /**< Their number. Up to LEAT_VIEW_SMALL bytes are always one piece, copied if necessary. */
    void *owner;      /**< What keeps the bytes. NULL: the view is *borrowed*, see LEAT_STREAM_BORROW. */
};

enum {
    LEAT_VIEW_SMALL = 1024 /**< A view of up to this many bytes is always one piece. */
};

/**
 * Releases the bytes, and sets the view to {NULL, 0, NULL}.
 *
 * @param view  The view. NULL is not allowed.
 */
LEAT_API void leat_view_release(struct leat_view *view);

/**
 * Makes a second view of the same bytes.
 *
 * @param ret_view  The second view; release it with leat_view_release.
 *
 * @return 0; -EINVAL: the view is borrowed.
 */
LEAT_API int leat_view_ref(const struct leat_view *view, struct leat_view *ret_view);

/**
 * Makes a view of a part of the bytes.
 *
 * @param offset    Where the part begins, in bytes.
 * @param length    The length of the part in bytes.
 * @param ret_view  The part; release it with leat_view_release. It may outlive the view.
 *
 * @return 0; -EINVAL: the view is borrowed; -ERANGE: the view has no such part; -ENOMEM.
 */
LEAT_API int leat_view_slice(const struct leat_view *view, size_t offset, size_t length, struct leat_view *ret_view);

/**
 * Gives the pieces of a view in order, as writev(2) takes them.
 *
 * @param pieces  Where the pieces go; the caller's. They are valid as long as the view.
 * @param n       How many pieces fit there.
 * @param ret_n   How many pieces the view has, which may be more than n.
 *
 * @return 0.
 */
LEAT_API int leat_view_iov(const struct leat_view *view, struct iovec *pieces, size_t n, size_t *ret_n);

/**
 * Makes the view one piece. If it has several pieces, the bytes are copied.
 *
 * @return 0; -ENOMEM: the view is unchanged.
 */
LEAT_API int leat_view_join(struct leat_view *view);

/**
 * Copies bytes out of a view.
 *
 * @param offset  Where in the view to begin, in bytes.
 * @param bytes   Where the bytes go; the caller's.
 * @param n       The most bytes to copy.
 *
 * @return The number of bytes copied.
 */
LEAT_API size_t leat_view_copy(const struct leat_view *view, size_t offset, void *bytes, size_t n);

/**
 * Compares two views.
 *
 * @return As memcmp(3). If one view is the beginning of the other, the shorter view is less.
 */
LEAT_API int leat_view_compare(const struct leat_view *a, const struct leat_view *b);

/** Compares a view with n bytes, as leat_view_compare does. */
LEAT_API int leat_view_compare_bytes(const struct leat_view *view, const void *bytes, size_t n);

/**
 * Finds bytes in a view.
 *
 * @param needle  The bytes to find.
 * @param n       Their number.
 * @param start   Where in the view to begin, in bytes.
 * @param ret_at  Where in the view the first match begins, at `start` or behind it.
 *
 * @return 0; -ENODATA: there is no match; -EINVAL: the needle is empty; -ENOMEM.
 */
LEAT_API int leat_view_find(const struct leat_view *view, const void *needle, size_t n, size_t start, size_t *ret_at);

/* ---- streams ---- */

/** A stream. */
typedef struct leat_stream leat_stream;

/** Options of a stream. */
struct leat_stream_options {
    size_t size;        /**< sizeof(struct leat_stream_options); LEAT_INIT sets it. */
    uint64_t pause_at;  /**< With this many unread bytes, the writing side is paused. 0: it is never paused. */
    uint64_t resume_at; /**< With this many unread bytes, it may go on; less than pause_at. 0: half of pause_at. */
    uint64_t limit;     /**< There are never more unread bytes than this. 0: 16 times pause_at, or no limit if pause_at
                           is 0. */
    /**
     * The size of the first chunk in bytes. 0: the smallest chunk of the pool.
     *
     * The size of the next chunks doubles when one commit fills all of the room that was offered and this is at least
     * half a chunk, or when an append needs a new chunk. It halves when several commits in a row fill less than a
     * quarter of the room that was offered.
     */
    uint64_t chunk_size;
    int32_t waits; /**< Not 0: the two sides are two threads that wait for each other. leat_stream_reserve_wait and
                      leat_stream_wait need it. */
};

/** Numbers about a stream. */
struct leat_stream_usage {
    size_t size;             /**< sizeof(struct leat_stream_usage); the caller sets it. */
    uint64_t bytes_in;       /**< Bytes that were committed and appended. */
    uint64_t bytes_out;      /**< Bytes that were taken, read and skipped. */
    uint64_t bytes_searched; /**< Bytes that searches looked at. */
    uint64_t bytes_copied;   /**< Bytes that were copied to make views of one piece. */
    uint64_t chunk_size;     /**< The size of the next chunk. */
};

/**
 * Makes a stream.
 *
 * @param ret_stream  The stream; free it with leat_stream_free.
 * @param pool        Where the chunks come from; NULL: the pool of the process. The stream keeps a reference.
 * @param options     The options; NULL: the defaults.
 * @param ret_error   NULL, or where the call says in a sentence why it failed; with -EINVAL, which option is wrong and
 *                    what is allowed.
 *
 * @return 0; -EINVAL: resume_at is not less than pause_at, or pause_at is above limit; -ENOMEM.
 */
LEAT_API int leat_stream_new(leat_stream **ret_stream, leat_pool *pool, const struct leat_stream_options *options,
                             struct leat_error *ret_error);

/**
 * Frees a stream. NULL is allowed. Views of its bytes stay valid.
 *
 * Threads: no thread may be in a call on the stream.
 */
LEAT_API void leat_stream_free(leat_stream *stream);

/**
 * Reserves room to write into, in one piece.
 *
 * The room is valid until it is committed or the stream is finished.
 *
 * @param hint      How many bytes are wanted at least; 0: one. The call may give less than this only if it is more than
 *                  a chunk of the pool, or more than `limit` leaves.
 * @param ret_room  The room; it belongs to the stream.
 * @param ret_n     The size of the room in bytes.
 *
 * @return 0; -EAGAIN: the writing side is paused; -EBUSY: there is a reservation already; -EPIPE: the stream is
 *         finished; -ENOMEM: the limit of the pool is reached, or there is no memory.
 */
LEAT_API int leat_stream_reserve(leat_stream *stream, size_t hint, void **ret_room, size_t *ret_n);

/**
 * Reserves room as leat_stream_reserve does, and waits while the writing side is paused.
 *
 * @param timeout_ms  How long to wait, in milliseconds: -1 waits without a limit, 0 does not wait.
 *
 * Blocking: waits until the reading side has read enough, up to timeout_ms.
 *
 * @return As leat_stream_reserve; -EAGAIN: timeout_ms is 0; -ETIMEDOUT: timeout_ms has passed; -EOPNOTSUPP: the stream
 *         was made without `waits`.
 */
LEAT_API int leat_stream_reserve_wait(leat_stream *stream, size_t hint, void **ret_room, size_t *ret_n, int timeout_ms);

/**
 * Writes the first bytes of the reservation, and ends the reservation.
 *
 * @param n  How many bytes of the room the caller has filled; 0 gives the reservation back.
 *
 * @return 0; -EINVAL: there is no reservation, or it is smaller than n. Nothing has changed then.
 */
LEAT_API int leat_stream_commit(leat_stream *stream, size_t n);

/**
 * Appends a copy of bytes: all of them, or none.
 *
 * @param bytes  The bytes; borrowed for the call.
 * @param n      Their number.
 *
 * @return 0, or a negative errno:
 *         - -EAGAIN: the writing side is paused, or n is more than `limit` leaves now.
 *         - -EMSGSIZE: n is more than `limit`, or more than `limit` leaves and the reading side can't go on without
 *           more bytes.
 *         - -EBUSY, -EPIPE, -ENOMEM: as leat_stream_reserve.
 */
LEAT_API int leat_stream_append(leat_stream *stream, const void *bytes, size_t n);

/**
 * Appends a copy of the bytes of several pieces: all of them, or none.
 *
 * @param pieces  The pieces; borrowed for the call.
 * @param count   How many pieces there are.
 *
 * @return As leat_stream_append.
 */
LEAT_API int leat_stream_append_iov(leat_stream *stream, const struct iovec *pieces, size_t count);

/**
 * Appends bytes without copying them: all of them, or none.
 *
 * The bytes must not change until `release` is called. It is called once, by the thread that releases the last of the
 * bytes. It must not call the stream. If leat_stream_append_ref fails, `release` is never called.
 *
 * @param bytes    The bytes; borrowed until `release` is called.
 * @param n        Their number.
 * @param release  Tells that the bytes are not used any more; may be NULL.
 * @param user     The first argument of `release`.
 *
 * @return As leat_stream_append.
 */
LEAT_API int leat_stream_append_ref(leat_stream *stream, const void *bytes, size_t n,
                                    void (*release)(void *user, const void *bytes, size_t n), void *user);

/**
 * Appends the bytes of a view without copying them: all of them, or none.
 *
 * @param view  The view; it remains the caller's. The stream keeps the bytes as long as it needs them.
 *
 * @return As leat_stream_append; -EINVAL: the view is borrowed.
 */
LEAT_API int leat_stream_append_view(leat_stream *stream, const struct leat_view *view);

/**
 * Ends the stream: no more bytes will come. A reservation is given back.
 *
 * @param code  0: an ordinary end. A negative errno: a failure, which the reading side gets after the last byte.
 *
 * @return 0; -EINVAL: the code is positive; -EPIPE: the stream is already finished.
 */
LEAT_API int leat_stream_finish(leat_stream *stream, int code);

/** Returns the number of unread bytes. */
LEAT_API size_t leat_stream_length(const leat_stream *stream);

/** Returns 1 if the stream is finished, even if there are unread bytes; otherwise 0. */
LEAT_API int leat_stream_ended(const leat_stream *stream);

/** Returns 1 if leat_stream_reserve would return -EAGAIN; otherwise 0. */
LEAT_API int leat_stream_paused(leat_stream *stream);

/** Flags of leat_stream_take_until and leat_stream_take_line. */
enum leat_stream_flags {
    LEAT_STREAM_KEEP = 1 << 0, /**< The view includes the separator. The separator is consumed in any case. */
    LEAT_STREAM_JOIN = 1 << 1, /**< The view is one piece, however long it is. */
    LEAT_STREAM_REST = 1 << 2, /**< At the end of the stream, the bytes that are left without a separator count too. */
    /**
     * The view takes no reference. It is valid until the next call on the reading side, and releasing it has no effect.
     * If the bytes lie in several chunks the view is an ordinary one, so release the view in any case.
     */
    LEAT_STREAM_BORROW = 1 << 3,
};

/**
 * Finds bytes in the unread bytes. The first match that lies wholly within [start, end) counts.
 *
 * @param needle  The bytes to find.
 * @param n       Their number.
 * @param start   Where in the unread bytes to begin.
 * @param end     Where in the unread bytes to stop; may be SIZE_MAX.
 * @param ret_at  Where in the unread bytes the match begins.
 *
 * @return 0, or a negative errno:
 *         - -EAGAIN: there is no match so far.
 *         - -ENODATA: there is no match, and none can come.
 *         - -EMSGSIZE: there is no match within `limit`.
 *         - -EINVAL: the needle is empty, or end is less than start.
 *         - -ENOMEM.
 *         - The code of leat_stream_finish, when all bytes were read.
 */
LEAT_API int leat_stream_find(leat_stream *stream, const void *needle, size_t n, size_t start, size_t end,
                              size_t *ret_at);

/**
 * Compares the first unread bytes with a prefix.
 *
 * @param bytes  The prefix.
 * @param n      Its length in bytes.
 *
 * @return 1: the unread bytes start with the prefix. 0: they do not. -EAGAIN: fewer bytes than the prefix are unread,
 *         and all of them match. -EMSGSIZE: the same, and the prefix is longer than `limit`. When all bytes were read:
 *         the code of leat_stream_finish.
 */
LEAT_API int leat_stream_starts_with(leat_stream *stream, const void *bytes, size_t n);

/**
 * Gives a view of exactly n bytes, and does not consume them.
 *
 * @param n         How many bytes; 0 gives an empty view at once.
 * @param ret_view  The view; release it with leat_view_release.
 *
 * @return 0: a view of the bytes, or the end; -EAGAIN; -ENODATA; -EMSGSIZE: n is above `limit`; -ENOMEM; or the code of
 *         leat_stream_finish.
 */
LEAT_API int leat_stream_peek(leat_stream *stream, size_t n, struct leat_view *ret_view);

/**
 * Takes exactly n bytes: gives a view of them, and consumes them.
 *
 * @param n         How many bytes; 0 gives an empty view at once.
 * @param ret_view  The view; release it with leat_view_release.
 *
 * @return As leat_stream_peek. After a failure nothing is consumed.
 */
LEAT_API int leat_stream_take(leat_stream *stream, size_t n, struct leat_view *ret_view);

/**
 * Takes the bytes that are unread, at least one and at most n.
 *
 * @param n         The most bytes to take.
 * @param ret_view  The view; release it with leat_view_release.
 *
 * @return 0: a view of the bytes, or the end; -EAGAIN; -ENOMEM; or the code of leat_stream_finish.
 */
LEAT_API int leat_stream_take_at_most(leat_stream *stream, size_t n, struct leat_view *ret_view);

/**
 * Gives a borrowed view of the first unread bytes that lie in one piece, and does not consume them.
 *
 * The view serves to write the bytes to a descriptor, or to copy them.
 *
 * @param ret_view  The view, as with LEAT_STREAM_BORROW.
 *
 * @return As leat_stream_take_at_most.
 */
LEAT_API int leat_stream_peek_piece(leat_stream *stream, struct leat_view *ret_view);

/**
 * Takes the bytes up to a separator. The separator is consumed too.
 *
 * @param separator  The separator.
 * @param n          Its length in bytes, any number from 1 on.
 * @param flags      Values of enum leat_stream_flags, or 0.
 * @param ret_view   The view; release it with leat_view_release.
 *
 * @return 0: a view of the bytes, or the end; or a negative errno, and nothing is consumed:
 *         - -EAGAIN: there is no separator so far.
 *         - -ENODATA: the stream ends without a separator.
 *         - -EMSGSIZE: there is no separator within `limit`.
 *         - -EINVAL: the separator is empty.
 *         - -ENOMEM.
 *         - The code of leat_stream_finish, when all bytes were read.
 */
LEAT_API int leat_stream_take_until(leat_stream *stream, const void *separator, size_t n, unsigned flags,
                                    struct leat_view *ret_view);

/**
 * Takes a line: the bytes up to a newline, as leat_stream_take_until does.
 *
 * The view has neither the newline nor a carriage return before it. With LEAT_STREAM_KEEP it has both.
 *
 * @param flags     Values of enum leat_stream_flags, or 0.
 * @param ret_view  The view; release it with leat_view_release.
 *
 * @return As leat_stream_take_until.
 */
LEAT_API int leat_stream_take_line(leat_stream *stream, unsigned flags, struct leat_view *ret_view);

/**
 * Copies the unread bytes out, at most n of them, and consumes them.
 *
 * @param bytes  Where the bytes go; the caller's.
 * @param n      The room there, in bytes.
 * @param ret_n  How many bytes were copied. If the call returns 0 and *ret_n is 0, the stream has ended.
 *
 * @return 0; -EAGAIN; or the code of leat_stream_finish.
 */
LEAT_API int leat_stream_read(leat_stream *stream, void *bytes, size_t n, size_t *ret_n);

/**
 * Consumes exactly n bytes, or none.
 *
 * @return 0; -EAGAIN; -EMSGSIZE: n is above `limit`. At the end: -ENODATA, or the code of leat_stream_finish.
 */
LEAT_API int leat_stream_skip(leat_stream *stream, size_t n);

/**
 * Waits until more than n bytes are unread, or the stream is finished.
 *
 * @param n           The number of bytes.
 * @param timeout_ms  How long to wait, in milliseconds: -1 waits without a limit, 0 does not wait.
 *
 * Blocking: waits for the writing side, up to timeout_ms.
 *
 * @return 0; -EAGAIN: timeout_ms is 0; -ETIMEDOUT: timeout_ms has passed; -EMSGSIZE: `limit` is n or less; -EOPNOTSUPP:
 *         the stream was made without `waits`.
 */
LEAT_API int leat_stream_wait(leat_stream *stream, size_t n, int timeout_ms);

/**
 * Gives numbers about the stream, as they are at this moment.
 *
 * @param ret_usage  The numbers; the caller sets `size`.
 *
 * @return 0; -EINVAL: `size` is not right.
 *
 * Threads: any.
 */
LEAT_API int leat_stream_stats(const leat_stream *stream, struct leat_stream_usage *ret_usage);

/* ---- connections ---- */

/**
 * A stream descriptor with two streams: the input has the bytes that came in, the output the bytes that are to go out.
 *
 * There are two ways to use a connection. They may be mixed.
 *   - Blocking calls: leat_connection_read_line and the other reads, and leat_connection_write.
 *   - An event loop: leat_connection_events says what to poll for. leat_connection_fill and leat_connection_flush never
 *     wait. In between, the program calls the functions of streams on leat_connection_input and leat_connection_output.
 *
 * The flags of the descriptor are never changed. If the descriptor is a blocking one, no call blocks on it.
 */
typedef struct leat_connection leat_connection;

/** Options of a connection. */
struct leat_connection_options {
    size_t size;                              /**< sizeof(struct leat_connection_options); LEAT_INIT sets it. */
    leat_pool *pool;                          /**< Where the memory comes from; NULL: the pool of the process. */
    const struct leat_stream_options *input;  /**< Options of the input; NULL: pause_at 64 KiB and limit 1 MiB. `waits`
                                                 is not used. */
    const struct leat_stream_options *output; /**< Options of the output, as for the input. */
    int32_t connect_timeout_ms; /**< How long leat_connection_open may take, in milliseconds. 0: 30 seconds, or no limit
                                   for a spec that listens. -1: no limit. */
    int32_t timeout_ms;         /**< How long each call that waits may take, in milliseconds. 0 or -1: no limit. */
};

/**
 * Connects to a spec, or waits for the peer of a spec that listens.
 *
 * @param ret_connection  The connection; close it with leat_connection_close.
 * @param spec            A spec of leat/endpoint.h that is a stream socket, such as tcp:HOST:PORT or unix:PATH. The
 *                        descriptor of fd:N is borrowed.
 * @param options         The options; NULL: the defaults.
 * @param ret_error       The failure in a sentence; may be NULL.
 *
 * Blocking: waits for the peer, up to connect_timeout_ms. The look-up of a name may take longer than that.
 *
 * @return 0; -ETIMEDOUT; -EPROTOTYPE: the spec is no stream socket; -EINVAL; or what connect(2) said.
 */
LEAT_API int leat_connection_open(leat_connection **ret_connection, const char *spec,
                                  const struct leat_connection_options *options, struct leat_error *ret_error);

/**
 * Makes a connection of a descriptor that is open: a socket, for instance of accept(2), a pipe, or a terminal.
 *
 * @param ret_connection  The connection; close it with leat_connection_close.
 * @param fd              The descriptor.
 * @param ownership       LEAT_TAKE: the connection closes the descriptor, on failure too.
 * @param options         The options; NULL: the defaults.
 * @param ret_error       NULL, or where the call says in a sentence why it failed; with -EINVAL, which argument or
 *                        option is wrong and what is allowed.
 *
 * @return 0; -EBADF: the descriptor is not open; -EPROTOTYPE: it is a socket, but no stream socket; -EINVAL; -ENOMEM.
 */
LEAT_API int leat_connection_from_fd(leat_connection **ret_connection, int fd, enum leat_ownership ownership,
                                     const struct leat_connection_options *options, struct leat_error *ret_error);

/**
 * Closes a connection. NULL is allowed.
 *
 * Output that was not flushed is lost. Then a reset tells this to the peer of a TCP connection that leat made or took.
 */
LEAT_API void leat_connection_close(leat_connection *connection);

/** Returns the input; borrowed. The connection writes into it. */
LEAT_API leat_stream *leat_connection_input(leat_connection *connection);

/** Returns the output; borrowed. The connection reads from it. */
LEAT_API leat_stream *leat_connection_output(leat_connection *connection);

/**
 * Says what to poll for. Ask again after each fill, each flush, and each use of the streams.
 *
 * @param ret_fd      The descriptor; borrowed.
 * @param ret_events  POLLIN, POLLOUT, or both. 0: there is nothing to poll for, because the connection is done or the
 *                    input is full of unread bytes.
 *
 * @return 0.
 */
LEAT_API int leat_connection_events(leat_connection *connection, int *ret_fd, short *ret_events);

/**
 * Reads the bytes that the descriptor has into the input, by one system call.
 *
 * At the end, the call finishes the input. If the read fails, the call finishes the input with the code, and returns
 * the code.
 *
 * @param ret_n  How many bytes came; 0: the end. May be NULL.
 *
 * @return 0; -EAGAIN: there are no bytes, or the input is paused; -EPIPE: the input is finished; or what the system
 *         said.
 */
LEAT_API int leat_connection_fill(leat_connection *connection, size_t *ret_n);

/**
 * Writes the bytes of the output to the descriptor.
 *
 * @return 0: the output is empty. If it is finished, the writing direction is shut down now. -EAGAIN: the peer must
 *         read first. Another code: a failure, which every later flush returns again.
 */
LEAT_API int leat_connection_flush(leat_connection *connection);

/**
 * Reads the bytes that are there, at least one, as leat_stream_read does.
 *
 * leat_connection_read, leat_connection_read_exactly, leat_connection_read_until and leat_connection_read_line ask the
 * stream until its answer is not -EAGAIN. Meanwhile they fill the input. Before they wait, they flush the output.
 *
 * @param bytes  Where the bytes go; the caller's.
 * @param n      The room there, in bytes.
 * @param ret_n  How many bytes were read. If the call returns 0 and *ret_n is 0, the stream has ended.
 *
 * Blocking: waits for the peer, up to timeout_ms of the options and up to the deadline.
 *
 * @return As leat_stream_read. -ETIMEDOUT: no byte is lost, and the call may be repeated. -EAGAIN: the deadline is 0.
 */
LEAT_API int leat_connection_read(leat_connection *connection, void *bytes, size_t n, size_t *ret_n);

/**
 * Reads exactly n bytes, as leat_stream_take does.
 *
 * @param n         How many bytes.
 * @param ret_view  The view; release it with leat_view_release.
 *
 * Blocking: as leat_connection_read.
 *
 * @return As leat_stream_take; -ETIMEDOUT and -EAGAIN as leat_connection_read.
 */
LEAT_API int leat_connection_read_exactly(leat_connection *connection, size_t n, struct leat_view *ret_view);

/**
 * Reads the bytes up to a separator, as leat_stream_take_until does.
 *
 * @param separator  The separator.
 * @param n          Its length in bytes.
 * @param flags      Values of enum leat_stream_flags, or 0.
 * @param ret_view   The view; release it with leat_view_release.
 *
 * Blocking: as leat_connection_read.
 *
 * @return As leat_stream_take_until; -ETIMEDOUT and -EAGAIN as leat_connection_read.
 */
LEAT_API int leat_connection_read_until(leat_connection *connection, const void *separator, size_t n, unsigned flags,
                                        struct leat_view *ret_view);

/**
 * Reads a line, as leat_stream_take_line does.
 *
 * @param flags     Values of enum leat_stream_flags, or 0.
 * @param ret_view  The view; release it with leat_view_release.
 *
 * Blocking: as leat_connection_read.
 *
 * @return As leat_stream_take_line; -ETIMEDOUT and -EAGAIN as leat_connection_read.
 */
LEAT_API int leat_connection_read_line(leat_connection *connection, unsigned flags, struct leat_view *ret_view);

/**
 * Writes all bytes, after the bytes of the output, without copying them.
 *
 * While the call waits it reads the bytes that come in, as long as the input is not paused.
 *
 * @param bytes  The bytes; borrowed for the call.
 * @param n      Their number.
 * @param ret_n  How many bytes were written; may be NULL. It is set on success and on failure.
 *
 * Blocking: waits for the peer, up to timeout_ms of the options and up to the deadline.
 *
 * @return 0; -ETIMEDOUT; -EAGAIN: the deadline is 0; -EPIPE: the output is finished, or the peer has gone (there is no
 *         SIGPIPE); -ECONNRESET and others: what the system said.
 */
LEAT_API int leat_connection_write(leat_connection *connection, const void *bytes, size_t n, size_t *ret_n);

/**
 * Writes the bytes of several pieces, as leat_connection_write does.
 *
 * @param pieces  The pieces; borrowed for the call.
 * @param count   How many pieces there are.
 * @param ret_n   How many bytes were written; may be NULL. It is set on success and on failure.
 */
LEAT_API int leat_connection_writev(leat_connection *connection, const struct iovec *pieces, size_t count,
                                    size_t *ret_n);

/**
 * Closes one direction: flushes the output, and tells the peer the end. Reading goes on. A second call returns 0.
 *
 * Blocking: as leat_connection_write.
 *
 * @return 0; -ETIMEDOUT; -EAGAIN: the deadline is 0; or what the system said.
 */
LEAT_API int leat_connection_finish(leat_connection *connection);

/**
 * Sets the deadline of all later calls that wait. A call ends at the deadline, or after timeout_ms of the options if
 * that is earlier.
 *
 * @param ms  The deadline in milliseconds from now. -1: no deadline. 0: no call waits, and a call returns -EAGAIN if it
 *            would have to wait.
 *
 * @return 0.
 */
LEAT_API int leat_connection_deadline(leat_connection *connection, int ms);

/**
 * Gives the peer as a spec: "tcp:127.0.0.1:4711", "tcp:[::1]:4711", "unix:/path", "unix:" if the peer has no name, or
 * "fd:5" if the descriptor is no socket.
 *
 * @param spec      Where the spec goes, with a NUL; the caller's.
 * @param capacity  The room there, in bytes.
 *
 * @return 0; -ENOSPC: the spec needs more than `capacity`; or what getpeername(2) said.
 */
LEAT_API int leat_connection_peer(leat_connection *connection, char *spec, size_t capacity);

/** Returns the descriptor; borrowed. */
LEAT_API int leat_connection_fd(const leat_connection *connection);

#ifdef __cplusplus
}
#endif
#endif
