/* SPDX-License-Identifier: MIT */
/* A channel as the source or the sink of a pipeline. A source receives messages and passes their bytes on as a stream.
 * A sink sends the stream as messages of at most MESSAGE_MAX bytes. A sink that fails leaves as a crashed peer does, so
 * that no receiver takes what came for the whole stream. */
#include "channel/endpoint.h"
#include "channel/channel.h"
#include "node/endpoint.h"
#include <ctype.h>
#include <errno.h>
#include <poll.h>

#define MESSAGE_MAX ((size_t)256 * 1024)

struct channel_node {
    leat_endpoint endpoint;
    leat_channel *channel;
    int fds[LEAT_CHANNEL_FDS];
    size_t n;
    uint8_t *bytes; /* A message whose bytes have not all been passed on. */
    size_t capacity, at, end;
};

/* Receives the next message into our buffer, which grows as needed. */
static ssize_t fill(struct channel_node *c)
{
    for (;;) {
        size_t n = 0;
        int r = leat_channel_receive(c->channel, c->bytes, c->capacity, &n, 0);
        if (r == 0) {
            c->at = 0;
            c->end = n;
            return (ssize_t)n;
        }
        if (r != -EMSGSIZE)
            return r;
        n = MAX(n, MIN(2 * c->capacity, (size_t)c->channel->g.message_limit));
        uint8_t *larger = realloc(c->bytes, n);
        if (!larger)
            return -ENOMEM;
        c->bytes = larger;
        c->capacity = n;
    }
}

/* The most empty messages that are taken in a row. After them the descriptor is still readable, and the engine may
 * check whether to go on. */
#define EMPTY_MAX 1000

/* An empty message has no bytes and is not the end of the stream. */
static ssize_t channel_read(void *user, void *bytes, size_t n)
{
    struct channel_node *c = user;
    for (int i = 0; c->at == c->end; i++) {
        ssize_t r = i < EMPTY_MAX ? fill(c) : -EAGAIN;
        if (r < 0)
            return r == -ENODATA ? 0 : r;
    }
    n = MIN(n, c->end - c->at);
    memcpy(bytes, c->bytes + c->at, n);
    c->at += n;
    return (ssize_t)n;
}

static ssize_t channel_write(void *user, void *bytes, size_t n)
{
    struct channel_node *c = user;
    uint64_t most = c->channel->g.capacity / 2 > sizeof(struct record) ? c->channel->g.capacity / 2 : 2 * UNIT;
    n = MIN(n, MIN(MESSAGE_MAX, (size_t)(most - sizeof(struct record))));
    int r = n ? leat_channel_send(c->channel, bytes, n, 0) : 0;
    return r < 0 ? r : (ssize_t)n;
}

static int channel_open(struct node *node, const struct node *source UNUSED, struct leat_error *error)
{
    struct channel_node *c = (struct channel_node *)node;
    bool reads = node->direction == LEAT_READ;
    int fd, r = leat_channel_attach(&c->channel, c->fds, c->n);
    if (r < 0)
        return endpoint_error(node, error, r, "attach",
                              r == -EPROTO ? "these are not the descriptors of a channel" : NULL);
    if (!reads && c->channel->g.message_size)
        return endpoint_error(node, error, -EMSGSIZE, "open",
                              "a stream has no messages of one size; use a channel for any length");
    r = leat_channel_poll_fd(c->channel, node->direction, &fd);
    if (r < 0)
        return endpoint_error(node, error, r, "open",
                              reads ? "this end of the channel can't receive" : "this end of the channel can't send");
    node->call = reads ? channel_read : channel_write;
    node->call_user = c;
    node->wait = NODE_WAIT_OWN;
    port_init(&node->port, fd, POLLIN);
    return 0;
}

static int channel_commit(struct node *node, struct leat_error *error UNUSED)
{
    struct channel_node *c = (struct channel_node *)node;
    node->port.fd = -1;
    leat_channel_close(c->channel);
    c->channel = NULL;
    return 0;
}

static void channel_abort(struct node *node, int code UNUSED, uint64_t delivered UNUSED)
{
    struct channel_node *c = (struct channel_node *)node;
    node->port.fd = -1;
    if (c->channel)
        channel_fail(c->channel);
    c->channel = NULL;
}

static void channel_free(leat_endpoint *endpoint)
{
    struct channel_node *c = (struct channel_node *)endpoint;
    leat_channel_close(c->channel);
    free(c->bytes);
    free(c);
}

static const struct node_ops channel_ops = {
    .name = "channel",
    .open = channel_open,
    .commit = channel_commit,
    .abort = channel_abort,
};

/* Parses "3" or "3,7". */
static int parse(const char *text, int fds[], size_t *ret_n)
{
    struct geometry g;
    size_t n = 0;
    for (const char *at = text;; at++) {
        char *end;
        errno = 0;
        long fd = strtol(at, &end, 10);
        if (!isdigit((unsigned char)*at) || errno || fd > INT32_MAX - LEAT_CHANNEL_FDS || n == LEAT_CHANNEL_FDS)
            return -EINVAL;
        fds[n++] = (int)fd;
        at = end;
        if (!*at)
            break;
        if (*at != ',')
            return -EINVAL;
    }
    if (n == 1) {
        int r = channel_read_geometry(fds[0], &g);
        if (r < 0)
            return r;
        for (; n < 1 + (size_t)g.lanes; n++)
            fds[n] = fds[0] + (int)n;
    }
    *ret_n = n;
    return 0;
}

int channel_endpoint(leat_endpoint **ret, const char *spec, const char *rest, enum leat_direction direction,
                     struct leat_error *error)
{
    int fds[LEAT_CHANNEL_FDS];
    size_t n;
    int r = parse(rest, fds, &n);
    if (r == -EINVAL)
        return error_set(error, r, "'%s' is no descriptor of a channel: write channel:3 or channel:3,4", rest);
    if (r < 0)
        return error_set(error, r, r == -ENOSYS ? "There are no channels here" : "Descriptor %d is no channel's",
                         fds[0]);
    struct channel_node *c = calloc(1, sizeof(*c));
    if (!c || endpoint_init(&c->endpoint, &channel_ops, spec, direction, channel_free) < 0) {
        free(c);
        return error_set(error, -ENOMEM, "out of memory");
    }
    memcpy(c->fds, fds, n * sizeof(int));
    c->n = n;
    c->endpoint.node.kind = NODE_CALL;
    *ret = &c->endpoint;
    return 0;
}
