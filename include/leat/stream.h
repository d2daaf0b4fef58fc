/* leat/stream.h: bytes in, looked at, and taken out again, without copying them.
 *
 * A *stream* is a buffer between a writing side and a reading side. The writer is handed room in pooled chunks and says
 * how much of it it filled; the reader looks for what it needs and takes *views*, which keep the chunks alive. A stream
 * has no descriptor: a *connection* owns two streams and a descriptor, fills the one and flushes the other.
 *
 *     leat_stream_new(&stream, NULL, NULL);
 *     while (leat_stream_reserve(stream, 1, &room, &n) == 0 && (got = read(fd, room, n)) > 0) {
 *         leat_stream_commit(stream, got);
 *         while (leat_stream_take_line(stream, LEAT_STREAM_JOIN, &line) == 0) {
 *             use(line.data, line.length);
 *             leat_view_release(&line);
 *         }
 *     }
 *
 * A read never waits, and has three answers:
 *   not yet    -EAGAIN: ask again when more was committed
 *   bytes      0, and a view of them
 *   the end    0 and a view whose data is NULL and whose length is 0, each time after the last byte; or, each time, the
 *              code that was given to leat_stream_finish. An empty line is a view of length 0 whose data is not NULL.
 * What is too short at the end is -ENODATA, and is still there: leat_stream_take_at_most gives it.
 *
 * A search remembers where it stopped, so that asking again and again looks at each byte once.
 *
 * Bounds. With `pause_at` the writer hears -EAGAIN once so many bytes are unread, until only `resume_at` are. A reader
 * that needs more than that (it was told -EAGAIN though it has looked at everything) lets the writer go on, up to
 * `limit`; if not even that is enough, the reader hears -EMSGSIZE. So neither side ever waits for the other for good,
 * and no more than `limit` bytes are ever unread.
 *
 * Threads: one at a time on each side, and the two sides may be two threads; there are no locks. The writing side is
 * reserve, commit, append, finish, paused; the reading side is find, starts_with, peek, take, read, skip, wait; length,
 * ended and stats may be called from either. A thread may hand its side over to another one if something else orders
 * the two. In a build without NDEBUG two threads on one side, or a release callback that calls the stream, end in an
 * assertion. Views belong to whoever has them: any thread may use and release one, each its own. A pool serves any
 * thread. A connection is for one thread at a time, its two streams included.
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

/* Bytes that somebody holds, by value. They stay as they are until the view is released, whatever becomes of the
 * stream. Where they lie in several chunks `data` is NULL: use leat_view_iov, or leat_view_join. Up to LEAT_VIEW_SMALL
 * bytes are always one piece, and copied into one if need be. A view without an owner is *borrowed*, see
 * LEAT_STREAM_BORROW. {NULL, 0, NULL} is no view at all, and legal everywhere. */
struct leat_view {
    const void *data;
    size_t length;
    void *owner;
};

enum {
    LEAT_VIEW_SMALL = 1024
};

/* Lets go of the bytes and makes it {NULL, 0, NULL}. */
LEAT_API void leat_view_release(struct leat_view *view);

/* A second view of the same bytes. -EINVAL if it is a borrowed one. */
LEAT_API int leat_view_ref(const struct leat_view *view, struct leat_view *ret);

/* A view of a part of it, which may outlive it. -EINVAL: borrowed. -ERANGE: there is no such part. -ENOMEM. */
LEAT_API int leat_view_slice(const struct leat_view *view, size_t offset, size_t length, struct leat_view *ret);

/* Its pieces in order, at most `n` of them; *ret_n says how many there are, which may be more. For writev. */
LEAT_API int leat_view_iov(const struct leat_view *view, struct iovec *ret, size_t n, size_t *ret_n);

/* Makes it one piece, by copying if it is several. -ENOMEM: it is as it was. */
LEAT_API int leat_view_join(struct leat_view *view);

/* Copies up to n bytes from `offset` on, and returns how many. */
LEAT_API size_t leat_view_copy(const struct leat_view *view, size_t offset, void *ret, size_t n);

/* As memcmp; of two that begin alike the shorter is less. */
LEAT_API int leat_view_compare(const struct leat_view *a, const struct leat_view *b);
LEAT_API int leat_view_compare_bytes(const struct leat_view *view, const void *bytes, size_t n);

/* Where `needle` begins in it, not before `start`. -ENODATA: nowhere. -EINVAL: the needle is empty. -ENOMEM. */
LEAT_API int leat_view_find(const struct leat_view *view, const void *needle, size_t n, size_t start, size_t *ret);

