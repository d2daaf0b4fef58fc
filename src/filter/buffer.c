/* SPDX-License-Identifier: MIT */
/* The filter that reads ahead. It cuts the pipeline: the leg before it puts bytes into a hold, and the leg behind it
 * takes them. Each of the two legs has a thread, so the source is read while a sink is slow, and the other way round.
 */
#include "base/error.h"
#include "filter/buffer_file.h"
#include "node/filter.h"
#include "node/node.h"
#include <errno.h>

static const char buffer_name[] = "buffer";

struct buffer_end {
    struct node node; /* must be first */
    struct buffer *buffer;
};

struct buffer {
    leat_filter filter;
    struct buffer_end into, out;
    struct hold_plan plan; /* how a run begins */
    char *folder;          /* of the file; NULL: there is none */
    struct buffer_file file;
    struct hold hold;
};

static struct buffer *buffer_of(const struct node *node)
{
    return ((const struct buffer_end *)node)->buffer;
}

/* ---- the nodes ---- */

/* If there is nothing to do, the port of the side is notified later. */
static ssize_t or_block(struct node *node, ssize_t r)
{
    if (r == -EAGAIN)
        node->port.blocked = true;
    return r;
}

static ssize_t put(void *user, void *bytes, size_t n)
{
    struct buffer *b = user;
    return or_block(&b->into.node, hold_put(&b->hold, bytes, n));
}

static ssize_t lend(void *user, void *ret_chunk, size_t n)
{
    struct buffer *b = user;
    return or_block(&b->into.node, hold_lend(&b->hold, n, ret_chunk));
}

static ssize_t take(void *user, void *ret_chunk, size_t n)
{
    struct buffer *b = user;
    return or_block(&b->out.node, hold_take(&b->hold, n, ret_chunk));
}

static ssize_t read_copy(void *user, void *bytes, size_t n)
{
    struct chunk *chunk = NULL;
    ssize_t r = take(user, &chunk, n);
    if (r > 0)
        memcpy(bytes, chunk->data, (size_t)r);
    chunk_unref(chunk);
    return r;
}

static int fail_open(const struct buffer *b, int code, const char *call, struct leat_error *error)
{
    char text[100];
    error_text(code, text, sizeof(text));
    if (strcmp(call, "open") == 0)
        return error_at(error, code, LEAT_SIDE_FILTER, buffer_name, call,
                        "No file can be made in the folder '%.60s': %s", b->folder, text);
    if (strcmp(call, "mlock") == 0)
        return error_at(error, code, LEAT_SIDE_FILTER, buffer_name, call,
                        "%llu bytes of memory can't be locked: %s; is the limit (ulimit -l) too low?",
                        (unsigned long long)hold_memory(&b->plan), text);
    return error_at(error, code, LEAT_SIDE_FILTER, buffer_name, call, "%s", text);
}

static int into_open(struct node *node, const struct node *source UNUSED, struct leat_error *error)
{
    struct buffer *b = buffer_of(node);
    const char *call = "open";
    node_set_fd(&b->into.node, -1, -1, NODE_WAIT_OWN);
    node_set_fd(&b->out.node, -1, -1, NODE_WAIT_OWN);
    int r = b->folder ? buffer_file_open(&b->file, b->folder) : 0;
    if (r < 0)
        return fail_open(b, r, call, error);
    b->plan.store = node->memory.pool;
    r = hold_open(&b->hold, &b->plan, &b->into.node.port, &b->out.node.port, &call);
    return r < 0 ? fail_open(b, r, call, error) : 0;
}

static int into_finish(struct node *node, uint64_t delivered UNUSED, struct leat_error *error UNUSED)
{
    hold_end(&buffer_of(node)->hold);
    return 0;
}

static void out_close(struct node *node)
{
    struct buffer *b = buffer_of(node);
    hold_close(&b->hold);
    buffer_file_close(&b->file);
}

static const struct node_ops into_ops = {.name = buffer_name, .open = into_open, .finish = into_finish};
static const struct node_ops out_ops = {.name = buffer_name, .close = out_close};

static void make_end(struct buffer *b, struct buffer_end *end, const struct node_ops *ops,
                     enum leat_direction direction)
{
    end->buffer = b;
    end->node = node_of_calls(ops, buffer_name, direction, b);
}

