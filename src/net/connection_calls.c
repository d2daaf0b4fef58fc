/* SPDX-License-Identifier: MIT */
/* The blocking calls of a connection: each asks the stream, and fills and flushes until there is an answer. */
#include "net/connection.h"
#include <errno.h>
#include <poll.h>

/* ---- until when ---- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a == 0 || (b && b < a) ? b : a;
}

/* The deadline of a call that begins now. */
static int64_t end_of_call(const leat_connection *c)
{
    return earlier(c->timeout_ns ? clock_ns() + c->timeout_ns : 0, c->deadline_ns);
}

int leat_connection_deadline(leat_connection *c, int ms)
{
    c->deadline_ns = ms < 0 ? 0 : ms == 0 ? CONNECTION_AT_ONCE : clock_ns() + (int64_t)ms * 1000000;
    return 0;
}

/* ---- reading, and waiting for it ---- */

struct connection_request {
    int (*ask)(leat_stream *stream, struct connection_request *request);
    void *bytes;
    const void *separator;
    size_t n;
    size_t *ret_n;
    unsigned flags;
    struct leat_view *ret;
};

/* One step towards the answer. A failure to write does not end it: a peer that accepts no more bytes may still have
 * sent some. */
static int fill_and_flush(leat_connection *c, int64_t until_ns)
{
    leat_connection_flush(c);
    int r = leat_connection_fill(c, NULL);
    if (r == -EAGAIN)
        r = connection_wait(c->fd, connection_wants(c), until_ns);
    return leat_stream_ended(c->input) ? 0 : r;
}

static int answer(leat_connection *c, struct connection_request *request)
{
    int64_t until_ns = end_of_call(c);
    for (;;) {
        int r = request->ask(c->input, request);
        if (r != -EAGAIN)
            return r;
        r = fill_and_flush(c, until_ns);
        if (r < 0)
            return r;
    }
}

static int ask_read(leat_stream *stream, struct connection_request *q)
{
    return leat_stream_read(stream, q->bytes, q->n, q->ret_n);
}

static int ask_exactly(leat_stream *stream, struct connection_request *q)
{
    return leat_stream_take(stream, q->n, q->ret);
}

static int ask_until(leat_stream *stream, struct connection_request *q)
{
    return leat_stream_take_until(stream, q->separator, q->n, q->flags, q->ret);
}

static int ask_line(leat_stream *stream, struct connection_request *q)
{
    return leat_stream_take_line(stream, q->flags, q->ret);
}

int leat_connection_read(leat_connection *c, void *bytes, size_t n, size_t *ret_n)
{
    return answer(c, &(struct connection_request){.ask = ask_read, .bytes = bytes, .n = n, .ret_n = ret_n});
}

int leat_connection_read_exactly(leat_connection *c, size_t n, struct leat_view *ret_view)
{
    return answer(c, &(struct connection_request){.ask = ask_exactly, .n = n, .ret = ret_view});
}

int leat_connection_read_until(leat_connection *c, const void *separator, size_t n, unsigned flags,
                               struct leat_view *ret_view)
{
    return answer(c, &(struct connection_request){
                         .ask = ask_until, .separator = separator, .n = n, .flags = flags, .ret = ret_view});
}

int leat_connection_read_line(leat_connection *c, unsigned flags, struct leat_view *ret_view)
{
    return answer(c, &(struct connection_request){.ask = ask_line, .flags = flags, .ret = ret_view});
}

/* ---- writing, and waiting for it ---- */

/* The peer has to read. It may wait for us to read, too, so bytes that come are read. */
static int wait_to_write(leat_connection *c, int64_t until_ns)
{
    int r = connection_wait(c->fd, (short)(connection_wants(c) | POLLOUT), until_ns);
    if (r > 0 && r & POLLIN)
        leat_connection_fill(c, NULL);
    return MIN(r, 0);
}

static int flush_all(leat_connection *c, int64_t until_ns)
{
    int r;
    while ((r = leat_connection_flush(c)) == -EAGAIN)
        if ((r = wait_to_write(c, until_ns)) < 0)
            return r;
    return r;
}

/* The pieces from byte `done` on, at most CONNECTION_PIECES of them. */
static int window(struct iovec *to, const struct iovec *pieces, size_t count, size_t done)
{
    int n = 0;
    for (size_t i = 0; i < count && n < CONNECTION_PIECES; i++) {
        if (done >= pieces[i].iov_len) {
            done -= pieces[i].iov_len;
            continue;
        }
        to[n].iov_base = (uint8_t *)pieces[i].iov_base + done;
        to[n++].iov_len = pieces[i].iov_len - done;
        done = 0;
    }
    return n;
}

int leat_connection_writev(leat_connection *c, const struct iovec *pieces, size_t count, size_t *ret_n)
{
    struct iovec iov[CONNECTION_PIECES];
    size_t done = 0;
    int64_t until_ns = end_of_call(c);
    int n, r = leat_stream_ended(c->output) ? -EPIPE : flush_all(c, until_ns);
    while (r == 0 && (n = window(iov, pieces, count, done)) > 0) {
        ssize_t written = connection_put(c, iov, n);
        if (written >= 0)
            done += (size_t)written;
        else
            r = written == -EAGAIN ? wait_to_write(c, until_ns) : (int)written;
    }
    if (ret_n)
        *ret_n = done;
    return r;
}

int leat_connection_write(leat_connection *c, const void *bytes, size_t n, size_t *ret_n)
{
    struct iovec piece = iov_of(bytes, n);
    return leat_connection_writev(c, &piece, 1, ret_n);
}

int leat_connection_finish(leat_connection *c)
{
    if (!leat_stream_ended(c->output))
        leat_stream_finish(c->output, 0);
    return flush_all(c, end_of_call(c));
}
