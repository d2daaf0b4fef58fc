/* SPDX-License-Identifier: MIT */
/* A source that is an object: the hooks of the endpoint, on the thread of the pipeline. The bytes come from a fetch
 * (fetch.h), which works on the transfer thread and notifies the node's port when there is something to look at. */
#include "store/client.h"
#include "store/fetch.h"
#include <errno.h>
#include <stdio.h>

struct store_source {
    leat_endpoint endpoint;
    struct object *object;
    uint32_t streams;
    int32_t retries;
    int64_t total_ns; /* time limit of the source; 0: no limit */
    struct node_traffic traffic;

    struct client client;
    struct fetch *fetch; /* NULL: it is not open */
    uint64_t taken;
    bool ended;               /* the object was read to its end */
    bool broken;              /* a read has failed */
    struct metadata metadata; /* set by `close` */
};

/* Called on the transfer thread. */
static void wake(void *user)
{
    port_notify(&((struct store_source *)user)->endpoint.node.port);
}

static int begin(struct store_source *s)
{
    s->fetch = calloc(1, sizeof(*s->fetch));
    if (!s->fetch)
        return -ENOMEM;
    *s->fetch = (struct fetch){.object = s->object,
                               .node = &s->endpoint.node,
                               .memory = s->endpoint.node.memory,
                               .traffic = &s->traffic,
                               .idle_ns = s->endpoint.node.idle_ns,
                               .deadline_ns = s->total_ns ? clock_ns() + s->total_ns : 0,
                               .first = s->endpoint.node.from,
                               .retries = s->retries,
                               .wake = wake,
                               .user = s};
    return fetch_begin(s->fetch, s->streams);
}

static int start(struct store_source *s, struct leat_error *error)
{
    const char *why = NULL;
    int r = client_join(&s->client, &s->endpoint.node, &why);
    if (r == 0)
        r = begin(s);
    return r < 0 ? endpoint_error(&s->endpoint.node, error, r, "GET", why) : 0;
}

/* ---- reading ---- */

static ssize_t take_next(struct store_source *s, size_t n, struct chunk **ret)
{
    ssize_t r = fetch_take(s->fetch, n, ret);
    s->endpoint.node.port.blocked = r == -EAGAIN; /* the next notice unblocks it, also one that has come since */
    s->ended |= r == 0;
    s->broken |= r < 0 && r != -EAGAIN;
    s->taken += r > 0 ? (uint64_t)r : 0;
    return r;
}

static ssize_t source_take(void *user, void *bytes, size_t n)
{
    return take_next(user, n, bytes);
}

static ssize_t source_read(void *user, void *bytes, size_t n)
{
    struct chunk *chunk = NULL;
    ssize_t r = take_next(user, n, &chunk);
    if (r > 0)
        memcpy(bytes, chunk->data, (size_t)r);
    if (r > 0)
        chunk_unref(chunk);
    return r;
}

/* ---- hooks ---- */

/* There is no answer yet. Returns 0 if the idle time has passed. */
static int wait_for_answer(struct store_source *s, struct leat_error *error)
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

/* The answer decides whether the object can be read at all. Until then no sink is opened. */
static int source_open(struct node *node, const struct node *source UNUSED, struct leat_error *error)
{
    struct store_source *s = (struct store_source *)node;
    uint64_t size;
    int r = s->fetch ? 0 : start(s, error);
    if (r < 0)
        return r;
    switch (fetch_look(s->fetch, &size, error)) {
    case FETCH_ASKED:
        return wait_for_answer(s, error);
    case FETCH_FAILED:
        return error->code;
    default:
        node->deadline_ns = 0;
        node->has_size = size != UINT64_MAX;
        node->size = node->has_size ? size : 0;
        node->call = source_read;
        node->take = source_take;
        node->call_user = s;
        return 0;
    }
}

/* For an object that was read completely. */
static int verify(struct store_source *s, struct leat_error *error)
{
    struct node *node = &s->endpoint.node;
    struct node_traffic *t = &s->traffic;
    char text[sizeof(t->verified)];
    if (!s->fetch->verify)
        return 0;
    if (!s->ended && !(node->has_size && s->taken == node->size)) {
        snprintf(t->unverified, sizeof(t->unverified),
                 "a part of the object was read, and the digests are of the whole");
        return 0;
    }
    int r = verify_end(s->fetch->verify, text, sizeof(text));
    verify_free(s->fetch->verify);
    s->fetch->verify = NULL;
    if (r == 0)
        snprintf(t->verified, sizeof(t->verified), "%s", text);
    if (r == -EBADMSG)
        return error_at(error, r, LEAT_SIDE_SOURCE, node->name, "verify",
                        "The bytes that came have another digest than the server says: %s", text);
    return r < 0 ? endpoint_error(node, error, r, "verify", text) : 0;
}

/* Here the cause of a failed read is known. A failure of the transfer after the last byte that was read does not
 * count. */
static int source_settle(struct node *node, int code, struct leat_error *error)
{
    struct store_source *s = (struct store_source *)node;
    if (!s->fetch)
        return 0;
    if (s->broken)
        return fetch_failure(s->fetch, error);
    return code < 0 ? 0 : verify(s, error);
}

static void source_close(struct node *node)
{
    struct store_source *s = (struct store_source *)node;
    if (s->fetch && client_is_here(&s->client)) { /* a forked child has no thread to stop */
        fetch_close(s->fetch);
        s->metadata = s->fetch->metadata;
        free(s->fetch);
    }
    s->fetch = NULL;
    client_close(&s->client, &node->port);
}

static void source_free(leat_endpoint *endpoint)
{
    struct store_source *s = (struct store_source *)endpoint;
    object_free(s->object);
    free(s);
}

void store_source_metadata(const leat_endpoint *source, struct metadata *ret)
{
    *ret = ((const struct store_source *)source)->metadata;
}

static const struct node_ops source_ops = {
    .name = "store",
    .open = source_open,
    .settle = source_settle,
    .close = source_close,
};

static void plan_traffic(struct store_source *s, const struct leat_endpoint_options *options)
{
    struct node_traffic *t = &s->traffic;
    t->route = "fetch";
    t->connections = (uint32_t)options->streams;
    t->connections_max = options->streams ? (uint32_t)options->streams : PACE_MOST;
    snprintf(t->why, sizeof(t->why), "%s",
             options->streams ? "it was asked for" : "another one is added while the bytes come faster for it");
}

int store_source(leat_endpoint **ret, const char *spec, struct object *object,
                 const struct leat_endpoint_options *options, struct leat_error *error)
{
    struct store_source *s = calloc(1, sizeof(*s));
    int r = object->settings ? 0 : http_settings_new(&object->settings, options, error);
    if (r < 0) {
        free(s);
        object_free(object);
        return r;
    }
    if (!s || endpoint_init(&s->endpoint, &source_ops, spec, LEAT_READ, source_free) < 0) {
        free(s);
        object_free(object);
        return error_set(error, -ENOMEM, "out of memory");
    }
    s->object = object;
    s->streams = (uint32_t)options->streams;
    s->retries = options->retries;
    s->total_ns = options->total_timeout_ms > 0 ? (int64_t)options->total_timeout_ms * 1000000 : 0;
    s->client = CLIENT_CLOSED;
    s->endpoint.node.kind = NODE_CALL;
    s->endpoint.node.wait = NODE_WAIT_OWN;
    s->endpoint.node.seeks = true;
    s->endpoint.node.memory.least = WINDOW_LEAST;
    s->endpoint.node.traffic = &s->traffic;
    plan_traffic(s, options);
    *ret = &s->endpoint;
    return 0;
}
