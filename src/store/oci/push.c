/* SPDX-License-Identifier: MIT */
/* Bytes are collected in one piece while the piece before it is sent. After each piece, and after a failure, the
 * registry reports how many bytes it has (Range), and the missing bytes of the piece are sent again. Nothing is
 * assumed, because registries append whatever they get. The last piece is sent with the request that ends the upload,
 * when the run commits. Everything belongs to the pipeline's thread; the transfer thread only writes into the notice
 * pipe. */
#include "store/oci/push.h"
#include "base/error.h"
#include "store/client.h"
#include "store/http_settings.h"
#include "store/oci/ask.h"
#include "store/oci/repository.h"
#include "store/status.h"
#include <errno.h>
#include <stdio.h>

#define PIECE_BYTES (4u * 1024 * 1024)
#define WAIT_NS     (INT64_C(600) * 1000000000) /* for the end of an upload, when registries move large blobs */
#define ABORT_NS    (INT64_C(2) * 1000000000)   /* twice at most */
#define REPEATS_MAX 8                           /* of a piece, without a byte of progress */

struct push {
    leat_endpoint endpoint;
    struct session *repository;
    char digest[OCI_DIGEST_MAX];
    int32_t retries;
    struct client client;

    unsigned char *piece[2];
    size_t length[2];
    unsigned filling;    /* the piece that takes bytes; the other one is sent, if it has any */
    uint64_t base;       /* offset of the piece that is sent */
    size_t acknowledged; /* bytes of it that the registry has */
    unsigned repeats;

    char location[LOCATION_MAX]; /* of the upload; "": none */
    enum {
        STEP_NONE,
        STEP_BEGIN, /* an upload is requested */
        STEP_SEND,  /* a piece is in flight */
        STEP_ASK,   /* asks how much the registry has */
        STEP_END,   /* the request that ends the upload is in flight */
    } step;
    struct http_settings *settings;
    struct exchange exchange;
    struct question question;
    struct leat_error failure;
    struct node_traffic traffic;
};

/* ---- requests ---- */

static void push_fail(struct push *p, int code, const char *operation, const char *sentence)
{
    if (p->failure.code == 0)
        error_at(&p->failure, code, LEAT_SIDE_SINK, p->endpoint.node.name, operation, "%s", sentence);
}

/* -ESTALE: the registry no longer knows the upload, so everything must be sent again. It can happen after each lost
 * answer, because the lost answer had the new location of the upload. */
static int refusal(const struct push *p, char *ret, size_t capacity)
{
    int code = registry_refusal(&p->exchange, ret, capacity);
    return p->question.is_location && p->exchange.code == 0 && p->exchange.answer.status == 404 ? -ESTALE : code;
}

static void fail_by_answer(struct push *p)
{
    char sentence[STATUS_MAX];
    int code = refusal(p, sentence, sizeof(sentence));
    push_fail(p, code, p->question.method, sentence);
}

static int make(void *user, struct http_request *ret)
{
    return question_request(&((const struct push *)user)->question, ret);
}

static void wake(void *user)
{
    client_notify(&((const struct push *)user)->client);
}

static void start(struct push *p, int step, struct question question, int32_t retries)
{
    bool reached = p->exchange.reached;
    exchange_count(&p->exchange, &p->traffic);
    p->exchange = (struct exchange){.make = make, .wake = wake, .user = p, .settings = p->settings, .reached = reached};
    question.repository = p->repository;
    p->question = question;
    p->step = step;
    int r = exchange_start(&p->exchange, retries);
    if (r < 0) {
        p->step = STEP_NONE;
        push_fail(p, r, question.method, r == -ENOMEM ? "out of memory" : "the request can't be made");
    }
}

/* Sends the bytes of the piece that the registry lacks. The request is never repeated unchanged, because the registry
 * may have appended a part of it. */
static void send_piece(struct push *p)
{
    unsigned at = 1 - p->filling;
    start(p, STEP_SEND,
          (struct question){.method = "PATCH",
                            .path = p->location,
                            .is_location = true,
                            .body = p->piece[at] + p->acknowledged,
                            .length = p->length[at] - p->acknowledged,
                            .type = "application/octet-stream",
                            .first = p->base + p->acknowledged},
          -1);
}

static void ask(struct push *p)
{
    start(p, STEP_ASK,
          (struct question){.method = "GET", .path = p->location, .is_location = true, .first = UINT64_MAX},
          p->retries);
}

/* ---- answers ---- */

static bool is_sending(const struct push *p)
{
    return p->length[1 - p->filling] > 0;
}

static void take_location(struct push *p)
{
    if (p->exchange.answer.location[0])
        memcpy(p->location, p->exchange.answer.location, sizeof(p->location));
}

