/* SPDX-License-Identifier: MIT */
/* A codec whose blocks are compressed by several threads, over leat_stages.
 *
 * The bytes are cut into blocks of one size. A worker makes a stream of its own of each block, and these streams leave
 * in the order of their blocks. So the output depends on the input and on where it was flushed, but not on the number
 * of workers.
 *
 * Owners. The blocks belong to the filter, and there are never more than `blocks`. One is being filled, one is being
 * emptied, and the others are in the stages, which only borrow them. The queues of the stages have room for all blocks,
 * so leat_stages_put never waits. If all blocks are in use, the thread of the pipeline waits for the oldest one, for as
 * long as its compression takes. */
#include "bridge/workers.h"
#include <errno.h>
#include <leat/stages.h>

/* Besides one block for each worker: one to fill, one to empty, and one that waits for a worker. */
#define SPARE_BLOCKS 3

struct block {
    struct block *next;  /* The next unused block. */
    struct block *older; /* The block that was made before; links all blocks. */
    size_t in_n, out_n, at;
    uint8_t *in, *out; /* Both in the memory of the block. */
};

struct workers_filter {
    leat_filter filter;
    struct filter_ops ops; /* A copy, because it has the name of the codec. */
    const struct codec *codec;
    int value[CODEC_VALUES];
    leat_stages *stages;
    size_t block_size, blocks, made; /* made: how many of `blocks` exist. */
    struct block *all, *unused, *filling, *emptying;
    size_t in_stages;
    uint64_t taken; /* Bytes of input in this run. */
    bool began;     /* A block was put into the stages in this run. */
};

/* ---- the workers ---- */

static int compress(leat_work *work, void *item, void *user)
{
    struct workers_filter *f = user;
    struct block *block = item;
    struct filter_buffers b = {block->in, block->in_n, block->out, CODEC_BOUND(f->block_size)};
    void *state = leat_work_state(work);
    const char *why;
    f->codec->start(state);
    int r = f->codec->transform(state, &b, LEAT_FILTER_FINISH, &why);
    if (r != LEAT_FILTER_DONE)
        return r < 0 ? r : -EMSGSIZE;
    block->out_n = CODEC_BOUND(f->block_size) - b.out_n;
    block->at = 0;
    leat_work_emit(work, block, -1);
    return LEAT_STAGE_DONE;
}

static int open_state(void *user, void **ret)
{
    struct workers_filter *f = user;
    return f->codec->open(ret, f->value);
}

static void close_state(void *user, void *state)
{
    ((struct workers_filter *)user)->codec->close(state);
}

/* ---- blocks ---- */

static struct block *make_block(struct workers_filter *f)
{
    struct block *block = malloc(sizeof(*block) + f->block_size + CODEC_BOUND(f->block_size));
    if (!block)
        return NULL;
    block->in = (uint8_t *)(block + 1);
    block->out = block->in + f->block_size;
    block->older = f->all;
    f->all = block;
    f->made++;
    return block;
}

static void put_back(struct workers_filter *f, struct block *block)
{
    block->next = f->unused;
    f->unused = block;
}

/* Takes a block to fill. Returns 0; -EAGAIN: all blocks are in use; -ENOMEM. */
static int begin_block(struct workers_filter *f)
{
    f->filling = f->unused;
    if (f->filling)
        f->unused = f->filling->next;
    else if (f->made == f->blocks)
        return -EAGAIN;
    else if (!(f->filling = make_block(f)))
        return -ENOMEM;
    f->filling->in_n = 0;
    return 0;
}

static void fill(struct workers_filter *f, struct filter_buffers *b)
{
    struct block *block = f->filling;
    size_t n = MIN(b->in_n, f->block_size - block->in_n);
    if (n > 0)
        memcpy(block->in + block->in_n, b->in, n);
    block->in_n += n;
    b->in += n;
    b->in_n -= n;
    f->taken += n;
}

/* Passes the filled block to the workers. */
static int submit(struct workers_filter *f)
{
    int r = leat_stages_put(f->stages, f->filling, -1);
    if (r < 0)
        return r;
    f->filling = NULL;
    f->began = true;
    f->in_stages++;
    return 0;
}

/* Takes the oldest block of those in the stages, to empty it. Returns 0; -EAGAIN: there is none, or it is not ready and
 * timeout_ms is 0; or another negative errno. */
static int receive(struct workers_filter *f, int timeout_ms)
{
    void *item;
    if (f->in_stages == 0)
        return -EAGAIN;
    int r = leat_stages_take(f->stages, &item, timeout_ms);
    if (r != 0)
        return r < 0 ? r : -EPROTO;
    f->emptying = item;
    f->in_stages--;
    return 0;
}

/* False: the output is full. */
static bool give_output(struct workers_filter *f, struct filter_buffers *b)
{
    struct block *block = f->emptying;
    size_t n = MIN(block->out_n - block->at, b->out_n);
    memcpy(b->out, block->out + block->at, n);
    block->at += n;
    b->out += n;
    b->out_n -= n;
    if (block->at < block->out_n)
        return false;
    put_back(f, block);
    f->emptying = NULL;
    return true;
}

/* ---- the filter ---- */

