/* SPDX-License-Identifier: MIT */
/* The ends of a pipe as endpoints of a pipeline. A kernel pipe without filters is given as its descriptor, so that it
 * can be spliced. Otherwise the node calls the functions of the end with timeout 0, and polls a descriptor for them: of
 * a queue the descriptor of its park; of a kernel pipe's reader the pipe; of a kernel pipe's writer the park of the
 * writers, because the writer may wait for chunks as well. */
#include "node/endpoint.h"
#include "pipe/pipe.h"
#include <poll.h>

struct pipe_end {
    leat_endpoint endpoint;
    leat_reader *reader; /* One of the two is NULL. */
    leat_writer *writer;
};

static ssize_t end_read(void *user, void *bytes, size_t n)
{
    struct pipe_end *e = user;
    size_t done;
    int r = leat_reader_read(e->reader, bytes, n, &done, 0);
    return r < 0 ? r : (ssize_t)done;
}

static ssize_t end_write(void *user, void *bytes, size_t n)
{
    struct pipe_end *e = user;
    size_t done;
    int r = leat_writer_write_some(e->writer, bytes, n, &done, 0);
    return r < 0 ? r : (ssize_t)done;
}

static void spliced(struct pipe_end *e, int fd)
{
    struct stat st;
    if (fstat(fd, &st) == 0)
        node_set_stat(&e->endpoint.node, &st);
    node_set_fd(&e->endpoint.node, fd, -1, NODE_WAIT_OWN);
}

static void called(struct pipe_end *e, int fd, op_call call)
{
    struct node *node = &e->endpoint.node;
    node->kind = NODE_CALL;
    node->call = call;
    node->call_user = e;
    node->wait = NODE_WAIT_OWN;
    port_init(&node->port, fd, POLLIN);
}

static int reader_open(struct node *node, const struct node *source UNUSED, struct leat_error *error)
{
    struct pipe_end *e = (struct pipe_end *)node;
    struct pipe *p = e->reader->pipe;
    int fd, r = leat_reader_fd(e->reader, &fd);
    if (r == 0 && p->is_kernel)
        spliced(e, fd);
    else if (r == 0)
        called(e, fd, end_read);
    else if (r == -EBUSY && p->is_kernel)
        called(e, p->kernel.fd[0], end_read); /* Bytes are buffered, so our reader has to read them first. */
    else
        return endpoint_error(node, error, r, "open", NULL);
    return 0;
}

static int writer_open(struct node *node, const struct node *source UNUSED, struct leat_error *error)
{
    struct pipe_end *e = (struct pipe_end *)node;
    struct pipe *p = e->writer->pipe;
    int fd, r = 0;
    if (p->is_kernel && p->filters && kernel_is_lent(&p->kernel))
        return endpoint_error(node, error, -EOPNOTSUPP, "open",
                              "the reader's descriptor was handed out, so the filters belong into the pipeline");
    if (p->is_kernel && !p->filters && (r = leat_writer_fd(e->writer, &fd)) == 0)
        spliced(e, fd);
    else if (r == 0 && (r = writer_park_fd(p, &fd)) == 0)
        called(e, fd, end_write);
    return r < 0 ? endpoint_error(node, error, r, "open", NULL) : 0;
}

/* The end of the bytes is a success only if the writer finished the stream. */
static int reader_finish(struct node *node, uint64_t delivered UNUSED, struct leat_error *error)
{
    struct pipe_end *e = (struct pipe_end *)node;
    struct leat_error why = {.size = sizeof(why)};
    leat_reader_error(e->reader, &why);
    if (why.code)
        error_at(error, why.code, LEAT_SIDE_SOURCE, node->name, "read", "%s", why.text);
    return why.code;
}

/* The filters may need room for their last bytes. The run waits for it at the port, where a cancel ends the wait. A
 * pipe that is spliced into has no filters, and its port is closed by the finish. */
static int writer_commit(struct node *node, struct leat_error *error)
{
    struct pipe_end *e = (struct pipe_end *)node;
    struct leat_error why = {.size = sizeof(why)};
    int r = leat_writer_finish(e->writer, node->kind == NODE_CALL ? 0 : -1);
    if (r == -EAGAIN)
        return r;
    if (r < 0) {
        leat_writer_error(e->writer, &why);
        error_at(error, r, LEAT_SIDE_SINK, node->name, "finish", "%s", why.text);
    }
    return r;
}

static void writer_abort(struct node *node, int code, uint64_t delivered UNUSED)
{
    leat_writer_fail(((struct pipe_end *)node)->writer, code < 0 ? code : -EIO);
}

/* No function uses the node afterwards. */
static void end_close(struct node *node)
{
    struct pipe_end *e = (struct pipe_end *)node;
    leat_reader_close(e->reader);
    leat_writer_close(e->writer);
    e->reader = NULL;
    e->writer = NULL;
    node->fd = node->port.fd = -1;
}

static void end_free(leat_endpoint *endpoint)
{
    free(endpoint);
}

static const struct node_ops reader_ops = {
    .name = "pipe reader",
    .open = reader_open,
    .finish = reader_finish,
    .close = end_close,
};

static const struct node_ops writer_ops = {
    .name = "pipe writer",
    .open = writer_open,
    .commit = writer_commit,
    .abort = writer_abort,
    .close = end_close,
};

/* Returns NULL if there is no memory. */
static struct pipe_end *end_new(const struct node_ops *ops, enum leat_direction direction, const struct pipe *p)
{
    struct pipe_end *e = calloc(1, sizeof(*e));
    if (!e || endpoint_init(&e->endpoint, ops, "pipe", direction, end_free) < 0) {
        free(e);
        return NULL;
    }
    e->endpoint.directed = true;
    e->endpoint.node.kind = p->is_kernel ? NODE_PIPE : NODE_CALL;
    return e;
}

int leat_endpoint_from_reader(leat_endpoint **ret_endpoint, leat_reader *reader)
{
    struct pipe_end *e = end_new(&reader_ops, LEAT_READ, reader->pipe);
    if (!e) {
        leat_reader_close(reader);
        return -ENOMEM;
    }
    e->reader = reader;
    *ret_endpoint = &e->endpoint;
    return 0;
}

int leat_endpoint_from_writer(leat_endpoint **ret_endpoint, leat_writer *writer)
{
    struct pipe_end *e = end_new(&writer_ops, LEAT_WRITE, writer->pipe);
    if (!e) {
        leat_writer_close(writer);
        return -ENOMEM;
    }
    e->writer = writer;
    *ret_endpoint = &e->endpoint;
    return 0;
}
