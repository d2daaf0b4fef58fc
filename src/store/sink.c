/* SPDX-License-Identifier: MIT */
/* A sink that is an object. The bytes are collected in parts and hashed. If everything fits into one part, a single
 * request puts the object: everything but the last byte is sent while the run settles, and the last byte when it
 * commits. So nothing is visible before everything was verified. Otherwise parts are sent while others are filled
 * (multipart.c), and the commit makes the object from them. Requests run on the transfer thread. Each request that is
 * over writes a byte into the notice pipe, which is the node's port. The sink empties the pipe before it looks at the
 * exchanges, never after. */
#include "store/sink.h"
#include "base/error.h"
#include "base/platform.h"
#include "store/status.h"
#include <errno.h>
#include <stdio.h>

#define PART_BYTES   (8u * 1024 * 1024)
#define WHOLE_OBJECT INT64_MAX

/* ---- failures ---- */

void sink_fail(struct sink *s, int code, const char *operation, const char *sentence)
{
    if (s->failure.code == 0)
        error_at(&s->failure, code, LEAT_SIDE_SINK, s->endpoint.node.name, operation, "%s", sentence);
}

void sink_fail_by(struct sink *s, const struct exchange *x, const char *operation)
{
    char sentence[STATUS_MAX];
    if (x->code < 0) {
        error_advise(&s->failure, x->advice);
        sink_fail(s, x->code, operation, x->why);
        return;
    }
    if (x->answer.status == 412 && s->no_clobber) {
        error_advise(&s->failure, LEAT_ADVICE_REPLACE);
        sink_fail(s, -EEXIST, operation, "The object exists already");
        return;
    }
    status_explain(s->object, x->answer.status, x->body, x->body_length, sentence);
    sink_fail(s, status_code(x->answer.status), operation, sentence);
}

bool sink_is_late(struct sink *s)
{
    if (!s->deadline_ns || clock_ns() < s->deadline_ns)
        return false;
    sink_fail(s, -ETIMEDOUT, "PUT", EXCHANGE_TOO_LONG);
    return true;
}

/* ---- opening ---- */

static int start(struct sink *s, struct leat_error *error)
{
    const char *why = NULL;
    struct node *node = &s->endpoint.node;
    s->deadline_ns = s->total_ns ? clock_ns() + s->total_ns : 0;
    int r = client_open(&s->client, node, &why);
    if (r == 0)
        r = libcrypto_need(&why);
    if (r < 0)
        return endpoint_error(node, error, r, "PUT", why);
    if (s->no_clobber)
        look_start(s);
    return 0;
}

static ssize_t sink_write(void *user, void *bytes, size_t n);

static int sink_open(struct node *node, const struct node *source, struct leat_error *error)
{
    struct sink *s = (struct sink *)node;
    s->source = node->verbatim && source->kind == NODE_FILE && source->has_size && source->size ? source : NULL;
    int r = s->client.open ? 0 : start(s, error);
    if (r < 0)
        return r;
    client_drop_notices(&s->client);
    if (s->control_step == CONTROL_LOOKING && exchange_is_over(&s->control))
        look_take(s);
    if (s->control_step == CONTROL_NONE && !s->failure.code && !s->is_resumed)
        resume_start(s);
    while (s->control_step == CONTROL_LISTING && !s->failure.code && exchange_is_over(&s->control))
        resume_take(s);
    if (s->control_step != CONTROL_NONE && !s->failure.code && client_wait_later(node, &s->failure, "PUT") < 0)
        return -EAGAIN;
    node->deadline_ns = 0;
    node->call = sink_write;
    node->call_user = s;
    return error_hand_on(error, &s->failure);
}

/* ---- bytes ---- */

static uint64_t limit_of(const struct sink *s, unsigned number)
{
    const struct multipart *multipart = s->object->store->multipart;
    return multipart ? multipart_size(s->part_size, number, multipart->largest) : WHOLE_OBJECT;
}

static void fail_local(struct sink *s, int r)
{
    char buffer[128];
    sink_fail(s, r, "write", r == -ENOMEM ? "out of memory" : error_text(r, buffer, sizeof(buffer)));
}

/* Is the MD5 of a part to be computed while the bytes arrive? Yes, if it will probably be needed and computing it later
 * would be slow: for a part that must be read from a file again, or if it would hold up the transfer thread, which
 * writes the journal. */
