/* SPDX-License-Identifier: MIT */
/* exec:COMMAND: a child process as a source or as a sink. leat_filter_exec: one child as both, in the middle of a
 * pipeline. The child is started in `open`. `settle`, or the `finish` of a filter's source, waits for its end: the end
 * of a stream says nothing until it is known how the child ended.
 *
 * A sink's child gets the end of its input only if all else was right. While a child of a failed run lives, its input
 * stays open. So it never takes a part for the whole. */
#include "base/quote.h"
#include "base/text.h"
#include "base/thread.h"
#include "child/child.h"
#include "child/endpoint.h"
#include "node/filter.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define COMMAND_SHOWN 60 /* Bytes of the command that a sentence shows. */

struct exec {
    char *command;
    char *shown;         /* The command without secrets of URLs. */
    struct child *child; /* NULL: not started, or freed. */
    char *said;          /* For the report, which is made when the child is freed; without secrets of URLs. */
    bool counted;        /* The bytes that were left in its input were reported. */
    bool asked, whole; /* `whole`: the stream ended because the output of the child ended. `asked`: this was checked. */
};

struct child_end {
    leat_endpoint endpoint; /* Must be first. */
    struct exec *exec;
};

static struct exec *exec_of(struct node *node)
{
    return ((struct child_end *)node)->exec;
}

/* Returns a copy of the text without secrets of URLs, from malloc, or NULL. */
static char *without_secrets(const char *text)
{
    char *shown = strdup(text);
    if (shown)
        quote_hide_secrets(shown);
    return shown;
}

/* ---- opening ---- */

static int start(struct node *node, unsigned pipes, struct leat_error *error)
{
    struct exec *x = exec_of(node);
    const char *operation;
    free(x->said);
    x->said = NULL;
    node->said = NULL;
    x->counted = x->asked = x->whole = false;
    int r = child_start(&x->child, x->command, pipes, &operation);
    if (r == 0)
        return 0;
    bool limit = r == -NO_MORE_THREADS && strcmp(operation, "malloc") != 0;
    return endpoint_error(
        node, error, r, operation,
        limit ? "the command was not started: there is no memory, or the limit on processes and threads "
                "(ulimit -u) is reached"
              : "the command was not started");
}

static int source_open(struct node *node, const struct node *source UNUSED, struct leat_error *error)
{
    int r = start(node, CHILD_STDOUT, error);
    if (r == 0)
        node_set_fd(node, child_stdout(exec_of(node)->child), -1, NODE_WAIT_OWN);
    return r;
}

static int sink_open(struct node *node, const struct node *source UNUSED, struct leat_error *error)
{
    int r = start(node, CHILD_STDIN, error);
    if (r == 0)
        node_set_fd(node, child_stdin(exec_of(node)->child), -1, NODE_WAIT_OWN);
    return r;
}

static int into_open(struct node *node, const struct node *source UNUSED, struct leat_error *error)
{
    int r = start(node, CHILD_STDIN | CHILD_STDOUT, error);
    if (r == 0)
        node_set_fd(node, child_stdin(exec_of(node)->child), -1, NODE_WAIT_OWN);
    return r;
}

static int out_open(struct node *node, const struct node *source UNUSED, struct leat_error *error UNUSED)
{
    node->said = NULL;
    node_set_fd(node, child_stdout(exec_of(node)->child), -1, NODE_WAIT_OWN);
    return 0;
}

/* ---- how it ended ---- */

/* Copies the last lines that fit. If not even the last one fits, copies its beginning. */
static void last_lines(const char *said, char *to, size_t room)
{
    const char *from = said + strlen(said);
    size_t n = 0;
    for (const char *at = from; at > said;) {
        do
            at--;
        while (at > said && at[-1] != '\n');
        if (n && (size_t)(said + strlen(said) - at) + 3 >= room)
            break;
        n = strlen(at);
        from = at;
    }
    for (n = 0; *from && n + 1 < room; from++)
        to[n++] = *from == '\n' ? '|' : (char)(iscntrl((unsigned char)*from) ? ' ' : *from);
    to[n] = '\0';
}