/* ---- the filter ---- */

static void buffer_join(leat_filter *filter, struct node **ret_sink, struct node **ret_source)
{
    struct buffer *b = (struct buffer *)filter;
    *ret_sink = &b->into.node;
    *ret_source = &b->out.node;
}

static uint64_t buffer_memory(const leat_filter *filter)
{
    return hold_memory(&((const struct buffer *)filter)->plan);
}

static void buffer_level(leat_filter *filter, struct filter_level *ret)
{
    struct water water = hold_look(&((struct buffer *)filter)->hold);
    *ret = (struct filter_level){
        .size = water.size, .level = water.level, .top = water.top, .filled = water.filled, .emptied = water.emptied};
    ret->file_top = hold_file_top(&((struct buffer *)filter)->hold, &ret->file_failed);
}

static void buffer_free(leat_filter *filter)
{
    struct buffer *b = (struct buffer *)filter;
    hold_destroy(&b->hold);
    buffer_file_close(&b->file);
    free(b->folder);
    free(b);
}

static const struct filter_ops buffer_ops = {
    .name = buffer_name,
    .caps = FILTER_JOINS | FILTER_BUFFERS,
    .memory = buffer_memory,
    .join = buffer_join,
    .level = buffer_level,
    .free = buffer_free,
};

static bool is_percent(int32_t n)
{
    return n >= 0 && n <= 100;
}

#define MEMORY_USUAL (UINT64_C(64) << 20) /* bytes in memory beside a file */

static int make(struct buffer *b, const struct leat_buffer_options *o)
{
    filter_init(&b->filter, &buffer_ops);
    hold_init(&b->hold);
    buffer_file_init(&b->file);
    b->plan = (struct hold_plan){.water = water_of(o->bytes, (unsigned)o->start, o->stop ? (unsigned)o->stop : 100),
                                 .memory = o->memory ? o->memory : MEMORY_USUAL,
                                 .file = o->file ? &buffer_file_calls : NULL,
                                 .user = &b->file,
                                 .locks = o->lock};
    b->hold.water = b->plan.water;
    make_end(b, &b->into, &into_ops, LEAT_WRITE);
    make_end(b, &b->out, &out_ops, LEAT_READ);
    b->into.node.call = put;
    b->into.node.lend = lend;
    b->out.node.call = read_copy;
    b->out.node.take = take;
    b->folder = o->file ? strdup(o->file) : NULL;
    return o->file && !b->folder ? -ENOMEM : 0;
}

/* Returns what is wrong with the options and what is allowed, or NULL. */
static const char *find_wrong(const struct leat_buffer_options *o)
{
    if (o->bytes == 0 || o->bytes > INT64_MAX)
        return "bytes must be from 1 to 9223372036854775807";
    if (!is_percent(o->start))
        return "start must be from 0 to 100";
    if (!is_percent(o->stop))
        return "stop must be from 0 to 100";
    if (o->memory && !o->file)
        return "file must be given with memory";
    return o->file && !*o->file ? "file must name a folder, or be NULL" : NULL;
}

static int create(leat_filter **ret, const struct leat_buffer_options *options, struct leat_error *error)
{
    struct leat_buffer_options o;
    int r = options_copy(&o, sizeof(o), options);
    if (r < 0)
        return error_at(error, r, LEAT_SIDE_NONE, buffer_name, "new", "The options are not those of this version");
    const char *wrong = find_wrong(&o);
    if (wrong)
        return error_at(error, -EINVAL, LEAT_SIDE_NONE, buffer_name, "new", "%s", wrong);
    struct buffer *b = calloc(1, sizeof(*b));
    if (!b)
        return -ENOMEM;
    r = make(b, &o);
    if (r < 0)
        buffer_free(&b->filter);
    else
        *ret = &b->filter;
    return r;
}

int leat_filter_buffer(leat_filter **ret_filter, const struct leat_buffer_options *options,
                       struct leat_error *ret_error)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    int r = error_begin(ret_error);
    return r < 0 ? r : error_return(ret_error, &error, create(ret_filter, options, &error));
}