static bool wants_md5(const struct sink *s, uint64_t limit)
{
    return s->object->store->multipart && !s->no_md5 && (s->resume || limit > PART_MEMORY);
}

/* The bytes of a source file are read again when they are sent, unless the file is kept out of the page cache. The
 * position in the file where the transfer began is known once bytes arrive. */
static void begin_in_source(const struct sink *s, struct part *part)
{
    const struct node *source = s->source;
    if (source && source->position >= 0 && source->cache == NODE_CACHE_KEEP && !platform.is_direct(source->fd))
        part_is_in(part, source->fd, (uint64_t)source->position + s->total);
}

/* Returns a free slot to fill, if there is one. */
bool sink_take_slot(struct sink *s)
{
    const struct multipart *multipart = s->object->store->multipart;
    for (size_t i = 0; i < SINK_SLOTS && !s->filling; i++)
        if (s->slot[i].state == SLOT_FREE)
            s->filling = &s->slot[i];
    if (!s->filling)
        return false;
    if (multipart && s->numbers == multipart->most) {
        sink_fail(s, -EFBIG, "UploadPart", "the object would have more parts than the store allows");
        s->filling = NULL;
        return false;
    }
    s->numbers++;
    s->filling->state = SLOT_FILLING;
    uint64_t limit = limit_of(s, s->numbers);
    int r = part_begin(&s->filling->part, s->numbers, limit, wants_md5(s, limit));
    if (r < 0)
        fail_local(s, r);
    begin_in_source(s, &s->filling->part);
    return r == 0;
}

/* Ends the part that is being filled. */
void sink_seal(struct sink *s)
{
    int r = part_end(&s->filling->part);
    traffic_add_part(&s->traffic, s->filling->part.length);
    if (r < 0)
        fail_local(s, r);
    bool is_there = !s->failure.code && resume_has(s, &s->filling->part);
    if (is_there)
        part_forget(&s->filling->part);
    pthread_mutex_lock(&s->lock);
    s->filling->state = is_there ? SLOT_FREE : SLOT_FULL;
    pthread_mutex_unlock(&s->lock);
    s->filling = NULL;
}

/* A full part is sealed only when the next byte arrives, so that an object of just one part needs no multipart
 * upload. */
static bool has_room(struct sink *s)
{
    if (s->filling && s->filling->part.length == s->filling->part.limit) {
        sink_seal(s);
        multipart_advance(s);
    }
    return !s->failure.code && (s->filling || sink_take_slot(s));
}

static ssize_t sink_write(void *user, void *bytes, size_t n)
{
    struct sink *s = user;
    size_t done = 0;
    client_drop_notices(&s->client);
    multipart_advance(s);
    while (done < n && !sink_is_late(s) && has_room(s)) {
        size_t taken = 0;
        int r = part_add(&s->filling->part, (const char *)bytes + done, n - done, &taken);
        if (r < 0) {
            fail_local(s, r);
            break;
        }
        done += taken;
        s->total += taken;
    }
    return s->failure.code ? s->failure.code : done || !n ? (ssize_t)done : -EAGAIN;
}

/* ---- the end ---- */

static int settle_parts(struct sink *s)
{
    if (!s->filling && !s->numbers) /* no bytes arrived, and an earlier run has started an upload */
        sink_take_slot(s);
    if (s->filling)
        sink_seal(s);
    resume_check(s);
    multipart_advance(s);
    return s->failure.code || multipart_is_idle(s) ? 0 : client_wait_later(&s->endpoint.node, &s->failure, "PUT");
}

static int sink_settle(struct node *node, int code, struct leat_error *error)
{
    struct sink *s = (struct sink *)node;
    if (!s->client.open)
        return 0;
    client_drop_notices(&s->client);
    if (code == 0 && !s->failure.code && !sink_is_late(s)) {
        if (!s->single && s->numbers <= 1 && !s->upload[0] && s->control_step == CONTROL_NONE &&
            (s->filling || s->numbers == 0))
            single_begin(s);
        if ((s->single ? single_settle(s) : settle_parts(s)) == -EAGAIN)
            return -EAGAIN;
    }
    node->deadline_ns = 0;
    return error_hand_on(error, &s->failure);
}