/* Replaces what the error said before: a broken pipe is not the cause. */
static int fail(struct node *node, struct leat_error *error, int code, const char *how)
{
    const struct exec *x = exec_of(node);
    node->left = child_is_left(x->child) ? NULL : node->left; /* the error itself says so */
    char said[sizeof(error->text)] = "";
    size_t shown = strnlen(x->shown, COMMAND_SHOWN + 1);
    const char *dots = shown > COMMAND_SHOWN ? "..." : "";
    size_t used = MIN(shown, COMMAND_SHOWN) + strlen(dots) + strlen(how) + sizeof("'' : ");
    if (x->said)
        last_lines(x->said, said, sizeof(error->text) - used);
    error->code = 0;
    return error_at(error, code, node->direction == LEAT_READ ? LEAT_SIDE_SOURCE : LEAT_SIDE_SINK, node->name, "exit",
                    "'%.*s%s' %s%s%s", COMMAND_SHOWN, x->shown, dots, how, said[0] ? ": " : "", said);
}

/* Returns 0: the child has ended. -EAGAIN: as `settle`. After a failure of the child or of the run, the processes that
 * the child has left behind are ended too. */
static int end_child(struct node *node, enum child_patience patience, int code)
{
    struct exec *x = exec_of(node);
    char how[CHILD_TEXT_MAX];
    int r = child_end(x->child, patience, &node->port, &node->deadline_ns);
    size_t unread = r == 0 && node->direction == LEAT_WRITE ? child_unread(x->child) : 0;
    if (r == 0 && patience != CHILD_MUST_END && (code || unread || child_verdict(x->child, how) > 0))
        r = child_end(x->child, CHILD_MUST_END, &node->port, &node->deadline_ns);
    if (r < 0)
        return r;
    node->deadline_ns = 0;
    node->left = child_is_left(x->child) ? "its command " CHILD_LEFT : node->left;
    node->unread = x->counted ? 0 : unread;
    x->counted = true;
    if (!x->said && *child_said(x->child))
        x->said = without_secrets(child_said(x->child));
    node->said = x->said;
    return 0;
}

/* Did the output of the child end by itself? Otherwise we have stopped reading, and close it. */
static bool ended_whole(struct exec *x)
{
    char byte;
    if (!x->asked)
        x->whole = read(child_stdout(x->child), &byte, 1) == 0;
    x->asked = true;
    if (!x->whole)
        child_close_stdout(x->child);
    return x->whole;
}

/* If not all of its output was wanted, the child may end in any way. If the child failed by itself, this is the cause
 * of what failed behind it. */
static int source_settle(struct node *node, int code, struct leat_error *error)
{
    struct exec *x = exec_of(node);
    char how[CHILD_TEXT_MAX];
    if (!x->child)
        return 0;
    bool whole = ended_whole(x), judged = whole && code != -ECANCELED;
    bool waits = whole && !code;
    int r = end_child(node, waits ? CHILD_MAY_END : judged || !code ? CHILD_SHOULD_END : CHILD_MUST_END, code);
    if (r < 0 || !judged)
        return r;
    r = child_verdict(x->child, how);
    return r > 0 || (r < 0 && !code) ? fail(node, error, -EIO, how) : 0;
}

static int sink_settle(struct node *node, int code, struct leat_error *error)
{
    struct exec *x = exec_of(node);
    char how[CHILD_TEXT_MAX];
    if (!x->child)
        return 0;
    bool left = error->code == -EPIPE && code != -ECANCELED;
    if (!code && !error->code)
        child_close_stdin(x->child);
    int r = end_child(node,
                      !code && !error->code ? CHILD_MAY_END
                      : left                ? CHILD_SHOULD_END
                                            : CHILD_MUST_END,
                      code ? code : error->code);
    left |= r == 0 && !code && !error->code && node->unread > 0;
    if (r < 0 || (error->code && !left) || (code && !left))
        return r;
    r = child_verdict(x->child, how);
    if (r > 0)
        return fail(node, error, -EIO, how);
    if (!left)
        return r < 0 ? fail(node, error, -EIO, how) : 0;
    return fail(node, error, -EPIPE,
                r == 0 ? "exited with status 0 before it had taken everything"
                       : "closed its standard input before it had taken everything, and went on");
}

/* In the middle of a pipeline: the leg behind it goes on until the child has ended its output. */
static int into_finish(struct node *node, uint64_t delivered UNUSED, struct leat_error *error UNUSED)
{
    child_close_stdin(exec_of(node)->child);
    return 0;
}

static int out_finish(struct node *node, uint64_t delivered UNUSED, struct leat_error *error)
{
    return source_settle(node, 0, error);
}

static void end_close(struct node *node)
{
    struct exec *x = exec_of(node);
    x->child = child_free(x->child);
    node->fd = node->port.fd = -1;
}