/* ---- streams ---- */

typedef struct leat_stream leat_stream;

struct leat_stream_options {
    size_t size;
    uint64_t pause_at;  /* unread bytes at which the writer is paused; 0: never */
    uint64_t resume_at; /* and at which it may go on; 0: half of pause_at */
    uint64_t limit;     /* unread bytes that are never passed; 0: 16 times pause_at, or none if that is 0 */
    /* The first chunk's size. The next ones double when one commit filled all there was and that was half a chunk at
     * least, and halve when it was less than a quarter of it several times. 0: the pool's smallest. */
    uint64_t chunk_size;
    int32_t waits; /* not 0: the two sides are two threads that wait for each other. The calls that wait need it */
};

struct leat_stream_usage {
    size_t size;
    uint64_t bytes_in;       /* committed and appended */
    uint64_t bytes_out;      /* taken, read and skipped */
    uint64_t bytes_searched; /* looked at by searches */
    uint64_t bytes_copied;   /* to make views of one piece */
    uint64_t chunk_size;     /* of the next chunk */
};

/* `pool` NULL: the one of the process. The stream keeps it. -EINVAL: resume_at above pause_at, or that above limit. */
LEAT_API int leat_stream_new(leat_stream **ret, leat_pool *pool, const struct leat_stream_options *options);

/* Views stay valid. No thread may be in a call. NULL is allowed. */
LEAT_API void leat_stream_free(leat_stream *stream);

/* Room for at least `hint` bytes (0: one) in one piece, but never more than a chunk of the pool, or what `limit`
 * leaves, is promised. It stays until it is committed or the stream is finished. -EAGAIN: paused; -EBUSY: there is a
 * reservation already; -EPIPE: finished; -ENOMEM: the pool's limit is reached, or memory is. */
LEAT_API int leat_stream_reserve(leat_stream *stream, size_t hint, void **ret, size_t *ret_n);

/* The same, waiting while it is paused. timeout_ms: -1 waits, 0 does not. -EAGAIN if it is 0, -ETIMEDOUT
 * when a positive one has passed; -EOPNOTSUPP without `waits`. */
LEAT_API int leat_stream_reserve_wait(leat_stream *stream, size_t hint, void **ret, size_t *ret_n, int timeout_ms);

/* The first n bytes of the reservation are written; 0 gives it back. -EINVAL, and nothing has changed, if there is none
 * or it is smaller. */
LEAT_API int leat_stream_commit(leat_stream *stream, size_t n);

/* A copy of these bytes, all or none (of several pieces, too). -EAGAIN: paused, or more than `limit` leaves now;
 * -EMSGSIZE: more than `limit`, or than it leaves to a reader who can't go on without; -EBUSY, -EPIPE, -ENOMEM as
 * above. */
LEAT_API int leat_stream_append(leat_stream *stream, const void *bytes, size_t n);
LEAT_API int leat_stream_append_iov(leat_stream *stream, const struct iovec *pieces, size_t count);

/* The bytes themselves, which must stay as they are until `release` (may be NULL) is called: once, by the thread that
 * lets go of the last of them; after a failure never. It must not call the stream. Errors as above. */
LEAT_API int leat_stream_append_ref(leat_stream *stream, const void *bytes, size_t n,
                                    void (*release)(void *user, const void *bytes, size_t n), void *user);

/* The bytes of a view, which is kept as long as needed and remains the caller's. -EINVAL: a borrowed one. */
LEAT_API int leat_stream_append_view(leat_stream *stream, const struct leat_view *view);

/* No more will come: 0 is an end, a negative errno a failure that the reader gets after the last byte. A reservation is
 * given back. -EINVAL for a positive code; -EPIPE if it is finished already. */
LEAT_API int leat_stream_finish(leat_stream *stream, int code);

/* Unread bytes. */
LEAT_API size_t leat_stream_length(const leat_stream *stream);

/* 1 once it is finished, though bytes may be left; else 0. */
LEAT_API int leat_stream_ended(const leat_stream *stream);

/* 1 while reserve would say -EAGAIN. Of the writing side. */
LEAT_API int leat_stream_paused(leat_stream *stream);

enum leat_stream_flags {
    LEAT_STREAM_KEEP = 1 << 0, /* the view includes the separator, which is taken in any case */
    LEAT_STREAM_JOIN = 1 << 1, /* one piece, however long it is */
    LEAT_STREAM_REST = 1 << 2, /* at the end what is left without a separator counts, too */
    /* No reference is taken: the view is valid until the next call on the reading side, and releasing it does nothing.
     * Where the bytes lie in several chunks it is an ordinary view all the same, so release it in any case. */
    LEAT_STREAM_BORROW = 1 << 3,
};