/* Takes the registry's report of how many bytes it has. "0-0" may also mean none. */
static void take_offset(struct push *p)
{
    const struct answer *answer = &p->exchange.answer;
    unsigned at = 1 - p->filling;
    uint64_t has = answer->uploaded_last ? answer->uploaded_last + 1 : 0;
    if (has == 0 && p->base + p->length[at] == 1)
        has = 1; /* one byte and no byte look the same; the digest decides in the end */
    take_location(p);
    if (has < p->base || has > p->base + p->length[at]) {
        push_fail(p, has < p->base ? -ESTALE : -EIO, "PATCH", "the registry has lost or invented bytes of the upload");
        return;
    }
    size_t before = p->acknowledged;
    p->acknowledged = (size_t)(has - p->base);
    p->repeats = p->acknowledged > before ? 0 : p->repeats + 1;
    if (p->acknowledged == p->length[at]) {
        traffic_add_part(&p->traffic, p->length[at]);
        p->base += p->length[at];
        p->length[at] = p->acknowledged = 0;
    } else if (p->repeats > REPEATS_MAX)
        push_fail(p, -EIO, "PATCH", "the registry does not take what it is sent");
    else
        send_piece(p);
}

static void piece_ended(struct push *p)
{
    const struct exchange *x = &p->exchange;
    if (exchange_has_succeeded(x) && x->answer.has_uploaded)
        take_offset(p);
    else if (exchange_has_succeeded(x)) {
        take_location(p);
        ask(p);
    } else if (x->code < 0 ? retry_is_code(x->code, true)
                           : retry_is_status(x->answer.status) || x->answer.status == 416) {
        if (++p->repeats > REPEATS_MAX)
            fail_by_answer(p);
        else
            ask(p);
    } else
        fail_by_answer(p);
}

static void begin_ended(struct push *p)
{
    take_location(p);
    if (p->exchange.code < 0 || p->exchange.answer.status != 202 || !p->location[0])
        fail_by_answer(p);
}

/* Takes the results of requests that have ended, and starts those that can be started. */
static void advance(struct push *p)
{
    int step = p->step;
    if (step != STEP_NONE && step != STEP_END && !p->failure.code && exchange_is_over(&p->exchange)) {
        p->step = STEP_NONE;
        if (step == STEP_BEGIN)
            begin_ended(p);
        else if (step == STEP_SEND)
            piece_ended(p);
        else if (exchange_has_succeeded(&p->exchange) && p->exchange.answer.has_uploaded)
            take_offset(p);
        else
            fail_by_answer(p);
    }
    if (p->step == STEP_NONE && !p->failure.code && !is_sending(p) && p->length[p->filling] == PIECE_BYTES) {
        p->filling = 1 - p->filling;
        send_piece(p);
    }
}

/* ---- the node ---- */

static int prepare(struct push *p, struct leat_error *error)
{
    const char *why = NULL;
    struct node *node = &p->endpoint.node;
    int r = client_open(&p->client, node, &why);
    for (size_t i = 0; i < 2 && r == 0; i++)
        r = (p->piece[i] = malloc(PIECE_BYTES)) ? 0 : -ENOMEM;
    if (r < 0)
        return endpoint_error(node, error, r, "POST", why);
    start(p, STEP_BEGIN, (struct question){.method = "POST", .path = "blobs/uploads/", .first = UINT64_MAX},
          p->retries);
    return 0;
}

static ssize_t push_write(void *user, void *bytes, size_t n)
{
    struct push *p = user;
    size_t done = 0;
    client_drop_notices(&p->client);
    advance(p);
    while (done < n && p->length[p->filling] < PIECE_BYTES && !p->failure.code) {
        size_t *length = &p->length[p->filling], part = MIN(n - done, PIECE_BYTES - *length);
        memcpy(p->piece[p->filling] + *length, (const char *)bytes + done, part);
        *length += part;
        done += part;
        if (*length == PIECE_BYTES && done < n) /* the last piece is sent with the request that ends the upload */
            advance(p);
    }
    return p->failure.code ? p->failure.code : done || !n ? (ssize_t)done : -EAGAIN;
}

static int push_open(struct node *node, const struct node *source UNUSED, struct leat_error *error)
{
    struct push *p = (struct push *)node;
    int r = p->client.open ? 0 : prepare(p, error);
    if (r < 0)
        return r;
    client_drop_notices(&p->client);
    advance(p);
    if (p->step == STEP_BEGIN && !p->failure.code && client_wait_later(node, &p->failure, p->question.method) < 0)
        return -EAGAIN;
    node->deadline_ns = 0;
    node->call = push_write;
    node->call_user = p;
    return error_hand_on(error, &p->failure);
}

static int push_settle(struct node *node, int code, struct leat_error *error)
{
    struct push *p = (struct push *)node;
    if (!p->client.open)
        return 0;
    client_drop_notices(&p->client);
    if (code == 0) {
        advance(p);
        if (!p->failure.code && p->step != STEP_NONE && client_wait_later(node, &p->failure, p->question.method) < 0)
            return -EAGAIN;
    }
    node->deadline_ns = 0;
    return error_hand_on(error, &p->failure);
}

static bool wait_for_end(struct push *p, int64_t limit_ns)
{
    int64_t end = clock_ns() + limit_ns;
    do {
        client_drop_notices(&p->client);
        if (exchange_is_over(&p->exchange))
            return true;
    } while (client_wait(&p->client, end));
    exchange_stop(&p->exchange); /* the buffer of its request may be freed soon */
    return false;
}