static int sink_commit(struct node *node, struct leat_error *error)
{
    struct sink *s = (struct sink *)node;
    if (sink_commit_on(s) == -EAGAIN)
        return -EAGAIN;
    if (!s->failure.code)
        resume_end(s, true);
    return error_hand_on(error, &s->failure);
}

static void sink_abort(struct node *node, int code, uint64_t delivered UNUSED)
{
    struct sink *s = (struct sink *)node;
    if (!client_is_here(&s->client))
        return;
    const char *doubt = sink_doubt(s);
    if (s->resume)
        multipart_take(s);
    multipart_stop(s);
    if (s->control_step != CONTROL_CREATING && resume_keeps(s, code)) {
        node->left = doubt ? "the store may have the object, or its parts, to go on from"
                           : "its parts are kept in the store, to go on from";
        return;
    }
    bool gone = multipart_abort(s);
    resume_end(s, gone || s->is_made);
    if (doubt)
        node->left = doubt;
    else if (!gone)
        node->left = "an unfinished upload may be left in the store";
}

static void sink_close(struct node *node)
{
    struct sink *s = (struct sink *)node;
    multipart_stop(s);
    s->traffic.connections_top = MAX(s->connections_top, s->traffic.requests > 0);
    for (size_t i = 0; i < SINK_SLOTS; i++)
        part_free(&s->slot[i].part);
    sink_end(s, &s->control);
    free(s->control.page);
    s->control.page = NULL;
    resume_end(s, false);
    multipart_free(s);
    client_close(&s->client, &node->port);
}

static void sink_free(leat_endpoint *endpoint)
{
    struct sink *s = (struct sink *)endpoint;
    object_free(s->object);
    free(s->resume);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static const struct node_ops sink_ops = {
    .name = "store",
    .open = sink_open,
    .settle = sink_settle,
    .commit = sink_commit,
    .abort = sink_abort,
    .close = sink_close,
};

static int check_options(const struct store *store, const struct leat_endpoint_options *options,
                         struct leat_error *error)
{
    if (options->write_mode != LEAT_WRITE_PUBLISH)
        return error_set(error, -EINVAL, "An object is written as a whole, neither in place nor at its end");
    if (options->resume && !store->multipart)
        return error_set(error, -EINVAL, "An object of %s: is put by one request, which can't be resumed", store->name);
    return 0;
}

int store_sink(leat_endpoint **ret, const char *spec, struct object *object,
               const struct leat_endpoint_options *options, struct leat_error *error)
{
    int r = check_options(object->store, options, error);
    if (r == 0 && !object->settings)
        r = http_settings_new(&object->settings, options, error);
    struct sink *s = r == 0 ? calloc(1, sizeof(*s)) : NULL;
    char *resume = s && options->resume ? strdup(options->resume) : NULL;
    if (!s || (options->resume && !resume) || endpoint_init(&s->endpoint, &sink_ops, spec, LEAT_WRITE, sink_free) < 0) {
        free(resume);
        free(s);
        object_free(object);
        return r < 0 ? r : error_set(error, -ENOMEM, "out of memory");
    }
    s->resume = resume;
    s->journal.fd = -1;
    pthread_mutex_init(&s->lock, NULL);
    s->object = object;
    s->client = CLIENT_CLOSED;
    s->failure.size = sizeof(s->failure);
    s->retries = options->retries;
    s->total_ns = options->total_timeout_ms > 0 ? (int64_t)options->total_timeout_ms * 1000000 : 0;
    s->no_clobber = options->no_clobber;
    s->part_size = options->part_size ? options->part_size : PART_BYTES;
    for (size_t i = 0; i < SINK_SLOTS; i++) {
        s->slot[i].sink = s;
        s->slot[i].part.file = -1;
        s->slot[i].part.crc_kind = object->crc_kind;
    }
    s->endpoint.node.kind = NODE_CALL;
    s->endpoint.node.wait = NODE_WAIT_OWN;
    bool parts = object->store->multipart != NULL;
    unsigned connections = parts ? SINK_SLOTS - 1 : 1;
    s->traffic = (struct node_traffic){.route = "put",
                                       .connections = connections,
                                       .connections_max = connections,
                                       .part_size = parts ? s->part_size : 0,
                                       .memory = (parts ? SINK_SLOTS : 1) * MIN(s->part_size, PART_MEMORY)};
    s->endpoint.node.traffic = &s->traffic;
    *ret = &s->endpoint;
    return 0;
}