/* Where `needle` first lies wholly within [start, end) of the unread bytes; end may be SIZE_MAX. -EAGAIN: not in there
 * so far; -ENODATA: not in there, and it can't come any more; -EMSGSIZE: not within `limit`; -EINVAL: it is empty, or
 * end is before start; -ENOMEM. The code of finish when all was read. */
LEAT_API int leat_stream_find(leat_stream *stream, const void *needle, size_t n, size_t start, size_t end, size_t *ret);

/* 1: the unread bytes begin so; 0: they don't; -EAGAIN: they do so far. The code of finish when all was read. */
LEAT_API int leat_stream_starts_with(leat_stream *stream, const void *bytes, size_t n);

/* Exactly n bytes, which stay where they are. -EAGAIN, -ENODATA, -EMSGSIZE (n is above `limit`), -ENOMEM. n == 0 gives
 * an empty view at once. */
LEAT_API int leat_stream_peek(leat_stream *stream, size_t n, struct leat_view *ret);

/* Exactly n bytes, which are consumed. Errors as those of peek, and then nothing is. */
LEAT_API int leat_stream_take(leat_stream *stream, size_t n, struct leat_view *ret);

/* What is there, at least one byte and at most n. */
LEAT_API int leat_stream_take_at_most(leat_stream *stream, size_t n, struct leat_view *ret);

/* The same in one piece and borrowed, not consumed: as much as lies together. For writing it on, or copying it out. */
LEAT_API int leat_stream_peek_piece(leat_stream *stream, struct leat_view *ret);

/* Up to the separator, of any length, which is consumed. `flags`: enum leat_stream_flags. -EAGAIN; -ENODATA: the end
 * came without one; -EMSGSIZE: none within `limit`; -EINVAL: an empty one; -ENOMEM. After a failure nothing is
 * consumed. */
LEAT_API int leat_stream_take_until(leat_stream *stream, const void *separator, size_t n, unsigned flags,
                                    struct leat_view *ret);

/* Up to a newline, without it and a carriage return before it (LEAT_STREAM_KEEP: with both). */
LEAT_API int leat_stream_take_line(leat_stream *stream, unsigned flags, struct leat_view *ret);

/* Copies out what is there, at most n bytes; 0 with *ret_n == 0 is the end. */
LEAT_API int leat_stream_read(leat_stream *stream, void *bytes, size_t n, size_t *ret_n);

/* Consumes exactly n bytes, or none. At the end -ENODATA, or the code of finish. */
LEAT_API int leat_stream_skip(leat_stream *stream, size_t n);

/* Waits until more than n bytes are unread, or the end. timeout_ms: -1 waits, 0 does not. -EAGAIN if
 * it is 0, -ETIMEDOUT when a positive one has passed; -EMSGSIZE: `limit` is n or less; -EOPNOTSUPP without `waits`. Of
 * the reading side. */
LEAT_API int leat_stream_wait(leat_stream *stream, size_t n, int timeout_ms);

/* Any thread; numbers of a moment. */
#ifdef __cplusplus
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow" /* it has the name of its struct, as stat(2) has */
#endif
LEAT_API int leat_stream_stats(const leat_stream *stream, struct leat_stream_usage *ret);
#ifdef __cplusplus
#pragma GCC diagnostic pop
#endif

/* ---- connections ---- */

/* A stream descriptor with two streams: what came in (input), and what is to go out (output). Two ways to use it, which
 * may be mixed:
 *
 *   blocking        leat_connection_read_line and its like, leat_connection_write
 *   an event loop   leat_connection_events says what to poll for; then leat_connection_fill and leat_connection_flush,
 *                   which never wait, and in between the streams' own functions on leat_connection_input and _output
 *
 * The descriptor's flags are never changed, blocking ones are never blocked on. */
typedef struct leat_connection leat_connection;

struct leat_connection_options {
    size_t size;
    leat_pool *pool;                         /* NULL: the one of the process */
    const struct leat_stream_options *input; /* NULL: pause_at 64 KiB, limit 1 MiB. `waits` is not used */
    const struct leat_stream_options *output;
    int32_t connect_timeout_ms; /* 0: 30 seconds; of one that listens: no limit. -1: no limit */
    int32_t timeout_ms;         /* of each call that waits; 0 or -1: no limit */
};

