/* An object as a source.
 *
 * The transfer thread copies what comes into a stream, and the thread of the pipeline reads from it. The stream has a
 * bound: when it is full the transfer pauses, which stops the server, and reading resumes it. A connection that breaks
 * is made again from the byte where it broke, of the same version of the object: that needs an ETag.
 *
 * Between the two threads stand the stream, two flags and the lock. `sleeping`: the reader found nothing, and wants a
 * byte in the notice pipe. `paused`: the writer found no room, and wants transfer_resume. Either side sets its flag,
 * looks once more, and only then goes to rest; the other side acts on what it clears. What else is shared (`state`,
 * `length`, `failure`) is under the lock. */
#include "base/fd.h"
#include "base/origin.h"
#include "store/retry.h"
#include "store/status.h"
#include "store/store.h"
#include <errno.h>
#include <leat/stream.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#define WINDOW_BYTES (4u * 1024 * 1024) /* that may wait for the reader */
#define BODY_MAX     4096               /* of an answer that is a failure */

struct source {
    leat_endpoint endpoint;
    struct object *object;
    bool user; /* of the transfer thread */
    unsigned origin;
    struct transfer *transfer;
    leat_stream *stream;
    int notice[2];
    atomic_bool sleeping, paused;
    bool broken; /* of the pipeline's thread: a read has failed */

    /* Of the transfer thread. */
    struct retry retry;
    uint64_t received;   /* bytes that are in the stream, or were */
    uint64_t total;      /* bytes of the object; 0: unknown */
    char etag[ETAG_MAX]; /* of the version that is being read; "": unknown */
    bool is_failure;     /* this answer is one; its body explains it */
    char body[BODY_MAX];
    size_t body_length;
    int status;

    pthread_mutex_t lock;
    enum {
        SOURCE_ASKED,    /* no answer yet */
        SOURCE_ANSWERED, /* with the object */
        SOURCE_FAILED,   /* before that */
    } state;
    bool has_length;
    uint64_t length;
    struct leat_error failure;
};

/* ---- on the transfer thread ---- */

static void wake_reader(struct source *s)
{
    if (atomic_exchange(&s->sleeping, false)) {
        ssize_t n = write(s->notice[1], "", 1);
        (void)n; /* a full pipe says it as well */
    }
}

static void fail(struct source *s, int code, const char *operation, const char *sentence)
{
    pthread_mutex_lock(&s->lock);
    error_at(&s->failure, code, LEAT_SIDE_SOURCE, s->endpoint.node.name, operation, "%s", sentence);
    if (s->state == SOURCE_ASKED)
        s->state = SOURCE_FAILED; /* else a read tells, behind the last byte that came */
    pthread_mutex_unlock(&s->lock);
    leat_stream_finish(s->stream, code);
    wake_reader(s);
}

/* Is this the part of the object that was asked for, and of the same version? */
static const char *check_answer(const struct source *s, const struct answer *answer)
{
    if (!s->received && answer->status != 200)
        return "the server sent a part that nobody asked for";
    if (s->received && answer->status != 206)
        return "the server does not continue where the connection broke";
    if (s->received && (!answer->has_range || answer->range_first != s->received))
        return "the server sent another range than it was asked for";
    if (s->received && s->total && answer->range_total != s->total)
        return "the object has another size than before";
    if (s->received && strcmp(answer->etag, s->etag) != 0)
        return "the object was replaced while it was read";
    return NULL;
}

static void source_answered(void *user, const struct answer *answer)
{
    struct source *s = user;
    s->status = answer->status;
    s->body_length = 0;
    s->is_failure = answer->status != 200 && answer->status != 206;
    if (s->is_failure) {
        retry_after(&s->retry, answer->retry_after_s);
        return;
    }
    const char *wrong = check_answer(s, answer);
    if (wrong) {
        s->is_failure = true;
        fail(s, -ESTALE, "GET", wrong);
        return;
    }
    if (s->received) {
        s->total = answer->range_total;
        return;
    }
    bool has_length = answer->has_length && !answer->is_chunked;
    s->total = has_length ? answer->length : 0;
    snprintf(s->etag, sizeof(s->etag), "%s", answer->etag);
    pthread_mutex_lock(&s->lock);
    s->has_length = has_length;
    s->length = s->total;
    s->state = SOURCE_ANSWERED;
    pthread_mutex_unlock(&s->lock);
    wake_reader(s);
}