static const struct node_ops source_ops = {
    .name = "exec", .open = source_open, .settle = source_settle, .close = end_close};
static const struct node_ops sink_ops = {.name = "exec", .open = sink_open, .settle = sink_settle, .close = end_close};
/* The second end frees the child. */
static const struct node_ops into_ops = {.name = "exec", .open = into_open, .finish = into_finish};
static const struct node_ops out_ops = {
    .name = "exec", .open = out_open, .finish = out_finish, .settle = source_settle, .close = end_close};

/* ---- as an endpoint ---- */

struct exec_endpoint {
    struct child_end end;
    struct exec exec;
};

static bool is_empty(const char *command)
{
    while (isspace((unsigned char)*command))
        command++;
    return *command == '\0';
}

static void exec_clear(struct exec *x)
{
    child_free(x->child);
    free(x->command);
    free(x->shown);
    free(x->said);
}

static void endpoint_free(leat_endpoint *endpoint)
{
    struct exec_endpoint *e = (struct exec_endpoint *)endpoint;
    exec_clear(&e->exec);
    free(e);
}

static void set_pipe(struct node *node)
{
    node->kind = NODE_PIPE;
    node->own_pipe = true;
    node->wait = NODE_WAIT_OWN;
}

static bool set_command(struct exec *x, const char *command)
{
    x->command = strdup(command);
    x->shown = without_secrets(command);
    return x->command && x->shown;
}

int child_endpoint(leat_endpoint **ret, const char *spec, const char *command, enum leat_direction direction,
                   struct leat_error *error)
{
    if (is_empty(command))
        return error_set(error, -EINVAL, "'%s' names no command: write exec:COMMAND", spec);
    struct exec_endpoint *e = calloc(1, sizeof(*e));
    char *name CLEANUP_FREE = without_secrets(spec);
    if (!e || !name || !set_command(&e->exec, command) ||
        endpoint_init(&e->end.endpoint, direction == LEAT_READ ? &source_ops : &sink_ops, name, direction,
                      endpoint_free) < 0) {
        if (e)
            exec_clear(&e->exec);
        free(e);
        return error_set(error, -ENOMEM, "out of memory");
    }
    e->end.exec = &e->exec;
    set_pipe(&e->end.endpoint.node);
    if (direction == LEAT_WRITE)
        identity_of_fd(&e->end.endpoint.node.inherited, STDOUT_FILENO);
    *ret = &e->end.endpoint;
    return 0;
}

/* ---- as a filter ---- */

struct exec_filter {
    leat_filter filter;
    struct child_end into, out;
    struct exec exec;
    char *name;
};

static void filter_join(leat_filter *filter, struct node **ret_sink, struct node **ret_source)
{
    struct exec_filter *f = (struct exec_filter *)filter;
    *ret_sink = &f->into.endpoint.node;
    *ret_source = &f->out.endpoint.node;
}

static void filter_free(leat_filter *filter)
{
    struct exec_filter *f = (struct exec_filter *)filter;
    exec_clear(&f->exec);
    free(f->name);
    free(f);
}

static const struct filter_ops filter_ops = {
    .name = "exec", .caps = FILTER_JOINS, .join = filter_join, .free = filter_free};

static void make_end(struct exec_filter *f, struct child_end *end, const struct node_ops *ops,
                     enum leat_direction direction)
{
    struct node *node = &end->endpoint.node;
    *node = (struct node){.ops = ops, .name = f->name, .direction = direction, .fd = -1, .seek_fd = -1, .position = -1};
    port_init(&node->port, -1, 0);
    set_pipe(node);
    end->exec = &f->exec;
}

int leat_filter_exec(leat_filter **ret_filter, const char *command)
{
    static const char scheme[] = "exec:";
    if (is_empty(command))
        return -EINVAL;
    struct exec_filter *f = calloc(1, sizeof(*f));
    bool is_set = f && set_command(&f->exec, command);
    if (is_set)
        f->name = text_join(scheme, f->exec.shown, "");
    if (!is_set || !f->name) {
        if (f)
            filter_free(&f->filter);
        return -ENOMEM;
    }
    filter_init(&f->filter, &filter_ops);
    make_end(f, &f->into, &into_ops, LEAT_WRITE);
    make_end(f, &f->out, &out_ops, LEAT_READ);
    *ret_filter = &f->filter;
    return 0;
}