/* Connects to a spec of leat/endpoint.h that is a stream socket, tcp:HOST:PORT or unix:PATH, or waits for the peer of
 * one that listens; fd:N is borrowed. Blocks; a name look-up for longer than the time limit, maybe. -ETIMEDOUT,
 * -EPROTOTYPE (no stream socket), -EINVAL, or what connect(2) says; ret_error (may be NULL) says it in a sentence. */
LEAT_API int leat_connection_open(leat_connection **ret, const char *spec,
                                  const struct leat_connection_options *options, struct leat_error *ret_error);

/* A descriptor that is open already: a socket, as accept(2) gives one, a pipe, a terminal. With LEAT_TAKE it is closed,
 * on failure too. -EBADF; -EPROTOTYPE: a socket, but not of a stream. */
LEAT_API int leat_connection_from_fd(leat_connection **ret, int fd, enum leat_ownership ownership,
                                     const struct leat_connection_options *options);

/* Closes. Output that was not flushed is lost, and the peer of a TCP connection that leat made or took is told so by a
 * reset. NULL is allowed. */
LEAT_API void leat_connection_close(leat_connection *connection);

/* Borrowed; the connection writes into the one and reads from the other. */
LEAT_API leat_stream *leat_connection_input(leat_connection *connection);
LEAT_API leat_stream *leat_connection_output(leat_connection *connection);

/* What to wait for: the descriptor, and POLLIN or POLLOUT or both (0: nothing, the connection is done or the input is
 * full of unread bytes). To be asked again after each fill, flush, or use of the streams. */
LEAT_API int leat_connection_events(leat_connection *connection, int *ret_fd, short *ret_events);

/* Reads what is there into the input, by one call. 0, and *ret_n (may be NULL) bytes came: none at the end, which the
 * input now has. -EAGAIN: nothing there, or the input is paused. A failure is given to the input as its finish, and is
 * this function's answer too. -EPIPE after the end. */
LEAT_API int leat_connection_fill(leat_connection *connection, size_t *ret_n);

/* Writes what the output has. 0: it has nothing left; if it is finished, the writing direction is now shut down.
 * -EAGAIN: the peer must read first. A failure comes again each time. */
LEAT_API int leat_connection_flush(leat_connection *connection);

/* The blocking form: each fills until the answer is another one than -EAGAIN, and flushes what there is before it
 * waits. The answers are those of the stream's function; -ETIMEDOUT: no byte is lost, and the call may be repeated. */
LEAT_API int leat_connection_read(leat_connection *connection, void *bytes, size_t n, size_t *ret_n);
LEAT_API int leat_connection_read_exactly(leat_connection *connection, size_t n, struct leat_view *ret);
LEAT_API int leat_connection_read_until(leat_connection *connection, const void *separator, size_t n, unsigned flags,
                                        struct leat_view *ret);
LEAT_API int leat_connection_read_line(leat_connection *connection, unsigned flags, struct leat_view *ret);

/* Writes all of it, behind what the output has, without copying it; reads meanwhile what comes in, as far as the input
 * is not paused. *ret_n (may be NULL) is set on every way out: so much of it was written. -ETIMEDOUT; -EPIPE: the
 * output is finished, or the peer has gone (no SIGPIPE); -ECONNRESET and others: as the system says. */
LEAT_API int leat_connection_write(leat_connection *connection, const void *bytes, size_t n, size_t *ret_n);
LEAT_API int leat_connection_writev(leat_connection *connection, const struct iovec *pieces, size_t count,
                                    size_t *ret_n);

/* Half-close: flushes, and says the end to the peer; reading goes on. Once more: 0. */
LEAT_API int leat_connection_finish(leat_connection *connection);

/* From now on calls that wait end at this time, in milliseconds from now, or at that of timeout_ms if it is earlier;
 * -1: it is taken back; 0: no call waits, and what can't be done at once is -EAGAIN. */
LEAT_API int leat_connection_deadline(leat_connection *connection, int ms);

/* The peer, as a spec: "tcp:127.0.0.1:4711", "tcp:[::1]:4711", "unix:/path", "unix:" where it has no name, "fd:5" where
 * it is no socket. -ENOSPC: more than `capacity`. What getpeername(2) says. */
LEAT_API int leat_connection_peer(leat_connection *connection, char *ret, size_t capacity);

/* Borrowed. */
LEAT_API int leat_connection_fd(const leat_connection *connection);

#ifdef __cplusplus
}
#endif
#endif