/* The answer to the end of the upload was lost: does the blob exist? */
static bool is_there(struct push *p)
{
    char path[OCI_DIGEST_MAX + 8];
    snprintf(path, sizeof(path), "blobs/%s", p->digest);
    start(p, STEP_END, (struct question){.method = "HEAD", .path = path, .first = UINT64_MAX}, p->retries);
    return !p->failure.code && wait_for_end(p, WAIT_NS) && exchange_has_succeeded(&p->exchange);
}

static int push_commit(struct node *node, struct leat_error *error)
{
    struct push *p = (struct push *)node;
    char query[OCI_DIGEST_MAX + 8];
    size_t length = p->length[p->filling];
    snprintf(query, sizeof(query), "digest=%s", p->digest);
    start(p, STEP_END,
          (struct question){.method = "PUT",
                            .path = p->location,
                            .is_location = true,
                            .body = p->piece[p->filling],
                            .length = length,
                            .type = "application/octet-stream",
                            .first = length && p->base ? p->base : UINT64_MAX,
                            .query = query},
          -1);
    if (!p->failure.code && !wait_for_end(p, node->idle_ns ? node->idle_ns : WAIT_NS))
        push_fail(p, -ETIMEDOUT, "PUT", "no answer in the time that is allowed");
    if (!p->failure.code && !exchange_has_succeeded(&p->exchange)) {
        char sentence[STATUS_MAX];
        int code = refusal(p, sentence, sizeof(sentence));
        bool lost = p->exchange.code < 0 || retry_is_status(p->exchange.answer.status);
        if (strstr(sentence, "DIGEST_INVALID"))
            push_fail(p, -EBADMSG, "verify", sentence);
        else if (!lost || !is_there(p))
            push_fail(p, code, "PUT", sentence);
    }
    exchange_count(&p->exchange, &p->traffic);
    if (!p->failure.code) {
        p->location[0] = '\0'; /* the upload has become the blob */
        if (length)
            traffic_add_part(&p->traffic, length);
        p->traffic.bytes_again = p->traffic.bytes - MIN(p->traffic.bytes, p->base + length);
    }
    return error_hand_on(error, &p->failure);
}

/* Aborts the upload. A registry forgets it after some days in any case. It can be aborted only while its location is
 * known, which changes with each piece. */
static void push_abort(struct node *node, int code UNUSED, uint64_t delivered UNUSED)
{
    struct push *p = (struct push *)node;
    if (!client_is_here(&p->client) || !p->location[0] || repository_is_silent(p->repository))
        return;
    if (p->step == STEP_SEND && wait_for_end(p, ABORT_NS))
        take_location(p);
    start(p, STEP_END,
          (struct question){.method = "DELETE", .path = p->location, .is_location = true, .first = UINT64_MAX}, -1);
    if (!wait_for_end(p, ABORT_NS))
        repository_note_silence(p->repository);
    exchange_count(&p->exchange, &p->traffic);
    p->location[0] = '\0';
}

static void push_close(struct node *node)
{
    struct push *p = (struct push *)node;
    exchange_count(&p->exchange, &p->traffic); /* also of a request that failed */
    client_close(&p->client, &node->port);
    for (size_t i = 0; i < 2; i++) {
        free(p->piece[i]);
        p->piece[i] = NULL;
    }
}

static void push_free(leat_endpoint *endpoint)
{
    struct push *p = (struct push *)endpoint;
    http_settings_unref(p->settings);
    session_unref(p->repository);
    free(p);
}

static const struct node_ops push_ops = {
    .name = "oci",
    .open = push_open,
    .settle = push_settle,
    .commit = push_commit,
    .abort = push_abort,
    .close = push_close,
};

int oci_sink(leat_endpoint **ret, const char *spec, struct session *repository, const char *digest,
             const struct leat_endpoint_options *options, struct leat_error *error)
{
    struct push *p = calloc(1, sizeof(*p));
    int r = p ? http_settings_new(&p->settings, options, error) : -ENOMEM;
    if (r < 0) {
        free(p);
        return r == -ENOMEM ? error_set(error, r, "out of memory") : r;
    }
    if (endpoint_init(&p->endpoint, &push_ops, spec, LEAT_WRITE, push_free) < 0) {
        http_settings_unref(p->settings);
        free(p);
        return error_set(error, -ENOMEM, "out of memory");
    }
    p->repository = session_ref(repository);
    snprintf(p->digest, sizeof(p->digest), "%s", digest);
    p->retries = options->retries;
    p->client = CLIENT_CLOSED;
    p->failure.size = sizeof(p->failure);
    p->endpoint.node.kind = NODE_CALL;
    p->endpoint.node.wait = NODE_WAIT_OWN;
    p->traffic = (struct node_traffic){
        .route = "put", .connections = 1, .connections_max = 1, .part_size = PIECE_BYTES, .memory = 2 * PIECE_BYTES};
    p->endpoint.node.traffic = &p->traffic;
    *ret = &p->endpoint;
    return 0;
}