static bool keep_explanation(struct source *s, const void *bytes, size_t n)
{
    n = MIN(n, sizeof(s->body) - s->body_length);
    memcpy(s->body + s->body_length, bytes, n);
    s->body_length += n;
    return true;
}

static bool source_body(void *user, const void *bytes, size_t n)
{
    struct source *s = user;
    if (s->is_failure)
        return keep_explanation(s, bytes, n);
    int r = leat_stream_append(s->stream, bytes, n);
    if (r == -EAGAIN || r == -ENOMEM) { /* the pool may have memory again when the reader has read */
        atomic_store(&s->paused, true);
        r = leat_stream_append(s->stream, bytes, n);
        if (r == -ENOMEM && leat_stream_length(s->stream) == 0) { /* no reader will resume it */
            fail(s, -ENOMEM, "GET", "out of memory");
            return true;
        }
        if (r < 0)
            return r != -EAGAIN && r != -ENOMEM; /* finished: what comes is dropped */
        atomic_store(&s->paused, false);
    }
    if (r == 0) {
        s->received += n;
        retry_progress(&s->retry);
        wake_reader(s);
    }
    return true;
}

static void fail_by_status(struct source *s)
{
    char sentence[STATUS_MAX];
    status_explain(s->object->store, s->status, s->body, s->body_length, sentence);
    fail(s, status_code(s->status), "GET", sentence);
}

/* The request that goes on where the last one ended. */
static int ask_again(struct source *s, int64_t delay_ms)
{
    struct http_request request = {0};
    int r = s->object->store->read(s->object, s->received, s->etag, &request);
    if (r == 0)
        r = transfer_again(s->transfer, &request, delay_ms);
    request_clear(&request);
    return r;
}

static bool may_continue(const struct source *s)
{
    return s->received == 0 || s->etag[0];
}

/* An answer that ends before the object does is a broken connection, though the connection may be whole. */
static bool is_short(const struct source *s, int code)
{
    return code == 0 && !s->is_failure && s->total && s->received < s->total;
}

static void source_ended(void *user, int code, const char *why)
{
    struct source *s = user;
    bool by_status = s->is_failure, over = s->failure.code != 0;
    if (is_short(s, code)) {
        code = -ECONNRESET;
        why = "the server sent less than the object has";
    }
    bool again = by_status ? retry_is_status(s->status) : code < 0 && retry_is_code(code, s->status != 0);
    int64_t delay_ms = again && !over && may_continue(s) ? retry_delay_ms(&s->retry) : -1;
    s->is_failure = false; /* of the next attempt nothing is known */
    retry_after(&s->retry, -1);
    int r = delay_ms >= 0 ? ask_again(s, delay_ms) : -EIO;
    if (r == 0 || over)
        return;
    if (by_status)
        fail_by_status(s);
    else if (code < 0)
        fail(s, code, "GET", why);
    else {
        leat_stream_finish(s->stream, 0);
        wake_reader(s);
    }
}

static const struct transfer_ops transfer_ops = {
    .answered = source_answered,
    .body = source_body,
    .ended = source_ended,
};

/* ---- on the thread of the pipeline ---- */

static int start(struct source *s, struct leat_error *error)
{
    const char *why = NULL;
    struct http_request request = {0};
    struct leat_stream_options window = {.size = sizeof(window), .pause_at = WINDOW_BYTES, .limit = WINDOW_BYTES};
    int r = transfers_get(&why);
    s->user = r == 0;
    s->origin = origin_here();
    if (r == 0)
        r = fd_pipe(s->notice);
    if (r == 0)
        r = leat_stream_open(&s->stream, NULL, &window);
    if (r == 0)
        r = s->object->store->read(s->object, 0, "", &request);
    if (r == 0) {
        atomic_store(&s->sleeping, true);
        port_init(&s->endpoint.node.port, s->notice[0], POLLIN);
        r = transfer_start(&s->transfer, &request, &transfer_ops, s);
    }
    request_clear(&request);
    return r < 0 ? endpoint_error(&s->endpoint.node, error, r, "GET", why) : 0;
}

