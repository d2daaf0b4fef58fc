/* SPDX-License-Identifier: MIT */
/* Functions of the caller as a source or a sink. A pipe of our own stands for "not yet": the engine polls its reading
 * end, and leat_endpoint_notify writes a byte into it. The pipe is emptied before the function is called, never after
 * the call, so a notice that comes during the call is not lost. */
#include "base/error.h"
#include "base/fd.h"
#include "endpoint/endpoint.h"
#include <errno.h>
#include <poll.h>
#include <unistd.h>

struct callback {
    leat_endpoint endpoint;
    struct leat_endpoint_callbacks calls;
    void *user;
    int notice[2];
    bool finished;
};

static void drop_notices(struct callback *c)
{
    char bytes[64];
    while (read(c->notice[0], bytes, sizeof(bytes)) > 0)
        ;
}

/* A count that is not between 1 and n is a mistake of the caller, and -EPROTO; a source may say 0. An answer that is
 * neither 0 nor a negative errno is a mistake too. */
static ssize_t check_count(int answer, size_t done, size_t n, bool may_be_zero)
{
    int r = error_of_answer(answer);
    if (r < 0)
        return r;
    return done > n || (done == 0 && !may_be_zero) ? -EPROTO : (ssize_t)done;
}

static ssize_t callback_read(void *user, void *bytes, size_t n)
{
    struct callback *c = user;
    size_t done = 0;
    drop_notices(c);
    int r = c->calls.read(c->user, bytes, n, &done);
    return check_count(r, done, n, true);
}

static ssize_t callback_write(void *user, void *bytes, size_t n)
{
    struct callback *c = user;
    size_t done = 0;
    drop_notices(c);
    int r = c->calls.write(c->user, bytes, n, &done);
    return check_count(r, done, n, n == 0);
}

static int callback_open(struct node *node, const struct node *source UNUSED, struct leat_error *error)
{
    struct callback *c = (struct callback *)node;
    bool reads = node->direction == LEAT_READ;
    if (!(reads ? (void *)c->calls.read : (void *)c->calls.write))
        return endpoint_error(node, error, -EINVAL, "open",
                              reads ? "a source needs the read callback" : "a sink needs the write callback");
    node->call = reads ? callback_read : callback_write;
    node->call_user = c;
    node->wait = NODE_WAIT_OWN;
    port_init(&node->port, c->notice[0], POLLIN);
    return 0;
}

static int callback_end(struct callback *c, int code)
{
    if (!c->calls.finish || c->finished)
        return 0;
    c->finished = true;
    return error_of_answer(c->calls.finish(c->user, code));
}

static int callback_commit(struct node *node, struct leat_error *error)
{
    int r = callback_end((struct callback *)node, 0);
    return r < 0 ? endpoint_error(node, error, r, "finish", NULL) : 0;
}

static void callback_abort(struct node *node, int code, uint64_t delivered UNUSED)
{
    callback_end((struct callback *)node, code);
}

static void callback_notify(leat_endpoint *endpoint)
{
    struct callback *c = (struct callback *)endpoint;
    fd_wake(c->notice[1]);
}

static void callback_free(leat_endpoint *endpoint)
{
    struct callback *c = (struct callback *)endpoint;
    if (c->calls.free)
        c->calls.free(c->user);
    fd_close(c->notice[0]);
    fd_close(c->notice[1]);
    free(c);
}

static const struct node_ops callback_ops = {
    .name = "callback",
    .open = callback_open,
    .commit = callback_commit,
    .abort = callback_abort,
};

static int make(leat_endpoint **ret, const struct leat_endpoint_callbacks *callbacks, void *user,
                struct leat_error *error)
{
    struct leat_endpoint_callbacks calls;
    int r = options_copy(&calls, sizeof(calls), callbacks);
    if (r < 0)
        return error_at(error, r, LEAT_SIDE_NONE, "callback", "new", "The functions are not those of this version");
    if (!calls.read && !calls.write)
        return error_at(error, -EINVAL, LEAT_SIDE_NONE, "callback", "new", "read or write must be given");
    struct callback *c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    r = fd_pipe(c->notice);
    if (r == 0 && (r = endpoint_init(&c->endpoint, &callback_ops, "callback", LEAT_READ, callback_free)) < 0) {
        fd_close(c->notice[0]);
        fd_close(c->notice[1]);
    }
    if (r < 0) {
        free(c);
        return r;
    }
    c->calls = calls;
    c->user = user;
    c->endpoint.node.kind = NODE_CALL;
    c->endpoint.notify = callback_notify;
    *ret = &c->endpoint;
    return 0;
}

int leat_endpoint_from_callbacks(leat_endpoint **ret_endpoint, const struct leat_endpoint_callbacks *callbacks,
                                 void *user, struct leat_error *ret_error)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    int r = error_begin(ret_error);
    return r < 0 ? r : error_return(ret_error, &error, make(ret_endpoint, callbacks, user, &error));
}