/* Stops the stages and takes all blocks back. */
static void stop(struct workers_filter *f)
{
    leat_stages_stop(f->stages, LEAT_STOP_ABORT, -1, NULL);
    f->filling = f->emptying = f->unused = NULL;
    for (struct block *block = f->all; block; block = block->older)
        put_back(f, block);
    f->in_stages = 0;
}

static int workers_start(leat_filter *filter, uint64_t expected UNUSED, struct leat_error *error)
{
    struct workers_filter *f = (struct workers_filter *)filter;
    char text[64];
    stop(f);
    f->taken = 0;
    f->began = false;
    int r = leat_stages_start(f->stages);
    if (r < 0)
        error_at(error, r, LEAT_SIDE_FILTER, f->codec->name, "start", "The workers of %s can't start: %s",
                 f->codec->name, error_text(r, text, sizeof(text)));
    return r;
}

static int take_input(struct workers_filter *f, struct filter_buffers *b)
{
    int r = f->filling ? 0 : begin_block(f);
    if (r == -EAGAIN)
        return receive(f, -1);
    if (r < 0)
        return r;
    fill(f, b);
    return f->filling->in_n == f->block_size ? submit(f) : 0;
}

/* Called when all input is taken. *ret_done: what `mode` asks for is done as well. */
static int end_input(struct workers_filter *f, int mode, bool *ret_done)
{
    int r = 0;
    *ret_done = false;
    if (mode == LEAT_FILTER_MORE) {
        r = receive(f, 0);
        *ret_done = r == -EAGAIN;
        return *ret_done ? 0 : r;
    }
    if (mode == LEAT_FILTER_FINISH && !f->began && !f->filling)
        r = begin_block(f); /* Of empty input the codec makes an empty stream. */
    if (r == 0 && f->filling)
        return submit(f);
    if (r == 0 && f->in_stages > 0)
        return receive(f, -1);
    *ret_done = r == 0;
    return r;
}

static int work(struct workers_filter *f, struct filter_buffers *b, int mode)
{
    bool done = b->out_n == 0 && b->in_n == 0 && mode == LEAT_FILTER_MORE;
    if (b->out_n == 0)
        return done ? LEAT_FILTER_DONE : LEAT_FILTER_FULL;
    while (!done) {
        if (f->emptying && !give_output(f, b))
            return LEAT_FILTER_FULL;
        int r = b->in_n > 0 ? take_input(f, b) : end_input(f, mode, &done);
        if (r < 0)
            return r;
    }
    return LEAT_FILTER_DONE;
}

static int workers_transform(leat_filter *filter, struct filter_buffers *b, int mode, struct leat_error *error)
{
    struct workers_filter *f = (struct workers_filter *)filter;
    char text[64];
    int r = work(f, b, mode);
    if (r < 0)
        error_at(error, r, LEAT_SIDE_FILTER, f->codec->name, f->codec->operation,
                 "%s, in one of the %zu blocks before byte %llu of its input", error_text(r, text, sizeof(text)),
                 f->blocks, (unsigned long long)f->taken);
    return r;
}

static int workers_finish(leat_filter *filter, int code UNUSED, struct leat_error *error UNUSED)
{
    stop((struct workers_filter *)filter);
    return 0;
}

static uint64_t workers_memory(const leat_filter *filter)
{
    const struct workers_filter *f = (const struct workers_filter *)filter;
    uint64_t block = sizeof(struct block) + f->block_size + CODEC_BOUND(f->block_size);
    return f->blocks * block + (uint64_t)f->value[CODEC_WORKERS] * f->codec->memory(f->value);
}

static void workers_free(leat_filter *filter)
{
    struct workers_filter *f = (struct workers_filter *)filter;
    leat_stages_free(f->stages);
    for (struct block *block = f->all, *older; block; block = older) {
        older = block->older;
        free(block);
    }
    free(f);
}

static const struct filter_ops workers_ops = {
    .caps = FILTER_TRANSFORMS,
    .start = workers_start,
    .transform = workers_transform,
    .memory = workers_memory,
    .finish = workers_finish,
    .free = workers_free,
};

static int make_stages(struct workers_filter *f)
{
    struct leat_stages_options options = LEAT_INIT(struct leat_stages_options);
    struct leat_stage stage = LEAT_INIT(struct leat_stage);
    options.queue = stage.queue = (uint32_t)f->blocks;
    stage.name = f->codec->name;
    stage.function = compress;
    stage.user = f;
    stage.workers = (uint32_t)f->value[CODEC_WORKERS];
    stage.ordered = 1;
    stage.batch = 1;
    stage.worker_open = open_state;
    stage.worker_close = close_state;
    int r = leat_stages_new(&f->stages, &options, NULL);
    return r < 0 ? r : leat_stages_add(f->stages, &stage, NULL);
}

int workers_filter(leat_filter **ret, const struct codec *codec, const int *value)
{
    struct workers_filter *f = calloc(1, sizeof(*f));
    if (!f)
        return -ENOMEM;
    f->codec = codec;
    f->ops = workers_ops;
    f->ops.name = codec->name;
    memcpy(f->value, value, sizeof(f->value));
    f->block_size = codec->block(value);
    f->blocks = (size_t)value[CODEC_WORKERS] + SPARE_BLOCKS;
    filter_init(&f->filter, &f->ops);
    int r = make_stages(f);
    if (r < 0)
        workers_free(&f->filter);
    else
        *ret = &f->filter;
    return r;
}