static void drop_notices(struct source *s)
{
    char bytes[64];
    while (read(s->notice[0], bytes, sizeof(bytes)) > 0)
        ;
}

static ssize_t source_read(void *user, void *bytes, size_t n)
{
    struct source *s = user;
    size_t done = 0;
    drop_notices(s);
    int r = leat_stream_read(s->stream, bytes, n, &done);
    if (r == -EAGAIN) {
        atomic_store(&s->sleeping, true);
        r = leat_stream_read(s->stream, bytes, n, &done);
    }
    if (atomic_load(&s->paused) && leat_stream_length(s->stream) <= WINDOW_BYTES / 2 &&
        atomic_exchange(&s->paused, false))
        transfer_resume(s->transfer);
    s->broken = r < 0 && r != -EAGAIN;
    return r < 0 ? r : (ssize_t)done;
}

/* No answer yet: 0 if the time that is allowed without a byte is over. */
static int wait_for_answer(struct source *s, struct leat_error *error)
{
    struct node *node = &s->endpoint.node;
    int64_t now = clock_ns();
    if (node->idle_ns && !node->deadline_ns)
        node->deadline_ns = now + node->idle_ns;
    if (node->deadline_ns && now >= node->deadline_ns) {
        error_advise(error, LEAT_ADVICE_IDLE_TIMEOUT);
        return endpoint_error(node, error, -ETIMEDOUT, "GET", "no answer in the time that is allowed");
    }
    node->port.blocked = true;
    return -EAGAIN;
}

/* The object's answer decides whether it can be read at all; until then no sink is opened. */
static int source_open(struct node *node, const struct node *source UNUSED, struct leat_error *error)
{
    struct source *s = (struct source *)node;
    int r = s->transfer ? 0 : start(s, error);
    if (r < 0)
        return r;
    drop_notices(s);
    atomic_store(&s->sleeping, true);
    pthread_mutex_lock(&s->lock);
    if (s->state == SOURCE_ASKED)
        r = wait_for_answer(s, error);
    else if (s->state == SOURCE_FAILED) {
        *error = s->failure;
        r = error->code;
    } else {
        node->deadline_ns = 0;
        node->has_size = s->has_length;
        node->size = s->length;
    }
    pthread_mutex_unlock(&s->lock);
    node->call = source_read;
    node->call_user = s;
    return r;
}

/* The cause of a broken read is known here. What the transfer met behind the last byte that was read does not count. */
static int source_settle(struct node *node, int code, struct leat_error *error)
{
    struct source *s = (struct source *)node;
    pthread_mutex_lock(&s->lock);
    int r = s->broken || code < 0 ? s->failure.code : 0;
    if (r < 0)
        *error = s->failure;
    pthread_mutex_unlock(&s->lock);
    return r;
}

static void source_close(struct node *node)
{
    struct source *s = (struct source *)node;
    transfer_free(s->transfer);
    s->transfer = NULL;
    if (s->user && origin_is_here(s->origin))
        transfers_put();
    s->user = false;
    leat_stream_free(s->stream);
    s->stream = NULL;
    s->notice[0] = fd_close(s->notice[0]);
    s->notice[1] = fd_close(s->notice[1]);
    node->port.fd = -1;
}

static void source_free(leat_endpoint *endpoint)
{
    struct source *s = (struct source *)endpoint;
    s->object->store->free(s->object);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static const struct node_ops source_ops = {
    .name = "store",
    .open = source_open,
    .settle = source_settle,
    .close = source_close,
};

int store_source(leat_endpoint **ret, const char *spec, struct object *object,
                 const struct leat_endpoint_options *options, struct leat_error *error)
{
    struct source *s = calloc(1, sizeof(*s));
    if (!s || endpoint_init(&s->endpoint, &source_ops, spec, LEAT_READ, source_free) < 0) {
        free(s);
        object->store->free(object);
        return error_set(error, -ENOMEM, "out of memory");
    }
    pthread_mutex_init(&s->lock, NULL);
    s->object = object;
    s->notice[0] = s->notice[1] = -1;
    s->failure.size = sizeof(s->failure);
    s->endpoint.node.kind = NODE_CALL;
    s->endpoint.node.wait = NODE_WAIT_OWN;
    retry_init(&s->retry, options->retries);
    *ret = &s->endpoint;
    return 0;
}
